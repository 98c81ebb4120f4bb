"""Results and orders made by hand, for the shells: two arms, two visits, one analysis."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic
from trialmlm.tables.numbers import NumberFormat
from trialmlm.tables.order import Heading, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.tables.display import Display

ARMS = (Heading("PBO", ("Placebo",)), Heading("ACT", ("Active", "10 mg")))
ORDER = Order(
    kind="Table",
    number="14.2",
    titles=("A title",),
    population=Heading("itt", ("Intent-to-Treat",)),
    arms=ARMS,
    numbers=NumberFormat(),
    pairs=(("ACT", "PBO"),),
    visits=("Week 4", "Week 8"),
    baseline="Baseline",
    analyses=("main",),
    endpoint="score",
    at="Week 8",
    decimals=1,
)
RECORD = AnalysisRecord(
    name="main",
    role="main",
    method="MMRM",
    endpoint="score",
    population="itt",
    specification={
        "model": "CHG ~ ARM",
        "degrees of freedom": "residual degrees of freedom",
        "contrasts": "Active minus Placebo.",
        "missing values": "Missing values are not imputed.",
        "dose response": "CHG ~ DOSE",
    },
    steps=("records read: 10", "population: 8"),
)


def ordered(**changes: Any) -> Order:
    """The order with something else in it."""
    return replace(ORDER, **changes)


def statistic(quantity: str, name: str, value: float, note: str = "", **keys: str) -> Statistic:
    """One number of the analysis."""
    held = {
        "analysis": "main",
        "method": "MMRM",
        "endpoint": "score",
        "population": "itt",
        "arm": "",
        "versus": "",
        "visit": "",
        "group": "",
        **keys,
    }
    return Statistic(quantity=quantity, statistic=name, value=value, note=note, **held)


def counted(population: str = "itt", **counts: int) -> Iterator[Statistic]:
    """Subjects of a population: of each arm, and of all under ``total``."""
    for key, n in counts.items():
        yield statistic(
            "count",
            "n",
            float(n),
            analysis="populations",
            method="",
            endpoint="",
            population=population,
            arm="" if key == "total" else key,
        )


def described(quantity: str, six: tuple[float, ...], **keys: str) -> Iterator[Statistic]:
    """n, mean, SD, median, minimum, maximum."""
    names = ("n", "mean", "sd", "median", "min", "max")
    for name, value in zip(names, six, strict=True):
        note = "" if value == value else "not estimable: no data"
        yield statistic(quantity, name, value, note, **keys)


def estimated(quantity: str, value: float, **keys: str) -> Iterator[Statistic]:
    """An estimate with a standard error of 0.5 and an interval of ±1; NaN throughout for NaN."""
    lacking = value != value
    note = "not estimable: no data" if lacking else ""
    found = {
        "estimate": value,
        "std_error": 0.5,
        "df": 20.0,
        "ci_low": value - 1,
        "ci_high": value + 1,
        "statistic": value / 0.5,
        "p_value": 0.0312,
    }
    for name, held in found.items():
        yield statistic(quantity, name, nan if lacking else held, note, **keys)


def texts(display: Display) -> list[list[str]]:
    """What every row of the body prints."""
    return [[cell.text for cell in row.cells] for row in display.rows]


def results(*parts: Any, record: AnalysisRecord = RECORD) -> Results:
    """Results of these statistics and the analysis."""
    return Results(tuple(s for part in parts for s in part), (record,))
