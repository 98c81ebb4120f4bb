"""Draws of (β, Σ) come from the posterior: conjugate, factorised, conditional and calibrated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.engine.augmentation import sweep
from trialmlm.engine.incomplete import Incomplete
from trialmlm.engine.inverse_wishart import JEFFREYS, InverseWishart
from trialmlm.errors import DataError, UsageError
from trialmlm.missing.gibbs import gibbs

#: a p-value of a fixed seed below this is no accident
SMALLEST_P = 1e-3


def saturated(U, T):
    """Every column of U by visit: n × T × (T·s), visit by visit."""
    return np.einsum("tv,ns->ntvs", np.eye(T), U).reshape(len(U), T, T * U.shape[1])


def trial(n, T, seed, dropout=0.0, gaps=0.0):
    rng = np.random.default_rng(seed)
    U = np.column_stack([np.ones(n), rng.normal(20, 5, n), np.arange(n) % 2])
    root = np.tril(np.ones((T, T))) * 2.0
    Y = (U @ [3.0, -0.3, -1.0])[:, None] + rng.normal(size=(n, T)) @ root.T
    for t in range(1, T):
        leaves = rng.random(n) < dropout * 2 * stats.norm.cdf(Y[:, t - 1] / 6)
        Y[leaves | np.isnan(Y[:, t - 1]), t] = np.nan
    Y[rng.random((n, T)) < gaps] = np.nan
    return U, Y


def within_mc_error(draws, expected, n_errors=4.0):
    """Means of independent draws lie within 4 of their own Monte Carlo errors."""
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    np.testing.assert_array_less(np.abs(draws.mean(axis=0) - expected), n_errors * error)


@pytest.mark.parametrize("prior", ["jeffreys", "weak"])
def test_complete_data_give_the_matrix_normal_inverse_wishart(prior):
    """B | Σ ~ N(B̂, Σ ⊗ (U'U)⁻¹), Σ ~ IW(n - s + ν, RSS + Ψ): Schafer (1997), 5.2.2."""
    T, (U, Y) = 3, trial(60, 3, seed=1)
    n, s = U.shape
    B = np.linalg.lstsq(U, Y, rcond=None)[0]
    rss = (Y - U @ B).T @ (Y - U @ B)
    start = rss[None] / (n - s)
    chosen = JEFFREYS if prior == "jeffreys" else InverseWishart.around(start)
    S = rss + np.broadcast_to(chosen.scale, (1, T, T))[0]
    df = n - s + chosen.df
    found = gibbs(Y, saturated(U, T), np.zeros(n, int), draws=4000, seed=2, start=start,
                  chains=100, prior=chosen)  # fmt: skip
    beta, Sigma = found.beta.reshape(-1, T, s), found.Sigma[:, 0]

    mean = S / (df - T - 1)
    unscaled = np.linalg.inv(U.T @ U)
    within_mc_error(Sigma, mean)
    within_mc_error(beta, B.T)
    centred = (beta - B.T).reshape(-1, T * s)
    within_mc_error(centred[:, :, None] * centred[:, None, :], np.kron(mean, unscaled))
    # variance of an entry of an inverse Wishart: Press (1982), 5.2.3
    a, d = df - T, np.diag(S)
    variance = ((a + 1) * S**2 + (a - 1) * np.outer(d, d)) / (a * (a - 1) ** 2 * (a - 3))
    within_mc_error((Sigma - mean) ** 2, variance)

    k = df - T + 1
    for t in range(T):
        assert stats.kstest(S[t, t] / Sigma[:, t, t], stats.chi2(k).cdf).pvalue > SMALLEST_P
        for c in range(s):
            scale = np.sqrt(S[t, t] * unscaled[c, c] / k)
            assert stats.kstest((beta[:, t, c] - B[c, t]) / scale, stats.t(k).cdf).pvalue > (
                SMALLEST_P
            )


def factorised(U, Y, draws, rng):
    """Monotone data and Jeffreys' prior: each visit's regression on the earlier ones.

    The Schur complements of Σ ~ IW(ν, ·) are σ²_j ~ RSS_j/χ²(ν - T + j); so with n_j observed at
    visit j and s columns, the degrees of freedom are n_j - s - T + j (Rubin 1987, ch. 5, has
    n_j - s - j + 1 for a prior that is flat in each regression).
    """
    s, T = U.shape[1], Y.shape[1]
    B, Sigma = np.zeros((draws, s, T)), np.zeros((draws, T, T))
    for j in range(T):
        seen = ~np.isnan(Y[:, j])
        Z = np.column_stack([U[seen], Y[seen, :j]])
        inverse = np.linalg.inv(Z.T @ Z)
        centre = inverse @ Z.T @ Y[seen, j]
        rss = ((Y[seen, j] - Z @ centre) ** 2).sum()
        sigma2 = rss / rng.chisquare(seen.sum() - s - T + j + 1, draws)
        noise = rng.normal(size=(draws, s + j)) @ np.linalg.cholesky(inverse).T
        gamma = centre + np.sqrt(sigma2)[:, None] * noise
        slopes = gamma[:, s:]
        B[:, :, j] = gamma[:, :s] + np.einsum("dsk,dk->ds", B[:, :, :j], slopes)
        across = np.einsum("dkl,dl->dk", Sigma[:, :j, :j], slopes)
        Sigma[:, j, :j] = Sigma[:, :j, j] = across
        Sigma[:, j, j] = sigma2 + np.einsum("dk,dk->d", across, slopes)
    return B.transpose(0, 2, 1).reshape(draws, -1), Sigma


def test_monotone_data_give_the_factorised_posterior():
    T, (U, Y) = 4, trial(80, 4, seed=3, dropout=0.12)
    assert 0.2 < np.isnan(Y[:, -1]).mean() < 0.5
    found = gibbs(Y, saturated(U, T), np.zeros(80, int), draws=4000, seed=4,
                  start=4 * np.eye(T)[None], chains=100)  # fmt: skip
    beta, Sigma = factorised(U, Y, 4000, np.random.default_rng(5))
    for ours, theirs in ((found.beta, beta), (found.Sigma[:, 0], Sigma)):
        a, b = ours.reshape(4000, -1), theirs.reshape(4000, -1)
        for power in (1, 2):
            centre = 0 if power == 1 else b.mean(axis=0)
            difference = ((a - centre) ** power).mean(axis=0) - ((b - centre) ** power).mean(axis=0)
            spread = np.hypot(
                ((a - centre) ** power).std(axis=0), ((b - centre) ** power).std(axis=0)
            )
            np.testing.assert_array_less(np.abs(difference), 4 * spread / np.sqrt(4000))
        for column in range(a.shape[1]):
            assert stats.ks_2samp(a[:, column], b[:, column]).pvalue > SMALLEST_P


def test_a_sweep_draws_coefficients_by_generalised_least_squares_whatever_the_columns():
    """Visit-varying columns, gaps anywhere, a covariance for each arm: against dense V⁻¹."""
    n, T, p, C = 40, 3, 4, 20_000
    rng = np.random.default_rng(6)
    _, Y = trial(n, T, seed=7, gaps=0.2)
    X, group = rng.normal(size=(n, T, p)), np.arange(n) % 2
    Sigma = np.stack([np.eye(T) + 0.5, 2 * np.eye(T) + 1.0])
    data = Incomplete.of(Y, X, group, proper=False)
    beta, _ = sweep(data, np.broadcast_to(Sigma, (C, 2, T, T)), JEFFREYS, rng)
    information, score = np.zeros((p, p)), np.zeros(p)
    for i in range(n):
        seen = ~np.isnan(Y[i])
        weighed = X[i, seen].T @ np.linalg.inv(Sigma[group[i]][np.ix_(seen, seen)])
        information += weighed @ X[i, seen]
        score += weighed @ Y[i, seen]
    centred = beta - np.linalg.solve(information, score)
    within_mc_error(centred, 0.0)
    within_mc_error(centred[:, :, None] * centred[:, None, :], np.linalg.inv(information))


def test_each_arm_has_the_covariance_of_its_own_subjects():
    """With columns of its own for each arm, an arm's posterior is that of its subjects alone."""
    T, (U, Y) = 2, trial(80, 2, seed=8, gaps=0.15)
    arm = np.arange(80) % 2
    X = saturated(U[:, :2], T)
    both = np.concatenate([X * (arm == 0)[:, None, None], X * (arm == 1)[:, None, None]], axis=2)
    start = np.stack([4 * np.eye(T)] * 2)
    found = gibbs(Y, both, arm, draws=3000, seed=9, start=start, chains=60)
    own = gibbs(Y[arm == 1], X[arm == 1], np.zeros(40, int), draws=3000, seed=10,
                start=start[:1], chains=60)  # fmt: skip
    for a, b in ((found.beta[:, 4:], own.beta), (found.Sigma[:, 1], own.Sigma[:, 0])):
        a, b = a.reshape(3000, -1), b.reshape(3000, -1)
        error = np.hypot(a.std(axis=0), b.std(axis=0)) / np.sqrt(3000)
        np.testing.assert_array_less(np.abs(a.mean(axis=0) - b.mean(axis=0)), 4 * error)


def test_ranks_of_the_truth_among_draws_are_uniform():
    """Simulation-based calibration (Talts et al. 2018): Σ from its prior, gaps at random given y1.

    The prior of β is flat; the posterior of β - β_true depends on no β, so its ranks are uniform
    for any true value.
    """
    n, T, trials, draws = 16, 2, 256, 63
    rng = np.random.default_rng(11)
    prior = InverseWishart(6.0, np.array([[[3.0, 1.5], [1.5, 3.0]]]))
    U = np.column_stack([np.ones(n), np.arange(n) % 2])
    X, truth = saturated(U, T), np.array([1.0, -2.0, 3.0, 0.5])
    ranks = []
    for k in range(trials):
        Sigma = stats.invwishart(6, prior.scale[0]).rvs(random_state=rng)
        Y = X @ truth + rng.multivariate_normal(np.zeros(T), Sigma, n)
        Y[Y[:, 0] < np.quantile(Y[:, 0], 0.4), 1] = np.nan
        found = gibbs(Y, X, np.zeros(n, int), draws=draws, seed=k, start=np.eye(T)[None],
                      chains=draws, burn_in=24, thin=1, prior=prior)  # fmt: skip
        lower = np.tril_indices(T)
        own = np.concatenate([found.beta, found.Sigma[:, 0][:, *lower]], axis=1)
        ranks.append((own < np.concatenate([truth, Sigma[lower]])).sum(axis=0))
    for column in np.array(ranks).T:
        counts = np.bincount(column // 8, minlength=8)
        assert stats.chisquare(counts).pvalue > SMALLEST_P


def test_dropout_does_not_slow_the_chains():
    """What is missing after the last visit is integrated out: draws are all but independent."""
    T, (U, Y) = 4, trial(150, 4, seed=15, dropout=0.3)
    assert np.isnan(Y[:, -1]).mean() > 0.35
    found = gibbs(Y, saturated(U, T), np.zeros(150, int), draws=4000, seed=1,
                  start=4 * np.eye(T)[None], thin=1)  # fmt: skip
    # a sampler that fills every gap carries 0.39 of the last variance from sweep to sweep, the
    # share that is missing; a correlation over 4,000 draws is known to 0.016
    assert found.diagnostics()["autocorrelation"].max() < 0.06 + 4 * 0.016


def test_the_antidepressant_trial_is_sampled_about_its_reml_fit(study_data, reference):
    """Posterior means near the REML estimate of the same model; chains that have settled."""
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    wide = data.pivot_table(index="PATIENT", columns="VISIT", values="CHANGE")
    who = data.drop_duplicates("PATIENT").set_index("PATIENT").loc[wide.index]
    U = np.column_stack([np.ones(len(who)), who["BASVAL"], who["THERAPY"] == "DRUG"])
    found = gibbs(wide.to_numpy(), saturated(U, 4), np.zeros(len(who), int), draws=1000, seed=12,
                  start=wide.cov().to_numpy()[None])  # fmt: skip
    # at_reml_optimum of rbmi/quickstart_condmean_jackknife.json: DRUG - PLACEBO at visit 7, MAR;
    # with flat priors the posterior mean of a contrast differs from REML by far less than its
    # Monte Carlo error
    drug = found.beta[:, 11]
    assert abs(drug.mean() + 2.80183358) < 4 * drug.std(ddof=1) / np.sqrt(1000)
    table = found.diagnostics(visits=wide.columns)
    assert (table["r_hat"] < 1.01).all()
    assert (table["effective_size"] > 800).all()
    assert (table["autocorrelation"].abs() < 0.05).all()
    assert table["quantity"].tolist()[-2:] == ["cov(6, 7)", "var(7)"]
    assert found.unsettled().empty


@pytest.fixture(scope="module")
def small():
    U, Y = trial(30, 3, seed=13, gaps=0.1)
    return Y, saturated(U, 3), np.zeros(30, int)


def test_the_same_seed_gives_the_same_draws_and_more_draws_go_on(small):
    how = {"start": 4 * np.eye(3)[None], "chains": 5, "burn_in": 3, "thin": 2}
    few, many = gibbs(*small, draws=12, seed=1, **how), gibbs(*small, draws=30, seed=1, **how)
    other = gibbs(*small, draws=12, seed=np.random.SeedSequence(2), **how)
    np.testing.assert_array_equal(few.beta, many.beta[:12])
    np.testing.assert_array_equal(few.Sigma, many.Sigma[:12])
    assert not np.array_equal(few.beta, other.beta)
    # the kept sweeps are the 5th, 7th, ... and chains of one sweep stand together
    np.testing.assert_array_equal(many.beta[:5], many.trace.beta[4])
    frame = many.trace_frame()
    assert len(frame) == 15 * (9 + 6) * 5  # sweeps × coefficients and (co)variances × chains
    assert frame.query("burn_in")["sweep"].max() == 3


def test_chains_that_have_not_settled_are_named(small):
    found = gibbs(
        *small, draws=40, seed=1, start=1e8 * np.eye(3)[None], chains=4, burn_in=0, thin=1
    )
    assert "var(1)" in set(found.unsettled()["quantity"])
    lone = gibbs(*small, draws=1, seed=1, start=np.eye(3)[None], chains=1)
    assert len(lone.diagnostics()) == 15


def test_a_subject_without_observation_changes_nothing(small):
    Y, X, group = small
    how = {"draws": 10, "seed": 1, "start": 4 * np.eye(3)[None]}
    empty = np.vstack([Y, np.full((1, 3), np.nan)])
    more = gibbs(empty, np.concatenate([X, X[:1]]), np.append(group, 0), **how)
    np.testing.assert_array_equal(more.beta, gibbs(Y, X, group, **how).beta)


def test_a_lone_visit_is_a_covariance_of_one():
    U, Y = trial(30, 1, seed=14)
    found = gibbs(Y, saturated(U, 1), np.zeros(30, int), draws=50, seed=1, start=np.eye(1)[None])
    assert found.Sigma.shape == (50, 1, 1, 1)
    assert (found.Sigma > 0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"draws": 0}, "draws: found 0, expected a whole number, at least 1"),
        ({"thin": 2.5}, "thin: found 2.5, expected a whole number"),
        ({"burn_in": 2.5}, "burn_in: found 2.5, expected a whole number"),
        ({"chains": 0}, "chains: found 0"),
        ({"burn_in": -1}, "burn_in: found -1"),
        ({"start": np.eye(3)}, r"start: found an array of shape \(3, 3\), expected \(1, 3, 3\)"),
        ({"start": -np.eye(3)[None]}, "not positive definite"),
    ],
)
def test_a_wrong_argument_is_refused(small, given, message):
    with pytest.raises(UsageError, match=message):
        gibbs(*small, **{"draws": 5, "seed": 1, "start": np.eye(3)[None], **given})


def test_data_that_do_not_determine_the_model_are_refused(small):
    Y, X, group = small
    how = {"draws": 5, "seed": 1, "start": np.eye(3)[None]}
    with pytest.raises(DataError, match=r"10 columns, but .* columns 9 .* combinations"):
        gibbs(Y, np.concatenate([X, X[:, :, :1]], axis=2), group, **how)
    with pytest.raises(DataError, match="infinite covariate, the first that of subject 0"):
        gibbs(Y, np.where(np.arange(9) == 4, np.nan, X), group, **how)
    sparse = Y.copy()
    sparse[5:, 2] = np.nan
    with pytest.raises(DataError, match=r"observed at both visits 1 and 3, and the mean has 3"):
        gibbs(sparse, X, group, **how)
    weak = InverseWishart.around(np.eye(3)[None])
    assert np.isfinite(gibbs(sparse, X, group, prior=weak, **how).Sigma).all()
