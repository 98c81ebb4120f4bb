"""What a validation run found, as one record."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trialmlm._version import __version__
from trialmlm.qualification.check import FAIL, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.qualification.case import Requirement
    from trialmlm.qualification.check import Check
    from trialmlm.qualification.comparison import Comparison
    from trialmlm.qualification.deviation import Deviation
    from trialmlm.qualification.installation import Installation
    from trialmlm.qualification.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Trace:
    """A requirement, what shows it, and whether it is shown.

    Attributes
    ----------
    requirement : Requirement
    tests : tuple of (str, str)
        Identifier and status of each check and case that shows it.
    """

    requirement: Requirement
    tests: tuple[tuple[str, str], ...]

    @property
    def status(self) -> str:
        """Fail if one fails; not verified if one is, or if nothing shows it."""
        found = {status for _, status in self.tests}
        if FAIL in found:
            return FAIL
        return OPEN if OPEN in found or not found else "pass"


@dataclass(frozen=True, slots=True)
class Report:
    """A validation run.

    Attributes
    ----------
    run_time : str
        When, in words.
    seconds : float or None
        CPU time; None where the time of the run was given, so that the report can be repeated.
    installation : Installation
    requirements : tuple of Requirement
    outcomes : tuple of Outcome
    deviations : tuple of Deviation
    left_out : int
        Cases that were not asked for.
    material : str
        The folder of cases, if they are not those that travel with the package; else empty.
    """

    run_time: str
    seconds: float | None
    installation: Installation
    requirements: tuple[Requirement, ...]
    outcomes: tuple[Outcome, ...]
    deviations: tuple[Deviation, ...]
    left_out: int
    material: str

    @property
    def version(self) -> str:
        """Of the package."""
        return __version__

    @property
    def failures(self) -> tuple[str, ...]:
        """Identifiers of the checks and cases that failed."""
        checks = (check.id for check in self.installation.checks if check.status == FAIL)
        return (*checks, *(one.case.id for one in self.outcomes if not one.passed))

    @property
    def open(self) -> tuple[Check, ...]:
        """Checks that could not be decided."""
        return tuple(check for check in self.installation.checks if check.status == OPEN)

    @property
    def passed(self) -> bool:
        """Nothing failed."""
        return not self.failures

    @property
    def verdict(self) -> str:
        """FAIL, PASS, or PASS WITH RESERVATIONS, which are listed in `reservations`."""
        if not self.passed:
            return "FAIL"
        return "PASS WITH RESERVATIONS" if self.reservations else "PASS"

    @property
    def reservations(self) -> tuple[str, ...]:
        """What the verdict does not say."""
        return tuple(self._reservations())

    def _reservations(self) -> Iterator[str]:
        if self.left_out:
            yield (
                f"Partial run: {self.left_out} cases were not asked for. It does not qualify an "
                "installation."
            )
        if self.material:
            yield f"The cases are those of {self.material}, not those of the package."
        for check in self.open:
            yield f"{check.title}: not verified ({check.obtained})."
        if self.open:
            yield "Not for use in production: install a released wheel and run this again there."

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every requirement with what shows it."""
        tests = [(c.requirement, c.id, c.status) for c in self.installation.checks]
        tests += [
            (requirement, one.case.id, "pass" if one.passed else FAIL)
            for one in self.outcomes
            for requirement in one.case.requirements
        ]
        return tuple(
            Trace(one, tuple((id_, status) for of, id_, status in tests if of == one.id))
            for one in self.requirements
        )

    def to_json(self) -> str:
        """The whole record; NaN and infinity as text."""
        installation = self.installation
        plain = {
            "package": "trialmlm",
            "version": self.version,
            "verdict": self.verdict,
            "reservations": self.reservations,
            "failures": self.failures,
            "run_time": self.run_time,
            "cpu_seconds": self.seconds,
            "environment": installation.environment,
            "files": {
                "kind": installation.integrity.kind,
                "state": installation.integrity.state,
                "fingerprint": installation.integrity.fingerprint,
                "sha256": installation.integrity.files,
            },
            "material": installation.material,
            "checks": [asdict(check) for check in installation.checks],
            "requirements": [
                {**asdict(one.requirement), "status": one.status, "tests": dict(one.tests)}
                for one in self.traces
            ],
            "cases": [_outcome(one) for one in self.outcomes],
            "deviations": [asdict(one) for one in self.deviations],
        }
        return json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _outcome(one: Outcome) -> dict[str, Any]:
    case = one.case
    return {
        "id": case.id,
        "title": case.title,
        "requirements": case.requirements,
        "procedure": case.procedure,
        "data": case.data,
        "call": case.call,
        "source": one.source,
        "note": case.note,
        "status": "pass" if one.passed else FAIL,
        "problem": one.problem,
        "message": one.said,
        "comparisons": [_comparison(number) for number in one.comparisons],
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "quantity": one.quantity,
        "label": one.label,
        "expected": _number(one.expected),
        "obtained": _number(one.obtained),
        "difference": _number(one.difference),
        **asdict(one.tolerance),
        "passed": one.passed,
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
