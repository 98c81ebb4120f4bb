"""Figures of missing data and dropout: what is drawn is what the frames say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialmlm.figures.kaplan_meier import kaplan_meier_plot
from trialmlm.figures.missing_patterns_plot import missing_patterns_plot


@pytest.fixture
def curves():
    return pd.DataFrame(
        {
            "arm": ["A", "A", "A", "B", "B"],
            "time": [2.0, 5.0, 9.0, 3.0, 8.0],
            "n_at_risk": [10, 6, 2, 8, 3],
            "n_censored": [0, 1, 2, 1, 0],
            "survival": [0.8, 0.5, 0.5, 1.0, 0.6],
            "ci_low": [0.5, 0.2, 0.2, np.nan, 0.2],
            "ci_high": [0.9, 0.7, 0.7, np.nan, 0.9],
        }
    )


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_curve_starts_at_one_and_steps_down_at_its_times(curves):
    ax = kaplan_meier_plot(curves)
    line = next(line for line in ax.lines if line.get_label() == "A")
    np.testing.assert_allclose(line.get_xydata(), [[0, 1], [2, 0.8], [5, 0.5], [9, 0.5]])
    assert line.get_drawstyle() == "steps-post"


def test_censored_subjects_are_ticks_on_the_curve(curves):
    ax = kaplan_meier_plot(curves)
    ticks = [line.get_xydata().tolist() for line in ax.lines if line.get_marker() == "|"]
    assert ticks == [[[5.0, 0.5], [9.0, 0.5]], [[3.0, 1.0]]]


def test_numbers_at_risk_stand_under_the_marks(curves):
    ax = kaplan_meier_plot(curves, at=[0, 4, 8, 9])
    assert texts(ax) == ["Number at risk", "A", "10", "6", "2", "2", "B", "8", "3", "3", "0"]


def test_a_figure_of_patterns_counts_each_beside_its_dots():
    frame = pd.DataFrame(
        {
            "pattern": ["OO", "OO", "O.", "O.", ".O", ".O", "..", ".."],
            "arm": ["A", "B"] * 4,
            "n": [3, 5, 1, 0, 0, 2, 0, 1],
        }
    )
    ax = missing_patterns_plot(frame, ["Week 4", "Week 8"])
    found = texts(ax)
    assert {"(N=4)", "(N=8)"} <= set(found)
    # monotone ones first, nothing observed at their end, then the gap
    assert found[found.index("B") + 1 :] == ["5 (62%)", "0", "1 (12%)", "2 (25%)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Week 4", "Week 8"]
