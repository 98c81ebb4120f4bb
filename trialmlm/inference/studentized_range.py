"""The distribution of the studentized range: Tukey's honestly significant difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trialmlm.inference.root import crossing
from trialmlm.inference.scale_nodes import scale_nodes

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def range_upper(q: float, k: int, df: float) -> float:
    """P(Q > q), Q the range of k independent normals over an independent estimate of their SD.

    Parameters
    ----------
    q : float
    k : int
        Number of means, 2 or more.
    df : float
        Of the estimate of the SD; infinity if it is known.

    Notes
    -----
    With W(w) = k ∫ φ(z) [Φ(z + w) − Φ(z)]^(k−1) dz, P(Q ≤ q) = E W(qs) (Copenhaver and Holland
    1988, equation 2.1). Both integrals are trapezoid sums of analytic functions. Deterministic;
    the absolute error is below 1e-10 for 1 or more degrees of freedom.
    """
    if math.isnan(q) or math.isnan(df):
        return math.nan
    s, weights = scale_nodes(df)
    return float(np.clip(weights @ _beyond(q * s, k), 0.0, 1.0))


def range_quantile(probability: float, k: int, df: float) -> float:
    """The q with P(Q ≤ q) = `probability`."""
    if math.isnan(df):
        return math.nan
    beyond = 1.0 - probability
    # Bonferroni's bound over the k(k − 1)/2 pairs is above it
    tail = beyond / (k * (k - 1))
    t = special.ndtri(1.0 - tail) if math.isinf(df) else special.stdtrit(df, 1.0 - tail)
    above = math.sqrt(2.0) * float(t) + 1e-6
    return crossing(lambda q: range_upper(q, k, df) - beyond, 0.0, above)


def _beyond(w: Array, k: int) -> Array:
    """1 − W(w)."""
    step = 0.1
    z = np.arange(-9.0, 9.0 + step, step)  # of the smallest of the k
    density = np.exp(-(z**2) / 2.0) * (step / math.sqrt(2.0 * math.pi))
    inside = special.ndtr(z + w[:, None]) - special.ndtr(z)
    return 1.0 - k * (inside ** (k - 1)) @ density
