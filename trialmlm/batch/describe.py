"""Descriptive statistics: n, mean, SD, median, minimum, maximum; and counts of subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.batch.context import NO_DATA, ONE_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.batch.context import Context
    from trialmlm.results.statistic import Statistic

#: quantity in the results -> canonical column
QUANTITIES = {"value": "AVAL", "baseline": "BASE", "change": "CHG"}


def described(context: Context, frame: pd.DataFrame, visit: str) -> Iterator[Statistic]:
    """Value, baseline and change by arm, of one record per subject.

    Parameters
    ----------
    context : Context
    frame : DataFrame
        The records of one visit, with the canonical columns that there are.
    visit : str
    """
    arm_of = frame[context.arm_column].astype(str).to_numpy()
    for key, arm in context.arms.items():
        of_arm = frame[arm_of == arm.value]
        for quantity, column in QUANTITIES.items():
            if column in frame.columns:
                yield from _statistics(context, of_arm[column], quantity, arm=key, visit=visit)


def _statistics(
    context: Context, values: pd.Series[float], quantity: str, **keys: str
) -> Iterator[Statistic]:
    """SD needs two values, everything else one; what cannot be computed is NaN."""
    x = values.dropna().to_numpy(dtype=float)
    yield context.statistic(quantity, "n", float(x.size), **keys)
    found = {
        "mean": x.mean() if x.size else np.nan,
        "sd": x.std(ddof=1) if x.size > 1 else np.nan,
        "median": np.median(x) if x.size else np.nan,
        "min": x.min() if x.size else np.nan,
        "max": x.max() if x.size else np.nan,
    }
    why = ONE_VALUE if x.size else NO_DATA
    for name, value in found.items():
        yield context.statistic(quantity, name, float(value), why=why, **keys)
