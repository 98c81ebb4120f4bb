"""F tests as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.models.estimates_frame import check_apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.inference.method import FTest


def tests_frame(labels: Mapping[str, Sequence[Any]], tests: Sequence[FTest]) -> pd.DataFrame:
    """The labels' columns, then num_df, den_df, statistic, p_value.

    Raises
    ------
    UsageError
        If a label is one of these.
    """
    names = ("num_df", "den_df", "statistic", "p_value")
    check_apart(labels, names)
    values = {name: [getattr(test, name) for test in tests] for name in names}
    return pd.DataFrame({**labels, **values})
