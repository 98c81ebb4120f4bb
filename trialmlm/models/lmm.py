"""Linear mixed models: random effects of one or several grouping factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.clusters import ClusterLikelihood, summarise_clusters
from trialmlm.engine.crossed import CrossedLikelihood
from trialmlm.engine.crossed_summary import Grouping, summarise_crossed
from trialmlm.engine.fit import GaussianFit, fit_likelihood
from trialmlm.engine.padded_clusters import PaddedLikelihood, pad_clusters
from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.formula.coding import make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import ModelFormula, read_formula
from trialmlm.formula.response import response_values
from trialmlm.inference.register import (
    HIERARCHICAL_DF_METHODS,
    SANDWICH_KINDS,
    hierarchical_method,
)
from trialmlm.inference.source import Hierarchical
from trialmlm.models.cluster_sandwich import cluster_sandwich
from trialmlm.models.lmm_checks import check_identified, check_random, remarks_on_random
from trialmlm.models.lmm_fit import LmmFit
from trialmlm.models.lmm_residual import has_structured_residual, lmm_residual
from trialmlm.models.options import Options, check_options, levels_not_used, rows_not_used
from trialmlm.models.random_part import RandomPart, effects_of_terms, likelihood_of, random_parts
from trialmlm.models.structure import checked_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from trialmlm.arrays import Array, IntArray
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
    """Fit a linear mixed model.

    Parameters
    ----------
    formula : str
        ``response ~ fixed effects + (1 + time | subject)``. Several terms of random effects may
        stand in it: nested ``(1 | a/b/c)``, which is ``(1 | a)`` with the levels of b within a and
        of c within b; ``(1 | a:b)``, the combinations of a and b alone; crossed,
        ``(1 | a) + (1 | b)``; uncorrelated, ``(time || subject)``; with a covariance of their own
        for every arm, ``(1 + time | gr(subject, by=arm))``. With
        ``+ diag(visit | subject)`` beside one term, a residual variance of its own for every
        visit; or beside one term any residual covariance that
        :func:`~trialmlm.models.mmrm.mmrm` takes, as ``ar1(visit | subject)``,
        ``sp_exp(day | subject)``, ``us(visit | subject)``, ``id(visit | arm / subject)``.
    data : DataFrame
        One row per observation. Rows with a missing value in a column of the model are not used,
        and counted.
    df : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "containment", "residual", \
