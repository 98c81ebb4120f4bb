"""Values after an event drawn from the lowest tenth of what those who completed had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import DataError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout

#: the share of the completers' changes that is drawn from
LOWEST = 0.1


def from_lowest_decile(
    layout: Layout,
    completions: Completions,
    chosen: BoolArray,
    origin: Array,
    seed: int,
    *,
    lower_is_worse: bool = True,
) -> Completions:
    """Replace imputed values by draws from the worst decile of the change of completers.

    Completers are the subjects of all arms with a value at the last visit, so that the assumption
    favours no arm. A subject draws one share u, uniform on (0, 0.1), for each imputation, and at
    every visit chosen gets its origin and the u-quantile of the completers' changes at that visit:
    its course keeps its place among them. It is an assumption of the analyst's, not an estimate.

    Parameters
    ----------
    layout : Layout
    completions : Completions
        Random draws; those not chosen stay as they are.
    chosen : ndarray of bool, shape (n, T)
        The cells whose value is drawn.
    origin : ndarray, shape (n,)
        What a change is counted from, in the response's unit: the baseline, or 0 where the
        response is the change.
    seed : int
    lower_is_worse : bool
        Whether the lowest changes are the worst, or the highest.

    Returns
    -------
    Completions

    Raises
    ------
    DataError
        If nobody completed.
    """
    completer = ~np.isnan(layout.Y[:, -1]) & ~np.isnan(origin)
    if not completer.any():
        msg = f"lowest-decile: nobody has a value at {layout.visits[-1]}, from whom to draw"
        raise DataError(msg)
    change = (layout.Y - origin[:, None])[completer]
    stream = np.random.default_rng(np.random.SeedSequence(seed))
    share = stream.uniform(0.0, LOWEST, size=(len(completions.values), len(layout.subjects)))
    values = completions.values.copy()
    for k, (i, t) in enumerate(zip(completions.subject, completions.visit, strict=True)):
        if chosen[i, t]:
            u = share[:, i] if lower_is_worse else 1.0 - share[:, i]
            values[:, k] = origin[i] + np.nanquantile(change[:, t], u)
    return replace(completions, values=values)
