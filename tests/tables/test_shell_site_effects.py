"""Sites and their predicted deviations, cell by cell."""

from __future__ import annotations

from dataclasses import replace

from hand_made import RECORD, ordered, results, statistic, texts

from trialmlm.tables.shell_site_effects import site_effects

SITES = replace(RECORD, method="LMM")


def _site(site: str, subjects: int, intercept: float, slope: float | None):
    keys = {"method": "LMM", "group": site}
    yield statistic("site", "n", float(subjects), **keys)
    yield statistic("site", "values", 7.0 * subjects, **keys)
    for quantity, value in (("site-intercept", intercept), ("site-slope", slope)):
        if value is not None:
            yield statistic(quantity, "estimate", value, **keys)
            yield statistic(quantity, "std_error", 4.25, **keys)


def _found(slope: float | None = -3.0):
    spread = [statistic("site-intercept", "sd", 12.5, method="LMM")]
    if slope is not None:
        spread.append(statistic("site-slope", "sd", 6.0, method="LMM"))
    return results(spread, _site("01", 3, 1.5, slope), _site("02", 1, -2.0, slope), record=SITES)


def test_the_table_cell_by_cell():
    display = site_effects(ordered(unit="mL", decimals=0), _found())
    assert [column.heading for column in display.columns] == [
        ("Site",),
        ("Subjects",),
        ("Values",),
        ("Intercept", "deviation (SE), mL"),
        ("Rate", "deviation (SE), mL/year"),
    ]
    assert texts(display) == [
        ["SD between sites", "", "", "12.5", "6.0"],
        ["01", "3", "21", "1.5 (4.25)", "-3.0 (4.25)"],
        ["02", "1", "7", "-2.0 (4.25)", "-3.0 (4.25)"],
    ]
    assert "empirical Bayes" in display.footnotes[-1]


def test_sites_that_differ_in_level_alone_have_one_column():
    display = site_effects(ordered(), _found(slope=None))
    assert len(display.columns) == 4
    assert texts(display)[1] == ["01", "3", "21", "1.50 (4.250)"]


def test_without_random_sites_there_is_nothing_to_report():
    display = site_effects(ordered(footnotes=("model",)), results())
    assert texts(display) == []
    assert not any("empirical Bayes" in line for line in display.footnotes)
