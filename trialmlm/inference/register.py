"""The tables of what ``df=`` and ``vcov=`` name, and the methods put together from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from trialmlm.inference.between_within import BetweenWithin
from trialmlm.inference.containment import Containment
from trialmlm.inference.fixed_df import asymptotic, containment, residual
from trialmlm.inference.kenward_roger import KenwardRoger
from trialmlm.inference.method import CovarianceOfEstimates, Method, Rule
from trialmlm.inference.model_based import ModelBased, adjusted, adjusted_linear
from trialmlm.inference.sandwich import KINDS, Kind, Sandwich
from trialmlm.inference.satterthwaite import Satterthwaite
from trialmlm.inference.source import Hierarchical, Repeated, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

S = TypeVar("S", bound=Source, contravariant=True)


@dataclass(frozen=True, slots=True)
class DfMethod(Generic[S]):
    """A rule for degrees of freedom, and the covariance of the estimates that goes with it.

    Attributes
    ----------
    rule : callable
        Of the fit and the covariance used.
    implied : callable
        The covariance unless another is asked for.
    own_covariance : bool
        Whether no other can be.
    """

    rule: Callable[[S, CovarianceOfEstimates], Rule]
    implied: Callable[[S], CovarianceOfEstimates] = ModelBased.of
    own_covariance: bool = False


#: of any Gaussian fit. Kenward-Roger and its linear form are one for the unstructured family and
#: others that are linear in their parameters
DF_METHODS: Mapping[str, DfMethod[Source]] = {
    "satterthwaite": DfMethod(Satterthwaite.of),
    "kenward-roger": DfMethod(KenwardRoger.of, adjusted, own_covariance=True),
    "kenward-roger-linear": DfMethod(KenwardRoger.linear, adjusted_linear, own_covariance=True),
    "residual": DfMethod(residual),
    "asymptotic": DfMethod(asymptotic),
}
#: of repeated measures
REPEATED_DF_METHODS: Mapping[str, DfMethod[Repeated]] = {
    **DF_METHODS,
    "between-within": DfMethod(BetweenWithin.of),
    "containment": DfMethod(containment),
}
#: of models with random effects
HIERARCHICAL_DF_METHODS: Mapping[str, DfMethod[Hierarchical]] = {
    **DF_METHODS,
    "containment": DfMethod(Containment.of),
}
#: name in ``vcov=`` -> one of the family of sandwiches
SANDWICH_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
#: name in ``vcov=`` -> the covariance of a fit of repeated measures
SANDWICHES: Mapping[str, Callable[[Repeated], CovarianceOfEstimates]] = {
    kind.name: partial(Sandwich.of, kind) for kind in KINDS
}


def model_method(source: Source, df: str, sandwich: CovarianceOfEstimates | None = None) -> Method:
    """The method named by `df`, with the covariance that it implies or the sandwich given."""
    found = DF_METHODS[df]
    return _together(source, found, found.implied(source) if sandwich is None else sandwich)


def hierarchical_method(
    source: Hierarchical, df: str, sandwich: CovarianceOfEstimates | None = None
) -> Method:
    """The same of a model with random effects."""
    found = HIERARCHICAL_DF_METHODS[df]
    return _together(source, found, found.implied(source) if sandwich is None else sandwich)


def repeated_method(source: Repeated, df: str, vcov: str | None) -> Method:
    """The method named by `df`, with the sandwich named by `vcov`, if one is."""
    found = REPEATED_DF_METHODS[df]
    covariance = found.implied(source) if vcov is None else SANDWICHES[vcov](source)
    return _together(source, found, covariance)


def _together(source: S, df: DfMethod[S], covariance: CovarianceOfEstimates) -> Method:
    rule = df.rule(source, covariance)
    return Method(source.coefficients, covariance.matrix, rule, covariance.name)
