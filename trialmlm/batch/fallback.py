"""The pre-specified list of models of an analysis: its own, then those of ``if_unconverged``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.formula.grammar import read_formula
from trialmlm.models.ladder import Step
from trialmlm.protocol.methods import SimplerModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.models.ladder import LadderFailure, LadderFit
    from trialmlm.protocol.analyses import Analysis


def simpler_models(analysis: Analysis) -> tuple[SimplerModel, ...]:
    """The simpler models, in order; a fit restarts by itself, and a failure is always reported."""
    return tuple(held for held in analysis.if_unconverged if isinstance(held, SimplerModel))


def steps_of(analysis: Analysis) -> tuple[Step, ...]:
    """The models in order; a simpler one takes from the analysis what it does not name."""
    own = read_formula(analysis.model or "").covariance[0].structure
    first = Step(own, analysis.df, analysis.vcov, analysis.information)
    return (
        first,
        *(
            Step(
                held.R or own,
                held.df or analysis.df,
                held.vcov or analysis.vcov,
                analysis.information,
            )
            for held in simpler_models(analysis)
        ),
    )


def step_used(ladder: LadderFit) -> str:
    """For the results' rows: ``2 of 3: toeph, satterthwaite``; empty for a list of one."""
    return f"{ladder.number} of {ladder.n_steps}: {ladder.step}" if ladder.n_steps > 1 else ""


def fallback_of(ladder: LadderFit) -> Mapping[str, str]:
    """What the record says of a model that is not the first of the list; nothing of the first."""
    if not ladder.attempts:
        return {}
    earlier = "; ".join(str(attempt) for attempt in ladder.attempts)
    title = ladder.fit.family.title.lower()
    said = f"Pre-specified fallback, step {ladder.number} of {ladder.n_steps}: {title} covariance "
    return {"fallback": f"{said}({ladder.step}). Not used: {earlier}."}


def failure_of(ladder: LadderFailure) -> str:
    """Why there is no result: the reason alone where there was one model."""
    if len(ladder.attempts) == 1:
        return ladder.attempts[0].reason
    return str(ladder).replace("\n", "; ")
