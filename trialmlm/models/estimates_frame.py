"""Estimates under labels, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.inference.contrasts import Estimates

_COLUMNS = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")


def labelled(labels: Mapping[str, Sequence[Any]], found: Estimates) -> pd.DataFrame:
    """The labels' columns, then estimate, std_error, df, ci_low, ci_high, statistic, p_value."""
    return pd.DataFrame({**labels, **{name: getattr(found, name) for name in _COLUMNS}})
