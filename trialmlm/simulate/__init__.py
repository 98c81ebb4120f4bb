"""Simulated trials, observed and latent: a lung disease of a year, a depression of eight weeks."""

from trialmlm.simulate.designs import DESIGNS
from trialmlm.simulate.from_protocol import simulate_protocol
from trialmlm.simulate.trial import SimulatedTrial, simulate_course, simulate_trial

__all__ = [
    "DESIGNS",
    "SimulatedTrial",
    "simulate_course",
    "simulate_protocol",
    "simulate_trial",
]
