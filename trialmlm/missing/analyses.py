"""The analyses that may follow an imputation: one small class each, and their register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from trialmlm.errors import UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.missing.model_analysis import ModelAnalysis
from trialmlm.missing.user_function import UserFunction
from trialmlm.missing.visit_ancova import VisitAncova

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.arrays import Array
    from trialmlm.missing.answers import Answers
    from trialmlm.missing.comparison import Comparison
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.model_analysis import Times

#: what is analysed: a formula, or a function of a completed data frame
Model: TypeAlias = "str | Callable[[Any], Any]"


class Analysis(Protocol):
    """What is done to every completed data set."""

    @property
    def description(self) -> str:
        """In words."""

    @property
    def linear(self) -> bool:
        """Whether estimates are linear in the imputed values: a further shift costs little."""

    def answers(self, completions: Completions) -> Answers:
        """Estimates of each filling."""

    def pairwise(self) -> Analysis:
        """The same with all pairs of arms compared."""

    def along(self, completions: Completions, directions: Array) -> Callable[[Array], Answers]:
        """The answers as a function of how far values are shifted along `directions`, (m, k)."""


def find_analysis(model: Model, layout: Layout, comparison: Comparison, times: Times) -> Analysis:
    """The analysis that a model names.

    Parameters
    ----------
    model : str or callable
        A formula: without covariance and random effects an ANCOVA at each visit, with a residual
        covariance an MMRM, with random effects a mixed model; or a function of completed data.
    layout : Layout
    comparison : Comparison
    times : Times
        For mixed models.

    Raises
    ------
    UsageError, ExpressionError, DataError, FitError
        If the model is none, or the data do not carry it.
    """
    if callable(model):
        return UserFunction(layout, model)
    if not isinstance(model, str):
        msg = f"analyse: found {type(model).__name__}, expected a formula or a function"
        raise UsageError(msg)
    read = read_formula(model)
    if read.random or read.covariance:
        return ModelAnalysis.of(read, layout, comparison, times)
    if times.given:
        msg = "analyse: slope and targets are for a mixed model over time; leave them out"
        raise UsageError(msg)
    return VisitAncova.of(read, layout, comparison)
