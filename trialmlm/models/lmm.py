"""Linear mixed models with random intercepts and slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.clusters import ClusterLikelihood, summarise_clusters
from trialmlm.engine.fit import GaussianFit, fit_likelihood
from trialmlm.engine.identified import variances_identified
from trialmlm.engine.padded_clusters import PaddedLikelihood, pad_clusters
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.coding import make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import ModelFormula, RandomTerm, read_formula
from trialmlm.formula.response import response_values
from trialmlm.inference.register import DF_METHODS, model_method
from trialmlm.inference.source import Source
from trialmlm.models.lmm_fit import LmmFit
from trialmlm.models.lmm_residual import has_structured_residual, lmm_residual
from trialmlm.models.options import Options, check_options, rows_not_used

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.formula.variables import Variable


def lmm(
    formula: str,
    data: pd.DataFrame,
    *,
    df: str = "satterthwaite",
    information: str = "observed",
    vcov: str | None = None,
    weights: str | None = None,
    reml: bool = True,
    on_redundant: str = "reduce",
) -> LmmFit:
    """Fit a linear mixed model with random intercepts and slopes.

    Parameters
    ----------
    formula : str
        ``response ~ fixed effects + (1 + time | subject)``; with ``+ diag(visit | subject)`` a
        residual variance of its own for every visit; or with any residual covariance that
        :func:`~trialmlm.models.mmrm.mmrm` takes, as ``ar1(visit | subject)``,
        ``sp_exp(day | subject)``, ``us(visit | subject)``, ``id(visit | arm / subject)``.
    data : DataFrame
        One row per observation. Rows with a missing value in a column of the model are not used,
        and counted.
    df : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "residual", "asymptotic"}
    information : {"observed", "expected"}
        Behind Satterthwaite and Kenward-Roger: as in SAS, or as in pbkrtest.
    vcov, weights : None
        Sandwich covariances and weights are not available beside random effects in this version.
    reml : bool
    on_redundant : {"reduce", "error"}
        Where a residual covariance can take over the covariance of random effects, so that only
        their sum V is determined: fit V and mark the parameters, or refuse.

    Returns
    -------
    LmmFit
        With a residual covariance a :class:`~trialmlm.models.lmm_residual_fit.ResidualLmmFit`.

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
    of a structure. Times are each subject's own; nothing is rounded to visits.

    Examples
    --------
    >>> fit = lmm("FVC ~ ARM * YEARS + SEX + AGE + HEIGHT + (1 + YEARS | USUBJID)", adfvc,
    ...           df="kenward-roger")  # doctest: +SKIP
    >>> fit.slopes("YEARS", by="ARM").contrasts("vs-control").frame  # doctest: +SKIP
    """
    read = read_formula(formula)
    options = Options(df, information, vcov, weights, reml)
    if on_redundant not in {"reduce", "error"}:
        msg = f"on_redundant: found {on_redundant!r}, expected 'reduce' or 'error'"
        raise UsageError(msg)
    if has_structured_residual(read):
        _check_options(options)
        return lmm_residual(read, data, options, on_redundant)
    term = _random_of(read)
    _check_options(options)
    frame = model_frame(data, sorted(read.variables))
    groups = frame.variables[term.groups[0]].as_factor()
    levels = _residual_levels(read, term, frame.variables)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    random = make_coding(term.terms, frame.variables)
    X = coding.matrix(frame.variables, frame.rows.size)
    Z = random.matrix(frame.variables, frame.rows.size)
    _check_random(term, Z, groups, levels)
    gaussian = _fit(X, Z, response, groups, levels, reml=reml)
    return LmmFit(
        formula=formula,
        coding=coding,
        rows=frame,
        method=model_method(Source(gaussian, information), df),
        notes=rows_not_used(frame, data, groups),
        gaussian=gaussian,
        random=random,
        groups=groups,
        levels=levels,
        response=response,
        options=options,
    )


def _check_options(options: Options) -> None:
    check_options(options, DF_METHODS)
    if options.weights is not None:
        raise NotAvailableError("lmm: weights are not available in this version")


def _fit(
    X: Array, Z: Array, y: Array, groups: Variable, levels: Variable | None, *, reml: bool
) -> GaussianFit:
    """Rows sorted by group, summed up, and fitted."""
    order = np.argsort(groups.codes, kind="stable")
    codes = groups.codes[order]
    size = float(np.sqrt(y @ y / y.size))
    if levels is None:
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        summary = summarise_clusters(X[order], Z[order], y[order], first)
        return fit_likelihood(ClusterLikelihood(summary, reml), size)
    padded = pad_clusters(X[order], Z[order], y[order], codes, levels.codes[order])
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
    if residual.subject != term.groups[0]:
        msg = (
            f"lmm: the residual covariance is of {residual.subject}, the random effects are of "
            f"{term.groups[0]}; name the same subject in both"
        )
        raise UsageError(msg)
    return variables[residual.visit[0]].as_factor()


def _check_random(term: RandomTerm, Z: Array, groups: Variable, levels: Variable | None) -> None:
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
    codes = groups.codes
    residual = np.zeros_like(codes) if levels is None else levels.codes
    if not variances_identified(Z, codes, residual):
        msg = (
            f"the variances of {term.text} and of the residual cannot be told apart: the rows of "
            f"a {groups.name} are too few, or stand at too few times; leave a random effect out"
        )
        raise FitError(msg)
