"""The grouping factors of a fitted mixed model, as what is said of them needs them.

All that reads how a fit keeps its random effects stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.covariance.unstructured import lower_indices
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import variable

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.formula.coding import Coding
    from trialmlm.models.lmm_fit import LmmFit


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
    coding : Coding
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
    coding: Coding
    G: Array
    blup: Array
    Z: Array

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the effects."""
        return self.coding.names

    def known(self, new: pd.DataFrame) -> BoolArray:
        """Whether each new row is of a group of the fit."""
        if any(name not in new.columns for name in self.columns):
            return np.zeros(len(new), dtype=bool)
        keys: list[Any] = new[self.columns[0]].tolist()
        if len(self.columns) > 1:
            rows = zip(*(new[name] for name in self.columns), strict=True)
            keys = [":".join(map(level_text, row)) for row in rows]
        groups = set(self.groups)
        return np.array([key in groups for key in keys], dtype=bool)

    def matrix(self, new: pd.DataFrame) -> Array:
        """Columns of the effects on new rows."""
        table = {name: variable(new[name]) for name in self.coding.variables}
        return self.coding.matrix(table, len(new))


def levels_of(fit: LmmFit) -> tuple[Level, ...]:
    """The grouping factors, in the order of the formula."""
    components, effects = fit.variance_components(), fit.random_effects()
    groups, coding = fit.groups, fit.random
    own = effects.loc[effects["group"] == groups.name, "estimate"].to_numpy(dtype=float)
    return (
        Level(
            name=groups.name,
            columns=(groups.name,),
            groups=groups.levels or (),
            codes=groups.codes,
            coding=coding,
            G=_covariance(components[components["group"] == groups.name], coding.names),
            blup=own.reshape(-1, len(coding.names)),
            Z=coding.matrix(fit.variables, fit.n_obs),
        ),
    )


def _covariance(components: pd.DataFrame, names: tuple[str, ...]) -> Array:
    """G from its rows in the table of variance components."""
    G = np.zeros((len(names), len(names)))
    for row in components.to_dict("records"):
        i = names.index(row["term"])
        j = names.index(row["term_2"]) if row["term_2"] else i
        G[i, j] = G[j, i] = row["variance"]
    return G


def residual_of_rows(fit: LmmFit) -> Array:
    """The residual variance of every row used."""
    codes = np.zeros(fit.n_obs, dtype=np.intp) if fit.levels is None else fit.levels.codes
    values: Array = fit.residual_variances.to_numpy()[codes]
    return values


def component_map(fit: LmmFit) -> Array:
    """Rows of the table of variance components, by the natural parameters of the search.

    Returns
    -------
    ndarray, shape (components, natural parameters)
        T with components = T · natural: G = K⁻¹ G_search K⁻ᵀ s², σ² = σ²_search s².
    """
    likelihood: Any = fit.gaussian.likelihood
    back, scale = np.linalg.inv(likelihood.data.K), likelihood.scale
    r = len(back)
    rows, columns = lower_indices(r)
    unit = np.zeros((rows.size, r, r))
    unit[np.arange(rows.size), rows, columns] = unit[np.arange(rows.size), columns, rows] = 1.0
    moved = back @ unit @ back.T
    listed = [(i, i) for i in range(r)] + [(i, j) for i in range(r) for j in range(i)]
    residuals = fit.residual_variances.size
    T = np.zeros((rows.size + residuals, rows.size + residuals))
    T[: rows.size, : rows.size] = [[one[i, j] for one in moved] for i, j in listed]
    T[rows.size :, rows.size :] = np.eye(residuals)
    T *= scale**2
    return T


def component_covariance(fit: LmmFit, information: str | None = None) -> Array:
    """Covariance of the estimates in the table of variance components, in its order."""
    T = component_map(fit)
    W = fit.gaussian.information(information or fit.options.information)
    found: Array = T @ W @ T.T
    return found
