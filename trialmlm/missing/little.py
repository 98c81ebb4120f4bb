"""Little's test of data missing completely at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy import special

from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import read_column
from trialmlm.missing.observed import EVERYONE, numbers_of, observe, require_constant
from trialmlm.missing.patterns import pattern_text
from trialmlm.missing.series import find_series, require_columns, require_rows
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray

#: the label of the row that adds the arms up
SUM_OF_ARMS: Final = "sum over arms"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LittleTest:
    """Little's test.

    Attributes
    ----------
    frame : DataFrame
        arm, n_subjects (with a value), n_patterns, statistic (d²), df, p_value; with `arm` a row
        for each and one for their sum.
    patterns : DataFrame
        What each pattern adds: arm, pattern (a letter per variable, O observed), n, statistic.
    variables : tuple of str
        As the letters of a pattern stand.
    notes : tuple of str
        Who is not used.
    """

    frame: pd.DataFrame
    patterns: pd.DataFrame
    variables: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        last = self.frame.iloc[-1]
        return (
            f"<LittleTest d2 = {last['statistic']:.4g} on {last['df']:.0f} df, "
            f"p = {last['p_value']:.4g}>"
        )


def little_test(
    data: pd.DataFrame,
    *,
    value: str | Sequence[str],
    subject: str | None = None,
    visit: str | None = None,
    covariates: Sequence[str] = (),
    arm: str | None = None,
    visits: Sequence[Any] | None = None,
) -> LittleTest:
    """Test that data are missing completely at random (Little 1988).

    Parameters
    ----------
    data : DataFrame
        One row per subject and visit, if `subject` and `visit` are named; else one per subject.
    value : str or sequence of str
        The column of values; of one row per subject, the columns.
    subject, visit : str, optional
    covariates : sequence of str
        Columns constant within subjects, such as the baseline, that join the values: whether
        they predict what is missing is tested too.
    arm : str, optional
        Tests each arm with means and covariances of its own, and adds the statistics up: what
        is missing may then depend on the arm.
    visits : sequence, optional
        The scheduled visits in order.

    Returns
    -------
    LittleTest

    Raises
    ------
    UsageError
        If an argument names what is not there or does not go with another.
    DataError
        If two variables are never observed together, or the rows contradict each other.
    FitError
        If the means and the covariance cannot be estimated.

    Notes
    -----
    With μ̂ and Σ̂ the estimates of maximum likelihood from all observed values, which are taken
    as jointly normal, and S patterns of m_s subjects who have the p_s variables s,

        d² = Σ_s m_s (ȳ_s − μ̂_s)' Σ̂_s⁻¹ (ȳ_s − μ̂_s)

    is asymptotically χ² on Σ_s p_s − p degrees of freedom. A small p-value speaks against
    missing completely at random; a large one is no evidence for it, and nothing in the data
    tells missing at random from not at random.

    References
    ----------
    Little (1988), A test of missing completely at random for multivariate data with missing
    values, Journal of the American Statistical Association 83, 1198–1202.

    Examples
    --------
    >>> little_test(d, subject="USUBJID", visit="AVISITN", value="CHG").frame  # doctest: +SKIP
    """
    table, groups = _table(data, value, subject, visit, covariates, arm, visits)
    used = table.notna().any(axis=1).to_numpy()
    found = [
        _patterns(table[used & (groups == label)], label, _by(arm, label))
        for label in groups.categories
    ]
    patterns = pd.concat(found, ignore_index=True)
    empty = int((~used).sum())
    notes = (f"{empty:,} subjects without any value are not used",) if empty else ()
    rows = [
        _row(label, part, table.shape[1]) for label, part in patterns.groupby("arm", sort=False)
    ]
    frame = pd.DataFrame(rows)
    if len(rows) > 1:
        frame = pd.concat([frame, _sum(frame)], ignore_index=True)
    shown = patterns[["arm", "pattern", "n", "statistic"]]
    return LittleTest(frame, shown, tuple(map(str, table.columns)), notes)


def _by(arm: str | None, label: str) -> str:
    return f" in {arm} {label}" if arm else ""


def _table(
    data: pd.DataFrame,
    value: str | Sequence[str],
    subject: str | None,
    visit: str | None,
    covariates: Sequence[str],
    arm: str | None,
    visits: Sequence[Any] | None,
) -> tuple[pd.DataFrame, pd.Categorical]:
    """Subjects × variables, and each subject's arm."""
    if subject is not None and visit is not None and isinstance(value, str):
        return _from_visits(data, value, subject, visit, covariates, arm, visits)
    if subject is None and visit is None and visits is None:
        return _from_columns(data, [value] if isinstance(value, str) else value, covariates, arm)
    msg = (
        "little_test: expected subject=, visit= and one value= of one row per subject and visit, "
        "or value= alone, the columns of one row per subject"
    )
    raise UsageError(msg)


def _from_visits(
    data: pd.DataFrame,
    value: str,
    subject: str,
    visit: str,
    covariates: Sequence[str],
    arm: str | None,
    visits: Sequence[Any] | None,
) -> tuple[pd.DataFrame, pd.Categorical]:
    seen = observe(
        "little_test", data, subject=subject, visit=visit, value=value, arm=arm, visits=visits
    )
    require_columns("little_test", data, covariates)
    series = find_series("little_test", data, [subject], visit, seen.visits)
    table = pd.DataFrame(seen.Y, columns=[f"{value} at {visit} {at}" for at in seen.visits])
    for name in covariates:
        require_constant("little_test", data, series, subject, name, "has one baseline")
        table[name] = numbers_of("little_test", data, name, [subject])[seen.first]
    return table, _groups(seen.arm, seen.arms)


