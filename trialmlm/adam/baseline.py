"""Baseline: one value per subject, by one of three rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class BaselineRule(Protocol):
    """How a subject's baseline is made from the records."""

    def used(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records that make the baseline, shape (n,)."""

    def before(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records that are not after the baseline, so belong to no later visit."""

    @property
    def single(self) -> bool:
        """Whether a subject may have but one record that makes the baseline."""


@dataclass(frozen=True, slots=True)
class LastOnOrBeforeDay1:
    """The last record on or before day 1; two on that last day are an error."""

    single: bool = True

    def used(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records on the subject's last day that is not after day 1."""
        early = records["day"].where(records["day"] <= 1)
        last = early.groupby(records["subject"]).transform("max")
        return (early == last).to_numpy(dtype=bool)

    def before(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records on or before day 1."""
        return (records["day"] <= 1).to_numpy(dtype=bool)


@dataclass(frozen=True, slots=True)
class MeanOfWindow:
    """The mean of the records from day `low` (None: the first) to day `high`."""

    low: float | None = None
    high: float = 1
    single: bool = False

    def used(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records inside the window."""
        low = -np.inf if self.low is None else self.low
        return records["day"].between(low, self.high).to_numpy(dtype=bool)

    def before(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the records up to the end of the window."""
        return (records["day"] <= self.high).to_numpy(dtype=bool)


@dataclass(frozen=True, slots=True)
class Flag:
    """The record that the data flag with ``Y``; several are an error."""

    single: bool = True

    def used(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the flagged records."""
        return (records["flag"] == "Y").to_numpy(dtype=bool)

    def before(self, records: pd.DataFrame, /) -> NDArray[np.bool_]:
        """Mark the flagged records, and those up to the day of the subject's flagged one."""
        flagged = records["flag"] == "Y"
        last = records["day"].where(flagged).groupby(records["subject"]).transform("max")
        return (flagged | (records["day"] <= last)).to_numpy(dtype=bool)


#: the protocol's word -> rule
BASELINE_RULES: Mapping[str, type[LastOnOrBeforeDay1 | MeanOfWindow | Flag]] = {
    "last-on-or-before-day-1": LastOnOrBeforeDay1,
    "mean-of-window": MeanOfWindow,
    "flag": Flag,
}


def baselines(records: pd.DataFrame, rule: BaselineRule) -> pd.Series[float]:
    """Baseline of each subject that has one.

    Parameters
    ----------
    records : DataFrame
        Columns ``subject``, ``value``, ``day`` (NaN where unknown) and ``flag``.
    rule : BaselineRule

    Returns
    -------
    Series of float
        Subject -> baseline.

    Raises
    ------
    DataError
        With the rows of subjects who have several baseline records, where the rule wants one.
    """
    used = records.loc[rule.used(records)]
    several = used[used.duplicated("subject", keep=False)]
    if rule.single and not several.empty:
        raise DataError(
            f"{several['subject'].nunique()} subject(s) with several baseline records, expected "
            "one each. Correct the flag or the dates, or take the mean of a window:",
            several.sort_values("subject", kind="stable"),
        )
    return used.groupby("subject")["value"].mean()


def baseline_days(records: pd.DataFrame, rule: BaselineRule | None) -> pd.Series[float]:
    """Study day of each subject's baseline, where one record makes it and its day is known.

    Parameters
    ----------
    records : DataFrame
        As for `baselines`, of which the rule finds no several.
    rule : BaselineRule or None

    Returns
    -------
    Series of float
        Subject -> study day.
    """
    if rule is None or not rule.single:
        return pd.Series(dtype="float64")
    used = records.loc[rule.used(records) & records["day"].notna().to_numpy()]
    return used.drop_duplicates("subject").set_index("subject")["day"]


def check_baselines(subjects: pd.DataFrame, having: pd.Series[float], required: bool) -> None:
    """Check that no subject lacks a baseline, where one is required.

    Parameters
    ----------
    subjects : DataFrame
        One row per subject of the population; column ``subject``.
    having : Series
        Subject -> baseline.
    required : bool
        False: a subject without a baseline is left out, with that reason.

    Raises
    ------
    DataError
        With the subjects who have no baseline.
    """
    lacking = subjects.loc[~subjects["subject"].isin(having.index)]
    if required and not lacking.empty:
        raise DataError(
            f"{len(lacking)} subject(s) without a baseline, which the protocol requires. Look at "
            "their dates and values, or let such subjects be left out:",
            lacking,
        )
