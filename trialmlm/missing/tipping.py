"""Tipping points: how much worse imputed values must be for the conclusion to change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.missing.analyse import plan
from trialmlm.missing.comparison import visits_of
from trialmlm.missing.shift import read_shift
from trialmlm.missing.tilt import KEPT, MEANS, Tilt
from trialmlm.models.report import report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.arrays import Array
    from trialmlm.missing.analyses import Model
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.plan import Plan
    from trialmlm.missing.shift import AskedDelta


@dataclass(frozen=True, eq=False, repr=False)
class TippingPoint:
    """Where shifting the imputed values of some arms changes the conclusion.

    Attributes
    ----------
    tilt : Tilt
    arms : tuple of str
        Whose imputed values are shifted, all by the same delta.
    visit : optional
        None of slopes, which are of all visits.
    limits : (float, float)
        Within which it is looked for.
    mean_change : float
        The LS mean of these arms at the visit, or their slope, averaged, with everything missing at
        random: the measure of `share_of_change`. NaN where the imputation does not say.
    """

    tilt: Tilt
    arms: tuple[str, ...]
    visit: Any
    limits: tuple[float, float]
    mean_change: float

    @property
    def contrast(self) -> str:
        """Written out."""
        return self.tilt.contrast

    @cached_property
    def frame(self) -> pd.DataFrame:
        """First the row without delta, then one row per tip, the nearest on either side of 0.

        delta (in the response's unit), share_of_change (of the mean change of the arms were all
        missing at random), estimate, std_error, df, ci_low, ci_high, statistic, p_value,
        variance, contrast, visit, what (``without delta``, ``tip``).
        """
        low, high = self.limits
        tips = [self.tilt.tip(0.0, end) for end in (low, high) if end != 0.0]
        deltas = [0.0, *(tip for tip in tips if np.isfinite(tip))]
        table = self.curve(deltas)
        what = ["without delta", *["tip"] * (len(deltas) - 1)]
        named = table.assign(what=what, contrast=self.contrast, visit=self.visit)
        return named.drop(columns="significant")  # at a tip it is neither

    @property
    def delta(self) -> float:
        """The tip nearest to 0; NaN if the conclusion is the same throughout the limits."""
        tips = self.frame["delta"].iloc[1:]
        return float("nan") if tips.empty else float(tips.loc[tips.abs().idxmin()])

    def curve(self, deltas: Sequence[float]) -> pd.DataFrame:
        """The contrast at each delta: columns as in `frame`, and significant."""
        rows = [self.tilt.at(float(delta)) for delta in deltas]
        made = pd.DataFrame(
            {
                "delta": np.asarray(deltas, dtype=float),
                "share_of_change": np.asarray(deltas, dtype=float) / abs(self.mean_change),
                **{name: [row[name] for row in rows] for name in KEPT},
            }
        )
        return made.assign(
            significant=self.tilt.significant(made),
            variance=self.tilt.plan.variances[0].name,
        )

    @property
    def imputed(self) -> pd.DataFrame:
        """What is shifted: arm, visit, subjects, imputed, share."""
        return imputed_by_arm(self.tilt.plan.imputation.layout, self.arms)

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether and where it tips, in words."""
        start = self.frame.iloc[0]
        found = "excludes" if self.tilt.margin(0.0) > 0.0 else "includes"
        null = self.tilt.plan.hypothesis.null
        p = start["p_value"]
        told = "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}"
        without = f"without delta the interval {found} {null:g} ({told})"
        tips = self.frame["delta"].iloc[1:]
        low, high = self.limits
        if tips.empty:
            return (without, f"the conclusion is the same for every delta in [{low:g}, {high:g}]")
        return (without, *(f"it changes at delta = {tip:.6g}" for tip in tips))

    def __repr__(self) -> str:
        return f"<TippingPoint of {self.contrast}, delta {self.delta:g}>"

    def __str__(self) -> str:
        facts = {
            "Contrast": self.contrast + ("" if self.visit is None else f" at {self.visit}"),
            "Shifted": f"imputed values of {', '.join(self.arms)}",
            "Variance": self.tilt.plan.variances[0].name,
            "Mean change": f"{self.mean_change:.5g}, all missing at random",
        }
        shown = self.frame.drop(columns=["contrast", "visit", "statistic", "variance"])
        # the end of an interval that is 0 at a tip is 0 to the last digits of the search only
        shown = shown.round(10).replace(-0.0, 0.0)
        return report(facts, self.notes, Tips=shown, Imputed=self.imputed)


