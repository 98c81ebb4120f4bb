"""Which variables a SAS program works with, and the DATA step that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from trialmlm.errors import NotAvailableError
from trialmlm.expressions.spelling import spell
from trialmlm.programs.analysis import ClassFactor, NumberFactor
from trialmlm.programs.new_names import NewNames
from trialmlm.programs.sas_arithmetic import assignments
from trialmlm.programs.sas_text import comment, dataset, level, quoted, variable
from trialmlm.programs.wrap import enclosed, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.expressions.nodes import Node
    from trialmlm.programs.analysis import Analysis, Factor, Terms

_ROWS = (
    "Rows with a missing value are left out here, not by the procedure: the number of subjects "
    "in BIC, the means of covariates and the margins of OM are then those of the rows used."
)
_ORDER = (
    "The visits in order, as a variable of its own for the covariance: REF= in CLASS moves a "
    "level to the end, and under AR(1), TOEP, ANTE(1) and their like another order is another "
    "model."
)


@dataclass(frozen=True, slots=True)
class SasVariables:
    """The variables of a program.

    Attributes
    ----------
    classes : mapping
        Column -> the CLASS variable of its levels.
    made : mapping
        Text of a function of numbers -> the variables that hold its columns.
    visits : tuple of str
        The repeated effects; none where there is no visit.
    statements : tuple of str
        What makes them, in a DATA step.
    """

    classes: Mapping[str, str]
    made: Mapping[Node, tuple[str, ...]]
    visits: tuple[str, ...]
    statements: tuple[str, ...]

    @classmethod
    def of(cls, analysis: Analysis) -> SasVariables:
        """Name every variable, and say how those that the data do not have are made.

        Raises
        ------
        NotAvailableError
            If SAS cannot hold a name or a level, or make a column.
        """
        every = tuple(dict.fromkeys((*analysis.columns, *analysis.given)))
        _check_names(every)
        names = NewNames(every)
        classes, copies = _classes(analysis, names)
        made: dict[Node, tuple[str, ...]] = {}
        lines = [*_indicators(analysis), *copies]
        for factor in _functions(analysis):
            text = spell(factor.node, column=str)
            wanted = (
                [text] if factor.width == 1 else [f"{text}_{k + 1}" for k in range(factor.width)]
            )
            made[factor.node] = tuple(names.like(name) for name in wanted)
            lines += [f"  {line}" for line in assignments(factor, made[factor.node])]
        visits, order = _visits(analysis, names)
        return cls(classes, made, visits, (*lines, *order))

    def numbers(self, factor: NumberFactor) -> tuple[str, ...]:
        """The variables of a number factor."""
        return self.made.get(factor.node) or tuple(map(variable, sorted(factor.columns)))

    def effects(self, part: Terms) -> list[str]:
        """The effects of a part, without the intercept; a function's columns are one each."""
        return [effect for term in part.terms if term for effect in self.effect(part, term)]

    def effect(self, part: Terms, term: Sequence[int]) -> list[str]:
        """The effects of one term."""
        found = [""]
        for position in term:
            own = self._of(part.factors[position])
            found = [f"{left}*{right}" if left else right for left in found for right in own]
        return found

    def _of(self, factor: Factor) -> tuple[str, ...]:
        if isinstance(factor, ClassFactor):
            return (self.classes[factor.variable],)
        return self.numbers(factor)

    def class_statement(self, analysis: Analysis) -> list[str]:
        """CLASS with the reference of each factor."""
        words = ["class"]
        words += [self.classes[name] + _reference(f) for name, f in analysis.classes.items()]
        words += self.visits
        grouping = (name for name in analysis.grouping_columns if name not in analysis.classes)
        words += [self.classes[name] for name in grouping]
        return _statement(words) if len(words) > 1 else []


