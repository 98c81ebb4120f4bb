"""Data that were imputed elsewhere, as an ADMI data set holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.completions import Completions
from trialmlm.missing.full_grid import lay_out
from trialmlm.missing.imputation import Imputation
from trialmlm.missing.layout import Names
from trialmlm.missing.series import require_columns, require_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.analyses import Model
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, eq=False)
class GivenImputations(Imputation):
    """Random imputations that were made elsewhere.

    Attributes
    ----------
    grid : Layout
        Missing where a value was imputed.
    filled : Completions
    """

    grid: Layout
    filled: Completions

    @property
    def layout(self) -> Layout:
        """The grid of subjects × visits."""
        return self.grid

    @property
    def completions(self) -> Completions:
        """One filling per imputation."""
        return self.filled

    @property
    def made_by(self) -> str:
        """``given``."""
        return "given"

    @property
    def drawn(self) -> bool:
        """True: they are taken for random draws."""
        return True

    @property
    def reference(self) -> dict[str, str]:
        """Not known."""
        return {}

    @property
    def first_affected(self) -> None:
        """Not known."""
        return

    @property
    def reasons(self) -> None:
        """Not known."""
        return

    @property
    def notes(self) -> tuple[str, ...]:
        """That the imputation model is not known, and which columns are left out."""
        unknown = "imputed elsewhere: the model and assumption are not known here"
        left = ", ".join(sorted(self.grid.varying))
        varying = f"columns that differ between imputations are left out: {left}"
        return (unknown, varying) if left else (unknown,)

    def at_random(self) -> None:
        """Not known."""
        return

    def conditional(self) -> NoReturn:
        """Refuse: there is no imputation model.

        Raises
        ------
        UsageError
        """
        msg = (
            "variance: data imputed elsewhere cannot be imputed again, as a jackknife and a "
            "bootstrap do; take variance='rubin'"
        )
        raise UsageError(msg)

    def resampled(self, kind: str, **asked: Any) -> NoReturn:
        """Refuse, as `conditional`."""
        del kind, asked
        self.conditional()


def given_imputations(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    arm: str,
    value: str,
    imputation: str = "IMPUTATION",
    imputed: str | None = None,
    visits: Sequence[Any] | None = None,
) -> GivenImputations:
    """Read and check data that were imputed elsewhere.

    Parameters
    ----------
    data : DataFrame
        One row per imputation, subject and visit, each imputation with every subject at every
        visit. Covariates are the same in every imputation; a column that is not is left out.
    subject, visit, arm, value, imputation : str
        Columns.
    imputed : str, optional
        A column that says which values were imputed: truth values, a flag of Y and N, or text such
        as DTYPE that is empty where a value was observed. By default the values that differ
        between imputations.
    visits : sequence, optional
        In order; needed where the visits are text.

    Returns
    -------
    GivenImputations
        With ``analyse``, ``tipping_point`` and ``tipping_grid``.

    Raises
    ------
    UsageError
        If a column is not there, the visits have no order, or there is one imputation alone.
    DataError
        If imputations differ in their subjects, visits, arms or observed values, or a value is
        missing or no number.

    Examples
    --------
    >>> admi = given_imputations(d, subject="USUBJID", visit="AVISIT", arm="ARM", value="CHG",
    ...                          imputed="DTYPE")  # doctest: +SKIP
    >>> admi.analyse("CHG ~ BASE + ARM").frame  # doctest: +SKIP
    """
    keys = [imputation, subject, visit]
    require_columns("given_imputations", data, [*keys, arm, value, *([imputed] if imputed else [])])
    require_rows("given_imputations", data, keys)
    names = Names(subject, visit, arm, value)
    numbers, which = np.unique(data[imputation].to_numpy(), return_inverse=True)
    if len(numbers) < 2:
        msg = f"given_imputations: found {len(numbers)} level of {imputation}, expected two or more"
        raise UsageError(msg)
    first = lay_out(data[which == 0], names, (), visits)
    varying = _varying(data, names, imputation)
    _check_arms(data, first, varying)
    tables = _tables(data, first, which, imputation)
    filled = _differing(tables) if imputed is None else _said(first, imputed)
    _check_observed(first, tables, filled)
    rows, columns = np.nonzero(filled)
    observed = np.where(filled, np.nan, tables[0])
    frame = first.frame.assign(**{value: observed.ravel()}).drop(columns=list(varying))
    grid = replace(first, Y=observed, frame=frame, varying=varying)
    return GivenImputations(grid, Completions(rows, columns, tables[:, rows, columns]))


def _varying(data: pd.DataFrame, names: Names, imputation: str) -> frozenset[str]:
    """The other columns that are not the same in every imputation, at some subject's visit."""
    keys = {names.subject, names.visit, names.response, imputation}
    cell = data.groupby([names.subject, names.visit], observed=True, sort=False).ngroup().to_numpy()
    at, row = np.unique(cell, return_index=True)
    own = row[np.searchsorted(at, cell)]
    codes = {name: pd.factorize(data[name])[0] for name in data.columns if name not in keys}
    return frozenset(name for name, held in codes.items() if (held != held[own]).any())


