"""An operational case: what is asked of the package, and what has to come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trialmlm.qualification.material import MaterialError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.qualification.material import Material

    #: quantity -> label -> number
    Numbers = Mapping[str, Mapping[str, float]]

#: what a difference is divided by before it is compared with the tolerance
SCALES: Final = ("absolute", "relative", "standard error")
_KEYS: Final = frozenset(
    {
        "id",
        "title",
        "requirements",
        "procedure",
        "data",
        "call",
        "expected",
        "compare",
        "tolerances",
        "means",
        "note",
    }
)
_NEEDED: Final = frozenset({"id", "title", "requirements", "procedure", "data", "expected"})


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a number may lie from the one expected.

    Attributes
    ----------
    limit : float
    scale : str
        One of `SCALES`.
    reason : str
        Why this far, and no farther.
    """

    limit: float
    scale: str
    reason: str


@dataclass(frozen=True, slots=True)
class Case:
    """An operational case, as its file states it.

    Attributes
    ----------
    id, title : str
    requirements : tuple of str
        Identifiers of what it shows.
    procedure : str
        Name in `trialmlm.qualification.procedures.PROCEDURES`.
    data : mapping
        file; optionally levels (column -> levels in order), where (column -> values kept).
    call : mapping
        The arguments of the procedure.
    expected : mapping
        reference and fit, or closed_form, or values and source, or error and says.
    compare : tuple of str
        Names in `trialmlm.qualification.quantities.QUANTITIES`.
    tolerances : mapping of str to Tolerance
        By quantity.
    means : mapping
        of, by, options of the LS means, contrasts between them, type of the tests.
    note : str
    """

    id: str
    title: str
    requirements: tuple[str, ...]
    procedure: str
    data: Mapping[str, Any]
    call: Mapping[str, Any]
    expected: Mapping[str, Any]
    compare: tuple[str, ...]
    tolerances: Mapping[str, Tolerance]
    means: Mapping[str, Any]
    note: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the package is required to do.

    Attributes
    ----------
    id, text : str
    """

    id: str
    text: str


def read_requirements(material: Material) -> tuple[Requirement, ...]:
    """Read the requirements, in the order of their file.

    Raises
    ------
    MaterialError
        The file is missing or not as it should be.
    """
    record = material.record("cases", "requirements.json")
    return tuple(Requirement(key, text) for key, text in record.items())


def read_cases(material: Material) -> tuple[Case, ...]:
    """Read every case, in the order of their files.

    Raises
    ------
    MaterialError
        A file is missing, or a case in it is not as it should be.
    """
    sets = _tolerance_sets(material)
    cases = tuple(
        _case(name, {**record.get("common", {}), **own}, sets)
        for name in material.case_files()
        for record in (material.record("cases", name),)
        for own in record["cases"]
    )
    ids = [case.id for case in cases]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise MaterialError(f"cases: {', '.join(twice)} are there several times")
    if not cases:
        raise MaterialError("cases: there are none; install the package again")
    return cases


def _tolerance_sets(material: Material) -> dict[str, dict[str, Tolerance]]:
    record = material.record("cases", "tolerances.json")
    return {
        name: {quantity: Tolerance(**stated) for quantity, stated in table.items()}
        for name, table in record.items()
    }


def _case(file: str, stated: Mapping[str, Any], sets: Mapping[str, dict[str, Tolerance]]) -> Case:
    name = stated.get("id", "a case without id")
    strange = (stated.keys() - _KEYS) | (_NEEDED - stated.keys())
    if strange:
        msg = f"cases/{file}: {name}: {', '.join(sorted(strange))} is not known, or missing"
        raise MaterialError(msg)
    tolerances = sets.get(stated.get("tolerances", ""), {})
    lacking = set(stated.get("compare", ())) - tolerances.keys()
    if lacking:
        msg = f"cases/{file}: {name}: no tolerance is stated for {', '.join(sorted(lacking))}"
        raise MaterialError(msg)
    return Case(
        id=name,
        title=stated["title"],
        requirements=tuple(stated["requirements"]),
        procedure=stated["procedure"],
        data=stated["data"],
        call=stated.get("call", {}),
        expected=stated["expected"],
        compare=tuple(stated.get("compare", ())),
        tolerances=tolerances,
        means=stated.get("means", {}),
        note=stated.get("note", ""),
    )
