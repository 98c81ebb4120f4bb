"""Simulated trials that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialmlm.protocol import Protocol, load_protocol
from trialmlm.simulate import SimulatedTrial, simulate_trial

#: the protocol that travels with the package
SHIPPED = Path(__file__).parents[2] / "protocols" / "ipf_fvc"


@pytest.fixture(scope="session")
def trial() -> SimulatedTrial:
    """The default scenario, seed 1, all 513 subjects."""
    return simulate_trial("default", 1)


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """The shipped protocol."""
    return load_protocol(SHIPPED)
