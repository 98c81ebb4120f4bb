from __future__ import annotations

import numpy as np
import pandas as pd

from trialmlm.adam.derive import compare

DERIVED = pd.DataFrame({
    "subject": ["01", "02", "03"],
    "visit": "Week 2",
    "AVISIT": ["Week 2", "Week 2", "Week 2"],
    "CHG": [1.0, 2.0, 3.0],
})  # fmt: skip


def test_equal_values_leave_an_empty_listing() -> None:
    own = pd.DataFrame({"AVISIT": [" Week 2"] * 3, "CHG": [1.0, 2.0 * (1 + 1e-12), 3.0]})
    found = compare(DERIVED, own)
    assert found.empty
    assert list(found) == ["subject", "visit", "variable", "derived", "data"]


def test_each_difference_is_a_row() -> None:
    own = pd.DataFrame({"AVISIT": ["Week 2", "Week 4", "Week 2"], "CHG": [1.0, 2.1, np.nan]})
    found = compare(DERIVED, own)
    assert found["variable"].tolist() == ["AVISIT", "CHG", "CHG"]
    assert found["subject"].tolist() == ["02", "02", "03"]
    assert found["data"].tolist()[:2] == ["Week 4", 2.1]


def test_the_tolerance_is_relative() -> None:
    own = pd.DataFrame({"CHG": [1.0, 2.02, 3.0]})
    assert len(compare(DERIVED, own, tolerance=0.001)) == 1
    assert compare(DERIVED, own, tolerance=0.02).empty
