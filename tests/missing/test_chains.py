"""Diagnostics of chains tell settled from unsettled ones."""

from __future__ import annotations

import numpy as np
import pytest

from trialmlm.missing.chains import autocorrelation, effective_size, r_hat


def autoregressive(rho, sweeps=2000, chains=8, seed=1):
    rng = np.random.default_rng(seed)
    draws = np.empty((sweeps, chains, 1))
    draws[0] = rng.normal(size=(chains, 1))
    for s in range(1, sweeps):
        draws[s] = rho * draws[s - 1] + np.sqrt(1 - rho**2) * rng.normal(size=(chains, 1))
    return draws


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5, 0.8])
def test_an_autoregressive_chain_is_worth_its_known_share(rho):
    draws = autoregressive(rho)
    # N(1 - ρ)/(1 + ρ); the estimate itself varies by some 5 % with 16,000 draws
    assert effective_size(draws)[0] == pytest.approx(16_000 * (1 - rho) / (1 + rho), rel=0.12)
    assert autocorrelation(draws, 3)[0] == pytest.approx(rho**3, abs=0.03)
    assert r_hat(draws)[0] == pytest.approx(1.0, abs=0.01)


def test_chains_that_differ_in_place_or_spread_are_told():
    draws = autoregressive(0.0, sweeps=200)
    shifted, wider = draws.copy(), draws.copy()
    shifted[:, 0] += 2
    wider[:, 0] *= 5
    drifting = draws + np.linspace(0, 2, 200)[:, None, None]
    assert min(r_hat(each)[0] for each in (shifted, wider, drifting)) > 1.04
    assert effective_size(shifted)[0] < 0.2 * effective_size(draws)[0]


def test_what_does_not_vary_or_is_too_short_has_no_diagnostics():
    constant = np.ones((10, 3, 1))
    assert np.isnan(r_hat(constant)).all()
    assert np.isnan(effective_size(constant)).all()
    assert np.isnan(autocorrelation(constant, 1)).all()
    assert np.isnan(autocorrelation(constant, 10)).all()
    assert effective_size(constant[:3])[0] == 9
    assert np.isnan(r_hat(constant[:2])).all()
