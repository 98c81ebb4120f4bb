"""Least squares of one design and many responses, against numpy's of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.many_least_squares import FilledResponse, many_least_squares


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    far=st.sampled_from([0.0, 1e4]),
    directions=st.integers(0, 2),
    resampled=st.booleans(),
)
def test_every_filling_is_a_least_squares_fit_of_its_own(
    seed: int, far: float, directions: int, resampled: bool
) -> None:
    rng = np.random.default_rng(seed)
    n, r, D = 30, 3, 5
    Q = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, r - 1))])).Q
    subject = np.sort(rng.choice(n, 7, replace=False))
    observed = far + rng.normal(size=n)
    observed[subject] = 0.0
    values = np.concatenate(
        [far + rng.normal(size=(D, 1, 7)), np.tile(rng.random((1, directions, 7)), (D, 1, 1))],
        axis=1,
    )
    counts = rng.multinomial(n, np.full(n, 1 / n), size=D) if resampled else np.ones((1, n))
    rows = rng.normal(size=(1, 2, r))
    found = many_least_squares(
        Q, rows, counts.astype(float), FilledResponse(observed, subject, values)
    )
    delta = np.array([1.0, 0.7, -0.3])[: 1 + directions]
    for d in range(D):
        count = counts[d if resampled else 0].astype(int)
        y = observed.copy()
        y[subject] = delta @ values[d]
        X, z = np.repeat(Q, count, axis=0), np.repeat(y, count)
        b, rest, *_ = np.linalg.lstsq(X, z, rcond=None)
        variance = rest.item() / (count.sum() - r)
        spread = np.einsum("qr,rs,qs->q", rows[0], np.linalg.inv(X.T @ X), rows[0])
        # values of 1e4 leave 1e-12 of themselves, and 1e-8 of a variance of 1
        np.testing.assert_allclose(delta @ found.estimate[d], rows[0] @ b, rtol=1e-9, atol=1e-9)
        square = np.einsum("mkq,m,k->q", found.square[d], delta, delta)
        np.testing.assert_allclose(square, variance * spread, rtol=1e-7)
        assert found.df[d].tolist() == [count.sum() - r] * 2


def test_a_resample_without_a_column_is_told_by_nan() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat([0.0, 1.0], 5)
    Q = np.linalg.qr(np.column_stack([1.0 - group, group])).Q
    counts = np.stack([np.ones(10), 2.0 * group])
    response = FilledResponse(rng.normal(size=10), np.zeros(0, dtype=np.intp), np.zeros((2, 1, 0)))
    found = many_least_squares(Q, np.eye(2)[None], counts, response)
    assert np.isfinite(found.estimate[0]).all()
    assert np.isnan(found.estimate[1]).all()
    assert np.isnan(found.square[1]).all()
