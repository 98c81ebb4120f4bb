"""The grid of subjects × visits that imputation works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.arrays import Array, BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Every subject at every visit, whether or not it was observed there.

    Attributes
    ----------
    subjects : Index, length n
        Labels, sorted.
    visits : Index, length T
        Labels in order.
    arms : tuple of str
        Labels; the first is the reference level of models.
    arm : ndarray of int, shape (n,)
        Each subject's arm, an index of `arms`.
    Y : ndarray, shape (n, T)
        The response in its own unit, NaN where it was not observed or is set aside.
    frame : DataFrame
        n·T rows, subject by subject and visit by visit; covariates everywhere, the response as Y.
    names : Names
        What the frame calls subject, visit, arm and response.
    aside : ndarray of bool, shape (n, T), or None
        Where a value was observed that is missing now; None where nothing was set aside.
    varying : frozenset of str
        Columns that differ between imputations made elsewhere, and are not in the frame.
    """

    subjects: pd.Index
    visits: pd.Index
    arms: tuple[str, ...]
    arm: IntArray
    Y: Array
    frame: pd.DataFrame
    names: Names
    aside: BoolArray | None = None
    varying: frozenset[str] = frozenset()

    @property
    def missing(self) -> BoolArray:
        """Where a value is to be imputed, n × T."""
        found: BoolArray = np.isnan(self.Y)
        return found

    @property
    def set_aside(self) -> int:
        """How many values were observed, and are missing now."""
        return 0 if self.aside is None else int(self.aside.sum())

    def without(self, cells: BoolArray) -> Layout:
        """With the values of some cells (n × T) set aside, as though they had not been observed."""
        left = np.where(cells, np.nan, self.Y)
        frame = self.frame.assign(**{self.names.response: left.ravel()})
        lost = cells & ~self.missing
        aside = lost if self.aside is None else self.aside | lost
        return replace(self, Y=left, frame=frame, aside=aside)


@dataclass(frozen=True, slots=True)
class Names:
    """What the columns of a frame are called."""

    subject: str
    visit: str
    arm: str
    response: str
