"""Prediction of clusters not seen, pooling, leaving out, bootstrap: closed forms and references."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.models.calibration import calibration
from trialmlm.models.levels import levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.parametric_bootstrap import parametric_bootstrap


def one_way(seed: int, n: int = 10, k: int = 4, between: float = 1.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = 3.0 + between * rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    names = [f"C{i:02d}" for i in range(n)]
    return pd.DataFrame({"id": np.repeat(names, k), "y": y.ravel()})


REFERENCES = {
    "lmm_sleepstudy_slope": "Reaction ~ Days + (Days | Subject)",
    "lmm_sleepstudy_intercept": "Reaction ~ Days + (1 | Subject)",
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_new_cluster_has_the_published_variance_parts(study_data, reference, name):
    fit = lmm(REFERENCES[name], pd.read_csv(study_data / "sleepstudy.csv"))
    published = json.loads((reference / "lmm" / f"{name}.json").read_text())["reml"]
    theirs = published["predict_new_cluster"]
    new = pd.DataFrame(theirs["newdata"])
    cluster, one = (fit.predict(new, interval=kind) for kind in ("cluster", "prediction"))
    # variance parameters 1e-5 relative, as the reference says
    np.testing.assert_allclose(cluster["predicted"], theirs["mean"], rtol=1e-6)
    np.testing.assert_allclose(cluster["std_error"] ** 2, theirs["var_fixed"], rtol=1e-5)
    random = [row["Subject"] for row in theirs["var_random"]]
    np.testing.assert_allclose(cluster["between_variance"], random, rtol=1e-5)
    np.testing.assert_allclose(cluster["pi_std_error"], theirs["sd_new_cluster_mean"], rtol=1e-5)
    np.testing.assert_allclose(one["residual_variance"], theirs["var_residual"], rtol=1e-5)
    np.testing.assert_allclose(one["pi_std_error"], theirs["sd_new_observation"], rtol=1e-5)


def test_a_known_cluster_has_no_variance_between_clusters_left():
    data = one_way(1)
    fit = lmm("y ~ 1 + (1 | id)", data)
    new = pd.DataFrame({"id": ["C00", "new", None]})
    found = fit.predict(new, interval="cluster")
    assert found["between_variance"].tolist()[0] == 0.0
    assert found["pi_std_error"].iloc[0] == pytest.approx(found["predicted_std_error"].iloc[0])
    assert (found["between_variance"].iloc[1:] > 0.0).all()
    plain = fit.predict(new)
    pd.testing.assert_frame_equal(found[plain.columns], plain)
    with pytest.raises(FitError, match="new"):
        fit.predict(new, interval="cluster", new_levels="error")
    with pytest.raises(UsageError, match="expected one of confidence, cluster, prediction"):
        fit.predict(new, interval="tolerance")


def test_the_residual_of_a_prediction_is_that_of_its_visit():
    rng = np.random.default_rng(2)
    data = one_way(3, 30, 3).assign(visit=np.tile(["V1", "V2", "V3"], 30))
    data["y"] += np.tile([0.0, 0.0, 2.0], 30) * rng.normal(size=90)
    fit = lmm("y ~ visit + (1 | id) + diag(visit | id)", data)
    found = fit.predict(pd.DataFrame({"visit": ["V3", "V1"]}), interval="prediction")
    expected = fit.residual_variances[["V3", "V1"]]
    np.testing.assert_allclose(found["residual_variance"], expected)
    with pytest.raises(FitError, match="V9"):
        fit.predict(pd.DataFrame({"visit": ["V9"]}), interval="prediction")


def test_intervals_of_a_response_of_a_new_cluster_cover_as_often_as_they_say():
    hits, rng = 0, np.random.default_rng(5)
    for seed in range(400):
        fit = lmm("y ~ 1 + (1 | id)", one_way(seed))
        row = fit.predict(pd.DataFrame({"id": ["new"]}), interval="prediction").iloc[0]
        y = 3.0 + 1.5 * rng.normal() + rng.normal()
        hits += row["pi_low"] <= y <= row["pi_high"]
    # three Monte Carlo errors about 0.95
    assert abs(hits / 400 - 0.95) < 0.033


def test_partial_pooling_lies_between_the_group_s_own_mean_and_everyone_s():
    data = pd.concat([one_way(6), one_way(7, 10, 2).assign(id=lambda d: "X" + d["id"])])
    fit = lmm("y ~ 1 + (1 | id)", data)
    table = fit.partial_pooling()
    means = data.groupby("id")["y"].mean()
    np.testing.assert_allclose(table["own"], means[table["level"]], rtol=1e-10)
    # the weight of a group's own mean is n σ_b² / (n σ_b² + σ²)
    between, residual = fit.variance_components()["variance"]
    weight = table["n"] * between / (table["n"] * between + residual)
    expected = table["pooled"] + weight * (table["own"] - table["pooled"])
    np.testing.assert_allclose(table["partial"], expected, rtol=1e-9)


def test_each_subject_s_own_line_is_its_least_squares_line(study_data, reference):
    data = pd.read_csv(study_data / "sleepstudy.csv")
    fit = lmm("Reaction ~ Days + (Days | Subject)", data)
    table = fit.partial_pooling().pivot_table(
        index="level", columns="term", values=["own", "partial"]
    )
    for subject, rows in data.groupby("Subject"):
        slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1)
        assert table.loc[subject, ("own", "Days")] == pytest.approx(slope, rel=1e-8)
        assert table.loc[subject, ("own", "(Intercept)")] == pytest.approx(intercept, rel=1e-8)
    published = json.loads((reference / "lmm" / "lmm_sleepstudy_slope.json").read_text())["reml"]
    fixed, blup = published["fixef"]["estimate"], published["ranef"]["Subject"]["blup"]
    own = table["partial"][["(Intercept)", "Days"]].to_numpy()
    np.testing.assert_allclose(own, np.array(blup) + fixed, rtol=1e-5)  # BLUPs to 1e-4


def test_a_group_whose_rows_do_not_carry_a_line_has_none_of_its_own():
    rng = np.random.default_rng(8)
    data = pd.concat([one_way(9, 15, 4), pd.DataFrame({"id": ["Z"], "y": [2.0]})])
    data["t"] = rng.normal(size=len(data))
    table = lmm("y ~ t + (1 + t | id)", data).partial_pooling().set_index("level")
    assert table.loc["Z", "own"].isna().all()
    assert table.loc["Z", "partial"].notna().all()


def test_leaving_out_one_cluster_of_balanced_data_is_a_t_interval_about_the_others():
    data = one_way(10, 9, 5)
    found = calibration(lmm("y ~ 1 + (1 | id)", data)).frame
    means = data.groupby("id")["y"].mean().to_numpy()
    for k, row in found.iterrows():
        rest = np.delete(means, k)
        error = rest.std(ddof=1) * np.sqrt(1.0 + 1.0 / rest.size)
        half = stats.t.ppf(0.975, rest.size - 1) * error
        # the fit reaches its optimum to about 1e-9 standard errors
        assert row["predicted"] == pytest.approx(rest.mean(), rel=1e-8)
        assert row["pi_df"] == pytest.approx(rest.size - 1, rel=1e-5)
        assert row["pi_high"] - row["pi_low"] == pytest.approx(2 * half, rel=1e-5)


def nested(rng, sites=30, subjects=3, k=2):
    site = np.repeat(np.arange(sites), subjects * k)
    subject = np.repeat(np.arange(sites * subjects), k)
    y = 5 + 1.5 * rng.normal(size=sites)[site] + rng.normal(size=sites * subjects)[subject]
    y = y + 0.5 * rng.normal(size=site.size)
    return pd.DataFrame({"site": site.astype(str), "subject": subject.astype(str), "y": y})


def test_leaving_out_a_balanced_site_leaves_out_its_subjects():
    data = nested(np.random.default_rng(20), 12)
    found = calibration(lmm("y ~ 1 + (1 | site/subject)", data), by="site").frame
    means = data.groupby("site")["y"].mean()
    for row in found.to_dict("records"):
        rest = means.drop(row["site"]).to_numpy()
        error = rest.std(ddof=1) * np.sqrt(1.0 + 1.0 / rest.size)
        # the mean of a site has the variance of the sites' means, however it is made up
        assert row["pi_std_error"] == pytest.approx(error, rel=1e-5)
        assert row["pi_df"] == pytest.approx(rest.size - 1, rel=1e-4)


def test_leaving_out_a_subject_keeps_what_its_site_tells():
    fit = lmm("y ~ 1 + (1 | site/subject)", nested(np.random.default_rng(21)))
    found = calibration(fit, by="site:subject")
    by_site = calibration(fit, by="site")
    assert found.frame["pi_std_error"].mean() < 0.9 * by_site.frame["pi_std_error"].mean()
    value = found.summary.set_index("quantity")["value"]
    assert value["coverage"] == pytest.approx(0.95, abs=0.06)  # 90 subjects: 0.023 is one error
    assert value["variance of z"] == pytest.approx(1.0, abs=0.4)


def test_crossed_factors_are_not_left_out(study_data):
    data = pd.read_csv(study_data / "penicillin.csv")
    fit = lmm("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    with pytest.raises(NotAvailableError, match="sample is crossed with plate"):
        calibration(fit)
    with pytest.raises(UsageError, match="found 'lot', expected one of plate, sample"):
        calibration(fit, by="lot")


def test_a_new_subject_of_a_known_site_keeps_the_site_s_effect():
    data = nested(np.random.default_rng(22))
    fit = lmm("y ~ 1 + (1 | site/subject)", data)
    new = pd.DataFrame({"site": ["0", "0", "99"], "subject": ["0", "none", "none"]})
    found = fit.predict(new, interval="cluster")
    components = fit.variance_components().set_index("group")["variance"]
    expected = [0.0, components["site:subject"], components["site"] + components["site:subject"]]
    np.testing.assert_allclose(found["between_variance"], expected, atol=1e-12)
    assert found["predicted"].nunique() == 3


def test_a_calibration_of_the_right_model_says_so():
    rng = np.random.default_rng(11)
    data = one_way(12, 60, 5)
    data["x"] = rng.normal(size=len(data))
    data["y"] += 2.0 * data["x"]
    found = calibration(lmm("y ~ x + (1 | id)", data)).summary.set_index("quantity")["value"]
    assert found["coverage"] == pytest.approx(0.95, abs=0.06)  # two errors of 60 clusters
    assert found["slope"] == pytest.approx(1.0, abs=0.1)
    assert found["variance of z"] == pytest.approx(1.0, abs=0.4)


def test_a_cluster_that_alone_has_a_level_is_named_and_not_predicted():
    data = one_way(13).assign(region="north")
    data.loc[data["id"] == "C03", "region"] = "south"
    found = calibration(lmm("y ~ region + (1 | id)", data))
    assert "C03 is not predicted" in found.notes[0]
    assert found.frame.loc[found.frame["z"].isna(), "id"].tolist() == ["C03"]


def test_the_bootstrap_s_errors_are_those_of_the_mean_squares():
    data = one_way(14, 40, 5)
    fit = lmm("y ~ 1 + (1 | id)", data)
    variances = lambda one: one.variance_components().set_index("group")["variance"]  # noqa: E731
    found = parametric_bootstrap(fit, variances, replicates=400, seed=3).set_index("quantity")
    between, residual = fit.variance_components()["variance"]
    exact = np.sqrt(2.0 * residual**2 / (40 * 4))
    # the Monte Carlo error of a standard deviation is 1/√800 of it
    assert found.loc["Residual", "std_error"] == pytest.approx(exact, rel=0.11)
    group = 5 * between + residual
    exact = np.sqrt(2.0 * group**2 / 39 + 2.0 * residual**2 / 160) / 5
    assert found.loc["id", "std_error"] == pytest.approx(exact, rel=0.11)
    assert found["replicates"].min() > 390


def test_drawn_responses_have_the_mean_and_covariance_of_the_model():
    rng = np.random.default_rng(16)
    data = one_way(16, 8, 3).assign(t=np.tile([0.0, 1.0, 2.0], 8))
    data["y"] += rng.normal(size=8).repeat(3) * data["t"]
    fit = lmm("y ~ t + (1 + t | id)", data)
    drawn = np.stack([fit.simulate(seed).to_numpy() for seed in range(1500)])
    (level,) = levels_of(fit)
    Z = level.Z[:3]
    V = Z @ level.G @ Z.T + fit.residual_variances.iloc[0] * np.eye(3)
    found = np.mean([np.cov(drawn[:, 3 * i : 3 * i + 3].T) for i in range(8)], axis=0)
    # 12,000 draws of each entry: 1.3 % of the geometric mean of the variances
    scale = np.sqrt(np.outer(np.diag(V), np.diag(V)))
    assert (np.abs(found - V) / scale).max() < 0.05
    np.testing.assert_allclose(drawn.mean(axis=0), fit.fitted, atol=5 * np.sqrt(V.max() / 1500))


def test_the_same_seed_draws_the_same_responses():
    fit = lmm("y ~ 1 + (1 | id)", one_way(15))
    one, two, other = (parametric_bootstrap(fit, replicates=5, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one["mean"].equals(other["mean"])
    with pytest.raises(UsageError, match="two replicates"):
        parametric_bootstrap(fit, replicates=1)


@pytest.mark.slow
def test_bootstrap_intervals_of_the_intraclass_correlation_cover():
    icc = lambda one: one.icc().set_index("group")["icc"]  # noqa: E731
    true, hits = 1.5**2 / (1.5**2 + 1.0), 0
    for seed in range(30):
        fit = lmm("y ~ 1 + (1 | id)", one_way(100 + seed, 30, 4))
        row = parametric_bootstrap(fit, icc, replicates=60, seed=seed).iloc[0]
        hits += row["ci_low"] <= true <= row["ci_high"]
    assert hits >= 25  # of 30; 28.5 expected, three errors of 1.2 below
