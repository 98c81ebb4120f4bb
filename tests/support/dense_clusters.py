"""The oracle for random effects: textbook formulas on the full N × N covariance.

V = ZGZ' + R, G and the residual variances in their natural parameters (the lower triangle of G,
then the residual variances). Kenward and Roger (1997); V is linear, so their R term is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DenseClusters:
    X: np.ndarray
    Z: np.ndarray
    y: np.ndarray
    group: np.ndarray
    level: np.ndarray
    reml: bool = True

    @property
    def tangent(self) -> list[np.ndarray]:
        r = self.Z.shape[1]
        same = self.group[:, None] == self.group[None, :]
        out = []
        for a, b in zip(*np.tril_indices(r), strict=True):
            E = np.zeros((r, r))
            E[a, b] = E[b, a] = 1.0
            out.append(np.where(same, self.Z @ E @ self.Z.T, 0.0))
        return [*out, *(np.diag(1.0 * (self.level == k)) for k in range(self.level.max() + 1))]

    def V(self, G, sigma2):
        theta = [*G[np.tril_indices(len(G))], *np.atleast_1d(sigma2)]
        return sum(value * part for value, part in zip(theta, self.tangent, strict=True))

    def parts(self, G, sigma2):
        V_inv = np.linalg.inv(self.V(G, sigma2))
        Phi = np.linalg.inv(self.X.T @ V_inv @ self.X)
        return V_inv, Phi, Phi @ self.X.T @ V_inv @ self.y

    def deviance(self, G, sigma2) -> float:
        V_inv, Phi, beta = self.parts(G, sigma2)
        r = self.y - self.X @ beta
        N, q = self.X.shape
        value = np.linalg.slogdet(self.V(G, sigma2))[1] + r @ V_inv @ r
        if self.reml:
            return value - np.linalg.slogdet(Phi)[1] + (N - q) * np.log(2 * np.pi)
        return value + N * np.log(2 * np.pi)

    def projection(self, G, sigma2):
        V_inv, Phi, _ = self.parts(G, sigma2)
        return V_inv - V_inv @ self.X @ Phi @ self.X.T @ V_inv

    def gradient(self, G, sigma2):
        V_inv, _, _ = self.parts(G, sigma2)
        Pi = self.projection(G, sigma2)
        root = Pi if self.reml else V_inv
        return np.array([np.trace(root @ d) - self.y @ Pi @ d @ Pi @ self.y for d in self.tangent])

    def hessian(self, G, sigma2, kind="observed"):
        V_inv, _, _ = self.parts(G, sigma2)
        Pi = self.projection(G, sigma2)
        root = Pi if self.reml else V_inv
        dV = self.tangent
        J = np.array([[np.trace(root @ a @ root @ b) for b in dV] for a in dV])
        if kind == "expected":
            return J
        twice = np.array([[2 * self.y @ Pi @ a @ Pi @ b @ Pi @ self.y for b in dV] for a in dV])
        return twice - J

    def kenward_roger(self, G, sigma2, kind="observed"):
        """Φ, Φ_A, W and P."""
        V_inv, Phi, _ = self.parts(G, sigma2)
        W = 2 * np.linalg.inv(self.hessian(G, sigma2, kind))
        dV = self.tangent
        P = [-self.X.T @ V_inv @ a @ V_inv @ self.X for a in dV]
        Lambda = np.zeros_like(Phi)
        for h, a in enumerate(dV):
            for k, b in enumerate(dV):
                Q = self.X.T @ V_inv @ a @ V_inv @ b @ V_inv @ self.X
                Lambda += W[h, k] * (Q - P[h] @ Phi @ P[k])
        return Phi, Phi + 2 * Phi @ Lambda @ Phi, W, P

    def blup(self, G, sigma2):
        """b̂ of every group, and the covariance of b̂ − b (Henderson 1975)."""
        V_inv, _, beta = self.parts(G, sigma2)
        Pi = self.projection(G, sigma2)
        effects, variances = [], []
        for g in range(self.group.max() + 1):
            Zg = np.where((self.group == g)[:, None], self.Z, 0.0)
            effects.append(G @ Zg.T @ V_inv @ (self.y - self.X @ beta))
            variances.append(G - G @ Zg.T @ Pi @ Zg @ G)
        return np.array(effects), np.array(variances)
