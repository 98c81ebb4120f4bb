"""CPU time from data frame and formula to result, with pytest-benchmark.

    python -m pytest benchmarks/test_speed.py --benchmark-timer=time.process_time
        [--benchmark-json FILE] [-k fev]

TRIALMLM_STUDY_DATA names the folder of fev_data.csv and bcva_data.csv, the example data of the R
package mmrm; without it those are skipped. The simulated trials are those of ``simulated.py``.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from simulated import FORMULA, trial

import trialmlm as tm

if TYPE_CHECKING:
    from collections.abc import Callable

FEV = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"
BCVA = "BCVA_CHG ~ BCVA_BL + RACE + ARMCD * AVISIT + us(AVISIT | USUBJID)"


@cache
def study(name: str) -> tuple[str, pd.DataFrame]:
    """Formula and data of one of mmrm's example trials."""
    folder = os.environ.get("TRIALMLM_STUDY_DATA", "")
    if not folder:
        pytest.skip("TRIALMLM_STUDY_DATA names no folder")
    data = pd.read_csv(Path(folder) / f"{name}_data.csv")
    if name == "fev":
        return FEV, data.assign(SEX=pd.Categorical(data["SEX"], ["Male", "Female"]))
    return BCVA, data


@lru_cache(maxsize=1)
def simulated(size: str) -> tuple[str, pd.DataFrame]:
    """Formula and data of a simulated trial, ``subjects x visits``."""
    subjects, visits = map(int, size.split("x"))
    return FORMULA, trial(subjects, visits)


def satterthwaite(formula: str, data: pd.DataFrame) -> object:
    """A fit and its table of coefficients."""
    return tm.mmrm(formula, data).coefficients()


def kenward_roger(formula: str, data: pd.DataFrame) -> object:
    """A fit, its table, LS means by visit and their differences."""
    fit = tm.mmrm(formula, data, df="kenward-roger")
    means = fit.ls_means("ARMCD", by="AVISIT")
    return fit.coefficients(), means.frame, means.contrasts("pairwise").frame


def sandwich(formula: str, data: pd.DataFrame) -> object:
    """A fit and its table with the sandwich CR0 and its Satterthwaite df."""
    return tm.mmrm(formula, data, vcov="CR0").coefficients()


def type_three(formula: str, data: pd.DataFrame) -> object:
    """A fit and its type III tests."""
    return tm.mmrm(formula, data).anova("III")


def measure(
    benchmark: Any, task: Callable[[str, pd.DataFrame], object], given: tuple[str, Any]
) -> None:
    """The task over and over, after one call that loads what it needs."""
    formula, data = given
    rounds = max(3, min(60, 2_000_000 // len(data) // 4))
    benchmark.pedantic(task, args=(formula, data), rounds=rounds, warmup_rounds=1)
    assert tm.mmrm(formula, data).convergence.converged


@pytest.mark.parametrize("task", [satterthwaite, kenward_roger, type_three, sandwich])
@pytest.mark.parametrize("name", ["fev", "bcva"])
def test_example_trials(benchmark: Any, name: str, task: Callable[..., object]) -> None:
    """FEV: 197 subjects × 4 visits. BCVA: 1,000 × 10."""
    measure(benchmark, task, study(name))


@pytest.mark.parametrize("size", ["10000x4", "10000x10", "100000x4", "100000x10"])
def test_simulated_trials(benchmark: Any, size: str) -> None:
    """As the trial grows."""
    measure(benchmark, satterthwaite, simulated(size))
