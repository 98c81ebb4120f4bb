"""Columns of X that are zero in every row."""

from __future__ import annotations

import numpy as np
import pytest

from trialmlm.engine.design import Design
from trialmlm.engine.summary import summarise


@pytest.mark.parametrize("seed", range(5))
def test_a_column_that_is_zero_at_every_visit_of_everyone_is_aliased(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_visits = 40, 3
    late = (rng.random((n, n_visits)) < 0.4) * np.array([0.0, 1.0, 1.0])
    U = np.column_stack([np.ones(n), rng.normal(size=n), late, late * rng.normal(size=(n, 1))])
    B = np.zeros((n_visits, 8, 8))
    B[:, 0, 0] = B[:, 1, 1] = 1.0
    for visit in range(n_visits):
        B[visit, 2 + visit, 2 + visit] = B[visit, 5 + visit, 5 + visit] = 1.0
    Y, observed = rng.normal(size=(n, n_visits)), rng.random((n, n_visits)) < 0.8
    found = summarise(Design(B, U, np.where(observed, Y, 0.0), observed))
    assert found.basis.aliased.tolist() == [2, 5]
