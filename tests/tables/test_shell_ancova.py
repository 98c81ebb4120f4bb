"""The table of an analysis of covariance at a visit."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from hand_made import RECORD, counted, described, estimated, ordered, results, statistic, texts

from trialmlm.tables.shell_ancova import ancova

if TYPE_CHECKING:
    from trialmlm.results.results import Results

SIX = (8.0, 10.25, 1.255, 10.0, 8.0, 12.0)
NONE = (0.0, nan, nan, nan, nan, nan)


def _results(*, active: tuple[float, ...] = SIX, trend: bool = True) -> Results:
    parts = [counted("itt", PBO=8, ACT=9, total=17)]
    for arm, six in (("PBO", SIX), ("ACT", active)):
        parts += [
            described(quantity, six, arm=arm, visit="Week 8")
            for quantity in ("baseline", "value", "change")
        ]
        parts.append(estimated("ls-mean", six[1], arm=arm))
    parts.append(estimated("difference", active[1] - 10.5, arm="ACT", versus="PBO"))
    if trend:
        parts.append([statistic("dose-response", "p_value", 0.0004)])
    return results(*parts)


def test_the_rows_describe_then_test_the_trend_then_compare() -> None:
    order = ordered(footnotes=("model", "dose-response", "pairwise"))
    rows = texts(ancova(order, _results()))
    assert [row[0] for row in rows] == [
        "Baseline", "n", "Mean (SD)", "Median (Range)",
        "Week 8", "n", "Mean (SD)", "Median (Range)",
        "Change from Baseline", "n", "Mean (SD)", "Median (Range)",
        "p-value (Dose Response) [1][2]",
        "p-value (Active 10 mg - Placebo) [1][3]", "Difference of LS Means (SE)", "95% CI",
    ]  # fmt: skip
    assert rows[1:4] == [
        ["n", "8", "8"],
        ["Mean (SD)", "10.25 (1.255)", "10.25 (1.255)"],
        ["Median (Range)", "10.00 (8.0;12.0)", "10.00 (8.0;12.0)"],
    ]
    assert rows[12:] == [
        ["p-value (Dose Response) [1][2]", "", "<0.001"],
        ["p-value (Active 10 mg - Placebo) [1][3]", "", "0.031"],
        ["Difference of LS Means (SE)", "", "-0.25 (0.500)"],
        ["95% CI", "", "(-1.25;0.75)"],
    ]


def test_without_a_dose_response_there_is_no_row_of_it() -> None:
    labels = [row[0] for row in texts(ancova(ordered(), _results(trend=False)))]
    assert not any("Dose Response" in label for label in labels)


def test_the_interval_is_called_by_its_confidence() -> None:
    rows = texts(ancova(ordered(confidence=0.9), _results()))
    assert rows[-1][0] == "90% CI"


def test_an_arm_without_data_reads_ne_with_a_note() -> None:
    display = ancova(ordered(), _results(active=NONE))
    rows = texts(display)
    assert rows[1][2] == "0"
    assert [row[2] for row in rows[2:4]] == ["NE", "NE"]
    assert [row[2] for row in rows[-3:]] == ["NE", "NE", "NE"]
    assert display.footnotes == ("NE: not estimable: no data for Active 10 mg.",)


def test_footnotes_that_no_row_points_to_have_no_mark() -> None:
    order = ordered(footnotes=("model", "missing-data", "A text of the protocol.", "records"))
    assert ancova(order, _results()).footnotes == (
        f"[1] MMRM: {RECORD.specification['model']}; residual degrees of freedom.",
        "Missing values are not imputed.",
        "A text of the protocol.",
        "Records: records read: 10; population: 8.",
    )
