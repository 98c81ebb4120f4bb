"""Which rows and columns a model uses, and what it says of the others."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import FitError
from trialmlm.formula.frame import model_frame
from trialmlm.formula.variables import factor, variable


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_rows_with_a_gap_are_left_out_and_counted_by_column():
    data = frame(a=[1.0, np.nan, 3.0, np.nan], b=["x", "y", None, None], c=[1, 2, 3, 4])
    found = model_frame(data.set_axis(list("pqrs")), ["b", "a"])
    assert found.rows.tolist() == [0]
    assert found.labels.tolist() == ["p"]
    assert found.n_read == 4
    assert found.absent == {"b": 2, "a": 2}


def test_no_complete_row_is_an_error_that_counts_the_gaps():
    with pytest.raises(FitError, match=r"no complete row among 2; missing values: a \(1\), b \(1"):
        model_frame(frame(a=[1.0, np.nan], b=[None, "x"]), ["a", "b"])


def test_an_unknown_column_is_an_error_that_offers_the_nearest():
    with pytest.raises(FitError, match=r"no column ARMCDD; did you mean ARMCD\?"):
        model_frame(frame(ARMCD=[1], AVISIT=[2]), ["ARMCDD"])


def test_a_doubled_column_is_an_error():
    doubled = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(FitError, match="2 columns named a"):
        model_frame(doubled, ["a"])


def test_a_column_whose_name_is_a_number_is_not_taken_for_text():
    with pytest.raises(FitError, match="no column 1"):
        model_frame(pd.DataFrame({1: [1.0], "b": [2.0]}), ["1"])


@pytest.mark.parametrize("dtype", ["float64", "Float64", "float32"])
def test_an_infinite_value_is_an_error_that_names_the_row(dtype):
    data = frame(a=pd.Series([1.0, np.inf], dtype=dtype)).set_axis(["p", "q"])
    with pytest.raises(FitError, match="a is infinite in row q"):
        model_frame(data, ["a"])


@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 2],
        pd.array([3, 1, 2], dtype="Int64"),
        np.array([3, 1, 2], dtype="float32"),
        pd.Series([3, 1, 2], dtype=object),
        pd.Series([3.0, 1, 2], dtype=object),
    ],
)
def test_numbers_are_numbers_however_they_are_stored(values):
    found = variable(pd.Series(values, name="a"))
    assert not found.categorical
    np.testing.assert_array_equal(found.numbers(), [3.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a", "b"],
        pd.array(["b", "a", "b"], dtype="string"),
        pd.Categorical(["b", "a", "b"], ["a", "unused", "b"]),
    ],
)
def test_text_and_categories_are_factors_of_the_levels_that_occur(values):
    found = variable(pd.Series(values, name="a"))
    assert found.levels == ("a", "b")
    assert found.values.tolist() == [1, 0, 1]


def test_categories_keep_their_order():
    found = variable(pd.Series(pd.Categorical(list("xyz"), ["z", "x", "y"])))
    assert found.levels == ("z", "x", "y")


def test_truth_values_are_a_factor_of_those_that_occur():
    assert variable(pd.Series([True, False])).levels == (False, True)
    assert variable(pd.Series([True, True])).levels == (True,)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([pd.Timestamp("2024-02-01")], "is a date"),
        ([datetime.date(2024, 2, 1)], "is a date"),
        ([pd.Timedelta(days=3)], "is a time"),
        ([1, "a"], "mixes text, numbers"),
    ],
)
def test_dates_times_and_mixtures_are_refused_by_name(values, what):
    with pytest.raises(FitError, match=f"ADT {what}"):
        variable(pd.Series(values, name="ADT"))


def test_text_is_not_a_number_but_a_numeric_category_is():
    category = variable(pd.Series(pd.Categorical([20, 10, 20]), name="c"))
    np.testing.assert_array_equal(category.numbers(), [20, 10, 20])
    with pytest.raises(FitError, match="t is text or a factor"):
        variable(pd.Series(["a"], name="t")).numbers()


def test_the_mean_does_not_depend_on_the_order_of_the_rows():
    x = np.random.default_rng(0).lognormal(0, 3, 1000)
    means = {variable(pd.Series(order)).mean() for order in (x, x[::-1], np.sort(x))}
    assert len(means) == 1
    assert means.pop() == pytest.approx(x.mean(), rel=1e-12)


def test_subjects_that_stand_in_order_are_numbered_as_any_others():
    values = np.repeat([3.0, 7.5, 11.0, 40.0], [2, 1, 3, 2])
    mixed = np.random.default_rng(1).permutation(values.size)
    sorted_, shuffled = factor("ID", values), factor("ID", values[mixed])
    assert sorted_.levels == shuffled.levels == (3.0, 7.5, 11.0, 40.0)
    np.testing.assert_array_equal(sorted_.codes[mixed], shuffled.codes)
