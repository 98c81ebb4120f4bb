"""The report as a page: one file, no script, nothing from outside, fit for A4."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialmlm.qualification.quantities import TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.qualification.case import Tolerance
    from trialmlm.qualification.comparison import Comparison
    from trialmlm.qualification.outcome import Outcome
    from trialmlm.qualification.report import Report

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("trialmlm.qualification"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SCALES: Final = {"absolute": "", "relative": " relative", "standard error": " SE"}


def page(report: Report) -> str:
    """Write the page; the same text for the same report."""
    template = _ENVIRONMENT.get_template("validation.html.j2")
    return template.render(
        report=report,
        shown=[_shown(outcome) for outcome in report.outcomes],
        tolerances=_tolerances(report),
        number=_number,
        allowed=_allowed,
        call=_call,
    )


class _Quantity(NamedTuple):
    """The numbers of one quantity in one case, and the one that is farthest off."""

    title: str
    size: int
    worst: Comparison


class _Block(NamedTuple):
    """Quantities with the same labels, side by side."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Comparison, ...]], ...]


class _Shown(NamedTuple):
    outcome: Outcome
    quantities: tuple[_Quantity, ...]
    blocks: tuple[_Block, ...]


def _shown(outcome: Outcome) -> _Shown:
    by_quantity = [
        (name, tuple(group)) for name, group in groupby(outcome.comparisons, lambda c: c.quantity)
    ]
    quantities = tuple(
        _Quantity(TITLES[name], len(group), max(group, key=_rank)) for name, group in by_quantity
    )
    return _Shown(outcome, quantities, tuple(_blocks(by_quantity)))


def _rank(one: Comparison) -> float:
    return math.inf if math.isnan(one.share) else one.share


def _blocks(by_quantity: list[tuple[str, tuple[Comparison, ...]]]) -> Iterator[_Block]:
    def labels(item: tuple[str, tuple[Comparison, ...]]) -> tuple[str, ...]:
        return tuple(one.label for one in item[1])

    for names, items in groupby(by_quantity, labels):
        together = list(items)
        columns = [group for _, group in together]
        rows = zip(*columns, strict=True)
        titles = tuple(TITLES[name] for name, _ in together)
        yield _Block(titles, tuple(zip(names, rows, strict=True)))


class _Limit(NamedTuple):
    """A tolerance, the quantities that it was applied to, and in how many cases."""

    tolerance: Tolerance
    quantities: tuple[str, ...]
    cases: int


def _tolerances(report: Report) -> list[_Limit]:
    """Every tolerance that was applied, once."""
    titles: dict[Tolerance, dict[str, None]] = {}
    cases: dict[Tolerance, set[str]] = {}
    for outcome in report.outcomes:
        for one in outcome.comparisons:
            titles.setdefault(one.tolerance, {})[TITLES[one.quantity]] = None
            cases.setdefault(one.tolerance, set()).add(outcome.case.id)
    return [_Limit(tol, tuple(names), len(cases[tol])) for tol, names in titles.items()]


def _number(value: float) -> str:
    """Ten significant digits; a missing number is a dash."""
    return "–" if math.isnan(value) else f"{value:.10g}".replace("-", "−")


def _allowed(tolerance: Tolerance) -> str:
    text = f"{tolerance.limit:.0e}" if tolerance.limit else "equal"
    return f"{text}{_SCALES[tolerance.scale] if tolerance.limit else ''}"


def _call(outcome: Outcome) -> str:
    """The call as it would be written."""
    call = dict(outcome.case.call)
    arguments = [repr(call.pop("formula"))] if "formula" in call else []
    arguments += [outcome.case.data["file"].split(".")[0]]
    arguments += [f"{name}={value!r}" for name, value in call.items()]
    return f"{outcome.case.procedure}({', '.join(arguments)})"
