"""What of a protocol this version builds, and what it says of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.fallback import simpler_models
from trialmlm.covariance.register import FAMILIES
from trialmlm.formula.grammar import read_formula
from trialmlm.inference.register import DF_METHODS, HIERARCHICAL_DF_METHODS, REPEATED_DF_METHODS
from trialmlm.protocol.endpoints import ChangeEndpoint, CollectedEndpoint
from trialmlm.protocol.methods import RankAncova
from trialmlm.protocol.missing import CARRIED, IMPUTING
from trialmlm.tables.shells import SHELLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.outputs import Output
    from trialmlm.protocol.schema import Protocol

NOT_AVAILABLE = "not available in this version"

#: how missing values can be dealt with
MISSING = frozenset({None, *CARRIED, *IMPUTING})
#: strategies that make values of their own, which are no data for a model that imputes
MAKING = frozenset({"composite", "while-on-treatment"})
#: what models call the visits of the schedule
VISIT = ("AVISIT",)
#: figures are named here as well as in their room, which stands on matplotlib
FIGURES = frozenset(
    {
        "means-by-visit",
        "profiles",
        "forest",
        "missing-patterns",
        "residuals",
        "individual-slopes",
        "tipping-point",
    }
)
#: which records can be summed up
SUMMARISED = frozenset({"observed", "locf", "locf-records", "bocf", "wocf"})


def blinded(protocol: Protocol) -> str:
    """Why the trial's data may not be read yet; empty where they may.

    Simulated data hold no treatment codes of a trial, so there is nothing to unblind.
    """
    header = protocol.header
    if header.unblinded or header.data_origin == "simulated":
        return ""
    return (
        "protocol.unblinded: false, and the data are collected, so the treatment codes in them are "
        f"not read. A run on dummy treatment codes is {NOT_AVAILABLE}: simulate the data "
        "(data_origin: simulated), or state unblinded: true once the unblinding is on record"
    )


def codes_of(protocol: Protocol) -> str:
    """What the protocol states of the treatment codes, for the log."""
    stated = str(protocol.header.unblinded).lower()
    return f"unblinded: {stated}, data {protocol.header.data_origin}, as the protocol states"


def lacking_of_analysis(protocol: Protocol, analysis: Analysis) -> tuple[str, ...]:
    """What an analysis asks for that this version does not build; empty where it can be made."""
    return tuple(_lacks(protocol, analysis))


def _lacks(protocol: Protocol, analysis: Analysis) -> Iterator[str]:
    if analysis.method is not None and not isinstance(analysis.method, RankAncova):
        yield f"method: {next(iter(type(analysis.method).model_fields))}"
    method = analysis.missing.method if analysis.missing is not None else None
    if method not in MISSING:
        yield f"missing: {method}"
    if analysis.censor is not None:
        yield "censor:"
    if method in IMPUTING:
        yield from _lacks_of_imputation(protocol, analysis)
    if analysis.by:
        yield "by: (subgroups)"
    if analysis.weights_over == "randomised":
        yield "weights_over: randomised"
    yield from _lacks_of_remedies(analysis)
    if analysis.endpoint is not None and not isinstance(
        protocol.endpoint(analysis.endpoint), CollectedEndpoint | ChangeEndpoint
    ):
        yield f"endpoint: {analysis.endpoint} (responder or time to event)"
    if analysis.model is not None:
        read = read_formula(analysis.model)
        yield from _lacks_of_inference(analysis, read)
        yield from _lacks_of_model(read, protocol.data.subjects.arm)
        if read.random and analysis.weights == "counterfactual":
            yield "weights: counterfactual with random effects"


def _lacks_of_imputation(protocol: Protocol, analysis: Analysis) -> Iterator[str]:
    """What cannot go together with imputed values."""
    if analysis.rows is not None:
        yield "rows: with imputation"
    if analysis.weights == "counterfactual":
        yield "weights: counterfactual with imputation"
    if analysis.average_over is not None:
        yield "average_over: with imputation"
    if analysis.vcov is not None:
        yield f"vcov: {analysis.vcov} with imputation"
    if analysis.missing is not None and (analysis.missing.alive or analysis.missing.dead):
        yield "missing: impute-then-classify"
    if analysis.estimand is not None:
        for event, way in protocol.estimand(analysis.estimand).handlings.items():
            making = [strategy for strategy in way.strategies if strategy in MAKING]
            if making:
                yield f"{event}: {', '.join(making)} with imputation"


def _lacks_of_inference(analysis: Analysis, read: ModelFormula) -> Iterator[str]:
    """Between-within is of repeated measures; Kenward-Roger has no sandwich, nor has ANCOVA."""
    repeated = bool(read.covariance) and not read.random
    others = HIERARCHICAL_DF_METHODS if read.random else DF_METHODS
    methods = REPEATED_DF_METHODS if repeated else others
    clusters = bool(read.covariance or read.random)
    if analysis.df not in methods:
        yield f"df: {analysis.df}"
    elif analysis.vcov is not None and (not clusters or methods[analysis.df].own_covariance):
        yield f"vcov: {analysis.vcov} with df: {analysis.df}"


def _lacks_of_remedies(analysis: Analysis) -> Iterator[str]:
    """Simpler models are those of the covariance over the visits."""
    read = None if analysis.model is None else read_formula(analysis.model)
    for remedy in simpler_models(analysis):
        if remedy.G is not None or (read is not None and read.random):
            yield "if_unconverged: a simpler model"
        if remedy.R is not None and remedy.R not in FAMILIES:
            yield f"if_unconverged: covariance {remedy.R}"
        df, vcov = remedy.df or analysis.df, remedy.vcov or analysis.vcov
        if df not in REPEATED_DF_METHODS:
            yield f"if_unconverged: df: {df}"
        elif vcov is not None and REPEATED_DF_METHODS[df].own_covariance:
            yield f"if_unconverged: vcov: {vcov} with df: {df}"


def _lacks_of_model(read: ModelFormula, arm: str | None) -> Iterator[str]:
    if read.random and read.covariance and not _one_term(read):
        yield "a residual covariance beside several groupings of random effects"
    for term in read.covariance:
        if term.structure not in FAMILIES:
            yield f"covariance {term.structure}"
        if term.group is not None and term.group != arm:
            yield f"covariance by {term.group}"
        if term.visit != VISIT:
            yield f"covariance over {', '.join(term.visit)} (the visits are AVISIT)"


def _one_term(read: ModelFormula) -> bool:
    """Whether one grouping factor has one term of random effects."""
    (first, *others) = read.random
    return not others and len(first.groups) == 1


def lacking_of_output(output: Output) -> tuple[str, ...]:
    """What an output asks for that this version does not build."""
    built = {"table": SHELLS, "figure": FIGURES}
    if output.shell not in built.get(output.kind, ()):
        return (f"{output.kind}: {output.shell}",)
    lacks = [f"records: {kind}" for kind in output.records if kind not in SUMMARISED]
    lacks += ["where:"] if output.where is not None else []
    return tuple(lacks)
