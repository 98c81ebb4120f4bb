"""Kenward-Roger keeps its level in small null trials."""

from __future__ import annotations

import numpy as np
import pytest

from validation.operating_characteristics import (
    LEAVE,
    METHODS,
    PAGE,
    PER_ARM,
    TRIALS,
    VISITS,
    run,
    share,
    simulated,
)


def test_a_quarter_of_the_subjects_leave_and_the_rest_stay():
    last = np.concatenate(
        [simulated(seed).groupby("USUBJID")["AVISIT"].count() for seed in range(1, 101)]
    )
    assert last.size == 100 * 2 * PER_ARM
    # binomial error of 4,000 subjects: 0.7 %
    assert (last < VISITS).mean() == pytest.approx(LEAVE, abs=0.03)


def test_a_few_null_trials_reject_about_as_often_as_they_should():
    made = run(60)
    assert made.unconverged == []
    for name in METHODS:
        estimate, error, df, rejects, covers = made.found[name].T
        assert estimate.size == 60
        # a single row's test and interval say the same
        np.testing.assert_array_equal(rejects + covers, 1.0)
        assert (error > 0).all()
        assert (df > 0).all()
        # 60 trials at 5 %: more than 12 rejections have probability 1e-5
        assert rejects.sum() <= 12
    means = {name: made.found[name].mean(axis=0) for name in METHODS}
    assert means["kenward-roger"][1] > means["satterthwaite"][1]
    assert means["residual"][2] > means["kenward-roger"][2]


def test_the_page_that_is_kept_is_of_all_trials():
    text = PAGE.read_text(encoding="utf-8")
    assert f"{TRIALS:,} trials, seeds 1 to {TRIALS:,}" in text
    assert "| kenward-roger |" in text


@pytest.mark.slow
def test_kenward_roger_rejects_and_covers_as_often_as_it_says_in_two_minutes():
    made = run(TRIALS)
    _, _, _, rejects, covers = made.found["kenward-roger"].T
    assert 4.5 <= share(rejects)[0] <= 5.5
    assert 94.5 <= share(covers)[0] <= 95.5
    assert len(made.unconverged) <= 0.001 * TRIALS
    assert made.seconds < 120.0
