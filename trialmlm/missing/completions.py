"""Values imputed, many times over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Completions:
    """The missing cells of a `Layout`, filled D times; observed values are not repeated.

    Attributes
    ----------
    subject, visit : ndarray of int, shape (k,)
        The cells: rows and columns of the layout's Y.
    values : ndarray, shape (D, k)
        In the response's unit.
    counts : ndarray of int, shape (D, n), or None
        How often each subject counts in the analysis of each filling: 0 for the one a jackknife
        leaves out, 0, 1, 2, … in a bootstrap; None where everyone counts once.
    """

    subject: IntArray
    visit: IntArray
    values: Array
    counts: IntArray | None = None

    def __len__(self) -> int:
        """D."""
        return len(self.values)

    def only(self, d: int) -> Completions:
        """The filling with index d alone."""
        return self.among(slice(d, d + 1))

    def among(self, some: slice | IntArray) -> Completions:
        """Some of the fillings."""
        counts = None if self.counts is None else self.counts[some]
        return replace(self, values=self.values[some], counts=counts)

    def tables(self, observed: Array) -> Array:
        """The completed tables, D × n × T; `observed` is the layout's Y."""
        made = np.repeat(observed[None, :, :], len(self.values), axis=0)
        made[:, self.subject, self.visit] = self.values
        return made

    def shifted(self, delta: Array) -> Completions:
        """With `delta`, of shape (k,) or (D, k), added to the imputed values."""
        return replace(self, values=self.values + delta)
