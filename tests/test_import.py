"""Importing the package is light: heavy libraries are loaded by what needs them, when it does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: CPU seconds of `import trialmlm`, the interpreter's own start included
ALLOWED = 0.5
HEAVY = ("lifelines", "matplotlib", "openpyxl", "scipy.stats")


def _run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A program in an interpreter of its own."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=plain,
    )


def _loaded_by(program: str) -> set[str]:
    return set(_run(f"import sys\n{program}\nprint(*sys.modules)").stdout.split())


@pytest.mark.parametrize(
    "program",
    [
        "import trialmlm",
        "import trialmlm; trialmlm.mmrm",
        "import trialmlm; trialmlm.ancova; trialmlm.carry_forward; trialmlm.load_protocol",
        "import trialmlm; trialmlm.run",
        "import trialmlm.batch.commands",
    ],
)
def test_heavy_libraries_are_not_loaded(program: str) -> None:
    assert _loaded_by(program) & set(HEAVY) == set()


def test_the_package_alone_loads_no_numerical_library() -> None:
    assert _loaded_by("import trialmlm") & {"numpy", "scipy", "pandas", "pydantic"} == set()


@pytest.mark.parametrize("options", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_no_numerical_library(options: list[str]) -> None:
    program = f"""
import contextlib, io, trialmlm.cli
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    trialmlm.cli.main({options!r})
"""
    assert _loaded_by(program) & {"numpy", "scipy", "pandas", "pydantic"} == set()


def test_the_import_takes_half_a_second_of_cpu_at_most() -> None:
    timed = "import trialmlm, os; times = os.times(); print(times.user + times.system)"
    # a busy machine can only add to it: the best of a few tries is what counts
    seconds = []
    for _ in range(5):
        seconds.append(float(_run(timed).stdout))
        if seconds[-1] <= ALLOWED:
            break
    assert min(seconds) <= ALLOWED


def test_every_public_name_is_there_and_listed() -> None:
    program = """
import trialmlm
for name in trialmlm.__all__:
    getattr(trialmlm, name)
assert set(dir(trialmlm)) == set(trialmlm.__all__)
"""
    assert _run(program).returncode == 0


def test_an_unknown_name_is_an_attribute_error() -> None:
    program = """
import trialmlm
try:
    trialmlm.mmmr
except AttributeError as error:
    print(error)
"""
    assert "has no attribute 'mmmr'" in _run(program).stdout
