"""The mixed model for repeated measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.covariance.register import FAMILIES
from trialmlm.engine.fit import fit as fit_gaussian
from trialmlm.engine.fit import sigma_of
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.coding import make_coding
from trialmlm.formula.design import Layout, make_design
from trialmlm.formula.factor import level_text
from trialmlm.formula.frame import ModelFrame, model_frame
from trialmlm.formula.grammar import ModelFormula, read_formula
from trialmlm.formula.response import response_values
from trialmlm.formula.variables import Variable, factor
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES, repeated_method
from trialmlm.inference.source import Repeated
from trialmlm.models.mixed import MixedFit
from trialmlm.models.options import check_options, rows_not_used
from trialmlm.models.report import report

if TYPE_CHECKING:
    from typing import Any

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.design import Design
    from trialmlm.formula.grammar import CovarianceTerm

_read = lru_cache(maxsize=256)(read_formula)


@dataclass(frozen=True, repr=False)
class MmrmFit(MixedFit):
    """A fitted MMRM.

    Attributes
    ----------
    family : Covariance
        Of the residual covariance.
    design : Design
        The engine's input.
    layout : Layout
        Where the rows stand in the table of subjects and visits.
    visits, subjects : Variable
    """

    family: Covariance
    design: Design
    layout: Layout
    visits: Variable
    subjects: Variable

    @property
    def covariance(self) -> pd.DataFrame:
        """Σ̂, visit × visit, in squared units of the response."""
        labels = [level_text(level) for level in self.visits.levels or ()]
        return pd.DataFrame(sigma_of(self.gaussian), index=labels, columns=labels)

    @property
    def n_subjects(self) -> int:
        """Subjects with a row used."""
        return self.layout.n_subjects

    @property
    def n_covariance(self) -> int:
        """Covariance parameters."""
        return self.family.n_parameters

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

    def residuals(self, kind: str = "response") -> pd.Series:
        """Residuals of the rows used, in the data's order and with its index.

        Parameters
        ----------
        kind : {"response", "pearson", "normalized"}
            y − Xβ̂; that over the visit's SD; or each subject's multiplied by the inverse
            Cholesky factor of its covariance, which are uncorrelated with variance 1.
        """
        if kind not in _RESIDUALS:
            msg = f"residuals: found {kind!r}, expected one of {', '.join(_RESIDUALS)}"
            raise UsageError(msg)
        response = np.where(self.design.observed, self.design.Y - self.fitted, 0.0)
        table = _RESIDUALS[kind](response, sigma_of(self.gaussian), self.design.observed)
        values = table[self.layout.subject, self.layout.visit]
        return pd.Series(values, index=self.rows.labels, name=kind)

    def simulate(self, seed: int) -> pd.Series:
        """A response drawn from the fitted model for the rows used, in the data's order."""
        rng = np.random.default_rng(seed)
        factor_ = np.linalg.cholesky(sigma_of(self.gaussian))
        noise = rng.standard_normal(self.fitted.shape) @ factor_.T
        values = (self.fitted + noise)[self.layout.subject, self.layout.visit]
        return pd.Series(values, index=self.rows.labels, name="simulated")

    def summary(self) -> str:
        """The fit as text: model, data, convergence, covariance, coefficients."""
        facts = self._facts(Covariance=self.family.title)
        return report(facts, self.notes, Covariance=self.covariance, Effects=self.coefficients())

    def __str__(self) -> str:
        return self.summary()


def _pearson(residual: Array, Sigma: Array, observed: BoolArray) -> Array:
    del observed
    return residual / np.sqrt(np.diag(Sigma))


def _normalized(residual: Array, Sigma: Array, observed: BoolArray) -> Array:
    result = np.zeros_like(residual)
    for pattern in np.unique(observed, axis=0):
        subjects = np.flatnonzero((observed == pattern).all(axis=1))
        at = np.flatnonzero(pattern)
        half = np.linalg.inv(np.linalg.cholesky(Sigma[np.ix_(at, at)]))
        result[np.ix_(subjects, at)] = residual[np.ix_(subjects, at)] @ half.T
    return result


