"""What is to be estimated: the five attributes of ICH E9(R1), arms being the treatments."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from trialmlm.expressions.abbreviations import ASSUMPTIONS, in_full
from trialmlm.protocol.names import (
    EstimandKey,
    EventKey,
    PopulationKey,
    QuantityKey,
    TimeKey,
    ValueKey,
    VisitName,
)
from trialmlm.protocol.noun import Location, Noun, Number, Text, one_of_keys, refusal, refuse

#: why the fifth strategy of ICH E9(R1) A.3.2 is none of this list
PRINCIPAL_STRATUM = (
    "found 'principal-stratum', which is refused: whom the event would befall under which arm is "
    "known of nobody, as every subject is seen under one arm only, so the effect in that stratum "
    "is not identifiable from the data of the trial without assumptions that they cannot check "
    "(ICH E9(R1) A.3.2). State treatment-policy, hypothetical, composite or while-on-treatment"
)
#: what an analysis assumes is no strategy of an estimand
_ASSUMED = frozenset(ASSUMPTIONS.values())


def _identifiable(value: Any) -> Any:
    if value == "principal-stratum":
        raise refusal(PRINCIPAL_STRATUM)
    if isinstance(value, str) and (value in _ASSUMED or value.upper() in ASSUMPTIONS):
        raise refusal(
            f"found {value!r}{in_full(value)}, which an imputation assumes of missing values: "
            "write it as assume: under missing.rules of the analysis, and state here what is asked "
            "about the event (treatment-policy, hypothetical, composite, while-on-treatment)"
        )
    return value


Strategy = Annotated[
    Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment"],
    BeforeValidator(_identifiable),
]
Failure = Annotated[
    Annotated[Literal["baseline", "worst-observed", "worst-rank"], Tag("<word>")]
    | Annotated[Number, Tag("<number>")],
    Discriminator(lambda value: "<word>" if isinstance(value, str) else "<number>"),
]


class Handling(Noun):
    """How an estimand deals with an intercurrent event, where one word does not say it."""

    strategy: Strategy
    """The strategy, whatever the reason, unless `reasons` names another one."""
    reasons: Mapping[Text, Strategy] = Field(default_factory=dict)
    """The strategy for an event of this reason, as the data word the reason."""
    failure: Failure | None = None
    """Under composite, the value that stands for failure: a number in the unit of the endpoint,
    baseline (no change), worst-observed (the worst value anybody had at the visit), or worst-rank
    (below every value, the earlier the worse; an analysis of ranks alone can use it)."""

    def of(self, reason: str) -> str:
        """Return the strategy for an event of this reason."""
        return self.reasons.get(reason, self.strategy)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that may apply, each once."""
        return tuple(dict.fromkeys((self.strategy, *self.reasons.values())))

    @property
    def words(self) -> str:
        """``treatment policy; ADVERSE EVENT: hypothetical``."""
        parts = (self.strategy, *(f"{why}: {way}" for why, way in self.reasons.items()))
        return "; ".join(part.replace("-", " ") for part in parts)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("handling", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        if self.failure is not None and "composite" not in self.strategies:
            yield ("failure",), f"failure belongs to composite, and this is {self.strategy}"


def _word_or_handling(value: object) -> str:
    return "<handling>" if isinstance(value, Mapping | Handling) else "<word>"


#: A strategy in a word, or with its reasons and its value of failure.
Handled = Annotated[
    Annotated[Strategy, Tag("<word>")] | Annotated[Handling, Tag("<handling>")],
    Discriminator(_word_or_handling),
]


class ValueAt(Noun):
    """The value of an endpoint at a visit."""

    value_of: ValueKey
    """The endpoint."""
    at: VisitName
    """The visit the value is taken at."""

    @property
    def endpoint(self) -> str:
        """Key of the endpoint."""
        return self.value_of


class SlopeTo(Noun):
    """The slope of an endpoint in time, from baseline to a visit."""

    slope_of: QuantityKey
    """The endpoint."""
    to: VisitName
    """The last visit."""

    @property
    def endpoint(self) -> str:
        """Key of the endpoint."""
        return self.slope_of


class TimeTo(Noun):
    """The time to an event."""

    time_to: TimeKey
    """The endpoint, one that is made by first_of."""

    @property
    def endpoint(self) -> str:
        """Key of the endpoint."""
        return self.time_to


Variable = Annotated[
    Annotated[ValueAt, Tag("<value_of>")]
    | Annotated[SlopeTo, Tag("<slope_of>")]
    | Annotated[TimeTo, Tag("<time_to>")],
    one_of_keys("value_of", "slope_of", "time_to"),
]


class Estimand(Noun):
    """An estimand; `like` takes what is not said here from another one."""

    like: EstimandKey | None = None
    """The estimand whose attributes hold where this one says nothing; events are merged."""
    question: Text | None = None
    """The clinical question in words."""
    population: PopulationKey | None = None
    """The subjects it is about."""
    variable: Variable | None = None
    """What is measured on each subject: {value_of, at}, {slope_of, to} or {time_to}."""
    events: Mapping[EventKey, Handled] = Field(default_factory=dict)
    """The strategy for each intercurrent event, a word or {strategy, reasons, failure}. Of events
    on the same day the one that stands first here rules."""
    summary: Text | None = None
    """The population-level summary, such as difference in means."""

    @property
    def handlings(self) -> Mapping[str, Handling]:
        """How each event is dealt with, in the order of the file."""
        return {
            event: way if isinstance(way, Handling) else Handling(strategy=way)
            for event, way in self.events.items()
        }
