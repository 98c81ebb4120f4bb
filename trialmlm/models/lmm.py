"""Linear mixed models with random intercepts and slopes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.engine.clusters import ClusterLikelihood, summarise_clusters
from trialmlm.engine.fit import GaussianFit, fit_likelihood
from trialmlm.engine.padded_clusters import PaddedLikelihood, pad_clusters
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.coding import Coding, make_coding
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import ModelFormula, RandomTerm, read_formula
from trialmlm.formula.response import response_values
from trialmlm.formula.variables import Variable, factor, variable
from trialmlm.inference.register import DF_METHODS
from trialmlm.models.fitted import FittedModel
from trialmlm.models.options import check_options, rows_not_used
from trialmlm.models.report import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.convergence import Convergence
    from trialmlm.engine.predicted_effects import PredictedEffects


@dataclass(frozen=True, repr=False)
class LmmFit(FittedModel):
    """A fitted linear mixed model.

    Attributes
    ----------
    gaussian : GaussianFit
        The engine's fit.
    random : Coding
        How the random effects' terms become columns.
    groups : Variable
        Whose effects are random, on the rows used.
    levels : Variable or None
        Which residual variance a row has; None for one of all rows.
    response : ndarray
        Of the rows used.
    """

    gaussian: GaussianFit
    random: Coding
    groups: Variable
    levels: Variable | None
    response: Array

    @property
    def minus2_loglik(self) -> float:
        """−2 log-likelihood; restricted under REML."""
        return self.gaussian.minus2_loglik

    @property
    def n_parameters(self) -> int:
        """What AIC counts: covariance parameters, and under ML the coefficients too, as SAS."""
        r = len(self.random.names)
        residual = len(self.levels.levels or ()) if self.levels is not None else 1
        return r * (r + 1) // 2 + residual + (0 if self.gaussian.reml else self.gaussian.rank)

    @property
    def aic(self) -> float:
        """−2l + 2k."""
        return self.minus2_loglik + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """−2l + k log(groups)."""
        return self.minus2_loglik + self.n_parameters * float(np.log(self.n_groups))

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.gaussian.n_observations

    @property
    def n_groups(self) -> int:
        """Groups with a row used."""
        return len(self.groups.levels or ())

    @property
    def convergence(self) -> Convergence:
        """How the search ended."""
        return self.gaussian.convergence

    @cached_property
    def _effects(self) -> PredictedEffects:
        likelihood = self.gaussian.likelihood
        assert isinstance(likelihood, ClusterLikelihood | PaddedLikelihood)  # noqa: S101
        return likelihood.effects(self.gaussian.point)

    @property
    def residual_variances(self) -> pd.Series:
        """The residual variance, or one per level."""
        values = np.atleast_1d(self.gaussian.point.sigma2) * self.gaussian.likelihood.scale**2
        names = [""] if self.levels is None else map(level_text, self.levels.levels or ())
        return pd.Series(values, index=list(names), name="variance")

    def random_effects(self) -> pd.DataFrame:
        """Predicted random effects.

        Returns
        -------
        DataFrame
            group (the column), level, term, estimate, std_error; the standard error is that of
            the prediction and includes the uncertainty of the fixed effects (Henderson 1975).
        """
        found = self._effects
        n, r = found.blup.shape
        return pd.DataFrame(
            {
                "group": self.groups.name,
                "level": np.repeat(np.array(self.groups.levels, dtype=object), r),
                "term": list(self.random.names) * n,
                "estimate": found.blup.reshape(-1),
                "std_error": np.sqrt(
                    np.diagonal(found.variance, axis1=1, axis2=2).clip(0.0)
                ).reshape(-1),
            }
        )

    def variance_components(self) -> pd.DataFrame:
        """Variances, covariances and correlations of the random effects; the residual.

        Returns
        -------
        DataFrame
            group, term, term_2 (empty for a variance), variance (or covariance), sd (or
            correlation).
        """
        G, names = self._effects.G, self.random.names
        sd = np.sqrt(np.diag(G))
        rows: list[tuple[str, str, str, float, float]] = []
        for i, name in enumerate(names):
            rows.append((self.groups.name, name, "", float(G[i, i]), float(sd[i])))
        for i, name in enumerate(names):
            for j in range(i):
                product = float(sd[i] * sd[j])
                correlation = float(G[i, j]) / product if product else float("nan")
                rows.append((self.groups.name, names[j], name, float(G[i, j]), correlation))
        for level, value in self.residual_variances.items():
            rows.append(("Residual", str(level), "", float(value), float(np.sqrt(value))))
        columns = pd.Index(["group", "term", "term_2", "variance", "sd"])
        return pd.DataFrame(rows, columns=columns)

    def icc(self) -> float:
        """Intraclass correlation: the intercept's share of the variance at zero of the slopes.

        Raises
        ------
        UsageError
            Without a random intercept, or with several residual variances.
        """
        if "(Intercept)" not in self.random.names or self.levels is not None:
            raise UsageError("icc: needs a random intercept and one residual variance")
        at = self.random.names.index("(Intercept)")
        between = float(self._effects.G[at, at])
        return between / (between + float(self.residual_variances.iloc[0]))

    def predict(
        self, new: pd.DataFrame, confidence: float = 0.95, *, new_levels: str = "population"
    ) -> pd.DataFrame:
        """The mean response of new rows, and with the random effects of their group.

        Parameters
        ----------
        new : DataFrame
            With every column of the fixed part, complete; without the grouping column, or where
            it is missing, the prediction is the population's.
        confidence : float
            Of the interval of the population's mean.
        new_levels : {"population", "error"}
            What a group that the fit did not see gets.

        Returns
        -------
        DataFrame
            estimate, std_error, df, ci_low, ci_high of Xβ; predicted = Xβ + Zb̂ and
            predicted_std_error, of Xβ̂ + Zb̂ about its target.

        Raises
        ------
        FitError, UsageError
            At a level that the fit did not see, or a missing column.
        """
        if new_levels not in {"population", "error"}:
            msg = f"new_levels: found {new_levels!r}, expected 'population' or 'error'"
            raise UsageError(msg)
        frame = super().predict(new, confidence)
        at = self._group_positions(new, new_levels)
        known = at >= 0
        predicted = frame["estimate"].to_numpy().copy()
        variance = frame["std_error"].to_numpy() ** 2
        if known.any():
            part = new[known]
            Z = _matrix(self.random, part)
            found = self._effects
            basis = self.method.coefficients.basis
            rows = basis.rows(_matrix(self.coding, part))
            predicted[known] += (Z * found.blup[at[known]]).sum(axis=1)
            own = np.einsum("nr,nrs,ns->n", Z, found.variance[at[known]], Z)
            cross = np.einsum("nq,nqr,nr->n", rows, found.cross[at[known]], Z)
            variance[known] += own + 2.0 * cross
        return frame.assign(predicted=predicted, predicted_std_error=np.sqrt(variance.clip(0.0)))

    def _group_positions(self, new: pd.DataFrame, new_levels: str) -> IntArray:
        """Where each row's group stands among those of the fit; −1 where it does not."""
        if self.groups.name not in new.columns:
            return np.full(len(new), -1, dtype=np.intp)
        place = {level: i for i, level in enumerate(self.groups.levels or ())}
        column = new[self.groups.name]
        at = np.array([place.get(level, -1) for level in column], dtype=np.intp)
        strange = (at < 0) & column.notna().to_numpy()
        if new_levels == "error" and strange.any():
            first = column.to_numpy()[strange][0]
            msg = f"{self.groups.name} {first!r} is not among the groups of the fit"
            raise FitError(msg)
        return at

    @cached_property
    def fitted(self) -> Array:
        """Xβ̂ of the rows used."""
        kept = self.method.coefficients.basis.kept
        X = self.coding.matrix(self.variables, self.rows.rows.size)
        values: Array = X[:, kept] @ self.gaussian.beta[kept]
        return values

    @cached_property
    def predicted(self) -> Array:
        """Xβ̂ + Zb̂ of the rows used."""
        Z = self.random.matrix(self.variables, self.rows.rows.size)
        values: Array = self.fitted + (Z * self._effects.blup[_codes(self.groups)]).sum(axis=1)
        return values

    def residuals(self, kind: str = "response") -> pd.Series:
        """Residuals of the rows used, in the data's order.

        Parameters
        ----------
        kind : {"response", "conditional", "normalized"}
            y − Xβ̂; y − Xβ̂ − Zb̂; or the first of each group multiplied by the inverse Cholesky
            factor of its covariance, which are uncorrelated with variance 1.
        """
        makers = {
            "response": lambda: self.response - self.fitted,
            "conditional": lambda: self.response - self.predicted,
            "normalized": self._normalized,
        }
        if kind not in makers:
            msg = f"residuals: found {kind!r}, expected one of {', '.join(makers)}"
            raise UsageError(msg)
        return pd.Series(makers[kind](), index=self.rows.labels, name=kind)

    def _normalized(self) -> Array:
        residual = self.response - self.fitted
        Z = self.random.matrix(self.variables, self.rows.rows.size)
        level = (
            np.zeros(residual.size, dtype=np.intp) if self.levels is None else _codes(self.levels)
        )
        variances = self.residual_variances.to_numpy()[level]
        result = np.empty_like(residual)
        order = np.argsort(_codes(self.groups), kind="stable")
        bounds = np.cumsum(np.bincount(_codes(self.groups)))[:-1]
        for rows in np.split(order, bounds):
            V = Z[rows] @ self._effects.G @ Z[rows].T + np.diag(variances[rows])
            result[rows] = np.linalg.solve(np.linalg.cholesky(V), residual[rows])
        return result

    def summary(self) -> str:
        """The fit as text: model, data, convergence, variance components, coefficients."""
        likelihood = "-2 REML log-likelihood" if self.gaussian.reml else "-2 log-likelihood"
        facts = {
            "Model": self.formula,
            "Estimation": "REML" if self.gaussian.reml else "ML",
            "Degrees of freedom": self.method.name,
            "Data": f"{self.n_obs:,} rows of {self.n_groups:,} {self.groups.name}",
            likelihood: f"{self.minus2_loglik:.4f}",
            "AIC, BIC": f"{self.aic:.4f}, {self.bic:.4f}",
            "Convergence": str(self.convergence),
        }
        components = self.variance_components()
        labels = components[["group", "term", "term_2"]].agg(" ".join, axis=1)
        components = components[["variance", "sd"]].set_axis(labels.str.strip())
        return report(facts, self.notes, Variances=components, Effects=self.coefficients())

    def __str__(self) -> str:
        return self.summary()