def tipping_point(
    imputation: Imputation,
    model: Model,
    *,
    arms: Sequence[str],
    at: Any = None,
    contrast: str | None = None,
    limits: tuple[float, float] | None = None,
    shape: AskedDelta = 1.0,
    **asked: Any,
) -> TippingPoint:
    """How far the imputed values of arms must be shifted to change the conclusion.

    Parameters
    ----------
    imputation : Imputed
    model : str or callable
        As in :func:`~trialmlm.missing.analyse.analyse`.
    arms : sequence of str
        Whose imputed values are shifted, all by the same delta.
    at : optional
        The visit of the contrast, the last by default; none where slopes are asked for.
    contrast : str, optional
        Written out, ``DRUG - PLACEBO``; needed where there are several.
    limits : (float, float), optional
        Between which the tip is looked for, in the response's unit; by default the range of the
        values observed at the visit, or of all where slopes are asked for, to either side.
    shape : optional
        What one unit of delta adds to each imputed value, as ``delta=`` of ``analyse``: 1 to all of
        them by default; a rule may let it grow with the visits since the event.
    **asked
        variance, contrasts, control, weights, confidence, slope and others of ``analyse``.

    Returns
    -------
    TippingPoint
        With the tip itself, not the nearest point of a grid.

    Raises
    ------
    UsageError
        If an arm, contrast or visit is not known, nothing is imputed in the arms, or the limits do
        not contain 0.

    Notes
    -----
    The conclusion changes where an end of the confidence interval is the value of no effect. Of an
    ANCOVA the estimate is linear in delta and the squared standard error quadratic, so that a
    further point costs a fraction of a millisecond. A mixed model is fitted anew at every point,
    its fillings side by side.

    Examples
    --------
    >>> tipping_point(imputed, "CHG ~ BASE + ARM", arms=["DRUG"]).frame  # doctest: +SKIP
    """
    layout = imputation.layout
    visit = visit_of(layout, at, asked)
    made = plan(imputation, model, at=visit, **asked)
    named = arms_of(layout, arms)
    span = limits_of(layout, visit, limits)
    tilt = Tilt.of(made, unit(imputation, named, shape)[None, :], contrast)
    return TippingPoint(tilt, named, visit, span, _mean_change(made, named))


def _mean_change(made: Plan, arms: tuple[str, ...]) -> float:
    """The mean of the arms with everything missing at random; NaN where it is not known."""
    found = made.imputation.at_random()
    if found is None:
        return float("nan")
    answers = made.analysis.answers(found.completions)
    means = [k for k, q in enumerate(answers.quantities) if q.kind in MEANS and q.arms in arms]
    return float(answers.estimate[:, means].mean()) if means else float("nan")


def arms_of(layout: Layout, arms: Sequence[str]) -> tuple[str, ...]:
    """The arms named, each of which has a missing value.

    Raises
    ------
    UsageError
    """
    listed = [arms] if isinstance(arms, str) else list(arms)
    known = ", ".join(layout.arms)
    for arm in listed:
        if arm not in layout.arms:
            msg = f"tipping_point: arms: found {arm!r}, expected arms among {known}"
            raise UsageError(msg)
        if not layout.missing[layout.arm == layout.arms.index(arm)].any():
            msg = f"tipping_point: nothing is imputed in {arm}, so no delta can change the result"
            raise UsageError(msg)
    if not listed:
        msg = f"tipping_point: arms: name those whose imputed values are shifted, among {known}"
        raise UsageError(msg)
    return tuple(dict.fromkeys(listed))


def visit_of(layout: Layout, at: Any, asked: Mapping[str, Any]) -> Any:
    """The one visit asked for, the last by default; None where slopes are asked for.

    Raises
    ------
    UsageError
        If there is none of the name, or there are several.
    """
    if at is None and asked.get("slope") is not None:
        return None
    found = visits_of(layout, layout.visits.tolist()[-1] if at is None else at)
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        msg = f"tipping_point: at: found {listed}, expected one visit: the conclusion is of one"
        raise UsageError(msg)
    return found[0]


def unit(imputation: Imputation, arms: Sequence[str], shape: AskedDelta) -> Array:
    """What one unit of delta adds to each imputed value, (k,); 0 in other arms."""
    layout = imputation.layout
    shifted = np.isin(np.array(layout.arms)[layout.arm], list(arms))
    own = read_shift(shape, imputation).added(imputation.completions)
    if own.ndim > 1:
        raise UsageError(
            "tipping_point: shape: a rule that multiplies has no unit; give one that adds"
        )
    return own * shifted[imputation.completions.subject]


def limits_of(
    layout: Layout, visit: Any, limits: tuple[float, float] | None
) -> tuple[float, float]:
    """Between which a tip is looked for.

    Raises
    ------
    UsageError
        If they do not contain 0, or are not given and fewer than two values were observed.
    """
    if limits is None:
        every = slice(None)
        seen = layout.Y[:, every if visit is None else layout.visits.tolist().index(visit)]
        seen = seen[~np.isnan(seen)]
        if np.unique(seen).size < 2:
            at = "" if visit is None else f" at {visit}"
            msg = f"tipping_point: limits: too little was observed{at}; give (low, high)"
            raise UsageError(msg)
        width = float(np.ptp(seen))
        return -width, width
    low, high = map(float, limits) if len(limits) == 2 else (np.nan, np.nan)
    if not (low <= 0.0 <= high and low < high):
        msg = f"tipping_point: limits: found {limits!r}, expected (low, high) around 0"
        raise UsageError(msg)
    return low, high


def imputed_by_arm(layout: Layout, arms: Sequence[str]) -> pd.DataFrame:
    """Of each arm and visit: subjects, imputed, share."""
    rows = [
        (arm, visit, int(own.sum()), int(layout.missing[own, t].sum()))
        for arm in arms
        for own in [layout.arm == layout.arms.index(arm)]
        for t, visit in enumerate(layout.visits)
    ]
    made = pd.DataFrame(rows, columns=["arm", "visit", "subjects", "imputed"])
    return made.assign(share=made["imputed"] / made["subjects"])
