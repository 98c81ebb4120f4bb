"""Small trials with much missing: every search ends at a proper optimum or names its reason.

    python -m validation.small_trials --write      # writes small_trials.md; some two minutes

Each trial has 20 to 60 subjects in two arms, 4 to 8 visits and up to 40 % of its values missing,
at random and by dropout. What the search says of its end is judged by a second evaluation of the
likelihood, subject by subject, that shares nothing with the package's own.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import trialmlm as tm
from trialmlm.engine.control import Control
from trialmlm.engine.optimize import optimise
from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.arrays import Array
    from trialmlm.models.mmrm import MmrmFit

PAGE = Path(__file__).with_suffix(".md")
TRIALS = 1000
#: of the other structures
OF_EACH = 200
OTHERS = ("cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
#: the first number of every seed
STREAM = 20260704
#: other starts of a search that ended badly
STARTS = 20
#: converged fits whose Hessian is made by differences too
DIFFERENCED = 50
#: where the smallest eigenvalue of a correlation is put, one after the other
PATH = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
MILLISECONDS = 1e3
#: how the first table is read
READING = """\
Where −2l falls all the way to a singular matrix, REML has no maximum inside. There may
be a local one all the same, with a higher −2l than near to the singular matrix: it is
the estimate where the search from the moments, or from half of their covariances,
finds it. DEGENERATE is named in the fit's `convergence`, with the visits and the arm
that carry too little data; the analysis then asks for another structure."""


@dataclass(frozen=True)
class Trial:
    """A simulated trial, one row per subject and visit that is not missing."""

    frame: pd.DataFrame
    n_subjects: int
    n_visits: int


def simulated(seed: int) -> Trial:
    """Draw a trial; everything about it but the model's form is random."""
    rng = np.random.default_rng([STREAM, seed])
    n, T = int(rng.integers(20, 61)), int(rng.integers(4, 9))
    missing, dropout = rng.uniform(0.0, 0.4), rng.uniform()
    arm = np.repeat(["A", "B"], [n - n // 2, n // 2])
    sd = rng.uniform(5.0, 12.0) * np.exp(np.linspace(0.0, rng.uniform(-0.3, 0.6), T))
    rho, share = rng.uniform(0.1, 0.95), rng.uniform()
    lag = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    R = share * rho**lag + (1.0 - share) * rho
    np.fill_diagonal(R, 1.0)
    base = rng.normal(50.0, 10.0, n)
    noise = rng.standard_normal((n, T)) @ np.linalg.cholesky(R * np.outer(sd, sd)).T
    Y = 0.2 * base[:, None] + 0.8 * np.arange(T) + noise
    lost = rng.random((n, T)) < missing * (1.0 - dropout)
    leaves = rng.random(n) < min(1.0, missing * dropout * T / ((T - 1) / 2.0 + 0.5))
    last = rng.integers(1, T, n)
    lost |= leaves[:, None] & (np.arange(T) >= last[:, None])
    subject, visit = np.nonzero(~lost)
    frame = pd.DataFrame(
        {
            "USUBJID": [f"S{i:03d}" for i in subject],
            "AVISIT": [f"V{j + 1}" for j in visit],
            "ARM": arm[subject],
            "BASE": base[subject],
            "CHG": Y[subject, visit],
        }
    )
    return Trial(frame, n, T)


def fitted(trial: Trial, structure: str = "us") -> MmrmFit:
    """The model of every trial."""
    return tm.mmrm(f"CHG ~ BASE + ARM*AVISIT + {structure}(AVISIT | USUBJID)", trial.frame)


# --- a likelihood of its own: subjects one by one ---------------------------------------------


@dataclass(frozen=True)
class BySubject:
    """REML of the fit's rows from the definition.

    Attributes
    ----------
    rows : tuple of (visits, X_i, y_i)
        Of every subject; the columns of X span the model's.
    """

    rows: tuple[tuple[Array, Array, Array], ...]

    @classmethod
    def of(cls, fit: MmrmFit) -> BySubject:
        """The same rows, X made orthonormal, y less its least-squares fit."""
        design = fit.design
        X, y = design.rows(), design.Y[design.observed]
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        Q = left[:, values > 1e-10 * values[0]]
        y = y - Q @ (Q.T @ y)
        ends = np.cumsum(design.observed.sum(axis=1))
        visits = [np.flatnonzero(seen) for seen in design.observed]
        parts = zip(visits, np.split(Q, ends[:-1]), np.split(y, ends[:-1]), strict=True)
        return cls(tuple((v, X_i, y_i) for v, X_i, y_i in parts))

    def at(self, Sigma: Array) -> tuple[float, Array]:
        """−2l less its constants, and its gradient as a symmetric T × T matrix."""
        inverses = [np.linalg.inv(Sigma[np.ix_(v, v)]) for v, _, _ in self.rows]
        together = [*zip(self.rows, inverses, strict=True)]
        XtOX = sum(X.T @ Omega @ X for (_, X, _), Omega in together)
        XtOy = sum(X.T @ Omega @ y for (_, X, y), Omega in together)
        Phi = np.linalg.inv(XtOX)
        value = float(np.linalg.slogdet(XtOX)[1])
        G = np.zeros_like(Sigma)
        for (v, X, y), Omega in together:
            r = y - X @ (Phi @ XtOy)
            value += float(r @ Omega @ r - np.linalg.slogdet(Omega)[1])
            G[np.ix_(v, v)] += Omega - Omega @ (np.outer(r, r) + X @ Phi @ X.T) @ Omega
        return value, G

    def slope(self, sigma: Array, basis: Array) -> Array:
        """The gradient by the entries of Σ."""
        entries: Array = np.tensordot(basis, self.at(np.tensordot(sigma, basis, 1))[1], 2)
        return entries


def distance(fit: MmrmFit, own: BySubject) -> float:
    """√(g'Wg)/2 with the gradient g of the second likelihood: standard errors to the optimum."""
    basis = fit.family.tangent(fit.gaussian.theta)
    Sigma = fit.covariance.to_numpy()
    unit = fit.gaussian.likelihood.scale**2  # W is of the scaled data
    g = np.tensordot(basis, own.at(Sigma)[1], 2) * unit
    return float(np.sqrt(g @ fit.gaussian.information() @ g) / 2.0)


def least_curvature(fit: MmrmFit, own: BySubject) -> float:
    """Smallest eigenvalue of the Hessian made by differences, scaled to a unit diagonal."""
    basis = fit.family.tangent(fit.gaussian.theta)
    lower = np.tril_indices(fit.layout.n_visits)
    sigma = fit.covariance.to_numpy()[lower]
    steps = 1e-5 * np.sqrt(np.diag(fit.gaussian.information())) * fit.gaussian.likelihood.scale**2
    columns = [
        (own.slope(sigma + h * e, basis) - own.slope(sigma - h * e, basis)) / (2.0 * h)
        for h, e in zip(steps, np.eye(sigma.size), strict=True)
    ]
    H = (np.array(columns) + np.array(columns).T) / 2.0
    unit = np.sqrt(np.abs(np.diag(H)))
    return float(np.linalg.eigvalsh(H / np.outer(unit, unit))[0])


# --- evidence that a search that ended badly had nowhere else to end ---------------------------


class Elsewhere(PatternLikelihood):
    """The same likelihood, searched from random correlations and the moments' variances."""

    def starts(self) -> tuple[Array, ...]:
        """As many as asked for, the same every time."""
        rng = np.random.default_rng(STREAM)
        first = [self.covariance.sigma(theta) for theta in super().starts()[:1]]
        sd = np.sqrt(np.diag(first[0]))
        found = []
        for _ in range(STARTS):
            factor = rng.standard_normal((sd.size, 2 * sd.size))
            factor += rng.uniform(0.0, 3.0) * rng.standard_normal(2 * sd.size)  # some correlation
            S = factor @ factor.T
            unit = np.sqrt(np.diag(S))
            scale = sd * np.exp(0.3 * rng.standard_normal(sd.size))
            found.append(self.covariance.start(S / np.outer(unit, unit) * np.outer(scale, scale)))
        return tuple(found)


def proper_elsewhere(fit: MmrmFit) -> float | None:
    """−2l of a proper optimum that another start leads to, less that where the search ended."""
    own = fit.gaussian.likelihood
    again = Elsewhere(own.data, own.reml, own.covariance)
    end = optimise(again, Control(searches=STARTS))
    if not end.convergence.converged:
        return None
    return float(end.point.deviance - fit.gaussian.point.deviance)


def falls_towards_singular(fit: MmrmFit, own: BySubject) -> bool:
    """Whether −2l falls all the way as the weakest eigenvalue of Σ̂'s correlation goes to zero."""
    Sigma = fit.covariance.to_numpy()
    sd = np.sqrt(np.diag(Sigma))
    values, vectors = np.linalg.eigh(Sigma / np.outer(sd, sd))
    along = []
    for least in (*PATH, None):
        lifted = values if least is None else np.maximum(values, least)
        if least is None or least > values[0]:
            along.append(own.at((vectors * lifted) @ vectors.T * np.outer(sd, sd))[0])
    return bool((np.diff(along) < 0.0).all())


# --- all trials ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class End:
    """How one trial's fit ended; `fit` is None where the data were refused."""

    seed: int
    reason: str
    seconds: float
    message: str
    fit: MmrmFit | None

    @property
    def converged(self) -> bool:
        """Whether there is an estimate."""
        return self.reason == "CONVERGED"


def ended(seed: int, structure: str = "us") -> End:
    """Simulate and fit one trial; the clock is the process's own, from frame to fit."""
    trial = simulated(seed)
    clock = time.process_time()
    try:
        fit = fitted(trial, structure)
    except FitError as error:
        return End(seed, "REFUSED", time.process_time() - clock, str(error), None)
    seconds = time.process_time() - clock
    return End(seed, fit.convergence.reason.name, seconds, str(fit.convergence), fit)


def ends_of(structure: str, seeds: Iterable[int]) -> list[End]:
    """All of a structure, after one that is not counted: what it loads is loaded once."""
    fitted(simulated(10**6), structure)
    return [ended(seed, structure) for seed in seeds]


def slowest(ends: Sequence[End], structure: str, *, again: int = 20, times: int = 5) -> float:
    """The longest of the fits; the slowest are timed again, the least of their times counts.

    What else the machine does can only lengthen a time.
    """
    late = sorted(ends, key=lambda end: -end.seconds)
    repeated = [
        min(end.seconds, *(ended(end.seed, structure).seconds for _ in range(times)))
        for end in late[:again]
    ]
    return max(*repeated, late[again].seconds if len(late) > again else 0.0)


def table(ends: Sequence[End]) -> list[str]:
    """The page on the unstructured covariance."""
    good = [end for end in ends if end.converged]
    bad = [end for end in ends if end.fit is not None and not end.converged]
    facts = [end.fit.convergence for end in good if end.fit]
    judges = {end.seed: BySubject.of(end.fit) for end in ends if end.fit}
    away = [distance(end.fit, judges[end.seed]) for end in good if end.fit]
    sample = good[:: max(1, len(good) // DIFFERENCED)]
    curved = [least_curvature(end.fit, judges[end.seed]) for end in sample if end.fit]
    tried = [proper_elsewhere(end.fit) for end in bad if end.fit]
    saved = [apart for apart in tried if apart is not None]
    fall = [end for end in bad if end.fit and falls_towards_singular(end.fit, judges[end.seed])]
    counts = Counter(end.reason for end in ends if not end.converged)
    named = sum("visits" in end.message for end in ends if not end.converged)
    rows = [
        ("trials", f"{len(ends):,}"),
        ("proper optimum", f"{len(good):,}"),
        *(
            (f"named: {name}", f"{counts[name]:,}")
            for name in sorted(counts)
            if name != "CONVERGED"
        ),
        ("of those not converged, the message names visits", f"{named:,}"),
        ("CPU, median, ms", f"{MILLISECONDS * float(np.median([e.seconds for e in ends])):.1f}"),
        ("CPU, slowest, ms", f"{MILLISECONDS * slowest(ends, 'us'):.0f}"),
        ("most iterations of a fit that converged", str(max(f.iterations for f in facts))),
        (
            "smallest eigenvalue of a correlation matrix at an optimum",
            f"{min(f.condition for f in facts):.1e}",
        ),
        (
            "smallest eigenvalue of a scaled Hessian at an optimum, in θ",
            f"{min(f.curvature for f in facts):.1e}",
        ),
        (
            "largest distance to the optimum by the second likelihood, in standard errors",
            f"{max(away):.1e}",
        ),
        (
            f"smallest eigenvalue of {len(curved)} scaled Hessians made by differences, in Σ",
            f"{min(curved):.1e}",
        ),
        (
            f"not converged, a proper optimum from one of {STARTS} other starts",
            f"{len(saved)} of {len(bad)}",
        ),
        ("of these, with a lower −2l than where the search ended", str(sum(a < 0 for a in saved))),
        (
            "not converged, −2l falls all the way to the singular matrix",
            f"{len(fall)} of {len(bad)}",
        ),
    ]
    return ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]


def others(count: int) -> list[str]:
    """A row per other structure."""
    lines = [
        "| structure | trials | proper optimum | named | most iterations | slowest, ms CPU |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for structure in OTHERS:
        ends = ends_of(structure, range(1, count + 1))
        good = [end for end in ends if end.converged and end.fit]
        counts = Counter(end.reason for end in ends if not end.converged)
        named = ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "0"
        most = max(end.fit.convergence.iterations for end in good if end.fit)
        late = MILLISECONDS * slowest(ends, structure, again=5)
        lines.append(f"| {structure} | {count} | {len(good)} | {named} | {most} | {late:.0f} |")
    return lines


def page(trials: int, of_each: int) -> str:
    """All tables."""
    ends = ends_of("us", range(1, trials + 1))
    return "\n".join(
        [
            "# Small trials with much missing",
            "",
            "Written by `python -m validation.small_trials --write`.",
            f"Seeds 1 to {trials:,} of the stream {STREAM}:",
            "20 to 60 subjects, 4 to 8 visits, up to 40 % missing; the model is",
            "`CHG ~ BASE + ARM*AVISIT + us(AVISIT | USUBJID)`, REML, from data frame and formula.",
            "Times are of the process's CPU with one BLAS thread; the slowest fits are timed five",
            "times more and the least counts. The second likelihood goes subject by subject and",
            "shares nothing with the package's own.",
            "",
            *table(ends),
            "",
            READING,
            "",
            "## Other structures",
            "",
            *others(of_each),
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser("python -m validation.small_trials", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--of-each", type=int, default=OF_EACH, help="of the other structures")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args(arguments)
    text = page(given.trials, given.of_each)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
