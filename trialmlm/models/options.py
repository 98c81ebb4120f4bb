"""Options and notes that the mixed models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.inference.register import DF_METHODS

if TYPE_CHECKING:
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.variables import Variable


def check_options(df: str, information: str, vcov: str | None, *, reml: bool) -> None:
    """Refuse an option that is unknown, or that this version does not build.

    Raises
    ------
    UsageError, NotAvailableError
    """
    if df not in DF_METHODS:
        msg = f"df: found {df!r}, expected one of {', '.join(DF_METHODS)}"
        raise UsageError(msg)
    if information not in {"observed", "expected"}:
        msg = f"information: found {information!r}, expected 'observed' or 'expected'"
        raise UsageError(msg)
    if df.startswith("kenward-roger") and not reml:
        raise UsageError("df: Kenward-Roger is defined for REML; use df='satterthwaite' under ML")
    if vcov is not None:
        raise NotAvailableError("vcov: sandwich covariances are not available in this version")


def rows_not_used(frame: ModelFrame, data: pd.DataFrame, subjects: Variable) -> tuple[str, ...]:
    """How many rows and subjects of the data given are not used, and why."""
    lost = frame.n_read - frame.rows.size
    if not lost:
        return ()
    why = ", ".join(f"{name} missing in {count:,}" for name, count in frame.absent.items())
    notes = [f"{lost:,} of {frame.n_read:,} rows not used: {why}"]
    unused = np.ones(frame.n_read, dtype=bool)
    unused[frame.rows] = False
    names = data[subjects.name].array[unused]
    gone = len({name for name in names if not pd.isna(name)}.difference(subjects.levels or ()))
    if gone:
        notes.append(f"{gone:,} subjects have no complete row and are not used")
    return tuple(notes)
