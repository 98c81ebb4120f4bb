"""LSMEANS statements, and the differences within the levels of a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError
from trialmlm.programs.sas_text import comment, number
from trialmlm.programs.wrap import wrapped

if TYPE_CHECKING:
    from trialmlm.programs.analysis import Analysis, MeansRequest
    from trialmlm.programs.sas_variables import SasVariables

#: weights -> option of LSMEANS
_WEIGHTS = {"equal": "", "observed-margins": "om"}
#: df that the normal's quantiles cannot be told from
_INFINITE = "df=1e8"


def means_statement(
    request: MeansRequest, analysis: Analysis, variables: SasVariables, *, infinite: bool
) -> list[str]:
    """LSMEANS of a request.

    Raises
    ------
    NotAvailableError
        If SAS has no such means: an effect that is not in MODEL, a factor held at a level.
    """
    if request.weights not in _WEIGHTS:
        msg = f"SAS: LSMEANS has no weights {request.weights!r}; it has {', '.join(_WEIGHTS)}"
        raise NotAvailableError(msg)
    words = ["lsmeans", _effect(request, analysis, variables), "/", "cl", "diff"]
    words += [_WEIGHTS[request.weights]] if _WEIGHTS[request.weights] else []
    words += _at(request, analysis, variables)
    words += [_INFINITE] if infinite else []
    words[-1] += ";"
    return wrapped(words, 2)


def _effect(request: MeansRequest, analysis: Analysis, variables: SasVariables) -> str:
    """The effect as MODEL has it."""
    fixed, wanted = analysis.fixed, {*request.of, *request.by}
    for term in fixed.terms:
        factors = [fixed.factors[i] for i in term]
        columns = frozenset().union(*(factor.columns for factor in factors))
        if columns == wanted and columns <= fixed.classes.keys():
            return variables.effect(fixed, term)[0]
    names = ":".join((*request.of, *request.by))
    msg = (
        f"SAS: LSMEANS takes effects of class variables that stand in MODEL, and {names} does not; "
        f"add {names} to the formula, or ask for other means"
    )
    raise NotAvailableError(msg)


def _at(request: MeansRequest, analysis: Analysis, variables: SasVariables) -> list[str]:
    """AT, where SAS's own means of the covariates are not those of the request.

    SAS averages the columns: log(x) and x1*x2 at their own means. Here the numbers are held at
    theirs, and the columns worked out from them.
    """
    fixed = analysis.fixed
    held = [name for name, _ in request.at if name in fixed.classes]
    if held:
        msg = f"SAS: LSMEANS holds no factor at a level; ask for means by {', '.join(held)}"
        raise NotAvailableError(msg)
    if not (request.at or fixed.crossed or any(not factor.plain for factor in fixed.numbers)):
        return []
    names = [name for factor in fixed.numbers for name in variables.numbers(factor)]
    values = [number(value) for columns in request.values for value in columns]
    if not names:
        return []
    return ["at", f"({' '.join(names)})", "=", f"({' '.join(values)})"]


def differences_step(request: MeansRequest, variables: SasVariables, index: int) -> list[str]:
    """A DATA step that keeps the differences within the levels of `by`."""
    columns = [variables.classes[name] for name in request.by]
    if not columns or any(not name.isidentifier() or len(name) > 31 for name in columns):
        return []
    same = " and ".join(f"{name} = _{name}" for name in columns)
    there = " and ".join(
        f"not missing({variables.classes[name]})" for name in (*request.of, *request.by)
    )
    inside = " and ".join(request.by)
    return [
        "",
        *comment([f"Differences of {', '.join(request.of)} within {inside}."]),
        f"data work.differences_{index};",
        "  set work.differences;",
        *wrapped(["where", f"{same}", f"and {there};"], 2),
        "run;",
    ]
