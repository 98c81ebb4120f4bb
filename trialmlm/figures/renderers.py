"""The register of renderers: the file kinds a figure can be written as."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, Protocol

from matplotlib.text import Text

from trialmlm.figures.style import in_house_style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure


class Renderer(Protocol):
    """Turns a figure into a file's bytes; the same figure gives the same bytes."""

    @property
    def suffix(self) -> str:
        """File name suffix, with its dot."""

    def render(self, figure: Figure) -> bytes:
        """Write the figure."""


class PngRenderer:
    """Pixels, 300 to the inch by default."""

    suffix = ".png"

    def __init__(self, dpi: int = 300) -> None:
        self.dpi = dpi

    @in_house_style
    def render(self, figure: Figure) -> bytes:
        """Draw the figure; neither date nor version is written into the file."""
        out = io.BytesIO()
        _without_ligatures(figure)
        figure.savefig(out, format="png", dpi=self.dpi, metadata={"Software": None})
        return out.getvalue()


class PdfRenderer:
    """Vectors, with the fonts embedded and text that can be searched."""

    suffix = ".pdf"

    @in_house_style
    def render(self, figure: Figure) -> bytes:
        """Draw the figure; neither date nor version is written into the file."""
        out = io.BytesIO()
        _without_ligatures(figure)
        metadata = {
            "Title": str(figure.get_label()),
            "Creator": "trialmlm",
            "Producer": None,
            "CreationDate": None,
        }
        figure.savefig(out, format="pdf", metadata=metadata)
        return out.getvalue()


def _without_ligatures(figure: Figure) -> None:
    """Each character its own glyph, as :mod:`trialmlm.figures.text` measures lines.

    matplotlib draws ligatures since 3.11, and embeds them in the PDF as one more font.
    """
    if hasattr(Text, "set_fontfeatures"):
        for text in figure.findobj(Text):
            text.set_fontfeatures(("-liga",))


RENDERERS: Final[Mapping[str, Renderer]] = {"png": PngRenderer(), "pdf": PdfRenderer()}


def render(figure: Figure) -> dict[str, bytes]:
    """The figure as every kind of file.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    dict of str to bytes
        By suffix, ``.png`` and ``.pdf``.
    """
    return {renderer.suffix: renderer.render(figure) for renderer in RENDERERS.values()}
