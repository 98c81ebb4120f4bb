"""What a shell is told: everything about an output that is not a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.tables.numbers import NumberFormat


@dataclass(frozen=True, slots=True)
class Heading:
    """An arm or a population as the table calls it.

    Attributes
    ----------
    key : str
        In the results.
    lines : tuple of str
        In the table.
    """

    key: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """In one line."""
        return " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Order:
    """An output as the protocol orders it.

    Attributes
    ----------
    kind, number : str
        As ``Table`` and ``14-3.01``.
    titles : tuple of str
    population : Heading
        The subjects shown.
    arms : tuple of Heading
        In table order.
    pairs : tuple of (str, str)
        Arms compared, the first less the second.
    visits : tuple of str
        In schedule order.
    baseline : str
        Name of the baseline visit.
    analyses : tuple of str
    endpoint : str
        Key of the endpoint shown.
    at : str
        The visit of an analysis at one visit.
    populations : tuple of Heading
        Rows of a table of populations.
    records : tuple of str
        Which records are summed up: ``observed``, ``locf``, ``locf-records``.
    decimals : int
        Of the collected value.
    numbers : NumberFormat
        The house's.
    footnotes : tuple of str
        Keywords that the shell knows, or text.
    confidence : float
    average_over : str
        ``visits`` where LS means are averaged over them.
    columns : tuple of Heading
        Columns of the subjects' data set that are summed up.
    unit : str
        Of the endpoint.
    levels : mapping of str to mapping of str to str
        Column -> its values in order -> their words.
    estimands : tuple of Heading
        Of the analyses, each once, with the question in words.
    """

    kind: Literal["Table", "Listing"]
    number: str
    titles: tuple[str, ...]
    population: Heading
    arms: tuple[Heading, ...]
    numbers: NumberFormat
    pairs: tuple[tuple[str, str], ...] = ()
    visits: tuple[str, ...] = ()
    baseline: str = ""
    analyses: tuple[str, ...] = ()
    endpoint: str = ""
    at: str = ""
    populations: tuple[Heading, ...] = ()
    records: tuple[str, ...] = ("observed",)
    decimals: int = 0
    footnotes: tuple[str, ...] = ()
    confidence: float = 0.95
    average_over: str = ""
    columns: tuple[Heading, ...] = ()
    unit: str = ""
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    estimands: tuple[Heading, ...] = ()

    @property
    def only_analysis(self) -> str:
        """The analysis of an output that shows one.

        Raises
        ------
        UsageError
            If it orders none, or several.
        """
        if len(self.analyses) != 1:
            found = ", ".join(self.analyses) or "none"
            raise UsageError(f"found the analyses {found}: expected exactly one analysis")
        return self.analyses[0]

    def arm(self, key: str) -> Heading:
        """The arm with this key."""
        return next(arm for arm in self.arms if arm.key == key)
