"""Simulated trials: FVC decline in idiopathic pulmonary fibrosis, observed and latent."""

from trialmlm.simulate.from_protocol import simulate_protocol
from trialmlm.simulate.scenarios import SCENARIOS
from trialmlm.simulate.trial import SimulatedTrial, simulate_course, simulate_trial

__all__ = [
    "SCENARIOS",
    "SimulatedTrial",
    "simulate_course",
    "simulate_protocol",
    "simulate_trial",
]
