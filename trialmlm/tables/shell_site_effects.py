"""Sites: how far each lies from the mean of all, as a model with random sites predicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Column, Display
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.display import Row
    from trialmlm.tables.order import Order

#: quantity -> its heading, and what its unit is divided by
EFFECTS: Final = {"site-intercept": ("Intercept", ""), "site-slope": ("Rate", "/year")}
EXPLAINED: Final = (
    "Deviations of a site from the mean of all sites are empirical Bayes predictions (best linear "
    "unbiased), drawn towards zero the more, the fewer values a site has; SE: of the prediction. "
    "The rate of an arm at a site is the adjusted rate of the arm and the site's deviation."
)


def site_effects(order: Order, results: Results) -> Display:
    """Subjects and values of each site, the predicted deviations (SE), SD between sites.

    Parameters
    ----------
    order : Order
        One analysis, with random effects of the sites.
    results : Results
        Quantities ``site``, ``site-intercept`` and ``site-slope`` by group, the site.
    """
    name = order.only_analysis
    record = results.analysis(name)
    notes = footnotes(order, record)
    shared = {"analysis": name, "endpoint": order.endpoint, "population": order.population.key}
    cells = Cells(results, order, {**shared, "method": record.method if record else ""})
    sites = [s.group for s in results.select(**cells.fixed, quantity="site", statistic="n")]
    there = [q for q in EFFECTS if cells.value("sd", quantity=q) is not None]
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(
            Column(("Site",), 1.6, "left"),
            Column(("Subjects",), 0.7),
            Column(("Values",), 0.7),
            *(Column(_heading(order, quantity), 1.4) for quantity in there),
        ),
        blocks=_blocks(cells, sites, there) if sites else (),
        footnotes=(*notes.lines, EXPLAINED) if sites else notes.lines,
    )


def _heading(order: Order, quantity: str) -> tuple[str, ...]:
    title, per = EFFECTS[quantity]
    unit = f", {order.unit}{per}" if order.unit else ""
    return (title, f"deviation (SE){unit}")


def _blocks(cells: Cells, sites: list[str], there: list[str]) -> tuple[Block, ...]:
    between = row(
        "SD between sites",
        EMPTY,
        EMPTY,
        *(cells.number("sd", 1, quantity=quantity) for quantity in there),
    )
    return (Block((between,)), Block(tuple(_site(cells, site, there) for site in sites)))


def _site(cells: Cells, site: str, there: list[str]) -> Row:
    return row(
        site,
        cells.count(quantity="site", group=site),
        cells.count("values", quantity="site", group=site),
        *(cells.with_spread("estimate", "std_error", quantity=q, group=site) for q in there),
    )
