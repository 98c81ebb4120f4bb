"""The analysis set: one record per subject and visit, with the account of how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.adam.arms import check_arms, doses, in_order, ordered
from trialmlm.adam.cells import as_text
from trialmlm.adam.check import (
    check_dates,
    check_known_subjects,
    check_one_row_each,
    check_values,
    run_all,
)
from trialmlm.adam.collect import (
    check_left,
    of_endpoint,
    of_population,
    of_subjects,
    people,
    with_value,
)
from trialmlm.adam.derive import compare, derived_values, joined
from trialmlm.adam.own import read_values
from trialmlm.adam.populations import OUTSIDE, meant, members
from trialmlm.adam.roles import check_columns
from trialmlm.adam.spec import AnalysisSetSpec
from trialmlm.adam.steps import Account, Exclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.derive import Valued
    from trialmlm.adam.steps import Records

__all__ = ["AnalysisSet", "AnalysisSetSpec", "build"]

#: the protocol's word -> how visits, baselines and changes come about
_VALUES: Mapping[str, Callable[[Records, pd.DataFrame, AnalysisSetSpec], Valued]] = {
    "derived": derived_values,
    "read": read_values,
}


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisSet:
    """The records of one endpoint and population, ready to be analysed.

    Attributes
    ----------
    frame : DataFrame
        One row per subject and post-baseline visit, sorted by both: the columns of the record
        data set, those of the subject data set that it lacks, and AVAL, BASE, CHG, AVISIT
        (ordered categorical, in schedule order), AVISITN, ADT and ADY where known, the arm
        (ordered categorical), DOSE, DTYPE (``''`` where observed), ROW (of the record data set,
        from 1), and the time where the specification names one.
    baseline : DataFrame
        One row per subject of the population who has a baseline: subject, arm, BASE, and ADY, its
        study day (NaN where it is not known, or several records make the baseline).
    account : Account
        Records and subjects at each step.
    exclusions : tuple of Exclusion
        Every subject meant of the subject data set who is not in `frame`, and why.
    discrepancies : DataFrame
        Where the data's own values differ: subject, visit, variable, derived, data.
    notes : tuple of str
        What a reviewer should know.
    """

    frame: pd.DataFrame
    baseline: pd.DataFrame
    account: Account
    exclusions: tuple[Exclusion, ...]
    discrepancies: pd.DataFrame
    notes: tuple[str, ...]

    def exclusion_frame(self) -> pd.DataFrame:
        """One row per excluded subject: subject, arm, reason."""
        rows = [(e.subject, e.arm, e.reason) for e in self.exclusions]
        return pd.DataFrame(rows, columns=pd.Index(["subject", "arm", "reason"]))


def build(subjects: Dataset, records: Dataset, spec: AnalysisSetSpec) -> AnalysisSet:
    """Make an analysis set: parameter, where, population, visits, baseline, change.

    Parameters
    ----------
    subjects : Dataset
        One row per subject (ADSL).
    records : Dataset
        One row per subject, parameter and visit (ADaM BDS).
    spec : AnalysisSetSpec

    Returns
    -------
    AnalysisSet

    Raises
    ------
    DataError
        The data contradict the specification; the offending rows are listed.
    """
    check_mapping(subjects, records, spec)
    known = as_text(subjects.frame[spec.subjects.subject])
    subjects = meant(subjects, spec.subjects_where)
    everyone = people(subjects, spec)
    population = everyone.loc[members(subjects, spec.population)]
    selected = of_endpoint(records, everyone, spec)
    kept = of_population(of_subjects(selected, everyone["subject"], spec), population, spec)
    mapped = list(dict.fromkeys(spec.records.columns().values()))
    arms = [arm.value for arm in in_order(spec.arms)]
    run_all(
        partial(check_one_row_each, subjects, spec.subjects),
        partial(check_arms, population[["subject", "arm"]], "arm", arms),
        partial(check_known_subjects, selected.frame, known.tolist()),
        partial(
            check_values, records, records.frame.loc[kept.frame.index, mapped], spec.records.value
        ),
        partial(check_left, records, kept),
    )
    collected = with_value(kept, spec)
    valued = _VALUES[spec.values](collected, population, spec)  # noqa: PD011 - the protocol's word
    check_left(records, valued.records)
    differing = _arm_discrepancies(records, valued.records.frame, spec)
    return AnalysisSet(
        frame=_frame(subjects, records, valued, spec),
        baseline=_baseline(population, valued, spec),
        account=valued.records.account,
        exclusions=_exclusions(everyone, population, collected, valued, spec),
        discrepancies=joined(valued.discrepancies, differing),
        notes=(
            *subjects.notes,
            *records.notes,
            *valued.notes,
            *_absent_arms(population, spec),
            *_own_time(subjects, records, spec),
        ),
    )


def check_mapping(subjects: Dataset, records: Dataset, spec: AnalysisSetSpec) -> None:
    """Check that every mapped column is there, and that the dates are dates.

    Raises
    ------
    DataError
        With all faults of both data sets.
    """
    run_all(
        partial(check_columns, subjects, spec.subjects.columns()),
        partial(check_columns, records, spec.records.columns()),
    )
    day_1 = spec.subjects.dates[spec.day_1] if spec.day_1 else None
    dated = ((subjects, day_1), (records, spec.records.date))
    run_all(*(partial(check_dates, dataset, column) for dataset, column in dated if column))


def _frame(
    subjects: Dataset, records: Dataset, valued: Valued, spec: AnalysisSetSpec
) -> pd.DataFrame:
    """Join the data's own columns, the subjects' columns and the canonical ones."""
    work = valued.records.frame
    roles = spec.subjects
    at = pd.Index(as_text(subjects.frame[roles.subject])).get_indexer(pd.Index(work["subject"]))
    own = records.frame.loc[work.index].drop(columns=roles.arm, errors="ignore")
    theirs = subjects.frame.iloc[at].set_index(work.index)
    theirs = theirs[[column for column in theirs if column not in own]]
    frame = pd.concat([own, theirs], axis=1).assign(**_canonical(work, theirs[roles.arm], spec))
    if spec.time is not None:
        frame[spec.time.name] = spec.time.column(frame, spec.schedule)
    order = pd.DataFrame({"subject": work["subject"], "visit": work["visit"]})
    return frame.loc[order.sort_values(["subject", "visit"]).index].reset_index(drop=True)


def _canonical(work: pd.DataFrame, arm: pd.Series[str], spec: AnalysisSetSpec) -> dict[str, Any]:
    """Return the columns that every analysis set has, under their CDISC names."""
    schedule, visits = spec.schedule, work["visit"].to_numpy()
    visit = pd.Categorical.from_codes(visits.tolist(), pd.Index(schedule.names), ordered=True)
    known = {name: work[column] for name, column in (("ADT", "date"), ("ADY", "day"))
             if work[column].notna().any()}  # fmt: skip
    return {
        spec.subjects.arm: ordered(arm, spec.arms),
        "DOSE": doses(arm, spec.arms),
        "AVISIT": visit,
        "AVISITN": schedule.numbers[visits],
        **known,
        "AVAL": work["value"],
        "BASE": work["base"],
        "CHG": work["change"],
        "DTYPE": work["derivation"],
        "ROW": work.index.to_numpy() + 1,
    }


def _baseline(population: pd.DataFrame, valued: Valued, spec: AnalysisSetSpec) -> pd.DataFrame:
    """One row per subject who has a baseline."""
    having = population.loc[population["subject"].isin(valued.base.index)].sort_values("subject")
    columns = {
        spec.subjects.subject: having["subject"],
        spec.subjects.arm: ordered(having["arm"], spec.arms),
        "BASE": having["subject"].map(valued.base).astype("float64"),
        "ADY": having["subject"].map(valued.base_day).astype("float64"),
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _exclusions(
    everyone: pd.DataFrame,
    population: pd.DataFrame,
    collected: Records,
    valued: Valued,
    spec: AnalysisSetSpec,
) -> tuple[Exclusion, ...]:
    """Give the first reason why each subject is not analysed."""
    subject = everyone["subject"]
    clause = spec.population.text if spec.population else "every subject"
    has_base = spec.baseline is not None or spec.records.base is not None
    # a later assignment overrides: the first reason comes last
    reason = pd.Series("", index=everyone.index, dtype=object)
    reason[~subject.isin(valued.records.frame["subject"])] = "no post-baseline value"
    reason[~subject.isin(valued.base.index) & has_base] = "no baseline value"
    reason[~subject.isin(collected.frame["subject"])] = "no value of the endpoint"
    reason[~subject.isin(population["subject"])] = f"{OUTSIDE}: {clause}"
    gone = everyone.assign(reason=reason)[reason != ""].sort_values("subject")
    rows = zip(gone["subject"], gone["arm"], gone["reason"], strict=True)
    return tuple(Exclusion(*map(str, row)) for row in rows)


def _arm_discrepancies(records: Dataset, work: pd.DataFrame, spec: AnalysisSetSpec) -> pd.DataFrame:
    """List records whose own arm is not that of the subject data set."""
    names = np.array(spec.schedule.names, dtype=object)[work["visit"].to_numpy()]
    arm = spec.subjects.arm
    derived = pd.DataFrame({"subject": work["subject"], "visit": names, arm: work["arm"]})
    own = records.frame.loc[work.index].filter([arm]).apply(as_text)
    return compare(derived, own)


def _absent_arms(population: pd.DataFrame, spec: AnalysisSetSpec) -> tuple[str, ...]:
    """Note the arms that nobody of the population is in."""
    there = set(population["arm"])
    absent = [arm.value for arm in in_order(spec.arms) if arm.value not in there]
    return tuple(f"no subject of the population is in arm {arm!r}" for arm in absent)


def _own_time(subjects: Dataset, records: Dataset, spec: AnalysisSetSpec) -> tuple[str, ...]:
    """Note a column of the data that the derived time takes the place of."""
    time = spec.time
    if time is None or time.name not in {*subjects.frame.columns, *records.frame.columns}:
        return ()
    return (f"{time.name} is derived from the study day; the data's own {time.name} is not used",)
