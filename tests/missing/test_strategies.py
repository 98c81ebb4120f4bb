"""Strategies against the formula of one subject at a time, written out plainly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.conditional import conditional
from trialmlm.errors import UsageError
from trialmlm.missing.strategies import Course, find_strategy, register_strategy, strategies

NAMES = [
    "mar",
    "jump-to-reference",
    "copy-reference",
    "copy-increments",
    "last-mean-carried-forward",
]


def random_course(rng: np.random.Generator, n_visits: int) -> Course:
    root = rng.normal(size=(n_visits, n_visits))
    return Course(rng.normal(size=n_visits), root @ root.T + np.eye(n_visits))


def by_hand(name: str, own: Course, other: Course, first: int) -> Course:
    """Carpenter, Roger and Kenward's definitions, visit by visit."""
    n_visits = own.mean.size
    mean = own.mean.copy()
    for j in range(first, n_visits):
        mean[j] = {
            "mar": lambda j: own.mean[j],
            "jump-to-reference": lambda j: other.mean[j],
            "copy-reference": lambda j: other.mean[j],
            "copy-increments": lambda j: (
                other.mean[j] + (own.mean[first - 1] - other.mean[first - 1] if first else 0.0)
            ),
            "last-mean-carried-forward": lambda j: own.mean[first - 1],
        }[name](j)
    if name == "copy-reference":
        return other
    if name in {"mar", "last-mean-carried-forward"}:
        return Course(mean, own.covariance)
    # y = mean + L z before the event by the own arm; then the reference's regression and residual
    past, later = range(first), range(first, n_visits)
    covariance = np.zeros((n_visits, n_visits))
    D, R = own.covariance[:first, :first], other.covariance
    slope = (
        R[first:, :first] @ np.linalg.inv(R[:first, :first]) if first else np.zeros((n_visits, 0))
    )
    residual = R[first:, first:] - slope @ R[:first, first:]
    covariance[np.ix_(past, past)] = D
    covariance[np.ix_(later, past)] = slope @ D
    covariance[np.ix_(past, later)] = (slope @ D).T
    covariance[np.ix_(later, later)] = residual + slope @ D @ slope.T
    return Course(mean, covariance)


def filled_by_hand(course: Course, y: np.ndarray) -> np.ndarray:
    """Each missing visit regressed on the observed ones through the precision matrix."""
    out = np.isnan(y)
    precision = np.linalg.inv(course.covariance)
    pull = precision[np.ix_(out, ~out)] @ (y[~out] - course.mean[~out])
    return course.mean[out] - np.linalg.inv(precision[np.ix_(out, out)]) @ pull


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(NAMES),
    n_visits=st.integers(1, 6),
    place=st.floats(0, 0.999),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_strategy_imputes_as_its_definition_does_subject_by_subject(
    name: str, n_visits: int, place: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    own, other = random_course(rng, n_visits), random_course(rng, n_visits)
    needs = find_strategy(name).earlier_visit
    first = max(int(place * n_visits), 1 if needs else 0)
    y = np.where(rng.random(n_visits) < 0.5, np.nan, rng.normal(size=n_visits))
    y[-1] = np.nan
    wanted = filled_by_hand(by_hand(name, own, other, first), y)
    batch = [
        Course(np.broadcast_to(c.mean, (2, 1, n_visits)), np.stack([c.covariance] * 2))
        for c in (own, other)
    ]
    course = find_strategy(name).assume(*batch, first)
    found = conditional(course.mean, course.covariance, y[None], np.isnan(y))
    # both invert matrices whose condition is bounded by the identity added to each
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), rtol=1e-7, atol=1e-8)


def test_noise_has_the_conditional_covariance() -> None:
    rng = np.random.default_rng(5)
    course = random_course(rng, 3)
    missing = np.array([True, False, True])
    both = (np.broadcast_to(course.mean, (2, 1, 3)), np.stack([course.covariance] * 2))
    y = rng.normal(size=(1, 3))
    unit = np.eye(2)[:, None, :]
    columns = conditional(*both, y, missing, unit) - conditional(*both, y, missing)
    precision = np.linalg.inv(course.covariance)
    wanted = np.linalg.inv(precision[np.ix_(missing, missing)])
    np.testing.assert_allclose(columns[:, 0].T @ columns[:, 0], wanted, rtol=1e-10)


def test_equal_covariances_stay_what_they_are_after_a_jump() -> None:
    rng = np.random.default_rng(2)
    own = random_course(rng, 4)
    other = Course(rng.normal(size=4), own.covariance.copy())
    for name in ("jump-to-reference", "copy-increments"):
        course = find_strategy(name).assume(own, other, 2)
        np.testing.assert_allclose(course.covariance, own.covariance, rtol=1e-10)


def test_before_every_visit_jump_increments_and_copy_are_the_same() -> None:
    rng = np.random.default_rng(3)
    own, other = random_course(rng, 3), random_course(rng, 3)
    for name in ("jump-to-reference", "copy-increments", "copy-reference"):
        course = find_strategy(name).assume(own, other, 0)
        np.testing.assert_array_equal(course.mean, other.mean)
        np.testing.assert_array_equal(course.covariance, other.covariance)


def test_an_unknown_strategy_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean jump-to-reference"):
        find_strategy("jump-to-referenc")


def test_a_name_that_is_taken_cannot_be_registered() -> None:
    with pytest.raises(UsageError, match="taken already"):
        register_strategy("mar", lambda own, other, first: own, words="…")
    with pytest.raises(UsageError, match="expected a function"):
        register_strategy("own-idea", "mar", words="…")  # type: ignore[arg-type]
    assert "own-idea" not in strategies()
