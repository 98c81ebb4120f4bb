"""A constrained longitudinal analysis as a program, which makes its indicator columns itself."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from described import small_trial
from program_text import comments, statement, statements

import trialmlm as tm

RSCRIPT = shutil.which("Rscript")


def fitted(**changes):
    trial = small_trial()
    first = trial.drop_duplicates("USUBJID").assign(AVISIT="Baseline", AVAL=lambda d: d["BASE"])
    data = pd.concat([first, trial]).assign(**changes).reset_index(drop=True)
    keys = {"arm": "ARM", "visit": "AVISIT", "subject": "USUBJID", "structure": "cs"}
    return tm.clda("AVAL", data, baseline="Baseline", control="Control", **keys), data


def test_sas_reads_the_columns_of_the_data_and_makes_the_indicators():
    program = fitted()[0].to_sas("adeff")
    assert statement(program, "set")[:3] == ["set", "adeff", "("]
    assert statement(program, "set")[5:9] == ["aval", "avisit", "arm", "usubjid"]
    made = [words for words in statements(program) if words[1:3] == ["=", "("]]
    assert ["armactive", "=", "(", "arm", "=", "'Active'", ")"] in made
    assert ["'AVISITWeek 8'n", "=", "(", "avisit", "=", "'Week 8'", ")"] in made
    assert len(made) == 1 + 3
    assert "with the columns AVAL, AVISIT, ARM, USUBJID;" in comments(program)
    # the indicators are numbers: their products are the effects
    assert "armactive" not in statement(program, "class")
    assert "'AVISITWeek 8'n" in statement(program, "model")


@pytest.mark.skipif(RSCRIPT is None, reason="R is not there")
def test_r_makes_the_columns_that_were_fitted(tmp_path):
    fit, data = fitted()
    data.to_csv(tmp_path / "adeff.csv", index=False)
    program = fit.to_r("adeff")
    made = [line for line in program[: program.index("fit <- ")].splitlines() if "<-" in line]
    lines = [
        f'adeff <- read.csv("{tmp_path / "adeff.csv"}")',
        *made,
        'write.csv(analysis, "made.csv", row.names = FALSE)',
    ]
    (tmp_path / "made.R").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run([RSCRIPT or "", "made.R"], cwd=tmp_path, check=True, capture_output=True)
    found = pd.read_csv(tmp_path / "made.csv")
    for name in ("ARMActive", "AVISITWeek 8", "AVISITWeek 16", "AVISITWeek 24"):
        np.testing.assert_array_equal(found[name], fit.variables[name].values)
