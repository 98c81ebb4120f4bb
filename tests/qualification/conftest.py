"""The shipped cases, carried out once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from trialmlm.qualification.case import Case, read_cases
from trialmlm.qualification.material import Material, shipped_material
from trialmlm.qualification.outcome import Outcome, carry_out

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def material() -> Material:
    """What travels with the package."""
    return shipped_material()


@pytest.fixture(scope="session")
def cases(material: Material) -> tuple[Case, ...]:
    """Every case."""
    return read_cases(material)


@pytest.fixture(scope="session")
def outcomes(cases: tuple[Case, ...], material: Material) -> dict[str, Outcome]:
    """How each case ends."""
    return {case.id: carry_out(case, material) for case in cases}


@pytest.fixture
def copied(material: Material, tmp_path: Path) -> Path:
    """A copy of the material that a test may spoil."""
    folder = tmp_path / "material"
    for name in ("cases", "data", "reference"):
        shutil.copytree(
            material.folder / name, folder / name, ignore=shutil.ignore_patterns("*.py*")
        )
    shutil.copy(material.folder / "SHA256SUMS", folder)
    return folder
