"""What every noun of a protocol shares: the frozen base and the plain types of its values.

A value is what the file says and nothing else: text is never made from a number, a number never
from text. Each refusal carries its whole message; :mod:`trialmlm.protocol.messages` says where.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from trialmlm.errors import ExpressionError
from trialmlm.expressions.where import read_where

#: the `type` of every error whose message is already in our words
TOLD = "told"
#: the `type` of the error of a mapping that should hold exactly one of several keys
WHICH = "which"

Location = tuple[str | int, ...]


class Noun(BaseModel):
    """A frozen part of a protocol that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def stated(self) -> frozenset[str]:
        """Names of the keys that stand in the file, as the file spells them."""
        fields = type(self).model_fields
        return frozenset(fields[name].alias or name for name in self.model_fields_set & set(fields))


def refusal(message: str) -> PydanticCustomError:
    """Return an error with our own message, to be raised by a validator."""
    return PydanticCustomError(TOLD, "{message}", {"message": message})


def refuse(title: str, faults: Iterable[tuple[Location, str]]) -> None:
    """Raise every fault at its own place below the noun that finds it; none: do nothing."""
    lines = [InitErrorDetails(type=refusal(told), loc=place, input=None) for place, told in faults]
    if lines:
        raise ValidationError.from_exception_data(title, lines)


def kind_of(value: object) -> str:
    """Say in a word what a YAML value is."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (date, "a date"),
        (list, "a list"),
        (tuple, "a list"),
        (Mapping, "a mapping"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "nothing")


def shown(value: object) -> str:
    """Show a found value with its kind; lists and mappings by their kind alone."""
    if value is None or isinstance(value, list | tuple | Mapping):
        return kind_of(value)
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{plain!r}" if isinstance(value, str) else f"{plain} ({kind_of(value)})"


def one_of_keys(*keys: str) -> Discriminator:
    """Choose the member of a union by the one key of `keys` that a mapping holds.

    Members are tagged ``<key>``: no key of a file can be mistaken for a tag.
    """

    def chosen(value: object) -> str | None:
        held = value.stated() if isinstance(value, Noun) else value
        if not isinstance(held, Mapping | frozenset):
            return None
        found = [key for key in keys if key in held]
        return f"<{found[0]}>" if len(found) == 1 else None

    return Discriminator(
        chosen,
        custom_error_type=WHICH,
        custom_error_message="expected exactly one of the keys " + ", ".join(keys),
    )


def _text(value: str) -> str:
    if not value.strip():
        raise refusal("found an empty text, expected words: write them or leave the key out")
    return value


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refusal(f"found {value!r}, expected {expected}")
        return value

    return check


def dotted_key(name: str) -> str:
    """Say what is wrong with the name of an analysis, words joined by dots; empty: nothing."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", name):
        return ""
    return f"found {name!r}, expected a name of letters, digits, _ and -, with dots between words"


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise refusal(f"found {shown(value)}, expected a date such as 2026-06-30") from None


def _lines(value: Any) -> tuple[str, ...]:
    lines = value if isinstance(value, list | tuple) and value else [value]
    if not all(isinstance(line, str) for line in lines):
        raise refusal(
            f"found {shown(next(line for line in lines if not isinstance(line, str)))}, "
            "expected text or a list of lines: write it in quotes"
        )
    return tuple(_text(line) for line in lines)


def _where(value: str) -> str:
    try:
        read_where(value)
    except ExpressionError as refused:
        raise refusal(str(refused)) from None
    return value


#: Words that stand in the file as text; a number, date or true/false must be quoted to be text.
Text = Annotated[str, Strict(), AfterValidator(_text)]
#: A column of a data set, as the data spell it.
Column = Annotated[
    str,
    Strict(),
    AfterValidator(_matching(r"[A-Za-z_]\w*", "the name of a column: letters, digits, _")),
]
#: The name of a thing of this protocol.
Key = Annotated[
    str,
    Strict(),
    AfterValidator(_matching(r"[A-Za-z0-9][A-Za-z0-9_-]*", "a name of letters, digits, _ and -")),
]
#: The number of an output: quoted, as 14.10 would lose its zero.
OutputNumber = Annotated[
    str,
    Strict(),
    AfterValidator(
        _matching(
            r"[0-9A-Za-z]+([.-][0-9A-Za-z]+)*",
            'the number of an output, such as "14.2.1.1" or "14-3.01"',
        )
    ),
]
#: A word of an open list that another room closes, such as a table's shell.
Word = Annotated[
    str,
    Strict(),
    AfterValidator(_matching(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", "a hyphenated word in lower case")),
]
#: One line or several: a heading that is broken where the list says.
Lines = Annotated[
    tuple[str, ...],
    BeforeValidator(_lines),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]
#: A rule that says which rows are meant, such as ``SAFFL == 'Y'``.
Where = Annotated[str, Strict(), AfterValidator(_where)]
#: A file beside the protocol, without a folder.
FileName = Annotated[
    str,
    Strict(),
    AfterValidator(_matching(r"\w[\w.-]*", "the name of a file, without a folder")),
]
Sha256 = Annotated[
    str,
    Strict(),
    AfterValidator(_matching(r"[0-9a-f]{64}", "64 hexadecimal digits in lower case")),
]
CalendarDate = Annotated[date, BeforeValidator(_date)]
YesNo = Annotated[bool, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Strict(), Field(gt=0, lt=1)]
Count = Annotated[int, Strict(), Field(ge=0)]
Whole = Annotated[int, Strict(), Field(ge=1)]
