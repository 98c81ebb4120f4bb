"""Visits, baselines and changes as the data set has them (`values: read`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trialmlm.adam.baseline import baseline_days, check_baselines
from trialmlm.adam.check import check_one_record, run_all
from trialmlm.adam.derive import Valued, base_of, compare, scheduled, with_base
from trialmlm.adam.windows import match_visits
from trialmlm.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.adam.spec import AnalysisSetSpec
    from trialmlm.adam.steps import Records


def read_values(records: Records, population: pd.DataFrame, spec: AnalysisSetSpec) -> Valued:
    """Take visits, baselines and changes from the data.

    Parameters
    ----------
    records : Records
        As collected.
    population : DataFrame
        One row per subject: subject, arm.
    spec : AnalysisSetSpec

    Returns
    -------
    Valued

    Raises
    ------
    DataError
        Several records for a subject and visit, several baselines, or a baseline that lacks.
    """
    flagged = _flagged(records, spec.records.analysis_flag)
    placed = _at_visits(_after_baseline(scheduled(flagged, spec), spec), spec)
    _, base = run_all(
        partial(check_one_record, placed.frame),
        partial(_base, flagged.frame, population, spec),
    )
    valued = with_base(placed, base, spec)
    changed = _changed(valued, placed, spec)
    empty = compare(valued.frame[["subject", "visit"]], valued.frame[[]])
    imputed = int(valued.frame["imputed"].sum())
    notes = (f"{imputed:,} records with an imputed date, used as imputed",) if imputed else ()
    return Valued(changed, base, baseline_days(flagged.frame, spec.baseline), empty, notes)


def _flagged(records: Records, flag: str | None) -> Records:
    """Keep the records that the data's own flag chooses."""
    if flag is None:
        return records
    return records.keep(f"{flag} == 'Y'", records.frame["analysis_flag"] == "Y")


def _after_baseline(records: Records, spec: AnalysisSetSpec) -> Records:
    """Set the flagged records and those of the baseline visit apart."""
    frame = records.frame
    visits = match_visits(frame["own_visit"], frame["own_number"], (spec.schedule.baseline,))
    at_baseline = (visits == 0) | (frame["flag"] == "Y").to_numpy(dtype=bool)
    return records.keep("after baseline", ~at_baseline, _visits("", frame.loc[at_baseline]))


def _at_visits(records: Records, spec: AnalysisSetSpec) -> Records:
    """Keep the records at a visit of the schedule; the account names the other visits."""
    frame = records.frame
    visits = match_visits(frame["own_visit"], frame["own_number"], spec.schedule.windows)
    note = _visits("other visits: ", frame.loc[visits < 0])
    return records.with_columns(visit=visits).keep("at a visit of the schedule", visits >= 0, note)


def _visits(told: str, dropped: pd.DataFrame) -> str:
    """Name the visits of the dropped records as the data call them, with their counts."""
    number = dropped["own_number"].map("{:g}".format)
    counts = dropped["own_visit"].where(dropped["own_visit"] != "", number).value_counts()
    listed = ", ".join(f"{visit} {count:,}" for visit, count in counts.items())
    return f"{told}{listed}" if listed else ""


def _base(
    records: pd.DataFrame, population: pd.DataFrame, spec: AnalysisSetSpec
) -> pd.Series[float]:
    """Subject -> baseline: the data's own column where it is mapped, otherwise by the rule."""
    if spec.records.base is None:
        return base_of(records, population, spec.baseline, spec.baseline_required)
    known = records.loc[records["base"].notna()]
    values = known.drop_duplicates(["subject", "base"])
    several = values[values.duplicated("subject", keep=False)]
    if not several.empty:
        message = f"subjects with several values of {spec.records.base}, expected one each"
        advice = "Filter the baseline type (BASETYPE) with a where-clause"
        raise DataError(f"{message}. {advice}:", several[["subject", "own_visit", "base"]])
    base = values.set_index("subject")["base"]
    check_baselines(population[["subject", "arm"]], base, spec.baseline_required)
    return base


def _changed(valued: Records, own: Records, spec: AnalysisSetSpec) -> Records:
    """Take the data's change where it is mapped."""
    if spec.records.change is None:
        return valued
    return valued.with_columns(change=own.frame.loc[valued.frame.index, "change"])
