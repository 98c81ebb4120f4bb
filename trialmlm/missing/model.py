"""The imputation model: one fit, and the mean of every subject at every visit in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.covariance.unstructured import Unstructured
from trialmlm.engine.fit import sigma_of
from trialmlm.engine.many import Refits
from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.formula.variables import variable
from trialmlm.missing.drawing import RESAMPLES
from trialmlm.missing.draws import Draws
from trialmlm.missing.others import and_others
from trialmlm.missing.references import NONE

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.asked import Asked
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout
    from trialmlm.models.mmrm import MmrmFit


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The subjects of the fit.

    Attributes
    ----------
    responses : ndarray, shape (n, T)
        NaN where the fit saw none.
    rows : ndarray, shape (n, T, q)
    group : ndarray of int, shape (n,)
    """

    responses: Array
    rows: Array
    group: IntArray


@dataclass(frozen=True, eq=False)
class ImputationModel:
    """What subjects would have on average, in their own arm and in the reference arm.

    Attributes
    ----------
    layout : Layout
    fit : MmrmFit
        On the values that the model sees.
    own, reference : ndarray, shape (n, T, p)
        Rows of the fit's columns.
    group, reference_group : ndarray of int, shape (n,)
        Covariance groups.
    references : ndarray of int, shape (arms,)
        The reference of each arm, −1 where there is none.
    """

    layout: Layout
    fit: MmrmFit
    own: Array
    reference: Array
    group: IntArray
    reference_group: IntArray
    references: IntArray
    _made: dict[tuple[str, Asked], Draws] = field(default_factory=dict)

    @classmethod
    def of(cls, layout: Layout, fit: MmrmFit, references: IntArray) -> ImputationModel:
        """From the fit.

        Parameters
        ----------
        layout : Layout
        fit : MmrmFit
        references : ndarray of int, shape (arms,)

        Raises
        ------
        FitError
            If the fit did not converge.
        NotAvailableError
            If subjects have times of their own.
        """
        fit.occasions.check_common("impute: imputation")
        if not fit.convergence.converged:
            raise FitError(f"impute: the imputation model is {fit.convergence}")
        arms = references[layout.arm]
        arms = np.where(arms == NONE, layout.arm, arms)
        elsewhere = _in_arm(layout, arms)
        return cls(
            layout,
            fit,
            _rows(fit, layout.frame, layout.Y.shape),
            _rows(fit, elsewhere, layout.Y.shape),
            _groups(fit, layout.frame, len(layout.visits)),
            _groups(fit, elsewhere, len(layout.visits)),
            references,
        )

    @cached_property
    def subjects(self) -> IntArray:
        """The layout's subject of each of the fit's; a subject without a value is in no fit."""
        found: IntArray = self.layout.subjects.get_indexer(
            pd.Index(list(self.fit.subjects.levels or ()))
        )
        return found

    @cached_property
    def visits(self) -> IntArray:
        """The fit's visit of each of the layout's."""
        levels = list(self.fit.visits.levels or ())
        return np.array([levels.index(visit) for visit in self.layout.visits], dtype=np.intp)

    @cached_property
    def refits(self) -> Refits:
        """Refits to subjects counted otherwise."""
        return Refits.of(self.fit.gaussian, self.fit.design)

    @property
    def point(self) -> Draws:
        """The parameters of the fit itself."""
        beta = np.nan_to_num(self.fit.gaussian.beta)
        return Draws(beta[None], self.by_visit(sigma_of(self.fit.gaussian)[None]))

    def resampled(self, kind: str, asked: Asked) -> Draws:
        """Refits to resampled subjects; made once, whatever the strategies that use them."""
        if (kind, asked) not in self._made:
            self._made[kind, asked] = RESAMPLES[kind](self, asked)
        return self._made[kind, asked]

    @property
    def unstructured(self) -> bool:
        """Whether every variance and covariance is a parameter of its own."""
        return isinstance(self.refits.one.likelihood.covariance, Unstructured)

    @property
    def seen(self) -> Seen:
        """What the fit saw, in the columns that are not aliased."""
        observed = self.fit.design.observed[:, self.visits]
        responses = np.where(observed, self.layout.Y[self.subjects], np.nan)
        rows = self.own[self.subjects][..., self.kept]
        return Seen(responses, rows, self.group[self.subjects])

    @property
    def kept(self) -> IntArray:
        """The columns that are not aliased to earlier ones."""
        return self.fit.gaussian.likelihood.basis.kept

    def all_coefficients(self, kept: Array) -> Array:
        """Coefficients of all columns, D × p, from those not aliased."""
        found = np.zeros((len(kept), self.own.shape[-1]))
        found[:, self.kept] = kept
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of resamples that failed, of those made so far."""
        made = self._made.items()
        return tuple(f"{kind}: {draws.said}" for (kind, _), draws in made if draws.failed)

    def check_sees(self, set_apart: BoolArray) -> None:
        """The fit must have seen all that was observed but `set_apart`, n × T.

        Raises
        ------
        UsageError
        """
        seen = np.zeros_like(self.layout.missing)
        seen[self.subjects] = self.fit.design.observed[:, self.visits]
        wanted = ~self.layout.missing & ~set_apart
        differ = (seen != wanted).any(axis=1)
        if differ.any():
            i = int(np.argmax(differ))
            msg = (
                f"with_strategies: subject {self.layout.subjects[i]}"
                f"{and_others(int(differ.sum()))} has values observed after the event, which the "
                "imputation model sees under one of the two strategies only; call impute with "
                "these events"
            )
            raise UsageError(msg)

    def check_estimable(self, events: Events) -> None:
        """Every mean that imputation asks for must follow from the fit.

        Raises
        ------
        DataError
            Naming arm and visit.
        """
        asks = np.array([strategy.reference for strategy in events.strategies])[events.strategy]
        own = np.array([strategy.own_after for strategy in events.strategies])[events.strategy]
        after, missing = events.after(len(self.layout.visits)), self.layout.missing
        at = missing & ~((asks & ~own)[:, None] & after)
        at |= (own & missing.any(axis=1))[:, None] & after
        self._check(self.own, at, self.layout.arm)
        self._check(
            self.reference, asks[:, None] & self.layout.missing, self.references[self.layout.arm]
        )

    def _check(self, rows: Array, at: BoolArray, arm: IntArray) -> None:
        basis = self.fit.gaussian.likelihood.basis
        subject, visit = np.nonzero(at)
        unknown = ~basis.estimable(rows[subject, visit])
        if unknown.any():
            i, j = subject[np.argmax(unknown)], visit[np.argmax(unknown)]
            msg = (
                f"impute: too little was observed of {self.layout.arms[arm[i]]} at "
                f"{self.layout.visits[j]} to know its mean there (first needed for subject "
                f"{self.layout.subjects[i]}): leave the visit out, or use a model with fewer terms"
            )
            raise DataError(msg)

    def by_visit(self, covariance: Array) -> Array:
        """With the visits in the layout's order."""
        found: Array = covariance[..., self.visits[:, None], self.visits]
        return found


def _in_arm(layout: Layout, arms: IntArray) -> pd.DataFrame:
    """The frame of the layout, every subject as though in another arm."""
    name = layout.names.arm
    visits = len(layout.visits)
    member = np.array([int(np.argmax(layout.arm == arm)) for arm in range(len(layout.arms))])
    column = layout.frame[name].iloc[np.repeat(member[arms] * visits, visits)]
    return layout.frame.assign(**{name: column.set_axis(layout.frame.index)})


def _rows(fit: MmrmFit, frame: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    """The fit's columns in every row of the grid, n × T × p."""
    table = {name: variable(frame[name]) for name in fit.coding.variables}
    return fit.coding.matrix(table, len(frame)).reshape(*shape, -1)


def _groups(fit: MmrmFit, frame: pd.DataFrame, visits: int) -> IntArray:
    """Covariance groups, one per subject."""
    if fit.group is None:
        return np.zeros(len(frame) // visits, dtype=np.intp)
    levels = list(fit.group.levels or ())
    values = frame[fit.group.name].iloc[::visits]
    return np.array([levels.index(value) for value in values], dtype=np.intp)
