"""The designs by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.protocol.names import did_you_mean
from trialmlm.simulate.ipf_fvc.design import IPF_FVC
from trialmlm.simulate.mdd_madrs.design import MDD_MADRS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.simulate.design import Design

DESIGNS: Mapping[str, Design[Any, Any]] = {held.name: held for held in (IPF_FVC, MDD_MADRS)}


def find_design(name: str) -> Design[Any, Any]:
    """Return a design.

    Raises
    ------
    UsageError
        No design has this name.
    """
    if name not in DESIGNS:
        near = did_you_mean(name, DESIGNS)
        raise UsageError(f"found the design {name!r}, expected one of {', '.join(DESIGNS)}{near}")
    return DESIGNS[name]
