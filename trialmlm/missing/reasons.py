"""Why subjects left: from a column, or from a frame of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from trialmlm.missing.observed import Observed

#: of a subject who left without one
NOT_GIVEN: Final = "not given"


def reasons_of(
    function: str,
    data: pd.DataFrame,
    seen: Observed,
    subject: str,
    reason: str | pd.DataFrame | None,
) -> pd.Series:
    """Each subject's reason, in the order of ``seen.subjects``.

    Those who left without one get :data:`NOT_GIVEN`, those who stayed ''.

    Raises
    ------
    UsageError
        If the column is not there, or the frame is not of a subject and a reason.
    DataError
        If a subject has several reasons, or is not in the data.
    """
    if reason is None:
        return pd.Series("", index=seen.subjects).mask(seen.left, NOT_GIVEN)
    frame = _frame(function, data, subject, reason)
    name = next(column for column in frame.columns if column != subject)
    said = frame[frame[name].notna() & frame[name].ne("")].drop_duplicates()
    twice = said[subject].duplicated(keep=False)
    if twice.any():
        msg = f"{function}: subjects with several values of {name}; expected one reason each"
        raise DataError(msg, said[twice])
    unknown = ~said[subject].isin(seen.subjects)
    if unknown.any():
        msg = (
            f"{function}: reasons for {int(unknown.sum()):,} subjects of whom the data have no "
            "row; leave them out, or give each a row with a missing value"
        )
        raise DataError(msg, said[unknown])
    found = said.set_index(subject)[name].astype(str).reindex(seen.subjects)
    return found.fillna("").mask(seen.left & found.isna().to_numpy(), NOT_GIVEN)


def _frame(
    function: str, data: pd.DataFrame, subject: str, reason: str | pd.DataFrame
) -> pd.DataFrame:
    """The columns of subject and reason."""
    if isinstance(reason, pd.DataFrame):
        others = [name for name in reason.columns if name != subject]
        if subject not in reason.columns or len(others) != 1:
            msg = (
                f"{function}: reason= is a frame of {', '.join(map(str, reason.columns))}; "
                f"expected two columns, {subject} and the reason"
            )
            raise UsageError(msg)
        return reason
    if reason not in data.columns:
        listed = ", ".join(map(str, data.columns))
        msg = f"{function}: the data have no column {reason!r}; they have {listed}"
        raise UsageError(msg)
    return data[[subject, reason]]
