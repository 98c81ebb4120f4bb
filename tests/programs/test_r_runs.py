"""The R programs are run, and their numbers are ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from described import small_trial, unfitted

import trialmlm as tm

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pandas as pd

RSCRIPT = shutil.which("Rscript")
BY_VISIT = [("ARM", "AVISIT")]
#: R's optimisers stop early: up to 6e-4 SE in estimates, 1e-4 relative in standard errors
EARLY = 2e-4
REPEATED = "AVAL ~ BASE + SEX + ARM * AVISIT + {}(AVISIT | USUBJID)"
SLOPES = "AVAL ~ BASE + ARM * YEARS + (1 + YEARS | USUBJID)"


@cache
def installed() -> frozenset[str]:
    """The packages that R has; asked once, since R takes long to start."""
    if RSCRIPT is None:
        return frozenset()
    listed = "cat(rownames(installed.packages()))"
    done = subprocess.run([RSCRIPT, "-e", listed], capture_output=True, text=True, check=False)
    return frozenset(done.stdout.split())


def has(*packages: str) -> bool:
    """Whether R has the packages."""
    return installed() >= set(packages)


def run(program: str, data: pd.DataFrame, folder: Path, likelihood: str) -> Any:
    """Run a program of the last fit and its last LS means; the numbers at full precision."""
    data.to_csv(folder / "trial.csv", index=False)
    lines = [
        f"trial <- read.csv({json.dumps(str(folder / 'trial.csv'))})",
        program,
        "shown <- as.data.frame(summary(means))",
        'number <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ","), "]")',
        'cat("\\nFOUND {\\"minus2\\":", number(' + likelihood + '), ",\\"mean\\":", '
        'number(shown$emmean), ",\\"se\\":", number(shown$SE), ",\\"df\\":", '
        'number(pmin(shown$df, 1e9)), "}\\n", sep = "")',
    ]
    (folder / "program.R").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [RSCRIPT or "", str(folder / "program.R")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    return json.loads(line.removeprefix("FOUND "))


def compare(found: Any, fit: Any, means: pd.DataFrame, *, df: float | None, early: float) -> None:
    """The likelihood, means in standard errors, standard errors and df."""
    if hasattr(fit, "minus2_loglik"):
        # R's optimum is above ours by what its stopping early costs
        assert found["minus2"][0] == pytest.approx(fit.minus2_loglik, abs=1e-4)
    away = (np.array(found["mean"]) - means["estimate"]) / means["std_error"]
    assert np.abs(away).max() < 3 * early
    np.testing.assert_allclose(found["se"], means["std_error"], rtol=early)
    if df is not None:
        np.testing.assert_allclose(found["df"], np.minimum(means["df"], 1e9), rtol=df)


@pytest.mark.skipif(not has("emmeans"), reason="R without emmeans")
@pytest.mark.parametrize("term", ["BASE", "log(BASE)", "poly(BASE, 2)", "scale(BASE)",
                                  "I(center(BASE)**2)", "bs(BASE, df=4)", "C(YEAR, Sum)",
                                  "C(YEAR, Treatment(2.5))", "C(YEAR, Helmert)"])  # fmt: skip
def test_lm_gives_our_ancova(term: str, tmp_path: Path) -> None:
    data = small_trial()
    data = data[data["AVISIT"] == "Week 24"].reset_index(drop=True)
    data = data.assign(YEAR=np.resize([1.0, 2.5, 10.0], len(data)))
    data.loc[3, "BASE"] = np.nan
    fit = tm.ancova(f"AVAL ~ {term} + SEX + ARM", data)
    found = run(fit.to_r(ls_means=["ARM"]), data, tmp_path, "-2 * logLik(fit)")
    # both solve the same least squares
    compare(found, fit, fit.ls_means("ARM").frame, df=1e-9, early=1e-9)


@pytest.mark.skipif(not has("emmeans", "lme4", "lmerTest", "pbkrtest"), reason="R without lme4")
@pytest.mark.parametrize(
    ("df", "tolerance"),
    [("satterthwaite", 2e-2), ("kenward-roger", None), ("asymptotic", 0.0), ("residual", None)],
)
def test_lmer_gives_our_random_slopes(df: str, tolerance: float | None, tmp_path: Path) -> None:
    data = small_trial(subjects=60)
    # the residual df, which lmerTest has not, are taken for a fit by ML
    fit = tm.lmm(SLOPES, data, df=df, reml=df != "residual")
    found = run(fit.to_r(ls_means=["ARM"]), data, tmp_path, "-2 * as.numeric(logLik(fit))")
    means = fit.ls_means("ARM").frame
    if df == "kenward-roger":
        # pbkrtest stands on the expected information, our default on the observed
        means = tm.lmm(SLOPES, data, df=df, information="expected").ls_means("ARM").frame
        tolerance = 1e-3
    # lmerTest's df come from numerical derivatives at a rougher optimum
    compare(found, fit, means, df=tolerance, early=EARLY)


@pytest.mark.skipif(not has("emmeans", "lme4", "lmerTest"), reason="R without lmerTest")
@pytest.mark.parametrize("random", ["(1 | SITE / USUBJID)", "(1 | USUBJID) + (1 | RATER)",
                                    "(YEARS || USUBJID) + (1 | RATER)"])  # fmt: skip
def test_lmer_gives_our_several_grouping_factors(random: str, tmp_path: Path) -> None:
    data = small_trial(subjects=60)
    rng = np.random.default_rng(5)
    rater = rng.integers(0, 6, len(data))
    data["SITE"], data["RATER"] = data["USUBJID"].str[-1], [f"R{k}" for k in rater]
    site = data["SITE"].map(dict(zip("0123456789", rng.normal(size=10), strict=True)))
    data["AVAL"] += 4.0 * site + 3.0 * rng.normal(size=6)[rater]
    fit = tm.lmm(f"AVAL ~ BASE + ARM * YEARS + {random}", data)
    found = run(fit.to_r(ls_means=["ARM"]), data, tmp_path, "-2 * as.numeric(logLik(fit))")
    # lmerTest's df come from numerical derivatives at a rougher optimum
    compare(found, fit, fit.ls_means("ARM").frame, df=1e-2, early=5e-4)


@pytest.mark.skipif(not has("emmeans", "nlme"), reason="R without nlme")
@pytest.mark.parametrize("df", ["satterthwaite", "asymptotic"])
def test_gls_gives_a_variance_per_visit(df: str, tmp_path: Path) -> None:
    data = small_trial()
    fit = tm.mmrm(REPEATED.format("diag"), data, df=df)
    found = run(fit.to_r(ls_means=BY_VISIT), data, tmp_path, "-2 * as.numeric(logLik(fit))")
    means = fit.ls_means("ARM", by="AVISIT").frame
    # emmeans simulates Satterthwaite's df: they are not compared
    compare(found, fit, _as_emmeans(means), df=0.0 if df == "asymptotic" else None, early=EARLY)


@pytest.mark.skipif(not has("emmeans", "nlme"), reason="R without nlme")
def test_lme_gives_random_slopes_beside_a_variance_per_visit(tmp_path: Path) -> None:
    data = small_trial(subjects=80)
    fit = tm.lmm(f"{SLOPES} + diag(AVISIT | USUBJID)", data, df="residual")
    found = run(fit.to_r(ls_means=["ARM"]), data, tmp_path, "-2 * as.numeric(logLik(fit))")
    compare(found, fit, fit.ls_means("ARM").frame, df=None, early=EARLY)


@pytest.mark.skipif(not has("emmeans", "mmrm"), reason="R without mmrm")
@pytest.mark.parametrize(
    ("structure", "df"),
    [
        ("us", "satterthwaite"),
        ("us", "kenward-roger"),
        ("cs", "kenward-roger"),
        ("ar1h", "kenward-roger-linear"),
        ("toep", "residual"),
        ("ad", "asymptotic"),
        ("adh", "satterthwaite"),
    ],
)
def test_mmrm_gives_our_repeated_measures(structure: str, df: str, tmp_path: Path) -> None:
    data = small_trial()
    fit = tm.mmrm(REPEATED.format(structure), data, df=df)
    found = run(fit.to_r(ls_means=BY_VISIT), data, tmp_path, "deviance(fit)")
    means = _as_emmeans(fit.ls_means("ARM", by="AVISIT").frame)
    # mmrm stops early, up to 5e-4 relative in df
    compare(found, fit, means, df=5e-3 if df != "asymptotic" else 0.0, early=5e-4)


@pytest.mark.skipif(not has("emmeans", "mmrm"), reason="R without mmrm")
@pytest.mark.parametrize(
    ("term", "options"),
    [
        ("us(AVISIT | USUBJID)", {"weights": "W"}),
        ("cs(AVISIT | ARM / USUBJID)", {}),
        ("sp_exp(YEARS | USUBJID)", {}),
        ("sp_pow(YEARS | USUBJID)", {}),
        ("us(AVISIT | USUBJID)", {"vcov": "CR2"}),
        ("cs(AVISIT | USUBJID)", {"vcov": "CR3", "df": "residual"}),
    ],
)
def test_mmrm_gives_weights_groups_own_times_and_sandwiches(
    term: str, options: dict[str, str], tmp_path: Path
) -> None:
    data = small_trial(subjects=60)
    fit = tm.mmrm(f"AVAL ~ BASE + ARM * AVISIT + {term}", data, **options)
    told = {"weights": fit.estimation.weights, "vcov": fit.estimation.vcov}
    assert {k: v for k, v in told.items() if v} == {k: v for k, v in options.items() if k != "df"}
    found = run(fit.to_r(ls_means=BY_VISIT), data, tmp_path, "deviance(fit)")
    means = _as_emmeans(fit.ls_means("ARM", by="AVISIT").frame)
    # mmrm stops early, up to 5e-4 relative in df
    compare(found, fit, means, df=5e-3, early=5e-4)


def _as_emmeans(means: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order of emmeans: by visit, then arm."""
    order = {"Week 8": 0, "Week 16": 1, "Week 24": 2}
    key = means["AVISIT"].map(order).astype(int)
    return means.assign(key=key).sort_values("key", kind="stable").reset_index(drop=True)


