"""The design of an analysis at one visit: every subject once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.basis import Basis, basis_of
from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.formula.coding import Coding, make_coding
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import model_frame
from trialmlm.missing.mean_rows import mean_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trialmlm.arrays import Array
    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.formula.variables import Variable
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, slots=True, eq=False)
class VisitDesign:
    """The fixed effects of all n subjects at one visit, in an orthonormal basis.

    Attributes
    ----------
    coding : Coding
    variables : mapping of str to Variable
    basis : Basis
    orthonormal : ndarray, shape (n, r)
        Columns that span the fixed effects.
    """

    coding: Coding
    variables: Mapping[str, Variable]
    basis: Basis
    orthonormal: Array

    def mean_rows(self, arm: str, arms: tuple[str, ...], counts: Array, weights: str) -> Array:
        """Rows of the LS means of `arms` in the basis, resamples × arms × r.

        Raises
        ------
        FitError
            If a mean is not estimable with everyone counted.
        """
        levels = list(map(level_text, self.coding.categorical[arm].levels))
        order = [levels.index(label) for label in arms]
        rows = mean_rows(self.coding, self.variables, arm, counts, weights)[:, order]
        unknown = [
            a for a, known in zip(arms, self.basis.estimable(rows[0]), strict=True) if not known
        ]
        if unknown:
            msg = (
                f"analyse: the LS mean of {', '.join(unknown)} is not estimable; leave out a "
                "factor that goes with the arm, or the interaction that leaves a cell empty"
            )
            raise FitError(msg)
        return rows[..., self.basis.kept] @ self.basis.R_inverse


def visit_design(read: ModelFormula, layout: Layout, visit: Any) -> VisitDesign:
    """Code the fixed effects at one visit.

    Raises
    ------
    DataError
        If a covariate is missing: no subject is left out silently.
    UsageError
        If the visit is a term, or the arm is none.
    FitError
        If the columns cannot carry the model.
    """
    wanted = read.fixed_variables
    if layout.names.visit in wanted:
        msg = (
            f"analyse: {layout.names.visit} is constant within an analysis at one visit; leave it "
            "out of the formula, or name a covariance for an MMRM of all visits"
        )
        raise UsageError(msg)
    if layout.names.arm not in wanted:
        msg = f"analyse: the formula has no {layout.names.arm}; expected it, to compare its arms"
        raise UsageError(msg)
    place = layout.visits.tolist().index(visit)
    data = layout.frame.iloc[place :: len(layout.visits)]
    frame = model_frame(data, sorted(wanted))
    _check_complete(layout, data, frame.absent)
    coding = make_coding(read.fixed, frame.variables)
    if layout.names.arm not in coding.categorical:
        msg = f"analyse: {layout.names.arm} enters the model as a number; make it text"
        raise UsageError(msg)
    columns = coding.matrix(frame.variables, len(data))
    basis = basis_of(columns)
    if basis.kept.size >= len(columns):
        msg = f"analyse: {len(columns)} subjects cannot carry {basis.kept.size} fixed effects"
        raise FitError(msg)
    return VisitDesign(coding, frame.variables, basis, columns[:, basis.kept] @ basis.R_inverse)


def _check_complete(layout: Layout, data: Any, absent: Mapping[str, int]) -> None:
    if absent:
        rows = data[data[list(absent)].isna().any(axis=1)]
        msg = (
            f"analyse: {', '.join(absent)} missing, expected a value for every subject: give one, "
            "or leave the covariate out of the analysis"
        )
        raise DataError(msg, rows[[layout.names.subject, layout.names.visit, *absent]])


def same_at_every_visit(read: ModelFormula, layout: Layout) -> bool:
    """Whether no covariate of the analysis changes between the visits of a subject."""
    columns = layout.frame[sorted(read.fixed_variables)]
    first = np.repeat(np.arange(0, len(columns), len(layout.visits)), len(layout.visits))
    once = columns.iloc[first].reset_index(drop=True)
    return bool((columns.reset_index(drop=True) == once).to_numpy().all())
