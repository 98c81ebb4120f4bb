"""The same question under several methods: one row per analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.estimable import not_estimable
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Heading, Order

#: role of an analysis -> what it is for
ROLES = {
    "main": "answers the question of its estimand",
    "sensitivity": "the same question under another assumption",
    "supplementary": "another view of the treatment effect",
    "comparator": "shown beside the others, for comparison only",
    "exploratory": "not planned to answer a question",
}


EXPLAINED = (
    "Variance: Rubin (information-anchored), jackknife or bootstrap (repeated sampling) as named, "
    "else the model's. M: imputations; FMI: fraction of missing information; MC SE: Monte-Carlo "
    "standard error."
)
#: a variance of pooled estimates, in words
VARIANCES = {
    "rubin": "Rubin",
    "jackknife": "jackknife",
    "bootstrap": "bootstrap",
}
#: a difference of standardised ranks, and the decimals of one less the one always printed
RANKS, RANK_DECIMALS = "rank-difference", 1
#: quantity of a difference -> that of the arms
OF_ARMS = {"difference": "ls-mean", "slope-difference": "slope"}
#: arms beyond these have no columns of their own
MOST_ARMS = 2


def methods_compared(order: Order, results: Results) -> Display:
    """Method and assumption in words, n, means or slopes, difference (SE), CI and p.

    Analyses of one role that compare the same stand under one heading. Where values were imputed,
    the variance is named, and the fraction of missing information and the Monte-Carlo error of the
    difference are shown; a variance shown beside the one that decides has a row of its own.

    Parameters
    ----------
    order : Order
        `analyses` in order.
    results : Results
        Each analysis' headline quantity, as its record names it; one that failed is a row that
        says so.
    """
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=_columns(order, results),
        blocks=tuple(_blocks(order, results)),
        footnotes=(
            *footnotes(order, None).lines,
            *_explained(results, order),
            *not_estimable(order, _lacking(order, results)),
        ),
    )


def _columns(order: Order, results: Results) -> tuple[Column, ...]:
    interval = f"{order.confidence * 100:g}% CI"
    return (
        Column(("Method",), 2.3, "left"),
        Column(("Assumption about", "missing values"), 2.9, "left"),
        Column(("n",), 0.5),
        *(Column(arm.lines, 0.9) for arm in _arms(order)),
        Column(("Difference", "(SE)"), 1.3),
        Column((interval,), 1.4),
        Column(("p-value",), 0.8),
        *((Column(("FMI",), 0.5), Column(("MC", "SE"), 0.6)) if _pooled(order, results) else ()),
    )


def _arms(order: Order) -> tuple[Heading, ...]:
    """The arms that have columns: few enough to stand beside the comparison."""
    return order.arms if len(order.arms) <= MOST_ARMS else ()


def _pooled(order: Order, results: Results) -> bool:
    """Whether any analysis shown pools imputations."""
    records = map(results.analysis, order.analyses)
    return any(record is not None and record.variances for record in records)


def _blocks(order: Order, results: Results) -> Iterator[Block]:
    """The rows of each analysis, a heading before those of another role or quantity."""
    heading = ""
    for name in order.analyses:
        record = results.analysis(name)
        told = _heading(order, record) if record is not None else ""
        first = (Row((Cell(told),), bold=True),) if told and told != heading else ()
        heading = told or heading
        yield Block((*first, *_rows(order, results, name)), gap=False)


def _heading(order: Order, record: AnalysisRecord) -> str:
    """``Sensitivity: slope, mL/year``; a role alone where nothing is compared."""
    what = _quantity(order, record) if record.pairs and not record.failure else ""
    return ": ".join(filter(None, (record.role.capitalize(), what)))


def _rows(order: Order, results: Results, name: str) -> tuple[Row, ...]:
    record = results.analysis(name)
    width = len(_columns(order, results))
    if record is None or record.failure:
        said = f"Not made: {record.failure}" if record else "Not made."
        return (_row(width, Cell(_label(record) if record else name), Cell(said)),)
    rows = [row for pair in record.pairs for row in _pair(order, results, record, pair, width)]
    return tuple(rows) or (_row(width, Cell(_label(record)), Cell(record.assumption)),)


def _pair(
    order: Order, results: Results, record: AnalysisRecord, pair: tuple[str, str], width: int
) -> Iterator[Row]:
    """The row of a pair of arms, and one for each variance that is shown and does not decide."""
    deciding = record.variances[:1]
    label = _label(record, _compared(order, record, pair))
    times = _cells(order, results, record).value("imputations", **_headline(record, pair))
    drawn = f", M={times:g}" if times and times > 1 else ""
    named = "".join(f" ({VARIANCES.get(name, name)}{drawn})" for name in deciding)
    said = (Cell(label + named), Cell(record.assumption))
    yield _row(width, *said, *_numbers(order, results, record, pair))
    for name in record.variances[1:]:
        numbers = _numbers(order, results, record, pair, group=name)
        empty = (EMPTY, *[EMPTY] * len(_arms(order)))
        difference = numbers[len(empty) :]
        yield _beneath(width, f"the same ({VARIANCES.get(name, name)})", "", *empty, *difference)
    yield from _tips(order, results, record, pair, width)


def _tips(
    order: Order, results: Results, record: AnalysisRecord, pair: tuple[str, str], width: int
) -> Iterator[Row]:
    """A row for each arm whose imputed values, shifted far enough, change the conclusion."""
    cells = _cells(order, results, record)
    unit = record.specification.get("delta", "").split(",")[0]
    for arm in order.arms:
        keys = {**_headline(record, pair), "quantity": "tipping-point", "group": arm.key}
        delta = cells.value("delta", **keys)
        if delta is None or delta != delta:
            continue
        found = (
            cells.with_spread("estimate", "std_error", **keys),
            cells.interval(**keys),
            cells.p_value(**keys),
        )
        empty = (EMPTY, *[EMPTY] * len(_arms(order)))
        said = f"Delta of {arm.text}: {delta:.1f} {unit}".rstrip()
        yield _beneath(width, "where the conclusion changes", said, *empty, *found)


def _beneath(width: int, method: str, assumption: str, *cells: Cell) -> Row:
    """A row that belongs to the one above."""
    said = (Cell(method), Cell(assumption) if assumption else EMPTY, *cells)
    return Row((*said, *[EMPTY] * (width - len(said))), indent=1)


def _label(record: AnalysisRecord, compared: str = "") -> str:
    label = record.label or record.name
    return f"{label}: {compared}" if compared else label


def _compared(order: Order, record: AnalysisRecord, pair: tuple[str, str]) -> str:
    """The arms of a row, where there are several."""
    return " - ".join(order.arm(key).text for key in pair) if len(record.pairs) > 1 else ""


def _quantity(order: Order, record: AnalysisRecord) -> str:
    """What is compared, with its unit: a slope, or the mean at a visit."""
    if record.headline == RANKS:
        return "standardised rank, from 0 (worst) to 1"
    if record.headline == "slope-difference":
        return f"slope, {order.unit}/year" if order.unit else "slope per year"
    visit = record.visit or record.specification.get("visit", "")
    where = f"mean at {visit}" if visit else "mean over visits"
    return f"{where}, {order.unit}" if order.unit else where


def _row(width: int, *cells: Cell) -> Row:
    return Row((*cells, *[EMPTY] * (width - len(cells))))


def _numbers(
    order: Order,
    results: Results,
    record: AnalysisRecord,
    pair: tuple[str, str],
    group: str = "",
) -> tuple[Cell, ...]:
    """n, the arms' own, difference, interval, p; what pooling lost, where there was any."""
    decimals = RANK_DECIMALS if record.headline == RANKS else order.decimals
    cells = _cells(replace(order, decimals=decimals), results, record)
    keys = {**_headline(record, pair), "group": group}
    own = {"quantity": OF_ARMS.get(record.headline, ""), "visit": record.visit, "group": group}
    return (
        cells.count("n_subjects", quantity="fit"),
        *(
            cells.number("estimate", 1, arm=arm.key, **own)
            if arm.key in pair and own["quantity"]
            else EMPTY
            for arm in _arms(order)
        ),
        cells.with_spread("estimate", "std_error", **keys),
        cells.interval(**keys),
        cells.p_value(**keys),
        *(_lost(cells, keys) if _pooled(order, results) else ()),
    )


