"""Imputation of missing values from a mixed model for repeated measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.expressions.nodes import Name
from trialmlm.formula.grammar import read_formula
from trialmlm.missing.asked import (
    Asked,
    nothing_random,
    replicates_asked,
    share_tolerated,
)
from trialmlm.missing.choices import one_of
from trialmlm.missing.completed import check_own_columns
from trialmlm.missing.drawing import METHODS
from trialmlm.missing.events import read_events
from trialmlm.missing.full_grid import lay_out
from trialmlm.missing.imputed import Imputed
from trialmlm.missing.layout import Names
from trialmlm.missing.limits import read_limits
from trialmlm.missing.model import ImputationModel
from trialmlm.missing.monotone import check_monotone, check_unshifted
from trialmlm.missing.own_response import check_own_response
from trialmlm.missing.references import check_arm_alone, check_references, read_references
from trialmlm.missing.retrieved import check_targets, with_shift
from trialmlm.missing.sampler import Sampler
from trialmlm.missing.seen import seen_cells
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.limits import Bounds
    from trialmlm.missing.references import References


def impute(
    data: pd.DataFrame,
    *,
    model: str,
    arm: str,
    events: pd.DataFrame | None = None,
    reference: References | None = None,
    method: str = "conditional-mean",
    imputations: int | None = None,
    seed: int | None = None,
    reml: bool = True,
    visits: Sequence[Any] | None = None,
    bounds: Bounds | None = None,
    rounding: float | None = None,
    failures: float = 0.01,
    after_event: str = "keep",
    retrieved: str = "arm",
    targets: Mapping[Any, float] | None = None,
    sampler: Sampler | None = None,
) -> Imputed:
    """Complete the data: missing values imputed from a mixed model for repeated measures.

    Parameters
    ----------
    data : DataFrame
        One row per subject and post-baseline visit; a visit may lack its row, or its response.
        A covariate that is constant within subjects is carried to added rows.
    model : str
        As :func:`~trialmlm.models.mmrm.mmrm` takes it; subject and visit are read from its
        covariance, ``us(AVISIT | USUBJID)``. Auxiliary variables are terms of this model that the
        analysis later leaves out. Any covariance structure, by arm too:
        ``us(AVISIT | ARM / USUBJID)``.
    arm : str
        The column of the arm, one per subject.
    events : DataFrame, optional
        Intercurrent events: the subject, the first visit affected (columns called as in the data,
        or ``subject`` and ``visit``) and the ``strategy`` from there on: mar, jump-to-reference,
        copy-reference, copy-increments, last-mean-carried-forward, retrieved-dropout, or one that
        was registered. Of several events of a subject the first in time rules. A missing value
        that no event affects is imputed as missing at random; copy-reference affects gaps before
        its event too.
    reference : str or mapping, optional
        The arm that others are compared with after an event, as ``{"DRUG": "PLACEBO"}``.
    method : {"conditional-mean", "approximate-bayes", "bayes", "monotone"}
        Conditional means at the estimate, whose variance comes from resampling; or values drawn,
        with the parameters of a bootstrap sample within each arm, or with parameters from their
        posterior, by Gibbs sampling (of a structured covariance by Metropolis sampling) or, where
        no subject has a value after a gap, by a regression of each visit on those before it (for
        unstructured covariances only).
    imputations, seed : int, optional
        Of a method that draws.
    reml : bool
        How the model is fitted.
    visits : sequence, optional
        In order; needed where the visit is text.
    bounds : pair, optional
        What an imputed value can be at least and at most: numbers, columns, or None. Values
        beyond are set to the limit and counted in the notes.
    rounding : float, optional
        The step of the score that imputed values are rounded to.
    failures : float
        The share of resamples whose fit may fail.
    after_event : {"keep", "set-aside"}
        What becomes of values observed after an event that is not mar: they stay what they are
        (see Notes), or are set aside and imputed.
    retrieved : {"arm", "arm-visit", "arm-time", "common"}
        Under the strategy retrieved-dropout, by what the shift of the mean after the event
        differs. Subjects observed after their event tell it, missing ones are imputed with it.
        By arm-time it has a level and a slope in each arm: it changes with the time since the
        first visit affected.
    targets : mapping of visit to number, optional
        For retrieved="arm-time" the time of every visit, in any unit: ``{"Week 4": 28, …}``.
    sampler : Sampler, optional
        Length of the chains and prior of method="bayes".

    Returns
    -------
    Imputed

    Raises
    ------
    UsageError
        If an argument is not understood; before anything is fitted.
    DataError
        If the data or events cannot be imputed as asked: subject and visit are named, before
        anything is fitted.
    FitError
        If the imputation model cannot be fitted.

    Notes
    -----
    Values observed after an event that is not mar do not enter the model. They are kept in the
    completed data, and what is missing is imputed given them too, as in R's rbmi. A covariance
    that differs by arm is joined after an event as Carpenter, Roger and Kenward (2013) have it.

    Examples
    --------
    >>> imp = impute(d, model="CHG ~ BASE * AVISIT + ARM * AVISIT + us(AVISIT | USUBJID)",
    ...              arm="ARM", events=stopped.assign(strategy="jump-to-reference"),
    ...              reference={"DRUG": "PLACEBO"})  # doctest: +SKIP
    >>> imp.completed()  # doctest: +SKIP
    """
    names, read = _names(model, arm)
    check_targets(retrieved, targets)
    check_own_columns(data)
    asked = _asked(method, imputations, seed, failures, sampler)
    _check_structure(method, read, sampler)
    layout = lay_out(data, names, _covariates(read), visits)
    check_own_response(layout, read.fixed_variables)
    found = read_events(events, layout)
    layout = AFTER_EVENT_VALUES[one_of("after_event", after_event, AFTER_EVENT_VALUES)](
        layout, found
    )
    seen = seen_cells(layout, found, read.covariance[0].group)
    if METHODS[method].monotone:
        check_monotone(layout, seen)
        check_unshifted(layout, found)
    references = read_references(reference, layout)
    check_references(references, layout, found)
    check_arm_alone(references, layout, found, read.fixed_variables)
    limits = read_limits(bounds, rounding, layout)
    formula, layout = with_shift(model, layout, found, retrieved, targets)
    fit = mmrm(formula, layout.without(~seen).frame, reml=reml)
    made = ImputationModel.of(layout, fit, references)
    made.check_estimable(found)
    return Imputed(made, found, METHODS[method].draw(made, asked), limits, method, asked.tolerated)


def _covariates(read: ModelFormula) -> set[str]:
    """Columns that need a value in every row of the grid."""
    (term,) = read.covariance
    return set(read.fixed_variables | ({term.group} if term.group else set()))


def _kept(layout: Layout, events: Events) -> Layout:
    del events
    return layout


def _set_aside(layout: Layout, events: Events) -> Layout:
    return layout.without(events.set_apart(len(layout.visits)))


#: what becomes of values observed after an event that is not mar
AFTER_EVENT_VALUES: Mapping[str, Callable[[Layout, Events], Layout]] = {
    "keep": _kept,
    "set-aside": _set_aside,
}


def _names(model: str, arm: str) -> tuple[Names, ModelFormula]:
    """What subject, visit and response are called in the model."""
    read = read_formula(model)
    if len(read.covariance) != 1:
        raise UsageError(
            "impute: the model names no residual covariance, from which subject and visit are "
            "read; add one, such as us(AVISIT | USUBJID)"
        )
    (term,) = read.covariance
    if len(term.visit) != 1:
        listed = " and ".join(term.visit)
        msg = f"impute: the covariance is over {listed}; it takes one column of the visit"
        raise NotAvailableError(msg)
    if not isinstance(read.response, Name):
        raise UsageError(
            f"impute: the response is {read.response_text or 'missing'}; expected a column, whose "
            "values are imputed: derive it first"
        )
    return Names(term.subject, term.visit[0], arm, read.response.name), read


def _asked(
    method: str, imputations: object, seed: object, failures: object, sampler: Sampler | None
) -> Asked:
    one_of("method", method, METHODS)
    if sampler is not None and not METHODS[method].sampled:
        msg = f"sampler: {method} runs no chains; leave it out, or use method='bayes'"
        raise UsageError(msg)
    if METHODS[method].random:
        asked = replicates_asked("imputations", imputations, seed, failures)
        return replace(asked, sampler=sampler)
    nothing_random(method, imputations=imputations, seed=seed)
    return Asked(tolerated=share_tolerated(failures))


def _check_structure(method: str, read: ModelFormula, sampler: Sampler | None) -> None:
    """A regression on earlier visits, and a prior of Σ, are of an unstructured one alone."""
    (term,) = read.covariance
    if term.structure == "us":
        return
    if METHODS[method].unstructured:
        msg = (
            f"impute: {method} draws an unstructured covariance, found {term.structure}; write "
            "us(…), or use another method, which takes any structure"
        )
        raise NotAvailableError(msg)
    if sampler is not None and sampler.prior != Sampler().prior:
        msg = (
            f"sampler: the prior {sampler.prior} is of an unstructured covariance, found "
            f"{term.structure}; a structure takes prior='jeffreys'"
        )
        raise UsageError(msg)
