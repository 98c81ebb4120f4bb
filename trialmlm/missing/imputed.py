"""What imputation hands back: completed data, and more of them on request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.missing.asked import Asked, nothing_random, replicates_asked
from trialmlm.missing.choices import one_of
from trialmlm.missing.completed import completed_frame, imputed_counts
from trialmlm.missing.completions import Completions
from trialmlm.missing.drawing import CONDITIONAL_MEAN, METHODS, RESAMPLES, noise_of
from trialmlm.missing.events import read_events
from trialmlm.missing.filling import fill
from trialmlm.missing.imputation import Imputation
from trialmlm.missing.references import NONE, check_references
from trialmlm.missing.remarks import remarks
from trialmlm.missing.retrieved import retrieved_cells
from trialmlm.missing.strategies import RETRIEVED

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.drawing import DrawingMethod
    from trialmlm.missing.draws import Draws
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.limits import Limits
    from trialmlm.missing.model import ImputationModel
    from trialmlm.missing.posterior import Posterior
    from trialmlm.models.mmrm import MmrmFit


@dataclass(frozen=True, repr=False, eq=False)
class Imputed(Imputation):
    """Data completed by multiple imputation, or by conditional means.

    Attributes
    ----------
    model : ImputationModel
    events : Events
        What rules each subject.
    draws : Draws
        The parameters behind the completions.
    limits : Limits
        What imputed values are held to.
    method : str
    failures : float
        The share of resamples that may fail.
    """

    model: ImputationModel
    events: Events
    draws: Draws
    limits: Limits
    method: str
    failures: float

    def __repr__(self) -> str:
        subjects, visits = self.layout.Y.shape
        values = int(self.layout.missing.sum())
        times = f" {len(self.completions)} times" if self._method.random else ""
        grid = f"{subjects} subjects × {visits} visits"
        return f"<Imputed by {self.method}: {grid}, {values} values imputed{times}>"

    @property
    def layout(self) -> Layout:
        """The grid of subjects × visits."""
        return self.model.layout

    @property
    def fit(self) -> MmrmFit:
        """The imputation model on the data themselves, for its residuals and diagnostics."""
        return self.model.fit

    @property
    def variance(self) -> str:
        """The variance that goes with the method by default."""
        return self._method.variance

    @property
    def made_by(self) -> str:
        """The method."""
        return self.method

    @property
    def drawn(self) -> bool:
        """Whether values are drawn at random."""
        return self._method.random

    @property
    def reference(self) -> dict[str, str]:
        """Arm to the arm that it is imputed from after an event, where there is one."""
        arms = self.layout.arms
        known = zip(arms, self.model.references, strict=True)
        return {arm: arms[place] for arm, place in known if place != NONE}

    @property
    def first_affected(self) -> IntArray:
        """Index of the first visit that each subject's event affects; T for none."""
        return self.events.first

    @property
    def reasons(self) -> list[Hashable] | None:
        """The column ``reason`` of the events, subject by subject; None where there is none."""
        ruling = self.events.ruling
        if "reason" not in ruling:
            return None
        subject = self.layout.names.subject
        why = ruling.set_index(subject if subject in ruling else "subject")["reason"]
        return list(why.reindex(self.layout.subjects))

    def conditional(self) -> Imputed:
        """The same model and events, with conditional means in place of random draws."""
        return replace(self, method=CONDITIONAL_MEAN, draws=self.model.point)

    def at_random(self) -> Imputed | None:
        """The same with everything missing at random; None where that needs another fit."""
        try:
            return self.with_strategies(None)
        except UsageError:
            return None

    @property
    def _method(self) -> DrawingMethod:
        return METHODS[self.method]

    @cached_property
    def _unlimited(self) -> Array:
        return fill(self.model, self.events, self.draws)

    @cached_property
    def completions(self) -> Completions:
        """The missing values, filled: once, or once per imputation."""
        return self._completions(self._unlimited, self.draws)

    def _completions(self, values: Array, draws: Draws) -> Completions:
        subject, visit = np.nonzero(self.layout.missing)
        return Completions(subject, visit, self.limits.applied(values), draws.counts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        draws = (f"{self.method}: {self.draws.said}",) if self.draws.failed else ()
        return (
            *remarks(self.layout, self.events, self.fit.rows.rows.size),
            *self.limits.said(self._unlimited),
            *draws,
            *self.model.notes,
        )

    @property
    def counts(self) -> pd.DataFrame:
        """How many values were imputed: arm, visit, strategy, subjects, imputed."""
        return imputed_counts(self.layout, self.events)

    def diagnostics(self) -> pd.DataFrame:
        """Whether the chains of method="bayes" had settled, a row for each parameter.

        Returns
        -------
        DataFrame
            quantity, mean, sd, r_hat, effective_size, autocorrelation, mc_error.

        Raises
        ------
        UsageError
            If the method ran no chains.
        """
        return self._posterior.diagnostics(*self._labels)

    def trace(self) -> pd.DataFrame:
        """Every sweep of the chains of method="bayes": quantity, sweep, chain, value, burn_in.

        Raises
        ------
        UsageError
            If the method ran no chains.
        """
        return self._posterior.trace_frame(*self._labels)

    @property
    def _posterior(self) -> Posterior:
        if self.draws.posterior is None:
            msg = f"diagnostics: {self.method} runs no chains; they belong to method='bayes'"
            raise UsageError(msg)
        return self.draws.posterior

    @property
    def _labels(self) -> tuple[list[str], list[object], list[object] | None]:
        """Of coefficients, visits and covariance groups."""
        names = [self.fit.coding.names[k] for k in self.model.kept]
        groups = None if self.fit.group is None else list(self.fit.group.levels or ())
        return names, list(self.layout.visits), groups

    def completed(self, imputation: int | None = None) -> pd.DataFrame:
        """The data, completed.

        Parameters
        ----------
        imputation : int, optional
            The number of one, from 1; by default all of them, one under the other.

        Returns
        -------
        DataFrame
            Every subject at every visit with the columns of the data; ``imputation`` (where
            values are drawn), ``imputed``, ``strategy`` ('' where observed) and DTYPE, which is
            CONDITIONAL MEAN or MI where a value was imputed. An observed value is as it was.

        Raises
        ------
        UsageError
            If there is no such imputation.
        """
        chosen = self.completions
        if imputation is not None:
            last = len(chosen)
            if not isinstance(imputation, Integral) or imputation not in range(1, last + 1):
                msg = f"completed: found imputation {imputation!r}, expected one of 1 to {last}"
                raise UsageError(msg)
            chosen = chosen.only(imputation - 1)
        method = self._method
        frame = completed_frame(
            self.layout, self.events, chosen, method.derivation, numbered=method.random
        )
        if imputation is not None and method.random:
            frame["imputation"] = imputation
        return frame

    def resampled(
        self,
        kind: str,
        *,
        replicates: int | None = None,
        seed: int | None = None,
        imputations: int | None = None,
    ) -> Completions:
        """Conditional means under refits of the imputation model to resampled subjects.

        Parameters
        ----------
        kind : {"jackknife", "bootstrap"}
            Without each subject in turn; or subjects drawn with replacement within their arm.
        replicates, seed : int, optional
            Of the bootstrap.
        imputations : int, optional
            Of the bootstrap: values drawn, so many for each replicate (one after the other), in
            place of conditional means: bootstrapped multiple imputation (von Hippel and Bartlett
            2021).

        Returns
        -------
        Completions
            With the `counts` of each replicate.

        Raises
        ------
        UsageError
            If an option does not fit the kind.
        FitError
            If more refits fail than `failures` tolerates.
        """
        one_of("resampled", kind, RESAMPLES)
        draws = self._resampled_draws(kind, replicates, seed, imputations)
        return self._completions(fill(self.model, self.events, draws), draws)

    def _resampled_draws(
        self, kind: str, replicates: int | None, seed: int | None, imputations: int | None
    ) -> Draws:
        if kind == "jackknife":
            nothing_random(kind, replicates=replicates, seed=seed, imputations=imputations)
            return self.model.resampled(kind, Asked(tolerated=self.failures))
        asked = replicates_asked("replicates", replicates, seed, self.failures)
        draws = self.model.resampled(kind, asked)
        if imputations is None:
            return draws
        inner = replicates_asked("imputations", imputations, seed, self.failures)
        both = replace(asked, replicates=asked.replicates * inner.replicates)
        return replace(draws.repeated(inner.replicates), noise=noise_of(self.model, both))

    def with_strategies(self, events: pd.DataFrame | None) -> Imputed:
        """The same imputation under other strategies, without fitting anything again.

        Parameters
        ----------
        events : DataFrame or None
            In place of those given before; None: missing at random throughout.

        Raises
        ------
        UsageError
            If the imputation model would see other values: those observed after an event enter
            it under mar, and not under another strategy; or a value that was set aside would lie
            before the event. Names a subject.
        """
        found = read_events(events, self.layout)
        check_references(self.model.references, self.layout, found)
        visits = len(self.layout.visits)
        self._check_aside(found)
        self.model.check_sees(found.set_apart(visits))
        if (retrieved_cells(found, visits) != retrieved_cells(self.events, visits)).any():
            msg = (
                f"with_strategies: {RETRIEVED} is part of the imputation model and cannot be "
                "changed after the fit; call impute with these events"
            )
            raise UsageError(msg)
        self.model.check_estimable(found)
        return replace(self, events=found)

    def _check_aside(self, events: Events) -> None:
        """A value before the event is an observed one, and may not have been set aside."""
        aside, visits = self.layout.aside, len(self.layout.visits)
        if aside is None:
            return
        before = aside & (events.first < visits)[:, None] & ~events.after(visits)
        if before.any():
            i, t = (int(place[0]) for place in np.nonzero(before))
            msg = (
                f"with_strategies: the value of subject {self.layout.subjects[i]} at "
                f"{self.layout.visits[t]} was set aside, and lies before the event now; call "
                "impute with these events"
            )
            raise UsageError(msg)
