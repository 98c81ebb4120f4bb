"""A model's formula as R reads it, and the columns that it needs made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError
from trialmlm.expressions.nodes import Binary, Call, Name, Node, Number, Unary
from trialmlm.expressions.spelling import spell
from trialmlm.programs.new_names import NewNames
from trialmlm.programs.r_text import level, number, variable, vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.programs.analysis import Analysis, ClassFactor, Repeated

_CONTRASTS = {
    "Sum": "contr.sum({count})",
    "Helmert": "contr.helmert({count})",
    "Treatment": "contr.treatment({levels}, base = {base})",
}


@dataclass(frozen=True, slots=True)
class RFormula:
    """Writes the parts of a formula.

    Attributes
    ----------
    classes : mapping
        Column -> the factor of its levels.
    numeric : frozenset of str
        Columns that the model takes as numbers.
    statements : tuple of str
        What makes the factors of the data frame ``analysis``.
    """

    classes: Mapping[str, str]
    numeric: frozenset[str]
    statements: tuple[str, ...]

    @classmethod
    def of(cls, analysis: Analysis) -> RFormula:
        """Name every factor; a column that is also taken as a number is copied."""
        names, classes, lines = NewNames((*analysis.columns, *analysis.given)), {}, []
        for name, levels in _levels(analysis).items():
            taken = name in analysis.numeric_columns
            classes[name] = variable(names.like(f"{name}_class") if taken else name)
            given = f", levels = {vector(levels)}" if levels else ""
            target = f"analysis${classes[name]}"
            lines.append(f"{target} <- factor(analysis${variable(name)}{given})")
        for name, factor in analysis.classes.items():
            lines += _contrast(factor, f"analysis${classes[name]}")
        return cls(classes, frozenset(analysis.numeric_columns), tuple(lines))

    def column(self, name: str) -> str:
        """A column as the model takes it: the number, or the factor of its levels."""
        return variable(name) if name in self.numeric else self.classes.get(name, variable(name))

    def response(self, analysis: Analysis) -> str:
        """The left side."""
        return self.text(analysis.response.node)

    def text(self, node: Node) -> str:
        """A part of the right side; factors by their names, functions by R's."""
        texts: list[str] = []
        return spell(self._rewritten(node, texts), column=lambda key: _text(key, texts))

    def _rewritten(self, node: Node, texts: list[str]) -> Node:
        """The tree with a place in `texts` for every column and what R calls otherwise."""
        match node:
            case Name(name):
                return _place(self.column(name), texts)
            case Call("C", (Name(name), *_)):
                return _place(self.classes[name], texts)
            case Call(function, arguments, keywords) if function in _FUNCTIONS:
                first = self.text(arguments[0])
                return _place(_FUNCTIONS[function](first, arguments[1:], dict(keywords)), texts)
            case Call(function, (argument, *rest), keywords):
                return Call(function, (self._rewritten(argument, texts), *rest), keywords)
            case Unary(sign, operand):
                return Unary(sign, self._rewritten(operand, texts))
            case Binary(sign, left, right):
                return Binary(sign, self._rewritten(left, texts), self._rewritten(right, texts))
        return node

    def covariance(self, repeated: Repeated) -> str:
        """The covariance term of R's mmrm."""
        visit = ", ".join(
            self.classes[name] if repeated.levels else variable(name) for name in repeated.visit
        )
        group = f"{self.classes[repeated.group]}/" if repeated.group else ""
        return f"{repeated.structure}({visit} | {group}{self.classes[repeated.subject]})"


def _place(text: str, texts: list[str]) -> Name:
    texts.append(text)
    return Name(f"\0{len(texts) - 1}")


def _text(key: str, texts: list[str]) -> str:
    return texts[int(key[1:])]


def _levels(analysis: Analysis) -> dict[str, tuple[object, ...]]:
    """The levels of every factor, in the model's order; none where the order does not matter."""
    found: dict[str, tuple[object, ...]] = {n: f.levels for n, f in analysis.classes.items()}
    if analysis.repeated and analysis.repeated.levels:
        for name, levels in zip(analysis.repeated.visit, analysis.repeated.levels, strict=True):
            found.setdefault(name, levels)
    for name in analysis.grouping_columns:
        found.setdefault(name, ())
    return found


def _contrast(factor: ClassFactor, target: str) -> list[str]:
    if factor.contrast == "Treatment" and factor.reference == 0:
        return []
    made = _CONTRASTS[factor.contrast].format(
        count=len(factor.levels), levels=f"levels({target})", base=factor.reference + 1
    )
    return [f"contrasts({target}) <- {made}"]


def _center(x: str, rest: tuple[Node, ...], keywords: Mapping[str, Node]) -> str:
    del rest, keywords
    return f"scale({x}, scale = FALSE)"


def _splines(x: str, rest: tuple[Node, ...], keywords: Mapping[str, Node]) -> str:
    given = {**({"df": rest[0]} if rest else {}), **keywords}
    words = [f"{name} = {_constant(given[name])}" for name in ("df", "degree") if name in given]
    if {"lower_bound", "upper_bound"} & given.keys():
        low = _constant(given["lower_bound"]) if "lower_bound" in given else f"min({x})"
        high = _constant(given["upper_bound"]) if "upper_bound" in given else f"max({x})"
        words.append(f"Boundary.knots = c({low}, {high})")
    return f"splines::bs({', '.join([x, *words])})"


def _natural(x: str, rest: tuple[Node, ...], keywords: Mapping[str, Node]) -> str:
    del rest, keywords
    msg = f"R: cr({x}) has no equivalent among R's plain bases; make its columns in the data"
    raise NotAvailableError(msg)


def _polynomial(x: str, rest: tuple[Node, ...], keywords: Mapping[str, Node]) -> str:
    degree = rest[0] if rest else keywords.get("degree", Number(1.0))
    return f"poly({x}, {_constant(degree)})"


def _constant(node: Node) -> str:
    match node:
        case Number(value):
            return number(value)
        case Unary("-", Number(value)):
            return number(-value)
    return level(spell(node, column=str))


#: function -> how R writes it, where otherwise
_FUNCTIONS = {"center": _center, "bs": _splines, "cr": _natural, "poly": _polynomial}
