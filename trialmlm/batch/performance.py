"""How a method did in many trials whose truth is known, each number with its Monte-Carlo error.

The measures and their Monte-Carlo standard errors are those of Morris, White and Crowther,
Statistics in Medicine 2019;38:2074, table 6; the error of the truth, which is simulated too, is
added to that of the bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.batch.orders import pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array
    from trialmlm.batch.power import Tried
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.truth import Truth

#: two-sided level of the tests
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Simulated:
    """A number, and the Monte-Carlo standard error of it."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What many estimates are against the truth.

    Attributes
    ----------
    truth : Simulated
        The difference in the unit of the endpoint, and all that follows but the percentages.
    mean, bias, sd, mean_se, se_ratio : Simulated
        Of the estimates; `se_ratio` is the mean standard error over the SD of the estimates.
    coverage, rejects : Simulated
        Percent of trials: the interval has the truth; p is below 5 %.
    """

    truth: Simulated
    mean: Simulated
    bias: Simulated
    sd: Simulated
    mean_se: Simulated
    se_ratio: Simulated
    coverage: Simulated
    rejects: Simulated


@dataclass(frozen=True, slots=True)
class Performance:
    """A method against an estimand in a scenario.

    Attributes
    ----------
    scenario, method, label, role : str
        The method's key, words and role in the protocol; with a variance where there are several.
    estimand : str
        The key of that against which it is scored.
    scored_as : str
        ``own``, or ``main``: the estimand of the main analysis that it stands beside.
    trials, failed : int
        Trials in which it gave an estimate, and in which it gave none.
    measures : Measures
    """

    scenario: str
    method: str
    label: str
    role: str
    estimand: str
    scored_as: str
    trials: int
    failed: int
    measures: Measures


def performances(tried: Tried) -> tuple[Performance, ...]:
    """Every method against its own estimand, and against that of its main analysis."""
    return tuple(_performances(tried))


def _performances(tried: Tried) -> Iterator[Performance]:
    protocol = tried.setting.protocol
    methods = dict.fromkeys(name for trial in tried.trials for name in trial)
    for method in methods:
        numbers = [trial[method] for trial in tried.trials if method in trial]
        kept = np.array([held for held in numbers if not isinstance(held, str)], dtype=float)
        name = method.split(" [")[0]
        analysis = protocol.analysis(name)
        own, main = analysis.estimand or "", main_estimand(protocol, name)
        asked = {"own": own} | ({"main": main} if main != own else {})
        for scored_as, estimand in asked.items():
            truth = oriented(protocol, name, tried.truths.get(estimand))
            yield Performance(
                scenario=tried.setting.scenario,
                method=method,
                label=method.replace(name, analysis.label or name, 1),
                role=analysis.role,
                estimand=estimand,
                scored_as=scored_as,
                trials=len(kept),
                failed=len(numbers) - len(kept),
                measures=_measures(kept, truth),
            )


def main_estimand(protocol: Protocol, name: str) -> str:
    """The estimand of the main analysis that an analysis stands beside; else its own."""
    seen = name
    while (of := protocol.analyses.written[seen].of) is not None:
        seen = of
    if protocol.analysis(seen).role == "main":
        return protocol.analysis(seen).estimand or ""
    own = protocol.analysis(name).estimand
    mains = [
        held.estimand
        for held in map(protocol.analysis, protocol.analysis_names)
        if held.role == "main" and held.estimand and own
        and protocol.estimand(held.estimand).variable == protocol.estimand(own).variable
    ]  # fmt: skip
    return mains[0] if mains else own or ""


def oriented(protocol: Protocol, name: str, truth: Truth | None) -> Simulated:
    """The true difference of the arms that the analysis compares, in its order."""
    if truth is None:
        return Simulated(nan, nan)
    first = pairs_of(protocol, protocol.analysis(name))[0][0]
    sign = -1.0 if first == protocol.control else 1.0
    return Simulated(sign * truth.difference, truth.error)


def _measures(kept: Array, truth: Simulated) -> Measures:
    count = len(kept)
    if count < 3:
        return Measures(truth, *[Simulated(nan, nan)] * 7)
    estimate, error, low, high, p_value = kept.T
    mean, sd = float(estimate.mean()), float(estimate.std(ddof=1))
    of_mean, of_sd = sd / sqrt(count), sd / sqrt(2 * (count - 1))
    mean_se = float(error.mean())
    of_se = float(error.std(ddof=1)) / sqrt(count)
    ratio = mean_se / sd
    return Measures(
        truth=truth,
        mean=Simulated(mean, of_mean),
        bias=Simulated(mean - truth.value, hypot(of_mean, truth.error)),
        sd=Simulated(sd, of_sd),
        mean_se=Simulated(mean_se, of_se),
        se_ratio=Simulated(ratio, ratio * hypot(of_se / mean_se, of_sd / sd)),
        coverage=_percent((low <= truth.value) & (truth.value <= high), truth),
        rejects=_percent(p_value < LEVEL),
    )


def _percent(happens: Array, truth: Simulated | None = None) -> Simulated:
    """The percentage of trials; of what cannot be known, nothing."""
    if truth is not None and np.isnan(truth.value):
        return Simulated(nan, nan)
    share = float(happens.mean())
    return Simulated(100 * share, 100 * sqrt(share * (1 - share) / len(happens)))
