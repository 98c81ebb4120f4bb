"""An analysis of the protocol carried out: an MMRM over the visits, or an ANCOVA at one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.batch.carry import records_for
from trialmlm.batch.context import Context, rows_by
from trialmlm.batch.describe import described
from trialmlm.errors import FitError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.grammar import read_formula
from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.batch.plan import PlannedAnalysis
    from trialmlm.models.fitted import FittedModel
    from trialmlm.models.ls_means import LsMeans
    from trialmlm.models.mmrm import MmrmFit
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol
    from trialmlm.results.statistic import Statistic

_WEIGHTS = {
    "equal": "equal weights over the other factors",
    "observed-margins": "other factors weighted as observed (OM)",
}
_MISSING = {
    "observed": "Missing values are not imputed; the likelihood of the observed values is valid "
    "where they are missing at random.",
    "locf": "Missing values are the last observed post-baseline value carried forward (LOCF).",
    "locf-records": "Missing values are the records that the data carry forward (DTYPE LOCF).",
}
_COMPLETE = "Subjects without a value at the visit are not analysed."


@dataclass(frozen=True, slots=True)
class Task:
    """One analysis with its data at hand.

    Attributes
    ----------
    planned : PlannedAnalysis
    protocol : Protocol
    records : AnalysisSet
        Behind the frame.
    frame : DataFrame
        The records used.
    """

    planned: PlannedAnalysis
    protocol: Protocol
    records: AnalysisSet
    frame: pd.DataFrame

    @property
    def analysis(self) -> Analysis:
        """As resolved."""
        return self.planned.analysis

    @property
    def method(self) -> str:
        """MMRM where the model names a residual covariance, else ANCOVA."""
        return "MMRM" if read_formula(self.analysis.model or "").covariance else "ANCOVA"

    @property
    def imputation(self) -> str:
        """``observed``, ``locf`` or ``locf-records``."""
        return imputation_of(self.analysis)

    def context(self, df_method: str) -> Context:
        """What its statistics share."""
        return Context(
            self.planned.name,
            self.method,
            self.analysis.endpoint or "",
            self.analysis.population or "",
            df_method,
            self.protocol.ordered_arms,
            self.protocol.data.subjects.arm or "",
        )

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The arms compared: those named, or every arm with the control."""
        named = tuple((a, b) for a, b in self.analysis.pairs)
        control = self.protocol.control
        if named or control is None:
            return named
        return tuple((arm, control) for arm in self.protocol.ordered_arms if arm != control)


def imputation_of(analysis: Analysis) -> str:
    """How its missing values are filled in."""
    missing = analysis.missing
    return (missing.method if missing is not None else None) or "observed"


def make_task(planned: PlannedAnalysis, inputs: Inputs) -> Task:
    """Find the records of an analysis.

    Raises
    ------
    UsageError
        If the analysis names no endpoint, population or model.
    DataError
        If the data contradict the protocol.
    """
    analysis = planned.analysis
    if not (analysis.endpoint and analysis.population and analysis.model):
        msg = f"analysis {planned.name}: needs a model, an endpoint and a population (or estimand)"
        raise UsageError(msg)
    found, frame = records_for(
        inputs, analysis.endpoint, analysis.population, imputation_of(analysis)
    )
    return Task(planned, inputs.protocol, found, _with_strata(inputs.protocol, frame))


def _with_strata(protocol: Protocol, frame: pd.DataFrame) -> pd.DataFrame:
    """The strata of randomisation under the names that models use."""
    named = {name: frame[stratum.column] for name, stratum in protocol.strata.items()}
    return frame.assign(**named) if named else frame


def carry_out(task: Task) -> Results:
    """Fit the model and say what it says.

    Raises
    ------
    FitError
        If the data do not carry the model, or the fit did not converge.
    """
    return _METHODS[task.method](task)


def failed(planned: PlannedAnalysis, reason: str) -> Results:
    """The record of an analysis that could not be made."""
    analysis = planned.analysis
    record = AnalysisRecord(
        name=planned.name,
        role=analysis.role,
        method="",
        endpoint=analysis.endpoint or "",
        population=analysis.population or "",
        specification={"model": analysis.model or ""},
        failure=reason,
        line=planned.line,
    )
    return Results((), (record,))


