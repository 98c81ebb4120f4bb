"""The design `ipf_fvc`, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.design import Design
from trialmlm.simulate.ipf_fvc.chances import draw_chances
from trialmlm.simulate.ipf_fvc.datasets import all_datasets
from trialmlm.simulate.ipf_fvc.labels import COLUMNS, DATASETS
from trialmlm.simulate.ipf_fvc.latent import latent_frame
from trialmlm.simulate.ipf_fvc.reported import ARMS, STUDY
from trialmlm.simulate.ipf_fvc.scenarios import SCENARIOS
from trialmlm.simulate.ipf_fvc.schedule import VISITS, visit_weeks
from trialmlm.simulate.ipf_fvc.subjects import draw_subjects
from trialmlm.simulate.ipf_fvc.walk import WORLDS, follow
from trialmlm.simulate.outcomes import Factor, Outcomes, factor
from trialmlm.simulate.streams import streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from trialmlm.simulate.ipf_fvc.course import Course
    from trialmlm.simulate.ipf_fvc.parameters import Parameters


def _courses(
    parameters: Parameters, seed: int, worlds: Sequence[str], arm: int | None
) -> dict[str, Course]:
    """Meet the same chance in each world."""
    tasks = streams(seed)
    subjects = draw_subjects(tasks, parameters)
    chances = draw_chances(tasks, parameters, len(subjects))
    if arm is not None:
        subjects = subjects.all_in(arm)
    return {world: follow(subjects, chances, parameters, WORLDS[world]) for world in worlds}


def _datasets(course: Course, parameters: Parameters, seed: int) -> dict[str, pd.DataFrame]:
    return all_datasets(course, parameters, streams(seed))


def _outcomes(course: Course) -> Outcomes:
    subjects, days = course.subjects, course.chances.days
    week = visit_weeks(days)
    return Outcomes(
        arm=subjects.arm,
        days=days,
        value=course.measurable,
        observed=course.observed,
        on_drug=week <= course.stop_week,
        alive=week <= course.death_week,
        stop_day=np.where(course.stopped, course.stop_day, np.inf),
        death_day=course.death_day,
        covariates={
            "SEX": Factor(subjects.male.astype(int), ("F", "M")),
            "AGE": subjects.age,
            "HEIGHT": subjects.height,
            "STRATAR1": factor(subjects.enrolment.region),
            "STRATAR2": factor(subjects.background),
        },
    )


IPF_FVC = Design(
    name="ipf_fvc",
    study=STUDY,
    arms=ARMS,
    visits=VISITS,
    parameter="FVC",
    events={"drug_stop": "stop", "antifibrotic": "nothing", "death": "death"},
    scenarios=SCENARIOS,
    labels=DATASETS,
    columns=COLUMNS,
    courses=_courses,
    datasets=_datasets,
    latent=latent_frame,
    outcomes=_outcomes,
)
