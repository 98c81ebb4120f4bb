"""Arms: the treatments the protocol knows, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm.

    Attributes
    ----------
    value : str
        What the data hold; a number as text (``54``).
    label : str
        What the outputs print.
    order : float
        Its place among the arms.
    dose : float or None
        For trends over the dose.
    """

    value: str
    label: str
    order: float
    dose: float | None = None


def check_arms(subjects: pd.DataFrame, arm: str, known: Iterable[str]) -> None:
    """Check that every subject is in an arm that the protocol knows.

    Parameters
    ----------
    subjects : DataFrame
        One row per subject; the rows are listed as they stand.
    arm : str
        The column of the arm.
    known : iterable of str
        The values the arms have in the data.

    Raises
    ------
    DataError
        With the rows of the subjects whose arm is unknown or blank.
    """
    values = list(known)
    unknown = ~as_text(subjects[arm]).isin(values)
    if unknown.any():
        raise DataError(
            f"{int(unknown.sum())} subject(s) whose {arm} is no arm of the protocol; "
            f"expected one of {', '.join(map(repr, values))}. Add the arm, correct its value, or "
            "restrict the population to randomised subjects:",
            subjects.loc[unknown],
        )


def in_order(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Return the arms in the protocol's order."""
    return tuple(sorted(arms, key=lambda arm: arm.order))


def ordered(values: pd.Series[Any], arms: Sequence[Arm]) -> pd.Series[Any]:
    """Arms of the rows as an ordered categorical of the data's values, in the protocol's order."""
    levels = [arm.value for arm in in_order(arms)]
    return as_text(values).astype(pd.CategoricalDtype(levels, ordered=True))


def doses(values: pd.Series[Any], arms: Sequence[Arm]) -> pd.Series[float]:
    """Doses of the rows as float64; NaN where the protocol gives none."""
    return as_text(values).map({arm.value: arm.dose for arm in arms}).astype("float64")
