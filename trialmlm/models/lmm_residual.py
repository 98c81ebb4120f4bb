"""Linear mixed models with random effects beside a residual covariance of any structure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.fit import GaussianFit, fit_likelihood
from trialmlm.engine.identified_effects import random_residual
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.expressions.functions import STRUCTURES
from trialmlm.formula.coding import make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.response import response_values
from trialmlm.inference.register import DF_METHODS, SANDWICH_KINDS, model_method
from trialmlm.inference.source import Source
from trialmlm.models.cluster_sandwich import subject_sandwich
from trialmlm.models.lmm_checks import check_part, remarks_on_columns
from trialmlm.models.lmm_residual_fit import ResidualLmmFit
from trialmlm.models.options import check_options, levels_not_used, rows_not_used
from trialmlm.models.random_part import random_parts
from trialmlm.models.residual_part import left_of_effects, notes_of, residual_part

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.engine.random_residual import RandomResidualLikelihood
    from trialmlm.formula.grammar import ModelFormula, RandomTerm
    from trialmlm.models.options import Options
    from trialmlm.models.residual_part import ResidualPart

_BOUND = (
    "the estimate of {what} is at its bound (a variance of zero, or a correlation of one): that "
    "direction has no standard error and is left out of the covariance behind the degrees of "
    "freedom"
)
_UNDIVIDED = (
    "the estimate of V is not the sum of random effects and a residual that are both covariance "
    "matrices: it stands as a marginal covariance, and none is given of the random effects"
)


def has_structured_residual(read: ModelFormula) -> bool:
    """Whether the model has random effects beside a residual that is not diagonal by visit."""
    if not (read.random and read.covariance):
        return False
    (residual,) = read.covariance
    plain = residual.structure == "diag" and residual.group is None
    return not (plain and all(term.correlated for term in read.random))


def lmm_residual(
    read: ModelFormula, data: pd.DataFrame, options: Options, on_redundant: str
) -> ResidualLmmFit:
    """Fit it; parameters and errors are those of :func:`~trialmlm.models.lmm.lmm`."""
    term = _random_of(read)
    check_options(options, DF_METHODS, SANDWICH_KINDS)  # containment is of models with σ²I alone
    if options.weights is not None:
        raise NotAvailableError(
            "lmm: weights beside a residual covariance are not available in this version; leave "
            "one of them out"
        )
    frame = model_frame(data, sorted(read.variables))
    parts = random_parts(read.random, frame.variables)
    random = parts[0].codings[0]
    Z = random.matrix(frame.variables, frame.rows.size)
    check_part(parts[0], Z)
    part = residual_part(read.covariance[0], frame, data)
    response = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    X = coding.matrix(frame.variables, frame.rows.size)
    effects = left_of_effects(
        part, Z, list(random.names), correlated=term.correlated, on_redundant=on_redundant
    )
    likelihood = random_residual(
        X[part.order],
        response[part.order],
        part.present,
        effects,
        part.families,
        part.members,
        reml=options.reml,
    )
    _check_rows(len(X), likelihood.basis.kept.size, effects.found.rank)
    gaussian = fit_likelihood(likelihood, float(np.sqrt(response @ response / response.size)))
    notes = (
        *rows_not_used(frame, part.occasions.subjects),
        *levels_not_used(frame, sorted({*coding.categorical, *_visits(part)})),
        *remarks_on_columns(parts[0], Z),
        *notes_of(part, effects, list(random.names)),
        *_of_estimate(likelihood, gaussian),
    )
    layout = part.occasions.layout
    V = likelihood.evaluate(gaussian.theta).V * likelihood.scale**2
    sandwich = subject_sandwich(
        options.vcov, gaussian, (X, response), (layout.subject, layout.visit), V
    )
    return ResidualLmmFit(
        formula=read.text,
        coding=coding,
        rows=frame,
        method=model_method(Source(gaussian, options.information), options.df, sandwich),
        notes=notes,
        gaussian=gaussian,
        options=options,
        parts=parts,
        levels=None,
        response=response,
        part=part,
        identified=replace(effects, Z=effects.Z[np.argsort(part.order)]),
    )


def _random_of(read: ModelFormula) -> RandomTerm:
    (residual,) = read.covariance
    if len(read.random) > 1 or len(read.random[0].groups) > 1:
        raise NotAvailableError(
            "lmm: several groupings of random effects beside a residual covariance are not "
            "available in this version; name one, the subject of the residual"
        )
    (term,) = read.random
    if term.by is not None:
        msg = (
            f"lmm: a covariance of random effects for each {term.by} beside a residual covariance "
            "is not available in this version; leave one of them out"
        )
        raise NotAvailableError(msg)
    if residual.subject != term.groups[0]:
        msg = (
            f"lmm: the residual covariance is of {residual.subject}, the random effects are of "
            f"{term.groups[0]}; name the same subject in both"
        )
        raise UsageError(msg)
    return term


def _visits(part: ResidualPart) -> tuple[str, ...]:
    """The column of the visits; none where the residual is over times."""
    return () if STRUCTURES[part.term.structure].spatial else part.term.visit


def _check_rows(n: int, rank: int, n_covariance: int) -> None:
    if n < rank + n_covariance:
        msg = (
            f"{n} rows cannot carry {rank} fixed effects and {n_covariance} covariance "
            "parameters; use fewer terms, or a residual with fewer parameters, such as ar1"
        )
        raise FitError(msg)


def _of_estimate(likelihood: RandomResidualLikelihood, gaussian: GaussianFit) -> list[str]:
    """What the reader should know of where the estimate lies."""
    at_bound = likelihood.at_bound(gaussian.theta)
    notes = [
        _BOUND.format(what=what)
        for what, bound in zip(("the random effects", "the residual"), at_bound, strict=True)
        if bound
    ]
    return notes if likelihood.divisible(gaussian.point) else [*notes, _UNDIVIDED]
