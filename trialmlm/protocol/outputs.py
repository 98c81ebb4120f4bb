"""The tables, figures and listings: a number, a shell and its parameters."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from trialmlm.protocol.names import AnalysisKey, EndpointKey, PopulationKey, VisitName
from trialmlm.protocol.noun import (
    Column,
    FileName,
    Lines,
    Location,
    Noun,
    OutputNumber,
    Text,
    Where,
    Word,
    refusal,
    refuse,
)

RecordKind = Literal["observed", "locf", "locf-records", "bocf", "wocf"]


def _kinds(value: object) -> object:
    return (value,) if isinstance(value, str) else value


#: One kind of records, or several.
RecordKinds = Annotated[
    tuple[RecordKind, ...],
    BeforeValidator(_kinds),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(get_args(RecordKind))},
                {"type": "array", "items": {"enum": list(get_args(RecordKind))}, "minItems": 1},
            ]
        }
    ),
]
Kind = Literal["table", "figure", "listing"]
_KINDS: tuple[Kind, ...] = ("table", "figure", "listing")


class Output(Noun):
    """One output."""

    number: OutputNumber
    """Its number, quoted: "14.2.1.1"."""
    table: Word | None = None
    """The table's shell."""
    figure: Word | None = None
    """The figure's shell."""
    listing: Word | None = None
    """The listing's shell."""
    title: Lines | None = None
    """Its title; absent: the shell's."""
    subtitle: Lines | None = None
    """A line below the title; absent: the population."""
    analyses: tuple[AnalysisKey, ...] = ()
    """The analyses shown, in this order."""
    population: PopulationKey | None = None
    """The subjects shown."""
    populations: tuple[PopulationKey, ...] = ()
    """Sets of subjects that the shell counts; their shares are of `population`."""
    endpoint: EndpointKey | None = None
    """The endpoint shown."""
    visits: tuple[VisitName, ...] = ()
    """The visits shown; absent: all."""
    columns: tuple[Column, ...] = ()
    """Columns of the subjects' data set that are summed up or listed."""
    labels: Mapping[Column, Text] = Field(default_factory=dict)
    """Words for columns, in place of their labels in the data."""
    levels: Mapping[Column, Mapping[str, Text]] = Field(default_factory=dict)
    """Words for the values of columns, in the order shown; values not named follow as they are."""
    records: RecordKinds = ()
    """Which values are summed up, one kind or several in order: observed, or carried forward as
    `missing` words it; absent: observed."""
    where: Where | None = None
    """The rows shown, when not all are."""
    footnotes: tuple[Text, ...] = ()
    """Footnotes, in order: a keyword the shell knows (model, missing-data, events), or text."""
    file: FileName | None = None
    """Name of the file without suffix; absent: made from kind and number."""

    @property
    def kind(self) -> Kind:
        """Whether it is a table, a figure or a listing."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def shell(self) -> str:
        """Name of the shell."""
        return str(getattr(self, self.kind))

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        found = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(found) != 1:
            held = " and ".join(found) or "none of them"
            raise refusal(f"found {held}, expected exactly one of the keys {', '.join(_KINDS)}")
        return self


def _faults(outputs: tuple[Output, ...]) -> Iterator[tuple[Location, str]]:
    seen: Counter[tuple[str, str]] = Counter()
    for i, output in enumerate(outputs):
        if seen[output.kind, output.number]:
            yield (i, "number"), f"found {output.kind} {output.number} a second time"
        seen[output.kind, output.number] += 1


def _numbered_once(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    refuse("outputs", _faults(outputs))
    return outputs


Outputs = Annotated[tuple[Output, ...], AfterValidator(_numbered_once)]
