"""What a simulated trial comes to for an analysis: values, who was seen, and what they were on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A subject's level of something, as a model takes it: codes of sorted levels."""

    codes: Whole
    levels: tuple[str, ...]


def factor(values: NDArray[np.object_]) -> Factor:
    """Code texts by their sorted levels."""
    levels, codes = np.unique(values.astype(str), return_inverse=True)
    return Factor(codes, tuple(map(str, levels)))


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """A trial in one world; visits are rows, baseline the first, and subjects are columns.

    Attributes
    ----------
    arm : ndarray of int, shape (n,)
        0 placebo, 1 active.
    days : ndarray of int, shape (visits, n)
        Since first dose.
    value : ndarray of float, shape (visits, n)
        What is measured, or would be had the subject been there.
    observed : ndarray of bool, shape (visits, n)
        Whether the visit takes place.
    on_drug : ndarray of bool, shape (visits, n)
        Whether drug has not been stopped before, had nobody died or left.
    alive : ndarray of bool, shape (visits, n)
    stop_day, death_day : ndarray of float, shape (n,)
        Days from first dose to the stop of drug, and to death; infinite where there is none.
    covariates : mapping of str to Factor or ndarray of shape (n,)
        What models adjust for, under the names the data sets give it.
    """

    arm: Whole
    days: Whole
    value: Numbers
    observed: Flags
    on_drug: Flags
    alive: Flags
    stop_day: Numbers
    death_day: Numbers
    covariates: Mapping[str, Factor | Numbers]
