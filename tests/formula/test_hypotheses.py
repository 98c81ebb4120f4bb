"""Type III tests against what they are: reductions in sum-to-zero coding, cell means by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)
#: a model, and each of its terms in patsy's words with sum-to-zero contrasts
MODELS = {
    "A*B": {"A": "C(A, Sum)", "B": "C(B, Sum)", "A:B": "C(A, Sum):C(B, Sum)"},
    "A*B + x": {"A": "C(A, Sum)", "B": "C(B, Sum)", "x": "x", "A:B": "C(A, Sum):C(B, Sum)"},
    "A*x + B": {"A": "C(A, Sum)", "x": "x", "B": "C(B, Sum)", "A:x": "C(A, Sum):x"},
    "A + B + x": {"A": "C(A, Sum)", "B": "C(B, Sum)", "x": "x"},
}


def unbalanced(seed: int, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "A": rng.choice(list("pqr"), rows, p=[0.5, 0.3, 0.2]),
            "B": rng.choice(list("uv"), rows, p=[0.6, 0.4]),
            "x": rng.normal(40.0, 5.0, rows),
            "y": rng.normal(10.0, 2.0, rows),
        }
    )


def without(frame: pd.DataFrame, terms: dict[str, str], dropped: str) -> tuple[float, int]:
    """The sum of squares when a term's sum-coded columns alone are taken out of the full model."""
    columns = [np.ones((len(frame), 1))]
    for name, text in terms.items():
        if name != dropped:
            columns.append(np.asarray(sum_columns(frame, text)))
    X = np.concatenate(columns, axis=1)
    beta = np.linalg.lstsq(X, frame["y"].to_numpy())[0]
    return float(((frame["y"] - X @ beta) ** 2).sum()), X.shape[1]


def sum_columns(frame: pd.DataFrame, text: str) -> np.ndarray:
    """Products of sum-coded columns; patsy would otherwise fill an interaction up."""
    blocks = [np.asarray(patsy.dmatrix(f"1 + {part}", frame))[:, 1:] for part in text.split(":")]
    out = blocks[0]
    for block in blocks[1:]:
        out = (out[:, :, None] * block[:, None, :]).reshape(len(frame), -1)
    return out


@PROPERTY
@given(st.integers(0, 2**20), st.sampled_from(sorted(MODELS)))
def test_type_three_is_the_reduction_in_sum_to_zero_coding(seed, model):
    frame, terms = unbalanced(seed), MODELS[model]
    assume(pd.crosstab(frame["A"], frame["B"]).to_numpy().min() >= 2)
    full, rank = without(frame, terms, "")
    fit = ancova(f"y ~ {model}", frame)
    table = fit.anova().set_index("term")
    assert set(table.index) == set(terms)
    for term in terms:
        reduced, left = without(frame, terms, term)
        F = (reduced - full) / (rank - left) / (full / (len(frame) - rank))
        assert table.loc[term, "num_df"] == rank - left
        # differences of sums of squares lose cond(X)² ≈ 1e5 ulps
        assert table.loc[term, "statistic"] == pytest.approx(F, rel=1e-8, abs=1e-9)


@PROPERTY
@given(st.integers(0, 2**20), st.sampled_from([1e-6, 1e3, 1e10]))
def test_type_three_does_not_depend_on_the_unit_of_a_covariate(seed, unit):
    frame = unbalanced(seed)
    assume(pd.crosstab(frame["A"], frame["B"]).to_numpy().min() >= 2)
    one = ancova("y ~ A*x + A*B", frame).anova()
    two = ancova("y ~ A*x + A*B", frame.assign(x=frame["x"] * unit)).anova()
    np.testing.assert_allclose(one["statistic"], two["statistic"], rtol=1e-8)


def one_cell_empty(seed: int = 0) -> pd.DataFrame:
    """Two by three, the last cell empty."""
    rng = np.random.default_rng(seed)
    cells = [("p", "u"), ("p", "v"), ("p", "w"), ("q", "u"), ("q", "v")]
    rows = [cells[k] for k in rng.permutation(np.repeat(np.arange(5), [4, 6, 3, 5, 7]))]
    return pd.DataFrame(rows, columns=["A", "B"]).assign(y=rng.normal(5, 2, 25))


