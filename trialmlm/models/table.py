"""Variables as data again, for models of the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.formula.variables import Variable


def table_of(variables: Mapping[str, Variable]) -> pd.DataFrame:
    """The columns of the rows used, as data."""
    return pd.DataFrame({name: _column(one) for name, one in variables.items()})


def _column(one: Variable) -> Any:
    if one.levels is None:
        return one.numbers()
    return pd.Categorical.from_codes(one.codes.tolist(), pd.Index(one.levels))
