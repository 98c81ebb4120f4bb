"""Multiple imputation of a simulated trial: what several analyses share is made once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.batch.retrieval import retrieval_of
from trialmlm.batch.sample_rows import cells_after, grid_of
from trialmlm.errors import UsageError
from trialmlm.missing.impute import impute
from trialmlm.protocol.missing import DRAWING, IMPUTING, REFERENCE_BASED

if TYPE_CHECKING:
    from trialmlm.batch.sample import Sample
    from trialmlm.batch.sample_analysis import SampleTask
    from trialmlm.missing.imputed import Imputed
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.missing import Missing

#: a row of a frame of estimates
Row = dict[Hashable, Any]
#: under these the imputation model does not see what is observed after the event
_UNSEEN = frozenset({*REFERENCE_BASED, "last-mean-carried-forward"})
#: the variance that decides where the protocol names none
_DEFAULT = {"conditional-mean": "jackknife"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A simulated trial with the imputations that were made of it.

    Attributes
    ----------
    sample : Sample
    imputations : int or None
        In place of the protocol's; fewer are quicker.
    replicates : int or None
        Of a bootstrap, likewise.
    """

    sample: Sample
    imputations: int | None = None
    replicates: int | None = None
    _made: dict[tuple[Any, ...], Imputed] = field(default_factory=dict)

    def imputed(self, task: SampleTask) -> Imputed:
        """The data imputed as the analysis asks; fits that others have made are used again."""
        missing = missing_of(task.analysis)
        events, reference = _events(task, self.sample), _reference(task)
        unseen = sorted({rule.after for rule in missing.rules if rule.assume in _UNSEEN})
        seen = sorted({rule.after for rule in missing.rules if rule.assume not in _UNSEEN})
        analysis = task.analysis
        key = (
            analysis.model, analysis.estimand, analysis.reml, missing.method, missing.imputations,
            retrieved_by(missing), *unseen, "/", *seen, *sorted(reference.items()),
        )  # fmt: skip
        if key not in self._made:
            self._made[key] = self._fresh(task, events, reference)
        return self._made[key].with_strategies(events)

    def _fresh(
        self, task: SampleTask, events: pd.DataFrame | None, reference: dict[str, str]
    ) -> Imputed:
        analysis, missing = task.analysis, missing_of(task.analysis)
        drawn = missing.method in DRAWING
        return impute(
            grid_of(task.protocol, task.design, analysis, self.sample),
            model=analysis.model or "",
            arm=task.arm,
            events=events,
            reference=reference or None,
            method=missing.method or "",
            imputations=(self.imputations or missing.imputations) if drawn else None,
            seed=task.seed if drawn else None,
            reml=analysis.reml,
            **retrieval_of(task.protocol, missing),
        )


def imputes(analysis: Analysis) -> bool:
    """Whether an analysis is of data imputed from a model."""
    return analysis.missing is not None and analysis.missing.method in IMPUTING


def retrieved_by(missing: Missing) -> str:
    """By what the shift of the mean differs under retrieved-dropout."""
    return next((rule.retrieved for rule in missing.rules if rule.retrieved), "arm")


def variances_of(analysis: Analysis) -> tuple[str, ...]:
    """The variances of an imputed analysis, the one that decides first."""
    asked = analysis.variance
    if asked is None:
        return (_DEFAULT.get(missing_of(analysis).method or "", "rubin"),)
    return asked.decide, *asked.show


def missing_of(analysis: Analysis) -> Missing:
    """How an analysis imputes.

    Raises
    ------
    UsageError
        It does not.
    """
    if analysis.missing is None or not imputes(analysis):
        raise UsageError("expected an analysis whose missing values are imputed (missing.method)")
    return analysis.missing


def pooled(task: SampleTask, bench: Bench) -> dict[str, Row]:
    """The difference between the arms by each variance of the analysis: its name -> the row."""
    analysis = task.analysis
    decide, *show = variances_of(analysis)
    model = analysis.analyse.model if analysis.analyse else analysis.model
    asked = analysis.variance.replicates if analysis.variance else None
    resampled = {"replicates": bench.replicates or asked, "seed": task.seed}
    found = bench.imputed(task).analyse(
        model or "",
        at=task.at,
        variance={"decide": decide, "show": show},
        contrasts=[task.pair],
        weights=analysis.weights,
        confidence=analysis.confidence,
        **(resampled if "bootstrap" in (decide, *show) else {}),
    )
    rows = found.frame[found.frame["quantity"] == "contrast"]
    return {str(row["variance"]): row for row in rows.to_dict(orient="records")}


def _events(task: SampleTask, sample: Sample) -> pd.DataFrame | None:
    """Who stops drug, from which visit on, and what is then assumed."""
    rules = [
        rule
        for rule in missing_of(task.analysis).rules
        if task.design.events.get(rule.after) == "stop" and rule.assume != "mar"
    ]
    if not rules:
        return None
    outcomes = sample.outcomes
    affected = cells_after(task.protocol, outcomes, outcomes.stop_day)
    stopped = np.flatnonzero(affected.any(axis=0))
    names = np.array([visit.name for visit in task.design.visits], dtype=object)
    return pd.DataFrame(
        {
            task.protocol.data.subjects.subject: stopped,
            "AVISIT": names[affected[:, stopped].argmax(axis=0)],
            "strategy": rules[0].assume,
        }
    )


def _reference(task: SampleTask) -> dict[str, str]:
    """Arm -> the arm borrowed from, as the data name them."""
    named = {rule.reference for rule in missing_of(task.analysis).rules if rule.reference}
    arms = task.protocol.arms
    return {
        arm.value: arms[reference].value for reference in sorted(named) for arm in arms.values()
    }
