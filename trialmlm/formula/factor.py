"""A factor of a term: its levels and contrasts, or its numbers, remembered from the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import patsy.contrasts

from trialmlm.errors import FitError
from trialmlm.expressions.nodes import Call, Name, Node, Number, Text, names
from trialmlm.expressions.spelling import spell
from trialmlm.formula.evaluate import States, evaluate, learn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, slots=True)
class NumericFactor:
    """A number, or a function of numbers with one or more columns.

    Attributes
    ----------
    name : str
        As it is written in the formula.
    node : Node
    states : tuple
        What its functions learnt from the rows of the fit.
    width : int
        Number of columns.
    """

    name: str
    node: Node
    states: States
    width: int

    @property
    def variables(self) -> frozenset[str]:
        """The columns it is made of."""
        return names(self.node)

    def columns(self, data: Mapping[str, Variable], *, full: bool) -> Array:
        """Its columns, (m, width); the same whether full or reduced."""
        del full
        numbers = {name: data[name].numbers() for name in self.variables}
        return evaluate(self.node, numbers, self.states).reshape(-1, self.width)

    def suffixes(self, *, full: bool) -> tuple[str, ...]:
        """What distinguishes its columns' names."""
        del full
        return ("",) if self.width == 1 else tuple(str(k + 1) for k in range(self.width))


@dataclass(frozen=True, slots=True)
class CategoricalFactor:
    """A factor with levels and a contrast.

    Attributes
    ----------
    name : str
        As it is written in the formula.
    variable : str
        The column.
    levels : tuple
        In order; the first is the reference of treatment contrasts.
    contrast : ndarray, shape (levels, levels − 1)
        Coding when one column is left out.
    contrast_names : tuple of str
    """

    name: str
    variable: str
    levels: tuple[Any, ...]
    contrast: Array
    contrast_names: tuple[str, ...]

    @property
    def variables(self) -> frozenset[str]:
        """The one column it is made of."""
        return frozenset({self.variable})

    def codes(self, data: Mapping[str, Variable]) -> IntArray:
        """Positions in `levels`.

        Raises
        ------
        FitError
            At a level that the fit did not see: it would otherwise pass for the reference.
        """
        given = data[self.variable]
        levels = given.levels or tuple(np.unique(given.values).tolist())
        place = {level: i for i, level in enumerate(self.levels)}
        unseen = [level for level in levels if level not in place]
        if unseen:
            msg = (
                f"{self.variable} has a level that the model was not fitted on: "
                f"{', '.join(map(repr, unseen))}; it knows {', '.join(map(repr, self.levels))}"
            )
            raise FitError(msg)
        if given.levels is None:
            return np.array([place[value] for value in given.values], dtype=np.intp)
        if given.levels == self.levels:
            return np.asarray(given.values, dtype=np.intp)
        table = np.array([place[level] for level in levels], dtype=np.intp)
        mapped: IntArray = table[np.asarray(given.values, dtype=np.intp)]
        return mapped

    def columns(self, data: Mapping[str, Variable], *, full: bool) -> Array:
        """Indicator columns (m, levels), or the contrast's (m, levels − 1)."""
        coding = np.eye(len(self.levels)) if full else self.contrast
        rows: Array = coding[self.codes(data)]
        return rows

    def suffixes(self, *, full: bool) -> tuple[str, ...]:
        """Names of the levels, or of the contrast's columns."""
        return tuple(map(level_text, self.levels)) if full else self.contrast_names


Factor = NumericFactor | CategoricalFactor


def level_text(level: Any) -> str:
    """A level as R would print it: numbers to 15 digits, truth values in capitals."""
    if isinstance(level, bool):
        return str(level).upper()
    return f"{level:.15g}" if isinstance(level, float) else str(level)


def make_factor(node: Node, data: Mapping[str, Variable]) -> Factor:
    """The factor that `node` is on these data.

    Raises
    ------
    FitError
        If arithmetic is asked of a column of text, or a factor has a single level.
    """
    name = spell(node, column=str)
    if isinstance(node, Name) and data[node.name].categorical:
        return _categorical(name, node.name, data, None)
    if isinstance(node, Call) and node.function == "C":
        (argument, *contrast) = node.arguments
        if not isinstance(argument, Name):
            msg = f"{name}: C(…) takes the name of a column, not {spell(argument, column=str)}"
            raise FitError(msg)
        return _categorical(name, argument.name, data, contrast[0] if contrast else None)
    for variable in sorted(names(node)):
        if data[variable].categorical:
            msg = f"{name} asks for a number, but {variable} is text or a factor"
            raise FitError(msg)
    numbers = {k: data[k].numbers() for k in names(node)}
    states = learn(node, numbers)
    probe = evaluate(node, {k: v[:1] for k, v in numbers.items()}, states)
    return NumericFactor(name, node, states, probe.reshape(1, -1).shape[1])


def _categorical(
    name: str, variable: str, data: Mapping[str, Variable], contrast: Node | None
) -> CategoricalFactor:
    given = data[variable]
    levels = given.levels or tuple(np.unique(given.values).tolist())
    if len(levels) < 2:
        only = f"only the level {levels[0]!r}" if levels else "no level"
        msg = f"{name} has {only} in the rows used: a factor needs two; leave it out"
        raise FitError(msg)
    spec = contrast if isinstance(contrast, Call) else Call(function="Treatment")
    matrix, labels = _CONTRASTS[spec.function](spec, levels)
    return CategoricalFactor(name, variable, levels, matrix, labels)


def _treatment(spec: Call, levels: tuple[Any, ...]) -> tuple[Array, tuple[str, ...]]:
    constants = [*spec.arguments, *(value for _, value in spec.keywords)]
    reference = _reference(constants[0], levels) if constants else 0
    # patsy takes a reference for a level before it takes it for a place: it is given places alone
    places = list(range(len(levels)))
    matrix = patsy.contrasts.Treatment(reference).code_without_intercept(places).matrix
    others = [level_text(level) for i, level in enumerate(levels) if i != reference]
    return np.asarray(matrix, dtype=float), tuple(others)


def _reference(node: Node, levels: tuple[Any, ...]) -> int:
    wanted = node.value if isinstance(node, Text | Number) else None
    for i, level in enumerate(levels):
        if wanted in (level, level_text(level)):
            return i
    known = ", ".join(repr(level) for level in levels)
    msg = f"the reference {wanted!r} is not among the levels in the rows used: {known}"
    raise FitError(msg)


def _numbered(contrast: Any) -> Callable[[Call, tuple[Any, ...]], tuple[Array, tuple[str, ...]]]:
    def make(spec: Call, levels: tuple[Any, ...]) -> tuple[Array, tuple[str, ...]]:
        del spec
        matrix = contrast().code_without_intercept(list(levels)).matrix
        return np.asarray(matrix, dtype=float), tuple(str(k + 1) for k in range(matrix.shape[1]))

    return make


#: contrast -> its matrix and column names; as in R, sum and Helmert columns are numbered
_CONTRASTS: Mapping[str, Callable[[Call, tuple[Any, ...]], tuple[Array, tuple[str, ...]]]] = {
    "Treatment": _treatment,
    "Sum": _numbered(patsy.contrasts.Sum),
    "Helmert": _numbered(patsy.contrasts.Helmert),
}
