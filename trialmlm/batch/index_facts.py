"""What the index page says of protocol, analyses, outputs and inputs, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.batch.orders import numbers_of
from trialmlm.batch.specification import events_in_words
from trialmlm.protocol.estimands import SlopeTo, TimeTo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.adam.dataset import Dataset
    from trialmlm.protocol.estimands import Estimand, Variable
    from trialmlm.protocol.schema import Protocol
    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.results.statistic import Statistic
    from trialmlm.tables.display import Display


@dataclass(frozen=True, slots=True)
class EstimandFacts:
    """What is asked.

    Attributes
    ----------
    key, question : str
    attributes : tuple of (str, str)
        The attributes of the estimand, each in words.
    """

    key: str
    question: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """The trial and what is asked of it.

    Attributes
    ----------
    id, title, plan : str
        The plan with its version, status and date; empty where there is none.
    simulated : bool
    file, sha256 : str
        The protocol file.
    estimands : tuple of EstimandFacts
    """

    id: str
    title: str
    plan: str
    simulated: bool
    file: str
    sha256: str
    estimands: tuple[EstimandFacts, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One comparison of arms as a table prints it."""

    comparison: str
    visit: str
    estimate: str
    interval: str
    p_value: str


@dataclass(frozen=True, slots=True)
class AnalysisFacts:
    """How a question is answered.

    Attributes
    ----------
    record : AnalysisRecord
    label : str
        What the protocol calls it.
    estimand : str
        Key of the estimand; empty for none.
    missing : str
        How missing values are dealt with.
    confidence : float
    answers : tuple of Answer
    subjects : tuple of (str, str)
        Arm and visit, and how many were analysed.
    """

    record: AnalysisRecord
    label: str
    estimand: str
    missing: str
    confidence: float
    answers: tuple[Answer, ...]
    subjects: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One output.

    Attributes
    ----------
    name : str
        Kind and number, as ``Table 14.2.1.1``.
    titles : tuple of str
    files : tuple of str
        Names of its files, beside the page.
    status, reason : str
        ``made``, or what else, and why.
    display : Display, optional
        The table or listing, to be shown.
    image : bytes, optional
        The figure as PNG, to be shown.
    """

    name: str
    titles: tuple[str, ...]
    files: tuple[str, ...]
    status: str = "made"
    reason: str = ""
    display: Display | None = None
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A data set that was read."""

    name: str
    file: str
    rows: int
    sha256: str

    @classmethod
    def of(cls, dataset: Dataset) -> InputFile:
        """Describe a data set."""
        return cls(dataset.name, dataset.path.name, dataset.rows, dataset.sha256)


def trial_facts(protocol: Protocol) -> TrialFacts:
    """Say in words which trial it is, and what is asked."""
    header = protocol.header
    sap = header.sap
    return TrialFacts(
        id=header.id,
        title=header.title,
        plan=f"version {sap.version}, {sap.status}, {sap.date}" if sap else "",
        simulated=header.data_origin == "simulated",
        file=protocol.path.name if protocol.path else "",
        sha256=protocol.source_hash or "",
        estimands=tuple(
            _estimand(protocol, key, protocol.estimand(key)) for key in protocol.estimands
        ),
    )


def analysis_facts(protocol: Protocol, results: Results) -> tuple[AnalysisFacts, ...]:
    """Say of every analysis carried out what it answers, and what the answer is."""
    return tuple(_analysis(protocol, results, record) for record in results.analyses)


def _estimand(protocol: Protocol, key: str, estimand: Estimand) -> EstimandFacts:
    population = estimand.population
    attributes = {
        "Treatments": ", ".join(arm.name for arm in protocol.ordered_arms.values()),
        "Population": protocol.populations[population].label if population else "",
        "Variable": _variable(protocol, estimand.variable) if estimand.variable else "",
        "Intercurrent events": events_in_words(estimand),
        "Summary": estimand.summary or "",
    }
    told = tuple((name, text) for name, text in attributes.items() if text)
    return EstimandFacts(key, estimand.question or "", told)


def _variable(protocol: Protocol, variable: Variable) -> str:
    label = protocol.endpoint(variable.endpoint).label
    if isinstance(variable, SlopeTo):
        return f"{label}: slope over time, to {variable.to}"
    if isinstance(variable, TimeTo):
        return f"time to {label}"
    return f"{label} at {variable.at}"


def _analysis(protocol: Protocol, results: Results, record: AnalysisRecord) -> AnalysisFacts:
    analysis = protocol.analysis(record.name)
    return AnalysisFacts(
        record=record,
        label=analysis.label or "",
        estimand=analysis.estimand or "",
        missing=_missing(record),
        confidence=analysis.confidence,
        answers=tuple(_answers(protocol, results, record)),
        subjects=tuple(
            (", ".join(filter(None, (_arm(protocol, arm), visit))), f"{n:,}")
            for arm, visit, n in record.counts
        ),
    )


def _missing(record: AnalysisRecord) -> str:
    return record.specification.get("missing values", "")


def _answers(protocol: Protocol, results: Results, record: AnalysisRecord) -> Iterator[Answer]:
    """Compare arms at the estimand's visit; where there is no such comparison, over all visits."""
    compared = [
        one
        for one in results.statistics
        if one.analysis == record.name
        and one.quantity == record.headline
        and one.versus
        and one.statistic == "estimate"
    ]
    there = {one.visit for one in compared}
    wanted = next((visit for visit in (_target(protocol, record.name), "") if visit in there), None)
    for one in compared:
        if wanted is None or one.visit == wanted:
            yield _answer(protocol, results, one, record.specification.get("visit", ""))


def _target(protocol: Protocol, name: str) -> str:
    """The visit that the estimand of an analysis asks for; empty for none."""
    key = protocol.analysis(name).estimand
    variable = protocol.estimand(key).variable if key else None
    return getattr(variable, "at", "")


def _answer(protocol: Protocol, results: Results, estimate: Statistic, visit: str) -> Answer:
    """Print a comparison; `visit` is that of an analysis of one visit."""
    numbers = numbers_of(protocol.house)
    decimals = (protocol.endpoint(estimate.endpoint).decimals or 0) + 1
    keys = ("analysis", "method", "endpoint", "population", "quantity", "arm", "versus", "visit")
    shared = {key: getattr(estimate, key) for key in (*keys, "group")}
    low, high, p = (
        results.value(statistic=name, **shared) for name in ("ci_low", "ci_high", "p_value")
    )
    interval = f"{numbers.number(low, decimals)} to {numbers.number(high, decimals)}"
    return Answer(
        comparison=f"{_arm(protocol, estimate.arm)} minus {_arm(protocol, estimate.versus)}",
        visit=estimate.visit or visit,
        estimate=numbers.number(estimate.value, decimals),
        interval=interval if low is not None and low == low else "",
        p_value=numbers.p_value(p),
    )


def _arm(protocol: Protocol, key: str) -> str:
    return protocol.arms[key].name if key in protocol.arms else key


def _words(key: str) -> str:
    return key.replace("_", " ")
