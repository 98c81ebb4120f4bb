"""Tails and quantiles against scipy.stats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.errors import UsageError
from trialmlm.inference.contrasts import estimates
from trialmlm.inference.distributions import f_upper, t_quantile, t_two_sided
from trialmlm.inference.satterthwaite import pooled_df
from trialmlm.models.ancova import ancova

DF = np.array([1.0, 2.5, 9.0, 150.3, 1e6])


def test_two_sided_tails_of_t():
    for t in (-40.0, -2.1, 0.0, 0.3, 12.0):
        statistic = np.full(DF.size, t)
        np.testing.assert_allclose(
            t_two_sided(statistic, DF), 2 * stats.t.sf(abs(t), DF), rtol=1e-10
        )


def test_infinite_df_is_the_normal_and_an_unknown_df_is_unknown():
    df = np.array([np.inf, np.nan])
    tail = t_two_sided(np.array([1.7, 1.7]), df)
    assert tail[0] == pytest.approx(2 * stats.norm.sf(1.7), rel=1e-13)
    assert np.isnan(tail[1])
    quantile = t_quantile(0.975, df)
    assert quantile[0] == pytest.approx(stats.norm.ppf(0.975), rel=1e-13)
    assert np.isnan(quantile[1])


def test_quantiles_of_t():
    np.testing.assert_allclose(t_quantile(0.975, DF), stats.t.ppf(0.975, DF), rtol=1e-10)


def test_upper_tail_of_f_and_its_limit():
    assert f_upper(3.2, 3, 17.5) == pytest.approx(stats.f.sf(3.2, 3, 17.5), rel=1e-12)
    assert f_upper(3.2, 3, np.inf) == pytest.approx(stats.chi2.sf(9.6, 3), rel=1e-12)


def test_pooled_df_of_equal_rows_is_theirs_and_of_poor_rows_is_two():
    assert pooled_df(np.array([8.0, 8.0])) == 8.0
    assert pooled_df(np.array([1.9, 30.0])) == 2.0
    assert np.isinf(pooled_df(np.array([np.inf, np.inf])))
    # E = 10/8 + 20/18; 2E/(E − 2)
    E = 10 / 8 + 20 / 18
    assert pooled_df(np.array([10.0, 20.0])) == pytest.approx(2 * E / (E - 2))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    fit = ancova("y ~ x", pd.DataFrame({"y": [1.0, 2, 4, 3], "x": [1.0, 2, 3, 5]}))
    with pytest.raises(UsageError, match="between 0 and 1"):
        estimates(fit.method, np.eye(2), confidence)


def test_intervals_hold_the_estimate_and_widen_with_confidence():
    fit = ancova("y ~ x", pd.DataFrame({"y": [1.0, 2, 4, 3], "x": [1.0, 2, 3, 5]}))
    narrow, wide = fit.coefficients(0.8), fit.coefficients(0.99)
    assert (narrow["ci_low"] > wide["ci_low"]).all()
    assert (narrow["ci_high"] < wide["ci_high"]).all()
    np.testing.assert_allclose(wide["ci_low"] + wide["ci_high"], 2 * wide["estimate"])
