"""The subjects who kept to the protocol, by their population flag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import DataError
from trialmlm.missing.series import require_columns, require_rows

if TYPE_CHECKING:
    import pandas as pd


def per_protocol(
    data: pd.DataFrame, flag: str, *, subject: str, keep: Any = "Y", drop: Any = "N"
) -> pd.DataFrame:
    """The rows of the subjects whose flag says so.

    Parameters
    ----------
    data : DataFrame
    flag : str
        A column constant within subjects, such as ADSL's PPROTFL.
    subject : str
        A column.
    keep, drop : optional
        What the flag says of those in the set, and of those not.

    Returns
    -------
    DataFrame
        All rows of those subjects, as they stand in `data`; ``attrs["per_protocol"]`` counts
        ``kept`` and ``dropped`` subjects.

    Raises
    ------
    UsageError
        If a column is not there.
    DataError
        If the flag is missing, says something else, or varies within a subject; or nobody is
        kept.

    Notes
    -----
    Who keeps to the protocol is known only after randomisation: comparing them by arm is not a
    randomised comparison.

    Examples
    --------
    >>> per_protocol(d, "PPROTFL", subject="USUBJID")  # doctest: +SKIP
    """
    require_columns("per_protocol", data, [flag, subject])
    require_rows("per_protocol", data, [subject, flag])
    strange = ~data[flag].isin([keep, drop])
    if strange.any():
        listed = ", ".join(repr(found) for found in data.loc[strange, flag].unique())
        msg = f"per_protocol: {flag} is {listed}; expected {keep!r} or {drop!r}"
        raise DataError(msg, data.loc[strange, [subject, flag]])
    said = data[[subject, flag]].drop_duplicates()
    twice = said[subject].duplicated(keep=False)
    if twice.any():
        msg = f"per_protocol: {flag} varies within {subject}; expected one value per subject"
        raise DataError(msg, said[twice])
    kept = said[flag].eq(keep)
    if not kept.any():
        msg = f"per_protocol: {flag} is {keep!r} for none of {len(said):,} subjects"
        raise DataError(msg)
    frame = data[data[flag].eq(keep)]
    counts = {"kept": int(kept.sum()), "dropped": int((~kept).sum())}
    frame.attrs = {**data.attrs, "per_protocol": counts}
    return frame
