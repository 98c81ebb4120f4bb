"""A fitted Gaussian model: from a design and a covariance family to the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.objective import Derivatives, derivatives
from trialmlm.engine.optimize import Control, optimise
from trialmlm.engine.summary import Summary, summarise
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.convergence import Convergence
    from trialmlm.engine.design import Design
    from trialmlm.engine.objective import State


@dataclass(frozen=True)
class GaussianFit:
    """The optimum, in the units of the summary; the properties map it back to the data's.

    Attributes
    ----------
    summary : Summary
    covariance : Covariance
    theta : ndarray
        Search parameters at the optimum.
    state : State
        The likelihood there.
    reml : bool
    convergence : Convergence
    """

    summary: Summary
    covariance: Covariance
    theta: Array
    state: State
    reml: bool
    convergence: Convergence

    @property
    def Sigma(self) -> Array:
        """Σ̂ over the visits, T × T, in squared units of the response."""
        return self.state.Sigma * self.summary.scale**2

    @property
    def beta(self) -> Array:
        """Fixed effects, one per column of X; NaN where aliased."""
        basis = self.summary.basis
        full = np.full(basis.n_columns, np.nan)
        full[basis.kept] = basis.R_inverse @ (
            self.summary.offset + self.summary.scale * self.state.beta
        )
        return full

    @property
    def minus2_loglik(self) -> float:
        """−2 (restricted) log-likelihood of the data as given; REML's keeps log|X'ΩX|."""
        summary = self.summary
        q = summary.q if self.reml else 0
        shift = (summary.n_observations - q) * 2.0 * np.log(summary.scale)
        return float(self.state.deviance + shift + (summary.basis.log_det if self.reml else 0.0))

    @property
    def tangent(self) -> Array:
        """∂Σ/∂(natural parameters), k × T × T."""
        return self.covariance.tangent(self.state.Sigma)

    @cached_property
    def derivatives(self) -> Derivatives:
        """Derivatives of −2l by the natural parameters, at the optimum."""
        return derivatives(self.summary, self.state, self.tangent, reml=self.reml)

    def information(self, kind: str = "observed") -> Array:
        """W, the covariance of the natural parameters: 2 × inverse Hessian of −2l.

        Parameters
        ----------
        kind : {"observed", "expected"}
            As in SAS, or as in pbkrtest.

        Notes
        -----
        A direction in which the Hessian is not positive has no meaning here and is left out.
        """
        hessian = self.derivatives.H if kind == "observed" else self.derivatives.J
        scale = np.sqrt(np.abs(np.diag(hessian)))
        values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
        inverse = np.where(values > 1e-12 * values[-1], 1.0 / values.clip(1e-300), 0.0)
        result: Array = 2.0 * (vectors * inverse) @ vectors.T / np.outer(scale, scale)
        return result


def fit(
    design: Design, covariance: Covariance, *, reml: bool = True, control: Control | None = None
) -> GaussianFit:
    """Fit by REML or ML.

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
    summary = summarise(design)
    if summary.n_observations <= summary.q:
        msg = (
            f"{summary.n_observations} observations cannot carry {summary.q} fixed effects; "
            "use fewer terms"
        )
        raise FitError(msg)
    size = float(np.sqrt((design.Y**2).sum() / summary.n_observations))
    if summary.scale <= 1e-13 * size:
        raise FitError("the fixed effects reproduce the response exactly: no variation is left")
    optimum = optimise(summary, covariance, control or Control(), reml=reml)
    return GaussianFit(summary, covariance, optimum.theta, optimum.state, reml, optimum.convergence)
