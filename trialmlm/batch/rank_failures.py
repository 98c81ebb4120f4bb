"""The subjects whose event ranks below every value, and when they had it."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.batch.events import happened
from trialmlm.batch.events_account import study_days
from trialmlm.batch.grid import schedule_in
from trialmlm.protocol.estimand_rules import WORST_RANK

if TYPE_CHECKING:
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.analyses import Analysis


def failed_on(inputs: Inputs, analysis: Analysis, at: str) -> pd.Series[float]:
    """Subject -> study day of the first event that ranks worst, up to the end of a visit.

    Parameters
    ----------
    inputs : Inputs
    analysis : Analysis
    at : str
        The visit whose values are ranked; it ends with its window, or on its day where the
        window is open or there is none.

    Raises
    ------
    DataError
        If the events' data contradict the protocol.
    """
    if analysis.estimand is None:
        return pd.Series(dtype=float)
    ways = inputs.protocol.estimand(analysis.estimand).handlings
    events = happened(inputs, analysis.estimand)
    ranked = [
        strategy == "composite" and ways[event].failure == WORST_RANK
        for event, strategy in zip(events["event"], events["strategy"], strict=True)
    ]
    worst = events[ranked]
    days = pd.Series(study_days(inputs, worst), index=worst["subject"], dtype=float)
    found: pd.Series[float] = days[days <= _last_day(inputs, at)].groupby(level=0).min()
    return found


def _last_day(inputs: Inputs, at: str) -> float:
    """Last day of a visit."""
    visit = next(one for one in schedule_in(inputs).visits if one.name == at)
    last = visit.window.last if visit.window is not None else inf
    return last if isfinite(last) else float(visit.day)
