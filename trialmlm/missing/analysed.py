"""The result of an analysis of imputed data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.missing.arms_test import arms_test
from trialmlm.missing.variances import JACKKNIFE
from trialmlm.models.report import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import IntArray
    from trialmlm.missing.answers import Answers, Quantity
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.plan import Plan
    from trialmlm.missing.pooled import Pooled
    from trialmlm.missing.shift import Shift

#: what is printed of each estimate
_PRINTED = ["quantity", "arms", "visit", "estimate", "std_error", "df", "ci_low", "ci_high",
            "p_value", "variance"]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class AnalysedImputation:
    """Pooled estimates, and what they were made of.

    Attributes
    ----------
    plan : Plan
    answers : mapping of str to Answers
        Of every kind of filling: ``imputed``, ``conditional-mean``, ``jackknife``, ``bootstrap``.
    pooled : mapping of str to Pooled
        By the name of the variance; the first decides.
    delta : Shift
        What was added to the imputed values.
    """

    plan: Plan
    answers: Mapping[str, Answers]
    pooled: Mapping[str, Pooled]
    delta: Shift

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is estimated."""
        return next(iter(self.answers.values())).quantities

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per quantity and variance.

        quantity (``LS mean``, ``contrast``, …), arms, visit, estimate, std_error, df, ci_low,
        ci_high, statistic, p_value, fmi, relative_efficiency; monte_carlo_se (of the estimate),
        monte_carlo_se_error, monte_carlo_se_df and monte_carlo_se_p (of the others); imputations,
        replicates (resamples behind the standard error); variance (its name), target
        (``information-anchored`` or ``repeated-sampling``), decides; n_imputed and share_imputed:
        of the values that enter, those that were imputed.
        """
        imputed = imputed_shares(self.plan.imputation.layout, self.quantities)
        parts = [
            self._labels.assign(
                **self.pooled[variance.name].columns(),
                variance=variance.name,
                target=variance.target,
                decides=rank == 0,
                **imputed,
            )
            for rank, variance in enumerate(self.plan.variances)
        ]
        return pd.concat(parts, ignore_index=True)

    def replicates(self, kind: str) -> pd.DataFrame:
        """The estimates of one kind of filling, one row per filling and quantity.

        Parameters
        ----------
        kind : str
            A key of `answers`.

        Returns
        -------
        DataFrame
            filling, left_out (of a jackknife: the subject), quantity, arms, visit, estimate,
            std_error, df.

        Raises
        ------
        UsageError
            If there is no such kind.
        """
        if kind not in self.answers:
            known = ", ".join(self.answers)
            msg = f"replicates: found {kind!r}, expected one of {known}"
            raise UsageError(msg)
        found = self.answers[kind]
        count, width = found.estimate.shape
        numbers = pd.DataFrame({"filling": np.repeat(np.arange(1, count + 1), width)})
        if kind == JACKKNIFE:
            layout, counts = self.plan.imputation.layout, self.plan.fillings[kind].counts
            gone = np.repeat(np.argmin(counts, axis=1), width)  # type: ignore[arg-type]
            numbers["left_out"] = layout.subjects[gone]
        labels = pd.concat([self._labels] * count, ignore_index=True)
        answers = {name: getattr(found, name).ravel() for name in ("estimate", "std_error", "df")}
        return pd.concat([numbers, labels], axis=1).assign(**answers)

    def joint_test(self) -> pd.DataFrame:
        """F tests that all arms are alike: :func:`~trialmlm.missing.arms_test.arms_test`."""
        return arms_test(self)

    @property
    def _labels(self) -> pd.DataFrame:
        """What is estimated, as columns."""
        return pd.DataFrame(
            {
                "quantity": [q.kind for q in self.quantities],
                "arms": [q.arms for q in self.quantities],
                "visit": pd.Series([q.visit for q in self.quantities], dtype=object),
            }
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know: which variance means what, and what failed."""
        told = [
            f"{variance.name}: {variance.words}" + (" (decides)" if rank == 0 and several else "")
            for several in [len(self.plan.variances) > 1]
            for rank, variance in enumerate(self.plan.variances)
        ]
        failed = [f"{kind}: {why}" for kind, a in self.answers.items() for why in a.failures]
        return (*told, *failed, *self.delta.notes, *self.plan.imputation.notes)

    def summary(self) -> str:
        """The estimates as text."""
        imputation = self.plan.imputation
        missing = imputation.layout.missing
        facts = {
            "Analysis": self.plan.analysis.description,
            "Imputation": f"{imputation.made_by}, {len(imputation.completions):,} filling(s)",
            "Imputed": f"{missing.sum():,} of {missing.size:,} values ({missing.mean():.1%})",
            "Delta": str(self.delta),
        }
        visits = self.frame["visit"]
        shown = self.frame[_PRINTED].assign(visit=visits.where(visits.notna(), ""))
        return report(facts, self.notes, Estimates=shown)

    def __repr__(self) -> str:
        return f"<AnalysedImputation, {len(self.quantities)} quantities>"

    def __str__(self) -> str:
        return self.summary()


def imputed_shares(layout: Layout, quantities: tuple[Quantity, ...]) -> dict[str, Any]:
    """How many of the values that enter each quantity are imputed, and their share."""
    cells = [_cells(layout, quantity) for quantity in quantities]
    count = np.array([int(layout.missing[np.ix_(*cell)].sum()) for cell in cells])
    total = np.array([cell[0].size * cell[1].size for cell in cells])
    return {"n_imputed": count, "share_imputed": count / total}


def _cells(layout: Layout, quantity: Quantity) -> tuple[IntArray, IntArray]:
    """Subjects of the arms spoken of, and the visits."""
    named = _arms_of(layout.arms, quantity.arms)
    subjects = np.flatnonzero(np.isin(layout.arm, named)) if named else np.arange(layout.arm.size)
    visits = [
        t for t, v in enumerate(layout.visits) if quantity.visit is None or v == quantity.visit
    ]
    return subjects, np.array(visits, dtype=np.intp)


def _arms_of(arms: tuple[str, ...], said: str) -> list[int]:
    """Which arms a mean or a difference of two speaks of; a label may hold a dash itself."""
    places = range(len(arms))
    single = [[a] for a in places if arms[a] == said]
    pairs = [[a, b] for a, b in permutations(places, 2) if f"{arms[a]} - {arms[b]}" == said]
    return next(iter([*single, *pairs]), [])
