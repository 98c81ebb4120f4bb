"""Every subject at every visit of the schedule, whether or not a value was taken there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.batch.sets import subject_roles, time_of
from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.schedule import Schedule


def cells_of(inputs: Inputs, found: AnalysisSet) -> pd.DataFrame:
    """The cells of an analysis set: its subjects, also those with a baseline alone × the visits.

    Parameters
    ----------
    inputs : Inputs
    found : AnalysisSet
        Of observed records, or with those that the data carry forward.

    Returns
    -------
    DataFrame
        subject; visit, its name; ROW, the position of the record in ``found.frame``, −1 where
        there is none; when, the date of the record, and where there is none the last day on
        which it could have been taken.
    """
    # an account with more steps has the same records; kept beside the cells, they keep their ids
    of = found.frame, found.baseline
    key = ("cells", *map(id, of))
    return inputs.once(key, lambda: (of, _cells_of(inputs, found)))[1]


def _cells_of(inputs: Inputs, found: AnalysisSet) -> pd.DataFrame:
    name = inputs.protocol.data.subjects.subject
    frame, visits = found.frame, schedule_in(inputs).visit_names
    there = pd.DataFrame({"subject": as_text(frame[name]), "visit": frame["AVISIT"].astype(str)})
    there["ROW"] = np.arange(len(frame))
    there["date"] = frame["ADT"] if "ADT" in frame.columns else pd.NaT
    subjects = sorted({*there["subject"], *as_text(found.baseline[name])})
    keys = pd.MultiIndex.from_product([subjects, visits], names=["subject", "visit"])
    cells = there.set_index(["subject", "visit"]).reindex(keys).reset_index()
    cells["ROW"] = cells["ROW"].fillna(-1).astype(int)
    cells["when"] = pd.to_datetime(cells["date"]).fillna(_last_days(inputs, cells))
    return cells[["subject", "visit", "ROW", "when"]]


def rows_at(
    inputs: Inputs, found: AnalysisSet, cells: pd.DataFrame, derivation: str
) -> pd.DataFrame:
    """Records made for cells: the subject's own columns, the visit, and its target day as time.

    Parameters
    ----------
    inputs : Inputs
    found : AnalysisSet
    cells : DataFrame
        subject and visit; AVAL, if it has one, is the value.
    derivation : str
        What DTYPE says of them.

    Returns
    -------
    DataFrame
        In the order of `cells`, the columns of ``found.frame`` that are known; CHG is AVAL less
        BASE.
    """
    schedule, roles = schedule_in(inputs), inputs.protocol.data.subjects
    frame, subjects = found.frame, inputs.subjects.frame
    theirs = subjects.set_index(as_text(subjects[roles.subject])).loc[cells["subject"].to_list()]
    known = found.baseline.set_index(as_text(found.baseline[roles.subject]))["BASE"]
    base = cells["subject"].map(known).astype("float64").to_numpy()
    value = cells["AVAL"].to_numpy(dtype=float) if "AVAL" in cells else np.full(len(cells), np.nan)
    visits = {visit.name: visit for visit in schedule.visits}
    target = np.array([visits[name].day for name in cells["visit"]], dtype=float)
    made = theirs.reset_index(drop=True).assign(
        AVISIT=pd.Categorical(cells["visit"], frame["AVISIT"].cat.categories, ordered=True),
        AVISITN=cells["visit"].map({name: v.number for name, v in visits.items()}).to_numpy(float),
        AVAL=value,
        BASE=base,
        CHG=value - base,
        DTYPE=derivation,
    )
    time = time_of(schedule)
    if time is not None:
        made[time.name] = (target - 1.0) / time.days_per_year
    arm = roles.arm or ""
    made[arm] = pd.Categorical(made[arm], frame[arm].cat.categories, ordered=True)
    doses = {held.value: held.dose for held in inputs.protocol.arms.values()}
    made["DOSE"] = made[arm].astype(str).map(doses).astype(frame["DOSE"].dtype)
    return made[[name for name in frame.columns if name in made.columns]]


def with_every_visit(inputs: Inputs, found: AnalysisSet, frame: pd.DataFrame) -> pd.DataFrame:
    """The records with one that has no value wherever there is none, at its target day.

    Parameters
    ----------
    inputs : Inputs
    found : AnalysisSet
        Behind them: its subjects, also those with a baseline alone, get every visit.
    frame : DataFrame
        At most one record per subject and visit; a baseline may be among them.
    """
    name = inputs.protocol.data.subjects.subject
    there = set(zip(as_text(frame[name]), frame["AVISIT"].astype(str), strict=True))
    cells = cells_of(inputs, found)
    keys = zip(cells["subject"], cells["visit"], strict=True)
    absent = cells[[key not in there for key in keys]].reset_index(drop=True)
    return together(frame, rows_at(inputs, found, absent, ""), name)


def together(frame: pd.DataFrame, made: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Records and made ones, in the order of subject and visit."""
    if made.empty:
        return frame.reset_index(drop=True)
    categories = frame["AVISIT"].cat.categories
    both = pd.concat([part.astype({"AVISIT": object}) for part in (frame, made)], ignore_index=True)
    both["AVISIT"] = pd.Categorical(both["AVISIT"], categories, ordered=True)
    return both.sort_values([subject, "AVISIT"], kind="stable").reset_index(drop=True)


def schedule_in(inputs: Inputs) -> Schedule:
    """The protocol's schedule.

    Raises
    ------
    UsageError
        If it has none.
    """
    schedule = inputs.protocol.schedule
    if schedule is None:
        raise UsageError("intercurrent events and imputation need the schedule of visits")
    return schedule


def _last_days(inputs: Inputs, cells: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Date of the last day of the visit's window; of its target day where the window is open."""
    schedule, roles = schedule_in(inputs), inputs.protocol.data.subjects
    frame = inputs.subjects.frame
    day_1 = as_dates(frame[subject_roles(roles).dates[schedule.day_1]])
    first = cells["subject"].map(dict(zip(as_text(frame[roles.subject]), day_1, strict=True)))
    lasts = {
        visit.name: visit.window.last
        if visit.window is not None and np.isfinite(visit.window.last)
        else float(visit.day)
        for visit in schedule.visits
    }
    days = cells["visit"].map(lasts) - 1.0
    dates: pd.Series[pd.Timestamp] = pd.to_datetime(first) + pd.to_timedelta(days, unit="D")
    return dates
