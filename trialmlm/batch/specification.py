"""How an analysis was carried out, in the words of its results and footnotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.imputed_words import imputed_in_words
from trialmlm.protocol.estimand_rules import WORST_RANK, is_death
from trialmlm.protocol.methods import RankAncova

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.batch.task import Task
    from trialmlm.protocol.estimands import Estimand
    from trialmlm.protocol.missing import KeptRows

_WEIGHTS = {
    "equal": "LS means weight the levels of other factors equally",
    "observed-margins": "LS means weight the levels of other factors as observed (OM)",
    "counterfactual": "LS means average over the subjects analysed, each under every treatment",
}
_MISSING = {
    "observed": "Missing values are not imputed: missing at random is assumed.",
    "locf": "The last value observed after baseline is carried forward (LOCF).",
    "locf-records": "The last value observed is carried forward, as the data hold it (DTYPE LOCF).",
    "bocf": "The baseline is carried forward (BOCF).",
    "wocf": "The worst value observed so far is carried forward (WOCF).",
    "mean-of-last": "The mean of the last values observed is carried forward.",
    "worst-case": "A missing value is the worst that anybody has at the visit.",
    "nearest": "A missing value is the mean of the subjects whose earlier values are nearest.",
}
#: the same where methods are compared
_SHORT = {
    "observed": "Missing at random; not imputed.",
    "locf": "Stays at the last value (LOCF).",
    "locf-records": "Stays at the last value, as in the data (LOCF).",
    "bocf": "Back at baseline (BOCF).",
    "wocf": "Stays at the worst value so far (WOCF).",
    "mean-of-last": "Stays at the mean of the last values.",
    "worst-case": "As bad as the worst of all at the visit.",
    "nearest": "As those whose earlier values are nearest.",
}
_COMPLETE = "Subjects without a value at the visit are not analysed."
_DF = {
    "kenward-roger": "Kenward-Roger degrees of freedom and standard errors",
    "kenward-roger-linear": "Kenward-Roger (linear) degrees of freedom and standard errors",
    "satterthwaite": "Satterthwaite degrees of freedom",
    "residual": "residual degrees of freedom",
    "between-within": "between-within degrees of freedom",
    "containment": "containment degrees of freedom",
    "asymptotic": "normal distribution",
}


def specification_of(task: Task, df_method: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The resolved specification of an analysis.

    Parameters
    ----------
    task : Task
    df_method : str
        Name of the method that was used; empty where the analysis pools several.
    extra : mapping of str to str
        What only this kind of analysis has, after the model.
    """
    analysis, arms = task.analysis, task.protocol.ordered_arms
    contrasts = "; ".join(f"{arms[a].name} minus {arms[b].name}" for a, b in task.pairs)
    slopes = not {"LMM", "RANK"}.isdisjoint((task.method, task.analysed))
    specification = {
        "model": analysis.model or "",
        **extra,
        **({"degrees of freedom": _DF[df_method]} if df_method else {}),
        **({} if slopes else {"LS means": _WEIGHTS[analysis.weights]}),
        "intervals": f"two-sided {analysis.confidence * 100:g}% confidence intervals (CI)",
        "missing values": assumption_of(task),
        "contrasts": f"{contrasts}; p-values are not adjusted for multiplicity.",
    }
    asked = {"visit": analysis.at, "intercurrent events": _events(task)}
    return specification | {name: text for name, text in asked.items() if text}


def _events(task: Task) -> str:
    """The strategies of the estimand for intercurrent events, in words."""
    if task.analysis.estimand is None:
        return ""
    return events_in_words(task.protocol.estimand(task.analysis.estimand))


def events_in_words(estimand: Estimand) -> str:
    """The strategies for intercurrent events, and what is hypothetical about the question."""
    ways = estimand.handlings
    words = ", ".join(f"{event.replace('_', ' ')} ({way.words})" for event, way in ways.items())
    had_not = [event for event, way in ways.items() if "hypothetical" in way.strategies]
    named = " or ".join(event.replace("_", " ") for event in had_not)
    return f"{words}; hypothetical: as if {named} had not happened" if had_not else words


def assumption_of(task: Task) -> str:
    """What the analysis assumes of missing values, in words."""
    rows = task.analysis.rows
    missing = task.analysis.missing
    if task.imputes and missing is not None:
        return imputed_in_words(task.protocol, missing)
    if task.method == "RANK":
        return _ranked(task)
    said = _MISSING[task.imputation]
    if task.method == "ANCOVA" and task.imputation == "observed":
        said = _COMPLETE
    if rows is not None and rows.observed_at is not None:
        said = f"Only subjects with a value at {rows.observed_at} are analysed (completers)."
    left_out = said_of_values(rows) if rows is not None else ""
    return f"{said} {left_out}" if left_out else said


def assumption_in_short(task: Task) -> str:
    """What the analysis assumes of missing values, as tables that compare methods say it."""
    rows, missing = task.analysis.rows, task.analysis.missing
    if task.imputes and missing is not None:
        return imputed_in_words(task.protocol, missing)
    said = _SHORT[task.imputation]
    if task.method == "ANCOVA" and task.imputation == "observed":
        said = "Those without a value are like the others."
    if task.method == "RANK":
        return _ranked(task)
    if rows is not None and rows.observed_at is not None:
        said = f"Completers: only subjects with a value at {rows.observed_at}."
    left_out = said_of_values(rows) if rows is not None else ""
    return " ".join(filter(None, (said, _set_aside(task), left_out)))


def _ranked(task: Task) -> str:
    """Who is ranked below every value."""
    method, key = task.analysis.method, task.analysis.estimand
    ways = task.protocol.estimand(key).handlings if key is not None else {}
    named = [e.replace("_", " ") for e, way in ways.items() if way.failure == WORST_RANK]
    first = f"{' or '.join(named).capitalize()}: worst ranks, the earlier the worse."
    worst = isinstance(method, RankAncova) and method.missing == "worst"
    what = "rank below all values" if worst else "are left out"
    others = f"Others without a value {what}."
    return f"{first} {others}" if named else others


def _set_aside(task: Task) -> str:
    """After which events values are set aside, death apart, after which there are none."""
    key = task.analysis.estimand
    ways = task.protocol.estimand(key).handlings if key is not None else {}
    named = [
        event.replace("_", " ")
        for event, way in ways.items()
        if way.strategy == "hypothetical" and not is_death(task.protocol, event)
    ]
    return f"Values after {' or '.join(named)} are set aside." if named else ""


def said_of_values(rows: KeptRows) -> str:
    """Which values the key ``rows`` leaves out because of an event, as a sentence."""
    near = rows.exclude_within
    if rows.before is None and near is None:
        return ""
    words = {
        rows.before or "": "after",
        near.event if near else "": f"within {near.days if near else 0} days of",
    }
    told = " or ".join(f"{how} {event.replace('_', ' ')}" for event, how in words.items() if event)
    return f"Values {told} are left out."
