"""When subjects left: the times that a Kaplan-Meier curve of dropout is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.observed import observe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.arrays import Array
    from trialmlm.missing.observed import Observed


def dropout_times(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str | None = None,
    times: Mapping[Any, float] | None = None,
    visits: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """The time each subject was first missed, for ever, or was seen last.

    Parameters
    ----------
    data : DataFrame
        At most one row per subject and visit. A subject without any row is not counted: give it
        one with a missing value.
    subject, visit, value : str
        Columns.
    arm : str, optional
    times : mapping, optional
        Visit to its time (target day or week); by default the visits themselves, if they are
        numbers.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur.

    Returns
    -------
    DataFrame
        subject, arm (if named), time, dropout: 1 at the first visit after the last observed one,
        or 0, censored, at the last scheduled one. Columns keep the names of the data.

    Raises
    ------
    UsageError
        If an argument names what is not there, or a visit has no time.
    DataError
        If the rows contradict each other, or times do not increase.

    Notes
    -----
    A gap that is followed by an observed visit is no dropout. The share still in the study at a
    visit is then the curve at its time. Where the disposition record has the day a subject left,
    that day is better than these.

    Examples
    --------
    >>> d = pd.DataFrame({"ID": list("aab"), "WEEK": [4, 8, 4], "CHG": 1.0})
    >>> dropout_times(d, subject="ID", visit="WEEK", value="CHG").to_numpy().tolist()
    [['a', 8.0, 0], ['b', 8.0, 1]]
    """
    seen = observe(
        "dropout_times", data, subject=subject, visit=visit, value=value, arm=arm, visits=visits
    )
    at = _times(seen, visit, times)
    reached = np.minimum(seen.last + 1, len(at) - 1)
    arms = {arm: np.array(seen.arms, dtype=object)[seen.arm]} if arm else {}
    return pd.DataFrame(
        {subject: seen.subjects, **arms, "time": at[reached], "dropout": seen.left.astype(int)}
    )


def _times(seen: Observed, visit: str, times: Mapping[Any, float] | None) -> Array:
    """The time of each visit."""
    if times is None and not pd.api.types.is_numeric_dtype(seen.visits.dtype):
        msg = f"dropout_times: {visit} is no number; name each visit's time in times="
        raise UsageError(msg)
    at = {name: name for name in seen.visits} if times is None else times
    without = [str(name) for name in seen.visits if name not in at]
    if without:
        msg = f"dropout_times: times= has no time for {', '.join(without)}; add it"
        raise UsageError(msg)
    found = np.array([float(at[name]) for name in seen.visits])
    if not (np.diff(found) > 0.0).all():
        msg = f"dropout_times: found times {found.tolist()}; expected them to increase by visit"
        raise DataError(msg)
    return found
