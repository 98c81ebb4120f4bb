"""The small trial with rescue, deaths and withdrawals, actual time, and a slope analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.batch.inputs import Inputs
from trialmlm.batch.plan import make_plan
from trialmlm.batch.task import Task, make_task
from trialmlm.protocol.load import load_protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: subject -> day after the first dose on which rescue medication is taken
RESCUE = {"S-001": 40, "S-005": 70, "S-009": 1, "S-012": 400}
#: subject -> day of death; of leaving the trial
DEATHS = {"S-004": 30, "S-008": 60}
LEFT = {"S-004": 20, "S-008": 60, "S-012": 35, "S-016": 20}

_SLOPE = """\
  slope:
    role: main
    label: Random slopes
    estimand: SLOPE
    model: AVAL ~ TRT01P * YEARS + SEX + (1 + YEARS | USUBJID)
    missing: {otherwise: mar}

outputs:
  - {number: "5", table: rate-of-decline, analyses: [slope], footnotes: [model, events]}
  - {number: "6", table: methods-compared, analyses: [slope, mmrm, locf]}
  - {number: "7", table: attendance, endpoint: score, population: all}
  - {number: "8", table: disposition, population: all, populations: [efficacy], columns: [REASON]}
  - {number: "9", table: baseline, population: all, columns: [SEX, AGE]}
  - {number: "10", table: covariance, analyses: [mmrm]}
  - {number: "11", figure: forest, analyses: [mmrm, locf]}
"""
_REPLACED = {
    "first_dose: TRTSDT}": "first_dose: TRTSDT, end_of_study: EOSDT, death: DTHDT}",
    "    derivation: DTYPE\n": "    derivation: DTYPE\n"
    "  events:\n"
    "    rescue: {dataset: adcm, where: \"CMCLAS == 'RESCUE'\", date: ASTDT}\n"
    "    death: {dataset: adsl, where: not missing(DTHDT), date: DTHDT}\n",
    "  values: derived\n": "  time: {name: YEARS, days_per_year: 365.25}\n  values: derived\n",
    "    summary: difference in means\n": "    summary: difference in means\n"
    "    events: {rescue: RESCUE_STRATEGY, death: hypothetical}\n"
    "  SLOPE:\n"
    "    question: rate of change had nobody been rescued\n"
    "    population: efficacy\n"
    "    variable: {slope_of: score, to: Week 12}\n"
    "    events: {rescue: RESCUE_STRATEGY, death: hypothetical}\n"
    "    summary: difference in mean slope\n",
    "outputs:\n": _SLOPE,
}


def eventful_protocol(rescue: str = "hypothetical") -> str:
    """The protocol, with a strategy for rescue."""
    text = PROTOCOL
    for found, put in _REPLACED.items():
        text = text.replace(found, put, 1)
    return text.replace("RESCUE_STRATEGY", rescue)


def eventful_subjects() -> pd.DataFrame:
    """ADSL with dates of death and of leaving, a reason, and an age."""
    made = subjects()
    first = pd.to_datetime(made["TRTSDT"])
    made["EOSDT"] = _on(made, first, LEFT)
    made["DTHDT"] = _on(made, first, DEATHS)
    made["REASON"] = made["USUBJID"].map(
        lambda name: "DEATH" if name in DEATHS else "WITHDRAWAL" if name in LEFT else ""
    )
    made["AGE"] = [50 + i % 30 for i in range(len(made))]
    return made


def rescues() -> pd.DataFrame:
    """ADCM: every rescue twice, the later one first, and a medication that is none."""
    first = dict(zip(subjects()["USUBJID"], pd.to_datetime(subjects()["TRTSDT"]), strict=True))
    rows = [
        {"USUBJID": name, "CMCLAS": kind, "ASTDT": _day(first[name], day + late)}
        for name, day in RESCUE.items()
        for kind, late in (("RESCUE", 9), ("RESCUE", 0), ("OTHER", -30))
    ]
    return pd.DataFrame(rows)


def eventful_trial(
    folder: Path,
    *,
    rescue: str = "hypothetical",
    protocol: str = "",
    adcm: pd.DataFrame | None = None,
    adsl: pd.DataFrame | None = None,
    adqs: pd.DataFrame | None = None,
) -> Path:
    """Write it; the protocol's file."""
    people = eventful_subjects() if adsl is None else adsl
    text = protocol or eventful_protocol(rescue)
    file = write_trial(folder, protocol=text, adsl=people, adqs=adqs)
    given = rescues() if adcm is None else adcm
    (folder / "data" / "adcm.csv").write_text(given.to_csv(index=False), encoding="utf-8")
    return file


def inputs_of(file: Path) -> Inputs:
    """Its data, ready to be asked for."""
    return Inputs(load_protocol(file), file.parent / "data")


def task_of(inputs: Inputs, name: str) -> Task:
    """One analysis with its records."""
    (planned,) = (p for p in make_plan(inputs.protocol).analyses if p.name == name)
    return make_task(planned, inputs)


def measured() -> pd.DataFrame:
    """The records of the small trial with the day of each."""
    made = records(subjects())
    first = made["USUBJID"].map(
        dict(zip(subjects()["USUBJID"], pd.to_datetime(subjects()["TRTSDT"]), strict=True))
    )
    return made.assign(DAY=(pd.to_datetime(made["ADT"]) - first).dt.days + 1)


def _on(frame: pd.DataFrame, first: pd.Series[pd.Timestamp], days: Mapping[str, int]) -> list[str]:
    pairs = zip(frame["USUBJID"], first, strict=True)
    return [_day(start, days[name]) if name in days else "" for name, start in pairs]


def _day(first: pd.Timestamp, day: int) -> str:
    return str((first + pd.Timedelta(days=day - 1)).date())
