"""Covariates as models need them: a blank text is missing, not a level of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pandas.api.types import is_object_dtype, is_string_dtype

from trialmlm.batch.factors import with_factors

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.adam.dataset import Dataset
    from trialmlm.protocol.schema import Protocol


def with_covariates(protocol: Protocol, subjects: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """The records of an analysis set, ready for models: factors by name, blanks missing.

    Raises
    ------
    DataError
        A column of a stratum or of the sites is not there.
    """
    made = with_factors(protocol, subjects, frame)
    return made.assign(
        **{
            str(name): column.mask(column == "")
            for name, column in made.items()
            if is_object_dtype(column) or is_string_dtype(column)
        }
    )
