"""An analysis as a SAS program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError
from trialmlm.programs.remarks import EARLY, PRINTED, head
from trialmlm.programs.sas_means import differences_step, means_statement
from trialmlm.programs.sas_options import df_of, sandwich_of, structure_type
from trialmlm.programs.sas_text import comment, plain, variable
from trialmlm.programs.sas_variables import SasVariables, data_step
from trialmlm.programs.wrap import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.programs.analysis import Analysis, MeansRequest, RandomEffects, Repeated

#: procedure -> METHOD= of ML and of REML, and the ODS name of the coefficients
_METHODS = {"mixed": ("ml", "reml"), "glimmix": ("mspl", "rspl")}
_WEIGHTED = "Weights: V = W^-1/2 Sigma W^-1/2, as with WEIGHT."
_WEIGHTED_DF = "SAS's Satterthwaite df of a weighted fit are known to be larger."
_EXPECTED = "SCORING=50 gives the expected information behind df."
_CODING = (
    "SOLUTION has GLM coding, this analysis sum or Helmert contrasts: compare LS means and tests, "
    "not coefficients."
)
_WIDE = (
    "A function with several columns is several effects here: its joint Type III test is a "
    "CONTRAST of them."
)
_GLM = "PROC GLM gives the same numbers."
_COEFFICIENTS = {"mixed": "SolutionF", "glimmix": "ParameterEstimates"}


def sas_program(analysis: Analysis, data: str, means: Sequence[MeansRequest] = ()) -> str:
    """The program.

    Parameters
    ----------
    analysis : Analysis
    data : str
        The data set to read, as ``adfev`` or ``adam.adfev``.
    means : sequence of MeansRequest

    Raises
    ------
    NotAvailableError
        If SAS has no equivalent of something in the analysis; says of what.
    UsageError
        If `data` is no name of a data set.
    """
    variables = SasVariables.of(analysis)
    lines = [
        *comment((*head(analysis, "SAS", "data set", data), *_remarks(analysis))),
        *_options(analysis),
        *data_step(analysis, variables, data),
        "",
        *_procedure(analysis, variables, means),
    ]
    for index, request in enumerate(means, start=1):
        lines += differences_step(request, variables, index)
    return "\n".join(lines) + "\n"


def _options(analysis: Analysis) -> list[str]:
    literal = not all(map(plain, (*analysis.columns, *analysis.given)))
    return ["options validvarname=any;", ""] if literal else [""]


def _procedure(
    analysis: Analysis, variables: SasVariables, means: Iterable[MeansRequest]
) -> list[str]:
    """The step of PROC MIXED or PROC GLIMMIX."""
    sandwich, asked = sandwich_of(analysis), list(means)
    estimation = analysis.estimation
    glimmix = sandwich.procedure == "glimmix"
    words = [
        "proc",
        sandwich.procedure,
        "data=work.analysis",
        f"method={_METHODS[sandwich.procedure][estimation.reml]}",
        "order=internal",
        *([sandwich.option] if sandwich.option else []),
        *(["scoring=50"] if estimation.information == "expected" else []),
    ]
    infinite = estimation.df == "asymptotic" and not glimmix
    return [
        *_ended(words, 0),
        *variables.class_statement(analysis),
        *_model(analysis, variables),
        *(line for effects in analysis.random for line in _random(effects, variables)),
        *_repeated(analysis, variables, glimmix=glimmix),
        *([f"  weight {variable(estimation.weights)};"] if estimation.weights else []),
        *(
            line
            for request in asked
            for line in means_statement(request, analysis, variables, infinite=infinite)
        ),
        *_outputs(analysis, sandwich.procedure, means=bool(asked)),
        "run;",
    ]


def _model(analysis: Analysis, variables: SasVariables) -> list[str]:
    (response,) = variables.numbers(analysis.response)
    words = ["model", response, "=", *variables.effects(analysis.fixed), "/", "solution", "cl"]
    words += [] if analysis.fixed.intercept else ["noint"]
    return _ended([*words, df_of(analysis).text], 2)


def _random(effects: RandomEffects, variables: SasVariables) -> list[str]:
    """One RANDOM statement per level of the nesting."""
    _check_random(effects)
    words = [*(["int"] if effects.part.intercept else []), *variables.effects(effects.part)]
    kind = "un" if effects.correlated else "vc"
    lines = []
    grouped = [] if effects.by is None else [f"group={variables.classes[effects.by]}"]
    for columns in effects.factors:
        *outer, own = (variables.classes[name] for name in columns)
        subject = f"{own}({' '.join(outer)})" if outer else own
        options = [f"subject={subject}", f"type={kind}", *grouped, "g"]
        lines += _ended(["random", *words, "/", *options], 2)
    return lines


def _check_random(effects: RandomEffects) -> None:
    """A factor beside an intercept or another is one effect per level in SAS, redundant.

    And TYPE=VC has one variance for all its levels.
    """
    part = effects.part
    if part.classes and not effects.correlated:
        raise NotAvailableError(
            "SAS: a random factor before || has a variance for each column here; TYPE=VC has one "
            "for all levels"
        )
    if part.classes and len(part.terms) > 1:
        raise NotAvailableError(
            "SAS: a random factor beside other random effects is coded otherwise in SAS; write "
            "(0 + factor | subject), or numbers"
        )


def _repeated(analysis: Analysis, variables: SasVariables, *, glimmix: bool) -> list[str]:
    """REPEATED, or in PROC GLIMMIX the RANDOM statement of the residuals."""
    repeated = analysis.repeated
    if repeated is None:
        return []
    statement, last = ("random", ["residual"]) if glimmix else ("repeated", ["r", "rcorr"])
    if analysis.random and repeated.structure == "diag":
        # a variance per visit, also where a subject has several rows at one
        subject = variables.classes[repeated.subject]
        return _ended([statement, "/", f"subject={subject}", f"group={variables.visits[0]}"], 2)
    effects = variables.visits or (("_residual_",) if glimmix else ())
    words = [statement, *effects, "/", *_within(repeated, variables)]
    return _ended([*words, *last], 2)


def _within(repeated: Repeated, variables: SasVariables) -> list[str]:
    """Subject, structure and group."""
    kind = structure_type(repeated)
    if not repeated.levels:
        kind += f"({' '.join(map(variable, repeated.visit))})"
    words = [f"subject={variables.classes[repeated.subject]}", f"type={kind}"]
    return [*words, *([f"group={variables.classes[repeated.group]}"] if repeated.group else [])]


def _outputs(analysis: Analysis, procedure: str, *, means: bool) -> list[str]:
    """ODS OUTPUT of the tables that the procedure makes of this analysis."""
    iterates = analysis.random or analysis.repeated
    tables = {
        _COEFFICIENTS[procedure]: "coefficients",
        **({"Tests3": "tests"} if analysis.fixed.factors else {}),
        "CovParms": "covariance",
        "FitStatistics": "fit_statistics",
        **({"ConvergenceStatus": "convergence"} if iterates else {}),
        **({"LSMeans": "ls_means", "Diffs": "differences"} if means else {}),
    }
    return _ended(["ods output", *(f"{k}=work.{v}" for k, v in tables.items())], 2)


def _ended(words: list[str], indent: int) -> list[str]:
    return wrapped([*words[:-1], words[-1] + ";"], indent)


def _remarks(analysis: Analysis) -> list[str]:
    """What is to be known of this analysis in SAS."""
    estimation = analysis.estimation
    sums = {f.contrast for f in analysis.classes.values()} - {"Treatment"}
    wide = any(factor.width > 1 for factor in analysis.fixed.numbers)
    least_squares = not analysis.random and analysis.repeated is None
    shown = {
        PRINTED: True,
        EARLY: not least_squares,
        df_of(analysis).remark: True,
        sandwich_of(analysis).remark: True,
        _WEIGHTED: estimation.weights is not None,
        _WEIGHTED_DF: estimation.weights is not None and estimation.df == "satterthwaite",
        _EXPECTED: estimation.information == "expected",
        _CODING: bool(sums),
        _WIDE: wide,
        _GLM: least_squares,
    }
    return [text for text, wanted in shown.items() if wanted and text]
