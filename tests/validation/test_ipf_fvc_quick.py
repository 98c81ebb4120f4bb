"""What holds in every trial with certainty, and what the committed table says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trialmlm.batch.run import run
from trialmlm.simulate import simulate_course, simulate_trial
from trialmlm.simulate.ipf_fvc.schedule import YEAR
from validation.ipf_fvc.__main__ import TRIALS, main
from validation.ipf_fvc.facts import Fact, slope_error, squares
from validation.ipf_fvc.methods import PROTOCOL, method, methods
from validation.ipf_fvc.montecarlo import (
    Simulated,
    errors_to_spread,
    mean,
    percent,
    without_chance,
)
from validation.ipf_fvc.records import ACTIVE, NOBODY_DIES, PLACEBO, SEEN, records
from validation.ipf_fvc.report import FOLDER, JSON, PAGE, Report, read_report
from validation.ipf_fvc.trials import trials
from validation.ipf_fvc.truth import truth

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [made.name for made in methods()]
#: sizes that are quick
SMALL = range(1, 21)


@pytest.fixture(scope="module")
def twenty() -> pd.DataFrame:
    """Twenty trials of the default scenario, nothing masked among them."""
    return trials("default", SMALL, unmasked=True)


@pytest.fixture(scope="module")
def committed() -> Report:
    """The report that is committed."""
    return read_report((FOLDER / JSON).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def planned() -> pd.DataFrame:
    """A trial with every value, each at its planned day."""
    frame = records(simulate_course("default", 1), NOBODY_DIES)
    return frame.assign(YEARS=7 * frame["AVISITN"] / YEAR)


def test_every_fit_of_twenty_trials_converges(twenty: pd.DataFrame) -> None:
    converged = twenty[[name for name in twenty if name.endswith("converged")]]
    assert converged.shape == (20, len(NAMES) + len(SEEN) - 1)
    assert (converged == 1).all(axis=None)


@pytest.mark.parametrize("name", NAMES)
def test_interval_and_p_value_say_the_same(twenty: pd.DataFrame, name: str) -> None:
    low, high = twenty[f"{name} ci_low"], twenty[f"{name} ci_high"]
    excluded = (low > 0) | (high < 0)
    assert (excluded == (twenty[f"{name} p_value"] < 0.05)).all()
    arms = twenty[f"{name} active"] - twenty[f"{name} placebo"]
    assert arms.to_numpy() == pytest.approx(twenty[f"{name} difference"].to_numpy())


def test_standard_error_of_complete_data_is_the_closed_form(planned: pd.DataFrame) -> None:
    found = method("A1").estimates(planned)
    times = np.sort(planned["YEARS"].unique())
    size = planned.loc[planned["TRT01P"] == PLACEBO, "USUBJID"].nunique()
    closed = slope_error(found["sd slope"], found["sd residual"], squares(times), size)
    assert found["placebo std_error"] == pytest.approx(closed, rel=1e-6)


def test_slopes_of_complete_data_are_the_mean_of_the_subjects_own(planned: pd.DataFrame) -> None:
    found = method("A1").estimates(planned)
    values = planned.pivot_table("AVAL", "USUBJID", "YEARS")
    centred = values.columns.to_numpy() - values.columns.to_numpy().mean()
    own = values.to_numpy() @ centred / (centred @ centred)
    active = (planned.groupby("USUBJID")["TRT01P"].first() == ACTIVE).to_numpy()
    assert found["placebo"] == pytest.approx(own[~active].mean(), rel=1e-7)
    assert found["active"] == pytest.approx(own[active].mean(), rel=1e-7)


def test_random_slopes_of_what_nobody_would_see_are_near_the_truth(twenty: pd.DataFrame) -> None:
    # the same subjects, so only the errors of measurement stand between: 118/√0.911 mL/year each
    apart = twenty[f"{NOBODY_DIES} difference"] - twenty["E1 difference"]
    assert apart.abs().max() < 6 * 118 / np.sqrt(0.905) * np.sqrt(1 / 204 + 1 / 309)


def test_estimates_are_those_of_a_run_of_the_protocol(tmp_path: Path) -> None:
    simulate_trial("default", 1).write(tmp_path / "adam")
    results = run(PROTOCOL, tmp_path / "adam", tmp_path / "out", only=NAMES).results
    frame = records(simulate_course("default", 1))
    for made in methods():
        found = made.estimates(frame)
        quantity = "slope-difference" if made.name == "A1" else "difference"
        rows = [
            row
            for row in results.select(analysis=made.name, quantity=quantity)
            if row.visit in {"", "Week 52"}
        ]
        of_run = {row.statistic: row.value for row in rows}
        pairs = {"estimate": "difference", "std_error": "std_error", "p_value": "p_value"}
        for statistic, name in pairs.items():
            assert of_run[statistic] == pytest.approx(found[name], rel=1e-6), made.name


def test_what_is_seen_grows_from_mask_to_mask() -> None:
    course = simulate_course("default", 1)
    observed, alive, everybody = (mask(course) for mask in SEEN.values())
    assert (observed <= alive).all()
    assert (alive <= everybody).all()
    assert observed.sum() < alive.sum() < everybody.sum() == everybody.size


def test_the_truth_is_the_arms_slope_and_what_events_add() -> None:
    found = truth(simulate_course("null", 1))
    assert found["E1 difference"] == pytest.approx(found["E1 active"] - found["E1 placebo"])
    # exacerbations only take FVC away
    assert found["E1 placebo"] - found["own slope placebo"] < -225
    assert found["E2 active"] < 0


def test_three_trials_cannot_show_the_facts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # rejections come in thirds, and the range accepted has none of them
    assert main(["--trials", "3", "--workers", "1"]) == 1
    assert "Seeds 1 to 3" in capsys.readouterr().out


def test_fewer_trials_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--trials", "2"])
    assert "found 2, expected at least 3 trials" in capsys.readouterr().err


def test_the_committed_facts_hold(committed: Report) -> None:
    assert committed.seeds == (1, TRIALS)
    assert committed.holds
    assert {fact.number for fact in committed.facts} == {1, 2, 3, 4, 6}
    assert [made.label for made in committed.performances] == [made.label for made in methods()]


def test_the_committed_page_shows_the_committed_numbers(committed: Report) -> None:
    assert committed.to_json() == (FOLDER / JSON).read_text(encoding="utf-8")
    assert committed.to_page() == (FOLDER / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "holds"), [(3.49, False), (3.5, True), (7.5, True), (7.51, False)]
)
def test_a_fact_holds_from_one_end_of_its_range_to_the_other(value: float, holds: bool) -> None:
    fact = Fact(2, "rejections, %", Simulated(value), 3.5, 7.5, 1, "")
    assert fact.holds is holds
    assert ("FAILS" in str(fact)) is not holds


def test_a_report_with_a_fact_that_fails_does_not_hold(committed: Report) -> None:
    first = committed.facts[0]
    low = replace(first, obtained=Simulated(first.low - 0.001))
    assert not replace(committed, facts=(low, *committed.facts[1:])).holds


def test_monte_carlo_errors_are_the_textbooks() -> None:
    values = pd.Series([1.0, 2.0, 3.0, 4.0])
    assert mean(values) == Simulated(2.5, pytest.approx(np.sqrt(5 / 3) / 2))
    assert percent(values > 1) == Simulated(75.0, pytest.approx(100 * np.sqrt(0.75 * 0.25 / 4)))
    found = errors_to_spread(values, values)
    assert found.value == pytest.approx(2.5 / np.sqrt(5 / 3))
    assert found.error == pytest.approx(found.value / np.sqrt(6))


def test_a_control_variate_takes_out_what_chance_gave() -> None:
    chance = pd.Series([0.5, 1.0, 1.5, 2.0, 2.5])
    found = without_chance(10 + 3 * chance, chance)
    assert found.value == pytest.approx(10)
    assert found.error == pytest.approx(0, abs=1e-12)
