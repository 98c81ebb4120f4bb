"""The pre-specified list of models: which step is used, why not the others, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import FitError, UsageError
from trialmlm.models.ladder import LadderFailure, LadderFit, with_structure

TRIAL = random_trial(95, n_subjects=80)
KEYS = {"visit": "AVISIT", "subject": "USUBJID"}
FIXED = "CHG ~ BASE + ARMCD * AVISIT"
STEPS = [tm.Step("us", "kenward-roger"), tm.Step("toeph"), tm.Step("cs", "residual")]


def apart():
    """No subject has both V2 and V3."""
    frame = TRIAL.frame
    late = frame["USUBJID"].map(dict(zip(sorted(set(frame["USUBJID"])), range(80), strict=False)))
    return frame[frame["AVISIT"] != np.where(late % 2, "V2", "V3")]


def constant():
    """A response that the fixed effects reproduce."""
    return TRIAL.frame.assign(CHG=TRIAL.frame["BASE"] * 2.0)


def test_the_first_step_that_can_be_fitted_is_used():
    ladder = tm.mmrm_ladder(FIXED, TRIAL.frame, steps=STEPS, **KEYS)
    assert isinstance(ladder, LadderFit)
    assert (ladder.number, ladder.step, ladder.attempts) == (1, STEPS[0], ())
    alone = tm.mmrm(f"{FIXED} + us(AVISIT | USUBJID)", TRIAL.frame, df="kenward-roger")
    pd.testing.assert_frame_equal(ladder.fit.coefficients(), alone.coefficients(), check_exact=True)


def test_a_later_step_tells_why_the_earlier_ones_were_not_used():
    ladder = tm.mmrm_ladder(FIXED, apart(), steps=STEPS, **KEYS)
    assert ladder.number == 2
    assert ladder.step == tm.Step("toeph")
    (attempt,) = ladder.attempts
    assert attempt.step == STEPS[0]
    assert attempt.reason.startswith("no subject has both visits V2 and V3")
    assert ladder.fit.family.abbreviation == "toeph"
    assert ladder.fit.method.name == "satterthwaite"
    assert str(ladder).splitlines()[0] == "step 2 of 3 used: toeph, satterthwaite"
    assert str(ladder).splitlines()[1].startswith("step 1 not used: us, kenward-roger: no subject")


def test_a_search_that_does_not_converge_is_a_reason():
    """Two visits with the same values: a correlation of one."""
    frame = TRIAL.frame.pivot_table(index="USUBJID", columns="AVISIT", values="CHG").dropna()
    frame["V2"] = frame["V1"]
    long = frame.reset_index().melt("USUBJID", value_name="CHG")
    ladder = tm.mmrm_ladder("CHG ~ 1", long, steps=[tm.Step("us"), tm.Step("cs")], **KEYS)
    assert ladder.number == 2
    assert "approaches a singular matrix" in ladder.attempts[0].reason


def test_when_all_fail_there_are_reasons_and_no_numbers():
    ladder = tm.mmrm_ladder(FIXED, constant(), steps=STEPS, **KEYS)
    assert isinstance(ladder, LadderFailure)
    assert [attempt.step for attempt in ladder.attempts] == STEPS
    assert all("no variation is left" in attempt.reason for attempt in ladder.attempts)
    with pytest.raises(FitError, match=r"none of the 3 .*\n.*us, kenward-roger: the fixed"):
        _ = ladder.fit


@pytest.mark.parametrize(
    ("steps", "error", "said"),
    [
        ([], UsageError, "the list of steps is empty"),
        (["us"], UsageError, r"found 'us' among the steps, expected Step\('us'\)"),
        ([tm.Step("us"), tm.Step("magic")], UsageError, "magic"),
        ([tm.Step("us"), tm.Step("cs", "guess")], UsageError, "found 'guess'"),
        ([tm.Step("us"), tm.Step("cs", information="no")], UsageError, "information"),
    ],
)
def test_a_list_that_cannot_be_walked_is_refused_before_anything_is_fitted(steps, error, said):
    with pytest.raises(error, match=said):
        tm.mmrm_ladder(FIXED, TRIAL.frame, steps=steps, **KEYS)


def test_kenward_roger_among_the_steps_is_refused_under_maximum_likelihood():
    with pytest.raises(UsageError, match="defined for REML"):
        tm.mmrm_ladder(FIXED, TRIAL.frame, steps=STEPS, reml=False, **KEYS)
    with pytest.raises(UsageError, match="the steps name the covariance"):
        tm.mmrm_ladder(f"{FIXED} + us(AVISIT | USUBJID)", TRIAL.frame, steps=STEPS, **KEYS)


def test_odd_names_and_the_place_of_the_structure():
    frame = TRIAL.frame.rename(columns={"USUBJID": "subject id", "AVISIT": "the visit"})
    ladder = tm.mmrm_ladder(
        "CHG ~ BASE", frame, visit="the visit", subject="subject id", steps=[tm.Step("ar1h")]
    )
    assert ladder.fit.formula == "CHG ~ BASE + ar1h(`the visit` | `subject id`)"
    assert with_structure("y ~ us(v | s) + us_", "toeph") == "y ~ toeph(v | s) + us_"
