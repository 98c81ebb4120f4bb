"""How the numbers of an analysis were made: its resolved specification, beside the numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """An analysis as it was carried out.

    Attributes
    ----------
    name, role : str
        As in the protocol.
    method : str
        ``MMRM`` or ``ANCOVA``; empty where it could not be made.
    endpoint, population : str
        Keys of the protocol.
    specification : mapping of str to str
        Model, covariance, estimation, weights, degrees of freedom, missing values, …, resolved.
    steps : tuple of str
        Records and subjects that each step of the selection left.
    counts : tuple of (arm, visit, n)
        Subjects analysed.
    convergence : str
        How the search ended; empty where there is none.
    failure : str
        Why there is no result; empty where there is one.
    notes : tuple of str
    exclusions : tuple of (subject, arm, reason)
        Subjects not analysed; the arm's key, or what the data hold where it has none.
    line : int
        Where the analysis stands in the protocol file; 0 where unknown.
    label : str
        Its words in tables that compare analyses.
    assumption : str
        What it assumes of missing values, in words.
    headline, visit : str
        The quantity, and the visit, of the difference that answers its question.
    pairs : tuple of (arm, versus)
        The arms compared.
    variances : tuple of str
        Of pooled estimates, by name: the one that decides, then those shown beside it.
    """

    name: str
    role: str
    method: str
    endpoint: str
    population: str
    specification: Mapping[str, str]
    steps: tuple[str, ...] = ()
    counts: tuple[tuple[str, str, int], ...] = ()
    convergence: str = ""
    failure: str = ""
    notes: tuple[str, ...] = ()
    exclusions: tuple[tuple[str, str, str], ...] = ()
    line: int = 0
    label: str = ""
    assumption: str = ""
    headline: str = "difference"
    visit: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    variances: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> AnalysisRecord:
        """The record that `as_dict` wrote."""
        known = dict(plain)
        for name in ("steps", "notes", "variances"):
            known[name] = tuple(known.get(name, ()))
        known["counts"] = tuple((arm, visit, n) for arm, visit, n in known["counts"])
        known["exclusions"] = tuple(
            (subject, arm, reason) for subject, arm, reason in known.get("exclusions", ())
        )
        known["pairs"] = tuple((arm, versus) for arm, versus in known.get("pairs", ()))
        return cls(**known)
