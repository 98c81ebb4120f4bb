"""The variance of a prediction, of a new response or of one given others of its subject.

In the orthonormal basis of the fixed effects and the units of the fit's scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.kenward_roger import KenwardRoger
from trialmlm.inference.model_based import ModelBased
from trialmlm.inference.rows import Rows
from trialmlm.inference.satterthwaite import Satterthwaite

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.visit_covariance import VisitCovariance
    from trialmlm.inference.method import Method
    from trialmlm.inference.source import Source


@dataclass(frozen=True)
class Predictor:
    """ŷ_m = x_m'β̂ + w'(y_o − X_oβ̂), w = Σ_oo⁻¹Σ_om, of r rows at once.

    The error y_m − ŷ_m is (e_m − w'e_o) − a'(β̂ − β) with a = x_m − X_o'w. Its first part is not
    correlated with any y that was used, so at known θ its variance is Σ_mm − w'Σ_om + a'Φa.

    Attributes
    ----------
    x : ndarray, shape (r, q)
        Rows predicted, in the columns of X that are kept.
    visit : ndarray of int, shape (r,)
        Their visits.
    given : ndarray of bool, shape (r, T)
        Visits o of the same subject that are conditioned on; none for the mean of a new subject.
    X : ndarray, shape (r, T, q)
        The rows of those visits, zero elsewhere.
    spread : VisitCovariance
        Of the subjects' group.
    method : Method
    source : Source
        What the method is made from.
    """

    x: Array
    visit: IntArray
    given: BoolArray
    X: Array
    spread: VisitCovariance
    method: Method
    source: Source

    @property
    def known(self) -> BoolArray:
        """Rows whose own response is among those conditioned on."""
        return np.asarray(self.given[np.arange(self.visit.size), self.visit])

    @cached_property
    def Omega(self) -> Array:
        """Σ_oo⁻¹, zero outside o, r × T × T."""
        return self.spread.inverses(self.given)

    @cached_property
    def weights(self) -> Array:
        """w, r × T; of a known response, one for itself."""
        w = np.einsum("rjk,rk->rj", self.Omega, self.spread.Sigma[self.visit])
        own = np.eye(len(self.spread.Sigma))[self.visit]
        return np.where(self.known[:, None], own, w)

    @cached_property
    def rows(self) -> Rows:
        """A = x_m − X_o'w, r rows: exactly zero for a known response."""
        found = self.x - np.einsum("rj,rjq->rq", self.weights, self.X)
        kept = np.where(self.known[:, None], 0.0, found)
        return Rows(kept, kept @ self._to_basis)

    @property
    def a(self) -> Array:
        """The rows in the basis, r × q."""
        return self.rows.basis

    @property
    def _to_basis(self) -> Array:
        """R⁻¹."""
        return self.method.coefficients.basis.R_inverse

    @cached_property
    def residual_variance(self) -> Array:
        """Σ_mm − w'Σ_om, r."""
        Sigma = self.spread.Sigma
        explained = (self.weights * Sigma[self.visit]).sum(axis=1)
        own = np.diag(Sigma)[self.visit]
        return np.where(self.known, 0.0, own - explained)

    @cached_property
    def mean_variance(self) -> Array:
        """Of ŷ as an estimate of E(y_m | y_o): a'Va, and under Kenward-Roger what w adds, r."""
        found: Array = ((self.a @ self.method.vcov) * self.a).sum(axis=1)
        if isinstance(self.method.rule, KenwardRoger):
            found = found + self._of_the_weights
        return found

    @property
    def _by_variance(self) -> bool:
        """Whether df come from the variance of Φ: not of a sandwich, and of no other rule."""
        rule = self.method.rule
        if isinstance(rule, Satterthwaite):
            return isinstance(rule.covariance, ModelBased)
        return isinstance(rule, KenwardRoger)

    @property
    def response_variance(self) -> Array:
        """Of y_m − ŷ_m, r."""
        return self.residual_variance + self.mean_variance

    @property
    def mean_df(self) -> Array:
        """Of the row a, w taken as known, r."""
        return self.method.df(self.rows)

    @property
    def response_df(self) -> Array:
        """Satterthwaite's 2v²/(g'Wg) of v(θ) = Σ_mm − w'Σ_om + a'Φa, r.

        With one response per subject that is N − q: the exact t interval. Other rules, and
        Satterthwaite with a sandwich, give the df of the row a.
        """
        if not self._by_variance:
            return self.mean_df
        row = self.a @ self.source.fit.point.Phi
        v = self.residual_variance + (row * self.a).sum(axis=1)
        # ∂a = −X_o'∂w and ∂Φ = −ΦP_hΦ
        of_mean = 2.0 * (self._moved * row).sum(axis=2)
        of_mean = of_mean + ((row @ self.source.fit.P) * row).sum(axis=2)
        g = self._residual_slope - of_mean
        spread = (g * (self.source.W @ g)).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0.0, 2.0 * v**2 / spread, np.inf)

    @cached_property
    def _slopes(self) -> Array:
        """∂w_h = Σ_oo⁻¹(∂_hΣ_om − ∂_hΣ_oo w), m × r × T."""
        tangent = self.spread.tangent
        change = tangent[:, self.visit] - self.weights @ tangent
        found: Array = np.einsum("rjk,hrk->hrj", self.Omega, change)
        return np.where(self.known[:, None], 0.0, found)

    @cached_property
    def _moved(self) -> Array:
        """X_o'∂w_h, m × r × q."""
        found: Array = np.einsum("hrj,rjq->hrq", self._slopes, self.X) @ self._to_basis
        return found

    @property
    def _residual_slope(self) -> Array:
        """(e_m − w)'∂_hΣ(e_m − w), m × r."""
        u = np.eye(len(self.spread.Sigma))[self.visit] - self.weights
        found: Array = ((u @ self.spread.tangent) * u).sum(axis=2)
        return found

    @property
    def _of_the_weights(self) -> Array:
        """2 Σ_hk w_hk Cov(u_h, u_k), u_h = ∂_hŷ, less the part of β̂ alone, which is in V.

        Kackar and Harville's inflation twice, as the estimate of the variance is too small by as
        much again (Prasad and Rao 1990; Harville and Jeske 1992). With ∂_hβ̂ = −ΦX'Ω∂_hVΩr and
        Var r = V − XΦX', Cov(r_o, ∂_kβ̂) = −∂_kΣ_oo Σ_oo⁻¹X_oΦ − X_oΦP_kΦ.
        """
        dw, moved = self._slopes, self._moved
        Phi, P, W = self.source.fit.point.Phi, self.source.fit.P, self.source.W
        row = self.a @ Phi
        fitted = np.einsum("rkq,rq->rk", self.X, row @ self._to_basis.T)
        residual = np.einsum("rjk,rk->rj", self.Omega, fitted)
        own = dw @ self.spread.Sigma / 2.0 - residual @ self.spread.tangent
        fixed = moved @ Phi / 2.0 + row @ P @ Phi
        weighted = np.tensordot(W, dw, 1), np.tensordot(W, moved, 1)
        found: Array = 4.0 * ((weighted[0] * own).sum(2) - (weighted[1] * fixed).sum(2)).sum(0)
        return found
