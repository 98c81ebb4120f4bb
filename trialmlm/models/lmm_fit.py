"""A fitted linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.engine.whitened_clusters import whitened
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.variables import variable
from trialmlm.models.drawn import draw_response
from trialmlm.models.levels import component_covariance, containing, levels_of
from trialmlm.models.mixed import MixedFit
from trialmlm.models.new_cluster import PREDICTIONS, asked_rows, prediction_interval
from trialmlm.models.partial_pooling import partial_pooling
from trialmlm.models.r_squared import r_squared
from trialmlm.models.random_part import likelihood_of
from trialmlm.models.report import report
from trialmlm.models.variance_partition import variance_partition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.predicted_effects import Predictions
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.variables import Variable
    from trialmlm.models.random_part import RandomPart
    from trialmlm.programs.analysis import Estimation

_INTERVALS = ("confidence", *PREDICTIONS)


@dataclass(frozen=True, repr=False)
class LmmFit(MixedFit):
    """A fitted linear mixed model.

    Attributes
    ----------
    parts : tuple of RandomPart
        The grouping factors with their random effects.
    levels : Variable or None
        Which residual variance a row has; None for one of all rows.
    response : ndarray
        Of the rows used.
    """

    parts: tuple[RandomPart, ...]
    levels: Variable | None
    response: Array

    @property
    def unit(self) -> str:
        """The column of the first grouping factor, the innermost of a nesting."""
        return read_formula(self.formula).random[0].groups[-1]

    @property
    def several_groupings(self) -> bool:
        """Whether there is more than one."""
        return len(self.parts) > 1

    @property
    def n_subjects(self) -> int:
        """Levels of the first grouping factor, which is the outermost of a nesting.

        BIC counts them, as PROC MIXED does.
        """
        return self.parts[0].n_levels

    @property
    def estimation(self) -> Estimation:
        """How it was fitted; of several grouping factors none holds the subjects."""
        told = super().estimation
        return replace(told, n_subjects=0) if self.several_groupings else told

    @property
    def n_covariance(self) -> int:
        """Covariance parameters: of the random effects, and residual variances."""
        own = sum(r * (r + 1) // 2 for part in self.parts for r in part.sizes)
        return own + self.residual_variances.size

    @cached_property
    def row_weights(self) -> Array:
        """Of the rows used: by what the residual variance is divided."""
        name = self.options.weights
        return np.ones(self.n_obs) if name is None else self.variables[name].numbers()

    @property
    def minus2_loglik(self) -> float:
        """−2 log-likelihood of the rows as given; restricted under REML."""
        # the search has rows times √w, whose density lacks the factor √w
        return super().minus2_loglik - float(np.log(self.row_weights).sum())

    @cached_property
    def effects(self) -> Predictions:
        """Predicted random effects, as arrays."""
        return likelihood_of(self.gaussian).effects(self.gaussian.point)

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
        tables = []
        for part, found in zip(self.parts, self.effects.parts, strict=True):
            n, r = found.blup.shape
            variances = np.diagonal(found.variance, axis1=1, axis2=2).clip(0.0)
            columns = {
                "group": part.name,
                "level": np.repeat(np.array(part.groups.levels, dtype=object), r),
                "term": list(part.names) * n,
                "estimate": found.blup.reshape(-1),
                "std_error": np.sqrt(variances).reshape(-1),
            }
            tables.append(pd.DataFrame(columns)[part.held(self.variables).reshape(-1)])
        return pd.concat(tables, ignore_index=True)

    def variance_components(self) -> pd.DataFrame:
        """Variances, covariances and correlations of the random effects; the residual.

        Returns
        -------
        DataFrame
            group, term, term_2 (empty for a variance), variance (or covariance), sd (or
            correlation); grouping factor after grouping factor, its variances first. Effects that
            the model takes for uncorrelated have no row together.
        """
        parts = zip(self.parts, self.effects.parts, strict=True)
        rows = [row for part, found in parts for row in _components(part, found.G)]
        for level, value in self.residual_variances.items():
            rows.append(("Residual", str(level), "", float(value), float(np.sqrt(value))))
        columns = pd.Index(["group", "term", "term_2", "variance", "sd"])
        return pd.DataFrame(rows, columns=columns)

    def icc(
        self,
        at: Mapping[str, float] | None = None,
        *,
        residual: str | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Shares of the variance and intraclass correlations at every level.

        Parameters
        ----------
        at : mapping, optional
            Values of the random slopes' columns at which the response stands; zero otherwise.
        residual : str, optional
            The level whose residual variance is meant, where there are several.
        confidence : float
            Of the intervals, by the delta method on the logit scale.

        Returns
        -------
        DataFrame
            group, variance, share, share_low, share_high, icc, std_error, icc_low, icc_high;
            `icc` is the correlation of two responses in the same group, and so in the same groups
            that hold it. Variances of 28 between and 52 within give 0.35.

        Raises
        ------
        UsageError
            At a name that no slope has, or without a choice among residual variances.
        """
        self._refuse_gated("icc")
        return variance_partition(
            self.variance_components(),
            component_covariance(self),
            outer=containing(levels_of(self)),
            at=at,
            residual=residual,
            confidence=confidence,
        )

    def partial_pooling(self) -> pd.DataFrame:
        """Each group's own estimate, everyone's, and what the model makes of both.

        Returns
        -------
        DataFrame
            group, level, n (rows), term; pooled: the fixed effect of the same name, or 0; own:
            that and the group's own least-squares deviation (NaN where its rows do not carry it);
            partial: that and the predicted deviation, shrunk towards `pooled`.
        """
        self._refuse_gated("partial_pooling")
        return partial_pooling(self)

    def _refuse_gated(self, what: str) -> None:
        """Some tables have one covariance of random effects in mind."""
        gate = next((gate for part in self.parts for gate in part.gates if gate), None)
        if gate is not None:
            msg = (
                f"{what}: the covariance of the random effects differs by {gate.column}; not "
                "available in this version, fit the levels one by one"
            )
            raise NotAvailableError(msg)

    def r_squared(self) -> pd.DataFrame:
        """Variance explained: marginal by the fixed effects, conditional by the random ones too.

        Returns
        -------
        DataFrame
            quantity (marginal, conditional, then each part), variance, r_squared.

        Notes
        -----
        Nakagawa and Schielzeth (2013): the fixed part is the variance of Xβ̂ over the rows, with
        divisor N − 1; random slopes add the mean of z'Gz over the rows (Johnson 2014).
        """
        return r_squared(self)

    def predict(
        self,
        new: pd.DataFrame,
        confidence: float = 0.95,
        *,
        new_levels: str = "population",
        interval: str = "confidence",
    ) -> pd.DataFrame:
        """The mean response of new rows, and with the random effects of their group.

        Parameters
        ----------
        new : DataFrame
            With every column of the fixed part, complete; without the grouping column, or where
            it is missing, the prediction is the population's.
        confidence : float
            Of the intervals.
        new_levels : {"population", "error"}
            What a group that the fit did not see gets.
        interval : {"confidence", "cluster", "prediction"}
            Of the population's mean alone; or also of the mean of the row's own group, which for
            a new one carries the variance between groups; or of a response of it.

        Returns
        -------
        DataFrame
            estimate, std_error, df, ci_low, ci_high of Xβ; predicted = Xβ + Zb̂ and
            predicted_std_error, of Xβ̂ + Zb̂ about its target. With an interval of a group or a
            response: between_variance and residual_variance, which are added to the square of
            predicted_std_error, and pi_std_error, pi_df (Satterthwaite), pi_low, pi_high about
            `predicted`.

        Raises
        ------
        FitError, UsageError
            At a level that the fit did not see, or a missing column.
        """
        if new_levels not in {"population", "error"}:
            msg = f"new_levels: found {new_levels!r}, expected 'population' or 'error'"
            raise UsageError(msg)
        if interval not in _INTERVALS:
            msg = f"interval: found {interval!r}, expected one of {', '.join(_INTERVALS)}"
            raise UsageError(msg)
        frame = self._predicted(new, confidence, new_levels)
        if interval == "confidence":
            return frame
        asked = asked_rows(self, new, frame, interval)
        found = prediction_interval(self, asked, confidence)
        return pd.concat([frame, found.set_axis(new.index)], axis=1)

    def _predicted(self, new: pd.DataFrame, confidence: float, new_levels: str) -> pd.DataFrame:
        frame = super().predict(new, confidence)
        levels = [self._positions(part, new, new_levels) for part in self.parts]
        Z = [
            _random_matrix(part, new, known >= 0)
            for part, known in zip(self.parts, levels, strict=True)
        ]
        added = np.zeros(len(new))
        for at, own, found in zip(levels, Z, self.effects.parts, strict=True):
            added += np.where(at >= 0, (own * found.blup[at]).sum(axis=1), 0.0)
        rows = self.method.coefficients.basis.rows(_matrix(self.coding, new))
        # beside a sandwich the prediction of a group stays that of the model (Henderson 1975)
        robust, scale = self.options.vcov is not None, self.method.coefficients.scale
        of_model = ((rows @ self.gaussian.point.Phi) * rows).sum(axis=1) * scale**2
        variance = of_model if robust else frame["std_error"].to_numpy() ** 2
        variance = variance + self.effects.added_variance(rows, levels, Z)
        return frame.assign(
            predicted=frame["estimate"].to_numpy() + added,
            predicted_std_error=np.sqrt(variance.clip(0.0)),
        )

    def _positions(self, part: RandomPart, new: pd.DataFrame, new_levels: str) -> IntArray:
        """Where each row's group stands among those of the fit; −1 where it does not."""
        there = [name for name in part.columns if name in new.columns]
        at = part.positions({name: tuple(new[name]) for name in there}, len(new))
        given = new[there].notna().all(axis=1).to_numpy() & (len(there) == len(part.columns))
        at = np.where(given, at, -1)
        strange = (at < 0) & given
        if new_levels == "error" and strange.any():
            first = ":".join(repr(value) for value in new.loc[strange, there].iloc[0])
            msg = f"{part.name} {first} is not among the groups of the fit"
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
        values = self.fitted
        for part, found in zip(self.parts, self.effects.parts, strict=True):
            Z = part.matrix(self.variables, self.rows.rows.size)
            values = values + (Z * found.blup[part.groups.codes]).sum(axis=1)
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
        size = self.response.size
        level = np.zeros(size, dtype=np.intp) if self.levels is None else self.levels.codes
        effects, residual = self.effects, self.response - self.fitted
        for part, shift in zip(self.parts, effects.shifts, strict=True):
            residual = residual + (
                part.matrix(self.variables, size) * shift[part.groups.codes]
            ).sum(axis=1)
        lead = self.parts[effects.leading]
        return whitened(
            residual,
            lead.matrix(self.variables, size),
            lead.groups.codes,
            effects.parts[effects.leading].G,
            self.residual_variances.to_numpy()[level] / self.row_weights,
        )

    @property
    def independent_residuals(self) -> bool:
        """Whether rows are independent given the random effects."""
        return True

    def draw(self, rng: np.random.Generator) -> Array:
        """A response for each row used, drawn from the fitted model."""
        return draw_response(self, rng)

    def simulate(self, seed: int) -> pd.Series:
        """A response drawn for each row used, in the data's order: Xβ̂, new effects, new errors."""
        values = self.draw(np.random.default_rng(seed))
        return pd.Series(values, index=self.rows.labels, name="simulated")

    def summary(self) -> str:
        """The fit as text: model, data, convergence, variance components, coefficients."""
        components = self.variance_components()
        labels = components[["group", "term", "term_2"]].agg(" ".join, axis=1)
        components = components[["variance", "sd"]].set_axis(labels.str.strip())
        facts = self._facts()
        if self.several_groupings:
            levels = ", ".join(f"{part.n_levels:,} {part.name}" for part in self.parts)
            facts["Data"] = f"{self.n_obs:,} rows; levels: {levels}"
        tables = {"Variances": components, "Effects": self.coefficients()}
        return report(facts, self.notes, **tables)

    def __str__(self) -> str:
        return self.summary()


def _components(part: RandomPart, G: Array) -> list[tuple[str, str, str, float, float]]:
    """Rows of the table of variance components: variances, then what is below each diagonal."""
    names, sd = part.names, np.sqrt(np.diag(G))
    blocks = np.repeat(np.arange(len(part.sizes)), part.sizes)
    rows = [(part.name, name, "", float(G[i, i]), float(sd[i])) for i, name in enumerate(names)]
    for i, name in enumerate(names):
        for j in np.flatnonzero(blocks[:i] == blocks[i]):
            product = float(sd[i] * sd[j])
            correlation = float(G[i, j]) / product if product else float("nan")
            rows.append((part.name, names[j], name, float(G[i, j]), correlation))
    return rows


def _matrix(coding: Coding, new: pd.DataFrame) -> Array:
    table = {name: variable(new[name]) for name in coding.variables}
    return coding.matrix(table, len(new))


def _random_matrix(part: RandomPart, new: pd.DataFrame, known: BoolArray) -> Array:
    """Z of the rows whose level is known, zero in the others."""
    Z = np.zeros((len(new), len(part.names)))
    if known.any():
        table = {name: variable(new.loc[known, name]) for name in part.variables}
        Z[known] = part.matrix(table, int(known.sum()))
    return Z
