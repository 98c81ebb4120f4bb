"""ADFVC: one row per subject, parameter and visit that took place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.ipf_fvc.columns import covariates, identity
from trialmlm.simulate.ipf_fvc.course import measured
from trialmlm.simulate.ipf_fvc.reported import VISIT_NAMES, VISIT_NUMBERS
from trialmlm.simulate.ipf_fvc.schedule import SCREENING, YEAR
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.columns import Columns
    from trialmlm.simulate.ipf_fvc.parameters import Decline
    from trialmlm.simulate.ipf_fvc.reported import Reported

    Numbers = NDArray[np.float64]

#: code, name
PARAMETERS = np.array(
    [("FVC", "FVC (mL)"), ("FVCPP", "FVC (% predicted, ECSC 1993)")],
    dtype=object,
)
_NAMES = np.concatenate([np.array(["Screening"], dtype=object), VISIT_NAMES])
_NUMBERS = np.concatenate([[-1], VISIT_NUMBERS])
_BASELINE = 1


def adfvc(trial: Reported, decline: Decline, rng: Generator) -> pd.DataFrame:
    """Lay out the spirometry: screening, baseline and every visit that took place."""
    values, days = _with_screening(trial, decline, rng)
    there = np.concatenate([np.ones((1, values.shape[2]), dtype=bool), trial.observed])
    of, parameter, visit = np.broadcast_to(there.T[:, np.newaxis], values.T.shape).nonzero()
    aval, base = values[visit, parameter, of], values[_BASELINE, parameter, of]
    day = days[visit, of]
    return pd.DataFrame(
        identity(trial, of)
        | covariates(trial, of)
        | {
            "PARAMCD": PARAMETERS[parameter, 0],
            "PARAM": PARAMETERS[parameter, 1],
            "PARAMN": parameter + 1,
            "AVAL": aval,
        }
        | _changes(aval, base, visit >= _BASELINE)
        | {
            "AVISIT": _NAMES[visit],
            "AVISITN": _NUMBERS[visit],
            "ADT": trial.dates(day.astype(float), of),
            "ADY": study_day(day),
            "YEARS": day / YEAR,
            "ABLFL": flag(visit == _BASELINE),
            "ANL01FL": flag(visit >= _BASELINE),
            "ONTRTFL": flag((day > 0) & (day <= trial.drug_end[of])),
            "DTYPE": np.full(len(of), "", dtype=object),
        }
        | origin(len(of))
    )


def _with_screening(
    trial: Reported, decline: Decline, rng: Generator
) -> tuple[Numbers, NDArray[np.int64]]:
    """Return values (visits, parameters, n) and days (visits, n), screening before the rest."""
    course, count = trial.course, len(trial.subject)
    first, last = SCREENING
    screened = -rng.integers(first, last + 1, count)
    error = decline.error_sd[0] * rng.standard_normal(count)
    fvc = np.vstack([measured(course.subjects.fvc, error), course.measurable])
    percent = np.round(100 * fvc / course.subjects.predicted, 1)
    return np.stack([fvc, percent], axis=1), np.vstack([screened, course.chances.days])


def _changes(aval: Numbers, base: Numbers, known: NDArray[np.bool_]) -> Columns:
    """Baseline and changes from it, for the records that are not before it."""
    change = np.round(aval - base, 1) + 0.0
    percent = np.round(100 * change / base, 2) + 0.0
    columns = {"BASE": base, "CHG": change, "PCHG": percent}
    return {name: np.where(known, values, np.nan) for name, values in columns.items()}
