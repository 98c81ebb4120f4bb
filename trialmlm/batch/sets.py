"""What the protocol says of an endpoint's records, in the words of the data room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.arms import Arm
from trialmlm.adam.baseline import BASELINE_RULES, BaselineRule, MeanOfWindow
from trialmlm.adam.roles import RecordRoles, SubjectRoles
from trialmlm.adam.spec import AnalysisSetSpec
from trialmlm.adam.time import Time
from trialmlm.adam.windows import InWindow, Schedule, Window
from trialmlm.errors import UsageError
from trialmlm.expressions.where import Where, read_where

if TYPE_CHECKING:
    from trialmlm.adam.populations import Where as Members
    from trialmlm.protocol.data import Dataset as DatasetRole
    from trialmlm.protocol.data import Records
    from trialmlm.protocol.data import Subjects as SubjectsRole
    from trialmlm.protocol.schedule import Schedule as PlannedSchedule
    from trialmlm.protocol.schema import Protocol

_DATES = ("consent", "randomised", "first_dose", "last_dose", "end_of_study", "death")


def set_spec(
    protocol: Protocol, endpoint: str, population: Members, *, locf_records: bool
) -> AnalysisSetSpec:
    """How the analysis set of an endpoint and population is made.

    Parameters
    ----------
    protocol : Protocol
    endpoint : str
        Its key.
    population : Where
        Which subjects are analysed.
    locf_records : bool
        With the records that the data carry forward, or without.

    Raises
    ------
    UsageError
        If the protocol has no schedule or names no arm column, or its parts do not fit together.
    """
    collected = protocol.collected(endpoint)
    schedule = protocol.schedule
    if collected is None or schedule is None:
        msg = f"endpoint {endpoint}: needs a collected parameter and a schedule in the protocol"
        raise UsageError(msg)
    role = protocol.data.records[collected.source]
    return AnalysisSetSpec(
        subjects=subject_roles(protocol.data.subjects),
        records=_record_roles(protocol, role, collected.parameter),
        arms=arms_of(protocol),
        schedule=schedule_of(schedule),
        values=schedule.values,
        baseline=_baseline(schedule),
        baseline_required=schedule.baseline.required,
        in_window=_in_window(schedule, role),
        day_1=schedule.day_1 if role.day is None or schedule.values == "derived" else None,
        population=population,
        subjects_where=clause(protocol.data.subjects.where),
        where=clause(role.where),
        time=time_of(schedule),
        derived_records=("LOCF",) if locf_records else (),
    )


def arms_of(protocol: Protocol) -> tuple[Arm, ...]:
    """The arms of the protocol."""
    return tuple(
        Arm(arm.value, arm.name, float(arm.order), arm.dose)
        for arm in protocol.ordered_arms.values()
    )


def role_of_dataset(protocol: Protocol, dataset: str) -> DatasetRole | None:
    """The role of data whose data set has this name, with or without suffix; None if none has."""
    roles = (
        protocol.data.subjects,
        *protocol.data.records.values(),
        *protocol.data.events.values(),
    )
    wanted = dataset.casefold().split(".")[0]
    return next((role for role in roles if role.dataset.casefold().split(".")[0] == wanted), None)


def subject_roles(role: SubjectsRole) -> SubjectRoles:
    """The columns of the subject data set.

    Raises
    ------
    UsageError
        If the protocol names no column of the arm.
    """
    if role.arm is None:
        raise UsageError("data.subjects: names no column of the arm (arm:)")
    dates = {name: getattr(role, name) for name in _DATES if getattr(role, name) is not None}
    return SubjectRoles(role.dataset, role.subject, role.arm, role.site, {**dates, **role.dates})


def _record_roles(protocol: Protocol, role: Records, parameter: str | None) -> RecordRoles:
    schedule = protocol.schedule
    flag = role.baseline_flag
    if flag is None and schedule is not None and schedule.baseline.record == "flag":
        flag = schedule.baseline.flag or "ABLFL"
    return RecordRoles(
        dataset=role.dataset,
        subject=role.subject or protocol.data.subjects.subject,
        value=role.value,
        parameter=role.parameter if parameter is not None else None,
        parameter_value=parameter if role.parameter is not None else None,
        date=role.date,
        study_day=role.day,
        visit=role.visit,
        visit_number=role.visit_number,
        base=role.base,
        change=role.change,
        baseline_flag=flag,
        derivation=role.derivation,
    )


def schedule_of(schedule: PlannedSchedule) -> Schedule:
    """The visits and their windows."""
    windows = tuple(
        Window(
            visit.name,
            visit.day,
            visit.window.low if visit.window else None,
            visit.window.high if visit.window else None,
            visit.number,
            visit.value,
        )
        for visit in schedule.visits
    )
    baseline = schedule.baseline
    return Schedule(windows, Window(baseline.name, 1, number=baseline.number, value=baseline.value))


def time_of(schedule: PlannedSchedule) -> Time | None:
    """The actual time of the records, where the protocol names it."""
    time = schedule.time
    return None if time is None else Time(time.name, time.days_per_year)


def _baseline(schedule: PlannedSchedule) -> BaselineRule:
    rule = BASELINE_RULES[schedule.baseline.record]
    window = schedule.baseline.window
    if rule is MeanOfWindow and window is not None:
        return MeanOfWindow(window.low, 1 if window.high is None else window.high)
    return rule()


def _in_window(schedule: PlannedSchedule, role: Records) -> InWindow:
    rule = schedule.in_window
    return InWindow(rule.choose, rule.ties, rule.unscheduled, clause(role.unscheduled))


def clause(text: str | None) -> Where | None:
    """A where-clause of the protocol, read; None where there is none."""
    return read_where(text) if text else None
