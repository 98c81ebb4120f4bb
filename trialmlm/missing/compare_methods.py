"""Methods for missing data beside each other: one contrast, one row for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.factor import level_text
from trialmlm.missing.analysed import AnalysedImputation
from trialmlm.models.fitted import FittedModel
from trialmlm.models.mixed import MixedFit
from trialmlm.models.mmrm import MmrmFit

if TYPE_CHECKING:
    from collections.abc import Mapping

#: what has an estimate of the contrast
Result: TypeAlias = AnalysedImputation | FittedModel

#: what an analysis is to the main one (ICH E9(R1) A.5)
ROLES = ("main", "sensitivity", "supplementary", "comparator")
_COLUMNS = (
    "method", "assumption", "role", "contrast", "visit", "n", "n_imputed", "estimate", "std_error",
    "df", "ci_low", "ci_high", "p_value", "fmi", "monte_carlo_se", "variance", "target", "decides",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparedMethod:
    """A method, and what it is.

    Attributes
    ----------
    result : AnalysedImputation, AncovaFit or MmrmFit
    assumption : str
        Of what was not observed, in words.
    role : {"main", "sensitivity", "supplementary", "comparator"}
    """

    result: Result
    assumption: str
    role: str


@dataclass(frozen=True, slots=True)
class _Question:
    """The contrast asked of every method."""

    arm: str
    pair: tuple[str, str]
    visit: Any

    @property
    def contrast(self) -> str:
        return " - ".join(self.pair)


def compare_methods(
    methods: Mapping[str, ComparedMethod],
    *,
    arm: str,
    contrast: tuple[str, str],
    at: Any,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """One table of methods, for a report and a forest plot.

    Parameters
    ----------
    methods : mapping of str to ComparedMethod
        In the order of the table. Every variance that an analysis of imputed data has gets a row.
    arm : str
        The column of the arm.
    contrast : (str, str)
        Two arms, the first less the second.
    at : visit
        Of an MMRM and of imputed data; an ANCOVA is of the visit that it was fitted to.
    confidence : float
        Of the intervals of fitted models; imputed data have theirs.

    Returns
    -------
    DataFrame
        method, assumption, role, contrast, visit, n (subjects), n_imputed (values that enter the
        contrast), estimate, std_error, df, ci_low, ci_high, p_value, fmi, monte_carlo_se,
        variance, target, decides.

    Raises
    ------
    UsageError
        If a role, result or arm is not known, or a result has no such contrast.

    Notes
    -----
    A table of methods shows how much the answer rests on what is assumed of unobserved values. It
    does not show which of them is right.

    Examples
    --------
    >>> compare_methods({
    ...     "MMRM": ComparedMethod(fit, "missing at random", "main"),
    ...     "Jump to reference": ComparedMethod(res, "as placebo after withdrawal", "sensitivity"),
    ... }, arm="ARM", contrast=("DRUG", "PLACEBO"), at="Week 8")  # doctest: +SKIP
    """
    if not methods:
        raise UsageError("compare_methods: name the methods to compare")
    asked = _Question(arm, contrast, at)
    parts = []
    for name, method in methods.items():
        _check(name, method)
        rows = (
            _of_imputed(name, method.result, asked)
            if isinstance(method.result, AnalysedImputation)
            else _of_fit(name, method.result, asked, confidence)
        )
        parts += [
            {**row, "method": name, "assumption": method.assumption, "role": method.role}
            for row in rows
        ]
    table = pd.DataFrame(parts).assign(contrast=asked.contrast, visit=at)
    return table.reindex(columns=list(_COLUMNS))


def _check(name: str, method: ComparedMethod) -> None:
    if method.role not in ROLES:
        known = ", ".join(ROLES)
        msg = f"compare_methods: {name}: role: found {method.role!r}, expected one of {known}"
        raise UsageError(msg)
    if not isinstance(method.result, AnalysedImputation | FittedModel):
        found = type(method.result).__name__
        msg = (
            f"compare_methods: {name}: found {found}, expected an analysis of imputed data or a "
            "fitted model"
        )
        raise UsageError(msg)


def _of_imputed(name: str, result: AnalysedImputation, asked: _Question) -> list[dict[str, Any]]:
    frame = result.frame
    at = frame["visit"].map(level_text) == level_text(asked.visit)
    rows = frame[(frame["arms"] == asked.contrast) & at & (frame["quantity"] == "contrast")]
    if rows.empty:
        found = ", ".join(map(str, result.quantities))
        msg = (
            f"compare_methods: {name} has no contrast {asked.contrast} at {asked.visit}; it has "
            f"{found}: analyse that visit with control={asked.pair[1]!r}"
        )
        raise UsageError(msg)
    n = len(result.plan.imputation.layout.subjects)
    return [{str(k): v for k, v in row.items()} | {"n": n} for row in rows.to_dict("records")]


def _of_fit(
    name: str, fit: FittedModel, asked: _Question, confidence: float
) -> list[dict[str, Any]]:
    by = fit.visits.name if isinstance(fit, MmrmFit) else ()
    means = fit.ls_means(asked.arm, by=by, confidence=confidence)
    table = means.contrasts([asked.pair]).frame
    if by:
        table = table[table[by].map(level_text) == level_text(asked.visit)]
    if table.empty:
        msg = f"compare_methods: {name}: {asked.visit!r} is no visit of the model"
        raise UsageError(msg)
    found = {str(key): value for key, value in table.iloc[0].items()}
    n = fit.n_subjects if isinstance(fit, MixedFit) else fit.rows.rows.size
    kept = {name: found[name] for name in _ESTIMATED}
    about = {"n": n, "n_imputed": 0, "variance": fit.method.covariance, "decides": True}
    return [{**kept, **about, "fmi": np.nan, "monte_carlo_se": 0.0, "target": "model-based"}]


_ESTIMATED = ("estimate", "std_error", "df", "ci_low", "ci_high", "p_value")
