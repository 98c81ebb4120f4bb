from __future__ import annotations

import numpy as np
import pytest

from trialmlm.errors import UsageError
from trialmlm.simulate.streams import TASKS, one_of, streams, truncated_normal


def test_each_task_has_a_stream_of_its_own() -> None:
    first = {task: rng.random() for task, rng in streams(1).items()}
    assert set(first) == set(TASKS)
    assert len(set(first.values())) == len(TASKS)


def test_the_same_seed_gives_the_same_numbers_on_every_machine() -> None:
    # what numpy's PCG64 gives: a change here changes every simulated trial
    assert streams(1)["course"].random(2).tolist() == [0.1141246529720964, 0.8533637052303807]


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1", None])
def test_a_seed_that_is_no_whole_number_from_0_is_refused(seed: object) -> None:
    with pytest.raises(UsageError, match="expected a whole number from 0"):
        streams(seed)  # type: ignore[arg-type]


def test_truncated_numbers_stay_within_and_names_come_by_their_shares() -> None:
    rng = np.random.default_rng(1)
    assert np.abs(truncated_normal(rng, 0, 1, (-0.5, 0.5), 1000)).max() <= 0.5
    names = one_of(rng, {"a": 0.25, "b": 0.75}, 10_000)
    assert (names == "b").mean() == pytest.approx(0.75, abs=0.02)
