"""Estimates under labels, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from trialmlm.inference.contrasts import Estimates

_COLUMNS = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")


def check_apart(names: Iterable[str], columns: Collection[str]) -> None:
    """Refuse a column of the data whose name a result has too: one would hide the other.

    Raises
    ------
    UsageError
    """
    for name in names:
        if name in columns:
            msg = f"the result has a column {name} of its own; rename that of the data"
            raise UsageError(msg)


def labelled(labels: Mapping[str, Sequence[Any]], found: Estimates) -> pd.DataFrame:
    """The labels' columns, then estimate, std_error, df, ci_low, ci_high, statistic, p_value.

    Raises
    ------
    UsageError
        If a label is one of these.
    """
    check_apart(labels, _COLUMNS)
    return pd.DataFrame({**labels, **{name: getattr(found, name) for name in _COLUMNS}})
