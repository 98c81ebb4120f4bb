from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from trialmlm.simulate.ipf_fvc.schedule import VISITS, YEAR, visit_days
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from trialmlm.protocol import Protocol


def test_there_is_no_study_day_0() -> None:
    assert study_day(np.array([-2, -1, 0, 1])).tolist() == [-2, -1, 1, 2]


def test_visits_vary_within_their_windows_and_keep_their_order() -> None:
    days = visit_days(np.random.default_rng(1), 5000)
    due = np.array([7 * visit.week for visit in VISITS])[:, np.newaxis]
    reach = np.array([visit.half_window for visit in VISITS])
    assert (np.abs(days - due).max(axis=1) == reach).all()
    assert (np.diff(days, axis=0) > 0).all()


def test_the_visits_are_those_of_the_shipped_protocol(protocol: Protocol) -> None:
    assert protocol.schedule is not None
    planned = [(visit.name, visit.day) for visit in protocol.schedule.visits]
    assert [(visit.name, 7 * visit.week + 1) for visit in VISITS[1:]] == planned
    for visit, due in zip(protocol.schedule.visits, VISITS[1:], strict=True):
        assert visit.window is not None
        assert visit.day - due.half_window in visit.window
        assert visit.day + due.half_window in visit.window


def test_the_closed_form_of_the_slope_error_holds_for_the_planned_visits() -> None:
    # complete data, 204 subjects: SD of slopes 214 and residual SD 118 mL (ipf_sap 7.2, fact 3)
    years = np.array([7 * visit.week for visit in VISITS]) / YEAR
    spread = ((years - years.mean()) ** 2).sum()
    assert spread == pytest.approx(0.911, abs=0.01)
    assert np.sqrt((214**2 + 118**2 / spread) / 204) == pytest.approx(17.3, abs=0.05)
