"""Pages of the documentation: blocks of code, and what each prints."""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(text: str) -> Iterator[tuple[str, str]]:
    """What each block of code prints, and the text shown after it."""
    names: dict[str, Any] = {}
    printed = ""
    for kind, content in BLOCK.findall(text):
        if kind == "text":
            yield printed, content
            printed = ""
            continue
        assert printed == "", "a block prints what the page does not show"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(content, "<page>", "exec"), names)  # noqa: S102 -- the project's own page
        printed = out.getvalue()
    assert printed == "", "the last block prints what the page does not show"
