"""A trial in idiopathic pulmonary fibrosis, made up, with the results that figures read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trialmlm.figures.order import FigureFurniture, FigureOrder, FigureVisit, Named
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.records import Record
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEKS = (2, 4, 6, 12, 24, 36, 52)
ARMS = ("PBO", "ACT")
SLOPES = {"PBO": -230.0, "ACT": -110.0}
WEEKS_PER_YEAR = 365.25 / 7
MODEL = (
    "MMRM: CHG ~ BASE * AVISIT + ARM * AVISIT + us(AVISIT | USUBJID); REML; Kenward-Roger degrees "
    "of freedom and standard errors; LS means weight the levels of other factors equally; "
    "two-sided 95% confidence intervals (CI)."
)
METHODS = {
    "A2": ("main", "MMRM", 108.4, 38.2),
    "A2.j2r": ("sensitivity", "MMRM", 96.9, 38.8),
    "A2.retrieved": ("sensitivity", "MMRM", 101.3, 41.0),
    "A2.locf": ("comparator", "ANCOVA", 82.75, 33.1),
    "A2.completers": ("comparator", "MMRM", 121.6, 42.9),
}


@dataclass(frozen=True)
class Subject:
    name: str
    arm: str
    baseline: float
    slope: float
    values: tuple[float, ...]


def simulated(per_arm: int = 60, seed: int = 7) -> list[Subject]:
    rng = np.random.default_rng(seed)
    found = []
    for k in range(2 * per_arm):
        arm = ARMS[k % 2]
        baseline, slope = rng.normal(2750, 450), SLOPES[arm] + rng.normal(0, 190)
        values = baseline + slope * np.array(WEEKS) / WEEKS_PER_YEAR + rng.normal(0, 95, len(WEEKS))
        last = int(rng.integers(1, len(WEEKS))) if rng.random() < 0.2 else len(WEEKS)
        values[last:] = nan
        values[rng.random(len(WEEKS)) < 0.02] = nan
        found.append(Subject(f"IPF-{k:04d}", arm, baseline, slope, tuple(map(float, values))))
    return found


def statistic(quantity: str, name: str, value: float, **keys: str) -> Statistic:
    empty = dict.fromkeys(("arm", "versus", "visit", "group"), "")
    shared = {"analysis": "A2", "method": "MMRM", "endpoint": "fvc_change", "population": "treated"}
    given = {**empty, **shared, **keys, "quantity": quantity, "statistic": name}
    return Statistic(**given, value=float(value))


def estimate(quantity: str, value: float, se: float, **keys: str) -> Iterator[Statistic]:
    parts = {"estimate": value, "std_error": se, "df": 110.0, "ci_low": value - 1.98 * se}
    parts |= {"ci_high": value + 1.98 * se, "statistic": value / se, "p_value": 0.0049}
    for name, part in parts.items():
        yield statistic(quantity, name, part, **keys)


def by_visit(subjects: list[Subject]) -> Iterator[Statistic]:
    summary = {"analysis": "summary", "method": "observed"}
    for arm in ARMS:
        own = [one for one in subjects if one.arm == arm]
        base = np.array([one.baseline for one in own])
        at = {"arm": arm, "visit": "Baseline", **summary}
        for name, value in (("n", base.size), ("mean", base.mean()), ("sd", base.std(ddof=1))):
            yield statistic("value", name, value, **at)
        for k, week in enumerate(WEEKS):
            change = np.array([one.values[k] - one.baseline for one in own])
            change = change[~np.isnan(change)]
            at = {"arm": arm, "visit": f"Week {week}"}
            numbers = {"n": change.size, "mean": change.mean(), "sd": change.std(ddof=1)}
            for name, value in numbers.items():
                yield statistic("change", name, value, **at, **summary)
            yield statistic("count", "n", change.size, **at)
            se = change.std(ddof=1) / np.sqrt(change.size)
            yield from estimate("ls-mean", change.mean() - 0.1 * se * k, se, **at)


def compared() -> Iterator[Statistic]:
    for name, (_, method, value, se) in METHODS.items():
        visit = "Week 52" if method == "MMRM" else ""
        keys = {"analysis": name, "method": method, "arm": "ACT", "versus": "PBO", "visit": visit}
        yield from estimate("difference", value, se, **keys)
        at = {"analysis": name, "method": method}
        yield statistic("fit", "n_subjects", 84.0 if name == "A2.completers" else 118.0, **at)


def tipping() -> Iterator[Statistic]:
    keys = {"analysis": "A2.tipping", "method": "MI", "arm": "ACT", "versus": "PBO"}
    keys |= {"visit": "Week 52"}
    cells = [(a, b) for b in (0.0, -150.0, -300.0) for a in (0.0, -200.0, -400.0)]
    for number, (own, other) in enumerate(cells, start=1):
        value, at = 108.4 + 0.2 * own - 0.1 * other, {**keys, "group": str(number)}
        yield from estimate("tipping", value, 38.2, **at)
        yield statistic("tipping", "delta-ACT", own, **at)
        yield statistic("tipping", "delta-PBO", other, **at)
        if other == 0.0:
            alone = {**keys, "group": f"ACT {number}"}
            yield from estimate("tipping-curve", value, 38.2, **alone)
            yield statistic("tipping-curve", "delta", own, **alone)
    yield from estimate("tipping-point", 74.9, 38.2, **{**keys, "group": "ACT"})
    yield statistic("tipping-point", "delta", -167.3, **{**keys, "group": "ACT"})


def slopes(subjects: list[Subject]) -> Iterator[Statistic]:
    shared = {"analysis": "A1", "method": "LMM", "endpoint": "fvc"}
    for arm in ARMS:
        own = np.array([one.slope for one in subjects if one.arm == arm])
        yield from estimate("slope", own.mean(), own.std() / np.sqrt(own.size), arm=arm, **shared)


def records(subjects: list[Subject]) -> Iterator[Record]:
    rng = np.random.default_rng(1)
    for one in subjects:
        centre = 2750.0 + 0.01 * len(one.name)
        for week, value in zip(WEEKS, one.values, strict=True):
            t = (week + rng.uniform(-0.8, 0.8)) / WEEKS_PER_YEAR
            fitted, predicted = centre + SLOPES[one.arm] * t, one.baseline + one.slope * t
            residual = (value - predicted) / 95
            visit = f"Week {week}"
            yield Record("A1", one.name, one.arm, "", t, value, fitted, predicted, residual)
            change, fixed = value - one.baseline, SLOPES[one.arm] * t
            yield Record("A2", one.name, one.arm, visit, t, change, fixed, fixed, residual)


def analyses() -> Iterator[AnalysisRecord]:
    yield AnalysisRecord("A1", "main", "LMM", "fvc", "treated", {})
    for name, (role, method, _, _) in METHODS.items():
        yield AnalysisRecord(name, role, method, "fvc_change", "treated", {})
    yield AnalysisRecord(
        "A2.tipping", "sensitivity", "MI", "fvc_change", "treated", {}, pairs=(("ACT", "PBO"),)
    )


@pytest.fixture(scope="session")
def subjects() -> list[Subject]:
    return simulated()


@pytest.fixture(scope="session")
def results(subjects: list[Subject]) -> Results:
    statistics = (*by_visit(subjects), *compared(), *tipping(), *slopes(subjects))
    return Results(statistics, tuple(analyses()), tuple(records(subjects)))


@pytest.fixture(scope="session")
def order() -> FigureOrder:
    """An order of a change from baseline; tests change it with `dataclasses.replace`."""
    return FigureOrder(
        number="14.2.2.1",
        titles=("Change from Baseline in FVC (mL) by Visit", "LS Means with 95% CI, MMRM"),
        population=Named("treated", "Treated set"),
        endpoint=Named("fvc_change", "Change from baseline in FVC"),
        arms=(Named("PBO", "Placebo"), Named("ACT", "Active 150 mg bid")),
        visits=tuple(FigureVisit(f"Week {week}", week) for week in WEEKS),
        baseline=FigureVisit("Baseline", 0, "BL"),
        analyses=(Named("A2", "MMRM, missing at random"),),
        pairs=(("ACT", "PBO"),),
        at="Week 52",
        time_label="Weeks since first dose",
        time_scale=WEEKS_PER_YEAR,
        unit="mL",
        slope_unit="mL/year",
        better="higher",
        footnotes=(
            f"[1] {MODEL}",
            "Missing values are not imputed: missing at random is assumed.",
        ),
        furniture=FigureFurniture(
            protocol="TMLM-IPF-01",
            program="trialmlm 0.1.0, ipf_fvc/protocol.yaml",
            data_cut="2026-06-30",
            run_time="2026-07-01 08:00 UTC",
            status="DRAFT",
            stamps=("SIMULATED DATA",),
        ),
    )


@pytest.fixture(scope="session")
def orders(order: FigureOrder) -> dict[str, FigureOrder]:
    """An order for every figure."""
    slope = {
        "analyses": (Named("A1", "Random slopes"),),
        "endpoint": Named("fvc", "FVC"),
        "quantity": "value",
    }
    methods = {
        "A2": "MMRM, missing at random",
        "A2.j2r": "Jump to reference after discontinuation of drug",
        "A2.retrieved": "Retrieved dropouts",
        "A2.locf": "Last observation carried forward",
        "A2.completers": "Completers only",
    }
    named = tuple(Named(key, label) for key, label in methods.items())
    return {
        "means-by-visit": order,
        "profiles": changed(order, "Individual Profiles of FVC with Fitted Lines", **slope),
        "forest": changed(order, "Methods Compared: FVC at Week 52", analyses=named),
        "missing-patterns": changed(order, "Patterns of Missing FVC by Arm"),
        "residuals": changed(order, "Residual Diagnostics of the Random Slope Model", **slope),
        "tipping-point": changed(
            order,
            "Difference in FVC at Week 52 as imputed values are shifted",
            analyses=(Named("A2.tipping", "Tipping point"),),
        ),
        "individual-slopes": changed(order, "Predicted Slopes of FVC by Arm", **slope),
    }


def changed(order: FigureOrder, title: str, **fields: object) -> FigureOrder:
    return replace(order, titles=(title,), **fields)