def _check_arms(data: pd.DataFrame, first: Layout, varying: frozenset[str]) -> None:
    names = first.names
    if names.arm in varying:
        several = data.groupby(names.subject, observed=True)[names.arm].transform("nunique") > 1
        rows = data.loc[several, [names.subject, names.visit, names.arm]]
        msg = f"given_imputations: {names.arm} of a subject differs between imputations; correct it"
        raise DataError(msg, rows)


def _tables(data: pd.DataFrame, first: Layout, which: IntArray, imputation: str) -> Array:
    """The values of every imputation on the grid of the first, M × n × T.

    Raises
    ------
    DataError
        At a subject or visit that the first does not have, two rows for one, or a missing value.
    """
    names = first.names
    who = _places(data, first.subjects, imputation, names.subject)
    when = _places(data, first.visits, imputation, names.visit)
    tables = np.full((which.max() + 1, *first.Y.shape), np.nan)
    cell = np.ravel_multi_index((which, who, when), tables.shape)
    _refuse(
        data,
        np.bincount(cell)[cell] > 1,
        imputation,
        names,
        "several rows for one visit; expected one",
    )
    values = pd.to_numeric(data[names.response], errors="coerce")
    strange = values.isna() & data[names.response].notna()
    _refuse(data, strange.to_numpy(), imputation, names, "values that are no number")
    tables[which, who, when] = values.to_numpy(dtype=float, na_value=np.nan)
    if np.isnan(tables).any():
        numbers = np.unique(data[imputation].to_numpy())
        m, i, t = np.argwhere(np.isnan(tables))[0]
        msg = (
            f"given_imputations: {int(np.isnan(tables).sum()):,} values are missing, the first of "
            f"{names.subject} {first.subjects[i]} at {first.visits[t]} in {imputation} "
            f"{numbers[m]}; expected completed data: every subject at every visit"
        )
        raise DataError(msg)
    return tables


def _places(data: pd.DataFrame, known: pd.Index, imputation: str, column: str) -> IntArray:
    """Where each row stands among the labels of the first imputation."""
    labels = pd.Index(data[column].astype(object))
    found: IntArray = pd.Index(known.astype(object)).get_indexer(labels)
    if (found < 0).any():
        msg = f"given_imputations: {column} that the first {imputation} does not have"
        raise DataError(msg, data.loc[found < 0, [imputation, column]])
    return found


def _refuse(data: pd.DataFrame, wrong: BoolArray, imputation: str, names: Names, why: str) -> None:
    if wrong.any():
        rows = data.loc[wrong, [imputation, names.subject, names.visit, names.response]]
        raise DataError(f"given_imputations: {why}", rows)


def _differing(tables: Array) -> BoolArray:
    return np.asarray((tables != tables[0]).any(axis=0))


def _said(first: Layout, imputed: str) -> BoolArray:
    """Where the column says so."""
    column = first.frame[imputed]
    said = np.array([_yes(value) for value in column.astype(object).where(column.notna(), "")])
    return said.reshape(first.Y.shape)


def _yes(value: Any) -> bool:
    """Whether an entry says that a value was imputed: a flag N and a blank text say it was not."""
    return value.strip() not in {"", "N"} if isinstance(value, str) else bool(value)


def _check_observed(first: Layout, tables: Array, filled: BoolArray) -> None:
    names, differing = first.names, _differing(tables) & ~filled
    if differing.any():
        rows = first.frame.loc[differing.ravel(), [names.subject, names.visit]]
        msg = (
            f"given_imputations: observed values of {names.response} differ between imputations; "
            "expected the same in each, or a column imputed= that says what was imputed"
        )
        raise DataError(msg, rows)
    if not filled.any():
        raise DataError("given_imputations: nothing differs between imputations: none was made")


def analyse_imputed(
    data: pd.DataFrame,
    model: Model,
    *,
    subject: str,
    visit: str,
    arm: str,
    value: str,
    imputation: str = "IMPUTATION",
    imputed: str | None = None,
    visits: Sequence[Any] | None = None,
    **asked: Any,
) -> AnalysedImputation:
    """Analyse data that were imputed elsewhere, and pool by Rubin's rules.

    Parameters
    ----------
    data, subject, visit, arm, value, imputation, imputed, visits
        As in :func:`given_imputations`.
    model, **asked
        As in :func:`~trialmlm.missing.analyse.analyse`.

    Returns
    -------
    AnalysedImputation

    Raises
    ------
    UsageError, DataError, FitError
        As these functions.

    Examples
    --------
    >>> analyse_imputed(admi, "CHG ~ BASE + ARM", subject="USUBJID", visit="AVISIT", arm="ARM",
    ...                 value="CHG", imputed="DTYPE").frame  # doctest: +SKIP
    """
    read = given_imputations(
        data, subject=subject, visit=visit, arm=arm, value=value, imputation=imputation,
        imputed=imputed, visits=visits,
    )  # fmt: skip
    return read.analyse(model, **asked)
