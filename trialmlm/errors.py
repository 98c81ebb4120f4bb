"""Every error this package raises on purpose, as one tree.

::

    TrialmlmError                exit code 1   an analysis could not be made
    ├── FitError                           1   the data do not carry the model
    ├── NotAvailableError                  1   asked for what this version does not build
    ├── UsageError                         2   a wrong argument, option, or output folder
    │   ├── ExpressionError                2   a formula or where-clause that is refused
    │   └── ProtocolError                  2   a protocol file that does not validate
    └── DataError                          3   the data contradict the protocol

A message says what was found, what was expected, and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class TrialmlmError(Exception):
    """Root of the tree.

    Attributes
    ----------
    exit_code : int
        The exit code of the command line when this error ends it.
    """

    exit_code = 1


class FitError(TrialmlmError):
    """The model cannot be fitted to these data; the message names the cause."""


class NotAvailableError(TrialmlmError):
    """The request is valid, but what it asks for is not built in this version."""


class UsageError(TrialmlmError):
    """A wrong argument or option, or an output folder that cannot be used."""

    exit_code = 2


class ExpressionError(UsageError):
    """A formula or where-clause that cannot be read, or names what is not allowed.

    Parameters
    ----------
    message : str
        What was found and what was expected.
    text : str, optional
        The whole expression.
    start, end : int, optional
        The offending part, as offsets into `text`; it is underlined in the message.
    """

    def __init__(self, message: str, text: str = "", start: int = 0, end: int = 0) -> None:
        self.message = message
        self.text = text
        self.start = start
        self.end = end
        super().__init__(self._pointed())

    def _pointed(self) -> str:
        if not self.text:
            return self.message
        carets = " " * self.start + "^" * max(1, self.end - self.start)
        return f"{self.message}\n    {self.text}\n    {carets}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a protocol file, and where it stands."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ProtocolError(UsageError):
    """A protocol file that does not validate; carries every fault found in it.

    Parameters
    ----------
    problems : sequence of Problem
        In file order.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class DataError(TrialmlmError):
    """The data contradict what the protocol says of them.

    Parameters
    ----------
    message : str
        What was found, what was expected, and what to do.
    rows : DataFrame, optional
        The offending rows, as they stand in the data; listed under the message.
    """

    exit_code = 3
    #: rows printed under the message; the whole listing stays in `rows`
    shown = 20

    def __init__(self, message: str, rows: pd.DataFrame | None = None) -> None:
        self.message = message
        self.rows = rows
        super().__init__(self._listed())

    def _listed(self) -> str:
        if self.rows is None or self.rows.empty:
            return self.message
        listing = self.rows.head(self.shown).to_string(index=False)
        more = len(self.rows) - self.shown
        tail = f"\n    … and {more} more" if more > 0 else ""
        return f"{self.message}\n    " + listing.replace("\n", "\n    ") + tail


class OppositeSlopesWarning(UserWarning):
    """A slope has one sign within groups and another between them, or over all rows."""
