"""An output on its way to a file: what it shows, and the pages it was cut into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.tables.paginate import paginate

if TYPE_CHECKING:
    from trialmlm.tables.display import Display, Furniture
    from trialmlm.tables.layout import Layout
    from trialmlm.tables.page import Page


@dataclass(frozen=True, slots=True)
class Document:
    """All that a renderer may need: some write pages, others the display itself.

    Attributes
    ----------
    display : Display
    furniture : Furniture
    layout : Layout
    pages : tuple of Page
        At least one.
    """

    display: Display
    furniture: Furniture
    layout: Layout
    pages: tuple[Page, ...]

    @classmethod
    def of(cls, display: Display, furniture: Furniture, layout: Layout) -> Document:
        """Cut a display into pages.

        Raises
        ------
        UsageError
            Titles, headings and footnotes leave no room for the body.
        """
        return cls(display, furniture, layout, paginate(display, furniture, layout))
