from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trialmlm.figures.diagnostics import by_arm, by_visit, residual_records
from trialmlm.figures.residuals import (
    normal_quantiles,
    residual_histogram,
    residuals_by_fitted,
    residuals_by_visit,
)


@pytest.fixture
def records(orders, results):
    return residual_records(orders["residuals"], results)


def test_records_without_a_residual_are_left_out(records, subjects):
    observed = sum(value == value for one in subjects for value in one.values)
    assert len(records) == observed


def test_residuals_stand_over_their_fitted_values(orders, records):
    ax = residuals_by_fitted(by_arm(orders["residuals"], records))
    own = [(r.fitted, r.residual) for r in records if r.arm == "ACT"]
    assert ax.lines[1].get_xydata().tolist() == [list(pair) for pair in own]


def test_a_record_without_a_visit_counts_for_the_nearest_one(orders, records):
    groups = by_visit(orders["residuals"], records)
    assert list(groups) == ["2", "4", "6", "12", "24", "36", "52"]
    assert sum(map(len, groups.values())) == len(records)


def test_the_line_in_a_box_is_the_median():
    ax = residuals_by_visit({"2": [1.0, 2.0, 6.0], "4": [0.0, 0.5, 1.0]})
    medians = [line.get_ydata()[0] for line in ax.lines if line.get_linewidth() == 2]
    assert medians == [2.0, 0.5]


def test_quantiles_are_ordered_within_the_envelope_of_order_statistics():
    ax = normal_quantiles(stats.norm.ppf([0.5, 0.1, 0.9]), confidence=0.9)
    (dots,) = (line for line in ax.lines if line.get_label() == "residuals")
    assert dots.get_ydata() == pytest.approx(stats.norm.ppf([0.1, 0.5, 0.9]))
    band = ax.collections[0].get_paths()[0].vertices
    assert stats.norm.cdf(band[:, 1].min()) == pytest.approx(stats.beta.ppf(0.05, 1, 3))


def test_the_envelope_holds_its_level_at_each_point():
    rng = np.random.default_rng(3)
    draws = np.sort(rng.standard_normal((4000, 20)), axis=1)
    low, high = (stats.norm.ppf(stats.beta.ppf(p, 5, 16)) for p in (0.025, 0.975))
    assert np.mean((draws[:, 4] > low) & (draws[:, 4] < high)) == pytest.approx(0.95, abs=0.015)


def test_histograms_are_densities(orders, records):
    ax = residual_histogram(by_arm(orders["residuals"], records))
    for outline in ax.patches:
        x, y = outline.get_xy().T
        assert np.sum(np.diff(x) * y[:-1]) == pytest.approx(1)
