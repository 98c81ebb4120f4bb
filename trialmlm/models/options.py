"""Options and notes that the models share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.variables import Variable
    from trialmlm.inference.register import DfMethod


@dataclass(frozen=True, slots=True)
class Options:
    """What a mixed model was asked for beside its formula.

    Attributes
    ----------
    df, information : str
    vcov, weights : str or None
    reml : bool
    """

    df: str = "satterthwaite"
    information: str = "observed"
    vcov: str | None = None
    weights: str | None = None
    reml: bool = True


def check_options(
    options: Options, methods: Mapping[str, DfMethod[Any]], sandwiches: Collection[str] = ()
) -> None:
    """Refuse an option that is unknown, or that this version does not build.

    Parameters
    ----------
    options : Options
    methods : mapping
        The df methods that the model has.
    sandwiches : collection of str
        The covariances in ``vcov=`` that it has.

    Raises
    ------
    UsageError, NotAvailableError
    """
    df, vcov = options.df, options.vcov
    if not isinstance(options.weights, str | None):
        found = type(options.weights).__name__
        msg = f"weights: found {found}, expected the name of a column of the data"
        raise UsageError(msg)
    if not isinstance(options.reml, bool | np.bool_):
        msg = f"reml: found {options.reml!r}, expected True or False"
        raise UsageError(msg)
    if df not in methods:
        _refuse("df", df, methods, REPEATED_DF_METHODS)
    if options.information not in {"observed", "expected"}:
        msg = f"information: found {options.information!r}, expected 'observed' or 'expected'"
        raise UsageError(msg)
    if df.startswith("kenward-roger") and not options.reml:
        raise UsageError("df: Kenward-Roger is defined for REML; use df='satterthwaite' under ML")
    if vcov is not None:
        if vcov not in sandwiches:
            _refuse("vcov", vcov, sandwiches, SANDWICHES)
        if methods[df].own_covariance:
            msg = (
                f"vcov: {vcov} does not go with df={df!r}, which has a covariance of its own; "
                "use df='satterthwaite' or 'between-within' with a sandwich, or leave vcov out"
            )
            raise UsageError(msg)


def _refuse(option: str, found: str, here: Collection[str], elsewhere: Collection[str]) -> None:
    """Say whether a name is unknown, or that of something only other models have."""
    expected = f"expected one of {', '.join(here)}" if here else "leave it out"
    if found in elsewhere:
        msg = f"{option}: {found} is not available for this model in this version; {expected}"
        raise NotAvailableError(msg)
    msg = f"{option}: found {found!r}, {expected}"
    raise UsageError(msg)


def rows_lost(frame: ModelFrame) -> tuple[str, ...]:
    """How many rows of the data given are not used, and why."""
    lost = frame.n_read - frame.rows.size
    if not lost:
        return ()
    why = ", ".join(f"{name} missing in {count:,}" for name, count in frame.absent.items())
    return (f"{lost:,} of {frame.n_read:,} rows not used: {why}",)


def rows_not_used(frame: ModelFrame, subjects: Variable) -> tuple[str, ...]:
    """How many rows and subjects of the data given are not used, and why."""
    notes = list(rows_lost(frame))
    if not notes:
        return ()
    given = frame.given[subjects.name]
    gone = pd.unique(given.values[~given.missing]).size - len(subjects.levels or ())  # noqa: PD011
    if gone:
        notes.append(f"{gone:,} subjects have no complete row and are not used")
    return tuple(notes)


def levels_not_used(frame: ModelFrame, factors: Iterable[str]) -> tuple[str, ...]:
    """The levels of the data given that no row used has, as a visit without any response."""
    if frame.rows.size == frame.n_read:
        return ()
    notes = []
    for name in factors:
        given = frame.given[name]
        there = given.take(np.flatnonzero(~given.missing)).as_factor().levels or ()
        used = frame.variables[name].as_factor().levels or ()
        gone = ", ".join(level_text(level) for level in there if level not in used)
        if gone:
            notes.append(f"{name} {gone}: no complete row, so not in the model")
    return tuple(notes)
