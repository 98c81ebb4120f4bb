"""Parametric bootstrap of a fitted mixed model: refits of responses drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.models.lmm import lmm
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.models.lmm_fit import LmmFit

#: of a fit, names to numbers
Statistic = Callable[[Any], "Mapping[Any, float] | pd.Series[float]"]
_RESPONSE = "simulated_response"


def standard_deviations(fit: LmmFit) -> pd.Series:
    """The table of variance components: standard deviations, and correlations."""
    table = fit.variance_components()
    labels = table[["group", "term", "term_2"]].agg(" ".join, axis=1).str.strip()
    return pd.Series(table["sd"].to_numpy(), index=labels)


def parametric_bootstrap(
    fit: LmmFit,
    statistic: Statistic = standard_deviations,
    *,
    replicates: int = 500,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Intervals of whatever a fit says, from refits of responses drawn from it.

    Parameters
    ----------
    fit : LmmFit
    statistic : callable
        Of a fit, names to numbers: a Series or a mapping. Standard deviations and correlations
        of the random effects by default.
    replicates : int
        Responses drawn.
    seed : int
    confidence : float

    Returns
    -------
    DataFrame
        quantity, estimate, mean, std_error, ci_low, ci_high (percentiles), replicates (those
        whose search converged, and where the quantity is a number).

    Raises
    ------
    UsageError
        If there are fewer than two replicates.

    Examples
    --------
    >>> icc = lambda fit: fit.icc().set_index("group")["icc"]
    >>> parametric_bootstrap(fit, icc, seed=7)  # doctest: +SKIP
    """
    if replicates < 2 or not 0.0 < confidence < 1.0:
        msg = (
            f"parametric_bootstrap: found {replicates} replicates and confidence {confidence!r}; "
            "expected two replicates at least, and a number between 0 and 1"
        )
        raise UsageError(msg)
    estimate = _named(statistic(fit))
    drawn = _draws(fit, statistic, replicates, seed)
    table = pd.DataFrame(drawn, columns=pd.Index(list(estimate)))
    tail = (1.0 - confidence) / 2.0
    return pd.DataFrame(
        {
            "quantity": list(estimate),
            "estimate": list(estimate.values()),
            "mean": table.mean().to_numpy(),
            "std_error": table.std(ddof=1).to_numpy(),
            "ci_low": table.quantile(tail).to_numpy(),
            "ci_high": table.quantile(1.0 - tail).to_numpy(),
            "replicates": table.count().to_numpy(),
        }
    )


def _draws(fit: LmmFit, statistic: Statistic, replicates: int, seed: int) -> list[dict[Any, float]]:
    """The statistic of each refit that converged."""
    data, formula = table_of(fit.variables), refit_formula(fit.formula)
    options = fit.options
    drawn = []
    for stream in np.random.SeedSequence(seed).spawn(replicates):
        again = data.assign(**{_RESPONSE: fit.draw(np.random.default_rng(stream))})
        try:
            one = lmm(formula, again, df="asymptotic", information=options.information,
                      weights=options.weights, reml=fit.gaussian.reml)  # fmt: skip
        except FitError:
            continue
        if one.convergence.converged:
            drawn.append(_named(statistic(one)))
    return drawn


def _named(found: Mapping[Any, float] | pd.Series[float]) -> dict[Any, float]:
    return {name: float(value) for name, value in found.items()}


def refit_formula(formula: str) -> str:
    """The same model of the response that is drawn."""
    return f"{_RESPONSE} ~ {formula.split('~', 1)[1]}"
