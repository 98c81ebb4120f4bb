"""Small sites pooled into one, by a rule that is fixed blind.

A site with fewer subjects than the rule says, in any arm (``per: arm``) or in all (``per: site``),
goes into the pool. While the pool itself is too small by the same measure, it takes the next
smallest of the other sites: the one with the fewest subjects in all, and of two equally small the
one whose identifier sorts first as text. (Plans that break such ties at random cannot be
reproduced from the data.)

Counted is every subject meant of the subject data set who is in an arm of the protocol, whatever
the population that is analysed: so one pooling holds for all analyses, and depends on no outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.adam.arms import in_order
from trialmlm.adam.cells import as_text
from trialmlm.adam.roles import check_columns
from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trialmlm.adam.arms import Arm
    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.roles import SubjectRoles

#: what the sites of the pool are called
POOLED = "POOLED"
#: the protocol's word -> the number of subjects that must not be too small, of subjects by arm
PER: Mapping[str, Callable[[Sequence[int]], int]] = {"arm": min, "site": sum}
_WORDS: Mapping[str, str] = {"arm": "in any arm", "site": "in all"}


@dataclass(frozen=True, slots=True)
class PoolingRule:
    """Which sites are small.

    Attributes
    ----------
    pool_below : int
        A site with fewer subjects is pooled.
    per : str
        ``arm``: its smallest arm is counted; ``site``: the whole site.
    """

    pool_below: int
    per: str

    def __post_init__(self) -> None:
        if self.per not in PER:
            msg = f"sites: per: found {self.per!r}, expected one of {', '.join(PER)}"
            raise UsageError(msg)

    def small(self, counts: Sequence[int]) -> bool:
        """Whether a site, or the pool, with these subjects by arm is too small."""
        return PER[self.per](counts) < self.pool_below

    def __str__(self) -> str:
        return f"fewer than {self.pool_below} subjects {_WORDS[self.per]}"


@dataclass(frozen=True, slots=True)
class Site:
    """One site: its identifier, its subjects by arm (in the arms' order), whether it is pooled."""

    name: str
    subjects: tuple[int, ...]
    pooled: bool

    @property
    def total(self) -> int:
        """Its subjects in all arms."""
        return sum(self.subjects)


@dataclass(frozen=True, slots=True)
class Pooling:
    """The pooling made.

    Attributes
    ----------
    name : str
        What models call the pooled site.
    rule : PoolingRule
    arms : tuple of str
        Labels of the arms, in their order.
    sites : tuple of Site
        Sorted by identifier.
    agreement : str
        How the data's own column of that name compares; empty where the data have none.
    """

    name: str
    rule: PoolingRule
    arms: tuple[str, ...]
    sites: tuple[Site, ...]
    agreement: str = ""

    @property
    def pooled(self) -> tuple[Site, ...]:
        """The sites of the pool."""
        return tuple(site for site in self.sites if site.pooled)

    @property
    def levels(self) -> int:
        """How many levels the pooled site has."""
        return len(self.sites) - len(self.pooled) + bool(self.pooled)

    def column(self, sites: pd.Series[Any]) -> pd.Series[Any]:
        """The pooled site of each row, from its site; missing for a site that was not counted."""
        groups = {site.name: POOLED if site.pooled else site.name for site in self.sites}
        return as_text(sites).map(groups)

    def frame(self) -> pd.DataFrame:
        """One row per site: site, subjects of each arm and in all, and the pooled site."""
        rows = [
            (site.name, *site.subjects, site.total, POOLED if site.pooled else site.name)
            for site in self.sites
        ]
        return pd.DataFrame(rows, columns=pd.Index(["site", *self.arms, "all", self.name]))

    def __str__(self) -> str:
        counted = sum(site.total for site in self.sites)
        names = ", ".join(site.name for site in self.pooled) or "none"
        text = (
            f"{self.name}: {len(self.pooled)} of {len(self.sites)} sites pooled as {POOLED} "
            f"({self.rule}, of {counted:,} subjects in an arm of the protocol), {self.levels} "
            f"levels. Pooled: {names}"
        )
        return f"{text}. {self.agreement}" if self.agreement else text


def pool_sites(
    subjects: Dataset, roles: SubjectRoles, arms: Sequence[Arm], column: str, rule: PoolingRule,
    name: str = "SITEGR1",
) -> Pooling:  # fmt: skip
    """Pool the small sites.

    Parameters
    ----------
    subjects : Dataset
        One row per subject.
    roles : SubjectRoles
    arms : sequence of Arm
        A subject in none of them is not counted.
    column : str
        The column of the site.
    rule : PoolingRule
    name : str
        What models call the pooled site.

    Raises
    ------
    DataError
        There is no such column, a subject in an arm has no site, or a site is called POOLED.
    """
    check_columns(subjects, {"sites.column": column})
    arm = as_text(subjects.frame[roles.arm])
    counted = subjects.frame[arm.isin([held.value for held in arms])]
    site, arm = as_text(counted[column]), arm.loc[counted.index]
    _check_sites(subjects, counted, roles, column)
    table = pd.crosstab(site, arm).reindex(columns=[held.value for held in in_order(arms)])
    counts = {
        str(at): tuple(map(int, row))
        for at, row in zip(table.index, table.fillna(0).to_numpy(), strict=True)
    }
    pool = _pool(counts, rule)
    sites = tuple(Site(at, counts[at], at in pool) for at in sorted(counts))
    made = Pooling(name, rule, tuple(held.label for held in in_order(arms)), sites)
    own = counted[name] if name in counted.columns else None
    agreement = "" if own is None else _agreement(made.column(site), as_text(own), name)
    return Pooling(name, rule, made.arms, sites, agreement)


def _pool(counts: Mapping[str, tuple[int, ...]], rule: PoolingRule) -> frozenset[str]:
    """The sites of the pool: the small ones, and the next smallest while it is small itself."""
    pool = [site for site, held in counts.items() if rule.small(held)]
    rest = sorted(counts.keys() - set(pool), key=lambda site: (sum(counts[site]), site))
    while pool and rest and rule.small(_together([counts[site] for site in pool])):
        pool.append(rest.pop(0))
    return frozenset(pool)


def _together(sites: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Subjects by arm of several sites."""
    return tuple(map(sum, zip(*sites, strict=True)))


def _check_sites(
    subjects: Dataset, counted: pd.DataFrame, roles: SubjectRoles, column: str
) -> None:
    site = as_text(counted[column])
    for wrong, told in (
        (site == "", f"{column} is blank, expected a site. Add it:"),
        (site == POOLED, f"{column} is {POOLED}, the name of the pool. Call the site otherwise:"),
    ):
        if wrong.any():
            listing = counted.loc[wrong, [roles.subject, roles.arm, column]]
            message = f"{subjects}: sites cannot be pooled: {int(wrong.sum())} subject(s) whose"
            raise DataError(f"{message} {told}", listing)


def _agreement(ours: pd.Series[Any], theirs: pd.Series[str], name: str) -> str:
    """Say whether the data's own column groups the subjects alike, whatever its names."""
    pairs = pd.DataFrame({"ours": ours, "theirs": theirs}).drop_duplicates()
    alike = not (pairs["ours"].duplicated().any() or pairs["theirs"].duplicated().any())
    if not alike:
        return f"The data's own {name} groups the sites otherwise; it is not used"
    renamed = pairs.loc[(pairs["ours"] == POOLED) & (pairs["theirs"] != POOLED), "theirs"]
    called = f" ({POOLED} is called {renamed.iloc[0]} there)" if len(renamed) else ""
    return f"The data's own {name} groups the sites alike{called}"
