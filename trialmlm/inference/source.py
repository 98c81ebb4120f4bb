"""What a method of inference is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trialmlm.inference.method import Coefficients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.ranks import Effect


@dataclass(frozen=True)
class Source:
    """A Gaussian fit, and which information stands behind its covariance parameters.

    Attributes
    ----------
    fit : GaussianFit
    information : {"observed", "expected"}
    """

    fit: GaussianFit
    information: str

    @property
    def coefficients(self) -> Coefficients:
        """The fixed effects, in the fit's basis."""
        found = self.fit.likelihood
        return Coefficients(
            found.basis, found.offset + found.scale * self.fit.point.beta, found.scale
        )

    @cached_property
    def W(self) -> Array:
        """The covariance of the natural parameters."""
        return self.fit.information(self.information)


@dataclass(frozen=True)
class Repeated(Source):
    """A fit of repeated measures, with its subjects.

    Attributes
    ----------
    design : Design
        What was fitted.
    """

    design: Design


@dataclass(frozen=True)
class Hierarchical(Source):
    """A fit with random effects.

    Attributes
    ----------
    X : ndarray, shape (N, columns)
    effects : sequence of Effect
        In the order of the formula.
    classes : ndarray of bool, shape (columns,)
        Columns of terms of factors alone.
    contains : ndarray of bool, shape (columns, number of effects)
        Whether the random effect's name contains that of the column's term.
    """

    X: Array
    effects: Sequence[Effect]
    classes: BoolArray
    contains: BoolArray
