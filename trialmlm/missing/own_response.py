"""A covariate of the imputation model must not be the response itself at a visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.missing.layout import Layout

#: numbers that differ by less are one number, written with more or fewer digits
_SAME = 1e-9


def check_own_response(layout: Layout, covariates: Collection[str]) -> None:
    """Refuse a baseline that is a covariate and, at its own visit, the response.

    Given the covariate nothing of that visit is left to be explained: the covariance is singular.

    Parameters
    ----------
    layout : Layout
    covariates : collection of str
        Of the fixed effects.

    Raises
    ------
    UsageError
        Naming covariate and visit.
    """
    for name in sorted(set(covariates) - {layout.names.arm, layout.names.visit}):
        column = layout.frame[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            continue
        own = _is_response(column.to_numpy(dtype=float).reshape(layout.Y.shape), layout.Y)
        if own.any():
            _refuse(layout, name, int(np.argmax(own)))


def _is_response(covariate: Array, response: Array) -> BoolArray:
    """At which visits a covariate is the response of everybody observed, and varies, (T,)."""
    seen = ~np.isnan(response)
    same = np.isclose(covariate, response, rtol=_SAME, atol=0.0) | ~seen
    low = np.where(seen, response, np.inf).min(axis=0)
    high = np.where(seen, response, -np.inf).max(axis=0)
    found: BoolArray = same.all(axis=0) & (low < high)
    return found


def _refuse(layout: Layout, name: str, at: int) -> None:
    response, visit = layout.names.response, layout.visits[at]
    observed = int((~layout.missing[:, at]).sum())
    msg = (
        f"impute: the covariate {name} is the response {response} itself at {visit}: they are the "
        f"same for all {observed:,} subjects observed there, so the model would explain a value by "
        f"itself. Leave {name} out of the model, where the baseline is one of the responses; or "
        f"leave the rows at {visit} out of the data, where {name} is to adjust the visits after it"
    )
    raise UsageError(msg)
