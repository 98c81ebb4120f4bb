"""Sites, their regions, and when their subjects take the first dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

#: region -> (prefix of its sites, share of the sites)
REGIONS = {
    "Europe": ("EU", 0.45),
    "Asia": ("AS", 0.27),
    "North America": ("AM", 0.18),
    "Rest of world": ("RW", 0.10),
}
#: day of the first randomisation, and days over which subjects are randomised
FIRST_DAY = np.datetime64("2023-06-05", "D")
RECRUITMENT_DAYS = 548
#: subjects of a site, on average
_PER_SITE = 8.5
#: standard deviation of the log of a site's share: few sites recruit most subjects
_SKEW = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """Where and when subjects are randomised, ordered by both; every array is (n,).

    Attributes
    ----------
    site, region : ndarray of str
    number : ndarray of int
        Of the subject within its site, from 1.
    first_dose : ndarray of datetime64[D]
        Day of randomisation and of first dose.
    """

    site: NDArray[np.object_]
    region: NDArray[np.object_]
    number: NDArray[np.int64]
    first_dose: NDArray[np.datetime64]


def enrolled(rng: Generator, count: int) -> Enrolment:
    """Draw where and when each of `count` subjects is randomised."""
    sites, regions = _sites(max(len(REGIONS), round(count / _PER_SITE)))
    weights = np.exp(_SKEW * rng.standard_normal(len(sites)))
    bounds = np.cumsum(weights) / weights.sum()
    place = np.searchsorted(bounds, rng.random(count), side="right").clip(max=len(sites) - 1)
    day = rng.integers(0, RECRUITMENT_DAYS, count)
    order = np.lexsort((day, place))
    place, day = place[order], day[order]
    first_of_site = np.searchsorted(place, place, side="left")
    return Enrolment(
        site=sites[place],
        region=regions[place],
        number=np.arange(count) - first_of_site + 1,
        first_dose=FIRST_DAY + day,
    )


def _sites(count: int) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return the sites' names in order, and the region of each."""
    held = {region: max(1, round(share * count)) for region, (_, share) in REGIONS.items()}
    named = sorted(
        (f"{REGIONS[region][0]}{i:02d}", region)
        for region, number in held.items()
        for i in range(1, number + 1)
    )
    sites, regions = zip(*named, strict=True)
    return np.array(sites, dtype=object), np.array(regions, dtype=object)
