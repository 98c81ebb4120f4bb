"""ADQS: the total score of St George's Respiratory Questionnaire, which follows the FVC lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.ipf_fvc.columns import covariates, identity
from trialmlm.simulate.ipf_fvc.reported import VISIT_NAMES, VISIT_NUMBERS
from trialmlm.simulate.ipf_fvc.schedule import VISITS, YEAR
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.course import Course
    from trialmlm.simulate.ipf_fvc.parameters import QualityOfLife
    from trialmlm.simulate.ipf_fvc.reported import Reported

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Questionnaire:
    """Total score at every visit, shape (visits, n), asked or not; 0 is best, 100 worst."""

    score: Numbers

    @property
    def baseline(self) -> Numbers:
        """The score at baseline, shape (n,)."""
        return self.score[0, :]


def draw_scores(course: Course, parameters: QualityOfLife, rng: Generator) -> Questionnaire:
    """Draw the scores of the subjects."""
    count = len(course.subjects)
    baseline = rng.normal(parameters.baseline_mean, parameters.baseline_sd, count).clip(0, 100)
    deviation = rng.normal(0, parameters.slope_sd, count)
    error = rng.normal(0, parameters.error_sd, (len(VISITS), count))
    error[0] = 0
    years = course.chances.days / YEAR
    lost = course.subjects.fvc - course.at_visit
    change = (parameters.slope + deviation) * years + parameters.per_ml_lost * lost + error
    return Questionnaire(np.round((baseline + change).clip(0, 100), 1) + 0.0)


def adqs(trial: Reported, sgrq: Questionnaire) -> pd.DataFrame:
    """Lay out the scores of the visits that took place and at which it is asked."""
    asked = np.array([visit.sgrq for visit in VISITS])[:, np.newaxis]
    of, visit = (asked & trial.observed).T.nonzero()
    score, day = sgrq.score[visit, of], trial.course.chances.days[visit, of]
    count = len(of)
    return pd.DataFrame(
        identity(trial, of)
        | covariates(trial, of)
        | {
            "PARAMCD": np.full(count, "SGRQTOT", dtype=object),
            "PARAM": np.full(count, "SGRQ Total Score", dtype=object),
            "AVAL": score,
            "BASE": sgrq.baseline[of],
            "CHG": np.round(score - sgrq.baseline[of], 1) + 0.0,
            "AVISIT": VISIT_NAMES[visit],
            "AVISITN": VISIT_NUMBERS[visit],
            "ADT": trial.dates(day.astype(float), of),
            "ADY": study_day(day),
            "ABLFL": flag(visit == 0),
            "ANL01FL": flag(visit >= 0),
            "DTYPE": np.full(count, "", dtype=object),
        }
        | origin(count)
    )
