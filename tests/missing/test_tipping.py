"""Tipping points: the tip itself, its curve and its grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from dropout_trial import MODEL, dropout_trial, dropouts

from trialmlm.errors import UsageError
from trialmlm.missing.delta import AccumulatedDelta, DeltaFactor
from trialmlm.missing.given import given_imputations
from trialmlm.missing.impute import impute
from trialmlm.models.ancova import ancova

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.missing.imputed import Imputed

ANALYSIS = "CHG ~ BASE + ARM"
#: an arm with an effect, so that there is something to tip
TRIAL = dropout_trial(per_arm=60).assign(
    CHG=lambda d: d["CHG"] - np.where(d["ARM"] == "DRUG", 4.0, 0.0)
)
#: brentq ends within 1e-13 of the limits; the interval's end moves by less than 1 per unit
TIP = 1e-10


def imputed(**more: Any) -> Imputed:
    asked = {"events": dropouts(TRIAL, "copy-reference"), "reference": "PLACEBO", **more}
    return impute(TRIAL, model=MODEL, arm="ARM", **asked)


MEANS = imputed()
DRAWS = imputed(method="approximate-bayes", imputations=10, seed=5)


@pytest.mark.parametrize("made", [MEANS, DRAWS], ids=["jackknife", "rubin"])
def test_at_the_tip_the_interval_ends_at_no_effect(made: Imputed) -> None:
    found = made.tipping_point(ANALYSIS, arms=["DRUG"])
    tip = found.frame[found.frame["what"] == "tip"].iloc[-1]
    assert tip["ci_high"] == pytest.approx(0.0, abs=TIP)
    assert tip["p_value"] == pytest.approx(0.05, abs=TIP)
    again = made.analyse(ANALYSIS, at="Week 8", delta={"DRUG": tip["delta"]}).frame.iloc[2]
    assert again["p_value"] == pytest.approx(0.05, abs=TIP)


def test_between_no_delta_and_the_tip_nothing_changes_and_beyond_it_everything() -> None:
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"])
    curve = found.curve(np.linspace(0.0, 2.0, 9) * found.delta)
    assert (
        curve["significant"].tolist()
        == [True] * 4 + curve["significant"].tolist()[4:5] + [False] * 4
    )


def test_the_jackknife_tip_is_the_root_of_a_quadratic() -> None:
    """Estimate a + bδ and squared error c + dδ + eδ²: (a + bδ)² = z²(c + dδ + eδ²) at the tip."""
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"])
    at = found.curve([-1.0, 0.0, 1.0])
    b = (at["estimate"][2] - at["estimate"][0]) / 2
    square = at["std_error"] ** 2
    d, e = (square[2] - square[0]) / 2, (square[2] + square[0]) / 2 - square[1]
    z2 = 1.959963984540054**2
    a, c = at["estimate"][1], square[1]
    roots = np.roots([b**2 - z2 * e, 2 * a * b - z2 * d, a**2 - z2 * c])
    assert min(abs(roots - found.delta)) < 1e-8


def test_the_share_is_of_the_mean_change_were_all_missing_at_random() -> None:
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"])
    random = impute(TRIAL, model=MODEL, arm="ARM").completed()
    last = random[random["AVISIT"] == "Week 8"]
    mean = ancova(ANALYSIS, last).ls_means("ARM").frame.set_index("ARM").loc["DRUG", "estimate"]
    assert found.mean_change == pytest.approx(mean, rel=1e-9)
    share = found.frame["share_of_change"].iloc[-1]
    assert share == pytest.approx(found.frame["delta"].iloc[-1] / abs(mean))


def test_what_is_shifted_is_counted_by_arm_and_visit() -> None:
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"]).imputed
    seen = TRIAL[TRIAL["ARM"] == "DRUG"]["AVISIT"].value_counts()
    assert found["imputed"].tolist() == [60 - seen[visit] for visit in found["visit"]]
    np.testing.assert_allclose(found["share"], found["imputed"] / 60)


def test_a_conclusion_that_no_delta_changes_is_said_to_stand() -> None:
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"], limits=(-0.01, 0.01))
    assert np.isnan(found.delta)
    assert len(found.frame) == 1
    assert "the same for every delta in [-0.01, 0.01]" in str(found)


def test_a_delta_that_grows_since_the_event_has_a_tip_of_its_own() -> None:
    grows = AccumulatedDelta((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    found = MEANS.tipping_point(ANALYSIS, arms=["DRUG"], shape=grows)
    plain = MEANS.tipping_point(ANALYSIS, arms=["DRUG"])
    assert 0.0 < found.delta < plain.delta
    rule = AccumulatedDelta((found.delta,) * 3, (1.0,) * 3, arms=("DRUG",))
    again = MEANS.analyse(ANALYSIS, at="Week 8", delta=rule).frame.iloc[2]
    assert again["ci_high"] == pytest.approx(0.0, abs=1e-8)


def test_every_cell_of_a_grid_is_the_analysis_with_these_deltas() -> None:
    deltas = {"DRUG": [0.0, 3.0], "PLACEBO": [-2.0, 0.0, 2.0]}
    found = MEANS.tipping_grid(ANALYSIS, deltas=deltas).frame
    assert len(found) == 6
    for _, cell in found.iterrows():
        delta = {"DRUG": cell["delta DRUG"], "PLACEBO": cell["delta PLACEBO"]}
        one = MEANS.analyse(ANALYSIS, at="Week 8", delta=delta).frame.iloc[2]
        for name in ("estimate", "std_error", "ci_low", "ci_high", "p_value"):
            assert cell[name] == pytest.approx(one[name], abs=1e-10)


def test_the_boundary_runs_where_the_conclusion_changes() -> None:
    grid = MEANS.tipping_grid(ANALYSIS, deltas={"DRUG": [0.0, 3.0], "PLACEBO": [-1.0, 0.0, 1.0]})
    for _, point in grid.boundary.iterrows():
        margin = grid.tilt.margin(point["delta DRUG"], point["delta PLACEBO"])
        assert margin == pytest.approx(0.0, abs=TIP)
    single = MEANS.tipping_point(ANALYSIS, arms=["DRUG"]).delta
    assert grid.boundary["delta DRUG"][1] == pytest.approx(single, abs=1e-8)


@pytest.mark.parametrize("limits", [(-60.0, 0.0), (-60.0, 60.0)])
def test_the_boundary_is_of_the_conclusion_without_deltas(limits: tuple[float, float]) -> None:
    """High values are good here: far below, the drug is significantly worse, another conclusion."""
    high = TRIAL.assign(CHG=-TRIAL["CHG"])
    events = dropouts(TRIAL, "copy-reference")
    made = impute(high, model=MODEL, arm="ARM", events=events, reference="PLACEBO")
    deltas = {"DRUG": [0.0, -2.0], "PLACEBO": [0.0, -2.0]}
    grid = made.tipping_grid(ANALYSIS, deltas=deltas, limits=limits)
    single = made.tipping_point(ANALYSIS, arms=["DRUG"], limits=limits)
    boundary = grid.boundary["delta DRUG"]
    assert boundary[0] == pytest.approx(single.delta, abs=1e-8)
    for own, other in zip(boundary, deltas["PLACEBO"], strict=True):
        assert grid.tilt.at(own, other)["ci_low"] == pytest.approx(0.0, abs=TIP)


def test_a_user_function_tips_too() -> None:
    def effect(rows: pd.DataFrame) -> tuple[float, float, float]:
        means = ancova(ANALYSIS, rows[rows["AVISIT"] == "Week 8"]).ls_means("ARM")
        row = means.contrasts([("DRUG", "PLACEBO")]).frame.iloc[0]
        return row["estimate"], row["std_error"], row["df"]

    wanted = DRAWS.tipping_point(ANALYSIS, arms=["DRUG"])
    found = DRAWS.tipping_point(effect, arms=["DRUG"], limits=(0.0, 1.25 * wanted.delta))
    assert found.delta == pytest.approx(wanted.delta, abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"arms": ["DRUGS"]}, "found 'DRUGS', expected arms among DRUG, PLACEBO"),
        ({"arms": []}, "name those whose imputed values are shifted"),
        ({"arms": ["DRUG"], "limits": (1.0, 2.0)}, "expected (low, high) around 0"),
        ({"arms": ["DRUG"], "contrast": "DRUG - PBO"}, "expected one of 'DRUG - PLACEBO'"),
        ({"arms": ["DRUG"], "shape": DeltaFactor(2.0)}, "a rule that multiplies has no unit"),
        ({"arms": ["DRUG"], "at": "Week 9"}, "expected visits among 'Week 2'"),
    ],
)
def test_what_cannot_tip_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        MEANS.tipping_point(ANALYSIS, **asked)
    assert message in str(error.value)


def test_a_grid_takes_two_arms() -> None:
    with pytest.raises(UsageError, match="found 1 arm"):
        MEANS.tipping_grid(ANALYSIS, deltas={"DRUG": [0.0]})


def test_a_conclusion_is_of_one_visit() -> None:
    one = MEANS.tipping_point(ANALYSIS, arms=["DRUG"], at=["Week 8"])
    assert one.delta == MEANS.tipping_point(ANALYSIS, arms=["DRUG"], at="Week 8").delta
    for asked in (MEANS.tipping_point, MEANS.tipping_grid):
        how = {"arms": ["DRUG"]} if asked == MEANS.tipping_point else {"deltas": {"DRUG": [0.0]}}
        with pytest.raises(UsageError, match="found Week 4, Week 8, expected one visit"):
            asked(ANALYSIS, at=["Week 4", "Week 8"], **how)


def test_without_an_interval_there_is_no_conclusion_to_change() -> None:
    with pytest.raises(UsageError, match="variance none gives no interval"):
        str(MEANS.tipping_point(ANALYSIS, arms=["DRUG"], variance=None))


@pytest.mark.parametrize("deltas", [{"DRUG": [], "PLACEBO": []}, {"DRUG": ["a"], "PLACEBO": [0]}])
def test_a_grid_is_of_numbers(deltas: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="deltas: found"):
        MEANS.tipping_grid(ANALYSIS, deltas=deltas)


def test_limits_are_two_and_asked_for_where_nothing_was_observed() -> None:
    with pytest.raises(UsageError, match=r"limits: found \(0,\), expected \(low, high\)"):
        MEANS.tipping_point(ANALYSIS, arms=["DRUG"], limits=(0,))  # type: ignore[arg-type]
    last = DRAWS.completed().query("AVISIT == 'Week 8'").assign(DTYPE="MI")
    columns = {"subject": "USUBJID", "visit": "AVISIT", "arm": "ARM", "value": "CHG"}
    made = given_imputations(last, **columns, imputation="imputation", imputed="DTYPE")
    with pytest.raises(UsageError, match="too little was observed at Week 8"):
        made.tipping_point(ANALYSIS, arms=["DRUG"])
