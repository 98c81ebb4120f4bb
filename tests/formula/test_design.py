"""What depends on the subject, on the visit, or on both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialmlm.formula.design import Layout
from trialmlm.formula.variables import variable
from trialmlm.models.mmrm import mmrm

SUBJECT = np.array([2, 0, 0, 1, 2, 1])
VISIT = np.array([0, 0, 1, 1, 1, 0])
LAYOUT = Layout.of(SUBJECT, VISIT)


def scope(values) -> str:
    return LAYOUT.scope(variable(pd.Series(values)))


def test_a_layout_counts_subjects_and_visits_and_finds_a_row_of_each():
    assert (LAYOUT.n_subjects, LAYOUT.n_visits) == (3, 2)
    assert SUBJECT[LAYOUT.first_of_subject].tolist() == [0, 1, 2]
    assert VISIT[LAYOUT.first_of_visit].tolist() == [0, 1]


def test_a_table_is_zero_where_there_is_no_row():
    layout = Layout.of(np.array([0, 1]), np.array([0, 1]))
    np.testing.assert_array_equal(layout.table(np.array([5.0, 7.0])), [[5, 0], [0, 7]])
    np.testing.assert_array_equal(layout.observed(), np.eye(2, dtype=bool))


def test_scope_tells_subject_visit_and_row_apart():
    assert scope(np.array([9.0, 7.0, 8.0])[SUBJECT]) == "subject"
    assert scope(np.array([0.0, 24.0])[VISIT]) == "visit"
    assert scope([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == "row"
    assert scope(np.ones(6)) == "subject"


def test_a_time_varying_covariate_costs_a_subject_column_per_visit_and_no_more():
    rng = np.random.default_rng(0)
    s = np.repeat(np.arange(12), 3)
    data = pd.DataFrame({"s": s, "v": list("abc") * 12, "arm": np.where(s % 2, "A", "B")})
    data = data.assign(y=rng.normal(size=36), x=rng.normal(size=36))
    constant = mmrm("y ~ arm*v + us(v | s)", data)
    varying = mmrm("y ~ arm*v + x + x:v + us(v | s)", data)
    assert constant.design.U.shape == (12, 2)
    assert varying.design.U.shape == (12, 5)