def lmm(
    formula: str,
    data: pd.DataFrame,
    *,
    df: str = "satterthwaite",
    information: str = "observed",
    vcov: str | None = None,
    weights: str | None = None,
    reml: bool = True,
) -> LmmFit:
    """Fit a linear mixed model with random intercepts and slopes.

    Parameters
    ----------
    formula : str
        ``response ~ fixed effects + (1 + time | subject)``; with ``+ diag(visit | subject)`` a
        residual variance of its own for every visit.
    data : DataFrame
        One row per observation. Rows with a missing value in a column of the model are not used,
        and counted.
    df : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "residual", "asymptotic"}
    information : {"observed", "expected"}
        Behind Satterthwaite and Kenward-Roger: as in SAS, or as in pbkrtest.
    vcov, weights : None
        Sandwich covariances and weights are not available in this version.
    reml : bool

    Returns
    -------
    LmmFit

    Raises
    ------
    ExpressionError
        If the formula is refused.
    FitError
        If the data do not carry the model.
    NotAvailableError
        For what this version does not build.

    Notes
    -----
    y_i = X_i β + Z_i b_i + e_i, b_i ~ N(0, G), e_i ~ N(0, R_i), G unstructured, R_i = σ²I or
    diagonal by visit. Times are each subject's own; nothing is rounded to visits.

    Examples
    --------
    >>> fit = lmm("FVC ~ ARM * YEARS + SEX + AGE + HEIGHT + (1 + YEARS | USUBJID)", adfvc,
    ...           df="kenward-roger")  # doctest: +SKIP
    >>> fit.slopes("YEARS", by="ARM").contrasts("vs-control").frame  # doctest: +SKIP
    """
    read = read_formula(formula)
    term = _random_of(read)
    check_options(df, information, vcov, weights, reml=reml)
    frame = model_frame(data, sorted(read.variables))
    groups = _as_factor(frame.variables[term.groups[0]])
    levels = _residual_levels(read, term, frame.variables)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    random = make_coding(term.terms, frame.variables)
    X = coding.matrix(frame.variables, frame.rows.size)
    Z = random.matrix(frame.variables, frame.rows.size)
    _check_random(term, Z, groups)
    gaussian = _fit(X, Z, response, groups, levels, reml=reml)
    return LmmFit(
        formula=formula,
        coding=coding,
        rows=frame,
        method=DF_METHODS[df](gaussian, information),
        notes=rows_not_used(frame, data, term.groups[0], len(groups.levels or ())),
        gaussian=gaussian,
        random=random,
        groups=groups,
        levels=levels,
        response=response,
    )


