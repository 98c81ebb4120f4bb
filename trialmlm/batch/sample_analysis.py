"""An analysis of the protocol, made of a simulated trial: quickly, for it is made many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.linalg import LinAlgError

from trialmlm.batch.fallback import failure_of, steps_of
from trialmlm.batch.orders import pairs_of
from trialmlm.batch.sample_imputation import imputes, pooled, variances_of
from trialmlm.batch.sample_rows import rows_of
from trialmlm.batch.task import method_of
from trialmlm.errors import DataError, FitError
from trialmlm.models.ancova import ancova
from trialmlm.models.ladder import LadderFailure, climb
from trialmlm.models.lmm import lmm
from trialmlm.protocol.estimands import ValueAt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.batch.sample_imputation import Bench, Row
    from trialmlm.models.ls_means import LsMeans
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design

#: of a difference, what is kept
KEPT = ("estimate", "std_error", "ci_low", "ci_high", "p_value")


@dataclass(frozen=True, slots=True)
class SampleTask:
    """An analysis, and the protocol it is of.

    Attributes
    ----------
    name : str
    protocol : Protocol
    design : Design
    analysis : Analysis
        As resolved.
    seed : int
        Of what it draws.
    """

    name: str
    protocol: Protocol
    design: Design[Any, Any]
    analysis: Analysis
    seed: int

    @property
    def arm(self) -> str:
        """The column of the arm."""
        return self.protocol.data.subjects.arm or ""

    @property
    def pair(self) -> tuple[str, str]:
        """The arms compared, as the data name them: the first less the second."""
        first, second = pairs_of(self.protocol, self.analysis)[0]
        return self.protocol.arms[first].value, self.protocol.arms[second].value

    @property
    def at(self) -> str:
        """The visit at which the arms are compared."""
        analysis = self.analysis
        variable = self.protocol.estimand(analysis.estimand).variable if analysis.estimand else None
        completed = analysis.analyse.at if analysis.analyse else None
        asked = variable.at if isinstance(variable, ValueAt) else None
        return completed or analysis.at or asked or self.design.visits[-1].name


def differences(task: SampleTask, bench: Bench) -> dict[str, list[float] | str]:
    """Make the analysis.

    Returns
    -------
    dict
        The analysis -> `KEPT` of the difference, or why there is none. Of an imputation there is
        one for each variance, ``A1.j2r [rubin]``.
    """
    try:
        if imputes(task.analysis):
            by_variance = pooled(task, bench)
            return {f"{task.name} [{by}]": _kept(row) for by, row in by_variance.items()}
        frame = rows_of(task.protocol, task.design, task.analysis, bench.sample)
        means = _MADE[method_of(task.analysis.model or "")](task, frame)
    except (FitError, DataError, LinAlgError) as error:
        return dict.fromkeys(_names(task), str(error))
    return {task.name: _kept(means.contrasts([task.pair]).frame.iloc[0])}


def _kept(row: Row | pd.Series[Any]) -> list[float]:
    return [float(row[name]) for name in KEPT]


def _names(task: SampleTask) -> list[str]:
    """What the estimates of the analysis are called, by its variances."""
    if not imputes(task.analysis):
        return [task.name]
    return [f"{task.name} [{variance}]" for variance in variances_of(task.analysis)]


def _slopes(task: SampleTask, frame: pd.DataFrame) -> LsMeans:
    """Slopes over actual time; the baseline is one of the values."""
    analysis, schedule = task.analysis, task.protocol.schedule
    fit = lmm(analysis.model or "", frame, df=analysis.df, information=analysis.information,
              reml=analysis.reml)  # fmt: skip
    if not fit.convergence.converged:
        raise FitError(str(fit.convergence))
    time = schedule.time.name if schedule is not None and schedule.time is not None else ""
    return fit.slopes(time, by=task.arm, weights=analysis.weights, confidence=analysis.confidence)


def _repeated(task: SampleTask, frame: pd.DataFrame) -> LsMeans:
    """Repeated measures after baseline, at the visit of the estimand."""
    analysis = task.analysis
    ladder = climb(analysis.model or "", frame, steps_of(analysis), reml=analysis.reml)
    if isinstance(ladder, LadderFailure):
        raise FitError(failure_of(ladder))
    return ladder.fit.ls_means(
        task.arm,
        weights=analysis.weights,
        over=analysis.weights_over,
        at={"AVISIT": task.at},
        confidence=analysis.confidence,
    )


def _at_one_visit(task: SampleTask, frame: pd.DataFrame) -> LsMeans:
    """Analysis of covariance at one visit."""
    analysis = task.analysis
    fit = ancova(analysis.model or "", frame[frame["AVISIT"] == task.at])
    return fit.ls_means(task.arm, weights=analysis.weights, over=analysis.weights_over,
                        confidence=analysis.confidence)  # fmt: skip


#: what the model makes it -> how the arms' means are found
_MADE: Mapping[str, Callable[[SampleTask, pd.DataFrame], LsMeans]] = {
    "LMM": _slopes,
    "MMRM": _repeated,
    "ANCOVA": _at_one_visit,
}