OTHERS = {
    "diag_weights": ("gls", REPEATED.format("diag"), {"weights": "W"}, ("nlme",)),
    "diag_group": ("gls", "AVAL ~ ARM + diag(AVISIT | ARM / USUBJID)", {"reml": False}, ("nlme",)),
    "nested": ("lmer", "AVAL ~ ARM + (1 | SITE / USUBJID)", {}, ("lme4", "lmerTest")),
    "uncorrelated": ("lmer", "AVAL ~ ARM + (YEARS || USUBJID)", {"df": "kenward-roger"},
                     ("lme4", "lmerTest", "pbkrtest")),
    "weights": ("lmer", SLOPES, {"weights": "W"}, ("lme4", "lmerTest")),
    "spatial": ("mmrm", "AVAL ~ ARM + sp_exp(YEARS | USUBJID)", {}, ("mmrm",)),
    "group_weights_cr2": ("mmrm", "AVAL ~ ARM * AVISIT + us(AVISIT | ARM / USUBJID)",
                          {"df": "between-within", "vcov": "CR2", "weights": "W"}, ("mmrm",)),
    "cr1": ("mmrm", "log(AVAL) ~ ARM + csh(AVISIT | USUBJID)", {"vcov": "CR1"}, ("mmrm",)),
    "cr3": ("mmrm", "AVAL ~ poly(BASE, 2) * ARM + toeph(AVISIT | USUBJID)",
            {"vcov": "CR3", "df": "residual"}, ("mmrm",)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_programs_of_what_is_not_compared_run(name: str, tmp_path: Path) -> None:
    function, formula, options, packages = OTHERS[name]
    if not has("emmeans", *packages):
        pytest.skip(f"R without {', '.join(packages)}")
    data = small_trial(subjects=60)
    data["SITE"] = data["USUBJID"].str[-1]
    model = unfitted(formula, data, **options)
    text = model.to_r(ls_means=["ARM", {"of": "ARM", "control": "Active"}])
    assert f"fit <- {function}(" in text
    found = run(text, data, tmp_path, "-2 * as.numeric(logLik(fit))")
    assert np.isfinite([*found["minus2"], *found["mean"], *found["se"], *found["df"]]).all()
    assert min(found["se"]) > 0
