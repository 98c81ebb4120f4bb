"""Least-squares means and the differences between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.factor import level_text
from trialmlm.inference.contrasts import Estimates, estimates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.arrays import Array
    from trialmlm.formula.grid import Grid
    from trialmlm.inference.method import Method

_COLUMNS = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class LsMeans:
    """LS means over a reference grid.

    Attributes
    ----------
    grid : Grid
        Its cells run over `by` first, then `of`.
    of, by : tuple of str
        The factors compared, and those within which they are compared.
    method : Method
    confidence : float
    """

    grid: Grid
    of: tuple[str, ...]
    by: tuple[str, ...]
    method: Method
    confidence: float

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The factors' levels, estimate, std_error, df, ci_low, ci_high, statistic, p_value."""
        names = self.grid.names
        labels = {
            name: [cell[names.index(name)] for cell in self.grid.cells]
            for name in (*self.of, *self.by)
        }
        return _labelled(labels, estimates(self.method, self.grid.L, self.confidence))

    def contrasts(
        self, kind: str | Sequence[Pair] = "pairwise", *, control: Any = None
    ) -> Contrasts:
        """Differences between the means, within each level of `by`.

        Parameters
        ----------
        kind : {"pairwise", "vs-control"} or sequence of pairs
            All pairs (the earlier level less the later), each level less the control, or the
            pairs (a, b) given, a less b. A level of several factors is a tuple.
        control : optional
            The level compared with; the first by default.

        Raises
        ------
        UsageError
            If a level is not among the means.
        """
        levels = list(dict.fromkeys(self._level(cell) for cell in self.grid.cells))
        pairs = tuple(_pairs(kind, levels, control))
        for level in (level for pair in pairs for level in pair):
            if level not in levels:
                msg = f"contrasts: {level!r} is not among the levels {levels}"
                raise UsageError(msg)
        return Contrasts(self, pairs)

    def _level(self, cell: tuple[Any, ...]) -> Any:
        own = cell[len(self.by) :]
        return own[0] if len(own) == 1 else own

    def groups(self) -> dict[tuple[Any, ...], dict[Any, Array]]:
        """For each level of `by`, each level's row of coefficients."""
        found: dict[tuple[Any, ...], dict[Any, Array]] = {}
        for cell, row in zip(self.grid.cells, self.grid.L, strict=True):
            found.setdefault(cell[: len(self.by)], {})[self._level(cell)] = row
        return found


@dataclass(frozen=True)
class Contrasts:
    """Differences of LS means.

    Attributes
    ----------
    means : LsMeans
    pairs : tuple of pairs
        The levels (a, b) of each difference a − b.
    """

    means: LsMeans
    pairs: tuple[Pair, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """contrast, the factors of `by`, estimate, std_error, df, ci_low, ci_high, statistic, p."""
        means = self.means
        groups = means.groups()
        L = [rows[a] - rows[b] for rows in groups.values() for a, b in self.pairs]
        labels: dict[str, list[Any]] = {
            "contrast": [f"{_text(a)} - {_text(b)}" for a, b in self.pairs] * len(groups)
        }
        for position, name in enumerate(means.by):
            labels[name] = [group[position] for group in groups for _ in self.pairs]
        return _labelled(labels, estimates(means.method, np.stack(L), means.confidence))


def _text(level: Any) -> str:
    return " ".join(map(level_text, level)) if isinstance(level, tuple) else level_text(level)


def _pairs(kind: str | Sequence[Pair], levels: list[Any], control: Any) -> Iterable[Pair]:
    if not isinstance(kind, str):
        return list(kind)
    if kind == "pairwise":
        return combinations(levels, 2)
    if kind == "vs-control":
        reference = levels[0] if control is None else control
        return [(level, reference) for level in levels if level != reference]
    msg = f"contrasts: found {kind!r}, expected 'pairwise', 'vs-control' or a list of pairs"
    raise UsageError(msg)


def _labelled(labels: dict[str, list[Any]], found: Estimates) -> pd.DataFrame:
    return pd.DataFrame({**labels, **{name: getattr(found, name) for name in _COLUMNS}})
