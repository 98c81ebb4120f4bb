"""What a run will do: the analyses and outputs of a protocol, and what cannot be made."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from trialmlm.batch.availability import (
    NOT_AVAILABLE,
    blinded,
    lacking_of_analysis,
    lacking_of_output,
)
from trialmlm.batch.own_baseline import own_baselines
from trialmlm.errors import ExpressionError, Problem, ProtocolError, UsageError
from trialmlm.formula.grammar import read_formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.outputs import Output
    from trialmlm.protocol.schema import Protocol


@dataclass(frozen=True, slots=True)
class PlannedAnalysis:
    """An analysis, resolved.

    Attributes
    ----------
    name : str
    analysis : Analysis
        With all it takes from others.
    lacking : tuple of str
        What this version does not build of it.
    line : int
        Of the protocol file.
    """

    name: str
    analysis: Analysis
    lacking: tuple[str, ...]
    line: int

    @property
    def refusal(self) -> str:
        """Why it is not made; empty where it is."""
        return f"{', '.join(self.lacking)}: {NOT_AVAILABLE}" if self.lacking else ""


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """An output, and why it cannot be made, if so."""

    output: Output
    refusal: str

    @property
    def name(self) -> str:
        """Kind and number, as ``Table 14-3.01``."""
        return f"{self.output.kind.capitalize()} {self.output.number}"

    @property
    def stem(self) -> str:
        """The file's name without suffix: ``t_14_3_01``."""
        if self.output.file is not None:
            return self.output.file
        plain = "".join(c if c.isalnum() else "_" for c in self.output.number)
        return f"{self.output.kind[0]}_{plain}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The analyses and outputs of a run.

    Attributes
    ----------
    protocol : Protocol
    analyses : tuple of PlannedAnalysis
    outputs : tuple of PlannedOutput
    """

    protocol: Protocol
    analyses: tuple[PlannedAnalysis, ...]
    outputs: tuple[PlannedOutput, ...]

    def check_unblinded(self) -> None:
        """Refuse to read the treatment codes of a trial that is blinded.

        Raises
        ------
        UsageError
            The protocol says so, and the data are collected.
        """
        if reason := blinded(self.protocol):
            line = self.protocol.line_of("protocol", "unblinded")
            raise UsageError(f"{self.protocol.path or 'protocol'}:{line or 0}: {reason}")

    @property
    def refusals(self) -> tuple[str, ...]:
        """One line for everything that cannot be made."""
        return tuple(
            f"{name}: {refusal}"
            for name, refusal in (
                *((planned.name, planned.refusal) for planned in self.analyses),
                *((planned.name, planned.refusal) for planned in self.outputs),
            )
            if refusal
        )


def make_plan(protocol: Protocol, only: Sequence[str] = ()) -> Plan:
    """Plan a run.

    Parameters
    ----------
    protocol : Protocol
    only : sequence of str
        Numbers of outputs and names of analyses to make; all of them where there are none.

    Raises
    ------
    ProtocolError
        If a model of the protocol is refused by the reader of formulas, or one that imputes has
        the baseline among its responses and its covariates.
    UsageError
        If `only` names something that is not in the protocol, or two outputs share a file name.
    """
    _check_formulas(protocol)
    _check_imputations(protocol)
    wanted = _wanted(protocol, only)
    outputs = tuple(output for output in protocol.outputs if output.number in wanted)
    needed = {name for output in outputs for name in output.analyses}
    names = [name for name in protocol.analysis_names if name in wanted or name in needed]
    analyses = tuple(_planned(protocol, name) for name in names)
    refused = {planned.name: planned.refusal for planned in analyses if planned.refusal}
    planned = tuple(PlannedOutput(output, _refusal(output, refused)) for output in outputs)
    _check_stems(planned)
    return Plan(protocol, analyses, planned)


def _planned(protocol: Protocol, name: str) -> PlannedAnalysis:
    analysis = protocol.analysis(name)
    line = protocol.line_of("analyses", name) or 0
    return PlannedAnalysis(name, analysis, lacking_of_analysis(protocol, analysis), line)


def _refusal(output: Output, refused: dict[str, str]) -> str:
    lacking = lacking_of_output(output)
    if lacking:
        return f"{', '.join(lacking)}: {NOT_AVAILABLE}"
    return "; ".join(f"{name}: {refused[name]}" for name in output.analyses if name in refused)


def _wanted(protocol: Protocol, only: Sequence[str]) -> set[str]:
    known = {*protocol.analysis_names, *(output.number for output in protocol.outputs)}
    if not only:
        return known
    for name in only:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            msg = f"--only: {name} is no output or analysis of the protocol{hint}"
            raise UsageError(msg)
    return set(only)


def _check_formulas(protocol: Protocol) -> None:
    """Every model of the file, all faults at once."""
    problems = [
        _problem(protocol, name, key, error)
        for name, key, text in _formulas(protocol)
        if (error := _fault(text)) is not None
    ]
    if problems:
        raise ProtocolError(problems)


def _check_imputations(protocol: Protocol) -> None:
    """Models that impute, where the formulas can be read."""
    problems = list(own_baselines(protocol))
    if problems:
        raise ProtocolError(problems)


def _formulas(protocol: Protocol) -> Iterator[tuple[str, str, str]]:
    for name, written in protocol.analyses.written.items():
        for key in ("model", "dose_response"):
            text = getattr(written, key)
            if text is not None:
                yield name, key, text
        if written.analyse is not None:
            yield name, "analyse.model", written.analyse.model


def _fault(text: str) -> ExpressionError | None:
    try:
        read_formula(text)
    except ExpressionError as error:
        return error
    return None


def _problem(protocol: Protocol, name: str, key: str, error: ExpressionError) -> Problem:
    path = ("analyses", name, *key.split("."))
    line, column = protocol.line_of(*path) or 0, protocol.column_of(*path) or 0
    file = str(protocol.path or "(data)")
    return Problem(file, line, column, ".".join(path), str(error))


def _check_stems(outputs: Sequence[PlannedOutput]) -> None:
    seen: dict[str, str] = {}
    for planned in outputs:
        stem = planned.stem.casefold()
        if stem in seen:
            msg = (
                f"{planned.name} and {seen[stem]} would both be written to {planned.stem}; "
                "give one of them a file name (file:)"
            )
            raise UsageError(msg)
        seen[stem] = planned.name