def _mmrm(task: Task) -> Results:
    analysis = task.analysis
    fit = mmrm(
        analysis.model or "",
        task.frame,
        df=analysis.df,
        information=analysis.information,
        reml=analysis.reml,
    )
    if not fit.convergence.converged:
        raise FitError(str(fit.convergence))
    context = task.context(fit.method.name)
    visit = read_formula(analysis.model or "").covariance[0].visit[0]
    counts = tuple(_counts(context, task, fit.rows.rows, visit))
    statistics = (
        *(context.statistic("count", "n", n, arm=arm, visit=v) for arm, v, n in counts),
        *_by_visit(context, task, fit, visit),
        *(_averaged(context, task, fit) if analysis.average_over == "visits" else ()),
        *_covariance(context, fit),
        *_type_three(context, fit),
        *_fit_statistics(context, fit),
    )
    estimation = "REML" if analysis.reml else "ML"
    extra = {
        "covariance": f"{fit.gaussian.covariance.title.lower()} over the visits",
        "estimation": f"by {estimation}",
    }
    record = _record(task, fit, counts, extra, str(fit.convergence))
    return Results(statistics, (record,))


def _by_visit(context: Context, task: Task, fit: MmrmFit, visit: str) -> Iterator[Statistic]:
    """LS means and differences at every visit of the schedule."""
    analysis = task.analysis
    means = fit.ls_means(
        context.arm_column, by=visit, weights=analysis.weights, confidence=analysis.confidence
    )
    visits = task.protocol.schedule.visit_names if task.protocol.schedule else ()
    yield from _means(context, means, (visit,), visits)
    yield from _differences(context, task, means, (visit,), visits)


def _averaged(context: Context, task: Task, fit: FittedModel) -> Iterator[Statistic]:
    """LS means and differences averaged over the visits."""
    analysis = task.analysis
    means = fit.ls_means(
        context.arm_column, weights=analysis.weights, confidence=analysis.confidence
    )
    yield from _means(context, means, (), ("",))
    yield from _differences(context, task, means, (), ("",))


def _means(
    context: Context, means: LsMeans, by: tuple[str, ...], visits: tuple[str, ...]
) -> Iterator[Statistic]:
    found = rows_by(means.frame, (*by, context.arm_column))
    for visit in visits:
        for key, arm in context.arms.items():
            at = (visit, arm.value) if by else (arm.value,)
            yield from context.estimates("ls-mean", found.get(at), arm=key, visit=visit)


def _differences(
    context: Context,
    task: Task,
    means: LsMeans,
    by: tuple[str, ...],
    visits: tuple[str, ...],
) -> Iterator[Statistic]:
    """Every pair; one whose arm has no data at all is not estimable."""
    arms = context.arms
    present = {str(value) for value in means.frame[context.arm_column]}
    pairs = [
        (arms[a].value, arms[b].value)
        for a, b in task.pairs
        if {arms[a].value, arms[b].value} <= present
    ]
    found = rows_by(means.contrasts(pairs).frame, (*by, "contrast")) if pairs else {}
    for visit in visits:
        for a, b in task.pairs:
            name = f"{level_text(arms[a].value)} - {level_text(arms[b].value)}"
            row = found.get((visit, name) if by else (name,))
            yield from context.estimates("difference", row, arm=a, versus=b, visit=visit)


def _covariance(context: Context, fit: MmrmFit) -> Iterator[Statistic]:
    """The lower triangle of Σ̂."""
    Sigma = fit.covariance
    for i, first in enumerate(Sigma.index):
        for second in Sigma.columns[: i + 1]:
            value = float(Sigma.loc[first, second])
            yield context.statistic(
                "covariance", "estimate", value, visit=str(first), group=str(second)
            )


def _type_three(context: Context, fit: FittedModel) -> Iterator[Statistic]:
    for row in fit.anova("III").to_dict(orient="records"):
        for name in ("num_df", "den_df", "statistic", "p_value"):
            yield context.statistic("type-iii", name, float(row[name]), group=str(row["term"]))


