"""Write the simulated data of the operational cases: the same bytes every time.

Run from the root of the source: ``python -m validation.data.make``. The other files of this folder
are published tables and made up by hand (see ../README.md).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from trialmlm.simulate.trial import simulate_trial
from trialmlm.simulate.write import as_csv

FOLDER = Path(__file__).parent
SCENARIO, SEED, SIZES = "default", 13, (40, 48)
#: long names of the simulator -> those of the file
ARMS = {"Placebo": "PBO", "Active 150 mg bid": "ACT"}
VISITS = ("Week 12", "Week 24", "Week 36", "Week 52")
#: those of two parameters
VISITS_OF_TWO = VISITS[:3]


def make_trial() -> pd.DataFrame:
    """Every subject at every planned visit; CHG and YEARS are missing where nobody came.

    W is the number of readings that a value is said to be the mean of, 1 to 3: a weight.
    """
    trial = simulate_trial(SCENARIO, SEED, SIZES)
    subjects = trial.datasets["adsl"][["USUBJID", "TRT01P", "STRATAR2", "SEX", "FVCBL"]]
    records = trial.datasets["adfvc"]
    chosen = records["PARAMCD"].eq("FVC") & records["AVISIT"].isin(VISITS)
    grid = subjects.merge(pd.DataFrame({"AVISIT": VISITS}), how="cross")
    seen = records.loc[chosen, ["USUBJID", "AVISIT", "CHG", "YEARS"]]
    frame = grid.merge(seen, on=["USUBJID", "AVISIT"], how="left")
    names = {"TRT01P": "ARM", "STRATAR2": "STRATUM", "FVCBL": "BASE"}
    frame = frame.rename(columns=names).assign(
        USUBJID=frame["USUBJID"].str.slice(len("TMLM-IPF-01-")),
        ARM=frame["TRT01P"].map(ARMS),
        W=np.random.default_rng(SEED).integers(1, 4, len(frame)),
    )
    columns = ["USUBJID", "ARM", "STRATUM", "SEX", "BASE", "AVISIT", "YEARS", "W", "CHG"]
    return frame[columns]


def make_two_way() -> pd.DataFrame:
    """FVC and the SGRQ total score, change from baseline: two parameters at three visits."""
    trial = simulate_trial(SCENARIO, SEED, SIZES)
    records = pd.concat([trial.datasets["adfvc"], trial.datasets["adqs"]], ignore_index=True)
    chosen = records["PARAMCD"].isin(["FVC", "SGRQTOT"]) & records["AVISIT"].isin(VISITS_OF_TWO)
    frame = records[chosen & records["CHG"].notna()]
    frame = frame.sort_values(["USUBJID", "PARAMCD", "AVISIT"], kind="stable").assign(
        USUBJID=frame["USUBJID"].str.slice(len("TMLM-IPF-01-")), ARM=frame["TRT01P"].map(ARMS)
    )
    return frame[["USUBJID", "ARM", "PARAMCD", "AVISIT", "CHG"]]


#: file -> how it is made
FILES = {"trial.csv": make_trial, "two_way.csv": make_two_way}

if __name__ == "__main__":
    for name, make in FILES.items():
        (FOLDER / name).write_bytes(as_csv(make()))
