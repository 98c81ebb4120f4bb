"""Influence against fits from scratch without the subject, and the formulas of regression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.covariance.register import FAMILIES
from trialmlm.engine.fit import fit as fit_gaussian
from trialmlm.engine.leave_out import LeaveOut

TRIAL = random_trial(71, n_subjects=40, missing=0.15)
MAIN = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + {}(AVISIT | USUBJID)"
# The refits end where the gradient is below 1e-7 standard errors; both fits share its rounding
CLOSE = 1e-7


def against_scratch(formula, data, subjects=None, **options):
    """Every number of the influence frame from two fits, each made by `mmrm` alone."""
    fit = tm.mmrm(formula, data, **options)
    frame = fit.influence().set_index(fit.subjects.name)
    full = fit.coefficients().set_index("term")["estimate"].dropna()
    for subject in subjects if subjects is not None else frame.index:
        row = frame.loc[subject]
        rest = tm.mmrm(formula, data[data[fit.subjects.name] != subject], **options)
        table = rest.coefficients().set_index("term").loc[full.index]
        moved = full - table["estimate"]
        Phi = basic(fit.gaussian)
        cook = moved @ np.linalg.solve(Phi, moved) / len(full)
        assert row["cooks_distance"] == pytest.approx(cook, rel=CLOSE, abs=1e-10)
        ratio = np.linalg.det(np.linalg.solve(Phi, basic(rest.gaussian)))
        assert row["cov_ratio"] == pytest.approx(ratio, rel=CLOSE)
        dfbetas = moved / np.sqrt(np.diag(basic(rest.gaussian)))
        found = row[[f"dfbetas {term}" for term in full.index]].to_numpy(dtype=float)
        np.testing.assert_allclose(found, dfbetas, atol=CLOSE)
        assert row["note"] == ""


def basic(gaussian):
    """Φ of the coefficients, in their own units."""
    likelihood = gaussian.likelihood
    half = likelihood.basis.R_inverse * likelihood.scale
    return half @ gaussian.point.Phi @ half.T


# fa is left out: its −2l has several optima, and a fit from scratch may end in a worse one
@pytest.mark.parametrize("structure", [name for name in FAMILIES if name != "fa"])
def test_refits_are_those_from_scratch(structure):
    formula = f"CHG ~ BASE + SEX + ARMCD * AVISIT + {structure}(AVISIT | USUBJID)"
    subjects = sorted(TRIAL.frame["USUBJID"].unique())[::13]
    against_scratch(formula, TRIAL.frame, subjects)


@pytest.mark.parametrize("structure", ["us", "ar1h"])
@pytest.mark.parametrize("reml", [True, False])
def test_with_groups_and_weights(structure, reml):
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(TRIAL.frame))
    data = random_trial(74, n_subjects=70, missing=0.1).frame
    data = data.assign(W=np.resize(weights, len(data)))
    formula = f"CHG ~ BASE + ARMCD * AVISIT + {structure}(AVISIT | SEX / USUBJID)"
    subjects = sorted(data["USUBJID"].unique())[::17]
    against_scratch(formula, data, subjects, weights="W", reml=reml)


def test_under_maximum_likelihood_too():
    subjects = sorted(TRIAL.frame["USUBJID"].unique())[::9]
    against_scratch(TRIAL.formula, TRIAL.frame, subjects, reml=False)


def test_a_sample_of_the_fev_subjects(study_data):
    fev = pd.read_csv(study_data / "fev_data.csv")
    against_scratch(MAIN.format("us"), fev, sorted(fev["USUBJID"].unique())[3::40])


@pytest.mark.slow
@pytest.mark.parametrize("structure", ["us", "ar1h"])
def test_every_fev_subject(study_data, structure):
    fev = pd.read_csv(study_data / "fev_data.csv")
    used = fev.loc[fev["FEV1"].notna(), "USUBJID"].unique()
    assert len(used) == 197
    against_scratch(MAIN.format(structure), fev, sorted(used))


def test_the_likelihood_distance_is_that_of_all_data_at_the_other_parameters():
    for reml in (True, False):
        fit = tm.mmrm(TRIAL.formula, TRIAL.frame, reml=reml)
        dense = TRIAL.dense(list(fit.coding.names), reml=reml)
        frame = fit.influence()
        for k in (0, 11, 23):
            subject = frame["USUBJID"][k]
            rest = tm.mmrm(TRIAL.formula, TRIAL.frame[TRIAL.frame["USUBJID"] != subject], reml=reml)
            Sigma = rest.covariance.to_numpy()
            there = dense.deviance(Sigma)
            if not reml:
                V_inv, _, best = dense.parts(Sigma)
                apart = dense.X @ (rest.coefficients()["estimate"].to_numpy() - best)
                there += apart @ V_inv @ apart
            rise = there - fit.minus2_loglik
            # a difference of numbers of the size of 400
            assert frame["likelihood_distance"][k] == pytest.approx(rise, abs=1e-7)


def test_with_one_visit_it_is_cook_s_distance_of_regression():
    frame = random_trial(72, n_subjects=25, n_visits=2, missing=0.0).frame
    one = frame[frame["AVISIT"] == "V1"]
    fit = tm.mmrm("CHG ~ BASE + ARMCD + us(AVISIT | USUBJID)", one)
    X = np.column_stack([np.ones(len(one)), one["BASE"], one["ARMCD"] == "B"])
    beta, rss, *_ = np.linalg.lstsq(X, one["CHG"], rcond=None)
    h = np.einsum("ij,jk,ik->i", X, np.linalg.inv(X.T @ X), X)
    r, s2 = one["CHG"] - X @ beta, rss[0] / (len(one) - 3)
    cook = pd.Series((r**2 * h / (1 - h) ** 2 / 3 / s2).to_numpy(), index=one["USUBJID"])
    s2_without = (rss[0] - r**2 / (1 - h)) / (len(one) - 4)
    ratio = pd.Series(((s2_without / s2) ** 3 / (1 - h)).to_numpy(), index=one["USUBJID"])
    found = fit.influence().set_index("USUBJID")
    np.testing.assert_allclose(found["cooks_distance"], cook.loc[found.index], rtol=1e-8)
    np.testing.assert_allclose(found["cov_ratio"], ratio.loc[found.index], rtol=1e-8)


def test_what_rests_on_one_subject_is_named():
    frame = random_trial(73, n_subjects=30, missing=0.0).frame
    first = frame["USUBJID"].min()
    one = frame.assign(SEX=np.where(frame["USUBJID"] == first, "X", frame["SEX"]))
    found = tm.mmrm(TRIAL.formula, one).influence().set_index("USUBJID")
    assert found["note"][first] == "not estimable without this subject: SEXX"
    assert np.isnan(found.loc[first, "cooks_distance"])
    assert (found["note"].drop(first) == "").all()
    # no one else has the third visit
    alone = frame[(frame["AVISIT"] != "V3") | (frame["USUBJID"] == first)]
    fit = tm.mmrm("CHG ~ BASE + diag(AVISIT | USUBJID)", alone)
    note = fit.influence().set_index("USUBJID")["note"]
    assert note[first] == "resting on this subject alone: variance V3"
    assert (note.drop(first) == "").all()


def test_counting_subjects_is_writing_them_down_so_often():
    """The bootstrap's reweighting against a fit of the rows, copies as subjects of their own."""
    fit = tm.mmrm(TRIAL.formula, TRIAL.frame)
    refits = LeaveOut.of(fit.gaussian, fit.design)
    counts = np.random.default_rng(1).multinomial(fit.n_subjects, [1 / fit.n_subjects] * 40)
    found = refits.recount(counts)
    number = dict(zip(fit.subjects.levels, counts, strict=True))
    copies = [
        TRIAL.frame[TRIAL.frame["USUBJID"].map(number) > k].assign(
            USUBJID=lambda d, k=k: d["USUBJID"] + f"/{k}"
        )
        for k in range(counts.max())
    ]
    again = tm.mmrm(TRIAL.formula, pd.concat(copies, ignore_index=True)).gaussian
    np.testing.assert_allclose(found.beta, again.beta, rtol=1e-7, atol=1e-8)
    assert found.minus2_loglik == pytest.approx(again.minus2_loglik, rel=1e-10)
    assert found.n_observations == again.n_observations
    np.testing.assert_allclose(basic(found), basic(again), rtol=1e-6, atol=1e-10)


def test_a_refit_carries_its_own_inference():
    """P and W of a refit are those of the data left: what a jackknife of df would ask for."""
    fit = tm.mmrm(TRIAL.formula, TRIAL.frame)
    refits = LeaveOut.of(fit.gaussian, fit.design)
    one = refits.refit(5)
    keep = np.arange(fit.n_subjects) != 5
    design = type(fit.design)(
        fit.design.B, fit.design.U[keep], fit.design.Y[keep], fit.design.observed[keep]
    )
    again = fit_gaussian(design, fit.family)
    unit = (again.likelihood.scale / one.likelihood.scale) ** 4
    np.testing.assert_allclose(one.information(), again.information() * unit, rtol=1e-5, atol=1e-9)
    assert one.convergence.converged
