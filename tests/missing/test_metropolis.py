"""Posteriors of structured covariances: closed forms, and imputations made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.engine.likelihood import Curve
from trialmlm.engine.many import Refits
from trialmlm.errors import UsageError
from trialmlm.missing.impute import impute
from trialmlm.missing.metropolis import metropolis
from trialmlm.missing.sampler import Sampler
from trialmlm.models.mmrm import mmrm

#: a p-value of a fixed seed below this is no accident
SMALLEST_P = 1e-3
T = 3


def trial(n: int = 40, seed: int = 4, dropout: float = 0.0) -> pd.DataFrame:
    """Two arms at three visits, equally correlated."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 3.0, n)[:, None] + rng.normal(0.0, 2.0, (n, T))
    Y = own - np.arange(T) * (1.0 + np.arange(n) % 2)[:, None]
    gone = np.cumsum(rng.random((n, T)) < dropout, axis=1) > 0
    gone[:, 0] = False
    rows = pd.MultiIndex.from_product([range(n), range(1, T + 1)], names=["ID", "VISIT"])
    table = pd.DataFrame({"CHG": np.where(gone, np.nan, Y).ravel()}, index=rows).reset_index()
    arm = np.where(table["ID"] % 2 == 1, "DRUG", "PLACEBO")
    return table.assign(ARM=arm, VISIT=table["VISIT"].astype("category")).dropna()


def sampled(model: str, data: pd.DataFrame, **asked: int) -> tuple[np.ndarray, np.ndarray]:
    fit = mmrm(model, data)
    found = metropolis(Refits.of(fit.gaussian, fit.design).one.likelihood, fit.gaussian.theta,
                       seed=3, **asked)  # fmt: skip
    return found.beta, found.Sigma[:, 0]


def sums(data: pd.DataFrame) -> tuple[np.ndarray, int]:
    """Residual sums of squares and products about the arms' means by visit; their df."""
    wide = data.pivot_table(index="ID", columns="VISIT", values="CHG", observed=True)
    arm = data.drop_duplicates("ID").set_index("ID")["ARM"]
    left = wide - wide.groupby(arm).transform("mean")
    return left.to_numpy().T @ left.to_numpy(), len(wide) - 2


def test_of_compound_symmetry_the_two_eigenvalues_are_inverse_chi_squares() -> None:
    """Complete data, means by arm and visit: Jeffreys' prior is 1/(λ₁λ₂)."""
    data = trial()
    _, Sigma = sampled("CHG ~ ARM * VISIT + cs(VISIT | ID)", data, draws=1000, chains=50, thin=4)
    S, df = sums(data)
    between = S.sum() / T
    within = np.trace(S) - between
    first = Sigma[:, 0].sum(axis=1)
    second = Sigma[:, 0, 0] - Sigma[:, 0, 1]
    assert stats.kstest(between / first, stats.chi2(df).cdf).pvalue > SMALLEST_P
    assert stats.kstest(within / second, stats.chi2(df * (T - 1)).cdf).pvalue > SMALLEST_P
    # independent, so that their ratio is an F
    ratio = (between / df / first) / (within / df / (T - 1) / second)
    assert stats.kstest(ratio, stats.f(df, df * (T - 1)).cdf).pvalue > SMALLEST_P


def test_of_an_unstructured_covariance_it_is_the_inverse_wishart_of_the_gibbs_sampler() -> None:
    """Schafer (1997), 5.2.2: Σ ~ IW(n − s, S), each coefficient a t."""
    data = trial()
    beta, Sigma = sampled("CHG ~ ARM * VISIT + us(VISIT | ID)", data, draws=1000, chains=50, thin=4)
    S, df = sums(data)
    k = df - T + 1
    for t in range(T):
        found = stats.kstest(S[t, t] / Sigma[:, t, t], stats.chi2(k).cdf)
        assert found.pvalue > SMALLEST_P
    first = data[(data["VISIT"] == 1) & (data["ARM"] == "DRUG")]["CHG"]
    scale = np.sqrt(S[0, 0] / k / len(first))
    assert stats.kstest((beta[:, 0] - first.mean()) / scale, stats.t(k).cdf).pvalue > SMALLEST_P


def test_chains_forget_where_they_stood() -> None:
    data = trial(dropout=0.2)
    fit = mmrm("CHG ~ ARM * VISIT + ar1h(VISIT | ARM / ID)", data)
    likelihood = Refits.of(fit.gaussian, fit.design).one.likelihood
    found = metropolis(likelihood, fit.gaussian.theta, draws=500, seed=1)
    table = found.diagnostics()
    assert found.Sigma.shape == (500, 2, T, T)
    assert (table["r_hat"] < 1.05).all()
    # of 500; independent ones would be, but for the tenth or so that the estimate is uncertain by
    assert (table["effective_size"] > 300).all()


def test_the_same_seed_gives_the_same_draws_and_more_draws_go_on() -> None:
    data = trial()
    model = "CHG ~ ARM * VISIT + cs(VISIT | ID)"
    some, more = (sampled(model, data, draws=d, chains=4) for d in (8, 16))
    np.testing.assert_array_equal(some[1], more[1][:8])
    np.testing.assert_array_equal(some[0], more[0][:8])


@pytest.mark.parametrize("structure", ["cs", "ar1", "toeph"])
def test_imputations_of_a_structure_agree_with_its_conditional_means(structure: str) -> None:
    data = trial(n=80, dropout=0.15)
    model = f"CHG ~ ARM * VISIT + {structure}(VISIT | ID)"
    drawn = impute(data, model=model, arm="ARM", method="bayes", imputations=200, seed=2)
    means = impute(data, model=model, arm="ARM")
    found = drawn.analyse("CHG ~ ARM", at=3).frame.iloc[-1]
    wanted = means.analyse("CHG ~ ARM", at=3, variance=None).frame.iloc[-1]
    # the posterior mean of a conditional mean is off the one at the estimate by O(1/n): a twentieth
    # of a standard error here
    slack = 4.0 * found["monte_carlo_se"] + 0.05 * found["std_error"]
    assert abs(found["estimate"] - wanted["estimate"]) < slack
    assert "Metropolis" in drawn.draws.posterior.by


def test_a_prior_of_an_unstructured_covariance_is_refused_for_a_structure() -> None:
    with pytest.raises(UsageError, match=r"the prior inverse-wishart is of an unstructured .* cs"):
        impute(trial(dropout=0.2), model="CHG ~ ARM * VISIT + cs(VISIT | ID)", arm="ARM",
               method="bayes", imputations=2, seed=1,
               sampler=Sampler(prior="inverse-wishart"))  # fmt: skip


def test_a_flat_information_is_refused_before_anything_is_drawn(monkeypatch) -> None:
    fit = mmrm("CHG ~ ARM * VISIT + cs(VISIT | ID)", trial())
    likelihood = Refits.of(fit.gaussian, fit.design).one.likelihood
    flat = np.zeros((2, 2))
    monkeypatch.setattr(type(likelihood), "search", lambda *_: Curve(np.zeros(2), flat, flat, flat))
    with pytest.raises(Exception, match="do not determine every parameter of the covariance"):
        metropolis(likelihood, fit.gaussian.theta, draws=2, seed=1)
