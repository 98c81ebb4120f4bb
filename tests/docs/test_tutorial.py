"""The tutorial: its commands run as written, in order, and print what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(sh|text|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = shutil.which("sh")


def run_in(folder: Path, commands: str) -> str:
    """What the commands print; the first that fails ends the test."""
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        [SHELL or "sh", "-e", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}"
    return done.stdout


def shows(printed: str, shown: str) -> None:
    """Every part between ellipses stands in what was printed, in order, but for blanks."""
    rest = " ".join(printed.split())
    for line in shown.splitlines():
        for part in filter(None, (" ".join(part.split()) for part in line.split("…"))):
            assert part in rest, f"not printed in its place: {part}\n{printed}"
            rest = rest.split(part, 1)[1]


def edit(folder: Path, change: str) -> None:
    """Make the change that a diff states; each hunk fits at one place of the file."""
    first, *lines = change.splitlines()
    file = folder / first.removeprefix("--- ")
    text = file.read_text(encoding="utf-8")
    for hunk in "\n".join(lines).split("\n@@\n"):
        marked = [(line[:1], line[1:]) for line in hunk.splitlines()]
        old = "".join(f"{line}\n" for mark, line in marked if mark in " -")
        new = "".join(f"{line}\n" for mark, line in marked if mark in " +")
        assert text.count(old) == 1, f"fits at {text.count(old)} places:\n{hunk}"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


@pytest.mark.skipif(SHELL is None, reason="no POSIX shell")
def test_the_tutorial_s_commands_run_as_written_and_print_what_it_shows(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert sum(kind == "sh" for kind, _ in blocks) >= 8
    printed = ""
    for kind, content in blocks:
        if kind == "sh":
            printed = run_in(tmp_path, content)
        elif kind == "diff":
            edit(tmp_path, content)
        else:
            shows(printed, content)


def test_every_fence_of_the_tutorial_is_one_that_the_test_knows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text))
