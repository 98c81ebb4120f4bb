"""The oracle of every structure: textbook formulas on the full N × N covariance.

y ~ N(Xβ, V(θ)), V_i = W_i^-½ Σ_g(θ_g) W_i^-½ on the visits of subject i, one Σ per group, θ the
natural parameters (variances, covariances, correlations), one group's after the other's. Σ(θ) is
written down here again, from the definitions; its derivatives are made by differences: the first
by a complex step, exact to rounding, the second by central differences of fourth order of the
first. Kenward and Roger (1997), section 2, with the R term.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

#: of the complex step: its square is far below rounding
TINY = 1e-30
#: of the differences of fourth order: truncation 1e-12, rounding 1e-13
STEP = 1e-3


@dataclass(frozen=True)
class Structure:
    """Σ as a function of its natural parameters.

    Attributes
    ----------
    sigma : callable
        (θ, number of visits) -> Σ; of a spatial structure (θ, times of the visits) -> Σ.
    natural : callable
        Σ -> θ; of a spatial structure (Σ, times) -> θ.
    n_variances : callable
        Number of visits -> how many of θ are in squared units of the response.
    """

    sigma: Callable
    natural: Callable
    n_variances: Callable


def _lag(T: int) -> np.ndarray:
    return np.abs(np.subtract.outer(np.arange(T), np.arange(T)))


def _scaled(v: np.ndarray, R: np.ndarray) -> np.ndarray:
    return np.sqrt(v)[:, None] * R * np.sqrt(v)[None, :]


def _exchangeable(rho: np.ndarray, T: int) -> np.ndarray:
    return np.where(_lag(T) == 0, 1.0, rho[0])


def _autoregressive(rho: np.ndarray, T: int) -> np.ndarray:
    powers = np.concatenate([[1.0], np.cumprod(np.full(T - 1, rho[0]))])
    return powers[_lag(T)]


def _toeplitz(rho: np.ndarray, T: int) -> np.ndarray:
    return np.concatenate([[1.0], rho])[_lag(T)]


def _antedependent(rho: np.ndarray, T: int) -> np.ndarray:
    R = np.ones((T, T), dtype=rho.dtype)
    for i in range(T):
        for j in range(i):
            R[i, j] = R[j, i] = np.prod(rho[j:i])
    return R


def _correlation(Sigma: np.ndarray) -> np.ndarray:
    sd = np.sqrt(np.diag(Sigma))
    return Sigma / np.outer(sd, sd)


#: correlation matrix of ρ and T, and ρ of a correlation matrix
_KINDS: dict[str, tuple[Callable, Callable]] = {
    "cs": (_exchangeable, lambda R: R[:1, 1]),
    "ar1": (_autoregressive, lambda R: R[:1, 1]),
    "toep": (_toeplitz, lambda R: R[0, 1:]),
    "ad": (_antedependent, lambda R: np.diag(R, 1)),
    "diag": (lambda rho, T: np.eye(T), lambda R: np.zeros(0)),
}


def _homogeneous(kind: str) -> Structure:
    R_of, rho_of = _KINDS[kind]
    return Structure(
        lambda theta, T: theta[0] * R_of(theta[1:], T),
        lambda Sigma: np.concatenate([Sigma[:1, 0], rho_of(_correlation(Sigma))]),
        lambda T: 1,
    )


def _heterogeneous(kind: str) -> Structure:
    R_of, rho_of = _KINDS[kind]
    return Structure(
        lambda theta, T: _scaled(theta[:T], R_of(theta[T:], T)),
        lambda Sigma: np.concatenate([np.diag(Sigma), rho_of(_correlation(Sigma))]),
        lambda T: T,
    )


def _linear(first: Callable) -> Structure:
    """The variance and covariances by lag: Σ is linear in them."""
    return Structure(
        lambda theta, T: np.concatenate([theta, np.full(T, theta[-1])])[_lag(T)],
        lambda Sigma: first(Sigma[0]),
        len,
    )


def _us(theta: np.ndarray, T: int) -> np.ndarray:
    Sigma = np.zeros((T, T), dtype=theta.dtype)
    rows, columns = np.tril_indices(T)
    Sigma[rows, columns] = Sigma[columns, rows] = theta
    return Sigma


STRUCTURES: dict[str, Structure] = {
    "us": Structure(_us, lambda S: S[np.tril_indices(len(S))], lambda T: T * (T + 1) // 2),
    "cs": _linear(lambda row: row[:2]),
    "csh": _heterogeneous("cs"),
    "ar1": _homogeneous("ar1"),
    "ar1h": _heterogeneous("ar1"),
    "toep": _linear(lambda row: row),
    "toeph": _heterogeneous("toep"),
    "ad": _homogeneous("ad"),
    "adh": _heterogeneous("ad"),
    "diag": _heterogeneous("diag"),
    "id": _homogeneous("diag"),
}
#: correlation at distance d with parameter ρ, and ρ of a correlation at distance d
_DECAYS: dict[str, tuple[Callable, Callable]] = {
    "sp_exp": (lambda d, rho: np.exp(-d / rho), lambda d, r: -d / np.log(r)),
    "sp_gau": (lambda d, rho: np.exp(-((d / rho) ** 2)), lambda d, r: d / np.sqrt(-np.log(r))),
    "sp_pow": (lambda d, rho: rho**d, lambda d, r: r ** (1 / d)),
}


def _spatial(kind: str) -> Structure:
    R_of, rho_of = _DECAYS[kind]
    return Structure(
        lambda theta, times: theta[0] * R_of(np.abs(np.subtract.outer(times, times)), theta[1]),
        lambda Sigma, times: np.array(
            [Sigma[0, 0], rho_of(times[1] - times[0], Sigma[0, 1] / Sigma[0, 0])]
        ),
        lambda T: 1,
    )


SPATIAL: dict[str, Structure] = {name: _spatial(name) for name in _DECAYS}


def _one_factor(theta: np.ndarray, T: int) -> np.ndarray:
    return np.outer(theta[:T], theta[:T]) + np.diag(theta[T:])


def _two_by(R_of: Callable) -> Callable:
    """A ⊗ R, A 2 × 2."""
    return lambda theta, T: np.kron(_us(theta[:3], 2), R_of(theta[3:], T // 2))


#: banded, factor-analytic and two-way structures; θ is asked of the family that was fitted
RICH: dict[str, Callable] = {
    "toep2": lambda theta, T: np.concatenate([theta, np.zeros(T)])[_lag(T)],
    "toeph2": lambda theta, T: _scaled(
        theta[:T], np.concatenate([[1.0], theta[T:], np.zeros(T)])[_lag(T)]
    ),
    "fa1": _one_factor,
    "us_cs": _two_by(_exchangeable),
    "us_ar1": _two_by(_autoregressive),
}
#: all of these are squared units of the response
LINEAR = {"us", "cs", "toep", "diag", "id"}


@dataclass(frozen=True)
class DenseStructures:
    """A model of rows.

    Attributes
    ----------
    X : ndarray, shape (N, q)
        Of full column rank.
    y, subject, visit : ndarray, shape (N,)
        Codes without gaps.
    structure : str
        Of `STRUCTURES`, `SPATIAL` or `RICH`.
    theta : ndarray, shape (G k,)
        Natural parameters, one group's after the other's.
    group : ndarray of int, shape (N,), optional
        Constant within subjects.
    weights : ndarray, shape (N,), optional
    reml : bool
    times : ndarray, shape (T,), optional
        Of the visits, for a spatial structure.
    """

    X: np.ndarray
    y: np.ndarray
    subject: np.ndarray
    visit: np.ndarray
    structure: str
    theta: np.ndarray
    group: np.ndarray | None = None
    weights: np.ndarray | None = None
    reml: bool = True
    times: np.ndarray | None = None

    @property
    def T(self) -> int:
        return int(self.visit.max()) + 1

    @cached_property
    def groups(self) -> np.ndarray:
        return np.zeros(self.y.size, dtype=int) if self.group is None else self.group

    def V_at(self, theta: np.ndarray) -> np.ndarray:
        """V(θ), N × N; complex where θ is."""
        known = {name: kind.sigma for name, kind in (STRUCTURES | SPATIAL).items()} | RICH
        sigma = known[self.structure]
        where = self.T if self.times is None else self.times
        parts = theta.reshape(self.groups.max() + 1, -1)
        same = self.subject[:, None] == self.subject[None, :]
        V = np.zeros((self.y.size,) * 2, dtype=theta.dtype)
        for g, part in enumerate(parts):
            own = same & (self.groups == g)[:, None]
            V = np.where(own, sigma(part, where)[np.ix_(self.visit, self.visit)], V)
        root = np.ones(self.y.size) if self.weights is None else 1.0 / np.sqrt(self.weights)
        return root[:, None] * V * root[None, :]

    def first_at(self, theta: np.ndarray) -> np.ndarray:
        """∂V/∂θ_h by complex steps, m × N × N."""
        steps = 1j * TINY * np.eye(theta.size)
        return np.array([self.V_at(theta + step).imag / TINY for step in steps])

    @cached_property
    def dV(self) -> np.ndarray:
        return self.first_at(self.theta)

    @cached_property
    def d2V(self) -> np.ndarray:
        """∂²V/∂θ_h∂θ_k, m × m × N × N."""
        found = []
        for h, unit in enumerate(np.eye(self.theta.size)):
            s = STEP * max(abs(self.theta[h]), 0.1) * unit
            ahead = 8 * (self.first_at(self.theta + s) - self.first_at(self.theta - s))
            beyond = self.first_at(self.theta + 2 * s) - self.first_at(self.theta - 2 * s)
            found.append((ahead - beyond) / (12 * s[h]))
        return np.array(found)

    @cached_property
    def V(self) -> np.ndarray:
        return self.V_at(self.theta)

    @cached_property
    def V_inv(self) -> np.ndarray:
        return np.linalg.inv(self.V)

    @cached_property
    def Phi(self) -> np.ndarray:
        return np.linalg.inv(self.X.T @ self.V_inv @ self.X)

    @cached_property
    def beta(self) -> np.ndarray:
        return self.Phi @ self.X.T @ self.V_inv @ self.y

    @cached_property
    def Pi(self) -> np.ndarray:
        return self.V_inv - self.V_inv @ self.X @ self.Phi @ self.X.T @ self.V_inv

    @property
    def deviance(self) -> float:
        r = self.y - self.X @ self.beta
        N, q = self.X.shape
        value = np.linalg.slogdet(self.V)[1] + r @ self.V_inv @ r
        if self.reml:
            return value - np.linalg.slogdet(self.Phi)[1] + (N - q) * np.log(2 * np.pi)
        return value + N * np.log(2 * np.pi)

    @cached_property
    def slope(self) -> np.ndarray:
        """∂(−2l)/∂V, N × N."""
        Py = self.Pi @ self.y
        return (self.Pi if self.reml else self.V_inv) - np.outer(Py, Py)

    @cached_property
    def gradient(self) -> np.ndarray:
        return (self.slope * self.dV).sum(axis=(1, 2))

    def hessian(self, kind: str = "observed") -> np.ndarray:
        """Expected, or observed with the curvature of V."""
        root = self.Pi if self.reml else self.V_inv
        times = root @ self.dV
        J = np.array([[(a * b.T).sum() for b in times] for a in times])
        if kind == "expected":
            return J
        Py = self.Pi @ self.y
        pulled = self.dV @ Py
        return 2 * pulled @ self.Pi @ pulled.T - J + (self.slope * self.d2V).sum(axis=(2, 3))

    def W(self, kind: str = "observed") -> np.ndarray:
        return 2 * np.linalg.inv(self.hessian(kind))

    @cached_property
    def P(self) -> np.ndarray:
        half = self.V_inv @ self.X
        return -(half.T @ self.dV @ half)

    def adjusted(self, kind: str = "observed", *, linear: bool = False) -> np.ndarray:
        """Φ_A of Kenward and Roger (1997); `linear` leaves the R term out."""
        W, half = self.W(kind), self.V_inv @ self.X
        Lambda = np.zeros_like(self.Phi)
        for h, a in enumerate(self.dV):
            for k, b in enumerate(self.dV):
                Q = half.T @ a @ self.V_inv @ b @ half
                R = 0.0 if linear else half.T @ self.d2V[h, k] @ half
                Lambda = Lambda + W[h, k] * (Q - self.P[h] @ self.Phi @ self.P[k] - R / 4)
        return self.Phi + 2 * self.Phi @ Lambda @ self.Phi

    def df(self, contrast: np.ndarray, kind: str = "observed") -> float:
        """Satterthwaite's, and Kenward and Roger's of one row."""
        g = np.array([-contrast @ self.Phi @ p @ self.Phi @ contrast for p in self.P])
        return 2 * (contrast @ self.Phi @ contrast) ** 2 / (g @ self.W(kind) @ g)

    def satterthwaite_test(self, L: np.ndarray, kind: str = "observed") -> tuple[float, float]:
        """F of Lβ = 0 and its df, after Fai and Cornelius (1996)."""
        middle = L @ self.Phi @ L.T
        F = (L @ self.beta) @ np.linalg.solve(middle, L @ self.beta) / len(L)
        df = np.array([self.df(row, kind) for row in np.linalg.eigh(middle)[1].T @ L])
        E = (df / (df - 2)).sum()
        return F, 2 * E / (E - len(L))

    def kenward_roger_test(
        self, L: np.ndarray, kind: str = "observed", *, linear: bool = False
    ) -> tuple[float, float, float]:
        """Scaled F, denominator df and p of Lβ = 0, as in the 1997 paper, section 3."""
        rank, Phi, W = len(L), self.Phi, self.W(kind)
        Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
        parts = [Theta @ Phi @ p @ Phi for p in self.P]
        traces = np.array([np.trace(part) for part in parts])
        A1 = traces @ W @ traces
        A2 = (W * np.array([[np.trace(a @ b) for b in parts] for a in parts])).sum()
        B = (A1 + 6 * A2) / (2 * rank)
        g = ((rank + 1) * A1 - (rank + 4) * A2) / ((rank + 2) * A2)
        d = 3 * rank + 2 * (1 - g)
        c1, c2, c3 = g / d, (rank - g) / d, (rank + 2 - g) / d
        E = 1 / (1 - A2 / rank)
        v = (2 / rank) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        m = 4 + (rank + 2) / (rank * v / (2 * E**2) - 1)
        scale = m / (E * (m - 2))
        estimate = L @ self.beta
        Phi_A = self.adjusted(kind, linear=linear)
        F = scale / rank * estimate @ np.linalg.solve(L @ Phi_A @ L.T, estimate)
        return F, m, float(stats.f.sf(F, rank, m))


def independent(X: np.ndarray) -> list[int]:
    """Columns that are not combinations of earlier ones."""
    kept: list[int] = []
    unit = X / np.where(np.linalg.norm(X, axis=0) > 0, np.linalg.norm(X, axis=0), 1.0)
    for column in range(X.shape[1]):
        if np.linalg.matrix_rank(unit[:, [*kept, column]], tol=1e-8) > len(kept):
            kept.append(column)
    return kept
