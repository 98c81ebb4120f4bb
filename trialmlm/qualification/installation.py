"""The installation check: the package, complete, on a platform that it is made for."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trialmlm._version import __version__
from trialmlm.qualification.arithmetic import ARITHMETIC
from trialmlm.qualification.check import OPEN, RECORDED, Check, decided
from trialmlm.qualification.environment import environment
from trialmlm.qualification.integrity import Integrity, check_files, installed_distribution
from trialmlm.qualification.material import SUMS, MaterialError
from trialmlm.qualification.versions import dependencies, python_bounds, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.qualification.material import Material

_PACKAGE_IS: Final = "R-17"
_PLATFORM_IS: Final = "R-18"
_MATERIAL_IS: Final = "R-19"


@dataclass(frozen=True, slots=True)
class Installation:
    """What was found of the installation.

    Attributes
    ----------
    checks : tuple of Check
    integrity : Integrity
    environment : mapping of str to str
    material : mapping of str to str
        File -> SHA-256 of cases, data and reference numbers, as they are.
    """

    checks: tuple[Check, ...]
    integrity: Integrity
    environment: dict[str, str]
    material: dict[str, str]


def check_installation(material: Material) -> Installation:
    """Check the package's files, what it stands on, and the machine."""
    integrity = check_files(installed=installed_distribution())
    checks = (
        _version(),
        _files(integrity),
        _material(material),
        _python(),
        *_packages(),
        *_machine(),
    )
    return Installation(checks, integrity, environment(), material.present())


def _version() -> Check:
    installed = installed_distribution()
    found = installed.version if installed is not None else ""
    obtained = f"{__version__}, registered as {found or 'nothing'}"
    status = decided(found == __version__) if found else OPEN
    return Check("IQ-VERSION", "Version", _PACKAGE_IS, "the version registered", obtained, status)


def _files(integrity: Integrity) -> Check:
    development = integrity.kind == "development"
    status = OPEN if development else decided(integrity.intact)
    expected = "every file as in the list of the wheel (RECORD, SHA-256), none missing, none more"
    return Check("IQ-FILES", "Files", _PACKAGE_IS, expected, integrity.state, status)


def _material(material: Material) -> Check:
    title, expected = "Data and reference numbers", f"every file as in {SUMS}, none more"
    try:
        listed, present = material.listed(), material.present()
    except MaterialError as error:
        return Check(
            "IQ-MATERIAL", title, _MATERIAL_IS, expected, str(error), decided(passed=False)
        )
    differ = sorted(
        name for name in listed.keys() | present.keys() if listed.get(name) != present.get(name)
    )
    obtained = f"not as listed: {', '.join(differ)}" if differ else f"{len(listed)} files as listed"
    return Check("IQ-MATERIAL", title, _MATERIAL_IS, expected, obtained, decided(not differ))


def _python() -> Check:
    bounds, found = python_bounds(), platform.python_version()
    return Check("IQ-PYTHON", "Python", _PLATFORM_IS, bounds, found, decided(within(found, bounds)))


def _packages() -> Iterator[Check]:
    for one in dependencies():
        use = f"{one.name}{' (optional)' if one.optional else ''}"
        absent = one.optional and not one.found
        status = RECORDED if absent else decided(one.satisfied)
        obtained = one.found or "not installed"
        expected = one.bounds or "any version"
        yield Check(f"IQ-PACKAGE-{one.name}", use, _PLATFORM_IS, expected, obtained, status)


def _machine() -> Iterator[Check]:
    for number, (title, (expected, find)) in enumerate(ARITHMETIC.items(), start=1):
        obtained, passed = find()
        name = f"IQ-ARITHMETIC-{number:02}"
        yield Check(
            name, title[0].upper() + title[1:], _PLATFORM_IS, expected, obtained, decided(passed)
        )
