"""What is added to imputed values, as a user says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.imputation import Imputation

#: a number for every imputed value, or one by arm; None for nothing
Delta: TypeAlias = "float | Mapping[str, float] | None"


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """An amount for every imputed value, (k,), and how to say it."""

    amounts: Array
    words: str


def read_shift(delta: Any, imputation: Imputation) -> Shift:
    """The amount for each imputed value."""
    completions, layout = imputation.completions, imputation.layout
    if delta is None:
        return Shift(np.zeros(completions.subject.size), "")
    if isinstance(delta, Real):
        delta = dict.fromkeys(layout.arms, float(delta))
    if not isinstance(delta, Mapping):
        raise UsageError("delta")
    made = np.array([float(delta.get(arm, 0.0)) for arm in layout.arms])
    return Shift(made[layout.arm[completions.subject]], str(dict(delta)))
