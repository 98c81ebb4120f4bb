"""One output made: its page or picture, in every kind of file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trialmlm.batch.index_facts import IndexEntry
from trialmlm.batch.manifest import Made
from trialmlm.batch.orders import order_of, population_key, titles_of
from trialmlm.deferred import Deferred
from trialmlm.errors import TrialmlmError
from trialmlm.files import write_file
from trialmlm.tables.display import Display
from trialmlm.tables.document import Document
from trialmlm.tables.renderers import RENDERERS
from trialmlm.tables.shells import SHELLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trialmlm.batch.plan import PlannedOutput
    from trialmlm.protocol.schema import Protocol
    from trialmlm.results.results import Results
    from trialmlm.tables.display import Furniture
    from trialmlm.tables.layout import Layout

#: what a page that says why an output was not made shows of its titles
MOST_TITLES, MOST_CHARACTERS = 3, 300
#: figures stand on matplotlib, which a run without figures does not load
_figure_order = Deferred("trialmlm.batch.figure_orders", "figure_order")
_figures = Deferred("trialmlm.figures.shells", "FIGURES")
_message_page = Deferred("trialmlm.figures.page", "message_page")
_render = Deferred("trialmlm.figures.renderers", "render")


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the outputs of a run.

    Attributes
    ----------
    protocol : Protocol
    results : Results
    folder : Path
    furniture : Furniture
    layout : Layout
    labels : mapping of str to str
        Of the columns of the subjects' data set.
    """

    protocol: Protocol
    results: Results
    folder: Path
    furniture: Furniture
    layout: Layout
    labels: Mapping[str, str]

    def make(self, planned: PlannedOutput) -> tuple[Made, IndexEntry]:
        """Make an output; what cannot be made leaves a page that says so."""
        status, reason = self._obstacle(planned)
        try:
            contents, shown = self._contents(planned, reason)
        except TrialmlmError as error:
            status, reason = "failed", str(error)
            contents, shown = self._contents(self._brief(planned), reason)
        files = {
            planned.stem + suffix: write_file(self.folder / (planned.stem + suffix), content)
            for suffix, content in contents.items()
        }
        made = Made(planned.output.number, planned.output.shell, status, reason, files)
        titles = titles_of(self.protocol, planned.output)
        return made, IndexEntry(planned.name, titles, tuple(files), status, reason, **shown)

    def _brief(self, planned: PlannedOutput) -> PlannedOutput:
        """The output with titles that fit on the page that says why it was not made."""
        titles = tuple(map(_clipped, titles_of(self.protocol, planned.output)[:MOST_TITLES]))
        brief = {"title": titles, "subtitle": None, "footnotes": ()}
        return replace(planned, output=planned.output.model_copy(update=brief))

    def _obstacle(self, planned: PlannedOutput) -> tuple[str, str]:
        """Whether the output can be made, and why not.

        A table that compares methods shows a method that failed as a row that says so.
        """
        if planned.refusal:
            return "not available", planned.refusal
        failures = [
            f"analysis {name}: {record.failure}"
            for name in planned.output.analyses
            if (record := self.results.analysis(name)) is not None and record.failure
        ]
        spared = len(failures) < len(planned.output.analyses) and len(planned.output.analyses) > 1
        return ("failed", "; ".join(failures)) if failures and not spared else ("made", "")

    def _contents(
        self, planned: PlannedOutput, reason: str
    ) -> tuple[dict[str, bytes], dict[str, Any]]:
        """The files' contents by suffix, and what the index page shows of them."""
        if planned.output.kind == "figure":
            figures = self._figure(planned, reason)
            return figures, {"image": figures[".png"]}
        display = self._message(planned, reason) if reason else self._table(planned)
        document = Document.of(display, self.furniture, self.layout)
        rendered = {r.suffix: r.render(document) for r in RENDERERS.values()}
        return rendered, {"display": display}

    def _table(self, planned: PlannedOutput) -> Display:
        order = order_of(self.protocol, planned, self.labels)
        return SHELLS[planned.output.shell](order, self.results)

    def _figure(self, planned: PlannedOutput, reason: str) -> dict[str, bytes]:
        order = _figure_order(
            self.protocol,
            planned,
            order_of(self.protocol, planned, self.labels),
            self.results,
            self.furniture,
        )
        if reason:
            figure = _message_page(order, f"This output was not made. {reason}")
        else:
            figure = _figures.function[planned.output.shell](order, self.results)
        found: dict[str, bytes] = _render(figure)
        return found

    def _message(self, planned: PlannedOutput, reason: str) -> Display:
        key = population_key(self.protocol, planned.output)
        populations = self.protocol.populations
        return Display(
            kind="Listing" if planned.output.kind == "listing" else "Table",
            number=planned.output.number,
            titles=titles_of(self.protocol, planned.output),
            population=_clipped(populations[key].label) if key in populations else "",
            message=f"This output was not made. {reason}",
        )


def _clipped(text: str) -> str:
    """A text of any length, shortened to what a head line takes."""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
