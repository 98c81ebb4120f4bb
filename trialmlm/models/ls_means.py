"""Least-squares means and what is compared among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.formula.factor import level_text
from trialmlm.inference.contrasts import estimates
from trialmlm.models.contrast_kinds import Levels, contrast_weights, scores_of
from trialmlm.models.contrasts import Contrasts, check_adjust, check_family
from trialmlm.models.estimates_frame import labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.formula.grid import Grid
    from trialmlm.inference.method import Method
    from trialmlm.models.contrast_kinds import Asked


@dataclass(frozen=True)
class LsMeans:
    """LS means over a grid.

    Attributes
    ----------
    grid : Grid
        Its cells run over `by` first, then `of`.
    of, by : tuple of str
        The factors compared, and those within which they are compared; columns that `at` gives
        several values are among `by`.
    method : Method
    confidence : float
    spread : ndarray, shape (cells, cells), or None
        Covariance of the means by the sampling of the subjects averaged over, in squared units
        of the response, where the standard errors are to include it.
    made : tuple of str
        How the means were made, where there is something to say of it.
    """

    grid: Grid
    of: tuple[str, ...]
    by: tuple[str, ...]
    method: Method
    confidence: float
    spread: Array | None = None
    made: tuple[str, ...] = ()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The factors' levels, estimate, std_error, df, ci_low, ci_high, statistic, p_value.

        A mean that is not estimable is NaN, and `notes` names it.
        """
        names = self.grid.names
        labels = {
            name: [cell[names.index(name)] for cell in self.grid.cells]
            for name in (*self.of, *self.by)
        }
        extra = None if self.spread is None else np.diag(self.spread)
        return labelled(labels, estimates(self.method, self.grid.L, self.confidence, extra))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know: how the means were made, and which are not estimable."""
        basis = self.method.coefficients.basis
        unknown = np.flatnonzero(~basis.estimable(self.grid.L))
        named = (
            ", ".join(
                f"{name} {level_text(value)}"
                for name, value in zip(self.grid.names, self.grid.cells[cell], strict=True)
            )
            for cell in unknown
        )
        return (
            *self.made,
            *(f"the mean of {cell} is not estimable from the rows used" for cell in named),
        )

    def contrasts(
        self,
        kind: Asked = "pairwise",
        *,
        control: Any = None,
        scores: Sequence[float] | Mapping[Any, float] | None = None,
        adjust: str = "none",
        family: str = "by",
    ) -> Contrasts:
        """Contrasts of the means, within each level of `by`.

        Parameters
        ----------
        kind : str, sequence of pairs, or mapping
            ``"pairwise"``: all pairs, the earlier level less the later; ``"vs-control"``: each
            level less the control; ``"consecutive"``: each level less the one before it;
            ``"trend"``: the least-squares slope of the means on the scores; ``"polynomial"``:
            that and the higher orthogonal polynomials; pairs (a, b): a less b; or a name to the
            weights of the levels, a mapping or a list in their order. A level of several factors
            is a tuple.
        control : optional
            The level compared with, for ``"vs-control"`` alone; the first by default.
        scores : sequence or mapping, optional
            A number per level, for a trend or polynomials, such as the dose; by default the levels
            themselves if they are numbers, otherwise 1, 2, ….
        adjust : str
            For making several comparisons: ``none``, ``bonferroni``, ``sidak``, ``holm``,
            ``hochberg``, ``fixed-sequence`` (in the order of the contrasts), ``dunnett``
            (single-step, from the joint t distribution with the contrasts' own correlation) or
            ``tukey`` (studentized range, after Kramer).
        family : {"by", "all"}
            What is adjusted together: the contrasts within each level of `by`, or all.

        Raises
        ------
        UsageError
            If a level is not among the means, the kind or adjustment is not known, a control or
            scores are given to a kind that does not take them, or nothing is compared.

        Examples
        --------
        >>> means.contrasts("vs-control", control="PBO", adjust="dunnett").frame  # doctest: +SKIP
        >>> means.contrasts("trend", scores={"PBO": 0, "LOW": 54, "HIGH": 81}).frame
        ... # doctest: +SKIP
        >>> means.contrasts({"active": {"LOW": 0.5, "HIGH": 0.5, "PBO": -1}}).frame
        ... # doctest: +SKIP
        """
        levels = tuple(dict.fromkeys(self._level(cell) for cell in self.grid.cells))
        found = Levels(levels, control, scores_of(scores, levels))
        weights = contrast_weights(kind, found)
        K = np.stack(list(weights.values()))
        return Contrasts(self, tuple(weights), K, check_adjust(adjust), check_family(family))

    def _level(self, cell: tuple[Any, ...]) -> Any:
        own = cell[len(self.by) :]
        return own[0] if len(own) == 1 else own
