"""Transformations against R and patsy, and what they remember of the fit."""

from __future__ import annotations

import pickle

import numpy as np
import patsy
import pytest

from trialmlm.errors import FitError
from trialmlm.expressions.nodes import Name
from trialmlm.formula.evaluate import evaluate, learn
from trialmlm.formula.grammar import read_formula

X = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
NEW = np.array([3.0, 12.0])


def learnt(text: str, x: np.ndarray = X):
    node = read_formula(f"y ~ {text}").fixed
    return node, learn(node, {"x": x})


def columns(text: str, at: np.ndarray = X) -> np.ndarray:
    node, states = learnt(text)
    return evaluate(node, {"x": at}, states)


def test_poly_equals_r():
    # R 4.2.2: poly(c(1, 2, 4, 7, 11), 3)
    expected = [
        [-0.492365963917331, 0.4759972968131507, -0.440385506050544],
        [-0.369274472937998, 0.0793328828021918, 0.330289129537908],
        [-0.123091490979333, -0.4495530025457534, 0.550481882563180],
        [0.246182981958665, -0.5817744738827395, -0.605530070819498],
        [0.738548945875996, 0.4759972968131506, 0.165144564768954],
    ]
    np.testing.assert_allclose(columns("poly(x, 3)"), expected, rtol=0, atol=1e-14)


def test_poly_of_later_rows_equals_r_s_predict():
    # R 4.2.2: predict(poly(c(1, 2, 4, 7, 11), 3), c(3, 12))
    expected = [
        [-0.246182981958665, -0.229183883650776, 0.62020958768785],
        [0.861640436855329, 0.960809358382100, 1.57804806334778],
    ]
    np.testing.assert_allclose(columns("poly(x, 3)", NEW), expected, rtol=0, atol=1e-13)


def test_poly_of_the_first_five_integers_equals_r():
    # R 4.2.2: poly(1:5, 2)
    node, states = learnt("poly(x, 2)", np.arange(1.0, 6.0))
    found = evaluate(node, {"x": np.arange(1.0, 6.0)}, states)
    first = [-6.324555e-01, -3.162278e-01, 0.0, 3.162278e-01, 6.324555e-01]
    second = [0.5345225, -0.2672612, -0.5345225, -0.2672612, 0.5345225]
    np.testing.assert_allclose(found, np.c_[first, second], atol=5e-8)  # R prints seven digits


def test_scale_and_center_equal_r():
    # R 4.2.2: scale(c(1, 2, 4, 7, 11))
    expected = [-0.984731927834662, -0.738548945875996, -0.246182981958665, 0.492365963917331]
    np.testing.assert_allclose(columns("scale(x)")[:4], expected, rtol=1e-14)
    np.testing.assert_array_equal(columns("center(x)"), X - 5.0)
    np.testing.assert_array_equal(columns("center(x)", NEW), NEW - 5.0)


@pytest.mark.parametrize(
    "text", ["bs(x, df=4)", "bs(x, df=5, degree=2)", "cr(x, df=3)", "cr(x, df=4)"]
)
def test_splines_equal_patsy_s_own_at_the_fit_and_later(text):
    fit, later = {"x": np.linspace(0.0, 9.0, 40) ** 1.3}, {"x": np.array([0.4, 5.5, 11.0])}
    node, states = learnt(text, fit["x"])
    design = patsy.dmatrix(f"{text} - 1", fit)
    np.testing.assert_allclose(evaluate(node, fit, states), design, rtol=0, atol=1e-13)
    (again,) = patsy.build_design_matrices([design.design_info], later)
    np.testing.assert_allclose(evaluate(node, later, states), again, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "text", ["center(x)", "scale(x)", "poly(x, 2)", "bs(x, df=4)", "cr(x, df=3)"]
)
def test_what_was_learnt_survives_a_pickle(text):
    node, states = learnt(text)
    kept = pickle.loads(pickle.dumps((node, states)))  # noqa: S301
    at = np.array([2.5, 9.0])
    np.testing.assert_array_equal(
        evaluate(kept[0], {"x": at}, kept[1]), evaluate(node, {"x": at}, states)
    )


@pytest.mark.parametrize("text", ["center(x)", "scale(x)", "poly(x, 3)", "bs(x, df=4)"])
def test_what_is_learnt_does_not_depend_on_the_order_of_the_rows(text):
    rng = np.random.default_rng(0)
    x = rng.lognormal(3.0, 2.0, 500)
    node, states = learnt(text, x)
    _, shuffled = learnt(text, rng.permutation(x))
    np.testing.assert_array_equal(
        evaluate(node, {"x": x}, states), evaluate(node, {"x": x}, shuffled)
    )


def test_transformations_nest():
    found = columns("center(log(x))")
    np.testing.assert_allclose(found, np.log(X) - np.log(X).mean(), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(x)", np.log(X)),
        ("exp(x)", np.exp(X)),
        ("sqrt(x)", np.sqrt(X)),
        ("I(x**2 - 3*x/2 + 1)", X**2 - 1.5 * X + 1),
        ("I(-x)", -X),
    ],
)
def test_plain_functions_and_arithmetic(text, expected):
    np.testing.assert_allclose(columns(text), expected, rtol=1e-15)


@pytest.mark.parametrize("degree", ["5", "0", "1.5"])
def test_a_degree_that_the_values_do_not_carry_is_refused(degree):
    # R: 'degree' must be less than number of unique points
    with pytest.raises(FitError, match="whole number from 1 to 4"):
        learnt(f"poly(x, {degree})")


def test_what_a_spline_refuses_names_the_factor():
    with pytest.raises(FitError, match=r"bs\(x, df=1\) cannot be computed from these data"):
        learnt("bs(x, df=1)")


def test_a_value_that_is_not_finite_names_the_factor_and_the_value():
    with pytest.raises(FitError, match=r"log\(x\) is not a finite number where x = -1"):
        evaluate(read_formula("y ~ log(x)").fixed, {"x": np.array([2.0, -1.0])})


def test_scale_of_a_constant_is_refused():
    node, states = learnt("scale(x)", np.full(4, 3.0))
    with pytest.raises(FitError, match="not a finite number"):
        evaluate(node, {"x": np.full(4, 3.0)}, states)


def test_a_bare_column_is_itself():
    np.testing.assert_array_equal(evaluate(Name("x", start=0, end=1), {"x": X}), X)
