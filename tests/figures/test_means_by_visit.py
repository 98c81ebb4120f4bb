from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from trialmlm.figures.means_by_visit import means_by_visit
from trialmlm.figures.order import Named
from trialmlm.figures.series import series_of

WEEKS = [0, 2, 4, 6, 12, 24, 36, 52]


@pytest.fixture
def ax(order, results):
    return means_by_visit(series_of(order, results), measure=order.measure)


def value(results, statistic, arm, visit, quantity="ls-mean"):
    keys = {"analysis": "A2", "method": "MMRM", "endpoint": "fvc_change", "population": "treated"}
    return results.value(**keys, quantity=quantity, statistic=statistic, arm=arm, visit=visit)


def test_lines_pass_through_the_ls_means(ax, results):
    for container, arm in zip(ax.containers, ("PBO", "ACT"), strict=True):
        expected = [value(results, "estimate", arm, f"Week {week}") for week in WEEKS[1:]]
        np.testing.assert_allclose(container[0].get_ydata(orig=False), [0.0, *expected])


def test_bars_are_the_confidence_intervals(ax, results):
    (bars,) = ax.containers[1][2]
    ends = [path.vertices[:, 1] for path in bars.get_paths()][1:]
    for week, (low, high) in zip(WEEKS[1:], ends, strict=True):
        assert low == pytest.approx(value(results, "ci_low", "ACT", f"Week {week}"))
        assert high == pytest.approx(value(results, "ci_high", "ACT", f"Week {week}"))


def test_visits_stand_at_their_true_weeks_and_arms_beside_each_other(ax):
    assert list(ax.get_xticks()) == WEEKS
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["BL", *map(str, WEEKS[1:])]
    first, second = (container[0].get_xdata(orig=False) for container in ax.containers)
    assert np.all(np.abs(first - WEEKS) < 1)
    assert np.all(second > first)


def test_numbers_of_subjects_stand_under_their_visits(ax, results):
    under = {(text.xy[0], text.xyann[1]): text.get_text() for text in ax.texts}
    rows = sorted({down for _, down in under}, reverse=True)[1:]
    for down, arm in zip(rows, ("PBO", "ACT"), strict=True):
        for week in WEEKS[1:]:
            n = value(results, "n", arm, f"Week {week}", "count")
            assert under[week, down] == f"{n:.0f}"


def test_observed_means_have_the_t_interval(order, results, subjects):
    series = series_of(replace(order, means=("observed",)), results)
    change = [one.values[-1] - one.baseline for one in subjects if one.arm == "PBO"]
    change = [c for c in change if c == c]
    low, high = stats.t.interval(
        0.95, len(change) - 1, loc=np.mean(change), scale=stats.sem(change)
    )
    point = series[0].points[-1]
    assert (point.low, point.high) == pytest.approx((low, high))


def test_observed_means_stand_behind_ls_means_without_intervals(order, results):
    ax = means_by_visit(series_of(replace(order, means=("ls-mean", "observed")), results))
    assert [container.has_yerr for container in ax.containers] == [True, True, False, False]


def test_an_arm_without_means_is_left_out_and_keeps_the_others_style(order, results):
    arms = (Named("NONE", "Never dosed"), *order.arms)
    series = series_of(replace(order, arms=arms), results)
    assert [one.arm for one in series] == ["Placebo", "Active 150 mg bid"]
    assert series[0].style.marker == "s"


def test_it_draws_into_the_callers_axes(order, results):
    ax = Figure().add_subplot()
    assert means_by_visit(series_of(order, results), ax=ax) is ax
