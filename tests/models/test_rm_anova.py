"""Repeated-measures analysis of variance, against car's, exact distributions and closed forms."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special

from trialmlm.errors import FitError
from trialmlm.inference.sphericity import sphericity
from trialmlm.models.rm_anova import rm_anova


@pytest.fixture(scope="module")
def orthodont(study_data):
    return pd.read_csv(study_data / "orthodont.csv")


@pytest.fixture(scope="module")
def published(reference):
    return json.loads((reference / "lmm" / "rm_anova_orthodont.json").read_text())


def simulated(seed: int, n: int = 12, T: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, T)).cumsum(axis=1) + rng.normal(size=(n, 1))
    return pd.DataFrame(
        {
            "id": np.repeat([f"S{i:02d}" for i in range(n)], T),
            "arm": np.repeat(["A", "B", "B"] * (n // 3), T),
            "time": np.tile(np.arange(T), n),
            "y": y.ravel(),
        }
    )


TERMS = {
    "orthodont_age_by_sex": ("Sex", {"between": "Sex", "age": "age", "between:age": "Sex:age"}),
    "orthodont_age_only": (None, {"age": "age"}),
}


@pytest.mark.parametrize("case", TERMS)
def test_sums_of_squares_and_corrections_are_car_s(orthodont, published, case):
    between, terms = TERMS[case]
    found, theirs = rm_anova(orthodont, "distance", "Subject", "age", between), published[case]
    ours = found.frame.set_index("term")
    table = dict(zip(theirs["univariate"]["rows"], theirs["univariate"]["values"], strict=True))
    columns = ["sum_sq", "num_df", "error_sum_sq", "den_df", "statistic", "p_value"]
    for name, own in terms.items():
        # closed forms of sums of squares: rounding of the last digits alone; p by its own error
        np.testing.assert_allclose(ours.loc[own, columns].astype(float), table[name], rtol=1e-9)
    corrections = theirs["corrections"]
    rows = np.atleast_1d(corrections["rows"])
    for kind, name in {"gg": "GG", "hf": "HF"}.items():
        for k, row in enumerate(rows):
            epsilon, p = (np.atleast_1d(corrections[f"{name}_{what}"])[k] for what in ("eps", "p"))
            own = ours.loc[terms[row]]
            np.testing.assert_allclose(
                [own[f"epsilon_{kind}"], own[f"p_{kind}"]], [epsilon, p], rtol=1e-9
            )


@pytest.mark.parametrize("case", TERMS)
def test_mauchly_s_statistic_is_r_s_and_its_p_value_anderson_s(orthodont, published, case):
    found = rm_anova(orthodont, "distance", "Subject", "age", TERMS[case][0])
    theirs = {name: np.atleast_1d(published[case]["mauchly"][name])[0] for name in ("W", "p")}
    np.testing.assert_allclose(found.sphericity.W, theirs["W"], rtol=1e-10)
    # R 4.2.2 puts the number of occasions for that of contrasts in one term of the expansion's
    # weight, which is worth 9e-6 here
    assert found.sphericity.p_value == pytest.approx(theirs["p"], abs=1e-5)


def exact_mauchly(W: float, p: int, df: int) -> float:
    """P(W < w) from the moments of W under sphericity, by Gil-Pelaez's inversion of log W."""

    def transform(t: float) -> complex:
        h = -1j * t
        value = (
            p * h * np.log(p) + special.loggamma(p * df / 2) - special.loggamma(p * (df / 2 + h))
        )
        for i in range(1, p + 1):
            at = (df + 1 - i) / 2
            value += special.loggamma(at + h) - special.loggamma(at)
        return np.exp(value)

    def integrand(t: float) -> float:
        return (np.exp(1j * t * np.log(W)) * transform(t)).imag / t

    return 0.5 + integrate.quad(integrand, 1e-12, 300.0, limit=1000)[0] / np.pi


@pytest.mark.parametrize("seed", [1, 2])
def test_the_expansion_is_close_to_the_exact_distribution(seed):
    found = rm_anova(simulated(seed, n=30), "y", "id", "time", "arm").sphericity
    exact = exact_mauchly(found.W, 3, 28)
    # the next term of the expansion is of the order of 1/df³
    assert found.p_value == pytest.approx(exact, abs=2e-5)


def test_sphericity_of_a_compound_symmetric_matrix_is_whole():
    S = 2.0 * np.eye(5) + 3.0
    found = sphericity(S, 20)
    np.testing.assert_allclose(found.W, 1.0, rtol=1e-12)
    assert found.greenhouse_geisser == pytest.approx(1.0)
    assert found.p_value == pytest.approx(1.0)


def test_two_occasions_are_a_paired_t_test():
    data = simulated(3, T=2)
    row = rm_anova(data, "y", "id", "time").frame.iloc[0]
    wide = data.pivot_table(index="id", columns="time", values="y")
    d = (wide[1] - wide[0]).to_numpy()
    t = d.mean() / (d.std(ddof=1) / np.sqrt(d.size))
    assert row["statistic"] == pytest.approx(t**2, rel=1e-12)
    assert row["den_df"] == d.size - 1
    assert row["epsilon_gg"] == pytest.approx(1.0)


def test_compound_symmetry_of_complete_data_gives_the_same_f(orthodont):
    found = rm_anova(orthodont, "distance", "Subject", "age", "Sex").beside_mixed(["cs"])
    plain = found[found["analysis"].str.endswith("uncorrected")].set_index("term")
    mixed = found[found["analysis"] == "mixed model, cs"].set_index("term")
    for name in ("num_df", "den_df", "statistic", "p_value"):
        # the fit reaches its optimum to about 1e-9 standard errors
        np.testing.assert_allclose(mixed[name], plain.loc[mixed.index, name], rtol=1e-6)


def test_subjects_that_miss_an_occasion_are_dropped_counted_and_used_by_the_mixed_model(orthodont):
    data = orthodont.drop(index=[3, 50])
    found = rm_anova(data, "distance", "Subject", "age", "Sex")
    complete = orthodont[~orthodont["Subject"].isin(found.dropped)]
    assert found.n_subjects == 25
    assert set(found.dropped) == set(orthodont["Subject"].iloc[[3, 50]])
    assert "2 of 27 subjects are dropped, and 6 of their values" in found.notes[0]
    alone = rm_anova(complete, "distance", "Subject", "age", "Sex")
    pd.testing.assert_frame_equal(found.frame, alone.frame)
    mixed = found.beside_mixed()
    counts = mixed.groupby("analysis")["n_obs"].first()
    assert counts["mixed model, us"] == 106
    assert counts["repeated-measures ANOVA, uncorrected"] == 100
    assert mixed["p_value"].notna().all()


def test_what_makes_no_sense_is_refused():
    data = simulated(4)
    with pytest.raises(FitError, match="S00 has 2 values at time 0"):
        rm_anova(pd.concat([data, data.head(1)]), "y", "id", "time")
    with pytest.raises(FitError, match="arm is not the same in all rows of id S00"):
        rm_anova(data.assign(arm=["B", *data["arm"].iloc[1:]]), "y", "id", "time", "arm")
    with pytest.raises(FitError, match="one level"):
        rm_anova(data[data["time"] == 0], "y", "id", "time")
    with pytest.raises(FitError, match="no error is left"):
        rm_anova(data.assign(y=data["time"] + 1.0), "y", "id", "time", "arm")
    gaps = data.drop(data[data["time"] == 3].index[:-1])
    with pytest.raises(FitError, match="1 subjects have all 4 occasions"):
        rm_anova(gaps, "y", "id", "time")
