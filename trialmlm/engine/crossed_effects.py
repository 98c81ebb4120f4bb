"""Predicted effects of several grouping factors, and the variance of their sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.crossed_point import CrossedPoint, by_factor
from trialmlm.engine.objective import block_diagonal
from trialmlm.engine.predicted_effects import PredictedEffects, effects_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.crossed_summary import Factor

#: numbers held at a time
_PIECE = 4_000_000


@dataclass(frozen=True)
class CrossedPredictions:
    """Of several grouping factors.

    Attributes
    ----------
    point : CrossedPoint
        The optimum.
    """

    point: CrossedPoint

    @cached_property
    def parts(self) -> tuple[PredictedEffects, ...]:
        """One per grouping factor, in the order in which these were given."""
        point, q = self.point, self.point.beta.size
        found: dict[int, PredictedEffects] = {}
        for k, (factor, Lambda) in enumerate(zip(point.data.factors, point.factors, strict=True)):
            Hz, T = self._of_levels(k, factor)
            H = Hz[..., :q]
            inner = T - H @ point.Phi @ H.transpose(0, 2, 1)
            found[factor.given] = effects_of(
                Lambda @ Lambda.T, Hz[..., q], inner, _back(factor), point.data.scale
            )
        return tuple(found[given] for given in sorted(found))

    @property
    def leading(self) -> int:
        """The factor whose V₁ is block-diagonal."""
        return self.point.data.factors[0].given

    @cached_property
    def shifts(self) -> tuple[Array, ...]:
        """Λ₂U diag(((1 + s)^−½ − 1)/s) U'Λ₂'Z₂'Ω₁r with USU' = Λ₂'Z₂'Ω₁Z₂Λ₂.

        V = L₁(I + WW')L₁' with L₁L₁' = V₁ and W = L₁⁻¹Z₂Λ₂; (I + WW')^−½ is the symmetric root.
        """
        point, (lead, *others) = self.point, self.point.data.factors
        transposed = [Lambda.T for Lambda in point.factors[1:]]
        roots, U = np.linalg.eigh(point.core @ point.core.transpose(0, 2, 1))
        roots = (roots - 1.0).clip(1e-300)
        shrink = np.expm1(-0.5 * np.log1p(roots)) / roots
        right = (point.AW[..., -1] - point.AW[..., :-1] @ point.beta)[..., None]
        moved = U.transpose(0, 2, 1) @ by_factor(others, transposed, right)
        s = by_factor(others, point.factors[1:], U @ (shrink[..., None] * moved)).reshape(-1)
        found = {lead.given: np.zeros((lead.n_levels, lead.r))}
        for factor in others:
            own = s[factor.position[:, None] + np.arange(factor.r)]
            found[factor.given] = own @ _back(factor).T * point.data.scale
        return tuple(found[given] for given in sorted(found))

    def _of_levels(self, k: int, factor: Factor) -> tuple[Array, Array]:
        """(H z) and the diagonal blocks of T of a factor's levels."""
        point = self.point
        if k == 0:
            return point.Hz[0], point.T1
        at = factor.position[:, None] + np.arange(factor.r)
        flat, m = point.T2.reshape(-1, point.T2.shape[-1]), point.T2.shape[-1]
        Hz = point.Hz[1].reshape(len(flat), -1)[at]
        return Hz, flat[at[:, :, None], at[:, None, :] % m]

    def added_variance(self, rows: Array, levels: Sequence[IntArray], Z: Sequence[Array]) -> Array:
        """Sum z'Gz − g'Tg + s'Φs − 2x'Φs with g = Gz and s = X'ΩZg; see :class:`Predictions`."""
        point = self.point
        found = np.empty(len(rows))
        width = point.data.factors[0].r * max(1, point.A.shape[0] * point.A.shape[1])
        step = max(1, _PIECE // width)
        for start in range(0, len(rows), step):
            piece = slice(start, start + step)
            found[piece] = self._added(
                rows[piece], [level[piece] for level in levels], [z[piece] for z in Z]
            )
        return found * point.data.scale**2

    def _added(self, rows: Array, levels: Sequence[IntArray], Z: Sequence[Array]) -> Array:
        point, q = self.point, self.point.beta.size
        c, m, _ = point.A.shape
        lead, *others = point.data.factors
        prior, g = self._weights(lead, 0, levels, Z)
        at = np.maximum(levels[lead.given], 0)
        s = np.einsum("nr,nrq->nq", g, point.Hz[0][at, :, :q])
        spread = np.einsum("nr,nrs,ns->n", g, point.T1[at], g)
        u = np.zeros((len(rows), c * m))
        for k, factor in enumerate(others, start=1):
            more, own = self._weights(factor, k, levels, Z)
            prior = prior + more
            first = factor.position[np.maximum(levels[factor.given], 0)]
            for a in range(factor.r):
                u[np.arange(len(rows)), first + a] += own[:, a]
        s = s + u @ point.Hz[1].reshape(c * m, q + 1)[:, :q]
        by = u.reshape(len(rows), c, m).transpose(1, 0, 2)
        spread = spread + (by * (by @ point.T2)).sum(axis=(0, 2))
        Ku = (by @ point.K.transpose(0, 2, 1)).transpose(1, 0, 2).reshape(u.shape)
        spread = spread + 2.0 * np.einsum("nr,nrj,nj->n", g, point.B.rows(at), Ku)
        result: Array = prior - spread + ((s - 2.0 * rows) * (s @ point.Phi)).sum(axis=1)
        return result

    def _weights(
        self, factor: Factor, k: int, levels: Sequence[IntArray], Z: Sequence[Array]
    ) -> tuple[Array, Array]:
        """Return z'Gz and Gz, in the units of the summary; zero for an unknown level."""
        G = self.point.factors[k] @ self.point.factors[k].T
        z = Z[factor.given] @ _back(factor) * (levels[factor.given] >= 0)[:, None]
        g = z @ G
        return (z * g).sum(axis=1), g


def _back(factor: Factor) -> Array:
    """K⁻¹ of all terms of a factor."""
    back: Array = np.linalg.inv(block_diagonal(factor.K))
    return back
