"""The arms of the trial."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

from trialmlm.protocol.noun import Key, Lines, Location, Noun, Number, Text, Whole, YesNo, refuse


class Arm(Noun):
    """One arm; its key is how this file and the tables call it."""

    value: Text
    """What the data hold in the arm's column."""
    label: Lines
    """Heading in tables; a list breaks it into lines."""
    order: Whole
    """Place among the arms in tables, from 1."""
    dose: Number | None = None
    """Dose as a number, for a dose-response test."""
    control: YesNo = False
    """Whether the other arms are compared with this one."""

    @property
    def name(self) -> str:
        """The label in one line."""
        return " ".join(self.label)


def _faults(arms: Mapping[str, Arm]) -> Iterator[tuple[Location, str]]:
    for field in ("value", "order"):
        times = Counter(getattr(arm, field) for arm in arms.values())
        first: dict[object, str] = {}
        for key, arm in arms.items():
            held = getattr(arm, field)
            if times[held] > 1 and first.setdefault(held, key) != key:
                yield (key, field), f"found {held!r}, which arm {first[held]} has as well"
    controls = [key for key, arm in arms.items() if arm.control]
    for key in controls[1:]:
        yield (key, "control"), f"found a second control arm; {controls[0]} is one already"


def _coherent(arms: Mapping[str, Arm]) -> Mapping[str, Arm]:
    refuse("arms", _faults(arms))
    return arms


Arms = Annotated[Mapping[Key, Arm], AfterValidator(_coherent)]