"asymptotic"}
        ``containment`` is PROC MIXED's rule by the names of effects: random effects that contain a
        fixed one (as ``batch:cask`` does ``batch``) give it what they add to the rank of [X Z].
    information : {"observed", "expected"}
        Behind Satterthwaite and Kenward-Roger: as in SAS, or as in pbkrtest.
    vcov : {None, "CR0", "CR1", "CR2", "CR3"}
        A sandwich covariance of the fixed effects over the levels of the highest grouping factor,
        which must hold those of all others; by default the covariance that the df method implies.
        Predictions of groups keep the model's own.
    weights : str, optional
        A column: R = σ² / weight, so that the residual variance is that of weight one. Not
        available beside a residual covariance.
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
    y = Xβ + Σ_f Z_f b_f + e, b ~ N(0, G_f) at every level of the grouping factor f, e ~ N(0, R),
    R = σ²I, diagonal by visit, or of a structure. The effects of one term are correlated (G
    unstructured), those of ``(x + z || g)`` and of different terms are not; a factor before ``||``
    has an independent effect for every column. Times are each subject's own; nothing is rounded to
    visits.

    Examples
    --------
    >>> fit = lmm("FVC ~ ARM * YEARS + SEX + AGE + HEIGHT + (1 + YEARS | USUBJID)", adfvc,
    ...           df="kenward-roger")  # doctest: +SKIP
    >>> fit.slopes("YEARS", by="ARM").contrasts("vs-control").frame  # doctest: +SKIP
    >>> lmm("strength ~ 1 + (1 | batch/cask)", pastes).variance_components()  # doctest: +SKIP
    """
    read = read_formula(formula)
    options = Options(df, information, vcov, weights, reml)
    if on_redundant not in {"reduce", "error"}:
        msg = f"on_redundant: found {on_redundant!r}, expected 'reduce' or 'error'"
        raise UsageError(msg)
    _check_terms(read)
    _check_options(options)
    if has_structured_residual(read):
        return lmm_residual(read, data, options, on_redundant)
    frame = model_frame(data, sorted(read.variables | ({weights} if weights else set())))
    rows = frame.rows.size
    parts = random_parts(read.random, frame.variables)
    levels = _residual_levels(read, parts, frame.variables)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    X = coding.matrix(frame.variables, rows)
    Z = [part.matrix(frame.variables, rows) for part in parts]
    check_random(parts, Z, levels)
    inverse = np.ones(rows) if weights is None else checked_weights(frame, weights)
    gaussian = _fit(*_weighted(np.sqrt(inverse), X, Z, response), parts, levels, reml=reml)
    singular = likelihood_of(gaussian).singular(gaussian.theta, gaussian.point)
    remarks = remarks_on_random(parts, Z, singular)
    source = Hierarchical(gaussian, information, X, *effects_of_terms(parts, Z, coding))
    variances = np.zeros(rows, dtype=np.intp) if levels is None else levels.codes
    sandwich = cluster_sandwich(vcov, gaussian, (X, response), parts, Z, (variances, 1.0 / inverse))
    return LmmFit(
        formula=formula,
        coding=coding,
        rows=frame,
        method=hierarchical_method(source, df, sandwich),
        notes=(
            *rows_not_used(frame, _subjects(read, parts, frame.variables)),
            *levels_not_used(frame, sorted(coding.categorical)),
            *remarks,
        ),
        gaussian=gaussian,
        parts=parts,
        levels=levels,
        response=response,
        options=options,
    )


def _check_options(options: Options) -> None:
    check_options(options, HIERARCHICAL_DF_METHODS, SANDWICH_KINDS)


def _weighted(
    root: Array, X: Array, Z: Sequence[Array], y: Array
) -> tuple[Array, Sequence[Array], Array]:
    """The rows times √weight, which have one residual variance; as they are where all are one."""
    if (root == 1.0).all():
        return X, Z, y
    column = root[:, None]
    return X * column, [own * column for own in Z], y * root


def _fit(
    X: Array,
    Z: Sequence[Array],
    y: Array,
    parts: Sequence[RandomPart],
    levels: Variable | None,
    *,
    reml: bool,
) -> GaussianFit:
    """Summed up the quickest way there is, and fitted."""
    size = float(np.sqrt(y @ y / y.size))
    if len(parts) > 1 or not parts[0].single:
        groupings = [
            Grouping(part.groups.codes, own, part.sizes) for part, own in zip(parts, Z, strict=True)
        ]
        crossed = CrossedLikelihood(summarise_crossed(X, groupings, y), reml)
        if y.size > crossed.basis.kept.size and crossed.scale > 0.0:
            check_identified(parts, crossed)
        return fit_likelihood(crossed, size)
    order = _sorting(parts[0].groups.codes)
    codes, own = parts[0].groups.codes[order], Z[0][order]
    if levels is None:
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        summary = summarise_clusters(X[order], own, y[order], first)
        return fit_likelihood(ClusterLikelihood(summary, reml), size)
    padded = pad_clusters(X[order], own, y[order], codes, levels.codes[order])
    return fit_likelihood(PaddedLikelihood(padded, reml), size)


def _sorting(codes: IntArray) -> IntArray | slice:
    """Rows sorted by group; as they stand, without a copy, where they are."""
    if (codes[1:] >= codes[:-1]).all():
        return slice(None)
    return np.argsort(codes, kind="stable")


def _subjects(
    read: ModelFormula, parts: Sequence[RandomPart], variables: Mapping[str, Variable]
) -> Variable:
    """The innermost column of the first term, as a factor."""
    name = read.random[0].groups[-1]
    found = (part.groups for part in parts if part.columns == (name,))
    return next(found, None) or variables[name].as_factor()


def _check_terms(read: ModelFormula) -> None:
    if not read.random:
        raise UsageError(
            "lmm: the formula names no random effects; add some, such as (1 + YEARS | USUBJID), "
            "or use mmrm for a residual covariance alone"
        )


def _residual_levels(
    read: ModelFormula, parts: Sequence[RandomPart], variables: Mapping[str, Variable]
) -> Variable | None:
    """The factor whose levels have residual variances of their own, if the formula names one."""
    if not read.covariance:
        return None
    (residual,) = read.covariance
    if len(parts) > 1 or not parts[0].single:
        raise NotAvailableError(
            "lmm: the residual covariance diag beside several terms of random effects is not "
            "available in this version; available: one term, or one residual variance"
        )
    if residual.subject != parts[0].name:
        msg = (
            f"lmm: the residual covariance is of {residual.subject}, the random effects are of "
            f"{parts[0].name}; name the same subject in both"
        )
        raise UsageError(msg)
    return variables[residual.visit[0]].as_factor()
