"""Statistics looked up by what they share."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds statistics of one analysis.

    Attributes
    ----------
    results : Results
    shared : mapping of str to str
        Keys that all of them have.
    """

    results: Results
    shared: Mapping[str, str]

    @classmethod
    def of(cls, results: Results, record: AnalysisRecord) -> Lookup:
        """In the statistics of an analysis of the protocol."""
        shared = {
            "analysis": record.name,
            "method": record.method,
            "endpoint": record.endpoint,
            "population": record.population,
        }
        return cls(results, shared)

    def has(self, statistic: str, **keys: str) -> bool:
        """Whether there is one, be it not estimable."""
        return self.results.value(**{**self.shared, "statistic": statistic, **keys}) is not None

    def number(self, statistic: str, **keys: str) -> float:
        """A statistic; NaN where there is none or it has no finite value."""
        value = self.results.value(**{**self.shared, "statistic": statistic, **keys})
        return nan if value is None or not isfinite(value) else value

    def interval(self, **keys: str) -> tuple[float, float, float]:
        """An estimate and the limits of its confidence interval."""
        estimate, low, high = (
            self.number(name, **keys) for name in ("estimate", "ci_low", "ci_high")
        )
        return estimate, low, high

    def count(self, statistic: str = "n", **keys: str) -> int | None:
        """A number of subjects; None where nobody counted."""
        value = self.number(statistic, **keys)
        return int(value) if isfinite(value) else None
