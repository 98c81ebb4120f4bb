"""Tests of variances at their boundary, against lme4's and closed forms."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.errors import NotAvailableError
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm
from trialmlm.models.random_effects_test import random_effects_test

REFERENCES = {
    "lmm_sleepstudy_slope": ("sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
    "lmm_sleepstudy_intercept": ("sleepstudy.csv", "Reaction ~ Days + (1 | Subject)"),
    "lmm_dyestuff": ("dyestuff.csv", "Yield ~ 1 + (1 | Batch)"),
    "lmm_pbcseq_slope": ("pbcseq.csv", "albumin ~ year * trt + (year | id)"),
    "lmm_orthodont_slope": ("orthodont.csv", "distance ~ age_c * Sex + (age_c | Subject)"),
    "lmm_exam_value_added": (
        "exam.csv",
        "normexam ~ standLRT + sex + schgend + (standLRT | school)",
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_statistics_and_mixtures_are_lme4_s(study_data, reference, name):
    file, formula = REFERENCES[name]
    data = pd.read_csv(study_data / file)
    if file == "orthodont.csv":
        data["age_c"] = data["age"] - 11
    published = json.loads((reference / "lmm" / f"{name}.json").read_text())["lrt"]
    theirs = next(iter(published.values()))
    row = random_effects_test(lmm(formula, data)).iloc[0]
    # both criteria to 1e-8 absolute, as the reference says
    assert row["statistic"] == pytest.approx(theirs["chisq"], abs=1e-5)
    assert row["df"] == theirs["df"]
    assert row["p_value"] == pytest.approx(theirs["p_naive"], rel=1e-5)
    assert row["p_mixture"] == pytest.approx(theirs["p_boundary_mixture"], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "file", "formula", "left_out"),
    [
        ("lmm_pastes_nested", "pastes.csv", "strength ~ 1 + (1 | sample) + (1 | batch)", 1),
        ("lmm_penicillin_crossed", "penicillin.csv", "diameter ~ (1 | plate) + (1 | sample)", 0),
    ],
)
def test_one_of_several_factors_is_left_out(study_data, reference, name, file, formula, left_out):
    published = json.loads((reference / "lmm" / f"{name}.json").read_text())["lrt"]
    theirs = next(iter(published.values()))
    found = random_effects_test(lmm(formula, pd.read_csv(study_data / file)))
    assert len(found) == 2
    row = found.iloc[left_out]
    assert row["statistic"] == pytest.approx(theirs["chisq"], abs=1e-5)
    assert row["p_mixture"] == pytest.approx(theirs["p_boundary_mixture"], rel=1e-4)


def test_nested_terms_are_to_be_written_out(study_data):
    fit = lmm("strength ~ 1 + (1 | batch/cask)", pd.read_csv(study_data / "pastes.csv"))
    with pytest.raises(NotAvailableError, match="write the terms of"):
        random_effects_test(fit)


def one_way(rng, n=12, k=4, between=0.0):
    y = between * rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    return pd.DataFrame({"id": np.repeat(np.arange(n), k).astype(str), "y": y.ravel()})


@pytest.mark.parametrize("reml", [True, False])
def test_the_statistic_of_one_variance_is_a_function_of_the_f_test(reml):
    data = one_way(np.random.default_rng(1), between=1.0)
    row = random_effects_test(lmm("y ~ 1 + (1 | id)", data, reml=reml)).iloc[0]
    n, k = 12, 4
    means = data.groupby("id")["y"].mean()
    between = k * ((means - means.mean()) ** 2).sum()
    within = ((data["y"] - means[data["id"]].to_numpy()) ** 2).sum()
    # the profile of a balanced one-way model in its two sums of squares
    a, b = (n - 1 if reml else n), n * (k - 1)
    least = a * np.log(between / a) + b * np.log(within / b)
    single = (a + b) * np.log((between + within) / (a + b))
    assert row["statistic"] == pytest.approx(single - least, rel=1e-7)


def test_a_variance_estimated_as_zero_has_p_one_half_above():
    y = [1.0, -1.0, 1.1, -1.1, 0.9, -0.9, 1.05, -1.05]
    fit = lmm("y ~ 1 + (1 | id)", pd.DataFrame({"id": list("aabbccdd"), "y": y}))
    row = random_effects_test(fit).iloc[0]
    assert row["statistic"] == pytest.approx(0.0, abs=1e-6)
    assert row["p_value"] == pytest.approx(1.0, abs=1e-3)


def test_under_no_variance_the_mixture_has_its_size():
    rng = np.random.default_rng(2)
    hits = sum(
        random_effects_test(lmm("y ~ 1 + (1 | id)", one_way(rng, 40, 4)))["p_mixture"][0] < 0.1
        for _ in range(300)
    )
    # three Monte Carlo errors of 0.017, about a level that is approached from below
    assert 0.04 < hits / 300 < 0.15


def test_all_effects_together_and_a_residual_variance_by_visit():
    rng = np.random.default_rng(3)
    data = one_way(rng, 30, 3, 1.0).assign(visit=np.tile(["V1", "V2", "V3"], 30))
    formula = "y ~ visit + (1 | id) + diag(visit | id)"
    row = random_effects_test(lmm(formula, data)).iloc[-1]
    alone = mmrm("y ~ visit + diag(visit | id)", data).minus2_loglik
    assert row["minus2_loglik"] == pytest.approx(alone, rel=1e-9)
    data["t"] = np.tile([0.0, 1.0, 2.5], 30)
    found = random_effects_test(lmm("y ~ t + (1 + t | id)", data))
    assert found["left_out"].tolist() == ["id: t", "id, all"]
    assert found["df"].tolist() == [2, 3]
    assert np.isnan(found["p_mixture"].iloc[-1])
    expected = stats.chi2.sf(found["statistic"], found["df"])
    np.testing.assert_allclose(found["p_value"], expected, rtol=1e-10)
