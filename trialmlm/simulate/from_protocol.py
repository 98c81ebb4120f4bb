"""The data that a protocol asks to be simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.simulate.designs import find_design
from trialmlm.simulate.trial import simulate_trial

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trialmlm.protocol.header import Simulation
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design
    from trialmlm.simulate.trial import SimulatedTrial


def simulate_protocol(
    protocol: Protocol,
    *,
    out: str | Path,
    scenario: str | None = None,
    seed: int | None = None,
    sizes: int | Sequence[int] | None = None,
) -> SimulatedTrial:
    """Simulate a protocol's data and write them.

    Parameters
    ----------
    protocol : Protocol
        With a section ``simulation:``.
    out : str or Path
        The folder of the data sets.
    scenario, seed : str, int, optional
        By default the protocol's.
    sizes : int or sequence of two int, optional
        Subjects in all, or those of each arm; by default the scenario's.

    Returns
    -------
    SimulatedTrial
        What was written.

    Raises
    ------
    UsageError
        The protocol asks for no simulation or has other arms than the simulator, or the scenario,
        seed, sizes or folder are none.
    """
    asked, design = asked_of(protocol)
    trial = simulate_trial(
        asked.scenario if scenario is None else scenario,
        asked.seed if seed is None else seed,
        sizes,
        design.name,
    )
    trial.write(out)
    return trial


def asked_of(protocol: Protocol) -> tuple[Simulation, Design[Any, Any]]:
    """Return what a protocol asks to be simulated, and the design it is of.

    Raises
    ------
    UsageError
        It asks for no simulation, or for a design that is none or has other arms.
    """
    asked = protocol.simulation
    if asked is None:
        raise UsageError(
            f"{protocol.header.id}: the protocol does not say how its data are simulated. Add "
            "simulation: {scenario: default, seed: 1}, or give it collected data (--data)"
        )
    if protocol.header.data_origin != "simulated":
        raise UsageError(
            f"{protocol.header.id}: data_origin is {protocol.header.data_origin}, and simulated "
            "data must be labelled so. Set data_origin: simulated"
        )
    design = find_design(asked.design)
    _check_arms(protocol, design)
    return asked, design


def _check_arms(protocol: Protocol, design: Design[Any, Any]) -> None:
    held = [arm.value for arm in protocol.ordered_arms.values()]
    if sorted(held) != sorted(design.arms):
        raise UsageError(
            f"{protocol.header.id}: found the arms {', '.join(held) or 'none'}, and simulated data "
            f"have the arms {', '.join(design.arms)}. Give the arms these values"
        )
