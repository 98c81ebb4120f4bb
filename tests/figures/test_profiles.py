from __future__ import annotations

from dataclasses import replace

import pytest

from trialmlm.figures.panels import MOST, panels_of
from trialmlm.figures.profiles import profiles
from trialmlm.figures.sample import sampled


def test_the_sample_does_not_depend_on_the_order_of_the_data():
    names = [f"S{k:03d}" for k in range(200)]
    assert sampled(reversed(names), 40) == sampled(names, 40)
    assert len(sampled(names, 40)) == 40


def test_each_arm_has_a_panel_of_at_most_so_many_subjects(orders, results):
    panels = panels_of(orders["profiles"], results)
    assert [panel.arm for panel in panels] == ["Placebo", "Active 150 mg bid"]
    assert [len(panel.profiles) for panel in panels] == [MOST, MOST]


def test_what_was_observed_is_drawn_at_its_actual_time(orders, results):
    order = orders["profiles"]
    profile = panels_of(order, results)[0].profiles[0]
    own = [r for r in results.records if r.analysis == "A1" and r.subject == profile.subject]
    expected = [(r.time * order.time_scale, r.observed) for r in own if r.observed == r.observed]
    assert list(zip(*(profile.observed.times, profile.observed.values), strict=True)) == expected


def test_the_line_of_the_population_has_the_slope_of_the_results(orders, results):
    order = orders["profiles"]
    panel = panels_of(order, results)[0]
    ax = profiles(panel)
    (line,) = (line for line in ax.lines if line.get_label() == "population")
    (x0, y0), (x1, y1) = line.get_xydata()
    keys = {"analysis": "A1", "method": "LMM", "endpoint": "fvc", "population": "treated"}
    slope = results.value(**keys, quantity="slope", arm="PBO", statistic="estimate")
    assert (y1 - y0) / (x1 - x0) * order.time_scale == pytest.approx(slope)
    assert f"{slope:.1f}" in panel.caption


def test_without_random_effects_no_line_is_drawn_per_subject(order, results):
    panel = panels_of(order, results)[0]
    assert not any(profile.predicted for profile in panel.profiles)
    assert not panel.population


def test_an_arm_without_records_has_no_panel(orders, results):
    only = replace(
        results, records=tuple(record for record in results.records if record.arm == "ACT")
    )
    (panel,) = panels_of(orders["profiles"], only)
    assert panel.arm == "Active 150 mg bid"
