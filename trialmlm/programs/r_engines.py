"""The R functions that fit an analysis, and which of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from trialmlm.errors import NotAvailableError
from trialmlm.programs.r_options import STRUCTURES, mmrm_options
from trialmlm.programs.r_text import quoted, variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.programs.analysis import Analysis, RandomEffects
    from trialmlm.programs.r_formula import RFormula


#: df method -> ddf= of lmerTest and lmer.df= of emmeans
_DDF = {
    "satterthwaite": ("Satterthwaite", "satterthwaite"),
    "kenward-roger": ("Kenward-Roger", "kenward-roger"),
    "kenward-roger-linear": ("Kenward-Roger", "kenward-roger"),
    "asymptotic": ("lme4", "asymptotic"),
}
_EARLY = (
    "How the numbers compare: R's default optimisers stop early, up to 6e-4 standard errors from "
    "the optimum in estimates and 1e-4 relative in standard errors."
)
_NLME = (
    "nlme has its own df in summary() and anova(), and marginal tests in treatment coding: compare "
    "estimates and standard errors. emmeans approximates Satterthwaite's df by simulation."
)
#: Type III tests where car is there
_ANOVA = 'if (requireNamespace("car", quietly = TRUE)) print(car::Anova(fit, type = "III"))'


class Engine(Protocol):
    """An R function and what goes with it."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """Packages."""

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""

    def results(self, analysis: Analysis) -> list[str]:
        """Statements that print the coefficients and tests."""

    def means(self, analysis: Analysis) -> list[str]:
        """Arguments of emmeans that give the df of the analysis."""

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""


class Mmrm:
    """The mmrm() of the package mmrm."""

    libraries = ("mmrm",)

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""
        options, repeated = mmrm_options(analysis), analysis.repeated
        assert repeated is not None  # noqa: S101
        right = formula.text(analysis.fixed.node)
        right = "" if right == "1" else f"{right} + "
        weights = analysis.estimation.weights
        return [
            "mmrm",
            f"{formula.response(analysis)} ~ {right}{formula.covariance(repeated)}",
            "data = analysis",
            *([f"weights = analysis${variable(weights)}"] if weights else []),
            f"reml = {_truth(analysis.estimation.reml)}",
            f"method = {quoted(options.method)}",
            f"vcov = {quoted(options.vcov)}",
        ]

    def results(self, analysis: Analysis) -> list[str]:
        """Statements that print the coefficients and tests."""
        del analysis
        return ["summary(fit)", "VarCorr(fit)", _ANOVA]

    def means(self, analysis: Analysis) -> list[str]:
        """Arguments of emmeans that give the df of the analysis."""
        return ["df = Inf"] if analysis.estimation.df == "asymptotic" else []

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""
        return [_EARLY, mmrm_options(analysis).remark]


class SpatialPower(Mmrm):
    """The mmrm() for a spatial power, which is its spatial exponential by another name."""

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""
        name, text, *rest = super().call(analysis, formula)
        return [name, text.replace("sp_pow(", "sp_exp("), *rest]

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""
        same = "sp_exp is the same model: mmrm's correlation at distance d is rho^d."
        return [*super().remarks(analysis), same]


class Lmer:
    """The lmer() of lme4, with the tests of lmerTest."""

    libraries = ("lme4", "lmerTest")

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""
        random = " + ".join(f"({_bar(effects, formula)})" for effects in analysis.random)
        weights = analysis.estimation.weights
        return [
            "lmer",
            f"{formula.response(analysis)} ~ {formula.text(analysis.fixed.node)} + {random}",
            "data = analysis",
            *([f"weights = {variable(weights)}"] if weights else []),
            f"REML = {_truth(analysis.estimation.reml)}",
        ]

    def results(self, analysis: Analysis) -> list[str]:
        """Statements that print the coefficients and tests."""
        ddf = quoted(self._method(analysis)[0])
        tests = [] if ddf == '"lme4"' else [f'anova(fit, type = "III", ddf = {ddf})']
        sandwich = analysis.estimation.vcov
        robust = [f"clubSandwich::coef_test(fit, vcov = {quoted(sandwich)})"] if sandwich else []
        return [f"summary(fit, ddf = {ddf})", "VarCorr(fit)", *tests, *robust]

    def means(self, analysis: Analysis) -> list[str]:
        """Arguments of emmeans that give the df of the analysis; beyond its limits too."""
        rows = ["pbkrtest.limit = nrow(analysis)", "lmerTest.limit = nrow(analysis)"]
        return [f"lmer.df = {quoted(self._method(analysis)[1])}", *rows]

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""
        df, information = analysis.estimation.df, analysis.estimation.information
        found = [_EARLY]
        if df not in _DDF:
            found.append(f"lmerTest has no {df} df: Satterthwaite's stand in their place.")
        if df.startswith("kenward") and information == "observed":
            found.append(
                "pbkrtest takes the expected information, this analysis the observed: standard "
                'errors and df differ slightly; fit information="expected" to compare.'
            )
        if analysis.estimation.vcov:
            found.append("The sandwich is that of clubSandwich; emmeans below is model-based.")
        return found

    def _method(self, analysis: Analysis) -> tuple[str, str]:
        return _DDF.get(analysis.estimation.df, _DDF["satterthwaite"])


class Nlme:
    """The gls() and lme() of nlme: a residual variance for every visit."""

    libraries = ("nlme",)

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""
        fixed = f"{formula.response(analysis)} ~ {formula.text(analysis.fixed.node)}"
        method = quoted("REML" if analysis.estimation.reml else "ML")
        head = ["gls", fixed]
        if analysis.random:
            (effects,) = analysis.random
            head = ["lme", fixed, f"random = ~ {_bar(effects, formula)}"]
        weights = self._weights(analysis, formula)
        return [*head, "data = analysis", *weights, f"method = {method}"]

    def _weights(self, analysis: Analysis, formula: RFormula) -> list[str]:
        repeated, weights = analysis.repeated, analysis.estimation.weights
        assert repeated is not None  # noqa: S101
        strata = [formula.classes[repeated.visit[0]]] if repeated.structure == "diag" else []
        strata += [formula.classes[repeated.group]] if repeated.group else []
        parts = [f"varIdent(form = ~ 1 | {' * '.join(strata)})"] if strata else []
        # nlme's variance is proportional to the covariate, ours to 1 / weight
        parts += [f"varFixed(~ I(1 / {variable(weights)}))"] if weights else []
        found = parts[0] if len(parts) == 1 else f"varComb({', '.join(parts)})"
        return [f"weights = {found}"] if parts else []

    def results(self, analysis: Analysis) -> list[str]:
        """Statements that print the coefficients and tests."""
        del analysis
        return ["summary(fit)", 'anova(fit, type = "marginal")']

    def means(self, analysis: Analysis) -> list[str]:
        """Arguments of emmeans that give the df of the analysis."""
        if analysis.estimation.df == "asymptotic":
            return ["df = Inf"]
        residual = "containment" if analysis.random else "df.error"
        satterthwaite = analysis.estimation.df == "satterthwaite"
        return [f"mode = {quoted('appx-satterthwaite' if satterthwaite else residual)}"]

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""
        found = [_EARLY, _NLME]
        if analysis.estimation.vcov or analysis.estimation.df.startswith("kenward"):
            found.append(
                "nlme has neither Kenward-Roger's nor sandwich standard errors: compare estimates "
                "and the log-likelihood."
            )
        return found


class Lm:
    """The lm() of R."""

    libraries = ()

    def call(self, analysis: Analysis, formula: RFormula) -> list[str]:
        """The function's name, then its arguments."""
        text = f"{formula.response(analysis)} ~ {formula.text(analysis.fixed.node)}"
        return ["lm", text, "data = analysis"]

    def results(self, analysis: Analysis) -> list[str]:
        """Statements that print the coefficients and tests."""
        del analysis
        return ["summary(fit)", 'drop1(fit, test = "F")']

    def means(self, analysis: Analysis) -> list[str]:
        """Arguments of emmeans that give the df of the analysis."""
        del analysis
        return []

    def remarks(self, analysis: Analysis) -> list[str]:
        """What is to be known."""
        del analysis
        return ["drop1() tests each term that no other contains, as Type III."]


