"""Names and labels of the data stay names and labels, whatever they hold."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from described import small_trial, unfitted
from hypothesis import given, settings
from hypothesis import strategies as st
from program_text import balanced, code, statements, tokens

from trialmlm.errors import NotAvailableError
from trialmlm.programs import r_text, sas_text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

RSCRIPT = shutil.which("Rscript")
MODEL = "AVAL ~ {b} + {s} + ARM * AVISIT + us(AVISIT | USUBJID)"
MEANS = [("ARM", "AVISIT")]
#: what ends a comment, a constant, a statement or a name, and what a macro or an escape begins with
WEAPONS = (
    "*/",
    "/*",
    "'",
    "''",
    '"',
    ";",
    "run;",
    "%let x=1;",
    "&x",
    "\\",
    "\\'",
    '\\"',
    "'n",
    ")",
    "(",
    "#",
    "{",
    "proc datasets kill;",
    "--",
    "%",
    "é",
    "x",
    " ",
    ",",
    "|",
    "=",
    "\n",
    "system()",
)
PIECES = st.lists(st.sampled_from(WEAPONS), min_size=1, max_size=6).map("".join)
LABELS = st.one_of(PIECES, st.text(min_size=1, max_size=12))
#: a name that a formula can quote: no backquote, nothing invisible
NAMES = PIECES.map(lambda text: text.replace("\n", "")).filter(lambda text: text.strip())


def hostile(sex: str, base: str, visit: str, label: str) -> pd.DataFrame:
    """The small trial with names and labels of another's choice."""
    frame = small_trial()
    frame = frame.rename(columns={"SEX": sex, "BASE": base})
    renamed = frame["AVISIT"].cat.rename_categories({"Week 8": visit})
    return frame.assign(AVISIT=renamed, **{sex: frame[sex].where(frame[sex] == "F", label)})


def programs(frame: pd.DataFrame, sex: str, base: str) -> tuple[str | None, str]:
    """Both programs; None for SAS where it refuses."""
    model = unfitted(MODEL.format(b=f"`{base}`", s=f"`{sex}`"), frame)
    try:
        sas = model.to_sas("trial", MEANS)
    except NotAvailableError as error:
        assert str(error).startswith("SAS: ")  # noqa: PT017
        sas = None
    return sas, model.to_r("trial", MEANS)


PLAIN_SAS, PLAIN_R = programs(small_trial(), "SEX", "BASE")
assert PLAIN_SAS is not None
#: the keyword of each statement, which is all that SAS carries out
KEYWORDS = [s[0] for s in statements(PLAIN_SAS)]
SIGNS = [t for t in code(PLAIN_R, "R") if len(t) == 1 and t in "()[]{},~$="]


@settings(max_examples=150, deadline=None)
@given(sex=NAMES, base=NAMES, visit=LABELS, label=LABELS)
def test_a_hostile_text_changes_no_statement(sex: str, base: str, visit: str, label: str) -> None:
    taken = {"arm", "avisit", "usubjid", "aval", sex.casefold()}
    if base.casefold() in taken or len(taken) < 5 or visit in {"Week 16", "Week 24"}:
        return
    if label in {"F", ""} or "\0" in f"{visit}{label}" or not label or not visit:
        return
    sas, r = programs(hostile(sex, base, visit, label), sex, base)
    if sas is not None:
        found = statements(sas)
        assert [s[0] for s in found if s[0] != "options"] == KEYWORDS
        assert all(map(balanced, found))
    assert balanced(code(r, "R"))
    assert [t for t in code(r, "R") if len(t) == 1 and t in "()[]{},~$="] == SIGNS


@settings(max_examples=200, deadline=None)
@given(text=st.text(min_size=1, max_size=20))
def test_a_sas_constant_is_one_token_and_says_the_text(text: str) -> None:
    try:
        written = sas_text.quoted(text)
    except NotAvailableError:
        assert not text.isprintable()
        return
    assert tokens(written, "SAS") == [("text", written)]
    assert written[1:-1].replace("''", "'") == text


@settings(max_examples=200, deadline=None)
@given(text=st.text(min_size=1, max_size=30))
def test_nothing_closes_a_comment(text: str) -> None:
    (found,) = tokens("\n".join(sas_text.comment([text, text, "end"])), "SAS")
    assert found[0] == "comment"
    assert {kind for kind, _ in tokens("\n".join(r_text.comment([text, "end"])), "R")} <= {
        "comment"
    }


@pytest.mark.skipif(RSCRIPT is None, reason="no R")
def test_r_reads_constants_and_names_back_as_they_were(tmp_path: Path) -> None:
    texts = ["a'b", 'a"b', "a\\b", "a`b", "a\nb\t", "é€😀", "\u200b\x07", "%s #{}", "x y", *WEAPONS]
    lines = ["found <- list()"]
    for i, text in enumerate(texts):
        codes = ", ".join(f"{ord(c)}L" for c in text)
        lines.append(f"stopifnot(identical(utf8ToInt({r_text.quoted(text)}), c({codes})))")
        if text.isprintable():
            lines += [
                f"{r_text.variable(text + 'z')} <- {i}",
                f"stopifnot(identical(get({r_text.quoted(text + 'z')}), {i}))",
            ]
    program = tmp_path / "names.R"
    program.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [RSCRIPT or "", "--encoding=UTF-8", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_name_that_r_cannot_hold_is_refused() -> None:
    with pytest.raises(NotAvailableError, match="rename the column"):
        r_text.variable("a\tb")


@pytest.mark.parametrize("name", ["x" * 33, "é" * 17, "a\tb", "_N_", "int", "_all_"])
def test_a_name_that_sas_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(NotAvailableError, match="rename the column"):
        sas_text.variable(name)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (("", "M"), "blank level"),
        (("  ", "M"), "blank level"),
        (("M ", "M"), "blanks at their ends"),
    ],
)
def test_levels_that_sas_would_confuse_are_refused(levels: tuple[str, str], said: str) -> None:
    frame = small_trial()
    frame["SEX"] = frame["SEX"].map(dict(zip("FM", levels, strict=True)))
    with pytest.raises(NotAvailableError, match=said):
        unfitted("AVAL ~ SEX + ARM", frame).to_sas()


def test_two_names_that_differ_in_case_are_one_in_sas() -> None:
    frame = small_trial().rename(columns={"BASE": "sex"})
    with pytest.raises(NotAvailableError, match="SEX and sex are one name"):
        unfitted("AVAL ~ SEX + sex", frame).to_sas()


def test_a_name_literal_is_announced() -> None:
    frame = small_trial().rename(columns={"BASE": "base o'clock"})
    text = unfitted("AVAL ~ `base o'clock` + ARM", frame).to_sas()
    assert "options validvarname=any;" in text
    assert "  model AVAL = 'base o''clock'n ARM / solution" in text
