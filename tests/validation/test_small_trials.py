"""Small trials with much missing: an optimum that is one, or a reason, whatever the structure."""

from __future__ import annotations

import numpy as np
import pytest

from validation.small_trials import (
    OF_EACH,
    OTHERS,
    PAGE,
    TRIALS,
    BySubject,
    distance,
    ended,
    ends_of,
    falls_towards_singular,
    fitted,
    least_curvature,
    proper_elsewhere,
    simulated,
)

#: names of an end that says why
REASONS = {"CONVERGED", "DEGENERATE", "FLAT", "REFUSED"}
#: of all trials these end at a singular matrix
FEW = (10, 13)


def judged(end) -> None:
    """An end is an optimum by the second likelihood, or says which visits are thin."""
    assert end.reason in REASONS
    if end.fit is None:
        assert "cannot carry" in end.message or "no subject has both" in end.message
    elif end.converged:
        facts = end.fit.convergence
        # the search stops at 1e-6, and takes the step it has where rounding lets it
        assert distance(end.fit, BySubject.of(end.fit)) < 1e-6
        assert facts.condition > 1e-5
        assert facts.curvature > 1e-5
    else:
        assert "too little is known of the visits V" in end.message
        assert "subjects have them all; rows of ARM" in end.message


@pytest.mark.parametrize("seed", range(1, 31))
def test_a_small_trial_ends_at_a_proper_optimum_or_with_a_reason(seed):
    judged(ended(seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_hessian_made_by_differences_is_that_of_an_optimum(seed):
    fit = fitted(simulated(seed))
    assert least_curvature(fit, BySubject.of(fit)) > 1e-6


@pytest.mark.parametrize("seed", FEW)
def test_where_no_optimum_is_found_there_is_none_from_other_starts_either(seed):
    fit = fitted(simulated(seed))
    assert fit.convergence.reason.name == "DEGENERATE"
    assert falls_towards_singular(fit, BySubject.of(fit))
    assert proper_elsewhere(fit) is None


@pytest.mark.parametrize("structure", OTHERS)
def test_the_other_structures_end_well_in_small_trials(structure):
    for seed in range(1, 6):
        judged(ended(seed, structure))


def test_the_simulated_trials_are_what_they_are_said_to_be():
    shapes = [simulated(seed) for seed in range(1, 101)]
    assert {trial.n_visits for trial in shapes} == {4, 5, 6, 7, 8}
    assert all(20 <= trial.n_subjects <= 60 for trial in shapes)
    lost = [1 - len(t.frame) / (t.n_subjects * t.n_visits) for t in shapes]
    assert np.quantile(lost, 0.95) > 0.33
    assert max(lost) < 0.46  # 40 % expected at most, chance on top
    again = simulated(7).frame
    assert again.equals(simulated(7).frame)


def test_the_page_that_is_kept_is_of_all_trials_and_all_structures():
    text = PAGE.read_text(encoding="utf-8")
    assert f"| trials | {TRIALS:,} |" in text
    assert all(f"| {name} | {OF_EACH} |" in text for name in OTHERS)


@pytest.mark.slow
def test_every_one_of_a_thousand_small_trials_ends_well_or_says_why():
    ends = ends_of("us", range(1, TRIALS + 1))
    for end in ends:
        judged(end)
    assert sum(end.converged for end in ends) > 0.9 * TRIALS


@pytest.mark.slow
@pytest.mark.parametrize("structure", OTHERS)
def test_every_structure_ends_well_or_says_why_in_two_hundred_trials(structure):
    ends = ends_of(structure, range(1, OF_EACH + 1))
    for end in ends:
        judged(end)
    assert sum(end.converged for end in ends) >= 0.95 * OF_EACH
