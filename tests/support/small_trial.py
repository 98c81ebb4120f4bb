"""A synthetic trial in ADaM's shape: 60 subjects, three arms, three visits, dropout.

The numbers come from a fixed recipe and mean nothing. Visits, baselines and changes stand in the
data as the protocol derives them, so a run has no discrepancies.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

ARMS = ("Placebo", "Low", "High")
PER_ARM = 20
#: visit -> its number and target day
VISITS = {"Week 4": (4, 29), "Week 8": (8, 57), "Week 12": (12, 85)}

PROTOCOL = """\
trialmlm: 1

protocol:
  id: SMALL-01
  title: a small synthetic trial
  data_origin: simulated
  unblinded: true

arms:
  PBO: {value: Placebo, label: Placebo, order: 1, dose: 0, control: true}
  LOW: {value: Low, label: Low Dose, order: 2, dose: 10}
  HIGH: {value: High, label: High Dose, order: 3, dose: 20}

data:
  subjects: {dataset: adsl, subject: USUBJID, arm: TRT01P, first_dose: TRTSDT}
  scores:
    dataset: adqs
    parameter: PARAMCD
    value: AVAL
    date: ADT
    visit: AVISIT
    base: BASE
    change: CHG
    derivation: DTYPE

schedule:
  day_1: first_dose
  baseline: {name: Baseline, record: last-on-or-before-day-1}
  visits:
    - {name: Week 4, day: 29, window: [2, 43]}
    - {name: Week 8, day: 57, window: [44, 71]}
    - {name: Week 12, day: 85, window: [72, 99]}
  in_window: {choose: nearest, ties: earlier, unscheduled: eligible}
  values: derived

populations:
  all: {label: All Subjects, where: "SAFFL == 'Y'"}
  efficacy: {label: Efficacy, where: "EFFFL == 'Y'"}

endpoints:
  score: {label: Score, decimals: 1, from: scores, parameter: TOTAL, better: higher}
  score_change: {label: Change in Score, change_from_baseline: score}

estimands:
  E1:
    question: mean change at Week 12
    population: efficacy
    variable: {value_of: score_change, at: Week 12}
    summary: difference in means

analyses:
  locf:
    role: comparator
    estimand: E1
    model: CHG ~ TRT01P + SEX + BASE
    at: Week 12
    dose_response: CHG ~ DOSE + SEX + BASE
    missing: {method: locf}
  mmrm:
    role: main
    estimand: E1
    model: CHG ~ TRT01P * AVISIT + BASE * AVISIT + SEX + us(AVISIT | USUBJID)
    df: kenward-roger
    missing: {otherwise: mar}

outputs:
  - {number: "1", table: populations, population: all, populations: [efficacy]}
  - {number: "2", table: ancova, analyses: [locf], footnotes: [model, missing-data]}
  - {number: "3", table: descriptive-by-visit, endpoint: score_change, population: efficacy,
     records: [observed, locf]}
  - {number: "4", table: mmrm, analyses: [mmrm], footnotes: [model, records]}
"""


def subjects() -> pd.DataFrame:
    """ADSL: one row per subject; two of each arm are outside the efficacy population."""
    n = len(ARMS) * PER_ARM
    first = [date(2026, 1, 5) + timedelta(days=i) for i in range(n)]
    return pd.DataFrame(
        {
            "USUBJID": [f"S-{i:03d}" for i in range(1, n + 1)],
            "TRT01P": [arm for _ in range(PER_ARM) for arm in ARMS],
            "SEX": ["F" if i % 5 < 2 else "M" for i in range(n)],
            "TRTSDT": [day.isoformat() for day in first],
            "SAFFL": ["Y"] * n,
            "EFFFL": ["N" if i >= n - 2 * len(ARMS) else "Y" for i in range(n)],
        }
    )


def records(adsl: pd.DataFrame) -> pd.DataFrame:
    """BDS: baseline and visits; every fourth subject leaves early, some miss one visit."""
    random = np.random.default_rng(20260105)
    rows = list[dict[str, object]]()
    for i, subject in enumerate(adsl.itertuples()):
        base = round(float(random.normal(50, 8)), 1)
        first = date.fromisoformat(str(subject.TRTSDT))
        shared = {"USUBJID": subject.USUBJID, "PARAMCD": "TOTAL", "BASE": base, "DTYPE": ""}
        rows.append({**shared, "ADT": first.isoformat(), "AVISIT": "Baseline", "AVAL": base,
                     "CHG": None})  # fmt: skip
        level, effect = float(random.normal(0, 4)), ARMS.index(str(subject.TRT01P))
        for k, (visit, (_, day)) in enumerate(VISITS.items()):
            value = round(base + level + effect * (k + 1) + float(random.normal(0, 3)), 1)
            shift = int(random.integers(-4, 5))
            if (i % 4 == 3 and k > i % 3) or (i % 7 == 2 and k == 1):
                continue
            on = first + timedelta(days=day - 1 + shift)
            rows.append({**shared, "ADT": on.isoformat(), "AVISIT": visit, "AVAL": value,
                         "CHG": round(value - base, 1)})  # fmt: skip
    return pd.DataFrame(rows)


def write_trial(
    folder: Path,
    *,
    protocol: str = PROTOCOL,
    adsl: pd.DataFrame | None = None,
    adqs: pd.DataFrame | None = None,
) -> Path:
    """Write a protocol and its data.

    Parameters
    ----------
    folder : path
        Gets ``protocol.yaml`` and, under ``data``, the two data sets as CSV.
    protocol : str
        Its text.
    adsl, adqs : DataFrame, optional
        The data sets; by default those of this module.

    Returns
    -------
    path
        The protocol file.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    people = subjects() if adsl is None else adsl
    (data / "adsl.csv").write_text(people.to_csv(index=False), encoding="utf-8")
    measured = records(subjects()) if adqs is None else adqs
    (data / "adqs.csv").write_text(measured.to_csv(index=False), encoding="utf-8")
    file = folder / "protocol.yaml"
    file.write_text(protocol, encoding="utf-8")
    return file
