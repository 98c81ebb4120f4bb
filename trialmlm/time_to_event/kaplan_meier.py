"""The Kaplan-Meier estimate: the share of subjects still without the event, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import model_frame
from trialmlm.inference.quantiles import normal_quantile
from trialmlm.models.asked import check_share, rows_lost
from trialmlm.time_to_event.survival_interval import survival_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.arrays import Array
    from trialmlm.formula.frame import ModelFrame

#: the arm of everyone where no arm is named
EVERYONE: Final = "all subjects"
#: S is a product of fractions: two plateaus closer than this are one
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KaplanMeier:
    """Curves by arm.

    Attributes
    ----------
    frame : DataFrame
        A row per arm and distinct time: arm, time, n_at_risk (just before), n_events,
        n_censored, survival (just after), std_error (Greenwood), ci_low, ci_high.
    interval : {"log-log", "log", "plain"}
        How the confidence intervals are made.
    confidence : float
    notes : tuple of str
        Who is not used, and why.
    """

    frame: pd.DataFrame
    interval: str
    confidence: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        events = int(self.frame["n_events"].sum())
        return f"<KaplanMeier {self.frame['arm'].nunique()} arms, {events:,} events>"

    def at(self, times: Sequence[float]) -> pd.DataFrame:
        """The estimates at chosen times.

        Parameters
        ----------
        times : sequence of float

        Returns
        -------
        DataFrame
            arm, time, n_at_risk, survival, std_error, ci_low, ci_high. After the last time of an
            arm whose curve has not reached 0 nobody is left to tell, and all four are NaN
            (R extends the last value, if asked; SAS does not).
        """
        made = [
            (arm, time, *_at(curve, float(time))) for arm, curve in self._curves() for time in times
        ]
        columns = ["arm", "time", "n_at_risk", "survival", "std_error", "ci_low", "ci_high"]
        return pd.DataFrame(made, columns=pd.Index(columns))

    def quantiles(self, shares: Sequence[float] = (0.25, 0.5, 0.75)) -> pd.DataFrame:
        """Times by which these shares have had the event; the median is that of 0.5.

        Parameters
        ----------
        shares : sequence of float

        Returns
        -------
        DataFrame
            arm, share, estimate, ci_low, ci_high (Brookmeyer and Crowley 1982: the times whose
            interval of survival holds 1 − share). NaN where a curve does not come so low.

        Notes
        -----
        The first event time at which S < 1 − share. Where S equals 1 − share from one event to
        the next, the middle between the two; with no next event there is none (as in SAS; R takes
        the last time instead).
        """
        for share in shares:
            check_share("shares", share)
        made = [
            (arm, share, *(_crossing(curve, column, 1.0 - share) for column in _CURVES))
            for arm, curve in self._curves()
            for share in shares
        ]
        columns = ["arm", "share", "estimate", "ci_low", "ci_high"]
        return pd.DataFrame(made, columns=pd.Index(columns))

    def _curves(self) -> Iterator[tuple[Any, pd.DataFrame]]:
        yield from self.frame.groupby("arm", sort=False)


#: the estimate and the ends of its interval
_CURVES: Final = ("survival", "ci_low", "ci_high")


def kaplan_meier(
    data: pd.DataFrame,
    *,
    time: str,
    event: str,
    arm: str | None = None,
    interval: str = "log-log",
    confidence: float = 0.95,
) -> KaplanMeier:
    """Estimate survival curves (Kaplan and Meier 1958).

    Parameters
    ----------
    data : DataFrame
        One row per subject; rows with a missing value are not used, and counted.
    time : str
        Time to the event or to censoring, in any unit, 0 or later.
    event : str
        1 (or True) at an event, 0 where censored. ADaM's CNSR is 0 at an event: turn it round.
    arm : str, optional
    interval : {"log-log", "log", "plain"}
        Of survival: on the scale log(−log S), the default in SAS, log S, the default in R's
        survival, or S itself.
    confidence : float

    Returns
    -------
    KaplanMeier

    Raises
    ------
    UsageError
        If the event is not 0 or 1, or there is no such interval.
    DataError
        If a time is negative.
    FitError
        If a column is not there, or no row is complete.

    Notes
    -----
    S(t) = Π (1 − d/n) over the event times up to t, with d events among n at risk; a subject
    censored at an event time is still at risk there. Greenwood's variance of log S is
    Σ d / (n (n − d)).

    Examples
    --------
    >>> kaplan_meier(d, time="AVAL", event="EVENT", arm="TRT01P").quantiles()  # doctest: +SKIP
    """
    check_share("confidence", confidence)
    names = [time, event, *([arm] if arm else [])]
    rows = model_frame(data, names)
    when, happened = _checked(data, rows, time, event)
    z = normal_quantile(0.5 + confidence / 2.0)
    curves = [
        _curve(label, when[who], happened[who], interval, z) for label, who in _arms(rows, arm)
    ]
    frame = pd.concat(curves, ignore_index=True)
    return KaplanMeier(frame, interval, confidence, rows_lost(rows, "subjects"))


def _checked(data: pd.DataFrame, rows: ModelFrame, time: str, event: str) -> tuple[Array, Array]:
    """Times and events of the rows used."""
    when = rows.variables[time].numbers()
    if (when < 0.0).any():
        msg = f"kaplan_meier: {time} is negative in {int((when < 0.0).sum()):,} rows; correct it"
        raise DataError(msg, data.iloc[rows.rows[when < 0.0]])
    read = rows.variables[event]
    levels = read.levels if read.levels is not None else np.unique(read.values).tolist()
    if not set(levels) <= {0, 1}:
        # quotes tell the text '1' from the number
        found = [repr(one) if isinstance(one, str) else level_text(one) for one in levels]
        msg = (
            f"kaplan_meier: {event} is {', '.join(found)}; expected 1 at an event and 0 where "
            "censored, as numbers"
        )
        raise UsageError(msg)
    return when, np.asarray(levels, dtype=float)[read.codes] if read.levels else read.numbers()


def _arms(rows: ModelFrame, arm: str | None) -> Iterator[tuple[str, Any]]:
    if arm is None:
        yield EVERYONE, slice(None)
        return
    factor = rows.variables[arm].as_factor()
    for code, level in enumerate(factor.levels or ()):
        yield level_text(level), factor.codes == code


def _curve(label: str, when: Array, happened: Array, interval: str, z: float) -> pd.DataFrame:
    times, place = np.unique(when, return_inverse=True)
    events = np.bincount(place, weights=happened)
    leaving = np.bincount(place).astype(float)
    at_risk = leaving[::-1].cumsum()[::-1]
    survival = np.cumprod(1.0 - events / at_risk)
    left = np.where(at_risk > events, at_risk - events, np.nan)
    spread = np.sqrt(np.cumsum(events / (at_risk * left)))
    low, high = survival_interval(interval, survival, spread, z)
    return pd.DataFrame(
        {
            "arm": label,
            "time": times,
            "n_at_risk": at_risk.astype(int),
            "n_events": events.astype(int),
            "n_censored": (leaving - events).astype(int),
            "survival": survival,
            "std_error": survival * spread,
            "ci_low": low,
            "ci_high": high,
        }
    )


def _at(curve: pd.DataFrame, time: float) -> tuple[float, ...]:
    """Number at risk, survival, its standard error and interval at a time."""
    ahead = curve.loc[curve["time"] >= time, "n_at_risk"]
    passed = curve.loc[curve["time"] <= time, ["survival", "std_error", "ci_low", "ci_high"]]
    if passed.empty:
        return int(ahead.iloc[0]), 1.0, 0.0, np.nan, np.nan
    last = passed.iloc[-1]
    if ahead.empty and last["survival"] > 0.0:
        return 0, *([np.nan] * 4)
    return 0 if ahead.empty else int(ahead.iloc[0]), *map(float, last)


def _crossing(curve: pd.DataFrame, column: str, level: float) -> float:
    """The first event time at which a curve is below a level, or the middle where it is level."""
    steps = curve[curve["n_events"] > 0]
    times = steps["time"].to_numpy(dtype=float)
    # after the last event of a curve that ends at 0, so do the ends of its interval
    heights = np.where(steps["survival"] > 0.0, steps[column], 0.0)
    below = np.flatnonzero(heights < level - _ROUNDING)
    at = np.flatnonzero(np.abs(heights - level) <= _ROUNDING)
    if not below.size:
        return np.nan
    return float((times[at[0]] + times[below[0]]) / 2.0) if at.size else float(times[below[0]])
