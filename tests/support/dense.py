"""The oracle: textbook formulas on the full N × N covariance, nothing summed up, no cleverness.

y ~ N(Xβ, V(θ)), V block diagonal with the observed part of Σ for each subject, θ the lower
triangle of Σ. Kenward and Roger (1997), section 2, for P, Q and the adjusted covariance (the R
term is zero: V is linear in θ). Second derivatives are those of the likelihood, by formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Dense:
    X: np.ndarray
    y: np.ndarray
    subject: np.ndarray
    visit: np.ndarray
    T: int
    reml: bool = True

    @property
    def basis(self) -> list[np.ndarray]:
        rows, columns = np.tril_indices(self.T)
        out = []
        for a, b in zip(rows, columns, strict=True):
            E = np.zeros((self.T, self.T))
            E[a, b] = E[b, a] = 1.0
            out.append(E)
        return out

    def big(self, M: np.ndarray) -> np.ndarray:
        same = self.subject[:, None] == self.subject[None, :]
        return np.where(same, M[np.ix_(self.visit, self.visit)], 0.0)

    def parts(self, Sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        V_inv = np.linalg.inv(self.big(Sigma))
        Phi = np.linalg.inv(self.X.T @ V_inv @ self.X)
        beta = Phi @ self.X.T @ V_inv @ self.y
        return V_inv, Phi, beta

    def deviance(self, Sigma: np.ndarray) -> float:
        V_inv, Phi, beta = self.parts(Sigma)
        r = self.y - self.X @ beta
        N, q = self.X.shape
        value = np.linalg.slogdet(self.big(Sigma))[1] + r @ V_inv @ r
        if self.reml:
            return value - np.linalg.slogdet(Phi)[1] + (N - q) * np.log(2 * np.pi)
        return value + N * np.log(2 * np.pi)

    def projection(self, Sigma: np.ndarray) -> np.ndarray:
        V_inv, Phi, _ = self.parts(Sigma)
        return V_inv - V_inv @ self.X @ Phi @ self.X.T @ V_inv

    def gradient(self, Sigma: np.ndarray) -> np.ndarray:
        V_inv, _, _ = self.parts(Sigma)
        Pi = self.projection(Sigma)
        trace_of = Pi if self.reml else V_inv
        return np.array(
            [
                (trace_of * dV).sum() - self.y @ Pi @ dV @ Pi @ self.y
                for dV in map(self.big, self.basis)
            ]
        )

    def hessian(self, Sigma: np.ndarray, kind: str = "observed") -> np.ndarray:
        V_inv, _, _ = self.parts(Sigma)
        Pi = self.projection(Sigma)
        root = Pi if self.reml else V_inv
        dV = list(map(self.big, self.basis))
        times = [root @ a for a in dV]
        J = np.array([[(a * b.T).sum() for b in times] for a in times])
        if kind == "expected":
            return J
        pulled = [a @ Pi @ self.y for a in dV]
        twice = np.array([[2 * a @ Pi @ b for b in pulled] for a in pulled])
        return twice - J

    def kenward_roger(
        self, Sigma: np.ndarray, kind: str = "observed"
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
        """Φ, Φ_A, W, P of Kenward and Roger (1997); V linear in θ."""
        V_inv, Phi, _ = self.parts(Sigma)
        W = 2 * np.linalg.inv(self.hessian(Sigma, kind))
        dV = list(map(self.big, self.basis))
        half = V_inv @ self.X
        P = [-half.T @ a @ half for a in dV]
        Lambda = np.zeros_like(Phi)
        for h, a in enumerate(dV):
            for k, b in enumerate(dV):
                Q = (a @ half).T @ V_inv @ (b @ half)
                Lambda += W[h, k] * (Q - P[h] @ Phi @ P[k])
        return Phi, Phi + 2 * Phi @ Lambda @ Phi, W, P

    def satterthwaite_df(
        self, Sigma: np.ndarray, contrast: np.ndarray, kind: str = "observed"
    ) -> float:
        Phi, _, W, P = self.kenward_roger(Sigma, kind)
        g = np.array([-contrast @ Phi @ p @ Phi @ contrast for p in P])
        return 2 * (contrast @ Phi @ contrast) ** 2 / (g @ W @ g)

    def satterthwaite_test(self, Sigma: np.ndarray, L: np.ndarray) -> tuple[float, float]:
        """F of Lβ = 0 and its df, after Fai and Cornelius (1996): 2E/(E − r), E = Σ ν/(ν − 2)."""
        _, Phi, beta = self.parts(Sigma)
        middle = L @ Phi @ L.T
        F = (L @ beta) @ np.linalg.solve(middle, L @ beta) / len(L)
        _, vectors = np.linalg.eigh(middle)
        df = np.array([self.satterthwaite_df(Sigma, row) for row in vectors.T @ L])
        if len(L) == 1:
            return F, df[0]
        E = (df / (df - 2)).sum()
        return F, 2 * E / (E - len(L))

    def kenward_roger_test(self, Sigma: np.ndarray, L: np.ndarray) -> tuple[float, float, float]:
        """Scaled F, denominator df and p of Lβ = 0, as in the 1997 paper, section 3."""
        Phi, Phi_A, W, P = self.kenward_roger(Sigma)
        _, _, beta = self.parts(Sigma)
        rank = L.shape[0]
        Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
        A1 = A2 = 0.0
        for h, Ph in enumerate(P):
            for k, Pk in enumerate(P):
                left, right = Theta @ Phi @ Ph @ Phi, Theta @ Phi @ Pk @ Phi
                A1 += W[h, k] * np.trace(left) * np.trace(right)
                A2 += W[h, k] * np.trace(left @ right)
        B = (A1 + 6 * A2) / (2 * rank)
        g = ((rank + 1) * A1 - (rank + 4) * A2) / ((rank + 2) * A2)
        d = 3 * rank + 2 * (1 - g)
        c1, c2, c3 = g / d, (rank - g) / d, (rank + 2 - g) / d
        E = 1 / (1 - A2 / rank)
        V = (2 / rank) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        rho = V / (2 * E**2)
        m = 4 + (rank + 2) / (rank * rho - 1)
        scale = m / (E * (m - 2))
        estimate = L @ beta
        F = scale / rank * estimate @ np.linalg.solve(L @ Phi_A @ L.T, estimate)
        return F, m, stats.f.sf(F, rank, m)
