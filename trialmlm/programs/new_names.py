"""Names for what a program makes itself, beside those of the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: room for a number behind a name of SAS's 32 characters
_LONGEST = 28


class NewNames:
    """Gives names that are plain in both languages and not taken, whatever their case."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}

    def like(self, wanted: str) -> str:
        """A name that recalls `wanted`."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")[:_LONGEST] or "x"
        plain = f"x{plain}"[:_LONGEST] if plain[0].isdigit() else plain
        found, count = plain, 1
        while found.casefold() in self._taken:
            count += 1
            found = f"{plain}_{count}"
        self._taken.add(found.casefold())
        return found
