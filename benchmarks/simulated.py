"""A simulated trial of any size: two arms, growing variance, dropout that follows low responses."""

from __future__ import annotations

import numpy as np
import pandas as pd

FORMULA = "Y ~ BASE + RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"


def covariance(visits: int) -> np.ndarray:
    """SDs from 6 to 10 over the visits; correlations that fall with the distance, to 0.3."""
    sd = np.linspace(6.0, 10.0, visits)
    apart = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    correlation = np.where(apart == 0, 1.0, 0.3 + 0.5 * 0.7**apart)
    return correlation * np.outer(sd, sd)


def trial(subjects: int, visits: int, seed: int = 1) -> pd.DataFrame:
    """One row per observed subject and visit.

    Parameters
    ----------
    subjects, visits : int
    seed : int

    Returns
    -------
    DataFrame
        USUBJID, AVISIT, ARMCD, RACE, SEX as text, BASE and Y as numbers; about a tenth of the
        responses missing: subjects with low responses leave sooner, and 5 % are lost at random.
    """
    rng = np.random.default_rng(seed)
    treated = rng.random(subjects) < 0.5
    race = rng.choice(3, subjects, p=[0.35, 0.375, 0.275])
    male = rng.random(subjects) < 0.5
    base = rng.normal(40.0, 9.0, subjects)
    time = np.arange(visits)
    mean = 30.0 + 0.3 * base + np.array([0.0, 1.5, 5.0])[race] + 0.3 * male
    course = 15.0 * time / max(1, visits - 1) + 3.5 * np.outer(treated, (time + 1) / visits)
    noise = rng.standard_normal((subjects, visits)) @ np.linalg.cholesky(covariance(visits)).T
    response = mean[:, None] + course + noise

    hazard = 1.0 / (1.0 + np.exp(3.0 + 0.08 * visits - 0.03 * (40.0 - response[:, :-1])))
    leaves = np.column_stack([np.zeros(subjects, bool), rng.random(hazard.shape) < hazard])
    seen = ~np.logical_or.accumulate(leaves, axis=1) & (rng.random(response.shape) >= 0.05)
    i, j = np.nonzero(seen)
    width = len(str(subjects))
    return pd.DataFrame(
        {
            "USUBJID": np.array([f"S{k:0{width}d}" for k in range(subjects)], dtype=object)[i],
            "AVISIT": np.array([f"VIS{k + 1:02d}" for k in range(visits)], dtype=object)[j],
            "ARMCD": np.array(["PBO", "TRT"], dtype=object)[treated.astype(int)][i],
            "RACE": np.array(["Asian", "Black", "White"], dtype=object)[race][i],
            "SEX": np.array(["Female", "Male"], dtype=object)[male.astype(int)][i],
            "BASE": base[i],
            "Y": response[i, j],
        }
    )
