"""The oracle of sandwich covariances: N × N matrices, textbook formulas, nothing summed up.

Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), section 2: V̂ = Φ(Σ_i s_is_i')Φ with
s_i = X_i'W_i½A_iW_i½r_i, and the degrees of freedom of l'V̂l from the eigenvalues of a quadratic
form in the responses, of which V is the covariance. The root of V is the symmetric one of all N
rows; the engine takes Cholesky factors of single patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

POWERS = {"CR0": 0.0, "CR1": 0.0, "CR2": 0.5, "CR3": 1.0}


@dataclass(frozen=True)
class DenseSandwich:
    X: np.ndarray
    y: np.ndarray
    subject: np.ndarray
    V: np.ndarray
    kind: str

    @cached_property
    def root(self) -> np.ndarray:
        """V^−½, symmetric."""
        values, vectors = np.linalg.eigh(self.V)
        return (vectors / np.sqrt(values)) @ vectors.T

    @cached_property
    def Phi(self) -> np.ndarray:
        return np.linalg.inv(self.X.T @ np.linalg.solve(self.V, self.X))

    @cached_property
    def beta(self) -> np.ndarray:
        return self.Phi @ self.X.T @ np.linalg.solve(self.V, self.y)

    @cached_property
    def hat(self) -> np.ndarray:
        X = self.root @ self.X
        return X @ self.Phi @ X.T

    @cached_property
    def adjusted(self) -> list[np.ndarray]:
        """X̃_i'T_i, one per subject."""
        X = self.root @ self.X
        return [X[at].T @ self.adjustment(at) for at in self.subjects()]

    def subjects(self) -> list[np.ndarray]:
        return [np.flatnonzero(self.subject == i) for i in np.unique(self.subject)]

    def adjustment(self, at: np.ndarray) -> np.ndarray:
        """(I − H_ii)^−power; directions of leverage one are left out."""
        values, vectors = np.linalg.eigh(np.eye(at.size) - self.hat[np.ix_(at, at)])
        kept = values > 1e-7
        return (vectors[:, kept] * values[kept] ** -POWERS[self.kind]) @ vectors[:, kept].T

    def vcov(self) -> np.ndarray:
        Phi = self.Phi
        e = self.root @ (self.y - self.X @ self.beta)
        scores = [part @ e[at] for part, at in zip(self.adjusted, self.subjects(), strict=True)]
        n = len(scores)
        factor = n / (n - 1) if self.kind == "CR1" else 1.0
        return factor * Phi @ sum(np.outer(s, s) for s in scores) @ Phi

    def df(self, contrast: np.ndarray) -> float:
        """(Σλ)²/Σλ², λ the eigenvalues of GG', l'V̂l = ε'GG'ε, ε ~ N(0, I)."""
        M, v = np.eye(len(self.hat)) - self.hat, self.Phi @ contrast
        pairs = zip(self.adjusted, self.subjects(), strict=True)
        G = np.stack([M[:, at] @ part.T @ v for part, at in pairs], axis=1)
        values = np.linalg.eigvalsh(G.T @ G)
        return float(values.sum() ** 2 / (values**2).sum())

    def test(self, L: np.ndarray) -> tuple[float, float]:
        """Wald F over its rows; df after Fai and Cornelius from those of its principal rows."""
        middle, estimate = L @ self.vcov() @ L.T, L @ self.beta
        F = estimate @ np.linalg.solve(middle, estimate) / len(L)
        df = np.array([self.df(row) for row in np.linalg.eigh(middle)[1].T @ L])
        if len(L) == 1:
            return F, df[0]
        E = (df / (df - 2)).sum()
        return F, 2 * E / (E - len(L))
