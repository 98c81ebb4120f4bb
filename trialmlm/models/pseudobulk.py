"""Subject-level aggregation ("pseudobulk") beside the naive and the mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.expressions.nodes import names as names_of
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.response import response_values
from trialmlm.models.ancova import ancova
from trialmlm.models.asked import rows_lost
from trialmlm.models.lmm import lmm
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trialmlm.arrays import IntArray
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.formula.variables import Variable
    from trialmlm.models.fitted import FittedModel
    from trialmlm.models.lmm_fit import LmmFit

_RESPONSE = "response_mean"


@dataclass(frozen=True, repr=False)
class Pseudobulk:
    """The same effects from all rows, from one mean per subject, and from the mixed model.

    Attributes
    ----------
    frame : DataFrame
        term, analysis (``every row, naive``, ``subject means``, ``mixed model``), n (rows it
        uses), estimate, std_error, df, statistic, p_value, ci_low, ci_high.
    subjects : DataFrame
        One row per subject: its column, the fixed part's columns, n, response_mean, response_sd.
    fit : LmmFit
        The mixed model.
    lost : tuple of str
        Which rows are not used.
    """

    frame: pd.DataFrame
    subjects: pd.DataFrame
    fit: LmmFit
    lost: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Pseudobulk {self.fit.formula!r}, {len(self.subjects):,} subjects>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        slopes = self.frame["term"] != "(Intercept)"
        frame = self.frame[slopes if slopes.any() else ~slopes].set_index(["analysis", "term"])
        errors = frame["std_error"]
        ratio = (errors["mixed model"] / errors["every row, naive"]).max()
        rows = int(self.subjects["n"].sum())
        note = (
            f"the naive analysis takes {rows:,} rows of {len(self.subjects):,} subjects for "
            f"independent; the mixed model's standard errors are up to {ratio:.2g} times as large"
        )
        return (note, *self.lost)


def aggregate(data: pd.DataFrame, formula: str, subject: str) -> pd.DataFrame:
    """One row per subject, with the mean of its responses.

    Parameters
    ----------
    data : DataFrame
        One row per observation, such as a cell; rows with a missing value are not used.
    formula : str
        ``response ~ fixed effects``, the fixed effects constant within a subject.
    subject : str

    Returns
    -------
    DataFrame
        The subject, the columns of the fixed part, n, response_mean, response_sd (NaN of one).

    Raises
    ------
    FitError
        If a column of the fixed part varies within a subject.
    UsageError
        If the formula names a covariance or random effects.
    """
    read = _read(formula)
    return _aggregated(read, model_frame(data, sorted(read.variables | {subject})), subject)


def pseudobulk(
    data: pd.DataFrame,
    formula: str,
    subject: str,
    *,
    df: str = "kenward-roger",
    confidence: float = 0.95,
) -> Pseudobulk:
    """Compare subjects by their means, beside the analyses of every row.

    Parameters
    ----------
    data : DataFrame
        One row per observation, such as a cell of a donor.
    formula : str
        ``response ~ fixed effects``, the fixed effects constant within a subject.
    subject : str
        The column that says who a row is of: the unit that was randomised or sampled.
    df : str
        Of the mixed model, as in ``tm.lmm``.
    confidence : float

    Returns
    -------
    Pseudobulk

    Raises
    ------
    FitError, UsageError
        As `aggregate`, ``tm.ancova`` and ``tm.lmm``.

    Notes
    -----
    The mean of each subject counts once, however many rows it has; the mixed model
    ``+ (1 | subject)`` weighs it by what its rows tell. The two agree where subjects have equally
    many rows; taking rows for independent agrees with neither (pseudoreplication, Hurlbert 1984).

    Examples
    --------
    >>> pseudobulk(cells, "log_expr ~ arm", "donor").frame  # doctest: +SKIP
    """
    read = _read(formula)
    rows = model_frame(data, sorted(read.variables | {subject}))
    subjects = _aggregated(read, rows, subject)
    right = formula.split("~", 1)[1]
    table = table_of(rows.variables)
    table[subject] = table_of({subject: rows.variables[subject].as_factor()})[subject]
    fit = lmm(f"{formula} + (1 | {subject})", table, df=df)
    fits: dict[str, tuple[FittedModel, int]] = {
        "every row, naive": (ancova(formula, table), len(table)),
        "subject means": (ancova(f"{_RESPONSE} ~ {right}", subjects), len(subjects)),
        "mixed model": (fit, len(table)),
    }
    frame = pd.concat([_coefficients(name, *found, confidence) for name, found in fits.items()])
    order = {name: k for k, name in enumerate(dict.fromkeys(frame["term"]))}
    frame = frame.sort_values("term", key=lambda terms: terms.map(order), kind="stable")
    return Pseudobulk(frame.reset_index(drop=True), subjects, fit, rows_lost(rows))


def _coefficients(name: str, fit: FittedModel, n: int, confidence: float) -> pd.DataFrame:
    table = fit.coefficients(confidence)
    table.insert(1, "analysis", name)
    table.insert(2, "n", n)
    return table


def _read(formula: str) -> ModelFormula:
    read = read_formula(formula)
    if read.covariance or read.random:
        raise UsageError(
            "the formula names a covariance or random effects; name the fixed effects only, and "
            "the subject by itself"
        )
    return read


def _aggregated(read: ModelFormula, rows: ModelFrame, subject: str) -> pd.DataFrame:
    who = rows.variables[subject].as_factor()
    y = response_values(read.response, rows.variables)
    count = np.bincount(who.codes)
    mean = np.bincount(who.codes, y) / count
    square = np.bincount(who.codes, np.square(y - mean[who.codes]))
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)
    first = np.unique(who.codes, return_index=True)[1]
    fixed = sorted(names_of(read.fixed) - {subject})
    _refuse_varying((rows.variables[name] for name in fixed), who, first)
    own = table_of({name: rows.variables[name].take(first) for name in fixed})
    found = pd.DataFrame({subject: np.array(who.levels, dtype=object)})
    numbers = {"n": count, _RESPONSE: mean, "response_sd": sd}
    return pd.concat([found, own, pd.DataFrame(numbers)], axis=1)


def _refuse_varying(variables: Iterable[Variable], who: Variable, first: IntArray) -> None:
    for one in variables:
        codes = one.as_factor().codes
        strange = np.flatnonzero(codes != codes[first][who.codes])
        if strange.size:
            name = level_text((who.levels or ())[who.codes[strange[0]]])
            msg = (
                f"{one.name} varies within {who.name} {name}; a comparison of subject means takes "
                "columns that are constant within subjects"
            )
            raise FitError(msg)
