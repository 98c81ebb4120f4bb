"""Containment degrees of freedom: ranks against dense ones, df against the analysis of variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.ranks import Effect, rank_contributions
from trialmlm.models.lmm import lmm


def wide(effect: Effect) -> np.ndarray:
    indicators = np.eye(effect.code.max() + 1)[effect.code]
    return (indicators[:, :, None] * effect.Z[:, None, :]).reshape(len(effect.Z), -1)


def without_gaps(code):
    return np.unique(code, return_inverse=True)[1].reshape(-1)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_contributions_are_differences_of_ranks(seed, nested):
    rng = np.random.default_rng(seed)
    n = 45
    outer = rng.integers(0, 4, n)
    inner = outer * 3 + rng.integers(0, 3, n) if nested else rng.integers(0, 8, n)
    t, arm = rng.integers(0, 3, n).astype(float), outer % 2
    one = np.ones((n, 1))
    X = np.column_stack([one, t, arm, t * arm, 2.0 * t])  # the last is aliased
    effects = [
        Effect(0, without_gaps(outer), one),
        Effect(0, without_gaps(outer), t[:, None]),
        Effect(1, without_gaps(inner), one),
        Effect(2, without_gaps(rng.integers(0, 5, n)), one),
    ]
    total, added = rank_contributions(X, effects)
    wides = [X, *map(wide, effects)]
    ranks = [np.linalg.matrix_rank(np.concatenate(wides[: k + 1], axis=1)) for k in range(5)]
    assert total == ranks[-1]
    assert added == tuple(np.diff(ranks))


def split_plot(blocks: int = 4) -> pd.DataFrame:
    """A on whole plots within blocks, B on subplots: every combination once."""
    rng = np.random.default_rng(1)
    levels = [[f"block {k}" for k in range(blocks)], list("abc"), list("xy")]
    frame = pd.MultiIndex.from_product(levels, names=["block", "A", "B"]).to_frame(index=False)
    plot = frame.groupby(["block", "A"]).ngroup().to_numpy()
    block = pd.factorize(frame["block"])[0]
    y = rng.normal(size=blocks)[block] + rng.normal(size=3 * blocks)[plot]
    return frame.assign(y=y + rng.normal(size=len(frame)))


def test_a_split_plot_has_the_df_of_its_analysis_of_variance():
    # the anova has (a − 1)(b − 1) = 6 df for A's error and a(b − 1)(levels of B − 1) = 9 for B's
    fit = lmm("y ~ A * B + (1 | block / A)", split_plot(), df="containment")
    table = fit.anova().set_index("term")["den_df"]
    assert table.to_dict() == {"A": 6.0, "B": 9.0, "A:B": 9.0}
    assert fit.coefficients()["df"].tolist() == [3.0, 6.0, 6.0, 9.0, 9.0, 9.0]
    # a mean of A rests on A's error, not on the intercept's blocks
    assert fit.ls_means("A").frame["df"].tolist() == [6.0, 6.0, 6.0]


def test_random_coefficients_have_the_subjects_less_one():
    rng = np.random.default_rng(2)
    n, t = 12, np.arange(5.0)
    b = rng.normal(size=(n, 2))
    y = b[:, :1] + b[:, 1:] * t + 0.3 * rng.normal(size=(n, 5))
    data = pd.DataFrame({"id": np.repeat(np.arange(n), 5), "t": np.tile(t, n), "y": y.ravel()})
    data["arm"] = np.where(data["id"] % 2 == 0, "A", "B")
    one = lmm("y ~ t + (1 + t | id)", data, df="containment").coefficients()
    assert one["df"].tolist() == [11.0, 11.0]
    # no random effect is named after the arm: N − rank [X Z] is left
    two = lmm("y ~ arm * t + (1 + t | id)", data, df="containment").coefficients()
    assert two.set_index("term")["df"].to_dict() == {
        "(Intercept)": 10.0,
        "armB": 60.0 - 24.0,
        "t": 10.0,
        "armB:t": 60.0 - 24.0,
    }


def test_uncorrelated_and_separate_terms_count_alike():
    data = split_plot().assign(x=np.tile([0.0, 1.0, 3.0, 4.0], 6))
    one = lmm("y ~ x + (x || block)", data, df="containment").coefficients()
    two = lmm("y ~ x + (1 | block) + (0 + x | block)", data, df="containment").coefficients()
    assert one["df"].tolist() == two["df"].tolist() == [3.0, 3.0]


def test_machines_have_the_df_of_workers_by_machines(study_data):
    data = pd.read_csv(study_data / "machines.csv")
    fit = lmm("score ~ Machine + (1 | Worker / Machine)", data, df="containment")
    assert fit.coefficients()["df"].tolist() == [5.0, 10.0, 10.0]
    kenward = lmm("score ~ Machine + (1 | Worker / Machine)", data, df="kenward-roger")
    # balanced: the one F test there is
    assert kenward.anova()["den_df"].iloc[0] == pytest.approx(10.0, rel=1e-6)
