from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.text import Text

from trialmlm.figures.order import FigureFurniture, FigureVisit, Named
from trialmlm.figures.page import message_page
from trialmlm.figures.renderers import RENDERERS, PngRenderer, render
from trialmlm.figures.shells import FIGURES
from trialmlm.results.results import Results

HOSTILE = "\\par $\\frac{1}{0}$ <script> =cmd() عربي עברית \u202e \U0001fae0 ../../x % {} \x00"
PROGRAM = """
import hashlib, sys
from matplotlib import rcParams
from trialmlm.figures.order import FigureOrder, Named
from trialmlm.figures.page import message_page
from trialmlm.figures.renderers import render
rcParams["lines.linewidth"] = rcParams["font.size"] = 20
none = Named("", "All")
order = FigureOrder("1.1", ("Title α $x$",), none, none, (), footnotes=("Note.",))
files = render(message_page(order, "Failed."))
print(*(hashlib.sha256(files[key]).hexdigest() for key in sorted(files)))
print("matplotlib.pyplot" in sys.modules)
"""


def said(figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def outside(figure) -> list[str]:
    """Texts that reach over the edge of the paper, in pixels of the figure's own resolution."""
    paper = figure.bbox
    drawn = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    return [
        f"{text.get_text()} {extent.extents}"
        for text in drawn
        if not (
            paper.x0 <= (extent := text.get_window_extent()).x0
            and extent.x1 <= paper.x1
            and paper.y0 <= extent.y0
            and extent.y1 <= paper.y1
        )
    ]


def elsewhere(seed: str) -> str:
    """What another process makes of the same figure."""
    environment = {"PYTHONHASHSEED": seed, "PATH": "", "MPLCONFIGDIR": str(Path.cwd())}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout.decode()


@pytest.mark.parametrize("kind", FIGURES)
def test_two_renders_are_the_same_bytes(kind, orders, results):
    # few pixels: what could differ between two renders does at any resolution
    small = {**RENDERERS, "png": PngRenderer(60)}
    first, second = (
        {name: made.render(FIGURES[kind](orders[kind], results)) for name, made in small.items()}
        for _ in range(2)
    )
    assert first == second
    assert first["png"].startswith(b"\x89PNG")
    assert first["pdf"].startswith(b"%PDF")


def test_ligatures_are_not_drawn_and_take_no_font_of_their_own(order):
    plain = replace(order, titles=("Sitting of the office",), footnotes=("Five of five fit.",))
    pdf = render(message_page(plain, "It fits."))[".pdf"]
    assert pdf.count(b"/FontFile2") == 2


def test_a_pdf_carries_no_date(orders, results):
    pdf = render(FIGURES["forest"](orders["forest"], results))[".pdf"]
    assert b"CreationDate" not in pdf
    assert b"(Figure 14.2.2.1)" in pdf


def test_processes_agree_whatever_their_hash_seed_and_none_opens_pyplot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = elsewhere("1"), elsewhere("2")
    assert first == second
    assert first.split()[-1] == "False"


@pytest.mark.parametrize("kind", FIGURES)
def test_a_page_has_its_furniture(kind, orders, results):
    texts = said(FIGURES[kind](orders[kind], results))
    assert {"Protocol: TMLM-IPF-01", "Population: Treated set", "Figure 14.2.2.1"} <= set(texts)
    assert {"DRAFT / SIMULATED DATA", "Data cut-off: 2026-06-30"} <= set(texts)
    assert {"Program: trialmlm 0.1.0, ipf_fvc/protocol.yaml", "Run: 2026-07-01 08:00 UTC"} <= set(
        texts
    )


@pytest.mark.parametrize("kind", FIGURES)
def test_without_data_the_page_says_so(kind, orders):
    figure = FIGURES[kind](orders[kind], Results())
    assert "No data to report" in said(figure)
    assert not figure.axes


def test_a_failure_is_told_on_the_page(order):
    assert "The model did not converge." in said(message_page(order, "The model did not converge."))


@pytest.mark.parametrize("label", [HOSTILE, "x" * 10_000, ""])
@pytest.mark.parametrize("kind", FIGURES)
def test_hostile_text_is_shown_as_text_and_stays_on_the_page(kind, label, orders, results):
    order = orders[kind]
    hostile = replace(
        order,
        titles=(label, label),
        population=Named("treated", label),
        arms=tuple(Named(arm.key, label) for arm in order.arms),
        endpoint=replace(order.endpoint, label=label),
        visits=tuple(FigureVisit(v.name, v.time, label[:40]) for v in order.visits),
        analyses=tuple(Named(one.key, label) for one in order.analyses),
        footnotes=(label,) * 30,
        unit=label,
        slope_unit=label,
        time_label=label,
        furniture=FigureFurniture(label, label, label, label, label, (label,)),
    )
    figure = FIGURES[kind](hostile, results)
    assert PngRenderer(40).render(figure)
    assert not outside(figure)


@pytest.mark.parametrize("kind", FIGURES)
def test_no_text_of_a_page_leaves_the_paper(kind, orders, results):
    figure = FIGURES[kind](orders[kind], results)
    PngRenderer(40).render(figure)
    assert not outside(figure)


def test_shifted_slopes_are_in_the_unit_of_a_slope(orders, results) -> None:
    def unit(found: Results) -> str:
        figure = FIGURES["tipping-point"](orders["tipping-point"], found)
        drawn = [text.get_text() for text in figure.findobj(Text)]
        (line,) = [line for line in drawn if line.startswith("In each cell")]
        return line

    analyses = tuple(
        replace(one, headline="slope-difference") if one.name == "A2.tipping" else one
        for one in results.analyses
    )
    assert "(mL/year)" in unit(replace(results, analyses=analyses))
    assert "(mL)" in unit(results)