def test_type_three_with_an_empty_cell_is_the_one_sas_takes():
    # Goodnight (1978): functions of A alone and A:B that are orthogonal to the one function of
    # A:B, μ11 − μ12 − μ21 + μ22. By hand: A over the two complete columns; B: the difference
    # of the complete columns averaged over rows, and the third against them in the first row.
    frame = one_cell_empty()
    cells = frame.groupby(["A", "B"])["y"].agg(["mean", "count"])
    mean, spread = cells["mean"].to_numpy(), np.diag(1 / cells["count"].to_numpy())
    error = frame["y"] - frame.groupby(["A", "B"])["y"].transform("mean")
    variance = (error**2).sum() / 20
    by_hand = {  # coefficients of μ11, μ12, μ13, μ21, μ22
        "A": [[0.5, 0.5, 0, -0.5, -0.5]],
        "B": [[1, -1, 0, 1, -1], [1, 1, -2, 0, 0]],
        "A:B": [[1, -1, 0, -1, 1]],
    }
    table = ancova("y ~ A*B", frame).anova().set_index("term")
    for term, rows in by_hand.items():
        L = np.array(rows, dtype=float)
        value = L @ mean
        F = value @ np.linalg.solve(L @ spread @ L.T, value) / len(L) / variance
        assert table.loc[term, "num_df"] == len(L)
        assert table.loc[term, "statistic"] == pytest.approx(F, rel=1e-10)


@pytest.mark.parametrize("model", ["A*B", "C(A, Sum)*C(B, Helmert)", "A*C(B, Treatment('w'))"])
def test_the_coding_of_a_factor_does_not_move_a_type_three_test(model):
    for frame in (one_cell_empty(1), unbalanced(1).replace({"B": {"u": "w"}})):
        reference = ancova("y ~ A*B", frame).anova()
        table = ancova(f"y ~ {model}", frame).anova()
        assert table["num_df"].tolist() == reference["num_df"].tolist()
        np.testing.assert_allclose(table["statistic"], reference["statistic"], rtol=1e-9)


def test_a_function_of_two_numbers_is_never_asked_of_numbers_that_do_not_go_together():
    frame = unbalanced(3).assign(before=lambda d: d["x"] - 1.0 - (d["A"] == "p"))
    table = ancova("y ~ A + sqrt(x - before)", frame.assign(x=frame["x"])).anova()
    assert table["term"].tolist() == ["A", "sqrt(x - before)"]


def test_the_intercept_is_no_term_of_the_table():
    assert ancova("y ~ A", unbalanced(4)).anova()["term"].tolist() == ["A"]


def test_an_aliased_term_has_no_degrees_of_freedom():
    frame = unbalanced(5).assign(twin=lambda d: 3.0 * d["x"])
    table = ancova("y ~ A + x + twin", frame).anova().set_index("term")
    assert table.loc["twin", "num_df"] == table.loc["x", "num_df"] == 0
    assert np.isnan(table.loc["twin", "p_value"])
    assert table.loc["A", "num_df"] == 2


def test_a_covariate_and_the_factor_of_the_same_column_stand_side_by_side():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"s": np.repeat(np.arange(40), 3), "t": np.tile([0.0, 8.0, 24.0], 40)})
    frame = frame.assign(arm=np.where(frame.s % 2, "A", "B"), y=rng.normal(size=120))
    fit = mmrm("y ~ C(t) + t:arm + us(t | s)", frame)
    twin = mmrm("y ~ C(t) + u:arm + us(t | s)", frame.assign(u=frame.t))
    np.testing.assert_allclose(
        fit.anova()["statistic"], twin.anova()["statistic"], rtol=1e-9, atol=1e-12
    )
    means = fit.ls_means("arm", by="t").frame
    cells = frame[["arm", "t"]].drop_duplicates().sort_values(["t", "arm"])
    np.testing.assert_allclose(means["estimate"], fit.predict(cells)["estimate"], rtol=1e-10)
