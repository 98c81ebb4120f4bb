"""Actual time: since day 1, in years or whatever unit models use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.windows import elapsed

if TYPE_CHECKING:
    from trialmlm.adam.windows import Schedule


@dataclass(frozen=True, slots=True)
class Time:
    """Time as models see it.

    Attributes
    ----------
    name : str
        What models call it.
    days_per_year : float
        Days in one unit of it.
    """

    name: str
    days_per_year: float = 365.25

    def column(self, frame: pd.DataFrame, schedule: Schedule) -> pd.Series[float]:
        """Time of each record of an analysis set: 0 on day 1, negative before.

        An observed record takes its own study day, whatever its visit. An imputed one (DTYPE is
        not blank) takes the target day of its visit: the day it carries, if any, is that of the
        value carried forward.

        Parameters
        ----------
        frame : DataFrame
            Columns AVISIT, DTYPE, and ADY where days are known.
        schedule : Schedule

        Returns
        -------
        Series of float
            NaN where an observed record has no study day.
        """
        targets = dict(zip(schedule.names, schedule.targets.tolist(), strict=True))
        target = frame["AVISIT"].astype(object).map(targets).astype("float64")
        none = pd.Series(float("nan"), index=frame.index)
        own = frame["ADY"].astype("float64") if "ADY" in frame.columns else none
        return elapsed(own.where(frame["DTYPE"] == "", target)) / self.days_per_year
