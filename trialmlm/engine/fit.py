"""A fitted Gaussian model: from summed-up data and a covariance family to the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.control import Control
from trialmlm.engine.optimize import optimise
from trialmlm.engine.own_times import OwnTimesLikelihood
from trialmlm.engine.padded import pad_rows
from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.engine.summary import summarise
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.convergence import Convergence
    from trialmlm.engine.design import Design
    from trialmlm.engine.likelihood import Curve, Likelihood


@dataclass(frozen=True)
class GaussianFit:
    """The optimum, in the units of the summary; the properties map it back to the data's.

    Attributes
    ----------
    likelihood : Likelihood
    theta : ndarray
        Search parameters at the optimum.
    point : Point
        The likelihood there.
    convergence : Convergence
    """

    likelihood: Likelihood
    theta: Array
    point: Any
    convergence: Convergence

    @property
    def reml(self) -> bool:
        """Restricted maximum likelihood, or maximum likelihood."""
        return self.likelihood.reml

    @property
    def n_observations(self) -> int:
        """N."""
        return self.likelihood.n_observations

    @property
    def rank(self) -> int:
        """Rank of X."""
        return int(self.likelihood.basis.kept.size)

    @property
    def beta(self) -> Array:
        """Fixed effects, one per column of X; NaN where aliased."""
        likelihood = self.likelihood
        basis = likelihood.basis
        full = np.full(basis.n_columns, np.nan)
        full[basis.kept] = basis.R_inverse @ (
            likelihood.offset + likelihood.scale * self.point.beta
        )
        return full

    @property
    def minus2_loglik(self) -> float:
        """−2 (restricted) log-likelihood of the data as given; REML's keeps log|X'ΩX|."""
        free = self.rank if self.reml else 0
        shift = (self.n_observations - free) * 2.0 * np.log(self.likelihood.scale)
        constant = self.likelihood.basis.log_det if self.reml else 0.0
        return float(self.point.deviance + shift + constant)

    @cached_property
    def _natural(self) -> tuple[Curve, Array]:
        return self.likelihood.natural(self.theta, self.point)

    @property
    def P(self) -> Array:
        """P_h = −X'Ω∂_hVΩX by the natural parameters, m × q × q."""
        return self._natural[1]

    def information(self, kind: str = "observed") -> Array:
        """W, the covariance of the natural parameters: 2 × inverse Hessian of −2l.

        Parameters
        ----------
        kind : {"observed", "expected"}
            As in SAS, or as in pbkrtest.

        Notes
        -----
        A direction in which the Hessian is not positive has no meaning here and is left out. So is
        one in which the estimate cannot move: at a singular G, W is C'(2K⁻¹)C with C = ∂η/∂θ and K
        the Hessian by the search's θ, in which a variance of zero stands still.
        """
        curve = self._natural[0]
        hessian = curve.H if kind == "observed" else curve.J
        edge = self.likelihood.boundary(self.theta, self.point)
        if edge is not None:
            C, bend = edge
            found: Array = 2.0 * C.T @ _inverse(C @ hessian @ C.T + bend) @ C
            return found
        scale = np.sqrt(np.abs(np.diag(hessian)))
        scale = np.where(scale > 0.0, scale, 1.0)
        result: Array = 2.0 * _inverse(hessian / np.outer(scale, scale)) / np.outer(scale, scale)
        return result


def _inverse(hessian: Array) -> Array:
    """The inverse where eigenvalues are positive, zero elsewhere."""
    values, vectors = np.linalg.eigh(hessian)
    inverse = np.where(values > 1e-12 * values[-1], 1.0 / values.clip(1e-300), 0.0)
    result: Array = (vectors * inverse) @ vectors.T
    return result


def fit_likelihood(
    likelihood: Likelihood, size: float, control: Control | None = None
) -> GaussianFit:
    """Search for the optimum.

    Parameters
    ----------
    likelihood : Likelihood
    size : float
        Root mean square of the response, against which a vanishing residual is judged.
    control : Control, optional

    Raises
    ------
    FitError
        If there are no degrees of freedom left, or the response does not vary around its fit.
    """
    rank = likelihood.basis.kept.size
    if likelihood.n_observations <= rank:
        msg = (
            f"{likelihood.n_observations} observations cannot carry {rank} fixed effects; "
            "use fewer terms"
        )
        raise FitError(msg)
    if likelihood.scale <= 1e-13 * size:
        raise FitError(
            "the fixed effects reproduce the response exactly: no variation is left; check that "
            "the response is not constant, nor computed from the terms of the model"
        )
    optimum = optimise(likelihood, control or Control())
    return GaussianFit(likelihood, optimum.theta, optimum.point, optimum.convergence)


def fit(
    design: Design, covariance: Covariance, *, reml: bool = True, control: Control | None = None
) -> GaussianFit:
    """Fit repeated measures by REML or ML.

    Parameters
    ----------
    design : Design
    covariance : Covariance
    reml : bool
    control : Control, optional

    Returns
    -------
    GaussianFit
        Converged or not; `convergence` says which, and why.

    Raises
    ------
    FitError
        If there are no degrees of freedom left, or the response does not vary around its fit.
    """
    y = design.Y if design.weights is None else design.Y * np.sqrt(design.weights)
    size = float(np.sqrt((y[design.observed] ** 2).mean()))
    return fit_likelihood(patterned(design, covariance, reml=reml), size, control)


def patterned(design: Design, covariance: Covariance, *, reml: bool) -> PatternLikelihood:
    """The likelihood of repeated measures at common visits, with the data summed up."""
    return PatternLikelihood(summarise(design), reml, covariance)


def fit_own_times(
    design: Design,
    families: Sequence[Covariance],
    *,
    reml: bool = True,
    control: Control | None = None,
) -> GaussianFit:
    """Fit repeated measures at times of each subject's own by REML or ML.

    Parameters
    ----------
    design : Design
        Its visits are places: a subject's first, second, … row.
    families : sequence of Covariance
        One per covariance group, over the distances (n_g × T × T) of the group's subjects.
    reml : bool
    control : Control, optional

    Raises
    ------
    FitError
        As :func:`fit`.
    """
    likelihood = own_times(design, families, reml=reml)
    weighted = design.weighted()
    y = weighted.Y[weighted.observed]
    return fit_likelihood(likelihood, float(np.sqrt(y @ y / max(1, y.size))), control)


def own_times(design: Design, families: Sequence[Covariance], *, reml: bool) -> OwnTimesLikelihood:
    """The likelihood of repeated measures at times of each subject's own."""
    weighted = design.weighted()
    y = weighted.Y[weighted.observed]
    rows = pad_rows(weighted.rows(), y, weighted.observed, design.log_weights)
    members = tuple(design.groups == g for g in range(len(families)))
    return OwnTimesLikelihood(rows, reml, tuple(families), members)


def fit_at(likelihood: Likelihood, theta: Array, ended: Convergence) -> GaussianFit:
    """The fit at an optimum that is known already: one evaluation, no search.

    Parameters
    ----------
    likelihood : Likelihood
    theta : ndarray
        Search parameters at the optimum.
    ended : Convergence
        How the search that found it ended.

    Raises
    ------
    numpy.linalg.LinAlgError
        If θ is not the parameter of a covariance of these data.
    """
    return GaussianFit(likelihood, theta, likelihood.evaluate(theta), ended)


def sigma_of(fit: GaussianFit) -> Array:
    """Σ̂ over the visits of each covariance group, G × T × T, in squared units of the response."""
    Sigma: Array = fit.point.Sigma * fit.likelihood.scale**2
    return Sigma
