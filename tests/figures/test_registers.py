"""What the batch promises of figures is what the room builds."""

from __future__ import annotations

from trialmlm.batch import availability
from trialmlm.figures.shells import FIGURES


def test_the_figures_that_are_promised_are_those_that_are_built() -> None:
    assert frozenset(FIGURES) == availability.FIGURES
