"""Figures of multilevel models: what is drawn is what the frames say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import trialmlm as tm
from trialmlm.errors import UsageError


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    n, t = 12, np.arange(4.0)
    b = rng.normal(size=(n, 2)) * [3.0, 1.0]
    y = 10 + b[:, :1] + (1 + b[:, 1:]) * t + rng.normal(size=(n, 4))
    who = np.repeat([f"S{i:02d}" for i in range(n)], 4)
    arm = np.repeat(np.where(np.arange(n) % 2, "A", "B"), 4)
    return pd.DataFrame({"id": who, "arm": arm, "t": np.tile(t, n), "y": y.ravel()})


@pytest.fixture(scope="module")
def fit(data):
    return tm.lmm("y ~ t + (1 + t | id)", data)


def points_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return np.asarray(line.get_xydata(), dtype=float)


def test_a_caterpillar_is_sorted_and_spans_the_intervals(fit):
    effects = fit.random_effects()
    ax = tm.caterpillar_plot(effects, term="t")
    own = effects[effects["term"] == "t"].sort_values("estimate", ascending=False)
    dots = ax.lines[-1].get_xydata()
    np.testing.assert_allclose(dots[:, 0], own["estimate"])
    spans = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    half = 1.96 * own["std_error"].to_numpy()
    np.testing.assert_allclose(spans[:, 1] - spans[:, 0], 2 * half)
    assert [label.get_text() for label in ax.get_yticklabels()] == own["level"].tolist()
    with pytest.raises(UsageError, match="found no effects id: dose; they are id: "):
        tm.caterpillar_plot(effects, term="dose")


def test_shrinkage_is_drawn_from_own_to_partial(fit):
    table = fit.partial_pooling()
    ax = tm.shrinkage_plot(table, terms=("t",))
    own = table[table["term"] == "t"].sort_values("partial", ascending=False)
    np.testing.assert_allclose(points_of(ax, "own rows alone")[:, 0], own["own"])
    np.testing.assert_allclose(points_of(ax, "partial pooling")[:, 0], own["partial"])
    plane = tm.shrinkage_plot(table, terms=("(Intercept)", "t"))
    pairs = table.pivot_table(index="level", columns="term", values="partial")
    np.testing.assert_allclose(
        points_of(plane, "partial pooling"), pairs[["(Intercept)", "t"]].to_numpy()
    )
    with pytest.raises(UsageError, match="found 3 names"):
        tm.shrinkage_plot(table, terms=("a", "b", "c"))


def test_a_calibration_tells_clusters_outside_apart(fit):
    frame = tm.calibration(fit).frame
    frame.loc[0, "inside"] = False
    ax = tm.calibration_plot(frame)
    outside, inside = points_of(ax, "outside"), points_of(ax, "observed, inside")
    assert outside[:, 1].tolist() == frame.loc[~frame["inside"].astype(bool), "observed"].tolist()
    assert len(inside) + len(outside) == 12
    assert (np.diff(np.sort(np.concatenate([inside, outside]), axis=0)[:, 0]) == 1).all()


def test_shares_of_variance_fill_one_bar(fit):
    frame = fit.icc()
    ax = tm.variance_plot(frame)
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, 100 * frame["share"])
    assert sum(widths) == pytest.approx(100.0)


def test_limits_of_agreement_are_lines_and_bands():
    rng = np.random.default_rng(2)
    a = rng.normal(100, 10, 20)
    found = tm.bland_altman(pd.DataFrame({"a": a, "b": a + rng.normal(1, 2, 20)}), "a", "b")
    ax = tm.bland_altman_plot(found.points, found.frame, unit="mg")
    rows = found.frame.set_index("quantity").loc[["bias", "lower limit", "upper limit"]]
    heights = [line.get_ydata()[0] for line in ax.lines[1:4]]
    np.testing.assert_allclose(heights, rows["estimate"])
    bands = [(p.get_y(), p.get_y() + p.get_height()) for p in ax.patches]
    np.testing.assert_allclose(bands, rows[["ci_low", "ci_high"]])
    assert f"bias {rows.loc['bias', 'estimate']:.1f}" in {text.get_text() for text in ax.texts}


def test_slopes_within_and_between_are_drawn(data):
    rng = np.random.default_rng(3)
    frame = data.assign(x=data["t"] + rng.normal(size=12).repeat(4) + rng.normal(size=48))
    frame["y"] += 3.0 * frame["x"]  # so that the slopes agree in sign
    found = tm.within_between(frame, "y", "x", "id")
    ax = tm.within_between_plot(found.points, found.frame)
    slopes = found.frame.set_index("slope")["estimate"]
    for label, name in (("all rows", "pooled"), ("means of groups", "ecological"),
                        ("within groups", "within")):  # fmt: skip
        (x0, y0), (x1, y1) = points_of(ax, label)
        assert (y1 - y0) / (x1 - x0) == pytest.approx(slopes[name])


def test_subjects_and_means_of_groups_over_the_occasions(data):
    found = tm.rm_anova(data.drop(index=5), "y", "id", "t", "arm")
    ax = tm.rm_anova_plot(found.long, found.dropped)
    means = data.drop(index=5).query("arm == 'A'").groupby("t")["y"].mean()
    np.testing.assert_allclose(points_of(ax, "A")[:, 1], means)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2", "3"]
    dashed = [line for line in ax.lines if line.get_color() == "#D55E00"]
    assert len(dashed) == 2  # the subject dropped, and the legend's


def dots(ax):
    return ax.lines[-1].get_xydata()[:, 0]


def test_estimates_under_one_another(data):
    shares = tm.precision(data, "y", "id", interval="mls").frame
    np.testing.assert_allclose(dots(tm.precision_plot(shares)), shares["sd"])
    np.testing.assert_allclose(dots(tm.precision_plot(shares, cv=True)), shares["cv"])
    icc = tm.agreement(data, "y", "id", "t").frame
    np.testing.assert_allclose(dots(tm.agreement_plot(icc)), icc["icc"])
    found = tm.pseudobulk(data, "y ~ arm", "id").frame
    own = found[found["term"] == "armB"]
    np.testing.assert_allclose(dots(tm.pseudobulk_plot(found, "armB")), own["estimate"])
    with pytest.raises(UsageError, match="found 'arm'"):
        tm.pseudobulk_plot(found, "arm")


def test_many_groups_are_drawn_without_their_names():
    effects = pd.DataFrame({"group": "g", "level": [f"L{k}" for k in range(80)],
                            "term": "(Intercept)", "estimate": np.arange(80.0),
                            "std_error": 1.0})  # fmt: skip
    ax = tm.caterpillar_plot(effects)
    assert len(ax.get_yticks()) == 0


def test_figures_are_drawn_into_the_axes_given(fit):
    first = tm.caterpillar_plot(fit.random_effects())
    assert tm.variance_plot(fit.icc(), ax=first) is first
