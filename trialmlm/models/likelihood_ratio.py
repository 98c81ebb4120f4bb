"""The likelihood-ratio test of two nested mixed models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from scipy import special

from trialmlm.errors import UsageError
from trialmlm.models.same_data import check_mixed, check_same_fixed, check_same_rows, spans

if TYPE_CHECKING:
    from trialmlm.models.mixed import MixedFit


def likelihood_ratio(first: MixedFit, second: MixedFit) -> pd.DataFrame:
    """Test the smaller of two nested models against the larger.

    Parameters
    ----------
    first, second : MmrmFit or LmmFit
        In either order, both by REML with the same fixed effects, or both by ML.

    Returns
    -------
    DataFrame
        Two rows, the smaller model first: formula, minus2_loglik, parameters; on the second row
        also statistic, the difference of −2l, df and p_value of χ².

    Raises
    ------
    UsageError
        If the estimation, the rows used or the responses differ; if REML fits have different
        fixed effects, as their likelihoods are then of different data; or if, as far as it can be
        told, the models are not nested: other weights, the same number of parameters, fixed
        effects of the smaller that the larger lacks, or a larger model that fits worse.

    Notes
    -----
    Where the smaller model holds a variance at zero, χ² is conservative (Self and Liang 1987).
    Nesting of covariance structures is not proved: compare such as are.

    Examples
    --------
    >>> likelihood_ratio(mmrm("Y ~ A*T + cs(T | ID)", d), mmrm("Y ~ A*T + us(T | ID)", d))
    ... # doctest: +SKIP
    """
    check_mixed("likelihood_ratio", (first, second))
    if first.gaussian.reml != second.gaussian.reml:
        raise UsageError("likelihood_ratio: one fit is by REML, the other by ML; fit both alike")
    check_same_rows("likelihood_ratio", first, second)
    _check_weights(first, second)
    small, large = sorted((first, second), key=_parameters)
    df = _parameters(large) - _parameters(small)
    if df == 0:
        msg = (
            f"likelihood_ratio: both models have {_parameters(small)} parameters, so neither is "
            "nested in the other; compare them by AIC (trialmlm.compare)"
        )
        raise UsageError(msg)
    _check_fixed(small, large)
    statistic = small.minus2_loglik - large.minus2_loglik
    if statistic < -1e-6 * max(1.0, abs(large.minus2_loglik)):
        msg = (
            f"likelihood_ratio: the larger model has the larger -2 log-likelihood, by "
            f"{-statistic:.6g}: the models are not nested, or a fit has not converged"
        )
        raise UsageError(msg)
    statistic = max(0.0, statistic)
    nothing = float("nan")
    return pd.DataFrame(
        {
            "formula": [small.formula, large.formula],
            "minus2_loglik": [small.minus2_loglik, large.minus2_loglik],
            "parameters": [_parameters(small), _parameters(large)],
            "statistic": [nothing, statistic],
            "df": [nothing, float(df)],
            "p_value": [nothing, float(special.chdtrc(df, statistic))],
        }
    )


def _parameters(fit: MixedFit) -> int:
    """Covariance parameters and coefficients."""
    return fit.n_covariance + fit.gaussian.rank


def _check_weights(first: MixedFit, second: MixedFit) -> None:
    found = [fit.options.weights for fit in (first, second)]
    if found[0] != found[1]:
        named = " and ".join(name or "none" for name in found)
        msg = (
            f"likelihood_ratio: the fits have other weights ({named}), so neither is nested in "
            "the other; compare them by AIC (trialmlm.compare)"
        )
        raise UsageError(msg)


def _check_fixed(small: MixedFit, large: MixedFit) -> None:
    if small.gaussian.reml:
        check_same_fixed("likelihood_ratio", large, small)
    if not spans(large, small):
        msg = (
            "likelihood_ratio: the smaller model has fixed effects that the larger has not; "
            "the models are not nested"
        )
        raise UsageError(msg)
