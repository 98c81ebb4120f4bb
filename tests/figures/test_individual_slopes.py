"""The spread of the subjects' predicted slopes, against the slopes they were made with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trialmlm.figures.individual_slopes import individual_slopes, shared_bins, slopes_of


def test_a_subject_s_slope_is_that_of_its_line(orders, results, subjects):
    arms = slopes_of(orders["individual-slopes"], results)
    assert [one.arm for one in arms] == ["Placebo", "Active 150 mg bid"]
    for one, key in zip(arms, ("PBO", "ACT"), strict=True):
        expected = [subject.slope for subject in subjects if subject.arm == key]
        assert one.slopes == pytest.approx(expected, rel=1e-9)
        assert one.subjects == len(expected)


def test_the_panel_says_how_many_subjects_the_arm_s_slope_and_the_spread(orders, results):
    placebo = slopes_of(orders["individual-slopes"], results)[0]
    assert placebo.caption.startswith("60 of 60 subjects; adjusted slope (95% CI) ")
    assert f"{placebo.mean:.1f} (" in placebo.caption
    assert placebo.caption.endswith(f"{np.std(placebo.slopes, ddof=1):.1f}")


def test_a_subject_with_one_record_is_counted_and_has_no_slope(orders, results):
    first = next(row.subject for row in results.records if row.arm == "PBO")
    once = [row for row in results.records if row.analysis == "A1" and row.subject == first][:1]
    others = [row for row in results.records if row.subject != first]
    placebo = slopes_of(orders["individual-slopes"], replace(results, records=(*once, *others)))[0]
    assert len(placebo.slopes) == 59
    assert placebo.caption.startswith("59 of 60 subjects")


def test_a_model_without_random_slopes_has_no_panel(order, results):
    assert slopes_of(order, results) == ()


def test_bins_are_shared_and_hold_every_slope(orders, results):
    arms = slopes_of(orders["individual-slopes"], results)
    bins = shared_bins(arms)
    every = [slope for one in arms for slope in one.slopes]
    assert bins[0] <= min(every) <= max(every) <= bins[-1]
    assert len(set(np.diff(bins).round(9))) == 1
    heights = [sum(patch.get_height() for patch in individual_slopes(one).patches) for one in arms]
    assert heights == pytest.approx([100.0, 100.0])
