"""The pooled F test of several arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from dropout_trial import MODEL, dropout_trial, dropouts

from trialmlm.errors import UsageError
from trialmlm.missing.impute import impute
from trialmlm.missing.joint_test import joint_test
from trialmlm.models.ancova import ancova

if TYPE_CHECKING:
    from trialmlm.missing.imputed import Imputed

ANALYSIS = "CHG ~ BASE + ARM"
ARMS = ("DRUG", "HIGH", "LOW", "PLACEBO")


def drawn(arms: tuple[str, ...]) -> Imputed:
    trial = dropout_trial(arms)
    return impute(
        trial,
        model=MODEL,
        arm="ARM",
        events=dropouts(trial, "copy-reference"),
        reference="PLACEBO",
        method="approximate-bayes",
        imputations=8,
        seed=3,
    )


def test_four_arms_are_tested_with_the_covariance_of_each_ancova() -> None:
    made = drawn(ARMS)
    found = made.analyse(ANALYSIS, at="Week 8").joint_test().iloc[0]
    estimates, covariances = [], []
    for d in range(1, 9):
        rows = made.completed(d)
        fit = ancova(ANALYSIS, rows[rows["AVISIT"] == "Week 8"])
        terms = [f"ARM{arm}" for arm in ARMS[1:]]
        table = fit.coefficients().set_index("term")
        estimates.append(table.loc[terms, "estimate"])
        covariances.append(fit.vcov.loc[terms, terms])
    wanted = joint_test(np.array(estimates), np.array(covariances), df_complete=115.0)
    assert found["num_df"] == 3
    # two ways to the same least-squares numbers
    assert found["statistic"] == pytest.approx(wanted.statistic, rel=1e-8)
    assert found["den_df"] == pytest.approx(wanted.den_df, rel=1e-8)
    assert found["p_value"] == pytest.approx(wanted.p_value, rel=1e-6)


def test_of_two_arms_it_is_the_square_of_their_t() -> None:
    result = drawn(("DRUG", "PLACEBO")).analyse(ANALYSIS)
    found = result.joint_test()
    frame = result.frame[result.frame["quantity"] == "contrast"]
    assert found["visit"].tolist() == frame["visit"].tolist()
    np.testing.assert_allclose(found["statistic"], frame["statistic"] ** 2, rtol=1e-10)


def test_the_delta_of_the_analysis_is_that_of_the_test() -> None:
    made = drawn(("DRUG", "PLACEBO"))
    asked = {"at": "Week 8", "delta": {"DRUG": 4.0}}
    result = made.analyse(ANALYSIS, **asked)
    assert result.joint_test()["statistic"].item() == pytest.approx(
        result.frame["statistic"].iloc[2] ** 2, rel=1e-10
    )


def test_conditional_means_and_functions_have_no_such_test() -> None:
    trial = dropout_trial()
    means = impute(trial, model=MODEL, arm="ARM")
    with pytest.raises(UsageError, match="a conditional mean has none"):
        means.analyse(ANALYSIS).joint_test()
    with pytest.raises(UsageError, match="analysis by formula"):
        drawn(ARMS).analyse(lambda rows: (0.0, 1.0)).joint_test()
