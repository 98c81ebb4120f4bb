"""The protocol format as a JSON Schema, by which editors complete and check a file."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from trialmlm.protocol.noun import Noun
from trialmlm.protocol.schema import FORMAT_VERSION, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import core_schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Says what a file may hold: no key of a protocol holds null, an absent one is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        plain = super().default_schema(schema)
        if plain.get("default") in (None, []) or isinstance(plain["default"], dict):
            plain = {key: told for key, told in plain.items() if key != "default"}
        return plain


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a protocol file, with a description of each key."""
    schema = Protocol.model_json_schema(schema_generator=_Plain)
    nouns = {noun.__name__: noun for noun in _nouns(Noun)}
    for name, part in {Protocol.__name__: schema, **schema["$defs"]}.items():
        _describe(part, nouns[name])
    return {"$schema": DIALECT, **schema, "title": f"trialmlm protocol, format {FORMAT_VERSION}"}


def _nouns(noun: type[Noun]) -> Iterator[type[Noun]]:
    yield noun
    for narrower in noun.__subclasses__():
        yield from _nouns(narrower)


def _describe(schema: dict[str, Any], noun: type[Noun]) -> None:
    """Put the words below each field of a noun into its schema."""
    words = {key: told for kind in reversed(noun.__mro__) for key, told in _words(kind).items()}
    spelled = {info.alias or name: name for name, info in noun.model_fields.items()}
    for key, part in schema.get("properties", {}).items():
        part.pop("title", None)
        part["description"] = words[spelled[key]]


@cache
def _words(kind: type) -> Mapping[str, str]:
    """Read the text below each field of a class off its source."""
    if not issubclass(kind, Noun) or kind is Noun:
        return {}
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    return {
        field.target.id: " ".join(str(told.value.value).split())
        for field, told in pairwise(statements)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(told, ast.Expr)
        and isinstance(told.value, ast.Constant)
    }
