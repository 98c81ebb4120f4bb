"""An analysis that imputes: its rules by subject, its variances, its deltas, its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from eventful_trial import (
    DEATHS,
    RESCUE,
    eventful_protocol,
    eventful_trial,
    inputs_of,
    rescues,
    task_of,
)

import trialmlm as tm
from trialmlm.batch.carry_out import carry_out
from trialmlm.batch.plan import make_plan
from trialmlm.batch.run import run
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.batch.assumed import Assumed
    from trialmlm.batch.inputs import Inputs
    from trialmlm.results.results import Results

MODEL = "CHG ~ TRT01P * AVISIT + BASE * AVISIT + SEX * AVISIT + us(AVISIT | USUBJID)"
COMPLETED = "CHG ~ TRT01P + BASE + SEX"
ANALYSES = f"""\
  full:
    role: main
    estimand: E1
    model: {MODEL}
    missing: {{otherwise: mar}}
  mean:
    role: sensitivity
    of: full
    analyse: {{model: {COMPLETED}, at: Week 12}}
    missing: {{method: conditional-mean, otherwise: mar}}
  drawn:
    role: sensitivity
    of: mean
    missing: {{method: approximate-bayes, imputations: 20, seed: 1, otherwise: mar, rules: [RULE]}}
    variance: {{decide: rubin, show: [jackknife]}}
  shifted:
    role: sensitivity
    of: mean
    delta:
      HIGH: [0, -4, -2]
      PBO: [0, -4, -2]
      unit: points
      per: visit
      rows: {{missing_after: rescue}}
