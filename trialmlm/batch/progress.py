"""What a run says while it runs: a bar on a terminal, plain lines elsewhere; and its log."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from types import TracebackType


def _standard_error() -> TextIO:
    """As it is when a run begins, not when this module was loaded."""
    return sys.stderr


class Reporter(Protocol):
    """Hears what a run does."""

    def say(self, line: str) -> None:
        """A line for the log and the reader."""

    def step(self, name: str) -> None:
        """One of the announced steps begins."""


@dataclass(slots=True)
class Log:
    """The lines of a run, kept for its log file.

    Attributes
    ----------
    reporter : Reporter or None
        Who else hears them.
    lines : list of str
    warnings : list of str
    """

    reporter: Reporter | None = None
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Keep a line and pass it on."""
        self.lines.append(line)
        if self.reporter is not None:
            self.reporter.say(line)

    def warn(self, line: str) -> None:
        """A line that ``--strict`` counts."""
        self.warnings.append(line)
        self.say(f"WARNING: {line}")

    def step(self, name: str) -> None:
        """A step begins."""
        self.lines.append(name)
        if self.reporter is not None:
            self.reporter.step(name)

    @property
    def text(self) -> str:
        """The log file."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class PlainReporter:
    """Lines to a stream, for batch logs."""

    stream: TextIO = field(default_factory=_standard_error)

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=self.stream, flush=True)

    def step(self, name: str) -> None:
        """Print the step."""
        self.say(name)


@dataclass(slots=True)
class TerminalReporter:
    """One moving line on a terminal; what must be read is printed above it."""

    total: int
    stream: TextIO = field(default_factory=_standard_error)
    _done: int = 0

    def say(self, line: str) -> None:
        """Print the line, if it is a warning or an error; the log has the rest."""
        if line.startswith(("WARNING", "ERROR")):
            self._clear()
            self.stream.write(line + "\n")
            self.stream.flush()

    def step(self, name: str) -> None:
        """Move on."""
        self._done += 1
        width = 24
        filled = min(width, width * self._done // max(1, self.total))
        bar = "█" * filled + "·" * (width - filled)
        self._clear()
        self.stream.write(f"{bar} {self._done}/{self.total} {name[:70]}")
        self.stream.flush()

    def __enter__(self) -> TerminalReporter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def _clear(self) -> None:
        self.stream.write("\r\x1b[2K")


@dataclass(slots=True)
class Tenths:
    """A line for every tenth of many steps, for batch logs."""

    total: int
    stream: TextIO = field(default_factory=_standard_error)
    _done: int = 0

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=self.stream, flush=True)

    def step(self, name: str) -> None:
        """Move on."""
        self._done += 1
        if 10 * self._done // max(1, self.total) > 10 * (self._done - 1) // max(1, self.total):
            self.say(f"{self._done:,} of {self.total:,} done, {name}")

    def __enter__(self) -> Tenths:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left on the screen."""
