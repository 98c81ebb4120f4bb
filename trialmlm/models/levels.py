"""The grouping factors of a fitted mixed model, as what is said of them needs them.

All that reads how a fit keeps its random effects stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.covariance.unstructured import lower_indices, symmetric_basis
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import variable
from trialmlm.models.random_part import likelihood_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.models.lmm_fit import LmmFit
    from trialmlm.models.random_part import RandomPart


@dataclass(frozen=True)
class Level:
    """A grouping factor with its random effects.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Whose combinations are its groups; the outer ones of a nesting first.
    groups : tuple
        Of the rows used.
    codes : ndarray of int, shape (N,)
        Position of each row's group in `groups`.
    part : RandomPart
        How its effects become columns.
    G : ndarray, shape (r, r)
        Their covariance.
    blup : ndarray, shape (groups, r)
        Their predictions.
    Z : ndarray, shape (N, r)
    """

    name: str
    columns: tuple[str, ...]
    groups: tuple[Any, ...]
    codes: IntArray
    part: RandomPart
    G: Array
    blup: Array
    Z: Array

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the effects."""
        return self.part.names

    def keys(self, new: pd.DataFrame) -> list[Any]:
        """The group of each new row, as `groups` has it; None without its columns."""
        if any(name not in new.columns for name in self.columns):
            return [None] * len(new)
        if len(self.columns) == 1:
            return new[self.columns[0]].tolist()
        rows = zip(*(new[name] for name in self.columns), strict=True)
        return [":".join(map(level_text, row)) for row in rows]

    def known(self, new: pd.DataFrame) -> BoolArray:
        """Whether each new row is of a group of the fit."""
        groups = set(self.groups)
        return np.array([key in groups for key in self.keys(new)], dtype=bool)

    def matrix(self, new: pd.DataFrame) -> Array:
        """Columns of the effects on new rows."""
        table = {name: variable(new[name]) for name in self.part.variables}
        return self.part.matrix(table, len(new))


def levels_of(fit: LmmFit) -> tuple[Level, ...]:
    """The grouping factors, in the order of the formula."""
    return tuple(
        Level(
            name=part.name,
            columns=part.columns,
            groups=part.groups.levels or (),
            codes=part.groups.codes,
            part=part,
            G=found.G,
            blup=found.blup,
            Z=part.matrix(fit.variables, fit.n_obs),
        )
        for part, found in zip(fit.parts, fit.effects.parts, strict=True)
    )


def containing(levels: tuple[Level, ...]) -> dict[str, tuple[str, ...]]:
    """Of each grouping factor, those whose groups hold its groups whole, whatever their names."""
    found: dict[str, tuple[str, ...]] = {}
    for inner in levels:
        found[inner.name] = tuple(
            outer.name
            for outer in levels
            if len(outer.groups) < len(inner.groups) and _holds(outer.codes, inner.codes)
        )
    return found


def _holds(outer: IntArray, inner: IntArray) -> bool:
    pairs = np.unique(np.stack([inner, outer]), axis=1)
    return bool(pairs.shape[1] == inner.max() + 1)


def residual_of_rows(fit: LmmFit) -> Array:
    """The residual variance of every row used."""
    codes = np.zeros(fit.n_obs, dtype=np.intp) if fit.levels is None else fit.levels.codes
    values: Array = fit.residual_variances.to_numpy()[codes] / fit.row_weights
    return values


def component_map(fit: LmmFit) -> Array:
    """Rows of the table of variance components, by the natural parameters of the search.

    Returns
    -------
    ndarray, shape (components, natural parameters)
        T with components = T · natural: G = K⁻¹ G_search K⁻ᵀ s², σ² = σ²_search s².
    """
    likelihood = likelihood_of(fit.gaussian)
    row = {(k, i, j): at for at, (k, i, j) in enumerate(_listed(fit.parts))}
    residuals = fit.residual_variances.size
    blocks = likelihood.blocks
    moves = [_moved(np.linalg.inv(block.K)) for block in blocks]
    T = np.zeros((len(row) + residuals, sum(map(len, moves)) + residuals))
    column = 0
    for block, moved in zip(blocks, moves, strict=True):
        first = block.first
        for i, j in zip(*lower_indices(len(block.K)), strict=True):
            at = row[block.grouping, first + int(i), first + int(j)]
            T[at, column : column + len(moved)] = moved[:, i, j]
        column += len(moved)
    T[len(row) :, column:] = np.eye(residuals)
    found: Array = T * likelihood.scale**2
    return found


def _moved(back: Array) -> Array:
    """∂G of the columns as given by the lower triangle of the search's: K⁻¹ E_h K⁻ᵀ."""
    moved: Array = back @ symmetric_basis(len(back)) @ back.T
    return moved


def _listed(parts: tuple[RandomPart, ...]) -> Iterator[tuple[int, int, int]]:
    """Factor, and entry of G, of each row of the table of variance components."""
    for k, part in enumerate(parts):
        block = np.repeat(np.arange(len(part.sizes)), part.sizes)
        yield from ((k, i, i) for i in range(len(block)))
        yield from ((k, i, j) for i in range(len(block)) for j in range(i) if block[i] == block[j])


def component_covariance(fit: LmmFit, information: str | None = None) -> Array:
    """Covariance of the estimates in the table of variance components, in its order."""
    T = component_map(fit)
    W = fit.gaussian.information(information or fit.options.information)
    found: Array = T @ W @ T.T
    return found
