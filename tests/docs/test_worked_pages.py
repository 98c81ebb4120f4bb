"""The pages of worked examples: their code runs as written, and prints what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import BLOCK, run

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    page.relative_to(DOCS).as_posix()
    for folder in ("missing", "multilevel")
    for page in (DOCS / folder).glob("*.md")
    if page.name != "README.md"
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_what_it_shows(page, study_data, monkeypatch):
    monkeypatch.chdir(study_data)
    shown = list(run((DOCS / page).read_text(encoding="utf-8")))
    assert shown
    for printed, expected in shown:
        assert [line.split() for line in printed.splitlines()] == [
            line.split() for line in expected.splitlines()
        ]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_the_list_and_its_figures_are_there(page):
    folder = (DOCS / page).parent
    assert f"]({Path(page).name})" in (folder / "README.md").read_text(encoding="utf-8")
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text))
    for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text):
        assert (folder / name).is_file(), name
