"""Averages over the scale of a t: T = Z / s with s² a χ² over its degrees of freedom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: probability of s outside the nodes, on either side
_TAIL = 1e-17
#: trapezoid nodes; s has a long left tail where there are few degrees of freedom
_FEW, _MANY = 64, 256


def scale_nodes(df: float) -> tuple[Array, Array]:
    """Values of s and their weights, which sum to one; a single 1 for infinite df.

    Notes
    -----
    The trapezoid rule on log s. The density of log s and what is averaged here are analytic and
    vanish at both ends, so that the error falls exponentially in the number of nodes: below 1e-12
    for 1 or more degrees of freedom.
    """
    if math.isinf(df):
        return np.ones(1), np.ones(1)
    # the left tail of χ² is below (x/2)^(ν/2) / Γ(ν/2 + 1)
    half = df / 2.0
    low = math.log(2.0 / df) + (math.log(_TAIL) + math.lgamma(half + 1.0)) / half
    if df > 2.0:
        low = max(low, math.log(float(special.chdtri(df, 1.0 - 1e-16)) / df) - 1.0 / math.sqrt(df))
    high = math.log(float(special.chdtri(df, _TAIL)) / df)
    u = np.linspace(low / 2.0, high / 2.0, _MANY if df < 10.0 else _FEW)
    density = np.exp(df * u - half * np.expm1(2.0 * u))
    return np.exp(u), density / density.sum()
