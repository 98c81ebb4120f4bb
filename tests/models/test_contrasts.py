"""Contrasts of LS means and their adjustments, against emmeans and multcomp.

R 4.2.2, emmeans 1.8.4-1, multcomp 1.4-22, on R's data set warpbreaks (54 looms; Tippett 1950):
``fit <- lm(breaks ~ wool * tension, warpbreaks)``, ``e <- emmeans(fit, ~ tension | wool)``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import UsageError

BREAKS = [
    26, 30, 54, 25, 70, 52, 51, 26, 67, 18, 21, 29, 17, 12, 18, 35, 30, 36, 36, 21, 24, 18, 10, 43,
    28, 15, 26, 27, 14, 29, 19, 29, 31, 41, 20, 44, 42, 26, 19, 16, 39, 28, 21, 39, 29, 20, 21, 24,
    17, 13, 15, 15, 16, 28,
]  # fmt: skip
WARP = pd.DataFrame(
    {
        "breaks": BREAKS,
        "wool": np.repeat(["A", "B"], 27),
        "tension": pd.Categorical(np.tile(np.repeat(["L", "M", "H"], 9), 2), ["L", "M", "H"]),
    }
)
FIT = tm.ancova("breaks ~ wool * tension", WARP)
MEANS = FIT.ls_means("tension", by="wool")
#: contrast(e, "pairwise", adjust = …): p-values, and the first three lower limits where there are
PAIRWISE = {
    "tukey": (
        [0.000657274459210, 0.000918548490392, 0.993623772207969,
         0.993623772207969, 0.170351791505625, 0.138857025416897],
        [8.08269093085, 7.52713537529, -13.02842018026],
    ),
    "bonferroni": (
        [0.000684238850588, 0.000959784677078, 1.0, 1.0, 0.219808549155832, 0.175177097296997],
        [7.76141253203, 7.20585697648, -13.34969857908],
    ),
    "sidak": (
        [0.000684082801518, 0.000959477647615, 0.999378587169425,
         0.999378587169425, 0.204096624747823, 0.165147190761031],
        [7.79681173688, 7.24125618133, -13.31429937423],
    ),
    "holm": (
        [0.000684238850588, 0.000684238850588, 0.914665089232851,
         0.914665089232853, 0.175177097296997, 0.175177097296997],
        None,
    ),
    "hochberg": (
        [0.000639856451385, 0.000639856451385, 0.914665089232851,
         0.914665089232853, 0.146539032770555, 0.146539032770555],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("adjust", PAIRWISE)
def test_adjusted_pairs_are_emmeans_s(adjust):
    frame = MEANS.contrasts("pairwise", adjust=adjust).frame
    p, low = PAIRWISE[adjust]
    np.testing.assert_allclose(frame["p_adjusted"], p, rtol=1e-7)  # R's ptukey has nine digits
    if low is None:
        assert frame[["ci_low_adjusted", "ci_high_adjusted"]].isna().all(axis=None)
    else:
        # R's qtukey stops at 1e-4 of its own quantile's last step
        np.testing.assert_allclose(frame["ci_low_adjusted"][:3], low, rtol=1e-6)
        middle = (frame["ci_low_adjusted"] + frame["ci_high_adjusted"]) / 2.0
        np.testing.assert_allclose(middle, frame["estimate"], rtol=1e-9, atol=1e-9)


def test_dunnett_is_emmeans_s_multivariate_t():
    # contrast(e, "trt.vs.ctrl", adjust = "mvt"), set.seed(1): randomised, good to about 1e-5
    frame = MEANS.contrasts("vs-control", adjust="dunnett").frame
    p = [0.000447171083868, 0.000626111013279, 0.991515404626306, 0.129977183579858]
    np.testing.assert_allclose(frame["p_adjusted"], p, atol=1e-5)
    low = [-32.3091003893, -31.7535448338, -11.1979892782, -21.1979892782]
    np.testing.assert_allclose(frame["ci_low_adjusted"], low, atol=2e-3)


def test_dunnett_is_multcomp_s_single_step():
    # summary(glht(lm(breaks ~ tension, warpbreaks), mcp(tension = "Dunnett"))): bivariate t, exact
    frame = tm.ancova("breaks ~ tension", WARP).ls_means("tension")
    frame = frame.contrasts("vs-control", adjust="dunnett").frame
    np.testing.assert_allclose(
        frame["p_adjusted"], [0.027536274927916, 0.000978028158376], rtol=1e-9
    )
    # confint() prints limits good to about 1e-3: it searches with a randomised integral
    low = [-19.0093540139, -23.7315762362]
    np.testing.assert_allclose(frame["ci_low_adjusted"], low, atol=2e-3)


def test_trends_are_emmeans_s_polynomials():
    # contrast(e, "poly"): t of linear and quadratic within A, then B
    frame = MEANS.contrasts("polynomial").frame
    assert frame["contrast"].tolist() == ["linear", "quadratic"] * 2
    t = [-3.87799866319, 2.36335043723, -1.83127714651, -1.18167521861]
    np.testing.assert_allclose(frame["statistic"], t, rtol=1e-11)
    # emmeans' weights −1, 0, 1 and 1, −2, 1 are twice ours: the slope per step of 1
    np.testing.assert_allclose(
        frame["estimate"] * 2.0,
        [-20.0, 21.1111111111, -9.44444444444, -10.5555555556],
        rtol=1e-11,
    )


def test_consecutive_contrasts_and_their_joint_tests_are_emmeans_s():
    contrasts = MEANS.contrasts("consecutive")
    assert contrasts.frame["contrast"].tolist() == ["M - L", "H - M"] * 2
    t = [-3.985720848276, 0.107722185089, 0.107722185089, -1.938999331594]
    np.testing.assert_allclose(contrasts.frame["statistic"], t, rtol=1e-11)
    joint = contrasts.joint()
    assert joint["wool"].tolist() == ["A", "B"]
    assert joint["num_df"].tolist() == [2, 2]
    # by hand: the sum of squares between three means of nine, over the residual mean square
    for wool, F in zip("AB", joint["statistic"], strict=True):
        means = WARP[WARP.wool == wool].groupby("tension", observed=True)["breaks"].mean()
        assert pytest.approx(9.0 * means.var(ddof=1) / FIT.sigma**2, rel=1e-12) == F
    together = contrasts.joint("all")
    assert together[["num_df", "den_df"]].to_numpy().tolist() == [[4.0, 48.0]]
    pairs = MEANS.contrasts("pairwise").joint()  # three pairs, one of them redundant
    pd.testing.assert_frame_equal(pairs, joint, rtol=1e-10)


def test_a_trend_is_the_slope_of_the_means_on_the_scores():
    dose = {"L": 0.0, "M": 54.0, "H": 81.0}
    frame = MEANS.contrasts("trend", scores=dose).frame
    means = MEANS.frame.set_index(["wool", "tension"])["estimate"]
    for wool, slope in zip("AB", frame["estimate"], strict=True):
        values = [means[wool, level] for level in dose]
        assert slope == pytest.approx(
            stats.linregress(list(dose.values()), values).slope, rel=1e-10
        )
    listed = MEANS.contrasts("trend", scores=[0, 54, 81]).frame
    pd.testing.assert_frame_equal(listed, frame)


def test_levels_that_are_numbers_are_their_own_scores():
    doses = WARP.assign(dose=WARP["tension"].map({"L": 0.0, "M": 2.0, "H": 8.0}).astype(float))
    fit = tm.ancova("breaks ~ wool * C(dose)", doses)
    ours = fit.ls_means("dose", by="wool").contrasts("trend").frame
    expected = MEANS.contrasts("trend", scores=[0, 2, 8]).frame
    np.testing.assert_allclose(ours["estimate"], expected["estimate"], rtol=1e-10)


def test_custom_contrasts_by_mapping_and_by_list():
    asked = {"tight": {"L": -1, "M": 0.5, "H": 0.5}, "ends": [1, 0, -1]}
    frame = MEANS.contrasts(asked).frame.set_index(["wool", "contrast"])["estimate"]
    means = MEANS.frame.set_index(["wool", "tension"])["estimate"]
    for wool in "AB":
        L, M, H = (means[wool, level] for level in "LMH")
        assert frame[wool, "tight"] == pytest.approx((M + H) / 2 - L, rel=1e-12)
        assert frame[wool, "ends"] == pytest.approx(L - H, rel=1e-12)


def test_families_are_those_of_the_by_levels_or_all():
    within = MEANS.contrasts("vs-control", adjust="bonferroni").frame
    overall = MEANS.contrasts("vs-control", adjust="bonferroni", family="all").frame
    np.testing.assert_allclose(within["p_adjusted"], (2 * within["p_value"]).clip(upper=1.0))
    np.testing.assert_allclose(overall["p_adjusted"], (4 * within["p_value"]).clip(upper=1.0))
    # uncorrelated wools: the joint distribution over all is more than that within each
    dunnett = [
        MEANS.contrasts("vs-control", adjust="dunnett", family=family).frame["p_adjusted"]
        for family in ("by", "all")
    ]
    assert (dunnett[0] < dunnett[1]).all()


def test_a_fixed_sequence_follows_the_order_given():
    frame = MEANS.contrasts([("H", "M"), ("M", "L")], adjust="fixed-sequence").frame
    assert frame["p_adjusted"][1] == frame["p_value"][0] > frame["p_value"][1]


def test_a_fixed_sequence_ends_at_what_cannot_be_estimated():
    """It is tested only if all before it were rejected, and nobody could reject that one."""
    trial = random_trial(3, n_subjects=36, n_arms=3, missing=0.1)
    frame = trial.frame[(trial.frame.ARMCD != "B") | (trial.frame.AVISIT != "V2")]
    means = tm.mmrm(trial.formula, frame).ls_means("ARMCD", by="AVISIT")
    pairs = [("C", "A"), ("B", "A"), ("B", "C"), ("A", "C")]
    table = means.contrasts(pairs, adjust="fixed-sequence").frame
    p, adjusted = (table.loc[table["AVISIT"] == "V2", name] for name in ("p_value", "p_adjusted"))
    assert adjusted.tolist() == pytest.approx([p.iloc[0], np.nan, np.nan, 1.0], nan_ok=True)
    assert p.iloc[3] == pytest.approx(p.iloc[0])
    assert (table.loc[table["AVISIT"] != "V2", "p_adjusted"] < 1.0).all()


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_adjustments_stand_in_their_order_in_a_mixed_model(df):
    trial = random_trial(31, n_subjects=45, n_arms=3)
    means = tm.mmrm(trial.formula, trial.frame, df=df).ls_means("ARMCD", by="AVISIT")
    p = {
        adjust: means.contrasts("vs-control", adjust=adjust).frame
        for adjust in ("none", "bonferroni", "sidak", "holm", "hochberg", "dunnett")
    }
    value = {name: f["p_value" if name == "none" else "p_adjusted"] for name, f in p.items()}
    least = 1e-12
    assert (value["none"] <= value["hochberg"] + least).all()
    assert (value["hochberg"] <= value["holm"] + least).all()
    assert (value["holm"] <= value["bonferroni"] + least).all()
    assert (value["dunnett"] <= value["sidak"] + least).all()
    assert (value["sidak"] <= value["bonferroni"] + least).all()
    assert (value["dunnett"] >= value["none"]).all()
    # the interval leaves out zero exactly where the adjusted p-value is below 0.05
    for adjust in ("bonferroni", "sidak", "dunnett"):
        frame = p[adjust]
        outside = (frame["ci_low_adjusted"] > 0) | (frame["ci_high_adjusted"] < 0)
        assert (outside == (frame["p_adjusted"] < 0.05)).all()


def test_known_variances_are_the_limit_of_many_degrees_of_freedom():
    trial = random_trial(31, n_subjects=45, n_arms=3)
    means = tm.mmrm(trial.formula, trial.frame, df="asymptotic").ls_means("ARMCD", by="AVISIT")
    # Tukey's with equal weights to all pairs is the same as the largest |z| of the pairs but for
    # Kramer's standard errors: close, and on the safe side (Hayter 1984)
    tukey, largest = (
        means.contrasts("pairwise", adjust=adjust).frame for adjust in ("tukey", "dunnett")
    )
    assert np.isinf(tukey["df"]).all()
    assert (tukey["p_adjusted"] >= largest["p_adjusted"] - 1e-9).all()
    np.testing.assert_allclose(tukey["p_adjusted"], largest["p_adjusted"], atol=5e-3)


def test_a_contrast_that_is_not_estimable_is_left_out_of_the_family():
    trial = random_trial(3, n_subjects=36, n_arms=3, missing=0.1)
    frame = trial.frame[(trial.frame.ARMCD != "B") | (trial.frame.AVISIT != "V2")]
    means = tm.mmrm(trial.formula, frame).ls_means("ARMCD", by="AVISIT")
    contrasts = means.contrasts("vs-control", adjust="bonferroni")
    table = contrasts.frame.set_index(["AVISIT", "contrast"])
    assert table.loc[("V2", "B - A")].isna().all()
    alone = table.loc[("V2", "C - A")]
    assert alone["p_adjusted"] == pytest.approx(alone["p_value"], rel=1e-14)
    assert means.notes == ("the mean of AVISIT V2, ARMCD B is not estimable from the rows used",)
    assert contrasts.notes == ("B - A at V2 is not estimable from the rows used",)
    assert contrasts.joint()["num_df"].tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: MEANS.contrasts("all"), "expected 'pairwise'"),
        (lambda: MEANS.contrasts("vs-control", control="X"), "'X' is not among the levels"),
        (lambda: MEANS.contrasts({"a": {"X": 1}}), "'X' is not among the levels"),
        (lambda: MEANS.contrasts({"a": [1, -1]}), "2 weights for 3 levels"),
        (lambda: MEANS.contrasts({"a": [0, 0, 0]}), "all zero"),
        (lambda: MEANS.contrasts({"a": ["x", 1, -1]}), "weights of a must be numbers"),
        (lambda: MEANS.contrasts({"a": 1}), "1 weights for 3 levels"),
        (lambda: MEANS.contrasts({"a": "L-M"}), "weights of a must be numbers"),
        (lambda: MEANS.contrasts([("L", "M", "H")]), "expected two levels"),
        (lambda: MEANS.contrasts(["LM"]), "found 'LM' among the pairs"),
        (lambda: MEANS.contrasts(None), "found None, expected 'pairwise'"),
        (lambda: MEANS.contrasts([]), "nothing is compared"),
        (lambda: FIT.ls_means(()).contrasts(), "nothing is compared"),
        (lambda: MEANS.contrasts(control="L"), "control= is for 'vs-control', not for 'pairwise'"),
        (lambda: MEANS.contrasts([("L", "M")], scores=[1, 2, 3]), "scores= is for 'trend' and"),
        (lambda: MEANS.contrasts("trend", scores=["a", "b", "c"]), "scores must be numbers"),
        (lambda: MEANS.contrasts("trend", scores=[1, 2]), "3 numbers are needed"),
        (lambda: MEANS.contrasts("trend", scores=[1, 1, 1]), "all the same"),
        (lambda: MEANS.contrasts("trend", scores={"L": 1}), "one to each of the levels"),
        (lambda: MEANS.contrasts(adjust="scheffe"), "expected one of none, bonferroni"),
        (lambda: MEANS.contrasts(family="visit"), "expected 'by'"),
        (lambda: MEANS.contrasts("trend", adjust="tukey").frame, "differences of two means"),
        (lambda: MEANS.contrasts(adjust="tukey", family="all").frame, "within one group"),
        (lambda: MEANS.contrasts().joint("wool"), "expected 'by'"),
    ],
)
def test_a_wrong_question_is_answered(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()
