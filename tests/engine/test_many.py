"""Many refits at once against fits from scratch of the rows written down as often as they count."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import positive_definite, random_trial

import trialmlm as tm
from trialmlm.covariance.register import FAMILIES
from trialmlm.covariance.stacked import sigmas, slopes
from trialmlm.engine import many
from trialmlm.engine.fit import sigma_of
from trialmlm.engine.leave_out import LeaveOut
from trialmlm.engine.many import Refits
from trialmlm.engine.many_sums import recounted, without_each
from trialmlm.engine.pattern_tree import PatternTree
from trialmlm.engine.refitted import Refitted

# A refit ends a step after its distance fell below 1e-8 standard errors of θ, a fit from scratch
# a Newton step after 1e-6: it is the square of that away
CLOSE = 1e-8
ANTIDEPRESSANT = "CHANGE ~ THERAPY * VISIT + BASVAL * VISIT + us(VISIT | PATIENT)"


def refits(fit):
    return Refits.of(fit.gaussian, fit.design)


def written_down(fit, data, counts):
    """The rows, those of a subject as often as it counts, copies as subjects of their own."""
    name = fit.subjects.name
    number = data[name].map(dict(zip(fit.subjects.levels, counts, strict=True)))
    copies = [
        data[number > k].assign(**{name: lambda d, k=k: d[name].astype(str) + f"/{k}"})
        for k in range(int(counts.max()))
    ]
    return pd.concat(copies, ignore_index=True)


def resamples(n, D, seed=1):
    return np.random.default_rng(seed).multinomial(n, [1 / n] * n, D)


def against_scratch(formula, data, counts, **options):
    """β̂ and Σ̂ of every refit from a fit made by `mmrm` alone."""
    fit = tm.mmrm(formula, data, **options)
    found = refits(fit).recount(counts)
    for d, own in enumerate(counts):
        again = tm.mmrm(formula, written_down(fit, data, own), **options).gaussian
        assert found.converged[d] == again.convergence.converged
        if found.converged[d]:  # few subjects of a group may leave −2l without a proper optimum
            close(found.beta[d], again.beta)
            close(found.Sigma[d], sigma_of(again))
    return found


def close(found, expected):
    np.testing.assert_allclose(
        found, expected, rtol=CLOSE, atol=CLOSE * np.nanmax(np.abs(expected))
    )


@pytest.mark.parametrize("structure", [name for name in FAMILIES if name != "fa"])
def test_refits_of_every_structure_are_those_from_scratch(structure):
    trial = random_trial(71, n_subjects=60, missing=0.1)
    formula = f"CHG ~ BASE + SEX + ARMCD * AVISIT + {structure}(AVISIT | USUBJID)"
    n = trial.frame["USUBJID"].nunique()
    left_out = 1 - np.eye(n, dtype=int)[[0, 17]]
    found = against_scratch(formula, trial.frame, np.concatenate([left_out, resamples(n, 2)]))
    assert found.converged.all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**20),
    n_visits=st.integers(1, 4),
    missing=st.sampled_from([0.0, 0.15]),
    grouped=st.booleans(),
    weighted=st.sampled_from(["none", "subject", "row"]),
    reml=st.booleans(),
)
def test_refits_are_those_from_scratch(seed, n_visits, missing, grouped, weighted, reml):
    data = random_trial(seed, 60, n_visits, missing=missing).frame
    subject = "ARMCD / USUBJID" if grouped else "USUBJID"
    formula = f"CHG ~ BASE + ARMCD * AVISIT + us(AVISIT | {subject})"
    if n_visits == 1:
        formula = f"CHG ~ BASE + ARMCD + us(AVISIT | {subject})"
    rng = np.random.default_rng(seed)
    of_subject = data["USUBJID"].map({s: rng.uniform(0.5, 2.0) for s in data["USUBJID"].unique()})
    weights = {
        "none": np.ones(len(data)),
        "subject": of_subject,
        "row": rng.uniform(0.5, 2.0, len(data)),
    }
    data = data.assign(W=weights[weighted])
    counts = resamples(data["USUBJID"].nunique(), 3, seed)
    seen = (data.groupby("AVISIT")["USUBJID"].nunique() > 30).all()
    assume(seen)
    against_scratch(formula, data, counts, weights="W", reml=reml)


def test_the_antidepressant_trial(study_data):
    data = pd.read_csv(study_data / "antidepressant_data.csv").astype({"VISIT": str})
    n = data["PATIENT"].nunique()
    left_out = 1 - np.eye(n, dtype=int)[::43]
    found = against_scratch(ANTIDEPRESSANT, data, np.concatenate([left_out, resamples(n, 3)]))
    assert found.converged.all()


def test_the_jackknife_of_the_antidepressant_trial_is_that_of_rbmi(study_data, reference):
    """MAR's conditional mean with ANCOVA is the contrast of the MMRM: two programs, two roads."""
    data = pd.read_csv(study_data / "antidepressant_data.csv").astype({"VISIT": str})
    fit = tm.mmrm(ANTIDEPRESSANT, data)
    found = refits(fit).recount(1 - np.eye(172, dtype=int))
    names = list(fit.coding.names)
    at_last = [names.index("THERAPYPLACEBO"), names.index("THERAPYPLACEBO:VISIT7")]
    stored = json.loads((reference / "rbmi" / "quickstart_condmean_jackknife.json").read_text())
    expected = stored["leave_one_out_difference_visit_7"]["MAR"]
    expected = [expected[f"{patient:.0f}"] for patient in fit.subjects.levels]
    # the reference ends at a gradient of 1e-6, which is 1e-9 or so of the difference
    np.testing.assert_allclose(-found.beta[:, at_last].sum(axis=1), expected, atol=1e-8)