def _fit(
    X: Array, Z: Array, y: Array, groups: Variable, levels: Variable | None, *, reml: bool
) -> GaussianFit:
    """Rows sorted by group, summed up, and fitted."""
    order = np.argsort(_codes(groups), kind="stable")
    codes = _codes(groups)[order]
    size = float(np.sqrt(y @ y / y.size))
    if levels is None:
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        summary = summarise_clusters(X[order], Z[order], y[order], first)
        return fit_likelihood(ClusterLikelihood(summary, reml), size)
    padded = pad_clusters(X[order], Z[order], y[order], codes, _codes(levels)[order])
    return fit_likelihood(PaddedLikelihood(padded, reml), size)


def _random_of(read: ModelFormula) -> RandomTerm:
    if not read.random:
        raise UsageError(
            "lmm: the formula names no random effects; add some, such as (1 + YEARS | USUBJID), "
            "or use mmrm for a residual covariance alone"
        )
    if len(read.random) > 1:
        raise NotAvailableError(
            "lmm: several groupings of random effects are not available in this version"
        )
    (term,) = read.random
    if len(term.groups) > 1:
        raise NotAvailableError(f"lmm: nested groups {term.text} are not available in this version")
    if not term.correlated:
        raise NotAvailableError(
            f"lmm: uncorrelated random effects {term.text} are not available in this version"
        )
    return term