def _from_columns(
    data: pd.DataFrame, values: Sequence[str], covariates: Sequence[str], arm: str | None
) -> tuple[pd.DataFrame, pd.Categorical]:
    names = [*values, *covariates]
    require_columns("little_test", data, [*names, *([arm] if arm else [])])
    require_rows("little_test", data, [arm] if arm else [])
    table = pd.DataFrame({name: numbers_of("little_test", data, name, []) for name in names})
    if arm is None:
        return table, _groups(np.zeros(len(table), dtype=np.intp), (EVERYONE,))
    factor = read_column(data[arm]).take().as_factor()
    return table, _groups(factor.codes, tuple(map(level_text, factor.levels or ())))


def _groups(codes: IntArray, arms: tuple[str, ...]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), pd.Index(arms))


def _patterns(table: pd.DataFrame, label: str, where: str) -> pd.DataFrame:
    """What each pattern of one arm adds to the statistic."""
    values = table.to_numpy(dtype=float)
    _require_pairs(table, where)
    scaled = (values - np.nanmean(values, axis=0)) / _spread(table, where)
    mean, covariance = _normal(scaled, where)
    seen = ~np.isnan(values)
    rows = [
        (label, pattern_text(which), int(who.sum()), int(which.sum()), distance)
        for which, who in _by_pattern(seen)
        for distance in [_distance(scaled[who][:, which], mean[which], covariance, which)]
    ]
    return pd.DataFrame(rows, columns=pd.Index(["arm", "pattern", "n", "p", "statistic"]))


def _by_pattern(seen: BoolArray) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Each pattern and who shows it, the fullest first."""
    patterns, codes = np.unique(seen, axis=0, return_inverse=True)
    for k in range(len(patterns) - 1, -1, -1):
        yield patterns[k], codes.ravel() == k


def _distance(rows: Array, mean: Array, covariance: Array, which: BoolArray) -> float:
    apart = rows.mean(axis=0) - mean
    own = covariance[np.ix_(which, which)]
    return float(len(rows) * apart @ np.linalg.solve(own, apart))


def _normal(scaled: Array, where: str) -> tuple[Array, Array]:
    """Mean and covariance of maximum likelihood, by the engine's exact optimum."""
    who, which = np.nonzero(~np.isnan(scaled))
    if not np.isnan(scaled).any():  # the closed form; nothing is missing, and d² is 0
        return scaled.mean(axis=0), np.cov(scaled.T, ddof=0).reshape(scaled.shape[1], -1)
    long = pd.DataFrame({"y": scaled[who, which], "subject": who, "variable": which})
    long["variable"] = pd.Categorical(long["variable"])
    fit = mmrm("y ~ 0 + variable + us(variable | subject)", long, reml=False, df="asymptotic")
    if not fit.convergence.converged:
        msg = f"little_test: no estimate of means and covariance{where}: {fit.convergence}"
        raise FitError(msg)
    return fit.coefficients()["estimate"].to_numpy(), fit.covariance.to_numpy()


def _spread(table: pd.DataFrame, where: str) -> Array:
    spread = table.std(ddof=0)
    if (spread == 0.0).any():
        name = spread.index[spread == 0.0][0]
        msg = f"little_test: {name} has one value only{where}; leave it out"
        raise DataError(msg)
    return spread.to_numpy(dtype=float)


def _require_pairs(table: pd.DataFrame, where: str) -> None:
    """Every variable is observed, and every two of them by some subject."""
    seen = table.notna().to_numpy(dtype=float)
    together = seen.T @ seen
    a, b = divmod(int(together.argmin()), len(together))
    # the covariance of two variables needs two subjects who have both
    if together[a, b] < 2:
        pair = " and ".join(dict.fromkeys(str(table.columns[k]) for k in (a, b)))
        msg = (
            f"little_test: {pair} observed together in {int(together[a, b])} subjects{where}; "
            "expected two at least: leave out one of the visits or columns"
        )
        raise DataError(msg)


def _row(label: Any, patterns: pd.DataFrame, variables: int) -> dict[str, Any]:
    statistic, df = float(patterns["statistic"].sum()), int(patterns["p"].sum()) - variables
    return {
        "arm": label,
        "n_subjects": int(patterns["n"].sum()),
        "n_patterns": len(patterns),
        "statistic": statistic,
        "df": df,
        "p_value": _tail(statistic, df),
    }


def _sum(frame: pd.DataFrame) -> pd.DataFrame:
    total = frame.drop(columns=["arm", "p_value"]).sum()
    return pd.DataFrame(
        [{"arm": SUM_OF_ARMS, **total, "p_value": _tail(total["statistic"], total["df"])}]
    ).astype({"n_subjects": int, "n_patterns": int, "df": int})


def _tail(statistic: float, df: float) -> float:
    """P(χ² > statistic); NaN where one pattern leaves nothing to compare."""
    return float(special.chdtrc(df, statistic)) if df else np.nan
