"""Singular fits beside lme4's and lmerTest's, where R has them: small data, few variances."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from trialmlm.models.lmm import lmm

RSCRIPT = shutil.which("Rscript")
#: seed -> terms; all but one (1018) end at a boundary
CASES = {
    1000: "(1 | a / b)",
    1002: "(1 + t | a) + (1 | c)",
    1003: "(t || a) + (t || c)",
    1005: "(0 + t | a) + (1 | c) + (1 | d)",
    1006: "(1 | a / b) + (1 + t | c)",
    1011: "(1 + t | a) + (1 + t | c)",
    1036: "(1 | a) + (1 | c)",
    1018: "(1 + t | a) + (1 + t | c)",
    1020: "(1 | a / b) + (1 + t | c)",
}
START = """
suppressMessages({library(lme4); library(lmerTest)})
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6))
"""
EACH = """
data <- read.csv("FOLDER/SEED.csv")
fit <- suppressMessages(suppressWarnings(lmer(y ~ t + TERMS, data, control = tight)))
found <- suppressWarnings(coef(summary(fit)))
cat("FOUND SEED", sprintf("%.15g", c(-2 * as.numeric(logLik(fit)), found[, 1:3])), "\\n")
"""


def small(seed: int) -> pd.DataFrame:
    """Four random factors of a few levels each; every effect is absent with some probability."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 160))
    data = pd.DataFrame(
        {
            "a": rng.integers(0, rng.integers(4, 12), n),
            "b": rng.integers(0, 3, n),
            "c": rng.integers(0, rng.integers(3, 9), n),
            "d": rng.integers(0, 4, n),
            "t": rng.uniform(0, 3, n),
        }
    )
    sds = rng.choice([0, 0, 0.3, 1, 3], 5)
    y = rng.normal(size=n) + sds[0] * rng.normal(size=20)[data["a"]]
    y = y + sds[1] * rng.normal(size=20)[data["c"]]
    y = y + sds[2] * data["t"] * rng.normal(size=20)[data["a"]]
    return data.assign(y=y + sds[3] * data["t"] * rng.normal(size=20)[data["c"]])


@pytest.fixture(scope="module")
def lmertest(tmp_path_factory: pytest.TempPathFactory) -> dict[int, np.ndarray]:
    """By seed: −2 REML log-likelihood; estimates, standard errors and df of lmerTest.

    R fits all of them in one go: it takes longer to start than to fit.
    """
    folder = tmp_path_factory.mktemp("lmertest")
    script = START
    for seed, terms in CASES.items():
        small(seed).to_csv(folder / f"{seed}.csv", index=False)
        own = EACH.replace("FOLDER", str(folder)).replace("SEED", str(seed))
        script += own.replace("TERMS", terms)
    (folder / "fit.R").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [RSCRIPT or "", str(folder / "fit.R")], capture_output=True, text=True, check=False
    )
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    if not lines:
        pytest.skip(f"R without lmerTest: {done.stderr.strip()[-80:]}")
    return {int(seed): np.array(numbers, dtype=float) for seed, *numbers in lines}


@pytest.mark.skipif(RSCRIPT is None, reason="no R")
@pytest.mark.parametrize("seed", sorted(CASES))
def test_a_singular_fit_has_the_likelihood_and_the_df_of_lmertest(
    seed: int, lmertest: dict[int, np.ndarray]
) -> None:
    fit = lmm(f"y ~ t + {CASES[seed]}", small(seed))
    minus2, *rest = lmertest[seed]
    estimate, error, df = np.array(rest).reshape(3, 2)
    table = fit.coefficients()
    assert fit.convergence.converged
    assert any("boundary" in note for note in fit.notes) == (seed != 1018)
    # bobyqa ends at about 1e-9 of −2l, 1e-6 relative in errors; df are numerical derivatives
    assert fit.minus2_loglik == pytest.approx(minus2, abs=1e-7)
    assert np.abs((table["estimate"] - estimate) / error).max() < 1e-5
    np.testing.assert_allclose(table["std_error"], error, rtol=1e-5)
    np.testing.assert_allclose(table["df"], df, rtol=1e-4)
