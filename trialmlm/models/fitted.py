"""What every fitted linear model offers: coefficients, LS means, contrasts, tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.grid import Grid, reference_grid
from trialmlm.formula.hypotheses import HYPOTHESES, hypotheses
from trialmlm.inference.contrasts import Estimates, estimates, f_test, joint_test
from trialmlm.inference.register import SANDWICHES
from trialmlm.models.averages import Averaging, Fitted, average
from trialmlm.models.coefficient_rows import named_rows
from trialmlm.models.ls_means import LsMeans
from trialmlm.models.new_rows import design_rows
from trialmlm.models.programs import analysis_of, requests_of
from trialmlm.models.tests_frame import tests_frame
from trialmlm.programs.analysis import Analysis, Estimation
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
        What the reader of a result should know: rows, subjects and levels that are not used.
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

    @property
    def unit(self) -> str | None:
        """The column that tells subjects apart; None where every row is a subject."""
        return None

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return False

    @property
    def cautions(self) -> tuple[str, ...]:
        """What makes every number of the fit doubtful; told with its means."""
        return ()

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

    @property
    def analysis(self) -> Analysis:
        """The analysis as programs in other languages are told of it."""
        return analysis_of(self)

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
        return sas_program(self.analysis, data, requests_of(self, ls_means))

    def to_r(self, data: str = "trial", ls_means: Sequence[MeansAsked] = ()) -> str:
        """The equivalent R program: mmrm, lme4, nlme or lm, and emmeans.

        Parameters, returns and errors are those of `to_sas`; `data` is a data frame of R.
        """
        return r_program(self.analysis, data, requests_of(self, ls_means))

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
        over: str = "analysed",
        covariates: str = "fixed",
        among: str | tuple[str, ...] = (),
        at: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
    ) -> LsMeans:
        """Least-squares means.

        Parameters
        ----------
        of : str or tuple of str
            The factor(s) whose levels are compared.
        by : str or tuple of str
            Factors within whose levels they are compared, as the visit or a subgroup; a factor
            that is not named is averaged over.
        weights : {"equal", "observed-margins", "counterfactual"}
            Over what is averaged out: every combination of levels alike; by its frequency among
            the rows used; or the average over actual subjects, each of them set to the levels of
            the cell (G-computation: their differences are average treatment effects). There,
            covariates that do not vary within a subject are each subject's own, once per
            subject; of what varies, as the visit, levels count equally and numbers are at their
            mean over the rows used.
        over : {"analysed", "randomised"}
            Counterfactual weights: the subjects with a row used, or all subjects of the data
            given that have the covariates, so that those without a response do not change the
            weights.
        covariates : {"fixed", "sampled"}
            Counterfactual weights: whether standard errors take the subjects' covariates as
            given, as for other LS means, or as a sample from a population (they add the variance
            of the subjects' means over their number, as R mmrm's emmeans_gcomp_vars).
        among : str or tuple of str
            Counterfactual weights: factors of the model within whose levels the subjects are
            averaged, each subject in its own subgroup; a factor in `by` is set for everyone
            instead.
        at : mapping, optional
            Numbers or levels to hold fixed; a list of several makes means for each, within
            which levels are compared. Numbers are otherwise at their mean over the rows used.
        confidence : float

        Returns
        -------
        LsMeans
            A mean that is not estimable is NaN, and its `notes` name it.

        Raises
        ------
        UsageError
            If a name, level or option is not known.
        FitError
            If a subject averaged over has a level that the fit did not see.

        Examples
        --------
        >>> fit.ls_means("ARMCD", by="AVISIT").frame  # doctest: +SKIP
        >>> fit.ls_means("ARMCD", by="AVISIT", at={"BASE": [20, 30]}).frame  # doctest: +SKIP
        >>> fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual").contrasts(
        ...     "vs-control", control="PBO").frame  # doctest: +SKIP
        """
        names = _names(of)
        asked = Averaging(weights, over, covariates, _names(among), at or {})
        fitted = Fitted(self.coding, self.rows, self.method.coefficients, self.unit)
        found = average(fitted, (*_names(by), *names), asked)
        within = found.grid.names[: len(found.grid.names) - len(names)]
        made = (*self.cautions, *found.made)
        return LsMeans(found.grid, names, within, self.method, confidence, found.spread, made)

    def slopes(
        self,
        of: str,
        by: str | tuple[str, ...] = (),
        *,
        weights: str = "equal",
        over: tuple[float, float] | None = None,
        at: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
    ) -> LsMeans:
        """The change of the LS mean per unit of a number, as the slope over time by arm.

        Parameters
        ----------
        of : str
            A column that enters the model as a number; linearly, unless `over` is given.
        by : str or tuple of str
            The factor(s) whose levels' slopes are compared.
        weights : {"equal", "observed-margins"}
        over : pair of float, optional
            Where the number enters otherwise, as in ``YEARS + I(YEARS**2)``: the mean rate of
            change from the first of these values to the second. Of a line it is the slope.
        at, confidence
            As in `ls_means`.

        Returns
        -------
        LsMeans
            Slopes in place of means; `contrasts` are differences of slopes.

        Raises
        ------
        UsageError
            If `of` is no number of the model, or enters it other than linearly; if another name,
            level or option is not known.

        Examples
        --------
        >>> fit.slopes("YEARS", by="ARM").contrasts("vs-control").frame  # doctest: +SKIP
        """
        if of not in self.coding.numeric:
            known = ", ".join(self.coding.numeric) or "none"
            msg = f"slopes: {of} does not enter the model as a number; its numbers are {known}"
            raise UsageError(msg)
        names = _names(by)
        grids = [
            reference_grid(
                self.coding, self.variables, names, weights=weights, at={**(at or {}), of: value}
            )
            for value in (0.0, 1.0, 2.0, *(over or ()))
        ]
        first, second = (b.L - a.L for a, b in pairwise(grids[:3]))
        if not np.allclose(first, second, rtol=1e-9, atol=1e-12):
            if over is None:
                msg = (
                    f"slopes: {of} does not enter the model linearly; its slope is not one number: "
                    "say over= which values the mean rate of change is meant"
                )
                raise UsageError(msg)
            first = (grids[4].L - grids[3].L) / (over[1] - over[0])
        slopes = Grid(grids[0].names, grids[0].cells, first)
        several = slopes.names[: len(slopes.names) - len(names)]
        return LsMeans(slopes, names, several, self.method, confidence, made=self.cautions)

    def anova(self, kind: str = "III") -> pd.DataFrame:
        """F tests of the terms.

        Parameters
        ----------
        kind : {"I", "II", "III"}
            As in SAS: a term after the terms before it (main effects first, as R sorts them),
            after all that do not contain it, or Type III. Where a test has several rows, they
            are sum-to-zero contrasts; Satterthwaite's df depend on that choice, F and
            Kenward-Roger's df do not. See :mod:`~trialmlm.formula.hypotheses`.

        Returns
        -------
        DataFrame
            term, num_df, den_df, statistic, p_value.
        """
        if kind not in HYPOTHESES:
            msg = f"anova: found {kind!r}, expected one of {', '.join(HYPOTHESES)}"
            raise UsageError(msg)
        basis = self.method.coefficients.basis
        found = hypotheses(kind, self.coding, self.variables, basis, self._root())
        tests = [f_test(self.method, L) for L in found.values()]
        return tests_frame({"term": list(found)}, tests)

    def _root(self) -> Array | None:
        """R with R'R = X'X, where the basis is not of X itself but of its weighted rows."""
        if not self.weighted:
            return None
        X = self.coding.matrix(self.variables, self.rows.rows.size)
        X = X[:, self.method.coefficients.basis.kept]
        return np.linalg.qr(X[np.lexsort(X.T)]).R  # sorted: the order of the data does not matter

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

        Raises
        ------
        UsageError
            If a name is not a coefficient, or a weight not a number; if no coefficient is named,
            or only some of several rows are.

        Examples
        --------
        >>> fit.contrast({"ARMCDTRT": 1, "ARMCDTRT:AVISITVIS4": 1})  # doctest: +SKIP
        """
        rows = named_rows("contrast", weights, self.coding.names)
        found = estimates_frame(estimates(self.method, np.stack(list(rows.values()))))
        return pd.concat([pd.DataFrame({"contrast": list(rows)}), found], axis=1)

    def joint_test(
        self,
        rows: Mapping[str, Mapping[str, float]] | Mapping[str, float] | Sequence[str],
    ) -> pd.DataFrame:
        """One F test that all rows of a hypothesis Lβ = 0 hold.

        Parameters
        ----------
        rows : mapping, str or sequence of str
            A name to the weights of the coefficients, as in `contrast`; or the names of
            coefficients, each of them zero.

        Returns
        -------
        DataFrame
            num_df, den_df, statistic, p_value; rows given, of which redundant (combinations of
            earlier ones) and not_estimable are left out. The df of Satterthwaite's method depend
            on the rows that span the hypothesis: those given count.

        Raises
        ------
        UsageError
            If a name is not a coefficient, or there is no row.

        Examples
        --------
        >>> fit.joint_test(["ARMCDTRT:AVISITVIS2", "ARMCDTRT:AVISITVIS3"])  # doctest: +SKIP
        """
        given = rows if isinstance(rows, Mapping) else {n: {n: 1.0} for n in _names(rows)}
        L = np.stack(list(named_rows("joint_test", given, self.coding.names).values()))
        found = joint_test(self.method, L)
        counts = {
            "rows": len(L),
            "redundant": found.redundant,
            "not_estimable": found.not_estimable,
        }
        return tests_frame({}, [found.test]).assign(**counts)

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


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def estimates_frame(found: Estimates) -> pd.DataFrame:
    """Estimates as columns."""
    return pd.DataFrame(estimates_columns(found))


def estimates_columns(found: Estimates) -> dict[str, Array]:
    """Estimates by the names of their columns."""
    return {name: getattr(found, name) for name in found.__slots__}
