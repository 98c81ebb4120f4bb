"""What an analysis assumes of which missing values: the rules of ``missing:`` by subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.adam.steps import counted
from trialmlm.batch.events import occurrences
from trialmlm.batch.grid import cells_of
from trialmlm.errors import DataError
from trialmlm.protocol.missing import LOWEST_DECILE

if TYPE_CHECKING:
    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.missing import Delta, Rule

_COLUMNS = ["subject", "visit", "strategy", "event", "date", "reason"]


@dataclass(frozen=True, slots=True, eq=False)
class Assumed:
    """Events of imputation, made of the protocol's rules.

    Attributes
    ----------
    events : DataFrame
        subject, visit (the first affected), strategy, event, date and reason: one row per subject
        whom a strategy of the imputation affects.
    fallen : DataFrame
        subject and visit of every cell whose value is drawn from the lowest decile.
    shape : DataFrame
        subject, visit and delta: what one unit of the protocol's delta adds to the value of a
        cell. Empty without a delta, or where it shifts all values alike.
    notes : tuple of str
        Which events gave way to another one of their subject.
    """

    events: pd.DataFrame
    fallen: pd.DataFrame
    shape: pd.DataFrame
    notes: tuple[str, ...]


def assumed_of(
    inputs: Inputs, analysis: Analysis, found: AnalysisSet, frame: pd.DataFrame
) -> Assumed:
    """Find whom and what each rule of an analysis affects.

    Of several rules that affect a subject the one whose event is first in time rules; of two on
    one day, the one that stands first.

    Parameters
    ----------
    inputs : Inputs
    analysis : Analysis
    found : AnalysisSet
        Of all records.
    frame : DataFrame
        Every visit of every subject as it is analysed: AVAL is missing where it is to be imputed,
        be it that there is no record or that the estimand sets its value aside.

    Raises
    ------
    DataError
        If the events' data contradict the protocol.
    """
    cells = cells_of(inputs, found)
    rules = analysis.missing.rules if analysis.missing is not None else ()
    parts = [
        _affected(inputs, rule, cells).assign(rank=rank, strategy=rule.assume, event=rule.after)
        for rank, rule in enumerate(rules)
    ]
    every = pd.concat(parts) if parts else pd.DataFrame(columns=[*_COLUMNS, "rank"])
    every = every.sort_values(["subject", "date", "rank"], kind="stable")
    ruling = every.drop_duplicates("subject")
    fallen = ruling["strategy"] == LOWEST_DECILE
    after = _cells_after(cells, ruling[fallen])
    return Assumed(
        ruling.loc[~fallen, _COLUMNS].reset_index(drop=True),
        after[["subject", "visit"]].reset_index(drop=True),
        _shape(inputs, analysis.delta, _imputed(inputs, cells, frame)),
        _overruled(len(every) - len(ruling)),
    )


def _affected(inputs: Inputs, rule: Rule, cells: pd.DataFrame) -> pd.DataFrame:
    """The first visit after the first such event, of the subjects who have one left."""
    found = occurrences(inputs, rule.after)
    if rule.reasons:
        found = found[found["date"] == found.groupby("subject")["date"].transform("min")]
        _check_one_answer(rule, found)
        found = found[found["reason"].isin(rule.reasons)]
    return _cells_after(cells, found.drop_duplicates("subject")).drop_duplicates("subject")


def _check_one_answer(rule: Rule, first: pd.DataFrame) -> None:
    """Refuse a first event with two reasons of which the rule names one."""
    named = first["reason"].isin(rule.reasons).groupby(first["subject"])
    several = named.transform("any") & ~named.transform("all")
    if several.any():
        raise DataError(
            f"missing: rules: the first {rule.after} of a subject has two reasons on one day, and "
            "a rule names one of them; expected one: keep the reason that decides:",
            first.loc[several, ["subject", "date", "reason"]],
        )


def _cells_after(cells: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The cells after each subject's event, in the order of the visits, with its date.

    A record is after the event if its date is; a missing one if the last day for it is not before.
    """
    pairs = cells.merge(events[["subject", "date", "reason"]], on="subject")
    pairs["date"] = pd.to_datetime(pairs["date"])
    observed = pairs["ROW"] >= 0
    return pairs[(pairs["when"] > pairs["date"]).where(observed, pairs["when"] >= pairs["date"])]


def _imputed(inputs: Inputs, cells: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The cells whose value is missing in what is analysed."""
    rows = frame[frame["AVAL"].notna()]
    subject = as_text(rows[inputs.protocol.data.subjects.subject])
    known = set(zip(subject, rows["AVISIT"].astype(str), strict=True))
    keys = zip(cells["subject"], cells["visit"], strict=True)
    return cells[[key not in known for key in keys]]


def _shape(inputs: Inputs, delta: Delta | None, cells: pd.DataFrame) -> pd.DataFrame:
    """One for each cell, or the years since the event; none for cells that are not shifted."""
    if delta is None or delta.rows is None:
        return pd.DataFrame(columns=["subject", "visit", "delta"])
    found = occurrences(inputs, delta.rows.missing_after).drop_duplicates("subject")
    after = _cells_after(cells, found)
    schedule = inputs.protocol.schedule
    per_year = schedule.time.days_per_year if schedule and schedule.time else 365.25
    years = (after["when"] - after["date"]).dt.days / per_year
    amount = years if delta.per == "year" else 1.0
    return after.assign(delta=amount)[["subject", "visit", "delta"]].reset_index(drop=True)


def _overruled(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{counted(count, 'event')} of imputation gave way to an earlier one of the subject",)
