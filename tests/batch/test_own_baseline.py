"""A model that imputes for slopes has the baseline as a response, so not as a covariate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eventful_trial import eventful_protocol

from trialmlm.batch.plan import make_plan
from trialmlm.errors import ProtocolError
from trialmlm.protocol import load_protocol

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.protocol import Protocol

ANALYSES = """\
  filled:
    role: sensitivity
    of: slope
    model: AVAL ~ MEAN + SEX + us(AVISIT | USUBJID)
    analyse: {model: COMPLETED}
    missing: {method: bayes, imputations: 5, seed: 1, otherwise: mar}
  filled_again:
    role: sensitivity
    of: filled
    missing: {method: bayes, imputations: 5, seed: 2, otherwise: mar}
"""
SLOPES = "AVAL ~ TRT01P * YEARS + SEX + (1 + YEARS | USUBJID)"


def _protocol(folder: Path, mean: str, completed: str = SLOPES) -> Protocol:
    added = ANALYSES.replace("MEAN", mean).replace("COMPLETED", completed)
    text = eventful_protocol().replace("\noutputs:\n", f"\n{added}\noutputs:\n", 1)
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    return load_protocol(file)


def test_the_model_is_told_once_at_its_line(tmp_path: Path) -> None:
    protocol = _protocol(tmp_path, "BASE * AVISIT + TRT01P * AVISIT")
    with pytest.raises(ProtocolError) as refused:
        make_plan(protocol)
    (problem,) = refused.value.problems
    assert problem.path == "analyses.filled.model"
    assert "AVAL ~ BASE" in (tmp_path / "protocol.yaml").read_text().splitlines()[problem.line - 1]
    assert "found BASE among the covariates" in problem.message
    assert "Leave BASE out" in problem.message


@pytest.mark.parametrize(
    ("mean", "completed"),
    [
        ("TRT01P * AVISIT", SLOPES),
        ("BASE * AVISIT + TRT01P * AVISIT", "AVAL ~ BASE + TRT01P + SEX"),
    ],
)
def test_a_baseline_that_is_one_of_the_two_is_planned(
    mean: str, completed: str, tmp_path: Path
) -> None:
    names = [planned.name for planned in make_plan(_protocol(tmp_path, mean, completed)).analyses]
    assert {"filled", "filled_again"} <= set(names)
