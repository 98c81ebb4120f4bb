"""LS means are averages of predictions over a reference grid."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

from trialmlm.errors import UsageError
from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

TRIAL = random_trial(21, n_subjects=40, n_arms=3, fixed="BASE + SEX*ARMCD + ARMCD*AVISIT")
FIT = mmrm(TRIAL.formula, TRIAL.frame)
CELLS = list(product(["V1", "V2", "V3"], ["A", "B", "C"]))


def averaged(weights: dict[str, float], base: float) -> list[float]:
    """Predictions at every cell, averaged over SEX."""
    out = []
    for visit, arm in CELLS:
        grid = pd.DataFrame({"SEX": list(weights), "ARMCD": arm, "AVISIT": visit, "BASE": base})
        out.append(float(FIT.predict(grid)["estimate"] @ list(weights.values())))
    return out


def test_equal_weights_average_the_levels_of_the_other_factors():
    frame = FIT.ls_means("ARMCD", by="AVISIT").frame
    assert list(zip(frame["AVISIT"], frame["ARMCD"], strict=True)) == CELLS
    expected = averaged({"F": 0.5, "M": 0.5}, TRIAL.frame["BASE"].mean())
    np.testing.assert_allclose(frame["estimate"], expected, rtol=1e-11)


def test_observed_margins_average_by_the_rows_used():
    share = TRIAL.frame["SEX"].value_counts(normalize=True).sort_index().to_dict()
    frame = FIT.ls_means("ARMCD", by="AVISIT", weights="observed-margins").frame
    expected = averaged(share, TRIAL.frame["BASE"].mean())
    np.testing.assert_allclose(frame["estimate"], expected, rtol=1e-11)


def test_numbers_and_levels_can_be_held_fixed():
    frame = FIT.ls_means("ARMCD", by="AVISIT", at={"BASE": 30, "SEX": "M"}).frame
    np.testing.assert_allclose(frame["estimate"], averaged({"M": 1.0}, 30.0), rtol=1e-11)


def test_every_factor_of_the_model_may_make_the_cells():
    frame = FIT.ls_means(("SEX", "ARMCD"), by="AVISIT").frame
    assert len(frame) == 18
    assert frame.columns[:3].tolist() == ["SEX", "ARMCD", "AVISIT"]


def test_averages_over_visits_are_the_mean_of_the_visits():
    by_visit = FIT.ls_means("ARMCD", by="AVISIT").frame.groupby("ARMCD")["estimate"].mean()
    overall = FIT.ls_means("ARMCD").frame.set_index("ARMCD")["estimate"]
    np.testing.assert_allclose(overall, by_visit, rtol=1e-12)


def test_pairwise_contrasts_are_earlier_less_later_level_within_each_visit():
    means = FIT.ls_means("ARMCD", by="AVISIT")
    frame = means.contrasts().frame
    assert frame["contrast"].tolist() == ["A - B", "A - C", "B - C"] * 3
    value = means.frame.set_index(["AVISIT", "ARMCD"])["estimate"]
    expected = [
        value[v, a] - value[v, b] for v in ("V1", "V2", "V3") for a, b in ("AB", "AC", "BC")
    ]
    np.testing.assert_allclose(frame["estimate"], expected, rtol=1e-9, atol=1e-12)


def test_contrasts_with_a_control_and_named_pairs_agree():
    means = FIT.ls_means("ARMCD", by="AVISIT")
    control = means.contrasts("vs-control", control="B").frame
    pairs = means.contrasts([("A", "B"), ("C", "B")]).frame
    pd.testing.assert_frame_equal(control, pairs)
    first = means.contrasts("vs-control").frame
    assert first["contrast"].tolist() == ["B - A", "C - A"] * 3


def test_a_contrast_of_coefficients_equals_that_of_the_means():
    means = FIT.ls_means("ARMCD", by="AVISIT", at={"SEX": "F"})
    last = means.contrasts([("B", "A")]).frame.iloc[-1]
    row = FIT.contrast({"ARMCDB": 1, "ARMCDB:AVISITV3": 1}).iloc[0]
    for name in ("estimate", "std_error", "df", "p_value"):
        assert row[name] == pytest.approx(last[name], rel=1e-10)


@pytest.mark.parametrize("several", [[40, 60], np.array([40.0, 60.0]), pd.Series([40, 60, 40])])
def test_several_values_come_as_a_list_an_array_or_a_column(several):
    expected = [FIT.ls_means("ARMCD", at={"BASE": value}).frame for value in (40, 60)]
    found = FIT.ls_means("ARMCD", at={"BASE": several}).frame
    assert found["BASE"].unique().tolist() == [40, 60]
    np.testing.assert_allclose(found["estimate"], pd.concat(expected)["estimate"], rtol=1e-12)


def test_several_contrasts_keep_their_names():
    found = FIT.contrast({"slope": {"BASE": 1.0}, "ten": {"BASE": np.int64(10)}})
    assert found["contrast"].tolist() == ["slope", "ten"]
    assert found["estimate"][1] == pytest.approx(10 * found["estimate"][0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: FIT.ls_means("BASE"), UsageError, "BASE is not a factor of the model"),
        (lambda: FIT.ls_means("ARM"), UsageError, "its factors are ARMCD, AVISIT, SEX"),
        (lambda: FIT.ls_means("ARMCD", by="ARMCD"), UsageError, "named twice"),
        (lambda: FIT.ls_means("ARMCD", at={"ARMCD": "A"}), UsageError, "named twice"),
        (lambda: FIT.ls_means("ARMCD", at={"AGE": 3}), UsageError, "AGE is not in the model"),
        (lambda: FIT.ls_means("ARMCD", at={"SEX": "X"}), UsageError, "'X' is not a level of SEX"),
        (lambda: FIT.ls_means("ARMCD", weights="om"), UsageError, "expected one of equal"),
        (
            lambda: FIT.ls_means("ARMCD", weights="counterfactual", over="all"),
            UsageError,
            "expected one of analysed, randomised",
        ),
        (lambda: FIT.ls_means("ARMCD", over="randomised"), UsageError, "counterfactual"),
        (lambda: FIT.ls_means("ARMCD", at={"BASE": "high"}), UsageError, "BASE is a number"),
        (lambda: FIT.ls_means("ARMCD", at={"BASE": []}), UsageError, "no value of BASE"),
        (lambda: FIT.joint_test(["AGE"]), UsageError, "AGE is not a coefficient"),
        (
            lambda: FIT.ls_means("ARMCD").contrasts("vs-control", control="Z"),
            UsageError,
            "'Z' is not among the levels",
        ),
        (lambda: FIT.ls_means("ARMCD").contrasts("all"), UsageError, "expected 'pairwise'"),
        (lambda: FIT.contrast({"AGE": 1}), UsageError, "AGE is not a coefficient"),
        (lambda: FIT.contrast({}), UsageError, "no coefficient is named"),
        (lambda: FIT.contrast(["ARMCDB"]), UsageError, "give a mapping of coefficients to weights"),
        (lambda: FIT.contrast({"ARMCDB": "1"}), UsageError, "weight of ARMCDB is '1'"),
        (lambda: FIT.contrast({"ARMCDB": np.nan}), UsageError, "expected a number"),
        (
            lambda: FIT.contrast({"contrast": {"ARMCDB": 1}, "BASE": 1}),
            UsageError,
            "the weight of BASE stands alone",
        ),
        (lambda: FIT.anova("IV"), UsageError, "expected one of I, II, III"),
        (lambda: FIT.residuals("studentized"), UsageError, "expected one of response"),
        (lambda: FIT.ls_means("ARMCD", confidence=95).frame, UsageError, "between 0 and 1"),
    ],
)
def test_a_wrong_question_is_answered_with_the_right_ones(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_model_without_a_factor_has_no_ls_means_to_ask_for():
    fit = ancova("CHG ~ BASE", TRIAL.frame)
    with pytest.raises(UsageError, match="its factors are none"):
        fit.ls_means("ARMCD")
