"""The one table of how analyses are carried out, by what their model makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.linalg import LinAlgError

from trialmlm.batch.ancova_analysis import ancova_analysis
from trialmlm.batch.imputed_analysis import imputed_analysis
from trialmlm.batch.mmrm_analysis import mmrm_analysis
from trialmlm.batch.rank_analysis import rank_analysis
from trialmlm.batch.slope_analysis import slope_analysis
from trialmlm.errors import FitError
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.batch.plan import PlannedAnalysis
    from trialmlm.batch.task import Task

METHODS: Mapping[str, Callable[[Task], Results]] = {
    "MMRM": mmrm_analysis,
    "ANCOVA": ancova_analysis,
    "LMM": slope_analysis,
    "MI": imputed_analysis,
    "RANK": rank_analysis,
}


def carry_out(task: Task) -> Results:
    """Fit the model and say what it says.

    Raises
    ------
    FitError
        If the data do not carry the model, or the fit did not converge.
    """
    try:
        return METHODS[task.method](task)
    except LinAlgError as error:
        msg = (
            f"the model cannot be computed from these data ({error}); look for columns that are "
            "nearly redundant, or visits with few values"
        )
        raise FitError(msg) from error


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
        label=analysis.label or planned.name,
    )
    return Results((), (record,))
