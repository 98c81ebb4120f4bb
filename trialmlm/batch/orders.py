"""What the protocol says of an output, in the words of the tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from trialmlm.protocol.house import PValue
from trialmlm.tables.display import Furniture
from trialmlm.tables.layout import Layout, Margins
from trialmlm.tables.numbers import NumberFormat
from trialmlm.tables.order import Heading, Order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.batch.plan import PlannedOutput
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.house import House
    from trialmlm.protocol.outputs import Output
    from trialmlm.protocol.schema import Protocol

NO_LABELS: Mapping[str, str] = MappingProxyType({})
_P_STYLE = {"leading-zero": "plain", "no-leading-zero": "sas"}
_TITLES = {
    "populations": "Summary of Populations",
    "descriptive-by-visit": "Mean and Mean Change from Baseline over Time",
    "ancova": "Analysis of Covariance",
    "mmrm": "Repeated Measures Analysis",
    "end-patterns": "Values at the end, and why they are missing",
    "intercurrent-events": "Intercurrent events and the values after them",
}


def order_of(
    protocol: Protocol, planned: PlannedOutput, labels: Mapping[str, str] = NO_LABELS
) -> Order:
    """The order for a shell; `labels` are those of the subjects' columns."""
    output = planned.output
    analysis = protocol.analysis(output.analyses[0]) if output.analyses else None
    endpoint = output.endpoint or (analysis.endpoint if analysis else None) or ""
    return Order(
        kind="Listing" if output.kind == "listing" else "Table",
        number=output.number,
        titles=titles_of(protocol, output),
        population=_population(protocol, output, analysis),
        arms=tuple(Heading(key, arm.label) for key, arm in protocol.ordered_arms.items()),
        numbers=numbers_of(protocol.house),
        pairs=pairs_of(protocol, analysis),
        visits=output.visits or (protocol.schedule.visit_names if protocol.schedule else ()),
        baseline=protocol.schedule.baseline.name if protocol.schedule else "",
        analyses=output.analyses,
        endpoint=endpoint,
        at=(analysis.at if analysis else None) or "",
        populations=tuple(
            Heading(key, (protocol.populations[key].label,)) for key in output.populations
        ),
        records=output.records or ("observed",),
        decimals=(protocol.endpoint(endpoint).decimals if endpoint else None) or 0,
        footnotes=output.footnotes,
        confidence=analysis.confidence if analysis else 0.95,
        average_over=(analysis.average_over if analysis else None) or "",
        columns=tuple(
            Heading(name, (output.labels.get(name) or labels.get(name, name),))
            for name in output.columns
        ),
        unit=(protocol.endpoint(endpoint).unit if endpoint else None) or "",
        levels=output.levels,
        estimands=_estimands(protocol, output),
    )


def _estimands(protocol: Protocol, output: Output) -> tuple[Heading, ...]:
    """The estimands of the analyses shown, each once."""
    keys = dict.fromkeys(protocol.analysis(name).estimand for name in output.analyses)
    return tuple(
        Heading(key, (protocol.estimand(key).question or "",)) for key in keys if key is not None
    )


def titles_of(protocol: Protocol, output: Output) -> tuple[str, ...]:
    """The titles: those of the file, else the shell's with the endpoint's label."""
    if output.title is not None:
        return (*output.title, *(output.subtitle or ()))
    named = output.endpoint or (
        protocol.analysis(output.analyses[0]).endpoint if output.analyses else None
    )
    shell = _TITLES.get(output.shell, output.shell.replace("-", " ").capitalize())
    label = f"{protocol.endpoint(named).label} - " if named else ""
    return (label + shell, *(output.subtitle or ()))


def population_key(protocol: Protocol, output: Output) -> str:
    """The population of an output: its own, else that of its first analysis, else its widest."""
    if output.population is not None:
        return output.population
    if output.analyses:
        named = protocol.analysis(output.analyses[0]).population
        if named is not None:
            return named
    return output.populations[0] if output.populations else next(iter(protocol.populations), "")


def _population(protocol: Protocol, output: Output, analysis: Analysis | None) -> Heading:
    del analysis
    key = population_key(protocol, output)
    label = protocol.populations[key].label if key in protocol.populations else ""
    return Heading(key, (label,))


def pairs_of(protocol: Protocol, analysis: Analysis | None) -> tuple[tuple[str, str], ...]:
    """The arms compared: those the analysis names, or every arm with the control."""
    if analysis is not None and analysis.pairs:
        return tuple((a, b) for a, b in analysis.pairs)
    control = protocol.control
    return tuple((arm, control) for arm in protocol.ordered_arms if control and arm != control)


def numbers_of(house: House) -> NumberFormat:
    """The house's rules for numbers."""
    p_value = house.p_value or PValue(decimals=3)
    given: dict[str, Any] = {
        "negative_zero": house.negative_zero,
        "p_decimals": p_value.decimals,
        "p_style": _P_STYLE[p_value.style],
        "not_estimable": house.not_estimable,
    }
    return NumberFormat(**{name: value for name, value in given.items() if value is not None})


def layout_of(house: House) -> Layout:
    """The house's page.

    Raises
    ------
    UsageError
        If font, size or margins cannot be set.
    """
    margins = house.margins
    given: dict[str, Any] = {
        "paper": house.paper,
        "landscape": None if house.orientation is None else house.orientation == "landscape",
        "font": house.font,
        "size": house.size,
        "margins": None
        if margins is None
        else Margins(margins.top, margins.right, margins.bottom, margins.left),
    }
    return Layout(**{name: value for name, value in given.items() if value is not None})


def furniture_of(protocol: Protocol, program: str, run_time: str) -> Furniture:
    """What stands round every page of the run."""
    header = protocol.header
    stamps = ("SIMULATED DATA",) if header.data_origin == "simulated" else ()
    status = "DRAFT" if header.sap is not None and header.sap.status == "draft" else ""
    return Furniture(
        protocol=header.id,
        program=protocol.house.source or program,
        data_cut=str(header.data_cut) if header.data_cut else "",
        run_time=run_time,
        status=status,
        stamps=stamps,
    )