def data_step(analysis: Analysis, variables: SasVariables, data: str) -> list[str]:
    """The rows used, and the variables made."""
    columns = list(map(variable, analysis.given))
    return [
        "data work.analysis;",
        *_statement(["set", dataset(data), *enclosed("(keep=", columns, ")")]),
        "  format _all_;",
        *comment([_ROWS], 2),
        *_statement(["if", *enclosed("cmiss(of ", columns, ")"), "=", "0"]),
        *variables.statements,
        "run;",
    ]


def _statement(words: list[str]) -> list[str]:
    return wrapped([*words[:-1], words[-1] + ";"], 2)


def _check_names(columns: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in columns:
        variable(name)
        if name.casefold() in seen:
            msg = f"SAS: {seen[name.casefold()]} and {name} are one name in SAS; rename a column"
            raise NotAvailableError(msg)
        seen[name.casefold()] = name


def _classes(analysis: Analysis, names: NewNames) -> tuple[dict[str, str], list[str]]:
    """CLASS variables by column; a column that is also taken as a number is copied."""
    found, lines = {}, []
    for name in dict.fromkeys((*analysis.classes, *analysis.grouping_columns)):
        found[name] = variable(name)
        if name in analysis.numeric_columns:
            found[name] = names.like(f"{name}_class")
            lines.append(f"  {found[name]} = {variable(name)};")
    for factor in analysis.classes.values():
        _check_levels(factor.variable, factor.levels)
    return found, lines


def _indicators(analysis: Analysis) -> list[str]:
    for made in analysis.indicators:
        _check_levels(made.column, (made.level,))
    return [
        f"  {variable(made.name)} = ({variable(made.column)} = {level(made.level)});"
        for made in analysis.indicators
    ]


def _check_levels(name: str, levels: Sequence[Any]) -> None:
    for value in levels:
        level(value)
    trimmed = {value.rstrip(" ") if isinstance(value, str) else value for value in levels}
    if len(trimmed) < len(levels):
        msg = f"SAS: two levels of {name} differ in blanks at their ends only; recode them"
        raise NotAvailableError(msg)


def _functions(analysis: Analysis) -> list[NumberFactor]:
    """The functions of numbers, each once, in order."""
    factors = (analysis.response, *(f for part in analysis.parts for f in part.numbers))
    return list({factor.node: factor for factor in factors if not factor.plain}.values())


def _visits(analysis: Analysis, names: NewNames) -> tuple[tuple[str, ...], list[str]]:
    """The repeated effects: visits numbered in their order."""
    repeated = analysis.repeated
    if repeated is None or not repeated.levels:
        return (), []
    targets = tuple(names.like(f"{column}_order") for column in repeated.visit)
    lines = comment([_ORDER], 2)
    for column, levels, target in zip(repeated.visit, repeated.levels, targets, strict=True):
        _check_levels(column, levels)
        lines += _numbered(column, levels, target)
    return targets, lines


def _numbered(column: str, levels: Sequence[Any], target: str) -> list[str]:
    refusal = quoted("ERROR: a visit that the model does not know: ")
    return [
        f"  select ({variable(column)});",
        *(f"    when ({level(value)}) {target} = {k + 1};" for k, value in enumerate(levels)),
        f"    otherwise putlog {refusal} {variable(column)}=;",
        "  end;",
    ]


def _reference(factor: ClassFactor) -> str:
    """REF= of the model's reference level; numbers by their place, as SAS compares text."""
    wanted = factor.levels[factor.reference]
    if isinstance(wanted, str):
        return f"(ref={level(wanted)})"
    ordered = sorted(value for value in factor.levels if isinstance(value, Real))
    if wanted in (ordered[0], ordered[-1]):
        return "(ref=first)" if wanted == ordered[0] else "(ref=last)"
    text = f"{float(wanted):.12g}"
    if float(text) != float(wanted):
        msg = f"SAS: the level {wanted!r} of {factor.variable} has too many digits for REF="
        raise NotAvailableError(msg)
    return f"(ref={quoted(text)})"