def _residual_levels(
    read: ModelFormula, term: RandomTerm, variables: Mapping[str, Variable]
) -> Variable | None:
    """The factor whose levels have residual variances of their own, if the formula names one."""
    if not read.covariance:
        return None
    (residual,) = read.covariance
    if residual.structure != "diag" or residual.group is not None:
        msg = (
            f"lmm: the residual covariance {residual.structure} beside random effects is not "
            "available in this version; available: none, or diag(visit | subject)"
        )
        raise NotAvailableError(msg)
    if residual.subject != term.groups[0]:
        msg = (
            f"lmm: the residual covariance is of {residual.subject}, the random effects are of "
            f"{term.groups[0]}; name the same subject in both"
        )
        raise UsageError(msg)
    return _as_factor(variables[residual.visit[0]])


def _check_random(term: RandomTerm, Z: Array, groups: Variable) -> None:
    count = len(groups.levels or ())
    if count < 2:
        msg = f"{groups.name} has one level in the rows used: its variance cannot be estimated"
        raise FitError(msg)
    if np.linalg.matrix_rank(Z) < Z.shape[1]:
        msg = f"the columns of the random effects {term.text} are redundant; leave a term out"
        raise FitError(msg)
    if len(Z) <= count:
        msg = (
            f"every level of {groups.name} has one row: the variance between levels cannot be "
            "told from the residual's"
        )
        raise FitError(msg)


def _as_factor(found: Variable) -> Variable:
    return found if found.categorical else factor(found.name, found.values)


def _codes(found: Variable) -> IntArray:
    return np.asarray(found.values, dtype=np.intp)


def _matrix(coding: Coding, new: pd.DataFrame) -> Array:
    table = {name: variable(new[name]) for name in coding.variables}
    return coding.matrix(table, len(new))
