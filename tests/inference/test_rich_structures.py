"""Banded, factor-analytic and two-way structures, and own times: the dense oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_structures import DenseStructures
from trials import r_matrix, random_trial

import trialmlm as tm

FIXED = "BASE + SEX + ARMCD*AVISIT"
#: the oracle's name -> the term, and which of its parameters have the unit of the response, squared
TERMS = {
    "toep2": ("toep(AVISIT | {}USUBJID, bands=2)", [2, 2]),
    "toeph2": ("toeph(AVISIT | {}USUBJID, bands=2)", [2] * 4 + [0]),
    "fa1": ("fa(AVISIT | {}USUBJID)", [1] * 4 + [2] * 4),
    "us_cs": ("us_cs(SIDE, HALF | {}USUBJID)", [2, 2, 2, 0]),
    "us_ar1": ("us_ar1(SIDE, HALF | {}USUBJID)", [2, 2, 2, 0]),
    "sp_exp": ("sp_exp(DAY | {}USUBJID)", [2, 0]),
    "sp_gau": ("sp_gau(DAY | {}USUBJID)", [2, 0]),
    "sp_pow": ("sp_pow(DAY | {}USUBJID)", [2, 0]),
}
#: −2l, estimates and their errors: plain inverses in the oracle, of condition up to 1e6
TOLERANCE = 1e-8


def data_of(seed: int) -> pd.DataFrame:
    """Four visits, two of each half of two sides, that share a level; days of each one's own."""
    frame = random_trial(seed, 34, 4, missing=0.12).frame
    rng = np.random.default_rng(seed)
    subjects = sorted(frame["USUBJID"].unique())
    level = dict(zip(subjects, rng.normal(0.0, 2.0, len(subjects)), strict=True))
    visit = frame["AVISIT"].str[1:].astype(int)
    return frame.assign(
        CHG=frame["CHG"] + frame["USUBJID"].map(level),
        SIDE=np.where(visit <= 2, "L", "R"),
        HALF=np.where(visit % 2 == 1, "one", "two"),
        DAY=visit + rng.uniform(-0.3, 0.3, len(frame)).round(3),
        W=rng.uniform(0.4, 2.5, len(frame)),
    )


def dense_of(fit, name: str, frame: pd.DataFrame, *, weighted: bool) -> DenseStructures:
    X = r_matrix(FIXED, frame)
    own = name.startswith("sp_")
    place, times = pd.factorize(frame["DAY" if own else "AVISIT"], sort=True)
    parts = fit.gaussian.theta.reshape(len(fit.families), -1)
    units = fit.gaussian.likelihood.scale ** np.array(TERMS[name][1], dtype=float)
    theta = [family.natural(part) * units for family, part in zip(fit.families, parts, strict=True)]
    return DenseStructures(
        X[list(fit.coding.names)].to_numpy(),
        frame["CHG"].to_numpy(),
        pd.factorize(frame["USUBJID"], sort=True)[0],
        place,
        name,
        np.concatenate(theta),
        pd.factorize(frame["ARMCD"], sort=True)[0] if fit.group else None,
        frame["W"].to_numpy() if weighted else None,
        fit.gaussian.reml,
        np.asarray(times, dtype=float) if own else None,
    )


def close(actual, expected, tolerance: float = TOLERANCE) -> None:
    expected = np.asarray(expected)
    size = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * size)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize(
    ("grouped", "weighted", "df", "reml"),
    [
        (False, False, "kenward-roger", True),
        (True, False, "kenward-roger", True),
        (False, True, "kenward-roger-linear", True),
        (False, False, "satterthwaite", False),
    ],
)
def test_a_fit_is_the_oracle_s(name, grouped, weighted, df, reml):
    frame = data_of(506)
    term = TERMS[name][0].format("ARMCD / " if grouped else "")
    weights = "W" if weighted else None
    fit = tm.mmrm(f"CHG ~ {FIXED} + {term}", frame, df=df, reml=reml, weights=weights)
    assert fit.convergence.converged
    dense = dense_of(fit, name, frame, weighted=weighted)
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    # the optimum, judged by the oracle: in standard errors of its parameters
    step = np.linalg.solve(dense.hessian(), dense.gradient)
    assert np.sqrt(dense.gradient @ step / 2.0) < 1e-6
    table = fit.coefficients()
    close(table["estimate"], dense.beta)
    linear = df == "kenward-roger-linear"
    Phi = dense.Phi if df == "satterthwaite" else dense.adjusted(linear=linear)
    # W is the inverse of a Hessian of condition up to 1e4
    close(table["std_error"], np.sqrt(np.diag(Phi)), 1e-7)
    close(table["df"], [dense.df(row) for row in np.eye(len(table))], 1e-6)