_RESIDUALS = {
    "response": lambda residual, Sigma, observed: residual,
    "pearson": _pearson,
    "normalized": _normalized,
}


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
        ar1h, toep, toeph, ad, adh, diag.
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
    weights : None
        Weights are not available in this version.
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
    read = _read(formula)
    term = _covariance_of(read)
    check_options(
        df,
        information,
        vcov,
        weights,
        reml=reml,
        methods=REPEATED_DF_METHODS,
        sandwiches=tuple(SANDWICHES),
    )
    frame = model_frame(data, sorted(read.variables))
    visits = _factor(frame, term.visit[0])
    subjects = _factor(frame, term.subject)
    layout = Layout.of(_codes(subjects), _codes(visits))
    _check_unique(layout, subjects, visits)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    design = make_design(coding, frame.variables, layout, response)
    if term.structure == "us":
        _check_identified(design, visits)
    covariance = FAMILIES[term.structure](layout.n_visits)
    gaussian = fit_gaussian(design, covariance, reml=reml)
    return MmrmFit(
        formula=formula,
        coding=coding,
        gaussian=gaussian,
        family=covariance,
        design=design,
        rows=frame,
        layout=layout,
        visits=visits,
        subjects=subjects,
        method=repeated_method(Repeated(gaussian, information, design), df, vcov),
        notes=rows_not_used(frame, data, term.subject, layout.n_subjects),
    )


def _covariance_of(read: ModelFormula) -> CovarianceTerm:
    if not read.covariance:
        raise UsageError(
            "mmrm: the formula names no residual covariance; add one, such as us(AVISIT | USUBJID)"
        )
    if read.random:
        raise NotAvailableError("mmrm: random effects are not available in this version")
    (term,) = read.covariance
    if term.structure not in FAMILIES:
        msg = (
            f"mmrm: the covariance {term.structure} is not available in this version; "
            f"available: {', '.join(FAMILIES)}"
        )
        raise NotAvailableError(msg)
    if term.group is not None:
        raise NotAvailableError(
            f"mmrm: a covariance per level of {term.group} is not available in this version"
        )
    return term


def _factor(frame: ModelFrame, name: str) -> Variable:
    """The visit or the subject as a factor, whatever its type."""
    found = frame.variables[name]
    return found if found.categorical else factor(name, found.values)


def _codes(variable: Variable) -> Any:
    return np.asarray(variable.values, dtype=np.intp)


def _check_unique(layout: Layout, subjects: Variable, visits: Variable) -> None:
    cell = layout.subject * layout.n_visits + layout.visit
    counts = np.bincount(cell, minlength=1)
    if counts.max() <= 1:
        return
    twice = np.flatnonzero(counts > 1)
    listed = ", ".join(
        f"{(subjects.levels or ())[c // layout.n_visits]} at "
        f"{(visits.levels or ())[c % layout.n_visits]}"
        for c in twice[:5]
    )
    msg = (
        f"{twice.size} subject-visits have several rows ({listed}"
        f"{', …' if twice.size > 5 else ''}); a model takes one row per subject and visit"
    )
    raise FitError(msg)


def _check_identified(design: Design, visits: Variable) -> None:
    """Every covariance of the unstructured family must be seen on some subject."""
    observed = design.observed.astype(float)
    together = observed.T @ observed
    apart = np.argwhere(np.triu(together == 0, 1))
    if apart.size:
        names = visits.levels or ()
        listed = ", ".join(f"{names[a]} and {names[b]}" for a, b in apart[:5])
        msg = (
            f"no subject has both visits {listed}: their covariance cannot be estimated; "
            "leave a visit out or use a structure with fewer parameters"
        )
        raise FitError(msg)
