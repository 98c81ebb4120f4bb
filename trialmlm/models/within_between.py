"""A slope within groups and between them: person-mean centring, Mundlak, contextual effect."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, OppositeSlopesWarning, UsageError
from trialmlm.formula.frame import model_frame
from trialmlm.models.ancova import ancova
from trialmlm.models.asked import rows_lost
from trialmlm.models.lmm import lmm
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trialmlm.formula.variables import Variable
    from trialmlm.models.fitted import FittedModel
    from trialmlm.models.lmm_fit import LmmFit

_COLUMNS = ("estimate", "std_error", "df", "statistic", "p_value", "ci_low", "ci_high")
#: those whose signs are compared, as they answer different questions of the same data
_COMPARED = ("pooled", "within", "ecological")


@dataclass(frozen=True, repr=False)
class WithinBetween:
    """The slopes of a response on a column that varies within groups and between them.

    Attributes
    ----------
    frame : DataFrame
        slope, meaning, estimate, std_error, df, statistic, p_value, ci_low, ci_high. The slopes
        are pooled, ecological, mixed, within, between, contextual.
    fit : LmmFit
        Of response ~ deviation + group_mean + (1 | group), and the covariates.
    points : DataFrame
        group, x, y, x_mean and y_mean (of the group) of the rows used, with the data's index.
    names : (str, str, str)
        Of the response, the column and the group.
    notes : tuple of str
        What the reader of a result should know.
    """

    frame: pd.DataFrame
    fit: LmmFit
    points: pd.DataFrame
    names: tuple[str, str, str]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        value, of, group = self.names
        return f"<WithinBetween {value} on {of} by {group}, {len(self.points):,} rows>"


def within_between(
    data: pd.DataFrame,
    value: str,
    of: str,
    group: str,
    covariates: Sequence[str] = (),
    *,
    df: str = "satterthwaite",
    confidence: float = 0.95,
) -> WithinBetween:
    """Take a slope apart into that within groups and that between them.

    Parameters
    ----------
    data : DataFrame
        One row per observation. Rows with a missing value are not used.
    value, of, group : str
        Columns: the response, what it depends on, and the group.
    covariates : sequence of str
        Further columns of the fixed part, in every model.
    df : str
        Of the mixed models, as in ``tm.lmm``.
    confidence : float

    Returns
    -------
    WithinBetween

    Raises
    ------
    FitError
        If `of` does not vary within any group, or not between them.
    UsageError
        If `of` is among the covariates.

    Warns
    -----
    OppositeSlopesWarning
        If the pooled, ecological and within slopes do not all have the same sign.

    Notes
    -----
    With x̄ the mean of x in the group: pooled, least squares of y on x; ecological, of ȳ on x̄, one
    row per group; mixed, y ~ x + (1 | group), a blend of what is within and between; within and
    between, y ~ (x − x̄) + x̄ + (1 | group); contextual, between less within, the coefficient of x̄
    in y ~ x + x̄ + (1 | group) (Mundlak 1978).

    Examples
    --------
    >>> within_between(hsb82, "mAch", "ses", "school").frame  # doctest: +SKIP
    """
    if of in covariates or of in {value, group}:
        msg = f"of: {of} is also the response, the group or a covariate; name it once"
        raise UsageError(msg)
    variables = model_frame(data, [value, of, group, *covariates])
    table = _table(variables.variables, value, of, group, covariates)
    _check(table, of, group)
    more = "".join(f" + c{k}" for k in range(len(covariates)))
    centred = lmm(f"y ~ deviation + x_mean{more} + (1 | group)", table, df=df)
    fits = _fits(table, centred, more, df)
    rows = list(_rows(fits, confidence))
    frame = pd.DataFrame(rows, columns=pd.Index(["slope", "meaning", *_COLUMNS]))
    opposite = tuple(_opposite(frame, of))
    for note in opposite:
        warnings.warn(note, OppositeSlopesWarning, stacklevel=2)
    points = table[["group", "x", "y", "x_mean", "y_mean"]].set_axis(variables.labels)
    return WithinBetween(
        frame, centred, points, (value, of, group), (*opposite, *rows_lost(variables))
    )


def _table(
    variables: Mapping[str, Variable], value: str, of: str, group: str, covariates: Sequence[str]
) -> pd.DataFrame:
    """Y, x, group, covariates c0, c1, …; means by group, deviation from them."""
    names = {value: "y", of: "x", group: "group"}
    names |= {name: f"c{k}" for k, name in enumerate(covariates)}
    table = table_of({names[name]: one for name, one in variables.items()})
    table["y"], table["x"] = variables[value].numbers(), variables[of].numbers()
    codes = variables[group].as_factor().codes
    table["group"] = table_of({"group": variables[group].as_factor()})["group"]
    count = np.bincount(codes)
    for name in ("x", "y"):
        table[f"{name}_mean"] = (np.bincount(codes, table[name]) / count)[codes]
    table["deviation"] = table["x"] - table["x_mean"]
    return table


def _check(table: pd.DataFrame, of: str, group: str) -> None:
    size = float(table["x"].abs().max())
    if float(table["deviation"].abs().max()) <= 1e-12 * size:
        msg = f"{of} does not vary within any {group}: there is no slope within"
        raise FitError(msg)
    if float(np.ptp(table["x_mean"])) <= 1e-12 * size:
        msg = f"the mean of {of} is the same in every {group}: there is no slope between"
        raise FitError(msg)


def _fits(table: pd.DataFrame, centred: LmmFit, more: str, df: str) -> dict[str, FittedModel]:
    means = table.groupby("group", observed=True)[["x_mean", "y_mean"]].first()
    return {
        "pooled": ancova(f"y ~ x{more}", table),
        "ecological": ancova("y_mean ~ x_mean", means.reset_index()),
        "mixed": lmm(f"y ~ x{more} + (1 | group)", table, df=df),
        "within": centred,
        "mundlak": lmm(f"y ~ x + x_mean{more} + (1 | group)", table, df=df),
    }


def _rows(fits: dict[str, FittedModel], confidence: float) -> Iterator[tuple[object, ...]]:
    meanings = {
        "pooled": ("pooled", "x", "least squares of all rows, groups ignored"),
        "ecological": ("ecological", "x_mean", "least squares of the groups' means"),
        "mixed": ("mixed", "x", "mixed model without the group's mean, a blend"),
        "within": ("within", "deviation", "between rows of the same group"),
        "between": ("within", "x_mean", "between the groups' means, in the mixed model"),
        "contextual": (
            "mundlak",
            "x_mean",
            "between less within: the same row in a group of a higher mean",
        ),
    }
    for slope, (model, term, meaning) in meanings.items():
        found = fits[model].coefficients(confidence).set_index("term").loc[term]
        yield (slope, meaning, *(float(found[name]) for name in _COLUMNS))


def _opposite(frame: pd.DataFrame, of: str) -> Iterator[str]:
    slopes = frame.set_index("slope")["estimate"]
    signs = {name: float(slopes[name]) for name in _COMPARED}
    if len({value > 0.0 for value in signs.values()}) > 1:
        listed = ", ".join(f"{name} {value:.4g}" for name, value in signs.items())
        yield (
            f"the slopes on {of} disagree in sign: {listed}; what holds between groups does not "
            "hold within them, and only the within slope compares rows of the same group"
        )
