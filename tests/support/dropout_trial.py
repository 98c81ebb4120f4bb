"""A small trial in which subjects drop out, and events to impute it by."""

from __future__ import annotations

import numpy as np
import pandas as pd

VISITS = ("Week 2", "Week 4", "Week 8")
MODEL = "CHG ~ BASE * AVISIT + ARM * AVISIT + us(AVISIT | USUBJID)"


def dropout_trial(
    arms: tuple[str, ...] = ("DRUG", "PLACEBO"), per_arm: int = 30, seed: int = 1, lost: float = 0.3
) -> pd.DataFrame:
    """Rows of what was observed; visits after dropout have no row, one gap is intermittent."""
    rng = np.random.default_rng(seed)
    n = per_arm * len(arms)
    base = rng.normal(20.0, 4.0, n)
    level = rng.normal(0.0, 3.0, (n, 1)) + rng.normal(0.0, 2.0, (n, len(VISITS)))
    arm = np.arange(n) % len(arms)
    change = -0.2 * base[:, None] - (1.0 + arm[:, None]) * np.arange(1, 4) + level
    stays = np.where(rng.random(n) < lost, rng.integers(1, len(VISITS), n), len(VISITS))
    seen = np.arange(len(VISITS)) < stays[:, None]
    seen[n - 1] = [True, False, True]
    who, when = np.nonzero(seen)
    return pd.DataFrame(
        {
            "USUBJID": [f"S{i:03d}" for i in who],
            "ARM": [arms[arm[i]] for i in who],
            "AVISIT": pd.Categorical([VISITS[j] for j in when], VISITS, ordered=True),
            "BASE": base[who],
            "CHG": change[who, when],
        }
    )


def dropouts(trial: pd.DataFrame, strategy: str) -> pd.DataFrame:
    """An event for each subject at the first visit after its last."""
    last = trial.assign(at=trial["AVISIT"].cat.codes).groupby("USUBJID")["at"].max()
    left = last[last < len(VISITS) - 1]
    visit = [VISITS[at + 1] for at in left]
    return pd.DataFrame({"USUBJID": left.index, "AVISIT": visit, "strategy": strategy})