def _lost(cells: Cells, keys: Mapping[str, str]) -> tuple[Cell, ...]:
    """Fraction of missing information and Monte-Carlo error; empty where nothing was drawn."""
    fmi, error = (cells.value(name, **keys) for name in ("fmi", "monte_carlo_se"))
    if fmi is None or error is None:
        return (EMPTY, EMPTY)
    return Cell(f"{fmi:.2f}", (fmi,)), cells.number("monte_carlo_se", 1, **keys)


def _headline(record: AnalysisRecord, pair: tuple[str, str]) -> dict[str, str]:
    """Where the difference of a pair stands in the results."""
    arm, versus = pair
    return {"quantity": record.headline, "visit": record.visit, "arm": arm, "versus": versus}


def _cells(order: Order, results: Results, record: AnalysisRecord) -> Cells:
    keys = {
        "analysis": record.name,
        "method": record.method,
        "endpoint": record.endpoint,
        "population": record.population,
    }
    return Cells(results, order, keys)


def _explained(results: Results, order: Order) -> tuple[str, ...]:
    """The roles shown, in words, and what n counts."""
    found = {record.role for name in order.analyses if (record := results.analysis(name))}
    words = [f"{role.capitalize()}: {said}" for role, said in ROLES.items() if role in found]
    pooled = (EXPLAINED,) if _pooled(order, results) else ()
    return (f"{'; '.join(words)}.", "n: subjects analysed.", *pooled) if words else ()


def _lacking(order: Order, results: Results) -> Iterator[tuple[str, str, str]]:
    """Which analyses do not determine which difference, and why."""
    for name in order.analyses:
        record = results.analysis(name)
        if record is None or record.failure:
            continue
        for pair in record.pairs:
            cells = _cells(order, results, record)
            label = _label(record, _compared(order, record, pair))
            yield label, "", cells.note("estimate", **_headline(record, pair))
