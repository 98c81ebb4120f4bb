"""All that chance decides in a subject's course, drawn before it starts.

Drawn beforehand, the same chance can be met in another world: had nobody stopped drug, or had all
been on placebo. What differs between worlds is then the world, not the draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.ipf_fvc.schedule import VISITS, WEEKS, visit_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.parameters import Parameters

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """The draws of a trial.

    Attributes
    ----------
    days : ndarray of int, shape (visits, n)
        Day of each visit, from first dose.
    error : ndarray of float, shape (visits, n)
        Error of measurement of FVC, mL.
    missed : ndarray of bool, shape (visits, n)
        Visits missed completely at random.
    exacerbation, death, stop, withdrawal : ndarray of float, shape (weeks, n)
        Standard exponential; the event happens in the first week whose hazard exceeds it.
    drop : ndarray of float, shape (n,)
        FVC lost at an exacerbation, mL.
    leaves : ndarray of bool, shape (n,)
        Leaves the study when stopping drug.
    exacerbation_in_week, death_in_week, leaving_in_week : ndarray of float, shape (n,)
        When in its week an event happens, from 0 to 1.
    """

    days: NDArray[np.int64]
    error: Numbers
    missed: NDArray[np.bool_]
    exacerbation: Numbers
    death: Numbers
    stop: Numbers
    withdrawal: Numbers
    drop: Numbers
    leaves: NDArray[np.bool_]
    exacerbation_in_week: Numbers
    death_in_week: Numbers
    leaving_in_week: Numbers


def draw_chances(streams: Mapping[str, Generator], parameters: Parameters, count: int) -> Chances:
    """Draw what chance decides for `count` subjects."""
    visits, course = streams["visits"], streams["course"]
    sudden = parameters.exacerbation
    weekly = [course.standard_exponential((WEEKS, count)) for _ in range(4)]
    return Chances(
        days=visit_days(visits, count),
        error=_errors(visits, parameters, count),
        missed=_missed(visits, parameters, count),
        exacerbation=weekly[0],
        death=weekly[1],
        stop=weekly[2],
        withdrawal=weekly[3],
        drop=np.maximum(course.normal(sudden.drop_mean, sudden.drop_sd, count), 0),
        leaves=course.random(count) < parameters.leaving.leaves_at_stop,
        exacerbation_in_week=course.random(count),
        death_in_week=course.random(count),
        leaving_in_week=course.random(count),
    )


def _errors(rng: Generator, parameters: Parameters, count: int) -> Numbers:
    """Scaled t: heavy tails, with the standard deviation of each visit."""
    df = parameters.decline.error_df
    sd = np.array(parameters.decline.error_sd)[:, np.newaxis]
    error: Numbers = sd * rng.standard_t(df, (len(VISITS), count)) * np.sqrt((df - 2) / df)
    return error


def _missed(rng: Generator, parameters: Parameters, count: int) -> NDArray[np.bool_]:
    """Every visit but baseline may be missed."""
    missed = rng.random((len(VISITS), count)) < parameters.missed_visit
    missed[0] = False
    return missed
