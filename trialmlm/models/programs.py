"""A fitted model described for a program in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trialmlm._version import __version__
from trialmlm.errors import UsageError
from trialmlm.expressions.functions import STRUCTURES
from trialmlm.expressions.nodes import Call, Node
from trialmlm.formula.algebra import expand
from trialmlm.formula.factor import Factor, NumericFactor, make_factor
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.transforms import Affine, Polynomial
from trialmlm.formula.variables import Variable
from trialmlm.programs.analysis import (
    Analysis,
    ClassFactor,
    MeansRequest,
    NumberFactor,
    RandomEffects,
    Recurrence,
    Repeated,
    Shift,
    Terms,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from trialmlm.formula.coding import Coding
    from trialmlm.formula.grammar import CovarianceTerm, RandomTerm
    from trialmlm.programs.analysis import Estimation
    from trialmlm.programs.analysis import Factor as Described

    #: the factors compared, or (of, by), or the arguments of `ls_means` by name
    MeansAsked: TypeAlias = "str | tuple[Any, Any] | Mapping[str, Any]"


class Fitted(Protocol):
    """What is needed of a fitted model."""

    @property
    def formula(self) -> str:
        """As it was given."""

    @property
    def coding(self) -> Coding:
        """How terms become columns."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The columns on the rows used."""

    @property
    def estimation(self) -> Estimation:
        """How it was fitted."""


def analysis_of(fit: Fitted) -> Analysis:
    """The analysis that a fit was, in the words of the room of programs."""
    read = read_formula(fit.formula)
    assert read.response is not None  # noqa: S101
    return Analysis(
        version=__version__,
        formula=fit.formula,
        response=_number(make_factor(read.response, fit.variables), read.response),
        fixed=_terms(read.fixed, fit.coding.factors),
        repeated=_repeated(read.covariance[0], fit.variables) if read.covariance else None,
        random=tuple(_random(term, fit.variables) for term in read.random),
        estimation=fit.estimation,
    )


def requests_of(fit: Fitted, asked: Sequence[MeansAsked]) -> tuple[MeansRequest, ...]:
    """The LS means asked for, with the values of the numbers they are held at.

    Raises
    ------
    UsageError
        If a request or a name is not understood.
    """
    return tuple(_request(fit, one) for one in asked)


def _request(fit: Fitted, asked: MeansAsked) -> MeansRequest:
    found = _arguments(asked)
    of, by = _names(found.get("of", ())), _names(found.get("by", ()))
    at = dict(found.get("at") or {})
    _check(fit, of, by, at, found.get("control"))
    return MeansRequest(
        of=of,
        by=by,
        weights=found.get("weights", "equal"),
        at=tuple(at.items()),
        control=found.get("control"),
        values=_values(fit, at),
    )


def _arguments(asked: MeansAsked) -> dict[str, Any]:
    if isinstance(asked, str):
        return {"of": asked}
    if isinstance(asked, tuple) and len(asked) == 2:
        return {"of": asked[0], "by": asked[1]}
    known = ("of", "by", "weights", "at", "control")
    if isinstance(asked, tuple) or set(asked) - set(known):
        msg = (
            f"ls_means: found {asked!r}, expected a factor's name, a pair (of, by), or a mapping "
            f"with {', '.join(known)}"
        )
        raise UsageError(msg)
    return dict(asked)


def _names(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _check(
    fit: Fitted, of: tuple[str, ...], by: tuple[str, ...], at: Mapping[str, Any], control: Any
) -> None:
    categorical = fit.coding.categorical
    for name in (*of, *by):
        if name not in categorical:
            known = ", ".join(sorted(categorical)) or "none"
            msg = f"ls_means: {name} is not a factor of the model; its factors are {known}"
            raise UsageError(msg)
    for name in at:
        if name not in fit.coding.variables:
            msg = f"ls_means: at: {name} is not in the model"
            raise UsageError(msg)
    if not of:
        raise UsageError("ls_means: no factor is named")
    if control is not None and (len(of) > 1 or control not in categorical[of[0]].levels):
        msg = f"ls_means: the control {control!r} is not a level of {' and '.join(of)}"
        raise UsageError(msg)


def _values(fit: Fitted, at: Mapping[str, Any]) -> tuple[tuple[float, ...], ...]:
    """The columns of each number factor, the numbers at their means or as asked."""
    found = []
    for own in fit.coding.factors:
        if isinstance(own, NumericFactor):
            held = {n: at[n] if n in at else fit.variables[n].mean() for n in own.variables}
            table = {n: Variable(n, None, np.array([float(v)])) for n, v in held.items()}
            found.append(tuple(map(float, own.columns(table, full=True)[0])))
    return tuple(found)


def _terms(node: Node, factors: tuple[Factor, ...]) -> Terms:
    algebra = expand(node)
    described = (_factor(own, n) for own, n in zip(factors, algebra.factors, strict=True))
    return Terms(node, tuple(described), algebra.terms)


def _factor(own: Factor, node: Node) -> Described:
    if isinstance(own, NumericFactor):
        return _number(own, node)
    contrast, reference = "Treatment", 0
    if isinstance(node, Call) and len(node.arguments) == 2 and isinstance(node.arguments[1], Call):
        contrast = node.arguments[1].function
    if contrast == "Treatment":
        reference = int(np.flatnonzero(~own.contrast.any(axis=1))[0])
    return ClassFactor(own.variable, tuple(map(_plain, own.levels)), contrast, reference)


def _number(own: Factor, node: Node) -> NumberFactor:
    assert isinstance(own, NumericFactor)  # noqa: S101
    learnt = tuple((call, _learnt(state)) for call, state in own.states)
    return NumberFactor(node, own.variables, own.width, learnt)


def _learnt(state: object) -> Shift | Recurrence | None:
    match state:
        case Affine(shift, unit):
            return Shift(shift, unit)
        case Polynomial(alpha, norm2):
            return Recurrence(alpha, norm2)
    return None


def _repeated(term: CovarianceTerm, variables: Mapping[str, Variable]) -> Repeated:
    visits = () if STRUCTURES[term.structure].spatial else term.visit
    levels = tuple(_levels(variables[name]) for name in visits)
    return Repeated(term.structure, term.visit, term.subject, term.group, levels, term.options)


def _levels(found: Variable) -> tuple[Any, ...]:
    return tuple(map(_plain, found.as_factor().levels or ()))


def _plain(level: Any) -> Any:
    """A level as Python's own number, truth value or text."""
    return level.item() if isinstance(level, np.generic) else level


def _random(term: RandomTerm, variables: Mapping[str, Variable]) -> RandomEffects:
    factors = tuple(make_factor(node, variables) for node in expand(term.terms).factors)
    return RandomEffects(_terms(term.terms, factors), term.factors, term.correlated, term.by)
