"""ADTTE, ADAE and ADCM: what happens to the subjects, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.ipf_fvc.columns import identity
from trialmlm.simulate.ipf_fvc.subjects import NO_ANTIFIBROTIC
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.parameters import Reports
    from trialmlm.simulate.ipf_fvc.reported import Reported

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Texts = NDArray[np.object_]

#: day from first dose to which vital status is known: the end of the last window
VITAL_STATUS_DAY = 371
#: an absolute decline this large, in points of % predicted, is an event
_DECLINE = 10
EXACERBATION = "Acute exacerbation of idiopathic pulmonary fibrosis"
#: a background antifibrotic is stable for 12 weeks before randomisation
_STABLE_DAYS, _LONGEST_DAYS = 84, 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Time:
    """Days from first dose to an event, infinite where there is none, and to censoring."""

    code: str
    name: str
    event: Numbers
    censored: Numbers
    what: Texts
    censored_for: str


def adtte(trial: Reported) -> pd.DataFrame:
    """Lay out the times: to acute exacerbation, to death, to a decline of 10 points or death."""
    return pd.concat([_laid_out(trial, time) for time in _times(trial)], ignore_index=True)


def _times(trial: Reported) -> Iterator[_Time]:
    course, count = trial.course, len(trial.subject)
    acute, death = course.exacerbation_day, course.death_day
    seen = np.where(course.exacerbated & (acute <= trial.study_end), acute, np.inf)
    known = np.full(count, float(VITAL_STATUS_DAY))
    decline, assessed = _decline_day(trial)
    either = np.where(decline <= death, "Absolute decline of at least 10 points", "Death")
    said = np.full(count, "Acute exacerbation", dtype=object)
    died = np.full(count, "Death", dtype=object)
    yield _Time("AEIPF", "Time to First Acute Exacerbation (Days)", seen, trial.study_end, said,
                "End of study")  # fmt: skip
    yield _Time("DTH", "Time to Death (Days)", death, known, died, "Alive at end of follow-up")
    yield _Time("FVC10D", "Time to Decline of 10 Points in FVC % Predicted or Death (Days)",
                np.minimum(decline, death), assessed, either, "Last FVC assessment")  # fmt: skip


def _decline_day(trial: Reported) -> tuple[Numbers, Numbers]:
    """Return the day of the first large decline, and that of the last assessment."""
    course = trial.course
    percent = np.round(100 * course.measurable / course.subjects.predicted, 1)
    large = trial.observed & (np.round(percent - percent[0], 1) <= -_DECLINE)
    days = course.chances.days
    first = np.min(np.where(large, days, np.inf), axis=0)
    last = np.max(np.where(trial.observed, days, 0), axis=0)
    return first, last.astype(float)


def _laid_out(trial: Reported, time: _Time) -> pd.DataFrame:
    everyone = np.arange(len(trial.subject))
    happened = np.isfinite(time.event)
    day = np.where(happened, time.event, time.censored)
    return pd.DataFrame(
        identity(trial, everyone)
        | {
            "PARAMCD": np.full(len(day), time.code, dtype=object),
            "PARAM": np.full(len(day), time.name, dtype=object),
            "AVAL": day.astype(int) + 1,
            "CNSR": (~happened).astype(int),
            "STARTDT": trial.dates(np.zeros(len(day))),
            "ADT": trial.dates(day),
            "EVNTDESC": np.where(happened, time.what, time.censored_for),
        }
        | origin(len(day))
    )


def adae(trial: Reported, reports: Reports, rng: Generator) -> pd.DataFrame:
    """Lay out the adverse events that are simulated: acute exacerbations and diarrhoea."""
    course, count = trial.course, len(trial.subject)
    loose = rng.random(count) < np.take(reports.diarrhoea, course.subjects.arm)
    onset = np.where(loose, np.floor(rng.exponential(reports.diarrhoea_day, count)), np.inf)
    acute = np.where(course.exacerbated, course.exacerbation_day, np.inf)
    days = np.stack([acute, np.where(onset <= trial.drug_end, onset, np.inf)], axis=1)
    of, kind = (days <= trial.study_end[:, np.newaxis]).nonzero()
    in_time = np.lexsort((days[of, kind], of))
    of, kind = of[in_time], kind[in_time]
    day = days[of, kind]
    terms = np.array([EXACERBATION, "Diarrhoea"], dtype=object)
    return pd.DataFrame(
        identity(trial, of)
        | {
            "AESEQ": _sequence(of),
            "AEDECOD": terms[kind],
            "AESER": flag(kind == 0, "Y", "N"),
            "ASTDT": trial.dates(day, of),
            "ASTDY": study_day(day.astype(int)),
            "TRTEMFL": flag(day <= trial.drug_end[of] + 28),
        }
        | origin(len(of))
    )


def adcm(trial: Reported, reports: Reports, rng: Generator) -> pd.DataFrame:
    """Lay out the antifibrotics: those of the background, and those started after drug stop."""
    background = trial.course.subjects.background
    before = -rng.integers(_STABLE_DAYS, _LONGEST_DAYS, len(background)).astype(float)
    started = _started(trial, reports, rng)
    had = background != NO_ANTIFIBROTIC
    day = np.where(had, before, started)
    of = np.flatnonzero(np.isfinite(day))
    day, had = day[of], had[of]
    return pd.DataFrame(
        identity(trial, of)
        | {
            "CMSEQ": _sequence(of),
            "CMDECOD": np.where(had, background[of], "Nintedanib"),
            "CMCLAS": np.full(len(of), "ANTIFIBROTIC", dtype=object),
            "ASTDT": trial.dates(day, of),
            "ASTDY": study_day(day.astype(int)),
            "PREFL": flag(had),
        }
        | origin(len(of))
    )


def _started(trial: Reported, reports: Reports, rng: Generator) -> Numbers:
    """Return the day on which an antifibrotic is started, infinite where none is."""
    count = len(trial.subject)
    starts = trial.course.stopped & (rng.random(count) < reports.antifibrotic_after_stop)
    day = trial.drug_end + rng.integers(7, 57, count)
    return np.where(starts & (day <= trial.study_end), day, np.inf)


def _sequence(of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the records of each subject from 1; `of` is sorted."""
    return np.arange(len(of)) - np.searchsorted(of, of, side="left") + 1
