"""Models whose answer can be written down."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from dense import Dense
from scipy import stats
from trials import random_trial

from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

#: Student (1908): extra hours of sleep of ten patients under two drugs
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)


def sleep() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "extra": np.concatenate(SLEEP),
            "drug": np.repeat(["one", "two"], 10),
            "patient": np.tile(np.arange(10), 2),
        }
    )


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-linear"])
def test_two_visits_are_the_paired_t_test(df):
    fit = mmrm("extra ~ drug + us(drug | patient)", sleep(), df=df)
    effect = fit.coefficients().iloc[1]
    difference = np.subtract(SLEEP[1], SLEEP[0])
    wanted = stats.ttest_rel(SLEEP[1], SLEEP[0])
    # the optimum is found to 1e-6 standard errors of θ; what is even in θ is nearer
    assert effect["estimate"] == pytest.approx(difference.mean(), abs=1e-12)
    assert effect["std_error"] == pytest.approx(difference.std(ddof=1) / np.sqrt(10), rel=1e-9)
    assert effect["df"] == pytest.approx(9.0, rel=1e-9)
    assert effect["statistic"] == pytest.approx(wanted.statistic, rel=1e-9)
    assert effect["p_value"] == pytest.approx(wanted.pvalue, rel=1e-9)
    assert effect["std_error"] == pytest.approx(0.38896, abs=5e-6)
    assert effect["p_value"] == pytest.approx(0.00283, abs=5e-6)


def test_complete_data_with_means_alone_have_the_sample_covariance():
    wide = np.array(SLEEP).T
    fit = mmrm("extra ~ drug + us(drug | patient)", sleep())
    np.testing.assert_allclose(fit.covariance, np.cov(wide.T), rtol=1e-9)
    ml = mmrm("extra ~ drug + us(drug | patient)", sleep(), reml=False)
    np.testing.assert_allclose(ml.covariance, np.cov(wide.T, ddof=0), rtol=1e-9)


def test_one_visit_is_the_analysis_of_covariance():
    frame = random_trial(1, n_arms=3, missing=0.0).frame.query("AVISIT == 'V1'")
    one = mmrm("CHG ~ BASE + SEX*ARMCD + us(AVISIT | USUBJID)", frame)
    other = ancova("CHG ~ BASE + SEX*ARMCD", frame)
    for a, b in (
        (one.coefficients(), other.coefficients()),
        (one.anova(), other.anova()),
        (one.ls_means("ARMCD").frame, other.ls_means("ARMCD").frame),
    ):
        pd.testing.assert_frame_equal(a, b, rtol=1e-9)
    assert one.covariance.iloc[0, 0] == pytest.approx(other.sigma**2, rel=1e-10)


def test_complete_data_have_the_means_of_least_squares_at_every_visit():
    # every effect crossed with the visit: seemingly unrelated regressions on the same columns
    frame = random_trial(2, n_arms=3, missing=0.0).frame
    fit = mmrm("CHG ~ (BASE + ARMCD)*AVISIT + us(AVISIT | USUBJID)", frame)
    means = fit.ls_means("ARMCD", by="AVISIT").frame.set_index("AVISIT")
    for visit, rows in frame.groupby("AVISIT"):
        wanted = ancova("CHG ~ BASE + ARMCD", rows).ls_means("ARMCD").frame
        np.testing.assert_allclose(means.loc[visit, "estimate"], wanted["estimate"], rtol=1e-10)
        np.testing.assert_allclose(means.loc[visit, "std_error"], wanted["std_error"], rtol=1e-8)
        np.testing.assert_allclose(means.loc[visit, "df"], wanted["df"], rtol=1e-7)


def test_hotelling_s_t2_is_the_f_test_of_kenward_and_roger():
    # H0: all visit means equal; T² has an exact F with p and n − p degrees of freedom
    frame = random_trial(3, n_subjects=14, n_visits=4, missing=0.0).frame
    wide = frame.pivot_table(index="USUBJID", columns="AVISIT", values="CHG").to_numpy()
    steps = np.diff(wide, axis=1)
    n, p = steps.shape
    mean = steps.mean(axis=0)
    T2 = n * mean @ np.linalg.solve(np.cov(steps.T), mean)
    fit = mmrm("CHG ~ AVISIT + us(AVISIT | USUBJID)", frame, df="kenward-roger")
    test = fit.anova().iloc[0]
    assert test["statistic"] == pytest.approx(T2 * (n - p) / (p * (n - 1)), rel=1e-7)
    assert test["den_df"] == pytest.approx(n - p, rel=1e-7)


def test_a_typed_in_trial_has_the_numbers_of_the_dense_formulas():
    """Every path on twelve subjects, no study data needed: the oracle's numbers, at our Σ̂."""
    values = {
        "S01": (4.1, 5.0, 6.2), "S02": (3.0, None, 4.4), "S03": (5.2, 6.6, None),
        "S04": (2.7, 3.1, 3.0), "S05": (4.8, 5.9, 7.7), "S06": (3.9, None, None),
        "S07": (6.0, 7.4, 8.1), "S08": (3.3, 3.6, 5.2), "S09": (None, 4.9, 4.6),
        "S10": (4.4, 4.1, 5.9), "S11": (5.5, 7.1, 6.9), "S12": (2.9, 4.0, 4.2),
    }  # fmt: skip
    rows = [
        (subject, "AB"[i % 2], f"W{4 * (j + 1):02d}", y)
        for i, (subject, three) in enumerate(values.items())
        for j, y in enumerate(three)
        if y is not None
    ]
    frame = pd.DataFrame(rows, columns=["USUBJID", "ARM", "AVISIT", "AVAL"])
    fit = mmrm("AVAL ~ ARM*AVISIT + us(AVISIT | USUBJID)", frame, df="kenward-roger")
    arm, visit = frame["ARM"] == "B", pd.factorize(frame["AVISIT"], sort=True)[0]
    X = np.column_stack(
        [np.ones(len(frame)), arm, visit == 1, visit == 2, arm * (visit == 1), arm * (visit == 2)]
    ).astype(float)
    subject = pd.factorize(frame["USUBJID"])[0]
    dense = Dense(X, frame["AVAL"].to_numpy(), subject, visit, 3)
    Sigma = fit.covariance.to_numpy()
    g, H = dense.gradient(Sigma), dense.hessian(Sigma)
    assert np.sqrt(g @ np.linalg.solve(H, g) / 2) < 2e-6
    _, adjusted, _, _ = dense.kenward_roger(Sigma)
    table = fit.coefficients()
    np.testing.assert_allclose(table["estimate"], dense.parts(Sigma)[2], rtol=1e-9)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(adjusted)), rtol=1e-8)
    last = np.array([0, 1, 0, 0, 0, 1.0])  # the arms at the last visit
    effect = fit.ls_means("ARM", by="AVISIT").contrasts([("B", "A")]).frame.iloc[-1]
    assert effect["estimate"] == pytest.approx(last @ dense.parts(Sigma)[2], rel=1e-9)
    assert effect["std_error"] == pytest.approx(np.sqrt(last @ adjusted @ last), rel=1e-8)
    assert effect["df"] == pytest.approx(dense.satterthwaite_df(Sigma, last), rel=1e-7)
    interaction = fit.anova().set_index("term").loc["ARM:AVISIT"]
    F, df, p = dense.kenward_roger_test(Sigma, np.eye(6)[4:])
    assert interaction["statistic"] == pytest.approx(F, rel=1e-7)
    assert interaction["den_df"] == pytest.approx(df, rel=1e-7)
    assert interaction["p_value"] == pytest.approx(p, rel=1e-6)


def test_a_larger_model_never_fits_worse_under_ml():
    trial = random_trial(5)
    formulas = ["1", "AVISIT", "ARMCD + AVISIT", "ARMCD*AVISIT", "BASE + ARMCD*AVISIT"]
    deviances = [
        mmrm(f"CHG ~ {fixed} + us(AVISIT | USUBJID)", trial.frame, reml=False).minus2_loglik
        for fixed in formulas
    ]
    assert all(b <= a + 1e-9 for a, b in pairwise(deviances))


def test_information_criteria_count_what_sas_counts():
    trial = random_trial(6)
    reml, ml = (mmrm(trial.formula, trial.frame, reml=flag) for flag in (True, False))
    effects = len(reml.coding.names)
    assert reml.aic - reml.minus2_loglik == pytest.approx(2 * 6)
    assert ml.aic - ml.minus2_loglik == pytest.approx(2 * (6 + effects))
    assert reml.bic - reml.minus2_loglik == pytest.approx(6 * np.log(reml.n_subjects))
