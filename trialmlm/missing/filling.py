"""Missing values given the observed ones, for many sets of parameters at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.conditional import conditional
from trialmlm.missing.strategies import Course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.draws import Draws
    from trialmlm.missing.events import Events
    from trialmlm.missing.model import ImputationModel
    from trialmlm.missing.strategies import Strategy

#: means held at once, sets of parameters × subjects × visits
_HELD = 4_000_000


@dataclass(frozen=True, slots=True)
class _Alike:
    """Subjects that are imputed by one regression: the same visits, covariances and event."""

    subjects: IntArray
    missing: BoolArray
    strategy: Strategy
    first: int
    group: int
    reference_group: int


def fill(model: ImputationModel, events: Events, draws: Draws) -> Array:
    """Values of the missing cells, D × k, in the order of the layout's rows and visits.

    Parameters
    ----------
    model : ImputationModel
    events : Events
    draws : Draws
        Without noise every value is its conditional mean.
    """
    size = max(1, _HELD // model.layout.Y.size)
    parts = [draws.part(slice(at, at + size)) for at in range(0, len(draws.beta), size)]
    return np.concatenate([_filled_at_once(model, events, part) for part in parts])


def _filled_at_once(model: ImputationModel, events: Events, draws: Draws) -> Array:
    missing = model.layout.missing
    values = np.zeros((len(draws.beta), int(missing.sum())))
    start = np.cumsum(missing.sum(axis=1)) - missing.sum(axis=1)
    for alike in _grouped(model, events):
        places = start[alike.subjects][:, None] + np.arange(int(alike.missing.sum()))
        noise = None if draws.noise is None else draws.noise[:, places]
        values[:, places] = _filled(model, alike, draws, noise)
    return values


def _grouped(model: ImputationModel, events: Events) -> Iterator[_Alike]:
    missing = model.layout.missing
    first = np.where(events.strategy > 0, events.first, missing.shape[1])
    keys = np.column_stack([events.strategy, first, model.group, model.reference_group, missing])
    incomplete = np.flatnonzero(missing.any(axis=1))
    distinct, which = np.unique(keys[incomplete], axis=0, return_inverse=True)
    for k, (strategy, first, group, reference_group, *lacks) in enumerate(distinct.tolist()):
        yield _Alike(
            incomplete[which.reshape(-1) == k],
            np.array(lacks, dtype=bool),
            events.strategies[strategy],
            first,
            group,
            reference_group,
        )


def _filled(model: ImputationModel, alike: _Alike, draws: Draws, noise: Array | None) -> Array:
    """Values of some subjects, D × subjects × missing visits."""
    course = _course(model, alike, draws)
    observed = model.layout.Y[alike.subjects]
    return conditional(course.mean, course.covariance, observed, alike.missing, noise)


def _course(model: ImputationModel, alike: _Alike, draws: Draws) -> Course:
    """What the strategy assumes: mean D × subjects × T, covariance D × T × T."""
    own = Course(_means(model.own, alike, draws), draws.Sigma[:, alike.group])
    if not alike.strategy.reference:
        return alike.strategy.assume(own, own, alike.first)
    other = draws.Sigma[:, alike.reference_group]
    covariance = own.covariance if alike.group == alike.reference_group else other
    reference = Course(_means(model.reference, alike, draws), covariance)
    return alike.strategy.assume(own, reference, alike.first)


def _means(rows: Array, alike: _Alike, draws: Draws) -> Array:
    chosen = rows[alike.subjects]
    means: Array = draws.beta @ chosen.reshape(-1, chosen.shape[-1]).T
    return means.reshape(len(draws.beta), *chosen.shape[:2])
