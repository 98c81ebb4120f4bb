"""Figures of multiple imputation: what is drawn is what the frames say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import UsageError
from trialmlm.figures.completed import completed_plot
from trialmlm.figures.tipping import tipping_curve, tipping_heat_map
from trialmlm.figures.traces import trace_plot


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.fixture(scope="module")
def trace():
    rng = np.random.default_rng(1)
    grid = pd.MultiIndex.from_product([["beta", "var(7)"], range(1, 11), [1, 2]])
    frame = grid.to_frame(index=False, name=["quantity", "sweep", "chain"])
    return frame.assign(value=rng.normal(size=40), burn_in=frame["sweep"] <= 4)


def test_a_trace_shows_every_chain_their_mean_and_what_is_set_aside(trace):
    diagnostics = pd.DataFrame({"quantity": ["var(7)"], "r_hat": 1.0023, "effective_size": 949.4})
    ax = trace_plot(trace, diagnostics)
    last = trace[trace["quantity"] == "var(7)"].pivot_table(
        index="sweep", columns="chain", values="value"
    )
    for chain in (1, 2):
        np.testing.assert_allclose(ax.lines[chain - 1].get_ydata(), last[chain])
    np.testing.assert_allclose(ax.lines[2].get_ydata(), last.mean(axis=1))
    assert ax.get_title() == "var(7), 2 chains: R-hat 1.002, effective size 949"
    assert texts(ax) == ["set aside: 4 sweeps"]
    assert trace_plot(trace, quantity="beta").get_ylabel() == "beta"
    with pytest.raises(UsageError, match=r"no quantity 'var\(9\)'; they are beta, var\(7\)"):
        trace_plot(trace, quantity="var(9)")


def tipped(a, b, error=1.0):
    """Estimates that rise by 0.25 with each unit in one arm and fall as much in the other."""
    estimate = -2.8 + 0.25 * np.asarray(a, float) - 0.25 * np.asarray(b, float)
    half = 1.96 * error
    return {"estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half,
            "p_value": np.full(estimate.shape, 0.04)}  # fmt: skip


@pytest.fixture(scope="module")
def grid():
    a, b = (side.ravel() for side in np.meshgrid(np.arange(7.0), np.arange(-3.0, 4)))
    return pd.DataFrame({"delta DRUG": a, "delta PLACEBO": b, **tipped(a, b)})


def test_a_heat_map_draws_the_boundary_where_the_interval_meets_the_null(grid):
    ax = tipping_heat_map(grid, measure="DRUG - PLACEBO")
    (boundary,) = [found for found in ax.collections if hasattr(found, "levels")]
    points = np.concatenate([path.vertices for path in boundary.get_paths()])
    # -2.8 + 0.25 (a - b) + 1.96 = 0, and linear interpolation between cells is exact
    np.testing.assert_allclose(points[:, 0] - points[:, 1], 0.84 / 0.25, atol=1e-9)
    assert ax.get_xlabel() == "DRUG: added to imputed values"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["95% CI excludes 0", "95% CI includes 0", "95% CI meets 0", "no delta"]
    hatched = [patch for patch in ax.patches if patch.get_hatch()]
    assert len(hatched) == (grid["ci_high"] > 0).sum()
    (frame,) = [patch for patch in ax.patches if patch.get_linewidth() > 2]
    assert (frame.get_x(), frame.get_y()) == (-0.5, -0.5)


def test_a_heat_map_prints_each_cell_where_there_is_room(grid):
    printed = texts(tipping_heat_map(grid))
    assert printed.count("0.040") == 49
    assert printed.count("-2.8") == 4  # on the diagonal a = b, from (0, 0) to (3, 3)
    a, b = (side.ravel() for side in np.meshgrid(np.arange(60.0), np.arange(60.0)))
    fine = pd.DataFrame({"delta DRUG": a, "delta PLACEBO": b, **tipped(a, b)})
    assert len(texts(tipping_heat_map(fine))) == 1
    turned = tipping_heat_map(grid, across="delta PLACEBO")
    assert turned.get_ylabel() == "DRUG: added to imputed values"


def test_a_heat_map_without_boundary_has_none(grid):
    still = grid.assign(ci_high=-1.0)
    ax = tipping_heat_map(still)
    assert "95% CI meets 0" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_grid_that_is_none_is_refused(grid):
    with pytest.raises(UsageError, match="found the columns delta DRUG; expected two"):
        tipping_heat_map(grid.drop(columns="delta PLACEBO"))
    with pytest.raises(UsageError, match="found 48 rows, expected one for each of 7 × 7 pairs"):
        tipping_heat_map(grid.iloc[1:])


@pytest.fixture(scope="module")
def curve():
    delta = np.linspace(-1, 6, 8)
    return pd.DataFrame({"delta": delta, **tipped(delta, 0)})


def test_a_curve_marks_where_it_tips(curve):
    ax = tipping_curve(curve, measure="DRUG - PLACEBO")
    assert texts(ax) == ["tips at 3.36"]
    given = tipping_curve(curve, [3.357])
    assert given.lines[-1].get_xdata()[0] == 3.357
    (none,) = [line for line in ax.lines if line.get_label() == "no delta"]
    assert (none.get_xdata()[0], none.get_ydata()[0]) == (0, -2.8)
    shuffled = tipping_curve(curve.sample(frac=1, random_state=1))
    assert texts(shuffled) == ["tips at 3.36"]


def test_a_curve_that_does_not_tip_says_so(curve):
    assert texts(tipping_curve(curve[curve["delta"] < 3])) == [
        "The conclusion is the same at every delta shown"
    ]
    with pytest.raises(UsageError, match="found 1 points"):
        tipping_curve(curve.iloc[:1])


@pytest.fixture(scope="module")
def completed():
    """Two imputations of four subjects at three visits; 01 and 03 leave after the first."""
    grid = pd.MultiIndex.from_product([[1, 2], ["01", "02", "03", "04"], ["W1", "W2", "W3"]])
    frame = grid.to_frame(index=False, name=["imputation", "USUBJID", "AVISIT"])
    gone = frame["USUBJID"].isin(["01", "03"]) & (frame["AVISIT"] != "W1")
    value = np.arange(24.0) % 12 + np.where(gone & (frame["imputation"] == 2), 1.0, 0.0)
    arm = np.where(frame["USUBJID"].isin(["01", "02"]), "PLACEBO", "DRUG")
    return frame.assign(AVAL=value, imputed=gone, ARM=pd.Categorical(arm, ["PLACEBO", "DRUG"]))


COLUMNS = {"subject": "USUBJID", "visit": "AVISIT", "value": "AVAL", "arm": "ARM"}


def test_completed_trajectories_are_broken_where_imputed(completed):
    ax = completed_plot(completed, **COLUMNS)
    assert ax.get_title() == "2 of 4 subjects"
    segments = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_zorder() == 3]
    assert len(segments) == 4
    assert all(line.get_linestyle() == "--" for line in segments)
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"
              and line.get_linestyle() == "None"]  # fmt: skip
    # the mean over both imputations of subject 01: 1 and 2, 2 and 3
    np.testing.assert_allclose(hollow[0].get_ydata(), [1.5, 2.5])
    assert texts(ax) == ["01", "03"]
    means = {line.get_label(): line.get_ydata() for line in ax.lines}
    for arm in ("PLACEBO", "DRUG"):
        rows = completed[completed["ARM"] == arm].groupby("AVISIT")["AVAL"].mean()
        np.testing.assert_allclose(means[f"{arm}, mean completed"], rows)


def test_subjects_and_times_are_chosen(completed):
    ax = completed_plot(completed, subjects=["02"], times={"W1": 1, "W2": 2, "W3": 8}, **COLUMNS)
    assert ax.get_xticks().tolist() == [1, 2, 8]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["W1", "W2", "W3"]
    segments = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert all(line.get_linestyle() == "-" for line in segments)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"value": "CHG"}, "there is no column 'CHG'; found imputation, USUBJID"),
        ({"subjects": ["09"]}, "there is no subject '09' in USUBJID"),
        ({"times": {"W1": 1}}, "no time of visit 'W2'"),
    ],
)
def test_what_is_not_there_cannot_be_drawn(completed, given, message):
    with pytest.raises(UsageError, match=message):
        completed_plot(completed, **{**COLUMNS, **given})
