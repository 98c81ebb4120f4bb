"""The register of renderers: the file kinds a table can be written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from trialmlm.tables.rtf import RtfRenderer
from trialmlm.tables.text import TextRenderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.tables.layout import Layout
    from trialmlm.tables.page import Page


class Renderer(Protocol):
    """Turns pages into a file's bytes; the same pages give the same bytes."""

    @property
    def suffix(self) -> str:
        """File name suffix, with its dot."""

    def render(self, pages: Sequence[Page], layout: Layout) -> bytes:
        """Write the pages.

        Parameters
        ----------
        pages : sequence of Page
            At least one, all of one display.
        layout : Layout
            The layout they were paginated for.
        """


RENDERERS: Final[dict[str, Renderer]] = {"rtf": RtfRenderer(), "txt": TextRenderer()}
