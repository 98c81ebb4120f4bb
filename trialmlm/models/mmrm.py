"""The mixed model for repeated measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import pandas as pd

from trialmlm.covariance.register import SPATIAL
from trialmlm.engine.fit import fit as fit_gaussian
from trialmlm.engine.fit import fit_own_times, sigma_of
from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.files import write_file
from trialmlm.formula.coding import make_coding
from trialmlm.formula.design import Layout, make_design
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import ModelFormula, read_formula
from trialmlm.formula.response import response_values
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES, repeated_method
from trialmlm.inference.source import Repeated
from trialmlm.models.covariance_parameters import covariance_parameters
from trialmlm.models.influence import influence
from trialmlm.models.mixed import MixedFit
from trialmlm.models.occasions import Occasions, occasions
from trialmlm.models.options import (
    Options,
    check_options,
    levels_not_used,
    rows_not_used,
)
from trialmlm.models.prediction import predict
from trialmlm.models.report import report
from trialmlm.models.residuals import residuals
from trialmlm.models.saved_fit import saved_bytes
from trialmlm.models.simulation import simulate_rows, simulate_unobserved
from trialmlm.models.structure import (
    check_informed,
    check_levels,
    covariance_group,
    row_weights,
)
from trialmlm.models.thin_data import check_rows, reasoned

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.likelihood import RepeatedMeasures
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.grammar import CovarianceTerm
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, repr=False)
class MmrmFit(MixedFit):
    """A fitted MMRM.

    Attributes
    ----------
    term : CovarianceTerm
        As it was written.
    families : tuple of Covariance
        Of the residual covariance, one per group.
    group : Variable or None
        The factor each level of which has a covariance of its own.
    design : Design
        The engine's input.
    occasions : Occasions
        Subjects and visits, and where the rows stand among them.
    """

    term: CovarianceTerm
    families: tuple[Covariance, ...]
    group: Variable | None
    design: Design
    occasions: Occasions

    @property
    def family(self) -> Covariance:
        """The structure, of the first group."""
        return self.families[0]

    @property
    def layout(self) -> Layout:
        """Where the rows stand in the table of subjects and visits."""
        return self.occasions.layout

    @property
    def visits(self) -> Variable:
        """The visits, a factor over the rows used."""
        return self.occasions.visits

    @property
    def subjects(self) -> Variable:
        """The subjects, a factor over the rows used."""
        return self.occasions.subjects

    @property
    def covariances(self) -> dict[Any, pd.DataFrame]:
        """Σ̂, visit × visit, in squared units of the response, by level of the group (or None).

        Where subjects have times of their own, that of two rows at distance one.
        """
        common = self.occasions.common
        labels = self.occasions.labels if common else ["distance 0", "distance 1"]
        frames = [pd.DataFrame(Sigma, index=labels, columns=labels) for Sigma in self._sigmas()]
        levels = (None,) if self.group is None else self.group.levels or ()
        return dict(zip(levels, frames, strict=True))

    @property
    def covariance(self) -> Any:
        """The frame of `covariances`, or all of them where there are several groups."""
        return self.covariances if self.group else self.covariances[None]

    @property
    def correlation(self) -> Any:
        """The correlations of `covariance`."""
        found = {level: _correlation(Sigma) for level, Sigma in self.covariances.items()}
        return found if self.group else found[None]

    def _sigmas(self) -> Array:
        if self.occasions.common:
            return sigma_of(self.gaussian)
        apart = np.array([[0.0, 1.0], [1.0, 0.0]])
        pair = SPATIAL[self.term.structure](apart)
        theta = self.gaussian.theta.reshape(len(self.families), -1)
        return np.stack([pair.sigma(part) for part in theta]) * self.gaussian.likelihood.scale**2

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return self.design.weights is not None

    @property
    def unit(self) -> str:
        """The column of the subject."""
        return self.subjects.name

    @property
    def n_subjects(self) -> int:
        """Subjects with a row used."""
        return self.layout.n_subjects

    @property
    def n_covariance(self) -> int:
        """Covariance parameters."""
        return sum(family.n_parameters for family in self.families)

    @property
    def observed(self) -> pd.DataFrame:
        """Which subject has which visit, among the rows used."""
        return pd.DataFrame(
            self.design.observed, index=self.subjects.levels, columns=self.visits.levels
        )

    @cached_property
    def fitted(self) -> Array:
        """Xβ̂ as a table subjects × visits, also where nothing was observed."""
        gaussian = self.gaussian
        kept = gaussian.likelihood.basis.kept
        effects = np.einsum("tqs,q->st", self.design.B[:, kept], gaussian.beta[kept])
        table: Array = self.design.U @ effects
        return table

    @property
    def patterns(self) -> RepeatedMeasures:
        """The likelihood, which knows each subject's pattern of visits."""
        return cast("RepeatedMeasures", self.gaussian.likelihood)

    @cached_property
    def pattern_covariances(self) -> Array:
        """The covariance of each pattern's responses of weight one, P × T × T.

        The identity where the pattern has no visit; `patterns.pattern` tells each subject's.
        """
        V = self.patterns.V(self.gaussian.point)
        return np.where(self.patterns.together, V * self.patterns.scale**2, V)

    def residuals(self, kind: str = "response") -> pd.Series:
        """Residuals of the rows used, in the data's order and with its index.

        Parameters
        ----------
        kind : {"response", "pearson", "normalized"}
            y − Xβ̂; that over the response's SD; or each subject's multiplied by the inverse
            Cholesky factor of its covariance, which are uncorrelated with variance 1.
        """
        return residuals(self, kind)

    def simulate(self, seed: int, *, conditional: bool = False) -> pd.Series:
        """A response drawn from the fitted model, its parameters as they were estimated.

        Parameters
        ----------
        seed : int
        conditional : bool
            At the visits that the subjects of the fit lack, given those that they have; otherwise
            for the rows used.

        Returns
        -------
        Series
            In the data's order and with its index; conditional: indexed by subject and visit.

        Raises
        ------
        UsageError
            If the seed is no whole number; conditional: if a covariate varies within subjects, or
            the rows have weights, which have no value where there is no row.
        NotAvailableError
            Conditional: where subjects have times of their own.
        """
        return simulate_unobserved(self, seed) if conditional else simulate_rows(self, seed)

    def predict(
        self,
        new: pd.DataFrame,
        confidence: float = 0.95,
        *,
        interval: str = "confidence",
        conditional: bool = False,
    ) -> pd.DataFrame:
        """Predict new rows: their mean, or a response.

        Parameters
        ----------
        new : DataFrame
            With every column of the fixed part, complete; with the visit unless the mean alone is
            asked for; with the subject where `conditional`.
        confidence : float
        interval : {"confidence", "prediction"}
            Of the mean, or of a response: the residual's variance comes on top.
        conditional : bool
            Given the responses that the fit has of the same subject, at whatever visit; one that
            it has is predicted by itself, with standard error zero. A subject that the fit does
            not know is predicted by its mean.

        Returns
        -------
        DataFrame
            estimate, std_error, df, and ci_low, ci_high or pi_low, pi_high; in the order and
            with the index of `new`.

        Raises
        ------
        UsageError
            If a column is missing or an option is not known.
        FitError
            At a level or visit that the fit did not see.
        NotAvailableError
            Of all but the mean, where subjects have times of their own.

        Notes
        -----
        ŷ = x'β̂ + w'(y_o − X_oβ̂), w = Σ_oo⁻¹Σ_om, with variance Σ_mm − w'Σ_om + a'Var(β̂)a,
        a = x − X_o'w: SAS's StdErrPred under Satterthwaite. Kenward-Roger adds what the estimation
        of w costs (Harville and Jeske 1992), as SAS does, within 2e-4; without it conditional
        intervals of small trials are too short.
        """
        if interval == "confidence" and not conditional:
            return super().predict(new, confidence)
        return predict(self, new, confidence, interval, conditional=conditional)

    def covariance_parameters(self, confidence: float = 0.95) -> pd.DataFrame:
        """The covariance parameters with standard errors and intervals.

        Parameters
        ----------
        confidence : float
            Of the two-sided intervals.

        Returns
        -------
        DataFrame
            parameter (in words), sas (as PROC MIXED lists it; empty for what it does not list),
            kind, estimate, std_error, ci_low, ci_high. Of an unstructured Σ, compound symmetry
            and Toeplitz the correlations follow.

        Raises
        ------
        UsageError
            If `confidence` is not between 0 and 1.

        Notes
        -----
        Standard errors are from the observed information, as PROC MIXED's COVTEST, carried to
        functions of Σ by the delta method. Intervals of variances are Satterthwaite's χ² (PROC
        MIXED's CL), of covariances Wald's, of correlations Wald's on Fisher's z.
        """
        return covariance_parameters(self, confidence)

    def influence(self) -> pd.DataFrame:
        """What each subject does to the fit, by exact refits without it.

        Returns
        -------
        DataFrame
            One row per subject: the subject, n_obs; cooks_distance, (β̂ − β̂₍ᵢ₎)'Φ⁻¹(β̂ − β̂₍ᵢ₎)
            over the rank of X; cov_ratio, |Φ₍ᵢ₎| / |Φ|; likelihood_distance, by how much −2l of
            all data rises at the parameters found without it; ``dfbetas`` of each coefficient,
            its change in standard errors of the refit; note, why there are none (NaN): what is
            not estimable without the subject, by name, or how the refit ended.

        Raises
        ------
        FitError
            If the fit did not converge.
        NotAvailableError
            Where subjects have times of their own.

        Notes
        -----
        β₍ᵢ₎ and θ₍ᵢ₎ are optima of the data without subject i, not one-step approximations:
        PROC MIXED's INFLUENCE(EFFECT=subject ITER=n) at convergence.
        """
        return influence(self)

    @property
    def form(self) -> dict[str, Any]:
        """What a file must say of it beside formula and options; nothing of a plain MMRM."""
        return {}

    def save(self, path: str | Path) -> None:
        """Write the fit to a file that :func:`~trialmlm.models.load_fit.load_fit` reads.

        The file holds the formula, the options, the rows used and the optimum: a zip of JSON and
        arrays, the same bytes for the same fit, with nothing in it that is ever executed.

        Raises
        ------
        UsageError
            If a level or a row's label is neither text, number nor truth value, or the file
            cannot be written.
        """
        write_file(Path(path), saved_bytes(self))

    def summary(self) -> str:
        """The fit as text: model, data, convergence, covariance, coefficients."""
        facts = self._facts(Covariance=self.family.title)
        of = f"Covariance, {self.term.group} "
        tables = {
            "Covariance" if level is None else of + level_text(level): frame
            for level, frame in self.covariances.items()
        }
        return report(facts, self.notes, **tables, Effects=self.coefficients())

    def __str__(self) -> str:
        return self.summary()


