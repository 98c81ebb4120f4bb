"""A zip container with the same bytes whenever, wherever and with whatever zlib it is written."""

from __future__ import annotations

import io
import re
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

#: the earliest date that a zip entry can carry, and the same moment as a document property
_ENTRY_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MOMENT: Final = rb"\g<1>1980-01-01T00:00:00Z"

_PROPERTIES: Final = "docProps/core.xml"
_WRITTEN_AT: Final = re.compile(rb"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*")


def normal_zip(content: bytes) -> bytes:
    """Write a zip file of an office document again: sorted entries, no dates.

    The entries are stored, not compressed: what a compressor makes of the same text depends on
    its version.

    Parameters
    ----------
    content : bytes
        A zip file.
    """
    written = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as given, ZipFile(written, "w", ZIP_STORED) as normal:
        for name in sorted(given.namelist()):
            entry = ZipInfo(name, _ENTRY_DATE)
            entry.create_system = 0  # as every system writes it, not as this one does
            normal.writestr(entry, _undated(name, given.read(name)))
    return written.getvalue()


def _undated(name: str, entry: bytes) -> bytes:
    """Replace the moments at which the document says it was created and modified."""
    return _WRITTEN_AT.sub(_MOMENT, entry) if name == _PROPERTIES else entry
