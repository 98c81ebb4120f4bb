"""A sponsor's style: what outputs look like, whatever they show."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from trialmlm.protocol.noun import Count, Noun, Positive, Text, Word, refusal


def _head_line(value: Any) -> tuple[str, ...]:
    parts = (value,) if isinstance(value, str) else value
    whole = isinstance(parts, list | tuple) and 1 <= len(parts) <= 3
    if not whole or not all(isinstance(part, str) for part in parts):
        raise refusal(
            "expected text, or a list of up to three texts (left, centre, right): "
            "write numbers in quotes"
        )
    return tuple(parts)


#: One line of a header or footer: left; left and right; or left, centre and right.
HeadLine = Annotated[
    tuple[str, ...],
    BeforeValidator(_head_line),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
            ]
        }
    ),
]


class Margins(Noun):
    """Margins of the page, in inches."""

    top: Positive
    """Top margin."""
    bottom: Positive
    """Bottom margin."""
    left: Positive
    """Left margin."""
    right: Positive
    """Right margin."""


class PValue(Noun):
    """How p-values are written."""

    decimals: Annotated[Count, Field(ge=1, le=10)] = 4
    """Decimals; smaller values are written as below the smallest."""
    style: Literal["leading-zero", "no-leading-zero"] = "leading-zero"
    """0.0312 or .0312."""


class House(Noun):
    """The sponsor's style; what is absent is as the template has it."""

    template: Word = "default"
    """The template that says what is absent here."""
    paper: Literal["letter", "a4"] | None = None
    """Paper size."""
    orientation: Literal["portrait", "landscape"] | None = None
    """Orientation of the page."""
    font: Text | None = None
    """Name of the font."""
    size: Positive | None = None
    """Size of the font in points."""
    margins: Margins | None = None
    """Margins of the page."""
    negative_zero: Literal["keep", "drop"] | None = None
    """Whether a negative number that rounds to zero keeps its sign: -0.0 or 0.0."""
    p_value: PValue | None = None
    """How p-values are written."""
    not_estimable: Text | None = None
    """What stands for a number that cannot be estimated."""
    header: tuple[HeadLine, ...] | None = None
    """Lines above every output."""
    footer: tuple[HeadLine, ...] | None = None
    """Lines below every output."""
    source: Text | None = None
    """The program's text in the last line of an output."""
    abbreviations: Mapping[str, Text] = Field(default_factory=dict)
    """Abbreviations spelled out below the outputs that use them."""
