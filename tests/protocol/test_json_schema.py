from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trialmlm.protocol import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator


def keys_of(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key the schema knows, with what it says of it."""
    for part in (schema, *schema["$defs"].values()):
        yield from part.get("properties", {}).items()


def test_every_key_has_a_description() -> None:
    schema = json_schema()
    assert all(len(told["description"]) > 10 for _, told in keys_of(schema))


def test_no_key_may_be_null_but_the_end_of_a_window() -> None:
    schema = json_schema()
    nulls = {key for key, told in keys_of(schema) if '"null"' in json.dumps(told)}
    assert nulls == {"window"}


def test_keys_are_spelled_as_in_the_file() -> None:
    schema = json_schema()
    assert "protocol" in schema["properties"]
    assert "from" in schema["$defs"]["CollectedEndpoint"]["properties"]


def test_an_unknown_key_is_refused_by_the_schema() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Arm"]["additionalProperties"] is False


def test_keys_of_any_name_hold_what_they_should() -> None:
    schema = json_schema()
    assert schema["$defs"]["Data"]["additionalProperties"] == {"$ref": "#/$defs/Records"}
    assert schema["$defs"]["Analyses"]["additionalProperties"] == {"$ref": "#/$defs/Analysis"}


def test_closed_lists_are_listed() -> None:
    schema = json_schema()
    assert "comparator" in json.dumps(schema["$defs"]["Analysis"]["properties"]["role"])


def test_the_schema_is_the_same_each_time_and_names_its_dialect() -> None:
    assert json_schema() == json_schema()
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