def _fit_statistics(context: Context, fit: MmrmFit) -> Iterator[Statistic]:
    found = {
        "minus2_loglik": fit.minus2_loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "n_obs": fit.n_obs,
        "n_subjects": fit.n_subjects,
    }
    for name, value in found.items():
        yield context.statistic("fit", name, float(value))


def _ancova(task: Task) -> Results:
    analysis = task.analysis
    if analysis.at is None:
        msg = f"analysis {task.planned.name}: an ANCOVA needs the visit it is made at (at:)"
        raise UsageError(msg)
    at = task.frame[task.frame["AVISIT"].astype(str) == analysis.at]
    fit = ancova(analysis.model or "", at)
    context = task.context("residual")
    used = at.iloc[fit.rows.rows]
    means = fit.ls_means(
        context.arm_column, weights=analysis.weights, confidence=analysis.confidence
    )
    counts = tuple(_counts(context, task, fit.rows.rows, "AVISIT", at))
    statistics = (
        *described(context, used, analysis.at),
        *_means(context, means, (), ("",)),
        *_differences(context, task, means, (), ("",)),
        *_type_three(context, fit),
        *_trend(context, analysis, at),
        *(
            context.statistic("fit", name, value)
            for name, value in (
                ("n_obs", float(fit.n_obs)),
                ("residual_df", float(fit.residual_df)),
                ("sigma", fit.sigma),
            )
        ),
    )
    extra = {"dose response": analysis.dose_response} if analysis.dose_response else {}
    record = _record(task, fit, counts, extra, "")
    return Results(statistics, (record,))


def _trend(context: Context, analysis: Analysis, frame: pd.DataFrame) -> Iterator[Statistic]:
    """The slope of DOSE in its own model, and its test."""
    if analysis.dose_response is None:
        return
    fit = ancova(analysis.dose_response, frame)
    slope = rows_by(fit.coefficients(analysis.confidence), ("term",)).get(("DOSE",))
    if slope is None:
        msg = f"dose_response: {analysis.dose_response} has no term DOSE to test"
        raise UsageError(msg)
    yield from context.estimates("dose-response", slope)


def _counts(
    context: Context,
    task: Task,
    used: object,
    visit: str,
    frame: pd.DataFrame | None = None,
) -> Iterator[tuple[str, str, int]]:
    """Subjects analysed by arm and visit, zeros included."""
    rows = (task.frame if frame is None else frame).iloc[used]  # type: ignore[index]
    arms, visits = rows[context.arm_column].astype(str), rows[visit].astype(str)
    there = set(visits)
    planned = task.protocol.schedule.visit_names if task.protocol.schedule else ()
    for name in planned:
        if name in there or task.method == "MMRM":
            for key, arm in context.arms.items():
                yield key, name, int(((arms == arm.value) & (visits == name)).sum())


def _record(
    task: Task,
    fit: FittedModel,
    counts: tuple[tuple[str, str, int], ...],
    extra: Mapping[str, str],
    convergence: str,
) -> AnalysisRecord:
    analysis = task.analysis
    arms = task.protocol.ordered_arms
    missing = _MISSING[task.imputation]
    if task.method == "ANCOVA" and task.imputation == "observed":
        missing = _COMPLETE
    contrasts = "; ".join(f"{arms[a].name} minus {arms[b].name}" for a, b in task.pairs)
    specification = {
        "model": analysis.model or "",
        **extra,
        "degrees of freedom": f"df {fit.method.name}",
        "LS means": f"LS means with {_WEIGHTS[analysis.weights]}",
        "intervals": f"two-sided {analysis.confidence * 100:g}% confidence intervals",
        "missing values": missing,
        "contrasts": f"Differences of LS means: {contrasts}; p-values not adjusted.",
    }
    if analysis.at:
        specification["visit"] = analysis.at
    return AnalysisRecord(
        name=task.planned.name,
        role=analysis.role,
        method=task.method,
        endpoint=analysis.endpoint or "",
        population=analysis.population or "",
        specification=specification,
        steps=tuple(map(str, task.records.account.steps)),
        counts=counts,
        convergence=convergence,
        notes=(*task.records.notes, *fit.notes),
        line=task.planned.line,
    )


_METHODS = {"MMRM": _mmrm, "ANCOVA": _ancova}
