"""Each method against its own estimand, and beside the numbers that the trial was planned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from validation.ipf_fvc.facts import LEVEL
from validation.ipf_fvc.methods import methods
from validation.ipf_fvc.montecarlo import (
    Simulated,
    errors_to_spread,
    mean,
    percent,
    spread,
    without_chance,
)
from validation.ipf_fvc.records import NOBODY_DIES, NOBODY_LEAVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from validation.ipf_fvc.methods import Method


@dataclass(frozen=True, slots=True)
class Performance:
    """How a method did.

    Attributes
    ----------
    label, estimand : str
    placebo, difference : Simulated
        Mean of what it estimates.
    bias, null_bias : Simulated
        Of the difference, from the trial's own true difference.
    sd, error_ratio : Simulated
        Empirical standard deviation of the difference; mean model standard error over it.
    coverage, power, rejections : Simulated
        Percentages of trials: the interval has the true difference; p below 5 % under default,
        and under null.
    unconverged : int
        Fits that did not converge, of both scenarios.
    """

    label: str
    estimand: str
    placebo: Simulated
    difference: Simulated
    bias: Simulated
    null_bias: Simulated
    sd: Simulated
    error_ratio: Simulated
    coverage: Simulated
    power: Simulated
    rejections: Simulated
    unconverged: int


def performances(default: pd.DataFrame, null: pd.DataFrame) -> tuple[Performance, ...]:
    """The performance of every analysis of the protocol, in its order."""
    return tuple(_performance(made, default, null) for made in methods())


def _performance(made: Method, default: pd.DataFrame, null: pd.DataFrame) -> Performance:
    name, true = made.name, f"{made.estimand} difference"
    difference = default[f"{name} difference"]
    at = default[true].mean()
    covered = (default[f"{name} ci_low"] <= at) & (at <= default[f"{name} ci_high"])
    return Performance(
        label=made.label,
        estimand=made.estimand,
        placebo=mean(default[f"{name} placebo"]),
        difference=mean(difference),
        bias=mean(difference - default[true]),
        null_bias=mean(null[f"{name} difference"] - null[true]),
        sd=spread(difference),
        error_ratio=errors_to_spread(default[f"{name} std_error"], difference),
        coverage=percent(covered),
        power=percent(default[f"{name} p_value"] < LEVEL),
        rejections=percent(null[f"{name} p_value"] < LEVEL),
        unconverged=sum(int((found[f"{name} converged"] < 1).sum()) for found in (default, null)),
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """A number beside that of the plan, for information."""

    quantity: str
    obtained: Simulated
    planned: float | None = None


#: section 7.1 of the plan, 240 trials of its own program: column -> number
_OF_240 = {
    "A1 placebo": ("random slopes, placebo, mL/year", -234.2),
    "A1 active": ("random slopes, active, mL/year", -112.8),
    "A1 difference": ("random slopes, difference, mL/year", 121.4),
    "A1 placebo std_error": ("random slopes, mean model SE of the placebo slope, mL/year", 18.2),
    "A1 std_error": ("random slopes, mean model SE of the difference, mL/year", 23.5),
    "A2.locf placebo": ("ANCOVA with LOCF, placebo, mL", -212.0),
    "A2.locf active": ("ANCOVA with LOCF, active, mL", -103.0),
    "A2.completers_ancova placebo": ("ANCOVA of completers, placebo, mL", -221.0),
    "A2.completers_ancova active": ("ANCOVA of completers, active, mL", -105.0),
}
#: section 7.2 (7) of the plan, 200 trials' worth of subjects, nothing masked
_UNMASKED = {
    NOBODY_LEAVES: {"placebo": -233.9, "active": -117.6, "difference": 116.3},
    NOBODY_DIES: {"placebo": -243.5, "active": -122.8, "difference": 120.7},
}
_OBSERVED = 122.2


def beside_the_plan(default: pd.DataFrame) -> Iterator[Beside]:
    """What the plan's own program found, and what is found here."""
    for column, (quantity, planned) in _OF_240.items():
        yield Beside(quantity, mean(default[column]), planned)
    between = default["A2 difference"] - default["A1 difference"]
    yield Beside("MMRM less random slopes, SD over trials, mL", spread(between), 10.8)
    for seen, numbers in _UNMASKED.items():
        for name, planned in numbers.items():
            quantity = f"random slopes, {seen}: {name}, mL/year"
            yield Beside(quantity, mean(default[f"{seen} {name}"]), planned)
        apart = default[f"{seen} difference"] - default["A1 difference"]
        quantity = f"random slopes, {seen}: difference less that of what is observed, mL/year"
        yield Beside(quantity, mean(apart), numbers["difference"] - _OBSERVED)


def true_values(default: pd.DataFrame) -> Iterator[Beside]:
    """The estimands' true values, and the difference without what chance gave these trials."""
    for estimand, unit in (("E1", "mL/year"), ("E2", "mL")):
        for name in ("placebo", "active", "difference"):
            yield Beside(f"{estimand}, {name}, {unit}", mean(default[f"{estimand} {name}"]))
    chance = default["own slope difference"]
    yield Beside("chance difference in the subjects' own slopes, mL/year", mean(chance))
    for column, quantity in (("E1", "E1"), ("E2", "E2"), ("A1", "random slopes")):
        freed = without_chance(default[f"{column} difference"], chance)
        yield Beside(f"{quantity}, difference without that chance", freed)
