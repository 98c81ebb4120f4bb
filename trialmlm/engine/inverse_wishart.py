"""The inverse Wishart distribution: the conjugate prior of a covariance matrix, and its draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class InverseWishart:
    """A prior |Σ|^-(ν + T + 1)/2 exp(-tr(Ψ Σ⁻¹)/2) of each covariance matrix.

    Attributes
    ----------
    df : float
        ν ≥ 0.
    scale : ndarray, shape (T, T) or (G, T, T), or float
        Ψ in squared units of the response; 0 with ν = 0 is Jeffreys' prior.
    """

    df: float = 0.0
    scale: Array | float = 0.0

    @classmethod
    def around(cls, Sigma: Array) -> InverseWishart:
        """The weak prior of R's rbmi: ν = T + 2 and a mean of Σ, which is the REML estimate.

        Parameters
        ----------
        Sigma : ndarray, shape (G, T, T)
        """
        return cls(Sigma.shape[-1] + 2.0, Sigma)


#: |Σ|^-(T + 1)/2, the default of SAS PROC MI
JEFFREYS = InverseWishart()


def draw_inverse_wishart(rng: np.random.Generator, df: Array, scale: Array) -> Array:
    """Draw Σ ~ IW(ν, Ψ).

    With Ψ = CC' and AA' ~ W(ν, I) as Bartlett (1933) factorises it, Σ = (CA'⁻¹)(CA'⁻¹)'.

    Parameters
    ----------
    rng : Generator
    df : ndarray, shape (...)
        ν, above T - 1; it broadcasts against the leading axes of `scale`.
    scale : ndarray, shape (..., T, T)
        Ψ, positive definite.

    Returns
    -------
    ndarray, shape (..., T, T)
    """
    T = scale.shape[-1]
    steps = np.arange(T)
    A = np.tril(rng.standard_normal(scale.shape), -1)
    chi2 = rng.chisquare(np.broadcast_to(np.asarray(df)[..., None] - steps, scale.shape[:-1]))
    A[..., steps, steps] = np.sqrt(chi2)
    root = np.linalg.solve(A, np.linalg.cholesky(scale).swapaxes(-1, -2))
    drawn: Array = root.swapaxes(-1, -2) @ root
    return drawn