def _correlation(Sigma: pd.DataFrame) -> pd.DataFrame:
    sd = np.sqrt(np.diag(Sigma))
    return Sigma.div(sd, axis=0).div(sd, axis=1)


class Fitter(Protocol):
    """What makes the engine's fit of a design: a search, or an optimum that is known."""

    def __call__(
        self, design: Design, families: tuple[Covariance, ...], *, common: bool, reml: bool
    ) -> GaussianFit:
        """Fit."""


def mmrm(
    formula: str,
    data: pd.DataFrame,
    *,
    df: str = "satterthwaite",
    information: str = "observed",
    vcov: str | None = None,
    weights: str | None = None,
    reml: bool = True,
) -> MmrmFit:
    """Fit a mixed model for repeated measures.

    Parameters
    ----------
    formula : str
        ``response ~ fixed effects + us(visit | subject)``; in place of ``us`` one of cs, csh, ar1,
        ar1h, toep, toeph (``bands=2`` stops at the next visit), ad, adh, diag, id, fa
        (``factors=1``); with numbers for the visit sp_exp, sp_gau, sp_pow (several coordinates:
        ``sp_exp(x, y | subject)``); over two factors ``us_ar1(param, visit | subject)``, us_cs.
        ``us(visit | arm / subject)`` has a covariance for each level of arm.
    data : DataFrame
        One row per subject and visit. Rows with a missing value in a column of the model are
        not used, and counted.
    df : str
        Degrees of freedom. ``satterthwaite``, which fits any `vcov`; ``kenward-roger`` and
        ``kenward-roger-linear``, which adjust the standard errors too, as SAS's DDFM=KR and
        KR(LINEAR); ``between-within``: observations − subjects − columns of X that vary within a
        subject for those and the intercept, subjects − other columns for the others, the smallest
        of its coefficients for a contrast, of its rows for an F test, aliased columns not counted
        (as R's mmrm, and SAS's DDFM=BETWITHIN for effects); ``containment`` and ``residual``: both
        N − rank(X), as SAS's DDFM=CONTAIN gives where no random effect contains a fixed one;
        ``asymptotic``: the normal and χ² distributions.
    information : {"observed", "expected"}
        Behind Satterthwaite (without `vcov`) and Kenward-Roger: as in SAS, or as in pbkrtest.
    vcov : {"CR0", "CR1", "CR2", "CR3"}, optional
        A sandwich covariance of the coefficients, clustered by subject; by default the one that
        `df` implies. CR0 is SAS's EMPIRICAL; CR1 is n/(n − 1) of it, n the subjects; CR2 is
        corrected for bias under the model (Bell and McCaffrey 2002), CR3 close to the jackknife
        (Mancl and DeRouen 2001). Not with Kenward-Roger, which has its own.
    weights : str, optional
        A column of positive numbers: the covariance of a subject is W^-1/2 Σ W^-1/2.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.

    Returns
    -------
    MmrmFit

    Raises
    ------
    ExpressionError
        If the formula is refused.
    FitError
        If the data do not carry the model; says which column, visit or level is at fault.
    NotAvailableError
        For what this version does not build.
    UsageError
        If an option is unknown, or two do not go together.

    Notes
    -----
    Y_i = X_i β + ε_i, ε_i ~ N(0, Σ restricted to the visits that subject i has). Rows are missing
    at random given what is observed and the covariates. The method is that of docs/engine.md.

    Examples
    --------
    >>> fit = mmrm("FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)", fev,
    ...            df="kenward-roger")  # doctest: +SKIP
    """
    read = read_formula(formula)
    term = _covariance_of(read)
    options = Options(df, information, vcov, weights, reml)
    check_options(options, REPEATED_DF_METHODS, tuple(SANDWICHES))
    frame = model_frame(data, sorted(read.variables | ({weights} if weights else set())))
    check_levels(term, data, frame)
    fit = assemble(formula, frame, options, _search)
    at = () if term.structure in SPATIAL else term.visit
    factors = {*fit.coding.categorical, *at, *([term.group] if term.group else [])}
    notes = (*rows_not_used(frame, fit.subjects), *levels_not_used(frame, sorted(factors)))
    return replace(fit, notes=notes)


