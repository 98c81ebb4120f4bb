"""Known differences from other programs, which are not failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialmlm.qualification.material import Material


@dataclass(frozen=True, slots=True)
class Deviation:
    """A known difference.

    Attributes
    ----------
    id, program, what, cause, size, source : str
        From which program; what differs, why, by how much, and where that is from.
    """

    id: str
    program: str
    what: str
    cause: str
    size: str
    source: str


def read_deviations(material: Material) -> tuple[Deviation, ...]:
    """Read the known differences, in the order of their file.

    Raises
    ------
    MaterialError
        The file is missing or cannot be read.
    """
    return tuple(Deviation(**stated) for stated in material.record("cases", "deviations.json"))
