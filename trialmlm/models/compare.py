"""Fits of one response beside each other, by their information criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.models.same_data import check_mixed, check_same_fixed, check_same_rows

if TYPE_CHECKING:
    from trialmlm.models.mixed import MixedFit


def compare(*fits: MixedFit) -> pd.DataFrame:
    """A table of covariance structures.

    Parameters
    ----------
    *fits : MmrmFit or LmmFit
        Of the same rows and response, all by REML with the same fixed effects, or all by ML.

    Returns
    -------
    DataFrame
        In the order given: structure (the part of the formula in which covariances are named),
        formula, parameters (as AIC counts them), minus2_loglik, aic, aicc, bic, converged.

    Raises
    ------
    UsageError
        If the fits cannot be compared; says why.

    Examples
    --------
    >>> compare(*(mmrm(f"Y ~ A*T + {s}(T | ID)", d) for s in ("us", "toeph", "cs")))
    ... # doctest: +SKIP
    """
    if not fits:
        raise UsageError("compare: give the fits to compare")
    check_mixed("compare", fits)
    for fit in fits[1:]:
        _check_comparable(fits[0], fit)
    return pd.DataFrame(
        {
            "structure": [_structure(fit) for fit in fits],
            "formula": [fit.formula for fit in fits],
            "parameters": [fit.n_parameters for fit in fits],
            "minus2_loglik": [fit.minus2_loglik for fit in fits],
            "aic": [fit.aic for fit in fits],
            "aicc": [fit.aicc for fit in fits],
            "bic": [fit.bic for fit in fits],
            "converged": [fit.convergence.converged for fit in fits],
        }
    )


def _check_comparable(first: MixedFit, other: MixedFit) -> None:
    if first.gaussian.reml != other.gaussian.reml:
        raise UsageError("compare: some fits are by REML, others by ML; fit all alike")
    check_same_rows("compare", first, other)
    if first.gaussian.reml:
        check_same_fixed("compare", first, other)


def _structure(fit: MixedFit) -> str:
    """The covariance terms as they stand in the formula."""
    read = read_formula(fit.formula)
    residual = [read.text[term.start : term.end] for term in read.covariance]
    return " + ".join([*(term.text for term in read.random), *residual])
