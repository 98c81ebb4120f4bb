"""Residuals of an MMRM: raw, Pearson, normalized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array
    from trialmlm.models.mmrm import MmrmFit


def residuals(fit: MmrmFit, kind: str) -> pd.Series:
    """Residuals of the rows used, in the data's order; see the fit's method.

    Raises
    ------
    UsageError
        If `kind` is not one of `RESIDUALS`.
    """
    if kind not in RESIDUALS:
        msg = f"residuals: found {kind!r}, expected one of {', '.join(RESIDUALS)}"
        raise UsageError(msg)
    residual = np.where(fit.design.observed, fit.design.Y - fit.fitted, 0.0)
    table = RESIDUALS[kind](residual, fit)
    values = table[fit.layout.subject, fit.layout.visit]
    return pd.Series(values, index=fit.rows.labels, name=kind)


def _response(residual: Array, fit: MmrmFit) -> Array:
    """Return y − Xβ̂ itself."""
    del fit
    return residual


def _pearson(residual: Array, fit: MmrmFit) -> Array:
    variances = np.diagonal(fit.pattern_covariances, axis1=1, axis2=2)[fit.patterns.pattern]
    table: Array = residual * fit.design.root_weights / np.sqrt(variances)
    return table


def _normalized(residual: Array, fit: MmrmFit) -> Array:
    """Whitened by the Cholesky factor of each subject's covariance."""
    halves = np.linalg.inv(np.linalg.cholesky(fit.pattern_covariances))[fit.patterns.pattern]
    table: Array = (halves @ (residual * fit.design.root_weights)[:, :, None])[:, :, 0]
    return table


#: kind -> residuals from y − Xβ̂ (subjects × visits) and the fit
RESIDUALS: Mapping[str, Callable[[Array, MmrmFit], Array]] = {
    "response": _response,
    "pearson": _pearson,
    "normalized": _normalized,
}
