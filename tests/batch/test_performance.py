"""The measures against arithmetic by hand."""

from __future__ import annotations

from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest

from trialmlm.batch.performance import main_estimand, oriented, performances
from trialmlm.batch.power import Setting, Tried
from trialmlm.protocol import load_protocol
from trialmlm.simulate.truth import Truth

PROTOCOL = load_protocol(Path(__file__).parents[2] / "protocols" / "mdd_madrs")
TRUTH = Truth(placebo=-8.8, active=-11.3, difference=-2.5, error=0.1, subjects=400_000)
#: estimate, standard error, interval, p-value
TRIALS = (
    {"A1": [-3.0, 1.0, -5.0, -1.0, 0.01], "A2": "did not converge"},
    {"A1": [-2.0, 1.2, -4.4, 0.4, 0.10], "A2": [-2.0, 1.0, -4.0, 0.0, 0.05]},
    {"A1": [-1.0, 0.8, -2.4, 0.4, 0.20], "A2": [-2.5, 1.0, -4.5, -0.5, 0.02]},
    {"A1": [-4.0, 1.0, -6.0, -2.0, 0.001], "A2": [-3.0, 1.0, -5.0, -1.0, 0.01]},
)


@pytest.fixture(scope="module")
def tried() -> Tried:
    """Four trials; the truth of E2 is not known."""
    return Tried(Setting(PROTOCOL, "default", ("A1", "A2"), 1), {"E1": TRUTH}, TRIALS)


def test_measures_are_those_of_the_textbook(tried: Tried) -> None:
    found = performances(tried)[0]
    sd = np.std([-3, -2, -1, -4], ddof=1)
    held = found.measures
    assert (found.method, found.estimand, found.scored_as) == ("A1", "E1", "own")
    assert held.mean.value == -2.5
    assert held.bias.value == pytest.approx(0.0)
    assert held.bias.error == pytest.approx(sqrt(sd**2 / 4 + 0.1**2))
    assert held.sd.value == pytest.approx(sd)
    assert held.sd.error == pytest.approx(sd / sqrt(6))
    assert held.mean_se.value == pytest.approx(1.0)
    assert held.se_ratio.value == pytest.approx(1 / sd)
    # the third interval ends at -2.4
    assert held.coverage.value == 75
    assert held.coverage.error == pytest.approx(100 * sqrt(0.75 * 0.25 / 4))
    assert held.rejects.value == 50


def test_an_estimand_that_is_not_the_main_one_is_scored_twice(tried: Tried) -> None:
    own, main = performances(tried)[1:]
    assert [(one.estimand, one.scored_as) for one in (own, main)] == [("E2", "own"), ("E1", "main")]
    assert isnan(own.measures.bias.value)
    assert isnan(own.measures.coverage.value)
    assert own.measures.mean == main.measures.mean
    assert main.measures.truth.value == -2.5


def test_trials_without_an_estimate_are_counted(tried: Tried) -> None:
    own = performances(tried)[1]
    assert (own.trials, own.failed) == (3, 1)


def test_the_difference_has_the_order_of_the_contrast() -> None:
    assert oriented(PROTOCOL, "A1", TRUTH).value == -2.5
    turned = PROTOCOL.model_copy(
        update={
            "analyses": PROTOCOL.analyses.model_copy(
                update={
                    "defaults": PROTOCOL.analyses.defaults.model_copy(
                        update={"contrast": ("PBO", "ACT")}
                    )
                }
            )
        }
    )
    assert oriented(turned, "A1", TRUTH).value == 2.5


def test_the_main_estimand_is_that_of_the_main_analysis_beneath() -> None:
    assert main_estimand(PROTOCOL, "A1.completers_ancova") == "E1"
    assert main_estimand(PROTOCOL, "A2") == "E1"
