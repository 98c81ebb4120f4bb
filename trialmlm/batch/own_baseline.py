"""Imputation models of slopes that explain the baseline by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import Problem
from trialmlm.formula.grammar import read_formula
from trialmlm.protocol.missing import IMPUTING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol

#: what models call the baseline; an analysis of slopes has it among its responses
BASELINE = "BASE"


def own_baselines(protocol: Protocol) -> Iterator[Problem]:
    """The models that impute values, the baseline among them, and have it as a covariate too.

    Parameters
    ----------
    protocol : Protocol
        Whose formulas can be read.
    """
    at_fault = [name for name in protocol.analysis_names if _explains_itself(protocol, name)]
    for name in at_fault:
        of = protocol.analyses.written[name].of
        if of not in at_fault:  # it is told once, where it comes in
            path = ("analyses", name, "model")
            line, column = protocol.line_of(*path) or 0, protocol.column_of(*path) or 0
            yield Problem(str(protocol.path or "(data)"), line, column, ".".join(path), _TOLD)


_TOLD = (
    f"found {BASELINE} among the covariates of a model that imputes for an analysis of slopes, "
    "where the baseline is one of the responses: it would be explained by itself. Leave "
    f"{BASELINE} out, or analyse the completed data at a visit (analyse: {{model: …, at: …}})"
)


def _explains_itself(protocol: Protocol, name: str) -> bool:
    analysis = protocol.analysis(name)
    if not (_imputes(analysis) and analysis.model and analysis.analyse):
        return False
    slopes = bool(read_formula(analysis.analyse.model).random)
    return slopes and BASELINE in read_formula(analysis.model).fixed_variables


def _imputes(analysis: Analysis) -> bool:
    return analysis.missing is not None and analysis.missing.method in IMPUTING
