"""Columns of the subjects: demographics and disposition, cell by cell."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from hand_made import counted, ordered, results, statistic, texts

from trialmlm.tables.order import Heading
from trialmlm.tables.shell_subjects import OF_KNOWN, baseline, disposition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.statistic import Statistic

AGE, SEX = Heading("AGE", ("Age, years",)), Heading("SEX", ("Sex",))
NAMES = ("n", "mean", "sd", "median", "min", "max")
ALL = {"PBO": 8, "ACT": 9, "total": 17}


def _of(quantity: str, name: str, value: float, arm: str, group: str = "") -> Statistic:
    return statistic(quantity, name, value, analysis="subjects", method="", endpoint="",
                     arm="" if arm == "total" else arm, group=group)  # fmt: skip


def _ages(decimals: int = 0, **arms: tuple[float, ...]) -> Iterator[Statistic]:
    yield _of("AGE", "decimals", decimals, "total")
    for arm, six in arms.items():
        for name, value in zip(NAMES, six, strict=True):
            yield _of("AGE", name, value, arm)


def _sexes(known: dict[str, int], **levels: dict[str, int]) -> Iterator[Statistic]:
    for arm, n in known.items():
        yield _of("SEX", "n", n, arm)
        for level, held in levels.items():
            yield _of("SEX", "n", held[arm], arm, level)


SEXES = list(_sexes(ALL, F={"PBO": 2, "ACT": 0, "total": 2}, M={"PBO": 6, "ACT": 9, "total": 15}))


def test_a_column_of_numbers_is_n_mean_and_median_with_its_own_decimals() -> None:
    found = results(
        counted(**ALL),
        _ages(1, PBO=(8, 50.25, 5.125, 50, 41, 59.5), ACT=(9, 61, 7, 60, 52, 70),
              total=(17, 56, 8.5, 55, 41, 70)),
    )  # fmt: skip
    # 50.25 of one decimal: two for the mean, three for the SD
    assert texts(baseline(ordered(columns=(AGE,)), found)) == [
        ["Age, years", "", "", ""],
        ["n", "8", "9", "17"],
        ["Mean (SD)", "50.25 (5.125)", "61.00 (7.000)", "56.00 (8.500)"],
        ["Median (Range)", "50.00 (41.0;59.5)", "60.00 (52.0;70.0)", "55.00 (41.0;70.0)"],
    ]


def test_an_arm_without_any_value_reads_ne_once() -> None:
    nothing = (0, *[nan] * 5)
    found = results(
        counted(**ALL),
        _ages(PBO=nothing, ACT=(1, 61, nan, 61, 61, 61), total=(1, 61, nan, 61, 61, 61)),
    )
    _, _, means, medians = texts(baseline(ordered(columns=(AGE,)), found))
    assert means == ["Mean (SD)", "NE", "61.0 (NE)", "61.0 (NE)"]
    assert medians == ["Median (Range)", "NE", "61.0 (61;61)", "61.0 (61;61)"]


def test_levels_are_counts_and_shares_of_the_subjects_with_a_value() -> None:
    display = baseline(ordered(columns=(SEX,)), results(counted(**ALL), SEXES))
    assert texts(display) == [
        ["Sex", "", "", ""],
        ["F", "2 (25%)", "0", "2 (12%)"],
        ["M", "6 (75%)", "9 (100%)", "15 (88%)"],
    ]
    assert display.footnotes == (OF_KNOWN,)
    assert display.columns[-1].heading == ("Total", "(N=17)")


def test_subjects_without_a_value_are_counted_as_missing() -> None:
    known = {"PBO": 6, "ACT": 9, "total": 15}
    found = results(counted(**ALL), _sexes(known, M=known))
    assert texts(baseline(ordered(columns=(SEX,)), found))[1:] == [
        ["M", "6 (100%)", "9 (100%)", "15 (100%)"],
        ["Missing", "2", "0", "2"],
    ]


def test_words_for_values_order_them_and_name_those_that_nobody_has() -> None:
    order = ordered(columns=(SEX,), levels={"SEX": {"M": "Male", "U": "Unknown"}})
    assert texts(baseline(order, results(counted(**ALL), SEXES)))[1:] == [
        ["Male", "6 (75%)", "9 (100%)", "15 (88%)"],
        ["Unknown", "0", "0", "0"],
        ["F", "2 (25%)", "0", "2 (12%)"],
    ]


def test_numbers_alone_need_no_word_about_percentages() -> None:
    found = results(counted(**ALL), _ages(total=(17, 1, 1, 1, 1, 1)))
    assert baseline(ordered(columns=(AGE,)), found).footnotes == ()


def test_disposition_counts_populations_first_and_shares_are_of_the_population() -> None:
    safety = Heading("saf", ("Safety",))
    known = {"PBO": 2, "ACT": 0, "total": 2}
    found = results(
        counted("itt", **ALL), counted("saf", PBO=8, ACT=8, total=16), _sexes(known, F=known)
    )
    display = disposition(ordered(populations=(safety,), columns=(SEX,)), found)
    assert texts(display) == [
        ["Safety", "8 (100%)", "8 (89%)", "16 (94%)"],
        ["Sex", "", "", ""],
        ["F", "2 (25%)", "0", "2 (12%)"],
    ]


def test_hostile_levels_and_labels_are_cells_as_they_are() -> None:
    hostile = r"{\rtf1 <script>=cmd()"
    order = ordered(columns=(Heading("SEX", (hostile,)),))
    known = {"PBO": 8, "ACT": 9, "total": 17}
    found = results(counted(**ALL), _sexes(known, **{hostile: known}))
    assert [row[0] for row in texts(baseline(order, found))] == [hostile, hostile]


def test_without_results_there_is_a_heading_and_no_crash() -> None:
    assert texts(baseline(ordered(columns=(SEX, AGE)), results())) == [
        ["Sex", "", "", ""],
        ["Age, years", "", "", ""],
    ]
    assert texts(disposition(ordered(), results())) == []
