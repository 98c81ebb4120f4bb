"""One analysis with its data at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trialmlm.batch.account_steps import counted_step
from trialmlm.batch.assumed import assumed_of
from trialmlm.batch.carry import records_for
from trialmlm.batch.context import Context
from trialmlm.batch.covariates import with_covariates
from trialmlm.batch.grid import with_every_visit
from trialmlm.batch.kept_rows import chosen_rows, kept_rows, said_of, with_baseline
from trialmlm.batch.rank_failures import failed_on
from trialmlm.errors import UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.protocol.estimands import ValueAt
from trialmlm.protocol.methods import RankAncova
from trialmlm.protocol.missing import IMPUTING

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.adam.sites import Pooling
    from trialmlm.batch.assumed import Assumed
    from trialmlm.batch.inputs import Inputs
    from trialmlm.batch.plan import PlannedAnalysis
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol


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
    assumed : Assumed or None
        Of an analysis that imputes: what its rules assume of whom.
    failures : Series or None
        Of an analysis of ranks: subject -> study day of the event that ranks worst.
    """

    planned: PlannedAnalysis
    protocol: Protocol
    records: AnalysisSet
    frame: pd.DataFrame
    assumed: Assumed | None = None
    failures: pd.Series[float] | None = None

    @property
    def analysis(self) -> Analysis:
        """As resolved."""
        return self.planned.analysis

    @property
    def method(self) -> str:
        """``MMRM``, ``LMM`` or ``ANCOVA``, by its model; ``RANK``; ``MI`` if values are imputed."""
        if isinstance(self.analysis.method, RankAncova):
            return "RANK"
        return "MI" if self.imputes else method_of(self.analysis.model or "")

    @property
    def imputes(self) -> bool:
        """Whether missing values are imputed from a model."""
        return self.imputation in IMPUTING

    @property
    def analysed(self) -> str:
        """What the model of the values analysed, completed ones if need be, makes it."""
        if isinstance(self.analysis.method, RankAncova):
            return "RANK"
        return method_of(analysed_model(self.analysis))

    @property
    def analysed_at(self) -> str:
        """The visit at which completed data are analysed; empty for a model over time."""
        return "" if self.analysed == "LMM" else visit_of(self.protocol, self.analysis)

    @property
    def assumed_notes(self) -> tuple[str, ...]:
        """What a reviewer should know of the rules."""
        return self.assumed.notes if self.assumed is not None else ()

    @property
    def imputation(self) -> str:
        """``observed``, ``locf`` or ``locf-records``."""
        return imputation_of(self.analysis)

    def context(self, df_method: str, step: str = "") -> Context:
        """What its statistics share."""
        return Context(
            self.planned.name,
            self.method,
            self.analysis.endpoint or "",
            self.analysis.population or "",
            df_method,
            self.protocol.ordered_arms,
            self.protocol.data.subjects.arm or "",
            step,
        )

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The arms compared: those named, or every arm with the control."""
        named = tuple((a, b) for a, b in self.analysis.pairs)
        control = self.protocol.control
        if named or control is None:
            return named
        return tuple((arm, control) for arm in self.protocol.ordered_arms if arm != control)


def visit_of(protocol: Protocol, analysis: Analysis) -> str:
    """The visit whose values are analysed: as stated, that of the estimand, or the last."""
    completed, schedule = analysis.analyse, protocol.schedule
    stated = (completed.at if completed is not None else None) or analysis.at
    key = analysis.estimand
    variable = protocol.estimand(key).variable if key is not None else None
    asked = variable.at if isinstance(variable, ValueAt) else None
    return stated or asked or (schedule.visit_names[-1] if schedule is not None else "")


def method_of(model: str) -> str:
    """``LMM`` with random effects, ``MMRM`` with a residual covariance alone, else ``ANCOVA``."""
    read = read_formula(model)
    if read.random:
        return "LMM"
    return "MMRM" if read.covariance else "ANCOVA"


def analysed_model(analysis: Analysis) -> str:
    """The model of the values analysed: that of the completed data where values are imputed."""
    return (analysis.analyse.model if analysis.analyse is not None else analysis.model) or ""


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
    modelled = analysis.model or analysis.method
    if not (analysis.endpoint and analysis.population and modelled):
        msg = f"analysis {planned.name}: needs a model, an endpoint and a population (or estimand)"
        raise UsageError(msg)
    found, frame = records_for(
        inputs,
        analysis.endpoint,
        analysis.population,
        analysis.missing,
        analysis.estimand,
    )
    subject = inputs.protocol.data.subjects.subject
    if modelled is analysis.model and method_of(analysed_model(analysis)) == "LMM":
        frame = with_baseline(inputs, found, frame)
        found = counted_step(found, "with the baseline as a value of its own", frame, subject)
    if analysis.rows is not None:
        frame = kept_rows(inputs, analysis, found, frame)
        found = counted_step(found, f"rows kept: {said_of(analysis.rows)}", frame, subject)
    assumed = None
    if imputation_of(analysis) in IMPUTING:
        frame = with_every_visit(inputs, found, frame)
        assumed = assumed_of(inputs, analysis, found, frame)
        found = counted_step(found, "every visit of every subject, to be imputed", frame, subject)
    failures = None
    if isinstance(analysis.method, RankAncova):
        failures = failed_on(inputs, analysis, visit_of(inputs.protocol, analysis))
        frame = chosen_rows(inputs, analysis, found, with_every_visit(inputs, found, frame))
    used = with_covariates(inputs.protocol, inputs.subjects, frame)
    noted = _noted(found, analysis.model, inputs.pooling)
    return Task(planned, inputs.protocol, noted, used, assumed, failures)


def _noted(found: AnalysisSet, model: str | None, pooling: Pooling | None) -> AnalysisSet:
    """The analysis set with the pooling of the sites among its notes, if the model uses it."""
    if pooling is None or model is None or pooling.name not in read_formula(model).variables:
        return found
    return replace(found, notes=(*found.notes, str(pooling)))
