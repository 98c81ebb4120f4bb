"""Carry out a case: what came out, and whether it is what was expected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialmlm.qualification.closed_forms import CLOSED_FORMS
from trialmlm.qualification.comparison import Comparison, compare
from trialmlm.qualification.material import MaterialError
from trialmlm.qualification.procedures import PROCEDURES, prepared
from trialmlm.qualification.quantities import QUANTITIES

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.qualification.case import Case, Numbers
    from trialmlm.qualification.material import Material


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended.

    Attributes
    ----------
    case : Case
    source : str
        Where the expected numbers come from.
    comparisons : tuple of Comparison
    problem : str
        Why nothing could be compared, or what is wrong with an error message; else empty.
    said : str
        The error message that the package gave, where one was expected.
    """

    case: Case
    source: str
    comparisons: tuple[Comparison, ...] = ()
    problem: str = ""
    said: str = ""

    @property
    def passed(self) -> bool:
        """Something was compared, and all of it is as expected."""
        if self.problem:
            return False
        return bool(self.said) or (
            bool(self.comparisons) and all(one.passed for one in self.comparisons)
        )

    @property
    def failures(self) -> tuple[Comparison, ...]:
        """The numbers that are not as expected."""
        return tuple(one for one in self.comparisons if not one.passed)

    @property
    def worst(self) -> Comparison | None:
        """The number that is farthest off, in units of its tolerance."""
        return max(self.comparisons, key=_rank, default=None)


def _rank(one: Comparison) -> float:
    """A missing value where a number belongs is worst of all."""
    return math.inf if math.isnan(one.share) else one.share


def carry_out(case: Case, material: Material) -> Outcome:
    """Do what the case asks, and compare; whatever goes wrong is an outcome."""
    source = case.expected.get("source", "")
    try:
        data = prepared(material, case.data)
        if "error" in case.expected:
            return _refused(case, data)
        expected, source = _expected(case, data, material)
        made = PROCEDURES[case.procedure](data, case.call)
        obtained = {name: QUANTITIES[name](made, case) for name in case.compare}
        if case.expected.get("only_stated"):
            obtained = {
                q: {k: table.get(k, math.nan) for k in expected[q]} for q, table in obtained.items()
            }
        return Outcome(case, source, compare(case, expected, obtained))
    except Exception as error:
        # a case that ends in any error whatever is a failed case: the report must be written
        return Outcome(case, source, problem=f"{type(error).__name__}: {error}")


def _refused(case: Case, data: pd.DataFrame) -> Outcome:
    """The package must refuse, with this error and these words."""
    kind, words = case.expected["error"], case.expected["says"]
    source = f"{kind}, whose message says {words!r}"
    try:
        PROCEDURES[case.procedure](data, case.call)
    except Exception as error:
        kinds = {one.__name__ for one in type(error).__mro__}
        said = f"{type(error).__name__}: {error}"
        if kind in kinds and words in str(error):
            return Outcome(case, source, said=said)
        return Outcome(case, source, problem=f"another error than expected: {said}")
    return Outcome(case, source, problem="no error; the package must refuse this")


def _expected(case: Case, data: pd.DataFrame, material: Material) -> tuple[Numbers, str]:
    """The numbers that have to come out, and where they are from."""
    stated = case.expected
    if "closed_form" in stated:
        return CLOSED_FORMS[stated["closed_form"]](data, case), stated["source"]
    if "values" in stated:
        return _numbers(stated["values"]), stated["source"]
    record = material.record("reference", stated["reference"])
    made_from = record["data"][case.data["file"]]
    if made_from != material.digest("data", case.data["file"]):
        msg = f"data/{case.data['file']} is not the file that the reference was made from"
        raise MaterialError(msg)
    if stated["fit"] not in record["fits"]:
        msg = f"reference/{stated['reference']} has no fit {stated['fit']}"
        raise MaterialError(msg)
    return _numbers(record["fits"][stated["fit"]]), _provenance(record, stated)


def _provenance(record: dict[str, Any], stated: Any) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    return f"{stated['reference']}, fit {stated['fit']}: {record['program']} ({packages})"


def _numbers(stated: Any) -> Numbers:
    """As in a file: a single number stands for itself, null for a missing value."""
    return {
        name: _by_label(value)
        for name, value in stated.items()
        if isinstance(value, dict | int | float) and name != "call"
    }


def _by_label(value: Any) -> dict[str, float]:
    table = value if isinstance(value, dict) else {"": value}
    return {label: math.nan if v is None else float(v) for label, v in table.items()}
