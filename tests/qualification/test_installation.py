"""The installation check notices what is altered, missing or more, and is honest about the rest."""

from __future__ import annotations

import re
import subprocess
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import Distribution, PathDistribution
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trialmlm.qualification import integrity
from trialmlm.qualification.arithmetic import ARITHMETIC
from trialmlm.qualification.environment import environment
from trialmlm.qualification.installation import check_installation
from trialmlm.qualification.integrity import PACKAGE, check_files, git_state
from trialmlm.qualification.material import Material
from trialmlm.qualification.versions import dependencies, python_bounds, within

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "__init__.py": b"",
    "cli.py": b"print('hello')\n",
    "room/one.py": b"ONE = 1\n",
    "room/page.html.j2": b"<p>{{ text }}</p>\n",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with a small one, as pip leaves it."""
    site = tmp_path / "site"
    lines = []
    for name, content in FILES.items():
        path = site / "trialmlm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")
        lines.append(f"trialmlm/{name},sha256={digest},{len(content)}")
    # what pip compiles is listed without a hash
    (site / "trialmlm" / "__pycache__").mkdir()
    (site / "trialmlm" / "__pycache__" / "cli.cpython-311.pyc").write_bytes(b"compiled")
    lines.append("trialmlm/__pycache__/cli.cpython-311.pyc,,")
    about = site / "trialmlm-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: trialmlm\nVersion: 0.1.0\n")
    (about / "RECORD").write_text("\n".join([*lines, "trialmlm-0.1.0.dist-info/RECORD,,", ""]))
    return site


def _installed(site: Path) -> Distribution:
    return PathDistribution(site / "trialmlm-0.1.0.dist-info")


def test_an_installed_package_is_as_listed(site: Path) -> None:
    found = check_files(site / "trialmlm", _installed(site))
    assert (found.kind, found.intact, found.state) == ("installed", True, "4 files as listed")
    assert found.files.keys() == {f"trialmlm/{name}" for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_one_byte_more_is_noticed(site: Path, name: str) -> None:
    path = site / "trialmlm" / name
    path.write_bytes(path.read_bytes() + b" ")
    found = check_files(site / "trialmlm", _installed(site))
    assert not found.intact
    assert found.altered == (f"trialmlm/{name}",)
    assert found.state == f"altered: trialmlm/{name}"


def test_a_file_less_and_a_file_more_are_noticed(site: Path) -> None:
    (site / "trialmlm" / "room" / "one.py").unlink()
    (site / "trialmlm" / "room" / "two.py").write_bytes(b"")
    found = check_files(site / "trialmlm", _installed(site))
    assert found.missing == ("trialmlm/room/one.py",)
    assert found.unexpected == ("trialmlm/room/two.py",)
    assert "missing: trialmlm/room/one.py" in found.state
    assert "not in the list: trialmlm/room/two.py" in found.state


def test_a_stale_list_is_noticed(site: Path) -> None:
    """A list of another build: files and list differ, whichever is the older."""
    record = site / "trialmlm-0.1.0.dist-info" / "RECORD"
    record.write_text(re.sub(r"sha256=.{4}", "sha256=AAAA", record.read_text(), count=1))
    assert not check_files(site / "trialmlm", _installed(site)).intact


def test_many_differences_are_counted(site: Path) -> None:
    for number in range(8):
        (site / "trialmlm" / f"more_{number}.py").write_bytes(b"")
    assert "and 3 more" in check_files(site / "trialmlm", _installed(site)).state


def test_the_same_files_have_the_same_fingerprint(site: Path) -> None:
    first = check_files(site / "trialmlm", _installed(site))
    assert check_files(site / "trialmlm").fingerprint == first.fingerprint
    (site / "trialmlm" / "cli.py").write_bytes(b"print('Hello')\n")
    assert check_files(site / "trialmlm").fingerprint != first.fingerprint


def test_a_package_that_runs_from_elsewhere_has_no_list(site: Path, tmp_path: Path) -> None:
    """A development installation, or two copies of which the other one was installed."""
    source = tmp_path / "source" / "trialmlm"
    source.mkdir(parents=True)
    (source / "__init__.py").write_bytes(b"")
    found = check_files(source, _installed(site))
    assert found.kind == "development"
    assert "development installation" in found.state


def test_the_state_of_a_source_tree_is_what_git_says(tmp_path: Path) -> None:
    package = tmp_path / "trialmlm"
    package.mkdir()
    (package / "__init__.py").write_bytes(b"")
    assert "not under git" in git_state(tmp_path)
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    assert re.search(r"commit [0-9a-f]{40}, no uncommitted changes", git_state(tmp_path))
    (package / "__init__.py").write_bytes(b"1\n")
    (package / "new.py").write_bytes(b"")
    assert "2 files with uncommitted changes" in git_state(tmp_path)
    (tmp_path / "copy" / "trialmlm").mkdir(parents=True)
    assert "nothing is known" in git_state(tmp_path / "copy")


def test_without_git_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity.shutil, "which", lambda name: None)
    assert "nothing is known" in git_state(PACKAGE.parent)


# --- data and reference numbers -------------------------------------------------------------------


def _status(folder: Path) -> tuple[str, str]:
    checks = check_installation(Material(folder)).checks
    found = next(check for check in checks if check.id == "IQ-MATERIAL")
    return found.status, found.obtained


def test_the_material_is_as_listed(copied: Path) -> None:
    assert _status(copied)[0] == "pass"


def test_an_altered_number_of_the_reference_is_noticed(copied: Path) -> None:
    path = copied / "reference" / "mmrm.json"
    path.write_bytes(path.read_bytes().replace(b"3987.76825253702", b"3987.76825253703", 1))
    assert _status(copied) == ("fail", "not as listed: reference/mmrm.json")


def test_a_missing_and_an_additional_file_are_noticed(copied: Path) -> None:
    (copied / "data" / "trial.csv").unlink()
    (copied / "data" / "more.csv").write_text("A\n1\n")
    assert _status(copied) == ("fail", "not as listed: data/more.csv, data/trial.csv")


def test_a_missing_or_spoilt_list_is_a_failure(copied: Path) -> None:
    (copied / "SHA256SUMS").write_text("nonsense\n")
    assert "expected a SHA-256" in _status(copied)[1]
    (copied / "SHA256SUMS").unlink()
    assert _status(copied)[0] == "fail"


# --- versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "bounds", "holds"),
    [
        ("2.2", ">=2.2,<4", True),
        ("2.2.0", ">=2.2", True),
        ("2.10.1", ">=2.9", True),
        ("4.0.0", ">=2.2,<4", False),
        ("2.1.9", ">=2.2,<4", False),
        ("3.0.0rc1", ">=3", True),
        ("1.4.2+local", "==1.4.2", True),
        ("1.4.2", "!=1.4.2", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.0", ">0.9,<=1.0", True),
        ("1.0", "", True),
        ("1.0", "=>1.0", False),
    ],
)
def test_versions_are_compared_by_number(found: str, bounds: str, holds: bool) -> None:
    assert within(found, bounds) == holds


def test_the_packages_are_those_that_use_needs() -> None:
    found = {one.name.lower(): one for one in dependencies()}
    assert {"numpy", "scipy", "pandas", "jinja2", "pyarrow", "rich"} <= found.keys()
    assert found.keys().isdisjoint({"pytest", "ruff", "mypy", "hypothesis", "pytest-benchmark"})
    assert found["numpy"].found == np.__version__
    assert found["pyarrow"].optional
    assert not found["numpy"].optional
    assert within("3.11", python_bounds())
    assert not within("3.10", python_bounds())


# --- arithmetic and environment -------------------------------------------------------------------


@pytest.mark.parametrize("title", ARITHMETIC)
def test_the_arithmetic_of_this_machine_is_sound(title: str) -> None:
    expected, find = ARITHMETIC[title]
    obtained, passed = find()
    assert passed, (expected, obtained)


def test_unsound_linear_algebra_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    own = np.linalg.cholesky
    monkeypatch.setattr(np.linalg, "cholesky", lambda matrix: own(matrix) * (1.0 + 1e-12))
    assert not ARITHMETIC["Cholesky factor"][1]()[1]


def test_the_environment_names_what_numbers_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = environment()
    assert "OMP_NUM_THREADS=3" in found["BLAS threads"]
    assert found.keys() >= {"platform", "Python", "BLAS", "locale", "time zone"}
    assert all(found.values())
