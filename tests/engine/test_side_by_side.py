"""Small matrices side by side against LAPACK, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from trialmlm.engine.side_by_side import cholesky, congruent, inverses


@pytest.mark.parametrize("r", [1, 2, 3, 5])
def test_factors_and_inverses_are_lapack_s(r):
    rng = np.random.default_rng(r)
    half = rng.normal(size=(7, r, r))
    A = half @ half.swapaxes(1, 2) + np.eye(r)
    L = cholesky(A.transpose(1, 2, 0))
    np.testing.assert_allclose(L.transpose(2, 0, 1), np.linalg.cholesky(A), atol=1e-13)
    np.testing.assert_allclose(inverses(L).transpose(2, 0, 1), np.linalg.inv(A), atol=1e-13)


@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan])
def test_one_matrix_that_is_not_positive_definite_is_enough(bad):
    A = np.repeat(np.eye(2)[:, :, None], 3, axis=2)
    A[1, 1, 2] = bad
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        cholesky(A)


def test_congruence_is_taken_matrix_by_matrix():
    rng = np.random.default_rng(4)
    A, F = rng.normal(size=(3, 3, 5)), rng.normal(size=(3, 2))
    A = A + A.swapaxes(0, 1)
    for i in range(5):
        np.testing.assert_allclose(congruent(F, A)[:, :, i], F.T @ A[:, :, i] @ F, atol=1e-13)
