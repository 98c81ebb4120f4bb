from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from trialmlm.errors import Problem, ProtocolError, UsageError
from trialmlm.protocol import load_protocol, protocol_from
from trialmlm.protocol.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Only = "Callable[[str, str], Problem]"

# what stands in the full example, what replaces it, where the problem is, and its whole message
FAULTS = {
    "a typo in a key": (
        "control: true}",
        "controll: true}",
        "arms.PBO.controll",
        (
            "unknown key 'controll'; did you mean 'control'? "
            "(allowed: value, label, order, dose, control)"
        ),
    ),
    "a quoted number": (
        "order: 1,",
        'order: "1",',
        "arms.PBO.order",
        "found '1', expected a whole number: leave out the quotes",
    ),
    "an output number without quotes": (
        'number: "16-2.01"',
        "number: 14.10",
        "outputs[3].number",
        "found 14.10 (a number), expected text: write it in quotes",
    ),
    "a version without quotes": (
        'version: "2.0"',
        "version: 2.0",
        "protocol.sap.version",
        "found 2.0 (a number), expected text: write it in quotes",
    ),
    "a word that is not in the list": (
        "data_origin: simulated",
        "data_origin: simulate",
        "protocol.data_origin",
        "found 'simulate', expected one of collected, simulated; did you mean 'simulated'?",
    ),
    "a date that is none": (
        "data_cut: 2026-03-31",
        "data_cut: 2026-03-32",
        "protocol.data_cut",
        "found '2026-03-32', expected a date such as 2026-06-30",
    ),
    "a missing key": (
        (
            "title: 24-week randomised trial of two doses of an analgesic in osteoarthritis of the "
            "knee"
        ),
        "",
        "protocol.title",
        "missing key title",
    ),
    "no value": (
        "unblinded: true",
        "unblinded:",
        "protocol.unblinded",
        "found nothing, expected a value: write one, or leave the key out",
    ),
    "text for true or false": (
        "unblinded: true",
        "unblinded: yes",
        "protocol.unblinded",
        "found 'yes', expected true or false",
    ),
    "two control arms": (
        "dose: 20}",
        "dose: 20, control: true}",
        "arms.LOW.control",
        "found a second control arm; PBO is one already",
    ),
    "an order twice": (
        "order: 3,",
        "order: 2,",
        "arms.HIGH.order",
        "found 2, which arm LOW has as well",
    ),
    "overlapping windows": (
        "window: [58, 127]",
        "window: [57, 127]",
        "schedule.visits[1].window",
        "[57, 127] of 'Week 12' overlaps [2, 57] of 'Week 4'",
    ),
    "a target day outside its window": (
        "day: 85,",
        "day: 129,",
        "schedule.visits[1].window",
        "the target day 129 of 'Week 12' lies outside [58, 127]",
    ),
    "a visit without a window": (
        "day: 85, window: [58, 127],",
        "day: 85,",
        "schedule.visits[1]",
        (
            "missing key window: visits are derived (values: derived), and 'Week 12' has no study "
            "days"
        ),
    ),
    "a window of one day": (
        "window: [58, 127]",
        "window: [58]",
        "schedule.visits[1].window",
        "expected two study days, [low, high], with null for an open end",
    ),
    "a day that is none": (
        "window: [2, 57]",
        "window: [0, 57]",
        "schedule.visits[0].window",
        "found 0: there is no study day 0, the day before day 1 is -1",
    ),
    "an unknown date": (
        "day_1: first_dose",
        "day_1: first_dos",
        "schedule.day_1",
        (
            "found the date 'first_dos', which is not declared; did you mean 'first_dose'? "
            "(declared: "
            "consent, randomised, first_dose, last_dose, end_of_study, death, surgery)"
        ),
    ),
    "an endpoint that is nothing": (
        "change_from_baseline: pain}",
        "change: pain}",
        "endpoints.pain_change",
        (
            "found the keys label, change, expected exactly one of the keys from, "
            "change_from_baseline, responder, first_of"
        ),
    ),
    "a typo in the key that decides": (
        "variable: {time_to: relapse}",
        "variable: {time_too: relapse}",
        "estimands.E3.variable",
        (
            "found the keys time_too, expected exactly one of the keys value_of, slope_of, "
            "time_to; "
            "did you mean 'time_to'?"
        ),
    ),
    "an unknown key of one kind of endpoint": (
        "change_from_baseline: pain}",
        "change_from_baseline: pain, parameter: X}",
        "endpoints.pain_change.parameter",
        "unknown key 'parameter' (allowed: label, unit, decimals, better, change_from_baseline)",
    ),
    "an unknown key deep in a list of alternatives": (
        "{of: pain, value_at_least: 90}",
        "{of: pain, value_at_leas: 90, value_at_least: 9}",
        "endpoints.relapse.first_of[2].value_at_leas",
        (
            "unknown key 'value_at_leas'; did you mean 'value_at_least'? (allowed: of, "
            "value_at_least, value_at_most, change_at_least, change_at_most, "
            "percent_change_at_least, "
            "percent_change_at_most)"
        ),
    ),
    "a responder without a limit": (
        "{of: pain, value_at_most: 10}",
        "{of: pain}",
        "endpoints.little_pain.responder",
        (
            "found no limit, expected exactly one of value_at_least, value_at_most, "
            "change_at_least, "
            "change_at_most, percent_change_at_least, percent_change_at_most"
        ),
    ),
    "a change of a change": (
        "responder: {of: pain, value_at_most: 10}",
        "responder: {of: pain_change, value_at_most: 10}",
        "endpoints.little_pain.responder.of",
        (
            "found the endpoint 'pain_change' (made by change_from_baseline), expected one made by "
            "from"
        ),
    ),
    "an unknown visit": (
        "rows: {observed_at: Week 24,",
        "rows: {observed_at: week 24,",
        "analyses.P1.completers.rows.observed_at",
        (
            "found the visit 'week 24', which is not declared; did you mean 'Week 24'? "
            "(declared: Baseline, Week 4, Week 12, Week 24)"
        ),
    ),
    "an unknown event": (
        "{stopped: treatment-policy,",
        "{stoped: treatment-policy,",
        "estimands.E1.events.stoped",
        (
            "found the event 'stoped', which is not declared; did you mean 'stopped'? "
            "(declared: stopped, rescue, death)"
        ),
    ),
    "an unknown arm among the shifts": (
        "HIGH: [0, 20, 1], PBO",
        "HIHG: [0, 20, 1], PBO",
        "analyses.P1.tipping.delta.HIHG",
        (
            "found the arm 'HIHG', which is not declared; did you mean 'HIGH'? "
            "(declared: PBO, LOW, HIGH)"
        ),
    ),
    "steps that miss their end": (
        "HIGH: [0, 20, 1], PBO",
        "HIGH: [0, 20, 3], PBO",
        "analyses.P1.tipping.delta.HIGH",
        "found [0, 20, 3], expected a step that leads from 0 to 20 in whole steps",
    ),
    "an unknown analysis": (
        "analyses: [P1, P1.reference]",
        "analyses: [P1, P1.referense]",
        "outputs[1].analyses[1]",
        (
            "found the analysis 'P1.referense', which is not declared; did you mean "
            "'P1.reference'? "
            "(declared: P1, P1.ancova, P1.retrieved, P1.reference, P1.tipping, P1.completers, "
            "P1.subgroup, P1.everyone, P1.ranks, P1.nearest, P2, P3, P4)"
        ),
    ),
    "three arms in a contrast": (
        "contrast: [HIGH, PBO]",
        "contrast: [HIGH, LOW, PBO]",
        "analyses.defaults.contrast",
        "found a list of 3, expected at most 2",
    ),
    "an arm compared with itself": (
        "contrast: [HIGH, PBO]",
        "contrast: [PBO, PBO]",
        "analyses.defaults.contrast",
        "found 'PBO' compared with itself, expected two arms",
    ),
    "a level above one": (
        "confidence: 0.95",
        "confidence: 95",
        "analyses.defaults.confidence",
        "found 95 (a number), expected a number below 1",
    ),
    "text for a list": (
        "by: [SEX, AGEGR1]",
        "by: SEX",
        "analyses.P1.subgroup.by",
        "found 'SEX', expected a list",
    ),
    "text for a mapping": (
        "missing: {method: locf-records}",
        "missing: locf",
        "analyses.P1.ancova.missing",
        (
            "found 'locf', expected keys among method, k, imputations, seed, otherwise, rules, "
            "alive, dead, each with its value"
        ),
    ),
    "draws without a seed": (
        (
            "{alive: impute-then-classify, dead: failure, method: approximate-bayes, "
            "imputations: 100, seed: 4}"
        ),
        (
            "{alive: impute-then-classify, dead: failure, method: approximate-bayes, "
            "imputations: 100}"
        ),
        "analyses.P2.missing",
        "method: approximate-bayes draws values and needs the key seed",
    ),
    "a reference that is missing": (
        "assume: jump-to-reference, reference: PBO}",
        "assume: jump-to-reference}",
        "analyses.P1.reference.missing.rules[0]",
        "assume: jump-to-reference needs the key reference: the arm borrowed from",
    ),
    "an assumption written short": (
        "assume: jump-to-reference, reference: PBO}",
        "assume: J2R, reference: PBO}",
        "analyses.P1.reference.missing.rules[0].assume",
        (
            "found 'J2R', expected one of mar, jump-to-reference, copy-reference, "
            "copy-increments, last-mean-carried-forward, retrieved-dropout, lowest-decile "
            "(J2R: jump-to-reference)"
        ),
    ),
    "an assumption in capitals": (
        "assume: jump-to-reference, reference: PBO}",
        "assume: MAR, reference: PBO}",
        "analyses.P1.reference.missing.rules[0].assume",
        (
            "found 'MAR', expected one of mar, jump-to-reference, copy-reference, "
            "copy-increments, last-mean-carried-forward, retrieved-dropout, lowest-decile "
            "(MAR: mar)"
        ),
    ),
    "an assumption for a strategy": (
        "{stopped: treatment-policy,",
        "{stopped: CIR,",
        "estimands.E1.events.stopped",
        (
            "found 'CIR' (CIR: copy-increments), which an imputation assumes of missing values: "
            "write it as assume: under missing.rules of the analysis, and state here what is "
            "asked about the event (treatment-policy, hypothetical, composite, "
            "while-on-treatment)"
        ),
    ),
    "a form of retrieved dropouts that is none": (
        "retrieved: arm-visit}",
        "retrieved: arm-times}",
        "analyses.P1.retrieved.missing.rules[0].retrieved",
        (
            "found 'arm-times', expected one of arm, arm-visit, arm-time, common; did you mean "
            "'arm-time'?"
        ),
    ),
    "a remedy that is none": (
        "if_unconverged: [restart,",
        "if_unconverged: [start,",
        "analyses.P1.if_unconverged[0]",
        "found 'start', expected one of restart, report-failure; did you mean 'restart'?",
    ),
    "a stratum left out": (
        "model: CHG ~ BASE + COUNTRY + SITEGR1 + TRT01P",
        "model: CHG ~ BASE + SITEGR1 + TRT01P",
        "analyses.P1.ancova.model",
        (
            "the model leaves out COUNTRY, by which randomisation was stratified: add it, or "
            "say why "
            "under strata_omitted"
        ),
    ),
    "a sensitivity analysis of another estimand": (
        "variance: {decide: jackknife,",
        "estimand: E4\n    variance: {decide: jackknife,",
        "analyses.P1.reference.estimand",
        (
            "found E4, and P1.retrieved has E1: a sensitivity analysis keeps the estimand, another "
            "one is supplementary (another variable; another summary; ICH E9(R1) A.5)"
        ),
    ),
    "a shift without imputation": (
        "{role: exploratory, of: P1, by:",
        "{role: exploratory, of: P1, variance: {decide: rubin}, by:",
        "analyses.P1.subgroup.variance",
        "variance needs missing.method to be one of bayes, approximate-bayes, conditional-mean",
    ),
    "an analysis of itself": (
        "P1.retrieved:\n    role: sensitivity\n    of: P1\n",
        "P1.retrieved:\n    role: sensitivity\n    of: P1.retrieved\n",
        "analyses.P1.retrieved.of",
        "P1.retrieved takes from itself in the end: P1.retrieved -> P1.retrieved",
    ),
    "neither a table nor a figure": (
        "listing: subjects",
        "population: efficacy",
        "outputs[3]",
        "found none of them, expected exactly one of the keys table, figure, listing",
    ),
    "an output number twice": (
        'number: "14-2.01", figure: means-by-visit',
        'number: "14-1.01", table: means-by-visit',
        "outputs[2].number",
        "found table 14-1.01 a second time",
    ),
    "a file in a folder": (
        "file: t-14-2-01",
        "file: ../../t-14-2-01",
        "outputs[1].file",
        "found '../../t-14-2-01', expected the name of a file, without a folder",
    ),
    "a shell with a capital": (
        "listing: subjects",
        "listing: Subjects",
        "outputs[3].listing",
        "found 'Subjects', expected a hyphenated word in lower case",
    ),
    "a number in a heading": (
        "label: [Drug, 20 mg once daily]",
        "label: [Drug, 20]",
        "arms.LOW.label",
        "found 20 (a number), expected text or a list of lines: write it in quotes",
    ),
    "two ways of pooling": (
        "pool_below: 3,",
        "pool_below: 3, pooled_column: SITEGR1,",
        "sites.pooled_column",
        (
            "found pool_below as well: the pooled site is read from the data or derived, "
            "keep one of "
            "the two"
        ),
    ),
    "a parameter without its column": (
        "    parameter: PARAMCD\n",
        "",
        "endpoints.pain.parameter",
        "data.pain names no column of parameters: add parameter: PARAMCD there",
    ),
    "a slope without time": (
        "  time: {name: YEARS, days_per_year: 365.25}\n",
        "",
        "estimands.E4",
        "a slope needs schedule.time: what models call the time",
    ),
    "a delta by the year without the event that it counts from": (
        "unit: mm, per: visit, rows: {missing_after: stopped}",
        "unit: mm, per: year",
        "analyses.P1.tipping.delta",
        "per: year counts the years since an event: name it under rows: {missing_after: …}",
    ),
    "random draws pooled where none are made": (
        "variance: {decide: jackknife, show: [bootstrap], replicates: 200, seed: 7}",
        "variance: {decide: rubin, show: [bootstrap], replicates: 200, seed: 7}",
        "analyses.P1.reference.variance",
        (
            "found rubin, which pools random draws, and method: conditional-mean draws none: state "
            "jackknife or bootstrap, or method: bayes or approximate-bayes"
        ),
    ),
    "conditional means of what has none": (
        (
            "missing: {method: conditional-mean, rules: [{after: stopped, assume: "
            "jump-to-reference, reference: PBO}]}\n    variance: {decide: jackknife, show: "
            "[bootstrap], replicates: 200, seed: 7}"
        ),
        (
            "missing: {method: bayes, imputations: 5, seed: 1, rules: [{after: stopped, assume: "
            "lowest-decile}]}\n    variance: {decide: rubin, show: [jackknife]}"
        ),
        "analyses.P1.reference.variance",
        (
            "found jackknife, which imputes conditional means, and assume: lowest-decile has none: "
            "state decide: rubin alone"
        ),
    ),
    "a folder of keys where one is expected": (
        "data_cut: 2026-03-31",
        "data_cut: [2026-03-31]",
        "protocol.data_cut",
        "found a list, expected a date such as 2026-06-30",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_once_in_our_words(name: str, only_problem: Only, full_text: str) -> None:
    old, new, path, message = FAULTS[name]
    problem = only_problem(old, new)
    assert (problem.path, problem.message) == (path, message)


def test_a_fault_is_told_at_its_line_and_column(only_problem: Only, full_text: str) -> None:
    problem = only_problem("order: 1,", 'order: "1",')
    line = full_text.splitlines()[problem.line - 1]
    assert line.startswith("  PBO:")
    assert line[problem.column - 1 :].startswith("1, dose")


def test_an_unknown_key_is_told_at_the_key(only_problem: Only, full_text: str) -> None:
    problem = only_problem("control: true}", "controll: true}")
    assert full_text.splitlines()[problem.line - 1][problem.column - 1 :] == "control: true}"


def test_a_missing_key_is_told_at_the_key_of_its_parent(only_problem: Only, full_text: str) -> None:
    problem = only_problem("label: Placebo,", "")
    assert problem.message == "missing key label"
    assert full_text.splitlines()[problem.line - 1][problem.column - 1 :].startswith("PBO:")


def test_all_faults_of_a_file_are_told_at_once_in_file_order(
    full_text: str, problems_of: Callable[[str], tuple[Problem, ...]]
) -> None:
    broken = (
        full_text.replace("order: 1,", 'order: "1",')
        .replace("negative_zero: drop", "negative_zero: dropp")
        .replace("at: Week 24\n", "at: Week 25\n")
        .replace("scenario: default", "scenario: default, scenario: other")
    )
    problems = problems_of(broken)
    assert [problem.path for problem in problems] == [
        "arms.PBO.order",
        "analyses.P1.ancova.at",
        "house.negative_zero",
        "simulation.scenario",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_a_circle_of_estimands_is_told_at_each_of_its_members(
    full_text: str, problems_of: Callable[[str], tuple[Problem, ...]]
) -> None:
    problems = problems_of(full_text.replace("E2: {like: E1,", "E2: {like: E3,"))
    assert [(problem.path, problem.message) for problem in problems] == [
        ("estimands.E2.like", "E2 takes from itself in the end: E2 -> E3 -> E2"),
        ("estimands.E3.like", "E3 takes from itself in the end: E3 -> E2 -> E3"),
    ]


def test_a_where_clause_that_cannot_be_read_is_told_with_its_text(only_problem: Only) -> None:
    problem = only_problem("where: EFFFL == 'Y'", "where: EFFFL == 'Y")
    assert problem.path == "populations.efficacy.where"
    assert "EFFFL == 'Y" in problem.message
    assert "^" in problem.message


def test_another_format_version_is_the_only_fault(
    problems_of: Callable[[str], tuple[Problem, ...]],
) -> None:
    (problem,) = problems_of("trialmlm: 2\nanything: else\n")
    assert str(problem).endswith(
        ":1:11: trialmlm: found 2 (a number), expected 1, the version of the file format that "
        "this trialmlm reads"
    )


def test_true_is_not_format_version_one(
    problems_of: Callable[[str], tuple[Problem, ...]],
) -> None:
    (problem,) = problems_of("trialmlm: true\n")
    assert problem.message.startswith("found true (true or false), expected 1")


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "- a\n- list\n", "x"])
def test_a_file_that_holds_no_protocol_is_refused(
    text: str, problems_of: Callable[[str], tuple[Problem, ...]]
) -> None:
    (problem,) = problems_of(text)
    assert "expected" in problem.message


def test_a_file_that_is_not_utf8_is_refused_at_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_bytes("trialmlm: 1\nprotocol: {title: Bjørn}\n".encode("latin-1"))
    with pytest.raises(ProtocolError, match=r":2:21: found the byte 0xf8, expected UTF-8"):
        load_protocol(file)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text("#" * 1_000_001, encoding="utf-8")
    with pytest.raises(ProtocolError, match="larger than 1,000,000 bytes"):
        load_protocol(file)


def test_a_missing_file_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no protocol file"):
        load_protocol(tmp_path / "nowhere.yaml")


def test_a_folder_without_a_protocol_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the folder .* holds none"):
        load_protocol(tmp_path)


def test_a_folder_is_read_by_its_protocol(tmp_path: Path, full_text: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(full_text, encoding="utf-8")
    protocol = load_protocol(tmp_path)
    assert protocol.path == file
    assert protocol.source_hash == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path, full_text: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(full_text, encoding="utf-8-sig")
    assert load_protocol(file).header.id == "TMLM-KNEE-07"


def test_a_site_called_no_stays_text(tmp_path: Path, full_text: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(full_text.replace("value: Placebo,", "value: NO,"), encoding="utf-8")
    assert load_protocol(file).arms["PBO"].value == "NO"


def test_plain_data_make_a_protocol_without_a_file() -> None:
    data = {
        "trialmlm": 1,
        "protocol": {"id": "T", "title": "T", "data_origin": "simulated", "unblinded": True},
        "data": {"subjects": {"dataset": "adsl", "subject": "USUBJID"}},
    }
    protocol = protocol_from(data)
    assert protocol.path is None
    assert protocol.line_of("data") is None


def test_plain_data_are_checked_like_a_file() -> None:
    with pytest.raises(ProtocolError, match="missing key protocol") as caught:
        protocol_from({"trialmlm": 1})
    assert {problem.path for problem in caught.value.problems} == {"protocol", "data"}


def test_plain_data_with_a_number_for_a_key_are_refused() -> None:
    with pytest.raises(ProtocolError, match="found a number, expected text"):
        protocol_from({"trialmlm": 1, "arms": {3: {}}})


def test_rules_for_retrieved_dropouts_shift_the_mean_in_one_way() -> None:
    by_arm = {"after": "stop", "reasons": ["AE"], "assume": "retrieved-dropout"}
    pooled = {"after": "stop", "assume": "retrieved-dropout", "retrieved": "common"}
    drawn = {"method": "bayes", "imputations": 10, "seed": 1}
    with pytest.raises(ValueError, match="found retrieved by arm and common, expected one way"):
        Missing.model_validate({**drawn, "rules": [by_arm, pooled]})
    assert len(Missing.model_validate({**drawn, "rules": [by_arm, by_arm]}).rules) == 2
