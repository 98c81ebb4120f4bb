"""The oracle for any covariance linear in its parameters, on the full N × N matrix.

V = Σ θ_h ∂_hV. Textbook formulas: Harville (1977) for REML's derivatives, Kenward and Roger (1997),
Henderson (1975) for predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Term:
    """Correlated random effects: columns (N × r), the level of every row, and G."""

    Z: np.ndarray
    code: np.ndarray
    G: np.ndarray

    @property
    def wide(self) -> np.ndarray:
        """Z by level, N × (levels r), level after level."""
        indicators = np.eye(self.code.max() + 1)[self.code]
        return (indicators[:, :, None] * self.Z[:, None, :]).reshape(len(self.Z), -1)

    @property
    def tangent(self) -> list[np.ndarray]:
        same = self.code[:, None] == self.code[None, :]
        out = []
        for a, b in zip(*np.tril_indices(len(self.G)), strict=True):
            E = np.zeros_like(self.G)
            E[a, b] = E[b, a] = 1.0
            out.append(np.where(same, self.Z @ E @ self.Z.T, 0.0))
        return out


@dataclass(frozen=True)
class DenseLinear:
    X: np.ndarray
    y: np.ndarray
    terms: list[Term]
    sigma2: float
    reml: bool = True

    @property
    def theta(self) -> np.ndarray:
        triangles = [term.G[np.tril_indices(len(term.G))] for term in self.terms]
        return np.append(np.concatenate(triangles), self.sigma2)

    @property
    def tangent(self) -> list[np.ndarray]:
        return [d for term in self.terms for d in term.tangent] + [np.eye(len(self.y))]

    @property
    def V(self) -> np.ndarray:
        return sum(value * d for value, d in zip(self.theta, self.tangent, strict=True))

    @property
    def parts(self):
        V_inv = np.linalg.inv(self.V)
        Phi = np.linalg.inv(self.X.T @ V_inv @ self.X)
        return V_inv, Phi, Phi @ self.X.T @ V_inv @ self.y

    @property
    def projection(self) -> np.ndarray:
        V_inv, Phi, _ = self.parts
        return V_inv - V_inv @ self.X @ Phi @ self.X.T @ V_inv

    @property
    def deviance(self) -> float:
        V_inv, Phi, beta = self.parts
        r = self.y - self.X @ beta
        N, q = self.X.shape
        value = np.linalg.slogdet(self.V)[1] + r @ V_inv @ r
        if self.reml:
            return value - np.linalg.slogdet(Phi)[1] + (N - q) * np.log(2 * np.pi)
        return value + N * np.log(2 * np.pi)

    @property
    def gradient(self) -> np.ndarray:
        Pi = self.projection
        root = Pi if self.reml else self.parts[0]
        return np.array([np.trace(root @ d) - self.y @ Pi @ d @ Pi @ self.y for d in self.tangent])

    def hessian(self, kind="observed") -> np.ndarray:
        Pi, dV = self.projection, self.tangent
        root = Pi if self.reml else self.parts[0]
        J = np.array([[np.trace(root @ a @ root @ b) for b in dV] for a in dV])
        if kind == "expected":
            return J
        twice = np.array([[2 * self.y @ Pi @ a @ Pi @ b @ Pi @ self.y for b in dV] for a in dV])
        return twice - J

    def W(self, kind="observed", free=slice(None)) -> np.ndarray:
        """The covariance of θ̂, zero outside the `free` parameters."""
        H = self.hessian(kind)
        at = np.arange(len(H))[free]
        out = np.zeros_like(H)
        out[np.ix_(at, at)] = 2 * np.linalg.inv(H[np.ix_(at, at)])
        return out

    @property
    def P(self) -> np.ndarray:
        V_inv = self.parts[0]
        return np.array([-self.X.T @ V_inv @ a @ V_inv @ self.X for a in self.tangent])

    def weighted_Q(self, W) -> np.ndarray:
        V_inv, dV = self.parts[0], self.tangent
        return sum(
            W[h, k] * self.X.T @ V_inv @ a @ V_inv @ b @ V_inv @ self.X
            for h, a in enumerate(dV)
            for k, b in enumerate(dV)
        )

    def kenward_roger(self, W) -> np.ndarray:
        """Φ_A; V is linear, so that there is no R term."""
        Phi, P = self.parts[1], self.P
        correction = self.weighted_Q(W) - sum(
            W[h, k] * P[h] @ Phi @ P[k] for h in range(len(P)) for k in range(len(P))
        )
        return Phi + 2 * Phi @ correction @ Phi

    def df(self, W) -> np.ndarray:
        """Satterthwaite's, of every coefficient."""
        Phi = self.parts[1]
        slopes = np.array([-np.diag(Phi @ p @ Phi) for p in self.P])
        return 2 * np.diag(Phi) ** 2 / np.einsum("hk,hj,kj->j", W, slopes, slopes)

    def effects(self, term: Term):
        """b̂ of every level, levels × r, and the covariance of b̂ − b of all of them together."""
        V_inv, _, beta = self.parts
        Z = term.wide
        D = np.kron(np.eye(term.code.max() + 1), term.G)
        blup = D @ Z.T @ V_inv @ (self.y - self.X @ beta)
        return blup.reshape(-1, len(term.G)), D - D @ Z.T @ self.projection @ Z @ D

    def prediction_variance(self, x, z) -> np.ndarray:
        """Of xβ̂ + zb̂ − xβ − zb; z over all terms' levels side by side, level after level."""
        V_inv, Phi, _ = self.parts
        Z = np.concatenate([term.wide for term in self.terms], axis=1)
        D = _block_diagonal([np.kron(np.eye(t.code.max() + 1), t.G) for t in self.terms])
        cross = -Phi @ self.X.T @ V_inv @ Z @ D
        own = D - D @ Z.T @ self.projection @ Z @ D
        joint = np.block([[Phi, cross], [cross.T, own]])
        rows = np.concatenate([x, z], axis=1)
        return np.einsum("ni,ij,nj->n", rows, joint, rows)


def _block_diagonal(blocks):
    size = sum(map(len, blocks))
    out, at = np.zeros((size, size)), 0
    for block in blocks:
        out[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return out
