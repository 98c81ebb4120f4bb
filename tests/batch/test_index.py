"""The index page: who sees only it knows what was asked, the answers, and whence the data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from small_trial import PROTOCOL, write_trial

from trialmlm.batch.index import index_page
from trialmlm.batch.index_facts import (
    AnalysisFacts,
    EstimandFacts,
    IndexEntry,
    InputFile,
    TrialFacts,
    analysis_facts,
    trial_facts,
)
from trialmlm.batch.run import run
from trialmlm.protocol.load import load_protocol
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.tables.display import Block, Cell, Column, Display, Furniture, Row

HOSTILE = "<script>alert('x')</script> {{ 7*7 }} \u202e&amp;"
FURNITURE = Furniture("SMALL-01", "trialmlm", "2026-06-30", "2026-07-01", "DRAFT", ())
TABLE = Display(
    "Table",
    "1",
    ("Summary",),
    columns=(Column(("Label",), 1, "left"), Column(("Value",))),
    blocks=(Block((Row((Cell("Mean"), Cell("24.1 (12.19)"))),)),),
)
RECORD = AnalysisRecord(
    "mmrm",
    "main",
    "MMRM",
    "score",
    "all",
    {"model": "CHG ~ ARM", "missing values": "Missing values: none."},
    steps=("read: 5 records",),
    convergence="converged in 3 iterations",
)
TRIAL = TrialFacts(
    "SMALL-01",
    "A small trial",
    "version 1.0, draft, 2026-01-01",
    True,
    "protocol.yaml",
    "ab" * 32,
    (EstimandFacts("E1", "Does it work?", (("Population", "All"),)),),
)
MMRM = AnalysisFacts(RECORD, "Mixed model", "E1", "none.", 0.95, (), (("Placebo, Week 4", "20"),))


def page(trial=TRIAL, analyses=(MMRM,), entries=(), furniture=FURNITURE) -> str:
    inputs = (InputFile("ADSL", "adsl.xpt", 1254, "cd" * 32),)
    return index_page(
        trial, analyses, entries, inputs, {"trialmlm": "0.1", "numpy": "2"}, furniture
    )


def words(html: str) -> str:
    """The text of a page, without its style."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_simulated_data_cannot_be_overlooked():
    said = words(page(entries=(IndexEntry("Table 1", ("T",), (), display=TABLE),)))
    assert "nothing here is evidence about any treatment" in said
    assert said.count("SIMULATED DATA") == 2
    collected = words(page(replace(TRIAL, simulated=False)))
    assert "SIMULATED" not in collected
    assert "collected in the trial, cut off on 2026-06-30" in collected


def test_question_method_convergence_inputs_and_versions_are_told():
    said = words(page())
    for told in (
        "E1 : Does it work?",
        "Population All",
        "main, of estimand E1",
        "CHG ~ ARM",
        "converged in 3 iterations",
        "read: 5 records",
        "Placebo, Week 4: 20 subjects",
        "adsl.xpt 1,254 " + "cd" * 32,
        "protocol.yaml " + "ab" * 32,
        "numpy 2",
        "DRAFT",
    ):
        assert told in said


def test_tables_are_shown_figures_embedded_and_files_linked():
    html = page(
        entries=(
            IndexEntry("Table 1", ("Summary",), ("t_1.rtf", "t_1.xlsx"), display=TABLE),
            IndexEntry("Figure 2", ("Means",), ("f_2.png", "f_2.pdf"), image=b"\x89PNG"),
        )
    )
    assert "24" in html
    assert 'src="data:image/png;base64,iVBORw=="' in html
    assert 'alt="Figure 2: Means"' in html
    for name in ("t_1.rtf", "t_1.xlsx", "f_2.png", "f_2.pdf"):
        assert f'<a href="./{name}">{name}</a>' in html
    assert re.findall(r'href="#(output-\d)"', html) == re.findall(r'id="(output-\d)"', html)


def test_what_was_not_made_says_why_and_shows_no_table():
    failed = replace(MMRM, record=replace(RECORD, failure="it did not converge"))
    entry = IndexEntry("Table 1", ("T",), ("t_1.rtf",), "failed", "it did not converge", TABLE)
    said = words(page(analyses=(failed,), entries=(entry,)))
    assert "0 of 1 made" in said
    assert "not answered: it did not converge" in said
    assert "failed : it did not converge" in said
    assert "24" not in said


def test_an_estimand_that_nothing_answers_and_an_analysis_of_none_are_told():
    assert "No analysis of this run answers it." in words(page(analyses=()))
    assert "Analyses without an estimand" in words(page(analyses=(replace(MMRM, estimand=""),)))


def test_hostile_text_is_shown_and_obeyed_nowhere():
    record = replace(RECORD, name=HOSTILE, specification={HOSTILE: HOSTILE}, notes=(HOSTILE,))
    html = page(
        replace(TRIAL, title=HOSTILE, estimands=(EstimandFacts("E1", HOSTILE, ()),)),
        (replace(MMRM, record=record, label=HOSTILE),),
        (IndexEntry(HOSTILE, (HOSTILE,), ('x" onclick="y', "../../a b"), "failed", HOSTILE),),
        replace(FURNITURE, stamps=(HOSTILE,), program=HOSTILE),
    )
    assert "<script" not in html
    assert "\u202e" not in html
    assert "{{ 7*7 }}" in html
    assert "&amp;amp;" in html
    assert 'onclick="y' not in html
    assert 'href="./../../a%20b"' not in html


def test_the_page_needs_nothing_beside_itself():
    html = page(entries=(IndexEntry("Table 1", ("T",), (), display=TABLE),))
    assert not re.findall(r"https?:|<script|<link|@import|url\(", html)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    file = write_trial(folder, protocol=PROTOCOL)
    protocol = load_protocol(file)
    return protocol, run(protocol, folder / "data", folder / "out", run_time="now").results


def test_a_protocol_is_told_in_words(made):
    protocol, _ = made
    trial = trial_facts(protocol)
    (estimand,) = trial.estimands
    assert (trial.id, trial.simulated, trial.file) == ("SMALL-01", True, "protocol.yaml")
    assert dict(estimand.attributes) == {
        "Treatments": "Placebo, Low Dose, High Dose",
        "Population": "Efficacy",
        "Variable": "Change in Score at Week 12",
        "Summary": "difference in means",
    }


def test_answers_are_the_comparisons_at_the_visit_asked_for(made):
    protocol, results = made
    facts = {one.record.name: one for one in analysis_facts(protocol, results)}
    for name in ("locf", "mmrm"):
        answers = facts[name].answers
        assert [one.comparison for one in answers] == [
            "Low Dose minus Placebo",
            "High Dose minus Placebo",
        ]
        assert {one.visit for one in answers} == {"Week 12"}
    value = results.value(
        analysis="mmrm",
        method="MMRM",
        endpoint="score_change",
        population="efficacy",
        quantity="difference",
        arm="LOW",
        versus="PBO",
        visit="Week 12",
        statistic="estimate",
    )
    assert facts["mmrm"].answers[0].estimate == f"{value:.2f}"


def test_the_same_run_gives_the_same_page(made):
    protocol, results = made
    pages = {page(trial_facts(protocol), analysis_facts(protocol, results), ()) for _ in range(2)}
    assert len(pages) == 1
