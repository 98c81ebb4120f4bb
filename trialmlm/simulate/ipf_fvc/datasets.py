"""The data sets of a simulated trial, as ADaM lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.simulate.ipf_fvc.events import adae, adcm, adtte
from trialmlm.simulate.ipf_fvc.questionnaire import adqs, draw_scores
from trialmlm.simulate.ipf_fvc.reported import reported
from trialmlm.simulate.ipf_fvc.spirometry import adfvc
from trialmlm.simulate.ipf_fvc.subject_level import adsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.random import Generator

    from trialmlm.simulate.ipf_fvc.course import Course
    from trialmlm.simulate.ipf_fvc.parameters import Parameters


def all_datasets(
    course: Course, parameters: Parameters, streams: Mapping[str, Generator]
) -> dict[str, pd.DataFrame]:
    """Lay out every data set.

    Parameters
    ----------
    course : Course
        As it went.
    parameters : Parameters
    streams : mapping of str to Generator
        Fresh ones: those of reports and of the questionnaire are drawn from.

    Returns
    -------
    dict of str to DataFrame
    """
    rng = streams["reports"]
    trial = reported(course, rng)
    scores = draw_scores(course, parameters.quality_of_life, streams["quality of life"])
    return {
        "adsl": adsl(trial, scores),
        "adfvc": adfvc(trial, parameters.decline, rng),
        "adqs": adqs(trial, scores),
        "adtte": adtte(trial),
        "adae": adae(trial, parameters.reports, rng),
        "adcm": adcm(trial, parameters.reports, rng),
    }
