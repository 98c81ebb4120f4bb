"""What the estimands of the protocol are in one trial, from the true FVC of its subjects.

Nothing is missing, nothing is measured with error: the true course goes on after leaving and after
death as it would have gone on, and drug stops are followed. That is treatment policy for drug stop
and the hypothetical strategy for death.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.simulate.ipf_fvc.schedule import YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.course import Course

    Numbers = NDArray[np.float64]


def slopes(course: Course) -> Numbers:
    """Least-squares slope of each subject's true FVC over the days of its visits, mL per year."""
    years = course.chances.days / YEAR
    centred = years - years.mean(axis=0)
    found: Numbers = (centred * course.at_visit).sum(axis=0) / (centred**2).sum(axis=0)
    return found


def changes(course: Course) -> Numbers:
    """Change of each subject's true FVC from baseline to the day of its last visit, mL."""
    found: Numbers = course.at_visit[-1] - course.at_visit[0]
    return found


#: estimand of the protocol -> its value for each subject, shape (n,)
ESTIMANDS: Mapping[str, Callable[[Course], Numbers]] = {"E1": slopes, "E2": changes}


def truth(course: Course) -> dict[str, float]:
    """The mean of each estimand in each arm, and its difference.

    Returns
    -------
    dict
        ``E1 placebo``, ``E1 active``, ``E1 difference`` in mL per year; ``E2 …`` in mL; and
        ``own slope …``, the mean of the subjects' deviations from the slope of their arm, in
        which arms differ by chance alone.
    """
    placebo = course.subjects.arm == 0
    found = {}
    per_subject = {name: of(course) for name, of in ESTIMANDS.items()}
    per_subject["own slope"] = course.subjects.slope_deviation
    for name, values in per_subject.items():
        without, with_drug = float(values[placebo].mean()), float(values[~placebo].mean())
        found[f"{name} placebo"] = without
        found[f"{name} active"] = with_drug
        found[f"{name} difference"] = with_drug - without
    return found
