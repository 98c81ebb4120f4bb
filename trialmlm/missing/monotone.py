"""Imputation of a monotone pattern: a subject who misses a visit misses all later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.monotone import draw_monotone
from trialmlm.errors import DataError, NotAvailableError, UsageError
from trialmlm.missing.others import and_others
from trialmlm.missing.retrieved import retrieved_cells
from trialmlm.missing.strategies import RETRIEVED

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.model import Seen

#: a direction of the covariates whose share is smaller than this is none
_LEAST = 1e-10


def check_monotone(layout: Layout, seen: BoolArray) -> None:
    """Refuse a subject with a value after a gap.

    Parameters
    ----------
    layout : Layout
    seen : ndarray of bool, shape (n, T)
        The values that the imputation model sees.

    Raises
    ------
    DataError
        Naming subject and visits.
    """
    after_gap = seen & (np.cumsum(~seen, axis=1) > 0)
    if not after_gap.any():
        return
    subjects = np.flatnonzero(after_gap.any(axis=1))
    i = int(subjects[0])
    gap, later = int(np.argmin(seen[i])), int(np.argmax(after_gap[i]))
    msg = (
        f"impute: method='monotone' takes no intermittent gaps, but subject {layout.subjects[i]}"
        f"{and_others(subjects.size)} has no value at {layout.visits[gap]} and one at "
        f"{layout.visits[later]}; use method='bayes'"
    )
    names = layout.names
    rows = np.isin(np.arange(len(layout.frame)) // len(layout.visits), subjects)
    raise DataError(msg, layout.frame.loc[rows, [names.subject, names.visit, names.response]])


def check_unshifted(layout: Layout, events: Events) -> None:
    """Refuse retrieved dropouts: a regression on earlier visits has no shift after an event.

    Raises
    ------
    NotAvailableError
        Naming subject and visit.
    """
    after = retrieved_cells(events, len(layout.visits))
    if after.any():
        i, j = (int(place[0]) for place in np.nonzero(after))
        msg = (
            f"impute: method='monotone' regresses each visit on those before it, where {RETRIEVED} "
            f"has no place (subject {layout.subjects[i]} from {layout.visits[j]} on); use "
            "method='bayes'"
        )
        raise NotAvailableError(msg)


def monotone_draws(seen: Seen, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Coefficients of the model's columns (D, q) and covariances (D, 1, T, T) from the posterior.

    Raises
    ------
    NotAvailableError
        If covariances differ by group.
    UsageError
        If a term of the model is not crossed with the visit.
    """
    if seen.group.any():
        raise NotAvailableError(
            "impute: method='monotone' takes one covariance for all subjects; use method='bayes' "
            "for covariances by arm"
        )
    n, n_visits, columns = seen.rows.shape
    left, values, _ = np.linalg.svd(seen.rows.reshape(n, -1), full_matrices=False)
    covariates = left[:, values > _LEAST * values[0]]
    if covariates.shape[1] * n_visits != columns:
        raise UsageError(
            "impute: method='monotone' gives every visit a regression of its own; cross each term "
            "of the model with the visit, as BASE * AVISIT + ARM * AVISIT, or use method='bayes'"
        )
    means, covariance = draw_monotone(seen.responses, covariates, draws, rng)
    back = np.linalg.pinv(seen.rows.reshape(-1, columns)).reshape(columns, n, n_visits)
    to_columns = np.einsum("pnt,nq->ptq", back, covariates)
    return np.einsum("ptq,dtq->dp", to_columns, means), covariance[:, None]
