"""Partial pooling shown: what a group says alone, what all say, and the compromise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.models.levels import levels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.models.levels import Level
    from trialmlm.models.lmm_fit import LmmFit


def partial_pooling(fit: LmmFit) -> pd.DataFrame:
    """See :meth:`~trialmlm.models.lmm_fit.LmmFit.partial_pooling`."""
    levels = levels_of(fit)
    coefficients = fit.coefficients().set_index("term")["estimate"]
    rest = fit.residuals("conditional").to_numpy()
    tables = []
    for level in levels:
        own = rest + (level.Z * level.blup[level.codes]).sum(axis=1)
        pooled = np.array([float(coefficients.get(term, 0.0)) for term in level.terms])
        root = np.sqrt(fit.row_weights)
        weighted = replace(level, Z=level.Z * root[:, None])
        tables.append(_table(weighted, pooled, own * root))
    return pd.concat(tables, ignore_index=True)


def _table(level: Level, pooled: Array, rest: Array) -> pd.DataFrame:
    n, r = level.blup.shape
    deviations = _deviations(level, rest)
    return pd.DataFrame(
        {
            "group": level.name,
            "level": np.repeat(np.array(level.groups, dtype=object), r),
            "n": np.repeat(np.bincount(level.codes), r),
            "term": list(level.terms) * n,
            "pooled": np.tile(pooled, n),
            "own": (pooled + deviations).reshape(-1),
            "partial": (pooled + level.blup).reshape(-1),
        }
    )


def _deviations(level: Level, rest: Array) -> Array:
    """Least squares of each group's rows on its effects; NaN where they do not carry it."""
    found = np.full(level.blup.shape, np.nan)
    for i, rows in enumerate(blocks(level.codes)):
        Z = level.Z[rows]
        if np.linalg.matrix_rank(Z) == Z.shape[1]:
            found[i] = np.linalg.lstsq(Z, rest[rows], rcond=None)[0]
    return found


def blocks(codes: IntArray) -> Sequence[IntArray]:
    """Rows of every group, group by group."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])