"""
JUMP = "{after: rescue, assume: jump-to-reference, reference: PBO}"


def _protocol(rule: str = JUMP, rescue: str = "treatment-policy") -> str:
    text = eventful_protocol(rescue)
    return text.replace("outputs:\n", ANALYSES.replace("RULE", rule) + "\noutputs:\n", 1)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("imputed")
    return inputs_of(eventful_trial(folder, protocol=_protocol()))


@pytest.fixture(scope="module")
def found(trial: Inputs) -> dict[str, Results]:
    return {name: carry_out(task_of(trial, name)) for name in ("full", "mean", "drawn", "shifted")}


def _value(results: Results, statistic: str, **keys: str) -> float:
    record = results.analyses[0]
    asked = {"analysis": record.name, "method": record.method, "endpoint": record.endpoint,
             "population": record.population, "quantity": "difference", "arm": "HIGH",
             "versus": "PBO", "visit": "Week 12", **keys}  # fmt: skip
    value = results.value(statistic=statistic, **asked)
    assert value is not None
    return value


def test_conditional_means_under_mar_give_the_estimate_of_the_repeated_measures_model(
    found: dict[str, Results],
) -> None:
    # the model has every covariate by visit, so that both solve the same equations
    for arm in ("LOW", "HIGH"):
        direct = _value(found["full"], "estimate", arm=arm)
        assert _value(found["mean"], "estimate", arm=arm) == pytest.approx(direct, abs=1e-6)


def test_the_batch_says_what_the_functions_say(trial: Inputs, found: dict[str, Results]) -> None:
    task = task_of(trial, "drawn")
    assert task.assumed is not None
    events = task.assumed.events.rename(columns={"subject": "USUBJID", "visit": "AVISIT"})
    made = tm.impute(task.frame, model=MODEL, arm="TRT01P", events=events, reference="Placebo",
                     method="approximate-bayes", imputations=20, seed=1)  # fmt: skip
    variance = {"decide": "rubin", "show": ["jackknife"]}
    frame = made.analyse(COMPLETED, at="Week 12", contrasts=[("High", "Placebo")],
                         variance=variance).frame  # fmt: skip
    rows = frame[frame["arms"] == "High - Placebo"].set_index("variance")
    for name in ("estimate", "std_error", "p_value", "fmi", "monte_carlo_se"):
        assert _value(found["drawn"], name) == rows.loc["rubin", name]
    jackknifed = _value(found["drawn"], "std_error", group="jackknife")
    assert jackknifed == rows.loc["jackknife", "std_error"]
    assert found["drawn"].analyses[0].variances == ("rubin", "jackknife")


def test_a_rule_affects_the_visits_after_the_first_event(trial: Inputs) -> None:
    assumed = task_of(trial, "drawn").assumed
    assert assumed is not None
    first = assumed.events.set_index("subject")["visit"].astype(str).to_dict()
    # rescue on day 400 has no visit after it
    assert first == {"S-001": "Week 8", "S-005": "Week 12", "S-009": "Week 4"}
    assert set(assumed.events["strategy"]) == {"jump-to-reference"}


def test_a_rule_may_hold_for_a_reason_alone(tmp_path: Path) -> None:
    rule = JUMP.replace("assume", "reasons: [INTOLERANCE], assume")
    plain = "rescue: {dataset: adcm, where: \"CMCLAS == 'RESCUE'\", date: ASTDT}"
    text = _protocol(rule).replace(plain, plain[:-1] + ", reason: CMINDC}")
    adcm = rescues().assign(CMINDC="LACK OF EFFICACY")
    adcm.loc[adcm["USUBJID"] == "S-005", "CMINDC"] = "INTOLERANCE"
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text, adcm=adcm))
    assumed = task_of(inputs, "drawn").assumed
    assert assumed is not None
    assert assumed.events["subject"].tolist() == ["S-005"]


def test_of_two_rules_for_a_subject_the_one_whose_event_came_first_rules(tmp_path: Path) -> None:
    mar = "{after: death, assume: mar}, "
    adcm = rescues()
    late = adcm["USUBJID"] == "S-001"
    adcm.loc[late, "USUBJID"] = "S-004"  # rescued some days after 2026-01-05, dead on day 30
    text = _protocol(mar + JUMP)
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text, adcm=adcm))
    assumed = task_of(inputs, "drawn").assumed
    assert assumed is not None
    own = assumed.events.set_index("subject").loc["S-004"]
    assert own["event"] == "death"
    assert assumed.notes == ("1 event of imputation gave way to an earlier one of the subject",)


def test_every_subject_with_a_baseline_is_imputed_at_every_visit(trial: Inputs) -> None:
    frame = task_of(trial, "mean").frame
    counts = frame.groupby("USUBJID")["AVISIT"].nunique()
    assert (counts == 3).all()
    assert frame.loc[frame["CHG"].isna(), ["BASE", "SEX", "YEARS"]].notna().all(axis=None)
    dead = frame[(frame["USUBJID"] == "S-004") & (frame["AVISIT"] == "Week 12")]
    assert DEATHS["S-004"] < 85
    assert dead["CHG"].isna().all()


def test_a_delta_shifts_linearly_what_is_missing_after_the_event(
    found: dict[str, Results], trial: Inputs
) -> None:
    names = ("delta-HIGH", "delta-PBO", "estimate")
    rows = [[_cell(found["shifted"], n, name) for name in names] for n in range(1, 10)]
    cells = {(own, other): estimate for own, other, estimate in rows}
    assert cells[0.0, 0.0] == pytest.approx(_value(found["mean"], "estimate"), abs=1e-9)
    for other in (0.0, -2.0, -4.0):
        first, second, third = (cells[own, other] for own in (0.0, -2.0, -4.0))
        assert second - first == pytest.approx(third - second, abs=1e-9)
    shape = task_of(trial, "shifted").assumed
    assert shape is not None
    assert set(shape.shape["subject"]) <= set(RESCUE)
    assert (shape.shape["delta"] == 1.0).all()


def _cell(results: Results, number: int, statistic: str) -> float:
    return _value(results, statistic, quantity="tipping", group=str(number))


def test_the_tip_is_told_or_that_there_is_none(found: dict[str, Results]) -> None:
    results = found["shifted"]
    tips = results.select(quantity="tipping-point", statistic="delta", arm="HIGH", versus="PBO")
    assert {tip.group for tip in tips} == {"HIGH", "PBO"}
    for tip in tips:
        known = np.isfinite(tip.value)
        assert known or tip.note == "not reached within ten times the deltas of the protocol"


def test_the_words_name_assumption_and_variance(found: dict[str, Results]) -> None:
    record = found["drawn"].analyses[0]
    assert record.assumption == "Missing at random; after rescue jumps to the mean of Placebo."
    assert record.specification["variance"] == (
        "rubin (information-anchored) decides; jackknife (repeated-sampling) shown beside it"
    )
    assert "20 imputations, seed 1" in record.specification["imputation"]
    assert record.specification["model"] == COMPLETED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("treatment-policy, death", "while-on-treatment, death",
         "rescue: while-on-treatment with imputation"),
        ("    variance: {decide", "    weights: counterfactual\n    variance: {decide",
         "weights: counterfactual with imputation"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_imputation_is_refused_before_the_data_are_read(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    text = _protocol().replace(old, new, 1)
    file = eventful_trial(tmp_path, protocol=text)
    plan = make_plan(inputs_of(file).protocol)
    (refusal,) = (p.refusal for p in plan.analyses if p.name == "drawn")
    assert said in refusal


def test_a_run_shows_methods_and_tipping_points(tmp_path: Path) -> None:
    outputs = (
        'outputs:\n  - {number: "20", table: methods-compared, analyses: [full, mean, drawn]}\n'
        '  - {number: "21", table: tipping-point, analyses: [shifted]}\n'
        '  - {number: "22", figure: tipping-point, analyses: [shifted]}\n'
        '  - {number: "23", table: methods-in-words, analyses: [full, drawn]}\n'
        '  - {number: "24", table: intercurrent-events, analyses: [full]}\n'
    )
    file = eventful_trial(tmp_path / "trial", protocol=_protocol().replace("outputs:\n", outputs))
    made = run(file, file.parent / "data", tmp_path / "out", only=["20", "21", "22", "23", "24"])
    assert made.exit_code == 0
    table = (tmp_path / "out" / "t_20.txt").read_text(encoding="utf-8")
    assert "M=20" in table
    assert "(jackknife)" in table
    assert "Delta of" in (tmp_path / "out" / "t_21.txt").read_text(encoding="utf-8")
    assert "Variance: rubin, jackknife." in _joined(tmp_path / "out" / "t_23.txt")
    assert "Values kept" in (tmp_path / "out" / "t_24.txt").read_text(encoding="utf-8")
    log = (tmp_path / "out" / "run.log").read_text(encoding="utf-8")
    assert "estimand E1 (score_change): values after intercurrent events" in log
    listed = (tmp_path / "out" / "events.csv").read_text(encoding="utf-8")
    assert listed.startswith("estimand,endpoint,population,subject,arm,event,reason,date,day,")


def _joined(file: Path) -> str:
    return " ".join(file.read_text(encoding="utf-8").split())


def test_a_delta_shifts_what_the_estimand_sets_aside_as_it_shifts_what_is_missing(
    tmp_path: Path,
) -> None:
    inputs = inputs_of(eventful_trial(tmp_path, protocol=_protocol(rescue="hypothetical")))
    task = task_of(inputs, "shifted")
    assert task.assumed is not None
    frame = task.frame[task.frame["CHG"].isna()]
    imputed = set(zip(frame["USUBJID"], frame["AVISIT"].astype(str), strict=True))
    shape = task.assumed.shape
    shifted = set(zip(shape["subject"], shape["visit"], strict=True))
    # S-001 was rescued on day 40, before Week 8; its later values were measured, and are set aside
    assert {("S-001", "Week 8"), ("S-001", "Week 12")} <= shifted
    first = task_of(inputs, "drawn").assumed
    assert first is not None
    after = {name: visit for name, visit in imputed if name in {"S-001", "S-005", "S-009"}}
    assert shifted == {cell for cell in imputed if cell[0] in after and _affected(first, cell)}


def _affected(assumed: Assumed, cell: tuple[str, str]) -> bool:
    visits = ("Week 4", "Week 8", "Week 12")
    first = assumed.events.set_index("subject")["visit"][cell[0]]
    return visits.index(cell[1]) >= visits.index(str(first))


def test_a_first_event_with_a_reason_in_the_rule_and_one_outside_is_refused(
    tmp_path: Path,
) -> None:
    rule = JUMP.replace("assume", "reasons: [INTOLERANCE], assume")
    plain = "rescue: {dataset: adcm, where: \"CMCLAS == 'RESCUE'\", date: ASTDT}"
    text = _protocol(rule).replace(plain, plain[:-1] + ", reason: CMINDC}")
    adcm = rescues().assign(CMINDC="LACK OF EFFICACY")
    again = adcm[adcm["USUBJID"] == "S-005"].assign(CMINDC="INTOLERANCE")
    both = pd.concat([adcm, again])
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text, adcm=both))
    with pytest.raises(DataError, match=r"(?s)rescue of a subject has two reasons.*S-005"):
        task_of(inputs, "drawn")
