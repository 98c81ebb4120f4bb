"""Other responses on the rows of a fit, against fits of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialmlm.inference.contrasts import estimates
from trialmlm.models.lmm import lmm
from trialmlm.models.same_rows import SameRows

MODEL = "FVC ~ ARM * YEARS + AGE + (1 + YEARS | USUBJID)"


def trial(n: int = 60, seed: int = 5) -> pd.DataFrame:
    """Rows in no order: visits a few days off, subjects shuffled."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n), 5)
    years = np.tile(np.arange(5) / 4.0, n) + rng.normal(0.0, 0.02, 5 * n)
    own = rng.normal(0.0, (300.0, 90.0), (n, 2))
    fvc = 2700.0 + own[subject, 0] + (own[subject, 1] - 150.0) * years + rng.normal(0, 60, 5 * n)
    table = {"USUBJID": subject.astype(str), "YEARS": years, "FVC": fvc}
    arm = np.where(subject % 2 == 1, "DRUG", "PLACEBO")
    data = pd.DataFrame({**table, "ARM": arm, "AGE": rng.normal(67.0, 7.0, n)[subject]})
    return data.sample(frac=1.0, random_state=seed).reset_index(drop=True)


@pytest.mark.parametrize("reml", [True, False])
def test_estimates_errors_and_df_are_those_of_a_fit_of_each(reml: bool) -> None:
    data = trial()
    fit = lmm(MODEL, data, reml=reml)
    rng = np.random.default_rng(9)
    Y = fit.response + rng.normal(0.0, 40.0, (5, len(data)))
    Y[3] = fit.response  # the fit itself
    L = np.eye(len(fit.gaussian.beta))
    shared = SameRows.of(fit)
    assert shared is not None
    found = shared.estimates(Y, L)
    for d, y in enumerate(Y):
        wanted = estimates(lmm(MODEL, data.assign(FVC=y), reml=reml).method, L)
        # both end within 1e-6 standard errors of θ before a last Newton step
        np.testing.assert_allclose(found[d, 0], wanted.estimate, rtol=1e-8)
        np.testing.assert_allclose(found[d, 1], wanted.std_error, rtol=1e-8)
        np.testing.assert_allclose(found[d, 2], wanted.df, rtol=1e-7)


def test_a_response_without_variation_is_left_out_and_the_others_are_not() -> None:
    data = trial()
    fit = lmm(MODEL, data)
    shared = SameRows.of(fit)
    assert shared is not None
    Y = np.stack([fit.response, np.full(len(data), 2500.0)])
    found = shared.estimates(Y, np.eye(len(fit.gaussian.beta)))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize(
    ("formula", "asked"),
    [
        (MODEL, {"df": "kenward-roger"}),
        (MODEL, {"information": "expected"}),
        (MODEL, {"vcov": "CR2"}),
        (MODEL, {"weights": "AGE"}),
        ("FVC ~ ARM * YEARS + (1 | USUBJID) + (1 | SITE)", {}),
        ("FVC ~ ARM * YEARS + (1 | USUBJID) + diag(ARM | USUBJID)", {}),
    ],
)
def test_other_fits_have_no_such_rows(formula: str, asked: dict[str, str]) -> None:
    data = trial().assign(SITE=lambda d: d["USUBJID"].str[-1])
    assert SameRows.of(lmm(formula, data, **asked)) is None
