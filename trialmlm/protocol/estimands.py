"""What is to be estimated: the five attributes of ICH E9(R1), arms being the treatments."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, Tag

from trialmlm.protocol.names import (
    EstimandKey,
    EventKey,
    PopulationKey,
    QuantityKey,
    TimeKey,
    ValueKey,
    VisitName,
)
from trialmlm.protocol.noun import Noun, Text, one_of_keys

Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment"]


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
    events: Mapping[EventKey, Strategy] = Field(default_factory=dict)
    """The strategy for each intercurrent event."""
    summary: Text | None = None
    """The population-level summary, such as difference in means."""
