"""What is added to imputed values, as a user says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.missing.delta import Delta, DeltaRule, delta_of
from trialmlm.missing.delta_frame import read_delta
from trialmlm.missing.imputed_cells import ImputedCells, number_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.imputation import Imputation

#: a number for every imputed value, or one by arm; a frame; a rule or several; None for nothing
AskedDelta: TypeAlias = (
    "float | Mapping[str, float] | pd.DataFrame | DeltaRule | Sequence[DeltaRule] | None"
)


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """A delta adjustment of an imputation.

    Attributes
    ----------
    imputation : Imputation
    rules : tuple of DeltaRule
    listed : DataFrame or None
        A delta by subject and visit, in place of rules.
    """

    imputation: Imputation
    rules: tuple[DeltaRule, ...]
    listed: pd.DataFrame | None = None

    def added(self, completions: Completions) -> Array:
        """To each imputed value, (k,), or (D, k) where a rule multiplies.

        Raises
        ------
        UsageError, DataError
            As the rules do.
        """
        made = self.imputation
        if self.listed is not None:
            return read_delta(self.listed, made.layout, completions)
        cells = ImputedCells.of(made.layout, completions, made.first_affected, made.reasons)
        return delta_of(self.rules, cells)

    def to(self, completions: Completions) -> Completions:
        """The fillings, shifted."""
        if not self.rules and self.listed is None:
            return completions
        return completions.shifted(self.added(completions))

    @property
    def notes(self) -> tuple[str, ...]:
        """That nothing is shifted though it was asked for."""
        asked = bool(self.rules) or self.listed is not None
        if not asked or self.added(self.imputation.completions).any():
            return ()
        return ("delta: none of the imputed values is shifted; no event or cell is one it names",)

    def __str__(self) -> str:
        if self.listed is not None:
            return f"{len(self.listed):,} values listed by subject and visit"
        return "; ".join(map(str, self.rules)) or "none"


def read_shift(delta: AskedDelta, imputation: Imputation) -> Shift:
    """Read what is to be added, and check it on the fillings there are.

    Raises
    ------
    UsageError, DataError
        If it is none of what is known, or names what the data do not have.
    """
    if isinstance(delta, pd.DataFrame):
        made = Shift(imputation, (), delta)
    else:
        made = Shift(imputation, _rules(delta))
    made.added(imputation.completions)
    return made


def _rules(delta: AskedDelta) -> tuple[DeltaRule, ...]:
    """Rules, whatever was given."""
    if delta is None:
        return ()
    if isinstance(delta, Real) and not isinstance(delta, bool | np.bool_):
        return (Delta(float(delta)),)
    if isinstance(delta, Mapping):
        return tuple(
            Delta(number_of("delta", amount), arms=(arm,)) for arm, amount in delta.items()
        )
    several = (
        tuple(delta) if isinstance(delta, Sequence) and not isinstance(delta, str) else (delta,)
    )
    for rule in several:
        if not hasattr(rule, "added"):
            msg = (
                f"delta: found {rule!r}, expected a number, a mapping of arm to number, a "
                "DataFrame of subject, visit and delta, or rules such as Delta(2, arms=['DRUG'])"
            )
            raise UsageError(msg)
    return several  # type: ignore[return-value]
