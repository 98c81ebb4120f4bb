"""Subjects padded to the same number of rows: the likelihood at any covariance of each of them.

Where no two subjects share their times, nothing can be summed up beforehand; rows are kept and
every V_i is worked on at once. The cost is O(n m² t²) for t rows a subject and m parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.likelihood import Curve
from trialmlm.engine.standardise import standardise

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.basis import Basis


@dataclass(frozen=True, slots=True)
class PaddedRows:
    """Rows by subject, in an orthonormal basis of X and units of the residual.

    Attributes
    ----------
    X : ndarray, shape (n, t, q)
        0 where there is no row.
    y : ndarray, shape (n, t)
    present : ndarray of bool, shape (n, t)
    basis, offset, scale
        As in :class:`~trialmlm.engine.standardise.Standardised`.
    log_weights : float
        Σ log w, which −2l loses by the weighting of the rows.
    """

    X: Array
    y: Array
    present: BoolArray
    basis: Basis
    offset: Array
    scale: float
    log_weights: float

    @property
    def n_observations(self) -> int:
        """N."""
        return int(self.present.sum())

    @property
    def together(self) -> BoolArray:
        """Which pairs of rows a subject has, n × t × t."""
        return self.present[:, :, None] & self.present[:, None, :]


def pad_rows(X: Array, y: Array, present: BoolArray, log_weights: float = 0.0) -> PaddedRows:
    """Pad N rows (X: N × columns), sorted by subject, into the cells of `present`, n × t."""
    rows = standardise(X, y)
    at = np.nonzero(present)
    return PaddedRows(
        X=into_cells(rows.Q, present.shape, at),
        y=into_cells(rows.y, present.shape, at),
        present=present,
        basis=rows.basis,
        offset=rows.offset,
        scale=rows.scale,
        log_weights=log_weights,
    )


def into_cells(values: Any, shape: tuple[int, int], at: tuple[IntArray, ...]) -> Any:
    """A table of values by subject and place, zero elsewhere."""
    table = np.zeros((*shape, *values.shape[1:]), dtype=values.dtype)
    table[at] = values
    return table


@dataclass(frozen=True, slots=True)
class PaddedPoint:
    """The likelihood at one covariance of every subject.

    Attributes
    ----------
    V, Omega : ndarray, shape (n, t, t)
        The covariance, the identity where there is no row, and its inverse, zero there.
    Phi, beta, deviance
        As in :class:`~trialmlm.engine.likelihood.Point`.
    residual : ndarray, shape (n, t)
        y − Xβ̂.
    """

    V: Array
    Omega: Array
    Phi: Array
    beta: Array
    deviance: float
    residual: Array


def evaluate(rows: PaddedRows, V: Array, *, reml: bool) -> PaddedPoint:
    """−2l at V (n × t × t, the identity where there is no row).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a V_i or X'ΩX is not positive definite.
    """
    factors = np.linalg.cholesky(V)
    inverse = np.linalg.inv(factors)
    Omega = np.where(rows.together, inverse.transpose(0, 2, 1) @ inverse, 0.0)
    OX = Omega @ rows.X
    XtOX = np.tensordot(rows.X, OX, ((0, 1), (0, 1)))
    root = np.linalg.cholesky((XtOX + XtOX.T) / 2.0)
    half = np.linalg.inv(root)
    Phi = half.T @ half
    beta = Phi @ np.tensordot(OX, rows.y, ((0, 1), (0, 1)))
    residual = rows.y - rows.X @ beta
    quad = float((residual * (Omega @ residual[:, :, None])[:, :, 0]).sum())
    free = len(Phi) if reml else 0
    deviance = (
        2.0 * float(np.log(np.diagonal(factors, axis1=1, axis2=2)).sum())
        + quad
        + (rows.n_observations - free) * np.log(2.0 * np.pi)
        - rows.log_weights
    )
    if reml:
        deviance += 2.0 * float(np.log(np.diag(root)).sum())
    return PaddedPoint(V, Omega, Phi, beta, float(deviance), residual)


def derivatives(
    rows: PaddedRows, point: PaddedPoint, dV: Array, *, reml: bool
) -> tuple[Curve, Array]:
    """Derivatives of −2l along dV (m × n × t × t) without the curvature of V, and P_h."""
    Omega, Phi = point.Omega, point.Phi
    m = len(dV)
    OdV = Omega @ dV
    OX = Omega @ rows.X
    Or = (Omega @ point.residual[:, :, None])[:, :, 0]
    B = dV @ OX  # ∂VΩX
    u = (dV @ Or[:, :, None])[..., 0]  # ∂VΩr
    P = -np.einsum("ntq,hntp->hqp", OX, B, optimize=True)
    flat = OdV.reshape(m, -1)
    J = flat @ OdV.transpose(0, 1, 3, 2).reshape(m, -1).T
    trace = np.trace(OdV, axis1=2, axis2=3).sum(axis=1)
    if reml:
        OB = Omega @ B
        BPhi = B @ Phi
        J = J - 2.0 * BPhi.reshape(m, -1) @ OB.reshape(m, -1).T
        PhiP = Phi @ P
        J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
        trace = trace + np.trace(PhiP, axis1=1, axis2=2)
    quad = (Or * u).reshape(m, -1).sum(axis=1)
    Ou = (Omega @ u[..., None])[..., 0]
    s = np.einsum("ntq,hnt->hq", OX, u, optimize=True)
    A = u.reshape(m, -1) @ Ou.reshape(m, -1).T - s @ Phi @ s.T
    J, A = (J + J.T) / 2.0, (A + A.T) / 2.0
    return Curve(trace - quad, 2.0 * A - J, A, J), P


def slope_of_V(rows: PaddedRows, point: PaddedPoint, *, reml: bool) -> Array:
    """∂(−2l)/∂V_i as symmetric matrices, n × t × t: Ω − Ω(rr' + XΦX')Ω."""
    Or = (point.Omega @ point.residual[:, :, None])[:, :, 0]
    found: Array = point.Omega - Or[:, :, None] * Or[:, None, :]
    if reml:
        OX = point.Omega @ rows.X
        found = found - OX @ point.Phi @ OX.transpose(0, 2, 1)
    return found


def weighted_Q(rows: PaddedRows, point: PaddedPoint, dV: Array, W: Array) -> Array:
    """Σ w_hk (∂_hVΩX)'Ω(∂_kVΩX)."""
    B = dV @ (point.Omega @ rows.X)
    WB = np.tensordot(W, point.Omega @ B, 1)
    result: Array = np.einsum("hntq,hntp->qp", B, WB, optimize=True)
    return result
