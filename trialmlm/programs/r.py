"""An analysis as an R program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError
from trialmlm.programs.r_engines import engine_of
from trialmlm.programs.r_formula import RFormula
from trialmlm.programs.r_text import comment, frame, level, quoted, variable
from trialmlm.programs.remarks import head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.programs.analysis import Analysis, MeansRequest
    from trialmlm.programs.r_engines import Engine

#: weights -> argument of emmeans
_WEIGHTS = {"equal": [], "observed-margins": ['weights = "proportional"']}


def r_program(analysis: Analysis, data: str, means: Sequence[MeansRequest] = ()) -> str:
    """The program.

    Parameters
    ----------
    analysis : Analysis
    data : str
        The data frame to read, as ``adfev``.
    means : sequence of MeansRequest

    Raises
    ------
    NotAvailableError
        If R has no equivalent of something in the analysis; says of what.
    UsageError
        If `data` cannot name a data frame.
    """
    engine, formula = engine_of(analysis), RFormula.of(analysis)
    libraries = (*engine.libraries, *(("emmeans",) if means else ()))
    lines = [
        *comment(
            (*head(analysis, "R", "data frame", data), *filter(None, engine.remarks(analysis)))
        ),
        *(f"library({name})" for name in libraries),
        "",
        *_data(analysis, formula, data),
        "",
        *_call("fit <- ", engine.call(analysis, formula)),
        *engine.results(analysis),
    ]
    for request in means:
        lines += ["", *_means(request, analysis, formula, engine)]
    return "\n".join(lines) + "\n"


def _data(analysis: Analysis, formula: RFormula, data: str) -> list[str]:
    """The rows used, and their factors in the model's order."""
    columns = ", ".join(map(quoted, analysis.given))
    return [
        *comment(["The rows used: those without a missing value in a column of the model."]),
        f"analysis <- {frame(data)}[c({columns})]",
        "analysis <- analysis[complete.cases(analysis), ]",
        *(
            f"analysis${variable(made.name)} <- "
            f"as.numeric(analysis${variable(made.column)} == {level(made.level)})"
            for made in analysis.indicators
        ),
        *comment(["The order of levels: the first is the reference, visits are in their order."]),
        *formula.statements,
    ]


def _call(target: str, words: Sequence[str]) -> list[str]:
    function, *arguments = words
    body = [f"  {argument}," for argument in arguments]
    return [f"{target}{function}(", *body[:-1], body[-1][:-1], ")"]


def _means(
    request: MeansRequest, analysis: Analysis, formula: RFormula, engine: Engine
) -> list[str]:
    """The reference grid, the means, and their differences."""
    if request.weights not in _WEIGHTS:
        msg = f"R: no weights {request.weights!r} are known; there are {', '.join(_WEIGHTS)}"
        raise NotAvailableError(msg)
    of, by = (" * ".join(formula.classes[name] for name in n) for n in (request.of, request.by))
    arguments = [
        "fit",
        f"~ {of} | {by}" if by else f"~ {of}",
        *_WEIGHTS[request.weights],
        *_at(request, formula),
        # a covariate with two values would else be averaged over them as a factor is
        *(["cov.keep = character(0)"] if analysis.fixed.numbers else []),
        *engine.means(analysis),
    ]
    contrast = f'contrast(means, {_contrast(request, analysis)}, adjust = "none")'
    return [
        *_call("means <- ", ["emmeans", *arguments]),
        "summary(means, infer = c(TRUE, TRUE))",
        f"summary({contrast}, infer = c(TRUE, TRUE))",
    ]


def _at(request: MeansRequest, formula: RFormula) -> list[str]:
    held = ", ".join(f"{formula.column(name)} = {level(value)}" for name, value in request.at)
    return [f"at = list({held})"] if held else []


def _contrast(request: MeansRequest, analysis: Analysis) -> str:
    """All pairs, or each level less the control."""
    if request.control is None:
        return '"pairwise"'
    levels = analysis.classes[request.of[0]].levels
    return f'"trt.vs.ctrl", ref = {levels.index(request.control) + 1}'
