"""The subjects whose event ranks below every value, and when they had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.batch.events import happened
from trialmlm.batch.events_account import study_days
from trialmlm.protocol.estimand_rules import WORST_RANK

if TYPE_CHECKING:
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.analyses import Analysis


def failed_on(inputs: Inputs, analysis: Analysis) -> pd.Series[float]:
    """Subject -> study day of the first event that ranks worst, up to the last visit's window.

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
    found: pd.Series[float] = days[days <= _last_day(inputs)].groupby(level=0).min()
    return found


def _last_day(inputs: Inputs) -> float:
    """Last day of the last visit's window."""
    schedule = inputs.protocol.schedule
    if schedule is None:
        return float("inf")
    last = schedule.visits[-1]
    return last.window.last if last.window is not None else float(last.day)
