"""Columns that the data sets of every design share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Texts = NDArray[np.object_]
    Columns = dict[str, Any]

#: what every record of every data set says of itself
ORIGIN = "SIMULATED"


def origin(count: int) -> Columns:
    """Say of every record that it is simulated."""
    return {"ORIGIN": np.full(count, ORIGIN, dtype=object)}


def flag(mask: NDArray[np.bool_], yes: str = "Y", no: str = "") -> Texts:
    """Write a mask as a flag."""
    words: Texts = np.array([no, yes], dtype=object)[mask.astype(int)]
    return words
