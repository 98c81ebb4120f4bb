"""What is measured, and what is made from it."""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from trialmlm.protocol.names import CollectedKey, EventKey, RecordRole
from trialmlm.protocol.noun import Count, Noun, Number, Text, one_of_keys, refusal

_LIMITS = (
    "value_at_least",
    "value_at_most",
    "change_at_least",
    "change_at_most",
    "percent_change_at_least",
    "percent_change_at_most",
)


class _Described(Noun):
    """What every endpoint says of itself."""

    label: Text
    """Its words in tables."""
    unit: Text | None = None
    """Its unit; a change without one has that of the endpoint it is the change of."""
    decimals: Count | None = None
    """Decimals of the collected value; a change without them takes them from its endpoint."""
    better: Literal["higher", "lower"] | None = None
    """Which direction is better for the subject; a change takes that of its endpoint."""


class CollectedEndpoint(_Described):
    """A value that is collected: a parameter of a set of records."""

    source: RecordRole = Field(alias="from")
    """The data role that holds it."""
    parameter: Text | None = None
    """The parameter's code in the data; absent: the data set holds one parameter only."""


class ChangeEndpoint(_Described):
    """Change from baseline: the value less the baseline value."""

    change_from_baseline: CollectedKey
    """The collected endpoint it is the change of."""


class Threshold(Noun):
    """A collected endpoint and the one limit it has to meet."""

    of: CollectedKey
    """The collected endpoint."""
    value_at_least: Number | None = None
    """The value is this or more."""
    value_at_most: Number | None = None
    """The value is this or less."""
    change_at_least: Number | None = None
    """The change from baseline is this or more."""
    change_at_most: Number | None = None
    """The change from baseline is this or less."""
    percent_change_at_least: Number | None = None
    """The change from baseline in percent of baseline is this or more."""
    percent_change_at_most: Number | None = None
    """The change from baseline in percent of baseline is this or less."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        found = [name for name in _LIMITS if name in self.model_fields_set]
        if len(found) != 1:
            held = " and ".join(found) or "no limit"
            raise refusal(f"found {held}, expected exactly one of {', '.join(_LIMITS)}")
        return self

    @property
    def quantity(self) -> str:
        """What the limit is set to: ``value``, ``change`` or ``percent_change``."""
        return self._limit.removesuffix("_at_least").removesuffix("_at_most")

    @property
    def side(self) -> Literal["at-least", "at-most"]:
        """On which side of the limit the threshold is met."""
        return "at-least" if self._limit.endswith("_at_least") else "at-most"

    @property
    def limit(self) -> float:
        """The limit."""
        return float(getattr(self, self._limit))

    @property
    def _limit(self) -> str:
        return next(name for name in _LIMITS if name in self.model_fields_set)


class ResponderEndpoint(_Described):
    """Whether a threshold is met, at each visit."""

    responder: Threshold
    """The threshold that makes a responder."""


class EventOccurs(Noun):
    """An event of the data happens."""

    event: EventKey
    """The event, by its key under data.events."""


Occurrence = Annotated[
    Annotated[Threshold, Tag("<of>")] | Annotated[EventOccurs, Tag("<event>")],
    one_of_keys("of", "event"),
]


class FirstOfEndpoint(_Described):
    """Time to the first of several things."""

    first_of: Annotated[tuple[Occurrence, ...], Field(min_length=1)]
    """Thresholds met ({of: …, change_at_most: …}) and events ({event: …})."""


Endpoint = Annotated[
    Annotated[CollectedEndpoint, Tag("<from>")]
    | Annotated[ChangeEndpoint, Tag("<change_from_baseline>")]
    | Annotated[ResponderEndpoint, Tag("<responder>")]
    | Annotated[FirstOfEndpoint, Tag("<first_of>")],
    one_of_keys("from", "change_from_baseline", "responder", "first_of"),
]
