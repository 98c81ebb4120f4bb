"""Type I error and coverage of every df method over simulated null trials.

    python -m validation.operating_characteristics --write    # writes the page; below two minutes

Each trial has 20 subjects per arm, 4 visits, 25 % of the subjects leaving early, and no effect. The
MMRM is fitted by `mmrm` from the data frame and its formula; the test is that of the treatment
difference at the last visit, by Kenward-Roger. The other methods are applied to the same fit.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import trialmlm as tm
from trialmlm.inference.contrasts import estimates
from trialmlm.inference.register import repeated_method
from trialmlm.inference.source import Repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.inference.contrasts import Estimates

PAGE = Path(__file__).with_suffix(".md")
TRIALS = 10_000
#: the first number of every seed
STREAM = 20260705
PER_ARM, VISITS, LEAVE = 20, 4, 0.25
#: the truth is no difference, whatever the visit
FORMULA = "CHG ~ BASE + ARM*AVISIT + us(AVISIT | USUBJID)"
METHODS = (
    "kenward-roger",
    "kenward-roger-linear",
    "satterthwaite",
    "residual",
    "asymptotic",
)
HEADINGS = (
    "method",
    "rejects at 5 % (MC SE)",
    "95 % interval covers (MC SE)",
    "bias (MC SE)",
    "mean SE / SD",
    "mean df",
)
#: standard deviations and correlations of the visits
SD = np.array([6.0, 7.0, 8.0, 9.0])
RHO = 0.7


def simulated(seed: int) -> pd.DataFrame:
    """A null trial; a quarter leave after visit 1, 2 or 3, rather those who do badly."""
    rng = np.random.default_rng([STREAM, seed])
    n = 2 * PER_ARM
    lag = np.abs(np.subtract.outer(np.arange(VISITS), np.arange(VISITS)))
    factor = np.linalg.cholesky(0.9 * RHO**lag + 0.1 * np.eye(VISITS))
    base = rng.normal(50.0, 10.0, n)
    noise = rng.standard_normal((n, VISITS)) @ factor.T * SD
    Y = -0.2 * (base - 50.0)[:, None] - np.arange(VISITS) + noise
    # missing at random: who leaves after a visit had lower values there
    last = np.full(n, VISITS)
    share = 1.0 - (1.0 - LEAVE) ** (1.0 / (VISITS - 1))
    for visit in range(VISITS - 1):
        odds = np.exp(-0.5 * (noise[:, visit] / SD[visit]))
        leaves = rng.random(n) < share * odds / odds.mean()
        last = np.where((last == VISITS) & leaves, visit + 1, last)
    subject, visit = np.nonzero(np.arange(VISITS) < last[:, None])
    return pd.DataFrame(
        {
            "USUBJID": subject,
            "AVISIT": np.array([f"V{k + 1}" for k in range(VISITS)])[visit],
            "ARM": np.repeat(["A", "B"], PER_ARM)[subject],
            "BASE": base[subject],
            "CHG": Y[subject, visit],
        }
    )


@dataclass(frozen=True)
class Trials:
    """What was found over trials.

    Attributes
    ----------
    found : mapping of str to ndarray, shape (converged trials, 5)
        By method: estimate, standard error, df, whether 5 % rejects, whether 95 % covers.
    unconverged : list of int
        Seeds of the trials whose search did not end well.
    lost : float
        Mean share of the values that are missing.
    seconds : float
        CPU of simulating, fitting and testing.
    """

    found: dict[str, Array]
    unconverged: list[int]
    lost: float
    seconds: float


def difference(names: Sequence[str]) -> Array:
    """The row of the treatment difference at the last visit."""
    row = np.zeros((1, len(names)))
    row[0, names.index("ARMB")] = row[0, names.index(f"ARMB:AVISITV{VISITS}")] = 1.0
    return row


def _row(found: Estimates) -> list[float]:
    return [
        float(found.estimate[0]),
        float(found.std_error[0]),
        float(found.df[0]),
        float(found.p_value[0] < 0.05),
        float(found.ci_low[0] <= 0.0 <= found.ci_high[0]),
    ]


def run(trials: int) -> Trials:
    """Simulate, fit and test so many trials, one after the other."""
    clock = time.process_time()
    rows: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    unconverged, lost = [], 0.0
    for seed in range(1, trials + 1):
        frame = simulated(seed)
        lost += 1.0 - len(frame) / (2 * PER_ARM * VISITS)
        fit = tm.mmrm(FORMULA, frame, df=METHODS[0])
        if not fit.convergence.converged:
            unconverged.append(seed)
            continue
        L = difference(list(fit.coding.names))
        rows[METHODS[0]].append(_row(estimates(fit.method, L)))
        for name in METHODS[1:]:
            source = Repeated(fit.gaussian, "observed", fit.design)
            rows[name].append(_row(estimates(repeated_method(source, name, None), L)))
    found = {name: np.array(values) for name, values in rows.items()}
    return Trials(found, unconverged, lost / trials, time.process_time() - clock)


def share(values: Array) -> tuple[float, float]:
    """Percentage and its Monte-Carlo standard error."""
    p = float(values.mean())
    return 100.0 * p, 100.0 * float(np.sqrt(p * (1.0 - p) / values.size))


def table(made: Trials) -> list[str]:
    """A row per method."""
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, values in made.found.items():
        estimate, error, df, rejects, covers = values.T
        p, p_error = share(rejects)
        c, c_error = share(covers)
        spread = float(estimate.std(ddof=1))
        bias = f"{estimate.mean():.3f} ({spread / np.sqrt(estimate.size):.3f})"
        ratio = f"{error.mean() / spread:.3f}"
        lines.append(
            f"| {name} | {p:.2f} % ({p_error:.2f}) | {c:.2f} % ({c_error:.2f}) | {bias} "
            f"| {ratio} | {df.mean():.1f} |"
        )
    return lines


def page(made: Trials, trials: int) -> str:
    """The page."""
    worst = len(made.unconverged)
    return "\n".join(
        [
            "# Operating characteristics of the MMRM in small null trials",
            "",
            "Written by `python -m validation.operating_characteristics --write`.",
            f"{trials:,} trials, seeds 1 to {trials:,} of the stream {STREAM}:",
            f"{PER_ARM} subjects per arm, {VISITS} visits, {100 * LEAVE:.0f} % leave early,",
            f"missing at random ({100 * made.lost:.1f} % of the values), no difference between the",
            "arms.",
            f"`{FORMULA}`, REML, by `mmrm`",
            "from the data frame; the test is that of the difference at the last visit.",
            "",
            *table(made),
            "",
            f"Searches that did not end well: {worst} of {trials:,}. They would have no estimate",
            "and count in none of the percentages, and could move each by at most",
            f"{100 * worst / trials:.2f} percentage points.",
            "",
            "For the unstructured covariance Kenward-Roger and its linear form are one, and their",
            "degrees of freedom for one row are Satterthwaite's.",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(
        "python -m validation.operating_characteristics", description=__doc__
    )
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args(arguments)
    made = run(given.trials)
    text = page(made, given.trials)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stderr.write(f"{made.seconds:.0f} s of CPU\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