@pytest.mark.slow
def test_every_patient_left_out_of_the_antidepressant_trial(study_data):
    data = pd.read_csv(study_data / "antidepressant_data.csv").astype({"VISIT": str})
    n = data["PATIENT"].nunique()
    assert n == 172
    against_scratch(ANTIDEPRESSANT, data, 1 - np.eye(n, dtype=int))


def test_one_by_one_they_are_the_same():
    trial = random_trial(4, n_subjects=50, missing=0.15)
    fit = tm.mmrm(trial.formula, trial.frame)
    one, counts = LeaveOut.of(fit.gaussian, fit.design), resamples(50, 5)
    found = refits(fit).recount(counts)
    for d, own in enumerate(counts):
        close(found.beta[d], one.recount(own).beta)
        close(found.Sigma[d], sigma_of(one.recount(own)))


def test_everyone_counted_once_is_the_fit_itself():
    trial = random_trial(3, missing=0.1)
    fit = tm.mmrm(trial.formula, trial.frame)
    found = refits(fit).recount(np.ones((1, fit.n_subjects), dtype=int))
    close(found.beta[0], fit.gaussian.beta)
    close(found.Sigma[0], sigma_of(fit.gaussian))
    assert found.reasons == ("",)


def test_an_aliased_coefficient_stays_nan():
    data = random_trial(5, missing=0.1).frame
    fit = tm.mmrm(
        "CHG ~ BASE + TWICE + AVISIT + us(AVISIT | USUBJID)", data.assign(TWICE=2 * data["BASE"])
    )
    beta = refits(fit).recount(resamples(fit.n_subjects, 3)).beta
    np.testing.assert_array_equal(np.isnan(beta), np.tile(np.isnan(fit.gaussian.beta), (3, 1)))


def test_a_lost_arm_is_named_by_its_coefficients_and_spoils_no_other_refit():
    data = random_trial(11, n_subjects=60, n_arms=3, missing=0.1).frame
    fit = tm.mmrm("CHG ~ BASE + ARMCD * AVISIT + us(AVISIT | USUBJID)", data)
    arm = data.drop_duplicates("USUBJID").set_index("USUBJID")["ARMCD"][list(fit.subjects.levels)]
    counts = np.ones((3, fit.n_subjects), dtype=int)
    counts[1, arm.to_numpy() == "C"] = 0
    found = refits(fit).recount(counts)
    assert found.converged.tolist() == [True, False, True]
    names = np.array(fit.coding.names)
    assert set(names[found.lost_coefficients[1]]) == {
        "ARMCDC",
        "ARMCDC:AVISITV2",
        "ARMCDC:AVISITV3",
    }
    assert not found.lost_coefficients[[0, 2]].any()
    assert np.isnan(found.beta[1]).all()
    assert np.isnan(found.Sigma[1]).all()
    assert found.reasons[1] == "the subjects counted do not determine every parameter"
    close(found.beta[2], fit.gaussian.beta)


def test_a_lost_covariance_is_named_too():
    data = random_trial(12, n_subjects=60, missing=0.0).frame
    last = sorted(data["USUBJID"].unique())[:5]
    # only five subjects have both of the last two visits
    alone = data[(data["AVISIT"] != "V3") | data["USUBJID"].isin(last) | (data["SEX"] == "F")]
    alone = alone[(alone["AVISIT"] != "V2") | alone["USUBJID"].isin(last) | (alone["SEX"] == "M")]
    fit = tm.mmrm("CHG ~ BASE + us(AVISIT | USUBJID)", alone)
    counts = np.ones((1, fit.n_subjects), dtype=int)
    counts[0, [name in last for name in fit.subjects.levels]] = 0
    found = refits(fit).recount(counts)
    # rows of the lower triangle: (1,1), (2,1), (2,2), (3,1), (3,2), (3,3)
    assert found.lost_parameters.tolist() == [[False, False, False, False, True, False]]
    assert not found.converged[0]


