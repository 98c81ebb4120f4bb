"""What LS means average over: a reference grid, or the subjects themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.counterfactual import counterfactual_grid, subjects_of
from trialmlm.formula.grid import WEIGHTS, Grid, reference_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.counterfactual import Standardised
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.inference.method import Coefficients


@dataclass(frozen=True, slots=True)
class Fitted:
    """What an average needs to know of a fit.

    Attributes
    ----------
    coding : Coding
    frame : ModelFrame
    coefficients : Coefficients
    unit : str or None
        The column that tells subjects apart; None where every row is one.
    """

    coding: Coding
    frame: ModelFrame
    coefficients: Coefficients
    unit: str | None


@dataclass(frozen=True, slots=True)
class Averaging:
    """What is asked for.

    Attributes
    ----------
    weights : str
    over, covariates : str
    among : tuple of str
        For counterfactual weights alone.
    at : mapping
    """

    weights: str
    over: str
    covariates: str
    among: tuple[str, ...]
    at: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Average:
    """A grid, the covariance of its means by sampling of the subjects, and what to say of it."""

    grid: Grid
    spread: Array | None
    made: tuple[str, ...]


def average(fit: Fitted, names: tuple[str, ...], asked: Averaging) -> Average:
    """Rows of coefficients for every cell of `names`.

    Raises
    ------
    UsageError
        If a name, level, weighting or option is not known.
    """
    if asked.weights != "counterfactual":
        if asked.weights not in WEIGHTS:
            known = ", ".join((*WEIGHTS, "counterfactual"))
            msg = f"weights: found {asked.weights!r}, expected one of {known}"
            raise UsageError(msg)
        if (asked.over, asked.covariates, asked.among) != ("analysed", "fixed", ()):
            raise UsageError("over, covariates, among: they are for weights='counterfactual'")
        data = fit.frame.variables
        grid = reference_grid(fit.coding, data, names, weights=asked.weights, at=asked.at)
        return Average(grid, None, ())
    return _counterfactual(fit, names, asked)


def _counterfactual(fit: Fitted, names: tuple[str, ...], asked: Averaging) -> Average:
    everyone = _choice("over", asked.over, {"analysed": False, "randomised": True})
    spread_of = _choice("covariates", asked.covariates, _SPREADS)
    subjects = subjects_of(fit.coding, fit.frame, fit.unit, everyone=everyone)
    basis = fit.coefficients.basis
    beta = np.zeros(basis.n_columns)
    beta[basis.kept] = basis.R_inverse @ fit.coefficients.beta
    subgroups = dict(subjects.within(asked.among))
    _check_once(asked.among, (*names, *asked.at))
    parts = {
        levels: counterfactual_grid(fit.coding, fit.frame, some, names, asked.at, beta)
        for levels, some in subgroups.items()
    }
    made = [f"averaged over {subjects.count:,} subjects {asked.over}"]
    if subjects.left_out:
        made.append(f"{subjects.left_out:,} subjects lack a covariate and are left out")
    spreads = [spread_of(part.predicted) for part in parts.values()]
    return Average(_together(asked.among, parts), _apart(spreads), tuple(made))


def _check_once(among: tuple[str, ...], others: tuple[str, ...]) -> None:
    for name in among:
        if (*among, *others).count(name) > 1:
            msg = f"LS means: {name} is named twice"
            raise UsageError(msg)


def _together(among: tuple[str, ...], parts: Mapping[tuple[Any, ...], Standardised]) -> Grid:
    """One grid of the subgroups' cells, the subgroup running slowest."""
    grids = {levels: part.grid for levels, part in parts.items()}
    names = next(iter(grids.values())).names
    cells = tuple((*levels, *cell) for levels, grid in grids.items() for cell in grid.cells)
    return Grid((*among, *names), cells, np.concatenate([grid.L for grid in grids.values()]))


def _apart(spreads: list[Array | None]) -> Array | None:
    """Subgroups have no subject in common, so that their means do not vary together."""
    blocks = [spread for spread in spreads if spread is not None]
    if len(blocks) < len(spreads):
        return None
    n = sum(len(block) for block in blocks)
    found = np.zeros((n, n))
    at = 0
    for block in blocks:
        found[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return found


def _sampled(predicted: Array) -> Array:
    """Covariance of the means over independent subjects, cells × cells."""
    n = len(predicted)
    if n < 2:
        raise UsageError("covariates: one subject has no spread; use covariates='fixed'")
    deviations = predicted - predicted.mean(axis=0)
    result: Array = deviations.T @ deviations / ((n - 1) * n)
    return result


#: what the standard errors say of the subjects' covariates -> covariance of the means
_SPREADS: Mapping[str, Callable[[Array], Array | None]] = {
    "fixed": lambda predicted: None,
    "sampled": _sampled,
}


def _choice(option: str, found: str, choices: Mapping[str, Any]) -> Any:
    if found not in choices:
        msg = f"{option}: found {found!r}, expected one of {', '.join(choices)}"
        raise UsageError(msg)
    return choices[found]
