"""Contrasts of LS means: estimates, tests of several together, adjusted comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.factor import level_text
from trialmlm.inference.adjustments import ADJUSTMENTS, Family
from trialmlm.inference.contrasts import correlation, estimates, f_test
from trialmlm.models.estimates_frame import labelled
from trialmlm.models.tests_frame import tests_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.arrays import Array, IntArray
    from trialmlm.inference.contrasts import Estimates
    from trialmlm.models.ls_means import LsMeans


@dataclass(frozen=True)
class Contrasts:
    """Linear combinations of the means within each level of `by`.

    Attributes
    ----------
    means : LsMeans
    names : tuple of str
    K : ndarray, shape (contrasts, levels)
        Weights of the levels, the same within every level of `by`.
    adjust : str
        Name of the adjustment, as in :data:`~trialmlm.inference.adjustments.ADJUSTMENTS`.
    family : {"by", "all"}
        What is adjusted together: the contrasts of one level of `by`, or all.
    """

    means: LsMeans
    names: tuple[str, ...]
    K: Array
    adjust: str = "none"
    family: str = "by"

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per contrast.

        contrast, the columns of `by`, estimate, std_error, df, ci_low, ci_high, statistic,
        p_value; with an adjustment also p_adjusted and the simultaneous limits ci_low_adjusted
        and ci_high_adjusted, NaN for a stepwise method. A contrast that is not estimable is NaN
        and not counted in the adjustment; a fixed sequence ends there, p_adjusted is 1 after it.
        """
        found = self._estimates
        table = labelled(self._labels(), found)
        if self.adjust == "none":
            return table
        p, half = self._adjusted(found)
        return table.assign(
            p_adjusted=p,
            ci_low_adjusted=found.estimate - half * found.std_error,
            ci_high_adjusted=found.estimate + half * found.std_error,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know: the contrasts that are not estimable."""
        frame = self.frame[["contrast", *self.means.by]]
        unknown = frame[np.isnan(self._estimates.estimate)]
        return tuple(
            " at ".join(map(level_text, row)) + " is not estimable from the rows used"
            for row in unknown.itertuples(index=False, name=None)
        )

    def joint(self, family: str = "by") -> pd.DataFrame:
        """F tests that all contrasts are zero.

        Parameters
        ----------
        family : {"by", "all"}
            One test per level of `by`, or a single one over all of them.

        Returns
        -------
        DataFrame
            The columns of `by` (not for a single test), num_df, den_df, statistic, p_value.
            Redundant contrasts and those that are not estimable do not count in num_df.

        Raises
        ------
        UsageError
            If the standard errors include the sampling of the subjects.
        """
        means = self.means
        if means.spread is not None:
            raise UsageError("joint: tests take the covariates as given; use covariates='fixed'")
        families = list(_families(check_family(family), self.n_groups, len(self.names)))
        L = self.cell_weights @ means.grid.L
        tests = [f_test(means.method, L[rows]) for rows in families]
        labels = self._labels()
        firsts = {name: [labels[name][rows[0]] for rows in families] for name in means.by}
        return tests_frame(firsts if family == "by" else {}, tests)

    @property
    def n_groups(self) -> int:
        """Levels of `by`."""
        groups: int = len(self.means.grid.cells) // self.K.shape[1]
        return groups

    @property
    def cell_weights(self) -> Array:
        """Weights of the cells of the grid: its cells run over the levels of `by` first."""
        return np.kron(np.eye(self.n_groups), self.K)

    @cached_property
    def _estimates(self) -> Estimates:
        means, W = self.means, self.cell_weights
        extra = None if means.spread is None else ((W @ means.spread) * W).sum(axis=1)
        return estimates(means.method, W @ means.grid.L, means.confidence, extra)

    def _labels(self) -> dict[str, list[Any]]:
        means, count = self.means, len(self.names)
        groups = list(dict.fromkeys(cell[: len(means.by)] for cell in means.grid.cells))
        labels: dict[str, list[Any]] = {"contrast": list(self.names) * len(groups)}
        for position, name in enumerate(means.by):
            labels[name] = [group[position] for group in groups for _ in range(count)]
        return labels

    def _adjusted(self, found: Estimates) -> tuple[Array, Array]:
        """Adjusted p-values, and half widths in standard errors."""
        means, W = self.means, self.cell_weights
        method = ADJUSTMENTS[self.adjust]
        p, half = np.full(len(W), np.nan), np.full(len(W), np.nan)
        known, unknown = np.isfinite(found.p_value), np.isnan(found.estimate)
        for members in _families(self.family, self.n_groups, len(self.names)):
            rows = members[known[members]]
            if not rows.size:
                continue
            spread = None if means.spread is None else W[rows] @ means.spread @ W[rows].T
            R = correlation(means.method, W[rows] @ means.grid.L, spread)
            compared = self._means_compared(rows % len(self.names))
            family = Family(found.statistic[rows], found.p_value[rows], found.df[rows], R, compared)
            p[rows] = method.p_values(family)
            if method.in_order:  # what cannot be estimated is not rejected: the sequence ends
                p[rows[unknown[members].cumsum()[known[members]] > 0]] = 1.0
            half[rows] = method.half_widths(family, means.confidence)
        return p, half

    def _means_compared(self, which: IntArray) -> int:
        """How many means the differences speak of; 0 if they are no such differences."""
        across = self.family == "all" and self.n_groups > 1
        ordered = np.sort(self.K[which], axis=1)
        one_each = (ordered[:, [0, -1]] == [-1.0, 1.0]).all()
        if across or not one_each or ordered[:, 1:-1].any():
            return 0
        return int(np.count_nonzero(self.K[which].any(axis=0)))


def check_adjust(adjust: str) -> str:
    """The name of an adjustment.

    Raises
    ------
    UsageError
        If there is none of the name.
    """
    if adjust not in ADJUSTMENTS:
        msg = f"adjust: found {adjust!r}, expected one of {', '.join(ADJUSTMENTS)}"
        raise UsageError(msg)
    return adjust


def check_family(family: str) -> str:
    """``by`` or ``all``.

    Raises
    ------
    UsageError
    """
    if family not in {"by", "all"}:
        msg = f"family: found {family!r}, expected 'by' (within each level of by) or 'all'"
        raise UsageError(msg)
    return family


def _families(family: str, groups: int, count: int) -> Iterator[IntArray]:
    """Positions of the contrasts that go together."""
    everything = np.arange(groups * count)
    if family == "all":
        yield everything
    else:
        yield from everything.reshape(groups, count)
