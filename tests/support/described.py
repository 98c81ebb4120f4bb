"""Analyses described from a formula and data alone, also where no model is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.formula.coding import Coding, make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.models.programs import analysis_of, requests_of
from trialmlm.programs.analysis import Analysis, Estimation, MeansRequest
from trialmlm.programs.r import r_program
from trialmlm.programs.sas import sas_program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trialmlm.formula.variables import Variable


@dataclass(frozen=True)
class Unfitted:
    """What a program needs to know of a fit."""

    formula: str
    coding: Coding
    variables: Mapping[str, Variable]
    estimation: Estimation

    @property
    def analysis(self) -> Analysis:
        return analysis_of(self)

    def means(self, *asked: Any) -> tuple[MeansRequest, ...]:
        return requests_of(self, asked)

    def to_sas(self, data: str = "trial", ls_means: Any = ()) -> str:
        return sas_program(self.analysis, data, self.means(*ls_means))

    def to_r(self, data: str = "trial", ls_means: Any = ()) -> str:
        return r_program(self.analysis, data, self.means(*ls_means))


def unfitted(formula: str, data: pd.DataFrame, **estimation: Any) -> Unfitted:
    """A model on data, without its fit."""
    read = read_formula(formula)
    names = {*read.variables, *filter(None, [estimation.get("weights")])}
    frame = model_frame(data, sorted(names))
    options = {"n_rows": frame.rows.size, **estimation}
    coding = make_coding(read.fixed, frame.variables)
    return Unfitted(formula, coding, frame.variables, Estimation(**options))


def small_trial(seed: int = 3, subjects: int = 40) -> pd.DataFrame:
    """Two arms, three visits with gaps, a covariate, weights and a random slope."""
    rng = np.random.default_rng(seed)
    n, visits = subjects, ("Week 8", "Week 16", "Week 24")
    own = rng.normal(size=(n, 2)) * (3.0, 2.0)
    frame = pd.DataFrame(
        {
            "USUBJID": np.repeat([f"S{i:03d}" for i in range(n)], 3),
            "ARM": np.repeat(rng.choice(["Active", "Control"], n), 3),
            "SEX": np.repeat(rng.choice(["F", "M"], n), 3),
            "BASE": np.repeat(rng.normal(50.0, 8.0, n).round(2), 3),
            "AVISIT": visits * n,
            "YEARS": np.tile([0.15, 0.31, 0.46], n) + rng.uniform(0, 0.02, 3 * n).round(4),
            "W": rng.uniform(0.5, 2.0, 3 * n).round(3),
        }
    )
    noise = rng.normal(size=3 * n) * np.tile([1.0, 1.5, 2.0], n)
    trend = np.repeat(own[:, 0], 3) + np.repeat(own[:, 1], 3) * frame["YEARS"]
    frame["AVAL"] = (40 + 0.2 * frame["BASE"] + trend + noise).round(3)
    frame["ARM"] = pd.Categorical(frame["ARM"], ["Control", "Active"])
    frame["AVISIT"] = pd.Categorical(frame["AVISIT"], visits)
    return frame[rng.uniform(size=3 * n) > 0.15].reset_index(drop=True)
