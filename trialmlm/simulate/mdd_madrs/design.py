"""The design `mdd_madrs`, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.design import Design
from trialmlm.simulate.mdd_madrs.course import draw_chances, follow
from trialmlm.simulate.mdd_madrs.datasets import ARMS, STUDY, all_datasets, latent_frame
from trialmlm.simulate.mdd_madrs.labels import COLUMNS, DATASETS
from trialmlm.simulate.mdd_madrs.patients import draw_patients
from trialmlm.simulate.mdd_madrs.scenarios import SCENARIOS
from trialmlm.simulate.mdd_madrs.schedule import VISITS
from trialmlm.simulate.outcomes import Outcomes, factor
from trialmlm.simulate.streams import streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from trialmlm.simulate.mdd_madrs.course import Course
    from trialmlm.simulate.mdd_madrs.parameters import Parameters


def _courses(
    parameters: Parameters, seed: int, worlds: Sequence[str], arm: int | None
) -> dict[str, Course]:
    """Meet the same chance in each world."""
    tasks = streams(seed)
    patients = draw_patients(tasks, parameters)
    chances = draw_chances(tasks, parameters, len(patients))
    if arm is not None:
        patients = patients.all_in(arm)
    return {world: follow(patients, chances, parameters, world) for world in worlds}


def _datasets(course: Course, parameters: Parameters, seed: int) -> dict[str, pd.DataFrame]:
    del parameters
    return all_datasets(course, streams(seed)["reports"])


def _outcomes(course: Course) -> Outcomes:
    return Outcomes(
        arm=course.patients.arm,
        days=course.chances.days,
        value=course.score,
        observed=course.observed,
        on_drug=course.on_drug,
        alive=np.ones_like(course.on_drug),
        stop_day=course.stop_day,
        death_day=np.full(len(course.patients), np.inf),
        covariates={"SITEGR1": factor(course.patients.enrolment.region)},
    )


MDD_MADRS = Design(
    name="mdd_madrs",
    study=STUDY,
    arms=ARMS,
    visits=VISITS,
    parameter="HAMD17",
    events={"drug_stop": "stop"},
    scenarios=SCENARIOS,
    labels=DATASETS,
    columns=COLUMNS,
    courses=_courses,
    datasets=_datasets,
    latent=latent_frame,
    outcomes=_outcomes,
)
