"""One line of the installation check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PASS: Final = "pass"  # noqa: S105 - a verdict
FAIL: Final = "fail"
#: cannot be decided here, and the report says so on its first page
OPEN: Final = "not verified"
#: nothing to pass or fail: for the record
RECORDED: Final = "recorded"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the installation.

    Attributes
    ----------
    id, title : str
    requirement : str
        Identifier of what it shows.
    expected, obtained : str
    status : str
        `PASS`, `FAIL`, `OPEN` or `RECORDED`.
    """

    id: str
    title: str
    requirement: str
    expected: str
    obtained: str
    status: str


def decided(passed: bool) -> str:
    """The status of what either holds or does not."""
    return PASS if passed else FAIL
