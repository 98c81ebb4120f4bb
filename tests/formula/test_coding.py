"""Columns of a model: values as patsy evaluates them, names as R writes them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import COVARIATES, random_trial, seen_together, trials

from trialmlm.errors import FitError, TrialmlmError
from trialmlm.formula.coding import make_coding, term_columns
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)
#: A: a b c, V: v1 v2 v3, x: 1 2, all crossed; F is x > 1
CROSSED = pd.DataFrame(
    [(a, v, x, x > 1) for x in (1.0, 2.0) for v in ("v1", "v2", "v3") for a in "abc"],
    columns=["A", "V", "x", "F"],
).assign(y=np.arange(18.0))


def coded(fixed: str, frame: pd.DataFrame):
    read = read_formula(f"y ~ {fixed}")
    used = model_frame(frame, read.variables)
    return make_coding(read.fixed, used.variables), used


@PROPERTY
@given(trials(least=12, most=20), st.sampled_from(COVARIATES))
def test_columns_equal_patsy_s_own_row_by_row(trial, fixed):
    expected = type(trial)(trial.frame, fixed).matrix
    coding, used = coded(fixed, trial.frame.assign(y=1.0))
    assert set(coding.names) == set(expected.columns)
    X = coding.matrix(used.variables, len(trial.frame))
    np.testing.assert_allclose(X, expected[list(coding.names)], rtol=1e-14)


@PROPERTY
@given(trials(least=16, most=20))
def test_the_engine_s_design_holds_the_same_rows(trial):
    assume(seen_together(trial.frame).min() >= 1)
    fit = mmrm(trial.formula, trial.frame)
    whole = np.einsum("tqs,ns->ntq", fit.design.B, fit.design.U)
    X = whole[fit.layout.subject, fit.layout.visit]
    expected = trial.matrix[list(fit.coding.names)]
    # a product of at most three columns: two roundings
    np.testing.assert_allclose(X, expected, rtol=1e-14)
    assert fit.design.rows().shape == X.shape
    y = fit.design.Y[fit.layout.subject, fit.layout.visit]
    np.testing.assert_array_equal(y, trial.frame["CHG"])


#: colnames(model.matrix(~ …, expand.grid(A=c("a","b","c"), V=c("v1","v2","v3"), x=1:2))), R 4.2.2
R_NAMES = {
    "A*V": "(Intercept) Ab Ac Vv2 Vv3 Ab:Vv2 Ac:Vv2 Ab:Vv3 Ac:Vv3",
    "x*A": "(Intercept) x Ab Ac x:Ab x:Ac",
    "A:V - 1": "Aa:Vv1 Ab:Vv1 Ac:Vv1 Aa:Vv2 Ab:Vv2 Ac:Vv2 Aa:Vv3 Ab:Vv3 Ac:Vv3",
    "0 + A + V": "Aa Ab Ac Vv2 Vv3",
    "x + A:V + A": "(Intercept) x Ab Ac Aa:Vv2 Ab:Vv2 Ac:Vv2 Aa:Vv3 Ab:Vv3 Ac:Vv3",
    "A*V*x": "(Intercept) Ab Ac Vv2 Vv3 x Ab:Vv2 Ac:Vv2 Ab:Vv3 Ac:Vv3 Ab:x Ac:x Vv2:x Vv3:x "
    "Ab:Vv2:x Ac:Vv2:x Ab:Vv3:x Ac:Vv3:x",
    "(A + V + x)**2": "(Intercept) Ab Ac Vv2 Vv3 x Ab:Vv2 Ac:Vv2 Ab:Vv3 Ac:Vv3 Ab:x Ac:x "
    "Vv2:x Vv3:x",
    "A/x": "(Intercept) Ab Ac Aa:x Ab:x Ac:x",
    "F": "(Intercept) FTRUE",
    "log(x) + I(x*2)": "(Intercept)|log(x)|I(x * 2)",
    "poly(x, 1) + A": "(Intercept)|poly(x, 1)|Ab|Ac",
}


@pytest.mark.parametrize(("fixed", "expected"), R_NAMES.items())
def test_column_names_and_their_order_are_r_s(fixed, expected):
    separator = "|" if "|" in expected else " "
    assert list(coded(fixed, CROSSED)[0].names) == expected.split(separator)


def test_columns_of_a_term_are_found_by_its_name():
    coding, _ = coded("A*V + x", CROSSED)
    assert term_columns(coding) == {
        "(Intercept)": [0],
        "A": [1, 2],
        "V": [3, 4],
        "x": [5],
        "A:V": [6, 7, 8, 9],
    }


def contrast(fixed: str, letters: str):
    frame = pd.DataFrame({"A": list(letters), "y": np.arange(len(letters), dtype=float)})
    coding, used = coded(fixed, frame)
    return coding.matrix(used.variables, len(letters))[:, 1:], coding.names[1:]


def test_sum_contrasts_are_those_of_r():
    matrix, names = contrast("C(A, Sum)", "abcd")
    # R: contr.sum(4)
    np.testing.assert_array_equal(matrix, np.vstack([np.eye(3), -np.ones(3)]))
    assert names == ("C(A, Sum)1", "C(A, Sum)2", "C(A, Sum)3")


def test_helmert_contrasts_are_those_of_r():
    matrix, names = contrast("C(A, Helmert)", "abcd")
    # R: contr.helmert(4)
    expected = [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]]
    np.testing.assert_array_equal(matrix, expected)
    assert names == ("C(A, Helmert)1", "C(A, Helmert)2", "C(A, Helmert)3")


def test_the_reference_of_numeric_levels_is_the_level_named_not_its_place():
    frame = pd.DataFrame({"y": np.arange(6.0), "S": [1.0, 2.5, 10.0] * 2})
    coding, used = coded("C(S, Treatment(2.5))", frame)
    assert coding.names == ("(Intercept)", "C(S, Treatment(2.5))1", "C(S, Treatment(2.5))10")
    X = coding.matrix(used.variables, 6)
    np.testing.assert_array_equal(X[:3], [[1, 1, 0], [1, 0, 0], [1, 0, 1]])


def test_the_reference_of_treatment_contrasts_can_be_chosen():
    matrix, names = contrast("C(A, Treatment('c'))", "abcd")
    # R: contr.treatment(c("a", "b", "c", "d"), base = 3)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(matrix, expected)
    assert [name[-1] for name in names] == ["a", "b", "d"]


def test_a_reference_that_is_no_level_is_refused_with_the_levels():
    with pytest.raises(FitError, match=r"'Z' is not among the levels .*'a', 'b'"):
        contrast("C(A, Treatment('Z'))", "abab")


def test_the_first_category_is_the_reference_in_the_order_of_the_categories():
    frame = pd.DataFrame({"A": pd.Categorical(list("abc"), ["c", "a", "b"]), "y": 1.0})
    assert coded("A", frame)[0].names == ("(Intercept)", "Aa", "Ab")


def test_levels_that_are_numbers_keep_their_digits():
    frame = pd.DataFrame({"S": [1234567.0, 1234568.0, 2.5, 701.0], "y": 1.0})
    names = coded("C(S)", frame)[0].names
    assert names == ("(Intercept)", "C(S)701", "C(S)1234567", "C(S)1234568")


def test_a_coding_makes_the_same_columns_after_a_pickle():
    trial = random_trial(1)
    frame = trial.frame.assign(y=1.0)
    coding, used = coded("poly(BASE, 2)*ARMCD + bs(PULSE, df=4) + cr(PULSE, df=3)", frame)
    again = pickle.loads(pickle.dumps(coding))  # noqa: S301
    np.testing.assert_array_equal(
        again.matrix(used.variables, len(frame)), coding.matrix(used.variables, len(frame))
    )


def test_an_unseen_level_is_refused_and_the_known_are_named():
    coding, _ = coded("A", CROSSED)
    other = model_frame(pd.DataFrame({"A": ["a", "z"]}), ["A"])
    with pytest.raises(FitError, match="not fitted on: 'z'; it knows 'a', 'b', 'c'"):
        coding.matrix(other.variables, 2)


def test_fewer_levels_than_the_fit_saw_are_coded_as_at_the_fit():
    coding, _ = coded("A", CROSSED)
    other = model_frame(pd.DataFrame({"A": ["c", "b"]}), ["A"])
    np.testing.assert_array_equal(coding.matrix(other.variables, 2), [[1, 0, 1], [1, 1, 0]])


def test_a_column_may_enter_as_a_number_and_as_a_factor():
    coding, used = coded("x + C(x)", CROSSED)
    np.testing.assert_array_equal(
        coding.matrix(used.variables, 18), np.c_[np.ones(18), CROSSED.x, CROSSED.x > 1]
    )


def test_no_rows_give_no_rows():
    coding, used = coded("A*x", CROSSED)
    empty = {name: found.take(np.array([], dtype=int)) for name, found in used.variables.items()}
    assert coding.matrix(empty, 0).shape == (0, 6)


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ("log(A)", "asks for a number, but A is text"),
        ("I(A + x)", "asks for a number, but A is text"),
        ("C(x**2)", "column"),
        ("0", "no fixed effect"),
        ("log(x - 1)", "not a finite number where x = 1"),
    ],
)
def test_what_makes_no_column_is_refused(fixed, message):
    with pytest.raises(TrialmlmError, match=message):
        coded(fixed, CROSSED)


def test_a_factor_of_one_level_is_refused():
    with pytest.raises(FitError, match="A has only the level 'a'"):
        coded("A", CROSSED[CROSSED.A == "a"])
