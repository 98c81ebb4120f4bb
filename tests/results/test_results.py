"""The hinge: what is written reads back, and every number has keys of its own."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import UsageError
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.results import Results
from trialmlm.results.statistic import COLUMNS, KEYS, Statistic

RECORD = AnalysisRecord(
    name="a",
    role="main",
    method="MMRM",
    endpoint="score",
    population="itt",
    specification={"model": "CHG ~ ARM", "estimation": "REML"},
    steps=("records read: 10",),
    counts=(("PBO", "Week 4", 5), ("ACT", "Week 4", 0)),
    convergence="converged in 3 iterations",
    notes=("a note, with a comma",),
    line=12,
)
ONE = Statistic(
    "a", "MMRM", "score", "itt", "ls-mean", "PBO", "", "Week 4", "", "estimate", 1.25, "residual"
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)
values = st.floats(allow_nan=True, allow_infinity=True)
statistics = st.builds(
    Statistic, **{name: texts for name in COLUMNS if name != "value"}, value=values
)


def _bits(statistic: Statistic) -> tuple[Any, ...]:
    """All of a statistic, its value as hexadecimal digits: NaN is equal to NaN, 0 is not -0."""
    return (*_texts(statistic), statistic.value.hex())


def _texts(statistic: Statistic) -> tuple[str, ...]:
    return tuple(getattr(statistic, name) for name in COLUMNS if name != "value")


@given(st.lists(statistics, max_size=4))
def test_json_reads_back_equal_to_the_last_bit(made: list[Statistic]) -> None:
    read = Results.from_json(Results(tuple(made), (RECORD,)).to_json())
    assert [_bits(s) for s in read.statistics] == [_bits(s) for s in made]
    assert read.analyses == (RECORD,)


@given(st.lists(statistics, max_size=4))
def test_csv_values_read_back_equal_to_the_last_bit(made: list[Statistic]) -> None:
    rows = list(csv.DictReader(io.StringIO(Results(tuple(made)).to_csv(), newline="")))
    assert len(rows) == len(made)
    for row, statistic in zip(rows, made, strict=True):
        written = row.pop("value")
        assert float(written or "nan").hex() == statistic.value.hex()
        assert tuple(row.values()) == _texts(statistic)


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2])
def test_json_holds_values_that_json_has_no_words_for(value: float) -> None:
    (read,) = Results.from_json(Results((replace(ONE, value=value),)).to_json()).statistics
    assert read.value.hex() == value.hex()


def test_a_value_that_could_not_be_estimated_is_null_in_json_and_empty_in_csv() -> None:
    results = Results((replace(ONE, value=math.nan),))
    assert "null" in results.to_json()
    assert results.to_csv().splitlines()[1].split(",")[COLUMNS.index("value")] == ""


def test_a_value_is_found_by_its_keys_and_absent_keys_are_empty() -> None:
    keys = {name: getattr(ONE, name) for name in KEYS if getattr(ONE, name)}
    assert Results((ONE,)).value(**keys) == 1.25


def test_a_statistic_that_is_not_there_is_none_and_one_not_estimated_is_nan() -> None:
    results = Results((replace(ONE, value=math.nan),))
    keys = {name: getattr(ONE, name) for name in KEYS}
    found = results.value(**keys)
    assert found is not None
    assert math.isnan(found)
    assert results.value(**{**keys, "visit": "Week 8"}) is None


def test_a_key_that_results_do_not_have_is_refused_with_those_they_have() -> None:
    with pytest.raises(UsageError, match=r"no key vist; they have analysis, method"):
        Results((ONE,)).value(vist="Week 4")


def test_an_analysis_is_found_by_its_name() -> None:
    results = Results((), (RECORD,))
    assert results.analysis("a") == RECORD
    assert results.analysis("b") is None


def test_parts_are_put_together_in_order() -> None:
    other = replace(ONE, analysis="b")
    joined = Results.together([Results((ONE,), (RECORD,)), Results((other,))])
    assert joined.statistics == (ONE, other)
    assert joined.analyses == (RECORD,)


def test_the_frame_has_a_row_per_statistic_and_the_columns_in_order() -> None:
    frame = Results((ONE, replace(ONE, arm="ACT", value=2.0))).frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame["value"].tolist() == [1.25, 2.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a results file"),
        ("{}", "not a results file"),
        ("[]", "not a results file"),
        ('{"format": 2}', "found format 2, this version reads 1"),
        (
            '{"format": 1, "columns": ["value"], "statistics": [[]], "analyses": []}',
            "not a results",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Results.from_json(text)


def test_no_two_statistics_of_a_run_share_their_keys(small_results: Results) -> None:
    keys = Counter(tuple(getattr(s, key) for key in KEYS) for s in small_results.statistics)
    assert [key for key, count in keys.items() if count > 1] == []
    assert len(keys) > 300


def test_the_results_of_a_run_read_back_equal(small_results: Results) -> None:
    again = Results.from_json(small_results.to_json())
    assert [_bits(s) for s in again.statistics] == [_bits(s) for s in small_results.statistics]
    assert again.analyses == small_results.analyses