def engine_of(analysis: Analysis) -> Engine:
    """The R function that fits the analysis.

    Raises
    ------
    NotAvailableError
        If none of mmrm, lme4 and nlme does.
    """
    repeated = analysis.repeated
    if repeated is None:
        return Lmer() if analysis.random else Lm()
    if repeated.structure in _BY_STRUCTURE and _carries(repeated.structure, analysis.random):
        return _BY_STRUCTURE[repeated.structure]
    if repeated.structure in STRUCTURES and not (analysis.random or repeated.options):
        return Mmrm()
    beside = " beside random effects" if analysis.random else ""
    told = ", ".join(f"{name}={value}" for name, value in repeated.options)
    named = f"{repeated.structure}({told})" if told else repeated.structure
    msg = f"R: neither mmrm nor nlme fits the covariance {named}{beside}"
    raise NotAvailableError(msg)


def _carries(structure: str, random: Sequence[RandomEffects]) -> bool:
    """Whether the engine of a structure fits these random effects beside it."""
    if not random:
        return True
    return structure in _OF_LME and len(random) <= _RANDOM_OF_NLME and random[0].correlated


def _bar(effects: RandomEffects, formula: RFormula) -> str:
    if effects.part.classes and not effects.correlated:
        raise NotAvailableError(
            "R: a random factor before || has uncorrelated columns; lme4 correlates them"
        )
    if effects.by is not None:
        raise NotAvailableError("R: neither lme4 nor nlme has a covariance of G for each level")
    bar = "|" if effects.correlated else "||"
    nested = len(effects.factors) == len(effects.groups)
    groups = ("/" if nested else ":").join(formula.classes[name] for name in effects.groups)
    return f"{formula.text(effects.part.node)} {bar} {groups}"


def _truth(value: bool) -> str:
    return str(value).upper()


_RANDOM_OF_NLME = 1
#: residual structures of lme() as it is called here
_OF_LME = frozenset({"diag", "id"})
_BY_STRUCTURE: dict[str, Engine] = {"diag": Nlme(), "id": Nlme(), "sp_pow": SpatialPower()}
