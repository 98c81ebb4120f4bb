"""Random slopes over actual time, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.context import NOT_DETERMINED
from trialmlm.batch.estimates import (
    differences_of,
    fit_statistics_of,
    means_of,
    record_of,
    type_three_of,
)
from trialmlm.batch.fit_records import lmm_records
from trialmlm.batch.site_effects import site_effects
from trialmlm.errors import FitError, UsageError
from trialmlm.models.lmm import lmm
from trialmlm.models.lmm_residual_fit import ResidualLmmFit
from trialmlm.protocol.estimands import SlopeTo
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.context import Context
    from trialmlm.batch.task import Task
    from trialmlm.models.lmm_fit import LmmFit
    from trialmlm.models.ls_means import LsMeans
    from trialmlm.models.random_part import RandomPart
    from trialmlm.protocol.data import Subjects
    from trialmlm.results.statistic import Statistic


#: of a correlation, which stands without a variance, or of two effects one of which has none
NO_VARIANCE = "not applicable: no variance of its own"
CONVENTION = "not separately estimable: the residual covariance can take it over"


def slope_analysis(task: Task) -> Results:
    """Slopes by arm and their differences, variance components, type III tests.

    Raises
    ------
    FitError
        If the data do not carry the model, or the fit did not converge.
    UsageError
        If the schedule names no time.
    """
    analysis = task.analysis
    schedule = task.protocol.schedule
    if schedule is None or schedule.time is None:
        raise UsageError("a model of slopes needs the schedule's time (time: {name: YEARS})")
    fit = lmm(
        analysis.model or "",
        task.frame,
        df=analysis.df,
        information=analysis.information,
        vcov=analysis.vcov,
        reml=analysis.reml,
    )
    if not fit.convergence.converged:
        raise FitError(str(fit.convergence))
    context = task.context(fit.method.name)
    slopes = fit.slopes(
        schedule.time.name,
        by=context.arm_column,
        weights=analysis.weights,
        over=period_of(task),
        confidence=analysis.confidence,
    )
    used = task.frame.iloc[fit.rows.rows]
    subject = task.protocol.data.subjects.subject
    counts = tuple(_subjects(context, task, fit))
    statistics = (
        *(context.statistic("count", "n", float(n), arm=arm) for arm, _, n in counts),
        *(
            context.statistic(
                "count", "values", float((used[context.arm_column] == held.value).sum()), arm=key
            )
            for key, held in context.arms.items()
        ),
        *means_of(context, slopes, (), ("",), counts, "slope"),
        *differences_of(context, task, slopes, (), ("",), counts, "slope-difference"),
        *_relative(context, task, slopes),
        *_components(context, fit),
        *_marginal(context, fit),
        *site_effects(context, task, fit),
        *type_three_of(context, fit),
        *fit_statistics_of(context, fit, used[subject].nunique()),
    )
    extra = {
        "covariance": _covariance_in_words(fit, task.protocol.data.subjects),
        "estimation": "REML" if analysis.reml else "ML",
        **({"standard errors": f"{analysis.vcov} sandwich"} if analysis.vcov else {}),
    }
    record = record_of(task, fit, counts, extra, str(fit.convergence), headline="slope-difference")
    return Results(statistics, (record,), lmm_records(task, fit))


def period_of(task: Task) -> tuple[float, float]:
    """Time of day 1, and of the visit to which the estimand asks for the slope (else the last)."""
    schedule, key = task.protocol.schedule, task.analysis.estimand
    if schedule is None or schedule.time is None:
        return 0.0, 1.0
    variable = task.protocol.estimand(key).variable if key else None
    last = variable.to if isinstance(variable, SlopeTo) else schedule.visit_names[-1]
    day = next(float(visit.day) for visit in schedule.visits if visit.name == last)
    return 0.0, (day - 1.0) / schedule.time.days_per_year


def _words(part: RandomPart, roles: Subjects) -> str:
    """The random effects of a grouping factor, ``random intercept by subject``."""
    every = dict.fromkeys(name for coding in part.codings for name in coding.names)
    effects = ["intercept" if n == "(Intercept)" else f"slope of {n}" for n in every]
    *outer, own = part.columns
    called = {roles.subject: "subject", roles.site: "site"}
    by = called.get(own, own)
    within = f" within {' and '.join(called.get(name, name) for name in outer)}" if outer else ""
    words = f"random {' and '.join(effects)} by {by}{within}"
    gate = next((gate for gate in part.gates if gate), None)
    grouped = f", one covariance for each {gate.column}" if gate else ""
    return f"{words}{_structure(part, len(effects))}{grouped}"


def _structure(part: RandomPart, effects: int) -> str:
    if effects == 1:
        return ""
    if part.single or all(size == effects for size in part.sizes):
        return ", unstructured"
    return ", uncorrelated between terms" if max(part.sizes) > 1 else ", uncorrelated"


def _covariance_in_words(fit: LmmFit, roles: Subjects) -> str:
    """The random effects, the residual, and what of them is a convention."""
    words = "; ".join(_words(part, roles) for part in fit.parts)
    if not isinstance(fit, ResidualLmmFit):
        return words
    words += f"; residual {fit.part.families[0].title.lower()} over the visits"
    if fit.part.group is not None:
        words += f", one for each {fit.part.group.name}"
    if fit.redundant:
        words += "; only their sum V is determined, its division is a convention"
    return words


def _subjects(context: Context, task: Task, fit: LmmFit) -> Iterator[tuple[str, str, int]]:
    """Subjects analysed by arm."""
    subject = task.protocol.data.subjects.subject
    used = task.frame.iloc[fit.rows.rows]
    for key, arm in context.arms.items():
        yield key, "", int(used.loc[used[context.arm_column] == arm.value, subject].nunique())


def _relative(context: Context, task: Task, slopes: LsMeans) -> Iterator[Statistic]:
    """100 (1 − slope / slope of the arm compared with), in percent."""
    by_arm = slopes.frame.set_index(slopes.frame[context.arm_column].astype(str))["estimate"]
    for arm, versus in task.pairs:
        own, other = (by_arm.get(context.arms[key].value, float("nan")) for key in (arm, versus))
        yield context.statistic(
            "relative-reduction",
            "estimate",
            100.0 * (1.0 - float(own) / float(other)) if other else float("nan"),
            why=NOT_DETERMINED,
            arm=arm,
            versus=versus,
        )


def _components(context: Context, fit: LmmFit) -> Iterator[Statistic]:
    """Variances and covariances; standard deviations and correlations."""
    for row in fit.variance_components().to_dict(orient="records"):
        group = " ".join(str(row[name]) for name in ("group", "term", "term_2")).strip()
        why = NO_VARIANCE if row.get("separately_estimable", True) else CONVENTION
        for name in ("variance", "sd"):
            value = float(row[name])
            yield context.statistic("variance-component", name, value, group=group, why=why)


def _marginal(context: Context, fit: LmmFit) -> Iterator[Statistic]:
    """The lower triangle of V̂ over the visits, beside a residual covariance."""
    if not isinstance(fit, ResidualLmmFit):
        return
    arms = {arm.value: key for key, arm in context.arms.items()}
    for level, found in fit.covariances.items():
        visits, values = [str(visit) for visit in found.index], found.to_numpy()
        for i, first in enumerate(visits):
            for j, second in enumerate(visits[: i + 1]):
                keys = {"arm": arms.get(level, ""), "visit": first, "group": second}
                yield context.statistic("covariance", "estimate", float(values[i, j]), **keys)
