"""Random effects in coordinates in which what a residual covariance takes over is left out.

V_i = Z_i G Z_i' + R_i. Where the residual can carry the whole covariance of some random effects,
as an unstructured one carries a random intercept's, the same V are had with that part of G zero:
every G is a G of lower rank and a covariance of those effects alone, which moves into R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices, symmetric_basis
from trialmlm.engine.effects_covariance import Bordered, EffectsCovariance, Uncorrelated
from trialmlm.engine.padded import into_cells, pad_rows
from trialmlm.engine.random_residual import RandomResidualLikelihood, spread
from trialmlm.engine.redundancy import (
    PART,
    Redundancy,
    condition,
    movable_effects,
    movable_variances,
    redundancy,
)
from trialmlm.engine.standardise import orthonormal_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.covariance.family import Covariance

#: above this condition, and this overlap with the residual, G is known only weakly
WEAK, NEAR = 1e3, 1e2


@dataclass(frozen=True, slots=True)
class IdentifiedEffects:
    """Random effects that a residual covariance leaves something of.

    Attributes
    ----------
    Z : ndarray, shape (N, r)
        The columns in their coordinates.
    K : ndarray, shape (r, r)
        Z given = Z here · K.
    family : EffectsCovariance or None
        Of G; None where no simpler G stands for all that V can be.
    found : Redundancy
        Of the parameters of G (all of its lower triangle, or its diagonal), then the residual's.
    aliased : ndarray of bool, shape (r, r)
        Entries of G, of the columns as given, that the residual can take over.
    aliased_residual : ndarray of bool
        The residual's natural parameters that stand in for them.
    condition : float
        Of the scaled Gram matrix without the aliased entries of G, of the columns as given.
    overlap : float
        As :meth:`~trialmlm.engine.redundancy.Redundancy.overlap` has it.
    correlated : bool
        Whether G is unstructured, or diagonal.
    """

    Z: Array
    K: Array
    family: EffectsCovariance | None
    found: Redundancy
    aliased: BoolArray
    aliased_residual: BoolArray
    condition: float
    overlap: float
    correlated: bool

    @property
    def weak(self) -> bool:
        """Whether G can hardly be told from the residual.

        The condition depends on where a covariate has its zero; the overlap does not, and tells a
        far zero from a residual that comes near to everything that random effects do.
        """
        return self.condition > WEAK and self.overlap > NEAR


def identify_effects(
    Z: Array,
    present: BoolArray,
    families: Sequence[Covariance],
    members: tuple[BoolArray, ...],
    *,
    correlated: bool,
) -> IdentifiedEffects:
    """Find what of G and of the residual the design tells apart.

    Parameters
    ----------
    Z : ndarray, shape (N, r)
        Of full column rank; rows by subject and visit.
    present : ndarray of bool, shape (n, t)
    families : sequence of Covariance
        Of the residual, one per covariance group.
    members : tuple of ndarray of bool, shape (n,)
        The subjects of each group.
    correlated : bool
        Whether G is unstructured, or diagonal.
    """
    own, K = orthonormal_effects(Z) if correlated else _scaled(Z)
    r = Z.shape[1]
    unit = np.eye(r)
    basis = symmetric_basis(r) if correlated else unit[:, :, None] * unit[:, None, :]
    cells = into_cells(own, present.shape, np.nonzero(present))
    together = present[:, :, None] & present[:, None, :]
    residual = [family.tangent(_generic(family, g)) for g, family in enumerate(families)]
    by_G = cells @ basis[:, None] @ cells.transpose(0, 2, 1)
    found = redundancy(np.concatenate([by_G, spread(residual, members, together)]))
    # in the parameters' own units
    parts = (found.null / found.size)[:, : len(basis)]
    directions = np.tensordot(parts, basis, 1)
    turned, family = _left_of(directions, parts, correlated=correlated)
    aliased = _aliased(directions, Z, K)
    rows, columns = lower_indices(r) if correlated else (np.arange(r), np.arange(r))
    # ∂V by the entries of G as given are combinations of those by G's entries here
    to_given = (K @ basis @ K.T)[:, rows, columns]
    gram = _turned(found.gram, to_given)
    kept = np.append(~aliased[rows, columns], np.ones(len(gram) - len(basis), dtype=bool))
    return IdentifiedEffects(
        Z=own @ turned,
        K=turned.T @ K,
        family=family,
        found=found,
        aliased=aliased,
        aliased_residual=found.aliased[len(basis) :],
        condition=condition(gram[np.ix_(kept, kept)]),
        overlap=found.overlap(len(basis)),
        correlated=correlated,
    )


def _aliased(directions: Array, Z: Array, K: Array) -> BoolArray:
    """Entries of G, of the columns as given, that take part in a null direction."""
    back, size = np.linalg.inv(K), np.sqrt((Z**2).mean(axis=0))
    given = np.abs(back @ directions @ back.T) * np.outer(size, size)
    return np.asarray((given > PART * max(float(given.max(initial=0.0)), PART)).any(axis=0))


def _turned(gram: Array, first: Array) -> Array:
    """The Gram matrix of other combinations of its first ∂V."""
    whole = np.eye(len(gram))
    whole[: len(first), : len(first)] = first
    return whole @ gram @ whole.T


def _left_of(
    directions: Array, parts: Array, *, correlated: bool
) -> tuple[Array, EffectsCovariance | None]:
    """Coordinates whose last effects the residual takes over, and what is left of G."""
    nullity, r = directions.shape[:2]
    if not correlated:
        taken = movable_variances(parts, nullity)
        return np.eye(r), None if taken is None else Uncorrelated(~taken)
    moved = movable_effects(directions, nullity)
    if moved is None:
        return np.eye(r), None
    d = moved.shape[1]
    whole = np.linalg.qr(np.column_stack([moved, np.eye(r)])).Q
    return np.column_stack([whole[:, d:], whole[:, :d]]), Bordered(r, r - d, d)


def _scaled(Z: Array) -> tuple[Array, Array]:
    """Z with a mean square of one in each column."""
    size = np.sqrt((Z**2).mean(axis=0))
    return Z / size, np.diag(size)


def _generic(family: Covariance, group: int) -> Array:
    """θ of no special place: variances that differ, correlations that fall with the lag."""
    T = family.n_visits
    sd = np.sqrt(np.linspace(1.0, 1.7 + 0.1 * group, T))
    lag = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    theta: Array = family.start((0.1 + 0.9 * 0.3**lag) * np.outer(sd, sd))
    return theta


def random_residual(
    X: Array,
    y: Array,
    present: BoolArray,
    effects: IdentifiedEffects,
    families: Sequence[Covariance],
    members: tuple[BoolArray, ...],
    *,
    reml: bool,
) -> RandomResidualLikelihood:
    """The likelihood of rows by subject and visit (X: N × columns, y: N).

    Raises
    ------
    ValueError
        If the effects have no family that stands for all that V can be.
    """
    if effects.family is None:
        raise ValueError("the random effects are not identified")
    return RandomResidualLikelihood(
        data=pad_rows(X, y, present),
        reml=reml,
        Z=into_cells(effects.Z, present.shape, np.nonzero(present)),
        K=effects.K,
        effects_family=effects.family,
        families=tuple(families),
        members=members,
    )
