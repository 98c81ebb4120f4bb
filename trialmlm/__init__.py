"""Longitudinal analysis of clinical trials: protocol file in, regulatory tables out.

Every public name is loaded when it is first asked for, so that ``import trialmlm`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trialmlm._version import __version__

if TYPE_CHECKING:
    from trialmlm.batch.run import run
    from trialmlm.missing.carry_forward import carry_forward
    from trialmlm.missing.completers import completers
    from trialmlm.models.ancova import ancova
    from trialmlm.models.by_groups import by_groups
    from trialmlm.models.clda import clda
    from trialmlm.models.compare import compare
    from trialmlm.models.gatekeeping import graphical_test
    from trialmlm.models.ladder import Step, mmrm_ladder
    from trialmlm.models.likelihood_ratio import likelihood_ratio
    from trialmlm.models.lmm import lmm
    from trialmlm.models.load_fit import load_fit
    from trialmlm.models.mmrm import mmrm
    from trialmlm.protocol.load import load_protocol

_PUBLIC = {
    "Step": "trialmlm.models.ladder",
    "ancova": "trialmlm.models.ancova",
    "by_groups": "trialmlm.models.by_groups",
    "carry_forward": "trialmlm.missing.carry_forward",
    "compare": "trialmlm.models.compare",
    "clda": "trialmlm.models.clda",
    "completers": "trialmlm.missing.completers",
    "graphical_test": "trialmlm.models.gatekeeping",
    "likelihood_ratio": "trialmlm.models.likelihood_ratio",
    "lmm": "trialmlm.models.lmm",
    "load_fit": "trialmlm.models.load_fit",
    "load_protocol": "trialmlm.protocol.load",
    "mmrm": "trialmlm.models.mmrm",
    "mmrm_ladder": "trialmlm.models.ladder",
    "run": "trialmlm.batch.run",
}

__all__ = [
    "Step",
    "__version__",
    "ancova",
    "by_groups",
    "carry_forward",
    "clda",
    "compare",
    "completers",
    "graphical_test",
    "likelihood_ratio",
    "lmm",
    "load_fit",
    "load_protocol",
    "mmrm",
    "mmrm_ladder",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module 'trialmlm' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
