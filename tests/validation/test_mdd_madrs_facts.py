"""The analyses of the depression trial over 100 trials, beside the numbers it was planned with.

The plan's numbers come from 200 trials of its own program, its MMRM from 30. A tolerance is half
the last digit printed and four standard errors of the difference between the two means.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialmlm.batch.sample import draw_sample
from trialmlm.batch.sample_analysis import KEPT, SampleTask, differences
from trialmlm.batch.sample_imputation import Bench
from trialmlm.protocol import load_protocol
from trialmlm.simulate.mdd_madrs.design import MDD_MADRS

PROTOCOL = load_protocol(Path(__file__).parents[2] / "protocols" / "mdd_madrs")
TRIALS = 100
#: analysis -> mean of the plan, trials behind it
PLANNED = {
    "full data": (-2.51, 200),
    "A1.completers_ancova": (-2.39, 200),
    "A1.locf": (-2.50, 200),
    "A1": (-2.82, 30),
}


def _found(name: str, seed: int) -> dict[str, list[float]]:
    sample = draw_sample(PROTOCOL, MDD_MADRS, "default", seed)
    asked = name
    if name == "full data":
        # before drop-out everybody is a completer
        everyone = np.ones_like(sample.outcomes.observed)
        sample = replace(sample, outcomes=replace(sample.outcomes, observed=everyone))
        asked = "A1.completers_ancova"
    task = SampleTask(asked, PROTOCOL, MDD_MADRS, PROTOCOL.analysis(asked), seed)
    held = differences(task, Bench(sample))[asked]
    assert not isinstance(held, str), held
    return {name: held}


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    """What each analysis says of each trial."""
    return {
        name: pd.DataFrame([_found(name, seed)[name] for seed in range(TRIALS)], columns=KEPT)
        for name in PLANNED
    }


@pytest.mark.parametrize("name", PLANNED)
def test_mean_differences_are_those_of_the_plan(name: str, made: dict[str, pd.DataFrame]) -> None:
    mean, trials = PLANNED[name]
    spread = made[name]["estimate"].std()
    error = spread * np.sqrt(1 / TRIALS + 1 / trials)
    assert made[name]["estimate"].mean() == pytest.approx(mean, abs=0.005 + 4 * error)


@pytest.mark.parametrize(("name", "planned"), [("A1.locf", 0.89), ("A1", 0.96)])
def test_standard_errors_are_those_of_the_plan(
    name: str, planned: float, made: dict[str, pd.DataFrame]
) -> None:
    # a trial's standard error varies by 5 %; the plan's is a mean over 30 trials or more
    error = 0.05 * planned * np.sqrt(1 / TRIALS + 1 / 30)
    assert made[name]["std_error"].mean() == pytest.approx(planned, abs=0.005 + 4 * error)


def test_what_drop_out_takes_is_paired_over_the_same_trials(made: dict[str, pd.DataFrame]) -> None:
    # 0.12 in the plan, complete case less full data; paired, so the trials' own chance is gone
    apart = made["A1.completers_ancova"]["estimate"] - made["full data"]["estimate"]
    error = apart.std() * np.sqrt(1 / TRIALS + 1 / 200)
    assert apart.mean() == pytest.approx(0.12, abs=0.01 + 4 * error)