def assemble(formula: str, frame: ModelFrame, options: Options, fitter: Fitter) -> MmrmFit:
    """Make the design from the rows used, fit it, and put the result together.

    Parameters
    ----------
    formula : str
    frame : ModelFrame
    options : Options
        Checked.
    fitter : callable
        From a design, its families, whether visits are common, and REML or not, to the engine's
        fit.
    """
    read = read_formula(formula)
    term = _covariance_of(read)
    found = occasions(term, frame.variables)
    group = covariance_group(term, frame, found)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    design = make_design(coding, frame.variables, found.layout, response)
    weights = options.weights
    design = replace(
        design,
        group=None if group is None else group.codes[found.layout.first_of_subject],
        weights=None if weights is None else row_weights(frame, weights, found.layout),
    )
    members = [np.flatnonzero(design.groups == g) for g in range(design.groups.max() + 1)]
    families = tuple(found.family(term, subjects) for subjects in members)
    check_rows(design, families, response.size)
    check_informed(design, families, found, group)
    gaussian = fitter(design, families, common=found.common, reml=options.reml)
    gaussian = reasoned(gaussian, design, families, found, frame.variables)
    source = Repeated(gaussian, options.information, design)
    return MmrmFit(
        formula=formula,
        coding=coding,
        gaussian=gaussian,
        rows=frame,
        method=repeated_method(source, options.df, options.vcov),
        notes=(),
        term=term,
        families=families,
        group=group,
        design=design,
        occasions=found,
        options=options,
    )


def _search(
    design: Design, families: tuple[Covariance, ...], *, common: bool, reml: bool
) -> GaussianFit:
    if common:
        return fit_gaussian(design, families[0], reml=reml)
    return fit_own_times(design, families, reml=reml)


def _covariance_of(read: ModelFormula) -> CovarianceTerm:
    if not read.covariance:
        raise UsageError(
            "mmrm: the formula names no residual covariance; add one, such as us(AVISIT | USUBJID)"
        )
    if read.random:
        raise NotAvailableError("mmrm: random effects are not available in this version")
    return read.covariance[0]
