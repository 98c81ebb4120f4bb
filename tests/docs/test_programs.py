"""The page on programs prints what the fit writes."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

import trialmlm as tm

PAGE = Path(__file__).parents[2] / "docs" / "programs.md"
BLOCK = re.compile(r"^```(sas|r|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_shows_both_programs_as_they_are_written(study_data: Path) -> None:
    fev = pd.read_csv(study_data / "fev_data.csv")
    blocks = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    printed: list[str] = []
    exec(blocks["python"], {"fev": fev, "pd": pd, "tm": tm, "print": printed.append})  # noqa: S102
    written = re.compile(r"trialmlm \d+\.\d+\.\d+\w*")
    for shown, text in zip((blocks["sas"], blocks["r"]), printed, strict=True):
        assert written.sub("trialmlm", shown) == written.sub("trialmlm", text)
