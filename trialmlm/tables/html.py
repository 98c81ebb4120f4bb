"""HTML: one file per output that needs nothing beside itself, and runs nothing.

All text goes through the template's escaping; a policy in the file forbids scripts and anything
from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trialmlm.tables.html_view import view_of
from trialmlm.tables.wrap import clean

if TYPE_CHECKING:
    from trialmlm.tables.display import Display, Furniture
    from trialmlm.tables.document import Document
    from trialmlm.tables.layout import Layout

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("trialmlm.tables"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SHEETS: Final = {"letter": "letter", "a4": "A4"}


def html(document: Document) -> bytes:
    """Write a page, the same bytes for the same document."""
    view = view_of(document.display)
    text = ENVIRONMENT.get_template("page.html.j2").render(
        title=" - ".join(view.titles),
        style=style(),
        page=_page_box(document.layout),
        furniture=_furniture(document.furniture),
        view=view,
    )
    return text.encode()


def fragment(display: Display) -> Markup:
    """The table and its footnotes, to stand on a larger page that has the same `style`."""
    text = ENVIRONMENT.get_template("table.html.j2").render(view=view_of(display))
    return Markup(text)  # noqa: S704 - the template has escaped it


def style() -> Markup:
    """The style sheet of tables, to be set into a page."""
    return Markup(ENVIRONMENT.get_template("style.css").render())  # noqa: S704 - it is our own


class _Furniture(NamedTuple):
    protocol: str
    program: str
    run_time: str
    data_cut: str
    stamps: tuple[str, ...]


def _furniture(given: Furniture) -> _Furniture:
    return _Furniture(
        clean(given.protocol),
        clean(given.program),
        clean(given.run_time),
        clean(given.data_cut),
        tuple(filter(None, map(clean, (given.status, *given.stamps)))),
    )


class _PageBox(NamedTuple):
    size: str
    margins: str


def _page_box(layout: Layout) -> _PageBox:
    """Sheet and margins as style sheets have them."""
    margins = layout.margins
    inches = (margins.top, margins.right, margins.bottom, margins.left)
    way = "landscape" if layout.landscape else "portrait"
    return _PageBox(f"{_SHEETS[layout.paper]} {way}", " ".join(f"{inch:g}in" for inch in inches))
