"""The arithmetic behind the closed forms, against SciPy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.qualification import closed_forms
from trialmlm.qualification.case import Tolerance
from trialmlm.qualification.comparison import Comparison

if TYPE_CHECKING:
    from trialmlm.qualification.material import Material


@pytest.mark.parametrize("df", [3, 5, 9, 25, 101])
@pytest.mark.parametrize("t", [0.0, 0.5, -1.7, 4.0621, 12.0])
def test_students_t_with_odd_df_is_a_finite_sum(t: float, df: int) -> None:
    # 1 − (what lies within ±t) cancels to the digits that 1 has: absolute, not relative
    found = closed_forms._two_sided_odd(t, df)
    assert found == pytest.approx(2.0 * stats.t.sf(abs(t), df), abs=1e-14)


def test_the_paired_t_test_is_scipys(material: Material) -> None:
    data = material.table("sleep.csv")
    wide = data.pivot_table(index="PATIENT", columns="DRUG", values="EXTRA")
    theirs = stats.ttest_rel(wide["D2"], wide["D1"])
    ours = closed_forms.paired_t(data, None)  # type: ignore[arg-type]
    assert ours["p_value"]["DRUGD2"] == pytest.approx(theirs.pvalue, rel=1e-11)
    assert ours["estimate"]["DRUGD2"] == pytest.approx(1.58)


def test_the_t_tests_by_age_are_scipys(material: Material) -> None:
    data = material.table("growth.csv")
    ours = closed_forms.two_sample_t(data, None)  # type: ignore[arg-type]
    for age, rows in data.groupby("AGE"):
        groups = {sex: own["DISTANCE"] for sex, own in rows.groupby("SEX")}
        theirs = stats.ttest_ind(groups["F"], groups["M"])
        t = ours["difference_estimate"][str(age)] / ours["difference_std_error"][str(age)]
        assert t == pytest.approx(theirs.statistic, rel=1e-12)
        assert ours["difference_df"][str(age)] == theirs.df


def test_the_split_plots_sums_of_squares_add_up(material: Material) -> None:
    """With as many girls as boys types I and III are one, and the sums of squares add up."""
    data = material.table("growth.csv")
    children = list(dict.fromkeys(data["CHILD"]))
    equal = data[data["CHILD"].isin(children[5:])]
    assert equal.groupby("SEX")["CHILD"].nunique().tolist() == [11, 11]
    found = closed_forms.split_plot(equal, None)  # type: ignore[arg-type]
    first, second = closed_forms._two_groups(equal)
    between, within = closed_forms._mean_squares(first, second)
    F = found["test_statistic"]
    explained = F["SEX"] * between + 3.0 * within * (F["AGEF"] + F["SEX:AGEF"])
    total = float(((equal["DISTANCE"] - equal["DISTANCE"].mean()) ** 2).sum())
    assert explained + 20.0 * between + 60.0 * within == pytest.approx(total, rel=1e-12)


def test_one_visit_is_least_squares() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"BASE": rng.normal(size=30), "ARM": ["PBO", "ACT"] * 15})
    data["CHG"] = data["BASE"] + rng.normal(size=30)
    design = np.column_stack([np.ones(30), data["BASE"], data["ARM"] == "ACT"]).astype(float)

    class NoSandwich:
        call: dict[str, str] = {}  # noqa: RUF012

    found = closed_forms.one_visit(data, NoSandwich())  # type: ignore[arg-type]
    beta = np.linalg.lstsq(design, data["CHG"], rcond=None)[0]
    np.testing.assert_allclose(list(found["estimate"].values()), beta, rtol=1e-10)


# --- comparisons ----------------------------------------------------------------------------------


def _compared(
    expected: float, obtained: float, difference: float, limit: float = 1e-6
) -> Comparison:
    return Comparison("q", "", expected, obtained, difference, Tolerance(limit, "relative", "why"))


def test_missing_values_agree_with_each_other_only() -> None:
    nan = math.nan
    assert _compared(nan, nan, nan).passed
    assert not _compared(nan, 1.0, nan).passed
    assert not _compared(1.0, nan, nan).passed


def test_a_difference_at_the_limit_passes_and_one_above_does_not() -> None:
    assert _compared(1.0, 1.0, 1e-6).passed
    assert _compared(1.0, 1.0, 1e-6).share == pytest.approx(1.0)
    assert not _compared(1.0, 1.0, 1.1e-6).passed


def test_counts_must_be_equal() -> None:
    assert _compared(3.0, 3.0, 0.0, limit=0.0).passed
    assert _compared(3.0, 4.0, 1.0, limit=0.0).share == math.inf
