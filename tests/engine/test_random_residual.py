"""Random effects beside a residual covariance: the engine against the dense oracle."""

from __future__ import annotations

import numpy as np
import pytest
from dense_random import DenseRandom
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.covariance.register import FAMILIES, SPATIAL
from trialmlm.engine.identified_effects import identify_effects, random_residual

#: structures over visits in which a random slope on own times can be told from the residual
OVER_VISITS = ("us", "csh", "ar1", "ar1h", "toep", "toeph", "adh", "diag", "id", "cs")


def rows(seed: int, n: int = 16, T: int = 4):
    """Subjects with some of the visits missing, two groups, and times of their own."""
    rng = np.random.default_rng(seed)
    present = rng.random((n, T)) < 0.8
    present[:, 0] = True
    present[:3] = True
    subject, visit = np.nonzero(present)
    time = visit + rng.uniform(-0.3, 0.3, visit.size)
    arm = (subject % 2).astype(float)
    X = np.column_stack([np.ones(visit.size), time, arm, arm * time])
    b = rng.normal(size=(n, 2)) * [1.0, 0.5]
    y = 3.0 + b[subject, 0] + (1.0 + b[subject, 1]) * time + rng.normal(size=visit.size)
    return present, subject, visit, time, X, y


def likelihood(seed, structure, *, reml, grouped=False, slope_only=False, correlated=True):
    present, subject, visit, time, X, y = rows(seed)
    n, T = present.shape
    Z = time[:, None] if slope_only else np.column_stack([np.ones(time.size), time])
    codes = np.arange(n) % 2 if grouped else np.zeros(n, dtype=int)
    members = tuple(codes == g for g in range(codes.max() + 1))
    if structure in SPATIAL:
        table = np.zeros((n, T))
        table[subject, visit] = time
        apart = np.abs(table[:, :, None] - table[:, None, :])
        families = [SPATIAL[structure](apart[own]) for own in members]
    else:
        families = [FAMILIES[structure](T) for _ in members]
    effects = identify_effects(Z, present, families, members, correlated=correlated)
    found = random_residual(X, y, present, effects, families, members, reml=reml)
    return found, effects, (subject, visit, codes[subject], time)


def dense_of(found, theta, structure, places, *, reml):
    """The oracle on the same standardised rows and coordinates: its θ are the natural ones."""
    subject, visit, group, time = places
    at = found.data.present
    of_G = found.effects_family
    directions = of_G.tangent(found.of_effects(theta))
    G = of_G.sigma(found.of_effects(theta))
    own = np.array([[(d * G).sum() / (d * d).sum()] for d in directions]).ravel()
    residual = [family.natural(part) for part, family, _ in found.groups(theta)]
    return DenseRandom(
        X=found.data.X[at],
        y=found.data.y[at],
        subject=subject,
        visit=visit,
        structure=structure,
        theta=np.concatenate([own, *residual]),
        group=group if len(found.families) > 1 else None,
        reml=reml,
        Z=found.Z[at],
        directions=directions,
        row_times=time if structure in SPATIAL else None,
    )


def somewhere(found, seed):
    """A θ that is no optimum."""
    start = found.starts()[0]
    return start + np.random.default_rng(seed).normal(size=start.size) * 0.1


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from([*OVER_VISITS, *SPATIAL]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["both", "slope", "uncorrelated"]),
)
def test_likelihood_and_derivatives_are_the_oracle_s(seed, structure, reml, grouped, effects):
    grouped = grouped and structure not in SPATIAL
    found, identified, places = likelihood(
        seed,
        structure,
        reml=reml,
        grouped=grouped,
        slope_only=effects == "slope",
        correlated=effects != "uncorrelated",
    )
    theta = somewhere(found, seed)
    try:
        point = found.evaluate(theta)
    except np.linalg.LinAlgError:
        return  # V is not positive definite there
    dense = dense_of(found, theta, structure, places, reml=reml)
    curve, P = found.natural(theta, point)
    # 1e-8: sums in another order; the oracle's second derivatives are differences good to 1e-9,
    # and are multiplied by a slope of −2l of the size of N
    assert point.deviance == pytest.approx(dense.deviance, rel=1e-10)
    size = np.abs(dense.hessian("expected")).max()
    np.testing.assert_allclose(curve.g, dense.gradient, rtol=1e-8, atol=1e-8 * size)
    np.testing.assert_allclose(curve.H, dense.hessian(), rtol=1e-7, atol=1e-7 * size)
    np.testing.assert_allclose(curve.J, dense.hessian("expected"), rtol=1e-8, atol=1e-8 * size)
    np.testing.assert_allclose(P, dense.P, rtol=1e-8, atol=1e-8 * np.abs(dense.P).max())
    W = np.eye(len(P)) + 0.1
    half = dense.V_inv @ dense.X
    Q = np.einsum("hk,hiq,ij,kjp->qp", W, dense.dV @ half, dense.V_inv, dense.dV @ half)
    R = np.einsum("hk,iq,hkij,jp->qp", W, half, dense.d2V, half)
    np.testing.assert_allclose(found.weighted_Q(theta, point, W), Q, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(
        found.weighted_R(theta, point, W), R, rtol=1e-6, atol=1e-7 * max(1.0, np.abs(R).max())
    )
    assert identified.found.rank == len(P)


@pytest.mark.parametrize("structure", ["us", "ar1h", "toep", "fa", "sp_exp"])
@pytest.mark.parametrize("correlated", [True, False])
def test_the_search_s_derivatives_are_differences_of_the_likelihood(structure, correlated):
    found, _, _ = likelihood(5, structure, reml=True, correlated=correlated)
    theta = somewhere(found, 5)
    curve = found.search(theta, found.evaluate(theta))
    step = 1e-4 * np.eye(theta.size)

    def gradient(x):
        return found.search(x, found.evaluate(x)).g

    def deviance(x):
        return found.evaluate(x).deviance

    g = [(deviance(theta + s) - deviance(theta - s)) / 2e-4 for s in step]
    H = [(gradient(theta + s) - gradient(theta - s)) / 2e-4 for s in step]
    # central differences: truncation 1e-8 of the third derivatives, which are of the size of H
    np.testing.assert_allclose(curve.g, g, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(curve.H, H, rtol=1e-5, atol=1e-6 * np.abs(curve.H).max())


def test_the_overlap_of_one_effect_is_the_condition_of_its_gram_matrix():
    # (1 + ρ)/(1 − ρ) of two directions: the eigenvalues of their scaled Gram matrix are 1 ± ρ
    _, effects, _ = likelihood(2, "us", reml=True, slope_only=True)
    assert effects.overlap == pytest.approx(effects.condition, rel=1e-8)


def test_what_is_redundant_does_not_depend_on_the_origin_or_unit_of_time():
    present, _, _, time, _, _ = rows(3)
    families = [FAMILIES["us"](4)]
    members = (np.ones(len(present), dtype=bool),)
    for shift, unit in ((0.0, 1.0), (2015.0, 1.0), (0.0, 1e9)):
        Z = np.column_stack([np.ones(time.size), (time + shift) * unit])
        found = identify_effects(Z, present, families, members, correlated=True)
        assert found.found.rank == 12  # of 3 + 10
        assert found.aliased.tolist() == [[True, False], [False, False]]
        assert found.aliased_residual.all()
