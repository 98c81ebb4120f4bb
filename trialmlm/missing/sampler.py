"""How the samplers behind method="bayes" are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.engine.inverse_wishart import JEFFREYS, InverseWishart
from trialmlm.missing.choices import one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array

#: the prior of the covariance by name, given its REML estimate
PRIORS: Mapping[str, Callable[[Array], InverseWishart]] = {
    "jeffreys": lambda estimate: JEFFREYS,
    "inverse-wishart": InverseWishart.around,
}


@dataclass(frozen=True, slots=True)
class Sampler:
    """Length of the chains and prior.

    Attributes
    ----------
    burn_in, thin, chains : int
        Sweeps set aside at first; sweeps from one kept draw to the next; chains side by side.
    prior : {"jeffreys", "inverse-wishart"}
        Of the covariance: SAS PROC MI's default, or the weak one of R's rbmi, of an unstructured
        covariance alone. That of the coefficients is flat.
    """

    burn_in: int = 200
    thin: int = 10
    chains: int = 20
    prior: str = "jeffreys"

    def prior_at(self, estimate: Array) -> InverseWishart:
        """The prior, given the REML estimate of the covariance.

        Raises
        ------
        UsageError
            If it is not known.
        """
        return PRIORS[one_of("prior", self.prior, PRIORS)](estimate)


#: of chains whose candidates do not depend on where they stand
INDEPENDENT = Sampler(burn_in=20, thin=8)
