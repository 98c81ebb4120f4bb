"""Methods that are named rather than written as a model, and what an analysis says of them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from trialmlm.protocol.noun import (
    Column,
    Count,
    Location,
    Noun,
    Whole,
    Word,
    one_of_keys,
    refusal,
    refuse,
)

Sandwich = Literal["CR0", "CR1", "CR2", "CR3"]
DegreesOfFreedom = Literal[
    "satterthwaite",
    "kenward-roger",
    "kenward-roger-linear",
    "between-within",
    "containment",
    "residual",
    "asymptotic",
]
Estimator = Literal["rubin", "jackknife", "bootstrap"]


class StandardisedLogistic(Noun):
    """Risk difference from a logistic regression, standardised over the subjects."""

    standardised_logistic: tuple[Column, ...]
    """Covariates beside the arm."""
    check: Literal["cmh"] | None = None
    """A second test shown beside it: Cochran-Mantel-Haenszel."""


class RankAncova(Noun):
    """Difference of standardised ranks from an analysis of covariance of ranks."""

    rank_ancova: tuple[Column, ...]
    """Columns of numbers whose standardised ranks are covariates, such as BASE."""
    missing: Literal["exclude", "worst"] = "exclude"
    """Whether who has no value and no event that ranks worst is left out, or ranked below all
    values."""


class CoxRegression(Noun):
    """Hazard ratio from a Cox regression."""

    cox: tuple[Column, ...]
    """Covariates beside the arm."""
    ties: Literal["efron", "breslow"] = "efron"
    """How tied event times are dealt with."""
    test: Literal["log-rank", "stratified-log-rank", "wald"] = "wald"
    """The test whose p-value decides."""


Method = Annotated[
    Annotated[StandardisedLogistic, Tag("<standardised_logistic>")]
    | Annotated[CoxRegression, Tag("<cox>")]
    | Annotated[RankAncova, Tag("<rank_ancova>")],
    one_of_keys("standardised_logistic", "cox", "rank_ancova"),
]


class Censoring(Noun):
    """When a subject without the event is censored."""

    at: Literal["last-assessment", "last-assessment-before-gap", "end-of-study"]
    """The date of censoring."""
    missed_visits: Whole | None = None
    """How many visits missed in a row make a gap."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        gap = self.at == "last-assessment-before-gap"
        if gap and self.missed_visits is None:
            raise refusal(f"at: {self.at} needs the key missed_visits: how many make a gap")
        if not gap and self.missed_visits is not None:
            refuse("censor", [(("missed_visits",), f"at: {self.at} knows no gap: leave it out")])
        return self


class Variance(Noun):
    """How the variance of an imputed analysis is found."""

    decide: Estimator
    """The one the test and the interval use."""
    show: tuple[Estimator, ...] = ()
    """Others shown beside it; the jackknife and the bootstrap impute the conditional mean."""
    replicates: Whole | None = None
    """How many samples the bootstrap draws."""
    seed: Count | None = None
    """Seed of the bootstrap."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("variance", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        drawn = "bootstrap" in (self.decide, *self.show)
        for name in ("replicates", "seed"):
            if drawn and getattr(self, name) is None:
                yield (), f"the bootstrap draws samples and needs the key {name}"
            if not drawn and getattr(self, name) is not None:
                yield (name,), f"{name} belongs to the bootstrap, which is not asked for"
        if self.decide in self.show:
            yield ("show",), f"found {self.decide!r}, which decides already: leave it out"


class SimplerModel(Noun):
    """A simpler model to fall back on."""

    G: Literal["diagonal"] | None = None
    """Covariance of the random effects."""
    R: Word | None = None
    """Covariance of the residuals, by the name models call it: toeph, ar1h, cs."""
    vcov: Sandwich | None = None
    """Covariance of the estimates, as the simpler model may be wrong."""
    df: DegreesOfFreedom | None = None
    """Degrees of freedom."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.model_fields_set:
            raise refusal("expected at least one of the keys G, R, vcov, df")
        return self


def _word_or_model(value: object) -> str:
    return "<model>" if isinstance(value, Mapping | SimplerModel) else "<word>"


#: What is tried when a fit does not converge: a word, or a simpler model.
Remedy = Annotated[
    Annotated[Literal["restart", "report-failure"], Tag("<word>")]
    | Annotated[SimplerModel, Tag("<model>")],
    Discriminator(_word_or_model),
]
