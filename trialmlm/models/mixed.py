"""What mixed models have in common: a Gaussian fit, its likelihood, and how it ended."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.models.fitted import FittedModel

if TYPE_CHECKING:
    from trialmlm.engine.convergence import Convergence
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.models.options import Options
    from trialmlm.programs.analysis import Estimation


@dataclass(frozen=True, repr=False)
class MixedFit(FittedModel):
    """A mixed model fitted by REML or ML.

    Attributes
    ----------
    gaussian : GaussianFit
        The engine's fit.
    options : Options
        What was asked for beside the formula.
    """

    gaussian: GaussianFit
    options: Options

    @property
    @abstractmethod
    def n_subjects(self) -> int:
        """Subjects (or other groups) with a row used."""

    @property
    @abstractmethod
    def n_covariance(self) -> int:
        """Covariance parameters."""

    @property
    def several_groupings(self) -> bool:
        """Whether random effects of more than one grouping factor are in the model."""
        return False

    @property
    def minus2_loglik(self) -> float:
        """−2 log-likelihood; restricted under REML."""
        return self.gaussian.minus2_loglik

    @property
    def n_parameters(self) -> int:
        """What AIC counts: covariance parameters, and under ML the coefficients too, as SAS."""
        return self.n_covariance + (0 if self.gaussian.reml else self.gaussian.rank)

    @property
    def aic(self) -> float:
        """−2l + 2k."""
        return self.minus2_loglik + 2.0 * self.n_parameters

    @property
    def aicc(self) -> float:
        """−2l + 2k m / (m − k − 1), as SAS counts it (Hurvich and Tsai 1989).

        m is the rows used, under REML less the rank of X, and k + 2 at least.
        """
        k = self.n_parameters
        free = self.gaussian.rank if self.gaussian.reml else 0
        m = max(k + 2, self.n_obs - free)
        return self.minus2_loglik + 2.0 * k * m / (m - k - 1)

    @property
    def bic(self) -> float:
        """−2l + k log(subjects used)."""
        return self.minus2_loglik + self.n_parameters * float(np.log(self.n_subjects))

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.gaussian.n_observations

    @property
    def convergence(self) -> Convergence:
        """How the search ended."""
        return self.gaussian.convergence

    @property
    def cautions(self) -> tuple[str, ...]:
        """That the search did not end at an optimum, and why."""
        return () if self.convergence.converged else (f"the fit is {self.convergence}",)

    @property
    def estimation(self) -> Estimation:
        """How it was fitted, as programs in other languages are told."""
        return replace(
            super().estimation,
            information=self.options.information,
            weights=self.options.weights,
            reml=self.gaussian.reml,
            n_subjects=self.n_subjects,
        )

    def _facts(self, **own: str) -> dict[str, str]:
        """The head of a summary."""
        likelihood = "-2 REML log-likelihood" if self.gaussian.reml else "-2 log-likelihood"
        return {
            "Model": self.formula,
            **own,
            "Estimation": "REML" if self.gaussian.reml else "ML",
            "Degrees of freedom": self.method.name,
            "Standard errors": self.method.covariance,
            "Data": f"{self.n_obs:,} rows of {self.n_subjects:,} subjects",
            likelihood: f"{self.minus2_loglik:.4f}",
            "AIC, BIC": f"{self.aic:.4f}, {self.bic:.4f}",
            "Convergence": str(self.convergence),
        }