def test_a_refit_without_an_optimum_says_so():
    """With as many subjects as visits and coefficients, Σ goes to a singular matrix."""
    data = random_trial(13, n_subjects=40, n_visits=4, missing=0.0).frame
    fit = tm.mmrm("CHG ~ BASE + us(AVISIT | USUBJID)", data)
    counts = np.zeros((2, fit.n_subjects), dtype=int)
    counts[0, :4] = 1
    counts[1] = 1
    found = refits(fit).recount(counts)
    assert found.converged.tolist() == [False, True]
    assert "singular" in found.reasons[0]


def test_a_far_optimum_is_found_all_the_same():
    """Weights as uneven as these leave a Σ that is far from the full fit's."""
    trial = random_trial(14, n_subjects=40, missing=0.1)
    fit = tm.mmrm(trial.formula, trial.frame)
    counts = np.random.default_rng(3).multinomial(40, np.r_[np.full(12, 1 / 12), np.zeros(28)], 4)
    one = LeaveOut.of(fit.gaussian, fit.design)
    found = refits(fit).recount(counts)
    for d in np.flatnonzero(found.converged):
        close(found.beta[d], one.searched(counts[d]).beta)
    assert found.converged.any()


@pytest.mark.parametrize("structure", ["us", "ar1h"])
def test_a_refit_is_the_same_to_the_last_bit_whatever_stands_beside_it(monkeypatch, structure):
    data = random_trial(15, n_subjects=40, n_visits=4, missing=0.1).frame
    fit = tm.mmrm(f"CHG ~ BASE*AVISIT + ARMCD*AVISIT + {structure}(AVISIT | USUBJID)", data)
    counts = resamples(fit.n_subjects, 9)
    whole = refits(fit).recount(counts)
    alone = [refits(fit).recount(own[None]) for own in counts]
    monkeypatch.setattr(many, "_HELD", 4000)
    batches = refits(fit).recount(counts[::-1])
    for part in ("beta", "Sigma", "converged"):
        np.testing.assert_array_equal(getattr(Refitted.joined(alone), part), getattr(whole, part))
        np.testing.assert_array_equal(getattr(batches, part)[::-1], getattr(whole, part))


def test_no_data_set_at_all_is_an_empty_answer():
    fit = tm.mmrm(random_trial(15).formula, random_trial(15).frame)
    found = refits(fit).recount(np.zeros((0, fit.n_subjects), dtype=int))
    assert found.beta.shape == (0, len(fit.gaussian.beta))
    assert found.Sigma.shape == (0, 1, 3, 3)


def test_counts_of_another_number_of_subjects_are_refused():
    fit = tm.mmrm(random_trial(15).formula, random_trial(15).frame)
    with pytest.raises(ValueError, match=r"counts of shape \(2, 7\) are not D × 30 subjects"):
        refits(fit).recount(np.ones((2, 7), dtype=int))


def test_leaving_each_out_is_counting_it_zero_times():
    fit = tm.mmrm(random_trial(16).formula, random_trial(16).frame)
    one = LeaveOut.of(fit.gaussian, fit.design)
    data, left = fit.gaussian.likelihood.data, np.array([0, 5, 29])
    by_counts = recounted(data, one.subjects, 1 - np.eye(30, dtype=int)[left])
    by_loss = without_each(data, one.subjects, left)
    for part in ("n", "M", "N", "Y"):
        np.testing.assert_allclose(getattr(by_loss, part), getattr(by_counts, part), atol=1e-11)


def test_a_pattern_s_inverse_comes_from_that_of_all_visits():
    data = random_trial(17, 80, 5, missing=0.35).frame
    fit = tm.mmrm("CHG ~ BASE + ARMCD * AVISIT + cs(AVISIT | ARMCD / USUBJID)", data)
    summary = fit.gaussian.likelihood.data
    assert len(summary.visits) > 30
    Sigma = np.stack([[positive_definite(s, 5), positive_definite(s + 9, 5)] for s in (1, 2, 3)])
    found = PatternTree.of(summary).inverses(Sigma)
    for g, piece in enumerate(summary.groups):
        for p in range(piece.start, piece.stop):
            own = np.ix_(summary.visits[p], summary.visits[p])
            for d in range(3):
                expected = np.zeros((5, 5))
                expected[own] = np.linalg.inv(Sigma[d, g][own])
                # a few operations on numbers of the size of one
                np.testing.assert_allclose(found[d, p], expected, atol=1e-13)


@pytest.mark.parametrize("structure", FAMILIES)
def test_many_covariances_at_once_are_those_one_by_one(structure):
    family, rng = FAMILIES[structure](4), np.random.default_rng(2)
    theta = 0.3 * rng.standard_normal((3, 2, family.n_parameters))
    G = rng.standard_normal((3, 2, 4, 4))
    G = G + G.swapaxes(2, 3)
    for d, g in np.ndindex(3, 2):
        one = theta[d, g]
        np.testing.assert_allclose(sigmas(family, theta)[d, g], family.sigma(one), rtol=1e-13)
        slope = np.tensordot(family.jacobian(one), G[d, g], 2)
        np.testing.assert_allclose(slopes(family, theta, G)[d, g], slope, rtol=1e-12, atol=1e-13)
