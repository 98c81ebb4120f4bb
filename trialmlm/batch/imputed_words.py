"""How missing values were imputed and what that assumes, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.missing.imputed import Imputed
from trialmlm.protocol.missing import DRAWING, LOWEST_DECILE

if TYPE_CHECKING:
    from trialmlm.batch.task import Task
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.imputation import Imputation
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.missing import Missing, Rule
    from trialmlm.protocol.schema import Protocol

_METHODS = {
    "bayes": "parameters drawn from their posterior by {sampler}",
    "approximate-bayes": "parameters estimated in bootstrap samples",
    "conditional-mean": "parameters estimated by restricted maximum likelihood",
}
#: the assumption of a rule, for a table
_ASSUMED = {
    "mar": "missing at random",
    "jump-to-reference": "jumps to the mean of {reference}",
    "copy-reference": "follows {reference} from the start",
    "copy-increments": "keeps its benefit, then changes as {reference} does",
    "last-mean-carried-forward": "stays at the mean it had before",
    LOWEST_DECILE: "drawn from the worst tenth of the changes of completers",
}
#: the same of retrieved dropouts, by what the shift of the mean differs
_RETRIEVED = {
    "common": "as those of all arms observed after it",
    "arm": "as those observed after it",
    "arm-visit": "as those observed after it at the same visit",
    "arm-time": "as those observed after it, by the time since",
}


def imputed_in_words(protocol: Protocol, missing: Missing) -> str:
    """What an analysis that imputes assumes, for a table that compares methods."""
    rules = "".join(f"; {_rule(protocol, rule)}" for rule in missing.rules)
    conditional = " Conditional means." if missing.method not in DRAWING else ""
    return f"Missing at random{rules}.{conditional}"


def _rule(protocol: Protocol, rule: Rule) -> str:
    """``after drug stop (ADVERSE EVENT): jumps to the mean of Placebo``."""
    reference = protocol.arms[rule.reference].name if rule.reference else ""
    why = f" ({', '.join(rule.reasons)})" if rule.reasons else ""
    said = _RETRIEVED[rule.form] if rule.form else _ASSUMED[rule.assume]
    return f"after {rule.after.replace('_', ' ')}{why} {said.format(reference=reference)}"


def imputation_in_words(task: Task, imputation: Imputation) -> str:
    """The imputation model, how its parameters were drawn, the seed, and how much was imputed."""
    missing = task.analysis.missing
    method = (missing.method if missing else None) or ""
    drawn = method in DRAWING and missing is not None
    seed = f", {missing.imputations} imputations, seed {missing.seed}" if drawn and missing else ""
    absent = imputation.layout.missing
    how = _METHODS[method].format(sampler=_sampler(imputation))
    return (
        f"{task.analysis.model}; {how}{seed}; "
        f"{int(absent.sum()):,} of {absent.size:,} values imputed"
    )


def _sampler(imputation: Imputation) -> str:
    """What drew the parameters; empty where no chains were run."""
    posterior = imputation.draws.posterior if isinstance(imputation, Imputed) else None
    return posterior.by if posterior is not None else ""


def settled_in_words(imputation: Imputation) -> str:
    """Whether the chains had settled, by their worst parameter; empty where none were run."""
    if not isinstance(imputation, Imputed) or imputation.draws.posterior is None:
        return ""
    found = imputation.diagnostics()
    return (
        f"{_sampler(imputation)}: largest R-hat {found['r_hat'].max():.3f}, smallest effective "
        f"size {found['effective_size'].min():,.0f}, over {len(found):,} parameters"
    )


def imputing_notes(analysis: Analysis) -> tuple[str, ...]:
    """What of the protocol says nothing to an imputation model."""
    if not any(remedy != "report-failure" for remedy in analysis.if_unconverged):
        return ()
    return ("if_unconverged: an imputation model that does not converge is reported, not replaced",)


def variance_in_words(analysed: AnalysedImputation) -> str:
    """The variance that decides, and those shown beside it, each with what it targets."""
    deciding, *others = analysed.plan.variances
    said = f"{deciding.name} ({deciding.target}) decides"
    shown = ", ".join(f"{other.name} ({other.target})" for other in others)
    return f"{said}; {shown} shown beside it" if shown else said


def delta_in_words(analysis: Analysis) -> dict[str, str]:
    """What one unit of delta is; nothing where no value is shifted."""
    delta = analysis.delta
    if delta is None:
        return {}
    after = delta.rows.missing_after.replace("_", " ") if delta.rows is not None else ""
    per = {"visit": "", "year": f" for each year since {after or 'day 1'}"}[delta.per]
    which = f"values missing after {after}" if after else "every imputed value"
    return {"delta": f"{delta.unit}, added to {which}{per}"}


def degrees_of_freedom(analysed: AnalysedImputation) -> dict[str, str]:
    """How those of the variance that decides are found."""
    rules = {"rubin": "Barnard-Rubin degrees of freedom"}
    return {"degrees of freedom": rules.get(analysed.plan.variances[0].name, "normal distribution")}
