"""Values drawn from the worst tenth of the changes of those who completed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import DataError
from trialmlm.missing.completions import Completions
from trialmlm.missing.layout import Layout, Names
from trialmlm.missing.lowest_decile import from_lowest_decile

N, DRAWS = 101, 400
BASE = 100.0 + np.arange(N)


def _layout() -> Layout:
    """Changes of 0, 1, …, 99 at the last visit, half as much before; the last subject has none."""
    change = np.column_stack([np.arange(N) / 2.0, np.arange(N, dtype=float)])
    Y = BASE[:, None] + change
    Y[-1] = np.nan
    subjects = pd.Index([f"S{i:03d}" for i in range(N)])
    visits = pd.Index(["Week 4", "Week 8"])
    arm = np.arange(N) % 2
    frame = pd.DataFrame(index=range(2 * N))
    return Layout(subjects, visits, ("A", "B"), arm, Y, frame, Names("ID", "AVISIT", "ARM", "AVAL"))


def _drawn(seed: int = 3, *, lower_is_worse: bool = True, chosen: bool = True) -> Completions:
    layout = _layout()
    k = np.array([N - 1, N - 1]), np.array([0, 1])
    before = Completions(*k, np.zeros((DRAWS, 2)))
    cells = np.zeros((N, 2), dtype=bool)
    cells[-1] = chosen
    return from_lowest_decile(layout, before, cells, BASE, seed, lower_is_worse=lower_is_worse)


def test_draws_are_baseline_plus_a_change_of_the_worst_tenth() -> None:
    change = _drawn().values - BASE[-1]
    # of 100 completers with changes 0 … 99 the quantile u is 99 u
    assert change[:, 1].min() >= 0.0
    assert change[:, 1].max() <= 9.9
    # uniform on (0, 9.9): mean 4.95 with a standard error of 9.9 / sqrt(12 · 400) = 0.14
    assert change[:, 1].mean() == pytest.approx(4.95, abs=4 * 0.143)


def test_a_subject_keeps_its_place_among_the_completers_at_every_visit() -> None:
    change = _drawn().values - BASE[-1]
    np.testing.assert_allclose(change[:, 0], change[:, 1] / 2.0, atol=1e-12)


def test_the_highest_changes_are_the_worst_where_low_is_good() -> None:
    change = _drawn(lower_is_worse=False).values - BASE[-1]
    assert change[:, 1].min() >= 89.1


def test_cells_that_are_not_chosen_stay_as_they_were_imputed() -> None:
    assert (_drawn(chosen=False).values == 0.0).all()


def test_one_seed_gives_one_answer_and_another_seed_another() -> None:
    assert (_drawn(3).values == _drawn(3).values).all()
    assert (_drawn(3).values != _drawn(4).values).any()


def test_nobody_who_completed_is_an_error() -> None:
    layout = _layout()
    layout.Y[:, -1] = np.nan
    before = Completions(np.array([0]), np.array([1]), np.zeros((2, 1)))
    with pytest.raises(DataError, match="nobody has a value at Week 8"):
        from_lowest_decile(layout, before, np.isnan(layout.Y), BASE, 1)
