"""Rows that the fit did not see, as rows of its design."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import variable

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.variables import Variable
    from trialmlm.models.mmrm import MmrmFit


def design_rows(coding: Coding, new: pd.DataFrame) -> Array:
    """The fixed part's columns on new rows, len(new) × columns.

    Raises
    ------
    UsageError
        If `new` is no data frame, or a column of the fixed part is missing, or has missing values.
    FitError
        At a level that the fit did not see.
    """
    if not isinstance(new, pd.DataFrame):
        msg = f"predict: found {type(new).__name__}, expected a pandas DataFrame of new rows"
        raise UsageError(msg)
    for name in sorted(coding.variables):
        if name not in new.columns or new[name].isna().any():
            msg = f"predict: {name} is missing or has missing values in the new rows"
            raise UsageError(msg)
    return coding.matrix({name: variable(new[name]) for name in coding.variables}, len(new))


def visit_codes(fit: MmrmFit, new: pd.DataFrame) -> IntArray:
    """Which visit of the fit each new row is at.

    Raises
    ------
    UsageError
        If a column of the visit is missing.
    FitError
        At a visit that the fit did not see.
    """
    columns = [_column(new, name, "the visit").tolist() for name in fit.term.visit]
    keys: list[Any] = columns[0]
    if fit.occasions.shape is not None:
        keys = [" ".join(map(level_text, pair)) for pair in zip(*columns, strict=True)]
    elif len(columns) > 1:
        keys = list(zip(*columns, strict=True))
    found = _codes(fit.visits, keys)
    if (found < 0).any():
        unseen = keys[int(np.argmin(found))]
        msg = f"predict: {fit.visits.name} has {unseen!r}, a visit the model was not fitted on"
        raise FitError(msg)
    return found


def subject_codes(fit: MmrmFit, new: pd.DataFrame) -> IntArray:
    """Which subject of the fit each new row is of; −1 for none of them.

    Raises
    ------
    UsageError
        If the column of the subject is missing.
    """
    return _codes(fit.subjects, _column(new, fit.subjects.name, "the subject").tolist())


def group_codes(fit: MmrmFit, new: pd.DataFrame) -> IntArray:
    """Which covariance group each new row is of.

    Raises
    ------
    UsageError
        If the column of the group is missing.
    FitError
        At a level that the fit did not see.
    """
    if fit.group is None:
        return np.zeros(len(new), dtype=np.intp)
    values = _column(new, fit.group.name, "the group of the covariance").tolist()
    found = _codes(fit.group, values)
    if (found < 0).any():
        unseen = values[int(np.argmin(found))]
        msg = f"predict: {fit.group.name} has {unseen!r}, which the model was not fitted on"
        raise FitError(msg)
    return found


def root_weights(fit: MmrmFit, new: pd.DataFrame) -> Array:
    """√w of each new row; 1 in a model without weights.

    Raises
    ------
    UsageError
        If the column of the weights is missing, or one is not above zero.
    """
    name = fit.options.weights
    if name is None:
        return np.ones(len(new))
    values = _column(new, name, "the weight").to_numpy(dtype=float)
    if not (values > 0.0).all():
        msg = f"predict: {name}, the weight, is not above zero in all the new rows"
        raise UsageError(msg)
    found: Array = np.sqrt(values)
    return found


def _column(new: pd.DataFrame, name: str, what: str) -> pd.Series:
    if name not in new.columns:
        msg = f"predict: the new rows need {name}, {what}, for what is asked"
        raise UsageError(msg)
    return new[name]


def _codes(of: Variable, values: list[Any]) -> IntArray:
    """The code of each value among the levels; −1 for one that is none of them."""
    place: dict[Any, int] = {level: code for code, level in enumerate(of.levels or ())}
    return np.array([place.get(value, -1) for value in values], dtype=np.intp)
