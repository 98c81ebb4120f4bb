"""One contrast as its imputed values are shifted: the evaluations behind a tipping point."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.missing.answers import Answers, Quantity
    from trialmlm.missing.plan import Plan

#: what a frame keeps of a pooled estimate
KEPT = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")
#: steps from 0 to a limit in which a change of the conclusion is looked for: of estimates linear in
#: the imputed values, which cost next to nothing, and of others
_STEPS: Mapping[bool, int] = {True: 40, False: 8}
#: what is no contrast
MEANS = ("LS mean", "slope")
#: a tip is found to this share of the limits; where each point is a search, to what that gives
_EXACT: Mapping[bool, float] = {True: 1e-13, False: 1e-9}


@dataclass(frozen=True, eq=False)
class Tilt:
    """A contrast at one visit along directions of shift.

    Attributes
    ----------
    plan : Plan
        Of one visit; its first variance is the one that decides.
    directions : ndarray, shape (m, k)
        By how much a unit shifts each imputed value.
    place : int
        The contrast's among the quantities.
    contrast : str
        Its name.
    """

    plan: Plan
    directions: Array
    place: int
    contrast: str

    @classmethod
    def of(cls, plan: Plan, directions: Array, contrast: str | None) -> Tilt:
        """Of a contrast by its name, or of the only one.

        Raises
        ------
        UsageError
            If there is none of the name, or none is named and there are several.
        """
        one = plan.analysis.answers(plan.imputation.completions.only(0))  # nothing is fitted again
        place = _find(one.quantities, contrast)
        return cls(plan, directions, place, _name(one.quantities[place]))

    @cached_property
    def _way(self) -> Callable[[Array], dict[str, Answers]]:
        return self.plan.along(self.directions)

    def at(self, *delta: float) -> dict[str, float]:
        """Estimate, standard error, interval and test with so many units of each direction."""
        if delta not in self._found:
            pooled = self.plan.pool(self._way(np.array(delta)))
            decides = pooled[self.plan.variances[0].name].columns()
            self._found[delta] = {name: float(value[self.place]) for name, value in decides.items()}
        return self._found[delta]

    @cached_property
    def _found(self) -> dict[tuple[float, ...], dict[str, float]]:
        """The points that were asked for: searches and tables share some."""
        return {}

    def margin(self, *delta: float) -> float:
        """How far the value of no effect is outside the interval; negative inside.

        Raises
        ------
        UsageError
            As `margins`.
        """
        return max(self.margins(*delta).values())

    def margins(self, *delta: float) -> dict[str, float]:
        """How far the interval is ``above`` and ``below`` the value of no effect.

        Raises
        ------
        UsageError
            If the variance gives no interval: there is no conclusion that could change.
        """
        found, null = self.at(*delta), self.plan.hypothesis.null
        if np.isnan(found["ci_low"]) or np.isnan(found["ci_high"]):
            name = self.plan.variances[0].name
            msg = (
                f"tipping_point: variance {name} gives no interval here, so there is no conclusion "
                "that could change; take rubin (two imputations or more), jackknife or bootstrap"
            )
            raise UsageError(msg)
        return {"above": found["ci_low"] - null, "below": null - found["ci_high"]}

    def significant(self, table: pd.DataFrame) -> pd.Series:
        """Of rows with ci_low and ci_high, whether the value of no effect is outside."""
        null = self.plan.hypothesis.null
        return (table["ci_low"] > null) | (table["ci_high"] < null)

    def tip(self, low: float, high: float, *others: float, side: str | None = None) -> float:
        """The units of the first direction, nearest to `low`, at which the conclusion changes.

        Parameters
        ----------
        low, high : float
            Where to start and to stop.
        *others : float
            Units of the other directions.
        side : {"above", "below"}, optional
            The conclusion that the interval is on this side; by default that it is on either.

        Returns
        -------
        float
            Where an end of the interval is 0; NaN if the conclusion is the same throughout.
        """

        def margin(delta: float) -> float:
            found = self.margins(delta, *others)
            return max(found.values()) if side is None else found[side]

        steps = np.linspace(low, high, _STEPS[self.plan.analysis.linear] + 1)
        before = margin(low)
        for start, stop in itertools.pairwise(steps):
            after = margin(stop)
            if (before > 0.0) != (after > 0.0):
                exact = _EXACT[self.plan.analysis.linear] * abs(high - low)
                return float(brentq(margin, start, stop, xtol=exact))
            before = after
        return float("nan")


def _name(quantity: Quantity) -> str:
    return quantity.arms or quantity.kind


def _find(quantities: Sequence[Quantity], contrast: str | None) -> int:
    """Where the contrast stands among the quantities."""
    names = [_name(quantity) for quantity in quantities]
    known = [n for n, q in zip(names, quantities, strict=True) if q.kind not in MEANS]
    if contrast is None and len(known) == 1:
        contrast = known[0]
    if contrast not in known:
        listed = ", ".join(map(repr, known))
        msg = f"tipping_point: contrast: found {contrast!r}, expected one of {listed}"
        raise UsageError(msg)
    return names.index(contrast)
