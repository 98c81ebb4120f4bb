"""Small random trials, and the design of one built by patsy alone, for the oracle."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import patsy
from dense import Dense
from hypothesis import strategies as st

COVARIATES = (
    "BASE + SEX + ARMCD*AVISIT",
    "BASE*AVISIT + ARMCD*AVISIT",
    "SEX*ARMCD + AVISIT",
    "0 + ARMCD:AVISIT + BASE",
    "PULSE + BASE + ARMCD*AVISIT",
    "PULSE:AVISIT + ARMCD + AVISIT",
    "PULSE*ARMCD + SEX:AVISIT",
)


@dataclass(frozen=True)
class Trial:
    """A frame with USUBJID, AVISIT, ARMCD, SEX, BASE, PULSE (varies with time), CHG."""

    frame: pd.DataFrame
    fixed: str

    @property
    def formula(self) -> str:
        return f"CHG ~ {self.fixed} + us(AVISIT | USUBJID)"

    @property
    def matrix(self) -> pd.DataFrame:
        """X as patsy makes it, the columns renamed to R's names, in the frame's order."""
        return r_matrix(self.fixed, self.frame)

    def dense(self, names: list[str], *, reml: bool = True) -> Dense:
        """The oracle, with the columns of X in the order of `names`."""
        return Dense(
            self.matrix[names].to_numpy(),
            self.frame["CHG"].to_numpy(),
            pd.factorize(self.frame["USUBJID"], sort=True)[0],
            pd.factorize(self.frame["AVISIT"], sort=True)[0],
            self.frame["AVISIT"].nunique(),
            reml,
        )


def r_name(name: str, fixed: str = "") -> str:
    """``ARMCD[T.B]:AVISIT[V2]`` -> ``ARMCDB:AVISITV2``; factors in the order `fixed` names them."""
    pieces = sorted(name.split(":"), key=lambda piece: fixed.find(piece.split("[")[0]))
    return re.sub(r"\[(?:T\.)?([^\]]*)\]", r"\1", ":".join(pieces))


def r_matrix(fixed: str, frame: pd.DataFrame) -> pd.DataFrame:
    """X as patsy makes it, with R's names of its columns."""
    X = patsy.dmatrix(fixed, frame, return_type="dataframe")
    names = {name: r_name(name, fixed) for name in X}
    return X.rename(columns=names).rename(columns={"Intercept": "(Intercept)"})


def random_trial(
    seed: int,
    n_subjects: int = 30,
    n_visits: int = 3,
    n_arms: int = 2,
    missing: float = 0.2,
    fixed: str = COVARIATES[0],
) -> Trial:
    """Draw a trial; cells are lost at random, non-monotone, rows are shuffled."""
    rng = np.random.default_rng(seed)
    subject, visit = np.divmod(np.arange(n_subjects * n_visits), n_visits)
    arms = np.array(list("ABC"))[np.arange(n_subjects) % n_arms]
    sexes = np.array(["F", "M"])[rng.permutation(n_subjects) % 2]
    labels = np.array([f"S{k:04d}" for k in rng.choice(9999, n_subjects, replace=False)])
    base = rng.normal(50.0, 9.0, n_subjects)
    factor = np.tril(rng.normal(0.0, 0.6, (n_visits, n_visits)))
    np.fill_diagonal(factor, rng.uniform(0.8, 2.0, n_visits))
    noise = (rng.standard_normal((n_subjects, n_visits)) @ factor.T).ravel()
    frame = pd.DataFrame(
        {
            "USUBJID": labels[subject],
            "AVISIT": [f"V{k + 1}" for k in visit],
            "ARMCD": arms[subject],
            "SEX": sexes[subject],
            "BASE": base[subject],
            "PULSE": rng.normal(70.0, 8.0, subject.size),
            "CHG": 3.0 + 0.1 * base[subject] + visit * (arms[subject] == "B") + noise,
        }
    )
    kept = frame[rng.random(len(frame)) >= missing]
    return Trial(kept.sample(frac=1.0, random_state=seed).reset_index(drop=True), fixed)


def seen_together(frame: pd.DataFrame) -> np.ndarray:
    """How many subjects have each two visits, T × T."""
    seen = pd.crosstab(frame["USUBJID"], frame["AVISIT"]).to_numpy()
    return seen.T @ seen


def rich_enough(trial: Trial) -> bool:
    """Whether X has full rank, every arm × visit two rows, and every two visits six subjects."""
    frame, X = trial.frame, trial.matrix
    by_arm = pd.crosstab(frame["ARMCD"], frame["AVISIT"]).to_numpy()
    full = np.linalg.matrix_rank(X) == X.shape[1]
    return bool(full and seen_together(frame).min() >= 6 and by_arm.min() >= 2)


@st.composite
def trials(draw: st.DrawFn, least: int = 8, most: int = 40) -> Trial:
    """Random trials of any shape, with enough rows to identify the fixed effects."""
    trial = random_trial(
        draw(st.integers(0, 2**20)),
        draw(st.integers(least, most)),
        draw(st.integers(2, 5)),
        draw(st.integers(2, 3)),
        draw(st.sampled_from([0.0, 0.15, 0.3])),
        draw(st.sampled_from(COVARIATES)),
    )
    return trial


def positive_definite(seed: int, T: int) -> np.ndarray:
    """A random covariance matrix."""
    factor = np.tril(np.random.default_rng(seed).normal(0.0, 0.5, (T, T))) + 1.5 * np.eye(T)
    return factor @ factor.T
