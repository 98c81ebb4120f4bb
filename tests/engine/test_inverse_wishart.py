"""Draws of the inverse Wishart distribution, whole and visit by visit, have its moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trialmlm.engine.inverse_wishart import (
    InverseWishart,
    draw_from_monotone,
    draw_inverse_wishart,
)

PSI, DF, DRAWS = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]]), 14.0, 20_000


def whole(rng):
    return draw_inverse_wishart(rng, np.array(DF), np.broadcast_to(PSI, (DRAWS, 3, 3)))


def by_visit(rng):
    return draw_from_monotone(rng, np.full(3, DF), np.broadcast_to(PSI, (DRAWS, 3, 3, 3)))


@pytest.mark.parametrize("draw", [whole, by_visit])
def test_draws_have_the_distribution_of_scipy(draw):
    found = draw(np.random.default_rng(1))
    theirs = stats.invwishart(DF, PSI)
    error = found.std(axis=0) / np.sqrt(DRAWS)
    np.testing.assert_array_less(np.abs(found.mean(axis=0) - theirs.mean()), 4 * error)
    squares = (found - theirs.mean()) ** 2
    error = squares.std(axis=0) / np.sqrt(DRAWS)
    np.testing.assert_array_less(np.abs(squares.mean(axis=0) - theirs.var()), 4 * error)
    sample = theirs.rvs(4000, random_state=2)
    for pick in (np.linalg.det, lambda S: S[:, 0, 2] / np.sqrt(S[:, 0, 0] * S[:, 2, 2])):
        assert stats.ks_2samp(pick(found), pick(sample)).pvalue > 1e-3


def test_the_weak_prior_has_the_mean_it_is_built_around():
    prior = InverseWishart.around(PSI[None])
    assert prior.df == 5
    np.testing.assert_allclose(stats.invwishart(prior.df, prior.scale[0]).mean(), PSI)
