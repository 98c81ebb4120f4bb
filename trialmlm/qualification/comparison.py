"""A number expected, the number obtained, and whether they are close enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.qualification.case import Case, Numbers, Tolerance

#: an estimate -> its standard error, which its difference is measured in
_ERROR_OF: Final = {
    "estimate": "std_error",
    "mean_estimate": "mean_std_error",
    "difference_estimate": "difference_std_error",
    "contrast_estimate": "contrast_std_error",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of a case.

    Attributes
    ----------
    quantity, label : str
        What it is, and of which term, visit, …
    expected, obtained : float
    difference : float
        On the scale of the tolerance; NaN where one of the two is missing.
    tolerance : Tolerance
    """

    quantity: str
    label: str
    expected: float
    obtained: float
    difference: float
    tolerance: Tolerance

    @property
    def passed(self) -> bool:
        """Close enough; two missing values are, a missing one and a number are not."""
        if math.isnan(self.expected) and math.isnan(self.obtained):
            return True
        return self.difference <= self.tolerance.limit

    @property
    def share(self) -> float:
        """The difference in units of the tolerance: above 1 is a failure."""
        if self.passed:
            return self.difference / self.tolerance.limit if self.difference > 0.0 else 0.0
        return self.difference / self.tolerance.limit if self.tolerance.limit else math.inf


def compare(case: Case, expected: Numbers, obtained: Numbers) -> tuple[Comparison, ...]:
    """Every number of the quantities that the case compares.

    A label that one side has and the other lacks is a number against a missing value.
    """
    return tuple(
        one
        for quantity in case.compare
        for one in _compared(case.tolerances[quantity], quantity, expected, obtained)
    )


def _compared(
    tolerance: Tolerance, quantity: str, expected: Numbers, obtained: Numbers
) -> Iterator[Comparison]:
    wanted, found = expected[quantity], obtained[quantity]
    errors = expected.get(_ERROR_OF.get(quantity, ""), {})
    for label in dict.fromkeys((*wanted, *found)):
        a, b = (float(side.get(label, math.nan)) for side in (wanted, found))
        unit = _unit(tolerance.scale, a, label, errors)
        yield Comparison(quantity, label, a, b, float(_difference(a, b) / unit), tolerance)


def _difference(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b)  # also where both are infinite


def _unit(scale: str, expected: float, label: str, errors: Mapping[str, float]) -> float:
    """What a difference is divided by; 1 where there is nothing to divide by."""
    units = {"standard error": errors.get(label, 1.0), "relative": abs(expected), "absolute": 1.0}
    return units[scale] or 1.0
