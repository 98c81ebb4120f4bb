from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.protocol.yaml_text import Place, read_yaml


def value_of(text: str) -> object:
    node, faults = read_yaml(f"key: {text}\n")
    assert node is not None
    assert faults == []
    return node.value["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("08", 8),
        ('"08"', "08"),
        ("1e-8", 1e-8),
        ("-.5", -0.5),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("2026-06-30", date(2026, 6, 30)),
        ("'2026-06-30'", "2026-06-30"),
        ("2026-02-30", "2026-02-30"),
        ("[1, null]", [1, None]),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    assert value_of(text) == value


def test_every_part_knows_its_line_and_column() -> None:
    node, _ = read_yaml("a:\n  - b: 1\n    c: [x, y]\n")
    assert node is not None
    assert node.place_of(("a", 0, "c")) == Place(3, 8)
    assert node.key_place_of(("a", 0, "c")) == Place(3, 5)
    assert node.place_of(("a", 0, "c", 1)) == Place(3, 12)
    assert node.place_of(("a", 0, "absent")) == Place(2, 5)
    assert node.place_of(("a", 0, "c", 7)) == Place(3, 8)


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a: !!python/object/apply:os.system [ls]\n", Place(1, 4), "found the tag"),
        ("a: &x [1]\nb: *x\n", Place(2, 4), "found an alias"),
        ("a: 1\nb: 2\na: 3\n", Place(3, 1), "found the key a twice, first in line 1"),
        ("a:\n\tb: 1\n", Place(2, 1), "found a tab, expected spaces"),
        ("a:\n  b: 1\n c: 2\n", Place(3, 2), "indented unlike those around it"),
        ("a: b: c\n", Place(1, 5), "found a colon where none can stand"),
        ("a: [1, 2\nb: 3\n", Place(2, 2), "not closed"),
        ("a: 'x\n", Place(2, 1), "end of the file inside quotes"),
        ("1: x\n", Place(1, 1), "found 1 (a number) as a key, expected text"),
        ("? [a]\n: x\n", Place(1, 3), "found a list as a key, expected text"),
        ("a: 1\n---\nb: 2\n", Place(2, 1), "found a second document"),
        ("%YAML 1.1\n---\na: NO\n", Place(2, 1), "found a YAML directive"),
        ("a: 1\nb: \x07\n", Place(2, 4), "which no text may hold"),
        ("a:\n", Place(1, 1), "found nothing, expected a value"),
        ('a: "\\UFFFFFFFF"\n', Place(1, 1), "means nothing"),
        ("[" * 10_000, Place(1, 34), "more than 32 levels"),
    ],
)
def test_what_a_protocol_may_not_hold_is_told_at_its_place(
    text: str, place: Place, told: str
) -> None:
    _, faults = read_yaml(text)
    assert [fault.place for fault in faults] == [place]
    assert told in faults[0].message


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@`#,?\n\t 019\\~")))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    node, faults = read_yaml(text)
    assert node is None or node.place >= Place(1, 1)
    assert all(fault.message for fault in faults)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud83d\ude00", "\U0001f600"),
        (r"a\ud83db", "a\ufffdb"),
        (r"\ude00", "\ufffd"),
        ("é😀", "é😀"),
    ],
)
def test_halves_of_characters_become_whole_and_a_lone_half_is_replaced(written, read):
    node, _ = read_yaml(f'title: "{written}"')
    assert node is not None
    assert node.value == {"title": read}
