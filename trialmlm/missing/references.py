"""Which arm stands in for another after an event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.expressions.refusal import did_you_mean
from trialmlm.formula.factor import level_text
from trialmlm.missing.others import and_others

if TYPE_CHECKING:
    from trialmlm.arrays import BoolArray, IntArray
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout

#: of every arm its own, or by arm
References = str | Mapping[str, str]
#: stands for no reference
NONE = -1


def read_references(reference: References | None, layout: Layout) -> IntArray:
    """The reference of every arm, an index of the layout's arms; −1 where there is none.

    Parameters
    ----------
    reference : str or mapping, optional
        One arm for all; or arm to its reference. An arm that is the reference of another is its
        own, unless the mapping says otherwise.
    layout : Layout

    Raises
    ------
    UsageError
        If an arm is not one of the data.
    """
    found = np.full(len(layout.arms), NONE, dtype=np.intp)
    for arm, other in _pairs(reference, layout.arms):
        found[_place(arm, layout.arms)] = _place(other, layout.arms)
    for other in np.unique(found[found != NONE]):
        found[other] = other if found[other] == NONE else found[other]
    return found


def check_references(references: IntArray, layout: Layout, events: Events) -> None:
    """Every strategy that asks for a reference arm must have one, observed at every visit.

    Raises
    ------
    UsageError
        If an arm has no reference where a strategy needs one.
    DataError
        If nothing was observed in a reference arm at a visit.
    """
    needing = _needing(layout, events)
    _check_given(references, layout, events, needing)
    _check_observed(references, layout, events, needing)


def _pairs(reference: References | None, arms: tuple[str, ...]) -> list[tuple[object, object]]:
    if reference is None:
        return []
    if isinstance(reference, Mapping):
        return list(reference.items())
    return [(arm, reference) for arm in arms]


def _place(arm: object, arms: tuple[str, ...]) -> int:
    label = level_text(arm)
    if label not in arms:
        hint = did_you_mean(label, arms)
        msg = f"reference: {label!r} is no arm of the data{hint} (arms: {', '.join(arms)})"
        raise UsageError(msg)
    return arms.index(label)


def _needing(layout: Layout, events: Events) -> BoolArray:
    """The subjects of which something is imputed by a strategy that asks for a reference."""
    asks = np.array([strategy.reference for strategy in events.strategies])
    found: BoolArray = asks[events.strategy] & layout.missing.any(axis=1)
    return found


def _check_given(found: IntArray, layout: Layout, events: Events, needing: BoolArray) -> None:
    without = needing & (found[layout.arm] == NONE)
    if without.any():
        i = int(np.argmax(without))
        arm = layout.arms[layout.arm[i]]
        other = next((label for label in layout.arms if label != arm), "…")
        msg = (
            f"reference: arm {arm} has none, but {events.names()[i]} asks for one (subject "
            f"{layout.subjects[i]}{and_others(int(without.sum()))}); name it, as "
            f"reference={{{arm!r}: {other!r}}}"
        )
        raise UsageError(msg)


def _check_observed(found: IntArray, layout: Layout, events: Events, needing: BoolArray) -> None:
    seen = ~layout.missing & ~events.set_apart(len(layout.visits))
    for other in np.unique(found[layout.arm[needing]]):
        empty = ~seen[layout.arm == other].any(axis=0)
        if empty.any():
            visits = ", ".join(map(str, layout.visits[empty]))
            msg = (
                f"impute: nothing was observed in the reference arm {layout.arms[other]} at "
                f"{visits}, so its mean there is not known; leave the visit out, or name another "
                "reference (values after an event that is not mar do not count)"
            )
            raise DataError(msg)


def check_arm_alone(
    references: IntArray, layout: Layout, events: Events, covariates: Collection[str]
) -> None:
    """The arm must be in the model, and no other covariate may say what the arm is.

    A subject is put into its reference arm by its column of the arm; a covariate that says the
    same would stay behind.

    Raises
    ------
    UsageError
    """
    other = references[layout.arm]
    if not (_needing(layout, events) & (other != layout.arm)).any():
        return
    name = layout.names.arm
    if name not in covariates:
        msg = (
            f"impute: {name} is no term of the model, so a subject would be the same in the "
            f"reference arm; add {name} to the model"
        )
        raise UsageError(msg)
    for covariate in sorted(set(covariates) - {name}):
        if _says_the_arm(layout.frame[covariate], layout):
            msg = (
                f"impute: {covariate} is constant within each arm and differs between them, so it "
                f"says what {name} says; a subject cannot be put into the reference arm by "
                f"{name} alone: write the model with {name} instead"
            )
            raise UsageError(msg)


def _says_the_arm(column: pd.Series, layout: Layout) -> bool:
    codes = pd.factorize(column)[0].reshape(layout.Y.shape)
    own = [np.unique(codes[layout.arm == arm]) for arm in range(len(layout.arms))]
    return all(len(found) == 1 for found in own) and len({int(found[0]) for found in own}) > 1
