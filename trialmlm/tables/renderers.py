"""The register of renderers: the file kinds a table can be written as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from trialmlm.deferred import Deferred
from trialmlm.tables.rtf import RtfRenderer
from trialmlm.tables.text import TextRenderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.tables.document import Document


class Renderer(Protocol):
    """Turns a document into a file's bytes; the same document gives the same bytes."""

    @property
    def suffix(self) -> str:
        """File name suffix, with its dot."""

    def render(self, document: Document) -> bytes:
        """Write the document."""


@dataclass(frozen=True, slots=True)
class LibraryRenderer:
    """A renderer whose library is loaded with the first document."""

    suffix: str
    write: Callable[[Document], bytes]

    def render(self, document: Document) -> bytes:
        """Write the document."""
        return self.write(document)


RENDERERS: Final[dict[str, Renderer]] = {
    "rtf": RtfRenderer(),
    "txt": TextRenderer(),
    "xlsx": LibraryRenderer(".xlsx", Deferred("trialmlm.tables.xlsx", "xlsx")),
    "html": LibraryRenderer(".html", Deferred("trialmlm.tables.html", "html")),
}
