"""The contrast over deltas of two arms: a heat map, and the boundary of its conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.missing.analyse import plan
from trialmlm.missing.imputed_cells import number_of
from trialmlm.missing.tilt import KEPT, Tilt
from trialmlm.missing.tipping import arms_of, limits_of, unit, visit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.missing.analyses import Model
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.shift import AskedDelta


@dataclass(frozen=True, eq=False, repr=False)
class TippingGrid:
    """The contrast over deltas of two arms.

    Attributes
    ----------
    tilt : Tilt
    deltas : mapping of str to tuple of float
        Of the two arms.
    visit : optional
    limits : (float, float)
        Within which the boundary is looked for.
    """

    tilt: Tilt
    deltas: Mapping[str, tuple[float, ...]]
    visit: Any
    limits: tuple[float, float]

    @property
    def contrast(self) -> str:
        """Written out."""
        return self.tilt.contrast

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per cell.

        The deltas in columns ``delta <arm>``, estimate, std_error, df, ci_low, ci_high,
        statistic, p_value, significant, variance, contrast, visit.
        """
        (first, across), (second, along) = self.deltas.items()
        cells = [(a, b) for b in along for a in across]
        made = pd.DataFrame([self.tilt.at(a, b) for a, b in cells])[list(KEPT)]
        made.insert(0, f"delta {first}", [a for a, _ in cells])
        made.insert(1, f"delta {second}", [b for _, b in cells])
        return made.assign(
            significant=self.tilt.significant(made),
            variance=self.tilt.plan.variances[0].name,
            contrast=self.contrast,
            visit=self.visit,
        )

    @cached_property
    def boundary(self) -> pd.DataFrame:
        """For each delta of the second arm, the one of the first at which the conclusion changes.

        The conclusion is that without deltas: which side of no effect the interval is on, if it
        is; a delta so large that the arms change sides is another boundary. Of several the one
        nearest to 0; NaN where there is none within the limits.
        """
        (first, _), (second, along) = self.deltas.items()
        plain = self.tilt.margins(0.0, 0.0)
        sides = [side for side, margin in plain.items() if margin > 0.0] or list(plain)
        found = [self._nearest(b, sides) for b in along]
        return pd.DataFrame({f"delta {first}": found, f"delta {second}": along})

    def _nearest(self, given: float, sides: Sequence[str]) -> float:
        """The tip of the first arm nearest to 0, the second shifted as given."""
        ends = [end for end in self.limits if end != 0.0]
        tips = [self.tilt.tip(0.0, end, given, side=side) for side in sides for end in ends]
        return min((tip for tip in tips if np.isfinite(tip)), key=abs, default=float("nan"))


def tipping_grid(
    imputation: Imputation,
    model: Model,
    *,
    deltas: Mapping[str, Sequence[float]],
    at: Any = None,
    contrast: str | None = None,
    limits: tuple[float, float] | None = None,
    shape: AskedDelta = 1.0,
    **asked: Any,
) -> TippingGrid:
    """The contrast with the imputed values of two arms shifted, each by deltas of its own.

    Parameters
    ----------
    deltas : mapping of arm to sequence of float
        Of two arms, in the response's unit.
    imputation, model, at, contrast, limits, shape, **asked
        As in :func:`~trialmlm.missing.tipping.tipping_point`.

    Returns
    -------
    TippingGrid
        `frame` for the heat map; `boundary`, exact.

    Raises
    ------
    UsageError
        If there are not two arms, or what `tipping_point` refuses.

    Examples
    --------
    >>> deltas = {"DRUG": range(9), "PLACEBO": range(-4, 5)}
    >>> tipping_grid(imputed, "CHG ~ BASE + ARM", deltas=deltas).boundary  # doctest: +SKIP
    """
    layout = imputation.layout
    visit = visit_of(layout, at, asked)
    arms = arms_of(layout, list(deltas))
    if len(arms) != 2:
        msg = f"tipping_grid: deltas: found {len(arms)} arm(s), expected two; or use tipping_point"
        raise UsageError(msg)
    if not all(len(values) for values in deltas.values()):
        raise UsageError(
            "tipping_grid: deltas: found none of an arm, expected numbers, as [0, 1, 2]"
        )
    span = limits_of(layout, visit, limits)
    made = plan(imputation, model, at=visit, **asked)
    directions = np.stack([unit(imputation, [arm], shape) for arm in arms])
    axes = {arm: tuple(number_of("deltas", one) for one in own) for arm, own in deltas.items()}
    return TippingGrid(Tilt.of(made, directions, contrast), axes, visit, span)
