"""What every fitted linear model offers: coefficients, LS means, contrasts, tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.grid import Grid, reference_grid
from trialmlm.formula.hypotheses import type_three
from trialmlm.inference.contrasts import Estimates, estimates, f_test
from trialmlm.inference.register import SANDWICHES
from trialmlm.models.ls_means import LsMeans
from trialmlm.models.new_rows import design_rows
from trialmlm.models.programs import analysis_of, requests_of
from trialmlm.programs.analysis import Estimation
from trialmlm.programs.r import r_program
from trialmlm.programs.sas import sas_program

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.variables import Variable
    from trialmlm.inference.method import Method
    from trialmlm.models.programs import MeansAsked


@dataclass(frozen=True, repr=False)
class FittedModel:
    """A model with fixed effects, a coding of its columns, and a method of inference.

    Attributes
    ----------
    formula : str
        As it was given.
    coding : Coding
        How terms become columns.
    rows : ModelFrame
        The rows used.
    method : Method
        Where standard errors and degrees of freedom come from.
    notes : tuple of str
        What the reader of a result should know: rows and subjects that are not used.
    """

    formula: str
    coding: Coding
    rows: ModelFrame
    method: Method
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.formula!r}, {self.rows.rows.size:,} rows>"

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The columns of the model on the rows used."""
        return self.rows.variables

    def coefficients(self, confidence: float = 0.95) -> pd.DataFrame:
        """The fixed effects.

        Parameters
        ----------
        confidence : float
            Of the two-sided intervals.

        Returns
        -------
        DataFrame
            term, estimate, std_error, df, statistic, p_value, ci_low, ci_high; NaN for a term
            that is aliased to earlier ones.
        """
        names = self.coding.names
        basis = self.method.coefficients.basis
        rows = np.eye(len(names))
        rows[basis.kept] = basis.spanning()
        found = estimates(self.method, rows, confidence)
        return pd.DataFrame({"term": names, **estimates_columns(found)})

    @property
    def estimation(self) -> Estimation:
        """How it was fitted, as programs in other languages are told."""
        covariance = self.method.covariance
        sandwich = covariance if covariance in SANDWICHES else None
        return Estimation(df=self.method.name, vcov=sandwich, n_rows=self.rows.rows.size)

    def to_sas(self, data: str = "trial", ls_means: Sequence[MeansAsked] = ()) -> str:
        """The equivalent SAS program, for double programming.

        Parameters
        ----------
        data : str
            The SAS data set, with the columns and values of the data frame.
        ls_means : sequence
            LS means to ask for: a factor, a pair (of, by), or a mapping with of, by, weights, at
            and control.

        Returns
        -------
        str

        Raises
        ------
        NotAvailableError
            If SAS has no equivalent, or cannot hold a name or a level; says of what.
        UsageError
            If `data` or a request is not understood.

        Examples
        --------
        >>> print(fit.to_sas("adfev", ls_means=[("ARMCD", "AVISIT")]))  # doctest: +SKIP
        """
        return sas_program(analysis_of(self), data, requests_of(self, ls_means))

    def to_r(self, data: str = "trial", ls_means: Sequence[MeansAsked] = ()) -> str:
        """The equivalent R program: mmrm, lme4, nlme or lm, and emmeans.

        Parameters, returns and errors are those of `to_sas`; `data` is a data frame of R.
        """
        return r_program(analysis_of(self), data, requests_of(self, ls_means))

    @property
    def vcov(self) -> pd.DataFrame:
        """The covariance of the fixed effects that the tests use; aliased terms are left out."""
        coefficients = self.method.coefficients
        basis = coefficients.basis
        values = basis.R_inverse @ self.method.vcov @ basis.R_inverse.T * coefficients.scale**2
        names = [self.coding.names[i] for i in basis.kept]
        return pd.DataFrame(values, index=names, columns=names)

    def ls_means(
        self,
        of: str | tuple[str, ...],
        by: str | tuple[str, ...] = (),
        *,
        weights: str = "equal",
        at: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
    ) -> LsMeans:
        """Least-squares means.

        Parameters
        ----------
        of : str or tuple of str
            The factor(s) whose levels are compared.
        by : str or tuple of str
            Factors within whose levels they are compared, as the visit.
        weights : {"equal", "observed-margins"}
            Over the factors averaged out.
        at : mapping, optional
            Numbers or levels to hold fixed; numbers are otherwise at their mean over the rows
            used.
        confidence : float

        Returns
        -------
        LsMeans
            A mean that is not estimable is NaN.

        Raises
        ------
        UsageError
            If a name or level is not in the model.

        Examples
        --------
        >>> fit.ls_means("ARMCD", by="AVISIT").frame  # doctest: +SKIP
        """
        names = (of,) if isinstance(of, str) else tuple(of)
        within = (by,) if isinstance(by, str) else tuple(by)
        grid = reference_grid(
            self.coding, self.variables, (*within, *names), weights=weights, at=at
        )
        return LsMeans(grid, names, within, self.method, confidence)

    def slopes(
        self,
        of: str,
        by: str | tuple[str, ...] = (),
        *,
        weights: str = "equal",
        at: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
    ) -> LsMeans:
        """The change of the LS mean per unit of a number, as the slope over time by arm.

        Parameters
        ----------
        of : str
            A column that enters the model as a number, linearly.
        by : str or tuple of str
            The factor(s) whose levels' slopes are compared.
        weights, at, confidence
            As in `ls_means`.

        Returns
        -------
        LsMeans
            Slopes in place of means; `contrasts` are differences of slopes.

        Raises
        ------
        UsageError
            If `of` is no number of the model, or enters it other than linearly.

        Examples
        --------
        >>> fit.slopes("YEARS", by="ARM").contrasts("vs-control").frame  # doctest: +SKIP
        """
        if of not in self.coding.numeric:
            known = ", ".join(self.coding.numeric) or "none"
            msg = f"slopes: {of} does not enter the model as a number; its numbers are {known}"
            raise UsageError(msg)
        names = (by,) if isinstance(by, str) else tuple(by)
        grids = [
            reference_grid(
                self.coding, self.variables, names, weights=weights, at={**(at or {}), of: value}
            )
            for value in (0.0, 1.0, 2.0)
        ]
        first, second = (b.L - a.L for a, b in pairwise(grids))
        if not np.allclose(first, second, rtol=1e-9, atol=1e-12):
            msg = f"slopes: {of} does not enter the model linearly; its slope is not one number"
            raise UsageError(msg)
        slopes = Grid(names, grids[0].cells, first)
        return LsMeans(slopes, names, (), self.method, confidence)

    @cached_property
    def hypotheses(self) -> dict[str, Array]:
        """Type III rows by term."""
        return type_three(self.coding, self.variables, self.method.coefficients.basis)

    def anova(self, kind: str = "III") -> pd.DataFrame:
        """F tests of the terms.

        Parameters
        ----------
        kind : {"III"}
            Type III as in SAS. Where a term's test has several rows, they are sum-to-zero
            contrasts; Satterthwaite's df depend on that choice, Kenward-Roger's do not.

        Returns
        -------
        DataFrame
            term, num_df, den_df, statistic, p_value.
        """
        if kind != "III":
            msg = f"anova: found {kind!r}; this version makes type III tests, 'III'"
            raise UsageError(msg)
        tests = {term: f_test(self.method, L) for term, L in self.hypotheses.items()}
        return pd.DataFrame(
            {
                "term": list(tests),
                "num_df": [test.num_df for test in tests.values()],
                "den_df": [test.den_df for test in tests.values()],
                "statistic": [test.statistic for test in tests.values()],
                "p_value": [test.p_value for test in tests.values()],
            }
        )

    def contrast(
        self, weights: Mapping[str, float] | Mapping[str, Mapping[str, float]]
    ) -> pd.DataFrame:
        """Linear combinations of the coefficients.

        Parameters
        ----------
        weights : mapping
            Term to weight; or a name to such a mapping, for several rows.

        Returns
        -------
        DataFrame
            contrast, estimate, std_error, df, statistic, p_value, ci_low, ci_high.

        Examples
        --------
        >>> fit.contrast({"ARMCDTRT": 1, "ARMCDTRT:AVISITVIS4": 1})  # doctest: +SKIP
        """
        nested: dict[str, Mapping[str, float]] = {}
        plain: dict[str, float] = {}
        for name, value in weights.items():
            if isinstance(value, Mapping):
                nested[name] = value
            else:
                plain[name] = value
        if not weights:
            raise UsageError("contrast: no coefficient is named")
        rows = {**({"contrast": plain} if plain else {}), **nested}
        L = np.stack([self._row(row) for row in rows.values()])
        found = estimates_frame(estimates(self.method, L))
        return pd.concat([pd.DataFrame({"contrast": list(rows)}), found], axis=1)

    def _row(self, weights: Mapping[str, float]) -> Array:
        names = self.coding.names
        row = np.zeros(len(names))
        for term, weight in weights.items():
            if term not in names:
                msg = f"contrast: {term} is not a coefficient; they are {', '.join(names)}"
                raise UsageError(msg)
            row[names.index(term)] = weight
        return row

    def predict(self, new: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
        """The mean response of new rows, Xβ.

        Parameters
        ----------
        new : DataFrame
            With every column of the fixed part, complete.
        confidence : float

        Returns
        -------
        DataFrame
            estimate, std_error, df, ci_low, ci_high, in the order and with the index of `new`.

        Raises
        ------
        FitError
            At a level that the fit did not see.
        """
        found = estimates(self.method, design_rows(self.coding, new), confidence)
        frame = estimates_frame(found)[["estimate", "std_error", "df", "ci_low", "ci_high"]]
        return frame.set_axis(new.index)


def estimates_frame(found: Estimates) -> pd.DataFrame:
    """Estimates as columns."""
    return pd.DataFrame(estimates_columns(found))


def estimates_columns(found: Estimates) -> dict[str, Array]:
    """Estimates by the names of their columns."""
    return {name: getattr(found, name) for name in found.__slots__}
