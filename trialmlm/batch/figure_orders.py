"""What the protocol says of a figure, in the words of the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.orders import pairs_of, population_key, titles_of
from trialmlm.figures.order import FigureFurniture, FigureOrder, FigureVisit, Named
from trialmlm.protocol.endpoints import ChangeEndpoint
from trialmlm.protocol.estimands import ValueAt
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from trialmlm.batch.plan import PlannedOutput
    from trialmlm.protocol.schema import Protocol
    from trialmlm.results.results import Results
    from trialmlm.tables.display import Furniture
    from trialmlm.tables.order import Order

DAYS_PER_WEEK = 7.0


def figure_order(
    protocol: Protocol,
    planned: PlannedOutput,
    order: Order,
    results: Results,
    furniture: Furniture,
) -> FigureOrder:
    """The order for a figure's shell.

    Parameters
    ----------
    protocol : Protocol
    planned : PlannedOutput
    order : Order
        The same output, in the words of the tables.
    results : Results
        From whose first analysis the footnotes are resolved.
    furniture : Furniture
    """
    output = planned.output
    analysis = protocol.analysis(output.analyses[0]) if output.analyses else None
    record = results.analysis(output.analyses[0]) if output.analyses else None
    endpoint = protocol.endpoint(order.endpoint) if order.endpoint else None
    schedule = protocol.schedule
    time = schedule.time if schedule else None
    key = population_key(protocol, output)
    unit = (endpoint.unit if endpoint else None) or ""
    return FigureOrder(
        number=output.number,
        titles=titles_of(protocol, output),
        population=Named(key, order.population.text),
        endpoint=Named(order.endpoint, endpoint.label if endpoint else ""),
        arms=tuple(Named(arm.key, arm.text) for arm in order.arms),
        visits=tuple(
            FigureVisit(visit.name, (visit.day - 1) / DAYS_PER_WEEK)
            for visit in (schedule.visits if schedule else ())
        ),
        baseline=FigureVisit(schedule.baseline.name, 0.0) if schedule else None,
        analyses=tuple(
            Named(name, protocol.analysis(name).label or name) for name in output.analyses
        ),
        pairs=pairs_of(protocol, analysis),
        at=_at(protocol, output.analyses),
        time_scale=time.days_per_year / DAYS_PER_WEEK if time else 1.0,
        quantity="change" if isinstance(endpoint, ChangeEndpoint) else "value",
        unit=unit,
        slope_unit=f"{unit}/year" if unit else "per year",
        better=(endpoint.better if endpoint else None) or "",
        decimals=order.decimals,
        p_decimals=order.numbers.p_decimals,
        confidence=order.confidence,
        footnotes=footnotes(order, record).lines,
        furniture=FigureFurniture(
            furniture.protocol,
            furniture.program,
            furniture.data_cut,
            furniture.run_time,
            furniture.status,
            furniture.stamps,
        ),
    )


def _at(protocol: Protocol, analyses: tuple[str, ...]) -> str:
    """The visit that the estimand of the first analysis asks about."""
    if not analyses:
        return ""
    analysis = protocol.analysis(analyses[0])
    if analysis.at is not None:
        return analysis.at
    variable = protocol.estimand(analysis.estimand).variable if analysis.estimand else None
    return variable.at if isinstance(variable, ValueAt) else ""
