"""Which of a subject's intercurrent events rules at which visit.

Under treatment policy a value is used whether or not the event happened, so such an event never
stands in the way of another one. Of the others the first in time rules from then on; of two on one
day, the one that stands first in the estimand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

POLICY = "treatment-policy"


def ruled_cells(cells: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The cells after an event, each with the event that rules.

    Parameters
    ----------
    cells : DataFrame
        subject, visit, ROW (−1: no record) and when, as `trialmlm.batch.grid.cells_of` makes
        them.
    events : DataFrame
        subject, event, date, strategy and rank, as `trialmlm.batch.events.happened` makes them.

    Returns
    -------
    DataFrame
        subject, visit, ROW, event and strategy, indexed as `cells`. A record is after an event if
        its date is; a missing one if the last day for it is not before the event.
    """
    pairs = cells.reset_index(names="cell").merge(events, on="subject")
    observed = pairs["ROW"] >= 0
    after = (pairs["when"] > pairs["date"]).where(observed, pairs["when"] >= pairs["date"])
    candidates = pairs[after].assign(policy=lambda frame: frame["strategy"] == POLICY)
    ordered = candidates.sort_values(["cell", "policy", "date", "rank"], kind="stable")
    ruling = ordered.drop_duplicates("cell").set_index("cell")
    return ruling[["subject", "visit", "ROW", "event", "strategy"]]


def check_dated(frame: pd.DataFrame, subject: pd.Series[str], events: pd.DataFrame) -> None:
    """Refuse records of which nobody can tell whether they are after an event that ends them.

    Parameters
    ----------
    frame : DataFrame
        The records.
    subject : Series of str
        Of each record.
    events : DataFrame
        As `ruled_cells` takes them.

    Raises
    ------
    DataError
        A subject with an event under another strategy than treatment policy has a record without
        a date.
    """
    ending = events[events["strategy"] != POLICY]
    if ending.empty:
        return
    place = ", ".join(sorted({f"{e}: {s}" for e, s in zip(ending["event"], ending["strategy"],
                                                          strict=True)}))  # fmt: skip
    if "ADT" not in frame.columns:
        raise DataError(
            f"{place} needs the date of each record to tell which are after the event; map it "
            "(date:)"
        )
    undated = subject.isin(ending["subject"]) & frame["ADT"].isna()
    if undated.any():
        raise DataError(
            f"{place} needs the date of each record to tell which are after the event; "
            f"{int(undated.sum())} have none:",
            frame[undated],
        )
