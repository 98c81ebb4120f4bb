"""The validator's findings in the words of a protocol, each at its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from trialmlm.expressions.abbreviations import ASSUMPTIONS, in_full
from trialmlm.protocol.keys import allowed_keys
from trialmlm.protocol.names import did_you_mean
from trialmlm.protocol.noun import TOLD, WHICH, Location, kind_of
from trialmlm.protocol.yaml_text import Fault, Node

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_NUMBERS: Final = ("int_type", "int_from_float", "float_type")


def faults_of(refused: ValidationError, root: Node, already: Sequence[Fault]) -> Iterator[Fault]:
    """Give every finding our words and its place.

    Parameters
    ----------
    refused : ValidationError
        What the validator found.
    root : Node
        The file.
    already : sequence of Fault
        What is known to be wrong with the file's text: a part left out for it is not missing.
    """
    known = {fault.path for fault in already}
    for error in refused.errors(include_url=False):
        path = path_of(error["loc"])
        if error["type"] == "missing" and path in known:
            continue
        at_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
        place = root.key_place_of(path) if at_key else root.place_of(path)
        yield Fault(place, path, _message(error, None if at_key else root.find(path)))


def path_of(location: Location) -> Location:
    """Return the place of a finding in the file, without the validator's own steps."""
    return tuple(step for step in location if not _is_own(step))


def _is_own(step: str | int) -> bool:
    return isinstance(step, str) and (step == "[key]" or (step[:1] == "<" and step[-1:] == ">"))


def _message(error: ErrorDetails, node: Node | None) -> str:
    say = _MESSAGES.get(error["type"])
    return say(error, node) if say else f"found {_found(error, node)}: {error['msg']}"


def _found(error: ErrorDetails, node: Node | None) -> str:
    """Show the value as the file writes it, with its kind."""
    value = node.value if node else error["input"]
    if isinstance(value, str):
        return f"{value!r}"
    written = node.text if node and node.text else ""
    return f"{written} ({kind_of(value)})" if written else kind_of(value)


def _told(error: ErrorDetails, node: Node | None) -> str:
    return error["msg"]


def _which(error: ErrorDetails, node: Node | None) -> str:
    value = error["input"]
    if not isinstance(value, Mapping):
        return f"found {_found(error, node)}, {error['msg']}"
    choices = error["msg"].rpartition("keys ")[2].split(", ")
    strange = [key for key in value if key not in choices]
    near = next(filter(None, (did_you_mean(key, choices) for key in strange)), "")
    hint = near if len(strange) == len(value) else ""
    return f"found {_keys(value)}, {error['msg']}{hint}"


def _keys(held: Mapping[str, Any]) -> str:
    return f"the keys {', '.join(held)}" if held else "no keys"


def _unknown(error: ErrorDetails, node: Node | None) -> str:
    key = str(error["loc"][-1])
    allowed = allowed_keys(error["loc"][:-1])
    return f"unknown key {key!r}{did_you_mean(key, allowed)} (allowed: {', '.join(allowed)})"


def _missing(error: ErrorDetails, node: Node | None) -> str:
    return f"missing key {error['loc'][-1]}"


def _text(error: ErrorDetails, node: Node | None) -> str:
    hint = "" if isinstance(error["input"], list | Mapping) else ": write it in quotes"
    return f"found {_found(error, node)}, expected text{hint}"


def _number(error: ErrorDetails, node: Node | None) -> str:
    whole = "a whole number" if error["type"].startswith("int") else "a number"
    hint = ": leave out the quotes" if _reads_as_number(error["input"]) else ""
    return f"found {_found(error, node)}, expected {whole}{hint}"


def _reads_as_number(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdecimal()


def _choice(error: ErrorDetails, node: Node | None) -> str:
    listed = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
    choices = listed.split(", ")
    near = _near(error["input"], choices) if isinstance(error["input"], str) else ""
    one = "one of " if len(choices) > 1 else ""
    return f"found {_found(error, node)}, expected {one}{listed}{near}"


def _near(word: str, choices: Sequence[str]) -> str:
    """The choice that is meant, if one is: written short, or misspelt."""
    full = ASSUMPTIONS.get(word.strip().upper())
    return in_full(word) if full in choices else did_you_mean(word, choices)


def _mapping(error: ErrorDetails, node: Node | None) -> str:
    keys = allowed_keys(error["loc"])
    named = f" among {', '.join(keys)}" if keys else ""
    return f"found {_found(error, node)}, expected keys{named}, each with its value"


def _length(error: ErrorDetails, node: Node | None) -> str:
    context = error["ctx"]
    few = error["type"] == "too_short"
    bound = f"at least {context['min_length']}" if few else f"at most {context['max_length']}"
    return f"found a list of {context['actual_length']}, expected {bound}"


def _expected(words: str) -> Callable[[ErrorDetails, Node | None], str]:
    """Return a message that says what was found and that `words` were expected."""

    def say(error: ErrorDetails, node: Node | None) -> str:
        limits = {name: f"{limit:g}" for name, limit in error.get("ctx", {}).items()}
        return f"found {_found(error, node)}, expected {words.format(**limits)}"

    return say


_MESSAGES: Final[Mapping[str, Callable[[ErrorDetails, Node | None], str]]] = {
    TOLD: _told,
    WHICH: _which,
    "extra_forbidden": _unknown,
    "missing": _missing,
    "string_type": _text,
    **dict.fromkeys(_NUMBERS, _number),
    "bool_type": _expected("true or false"),
    "literal_error": _choice,
    **dict.fromkeys(("model_type", "dict_type", "mapping_type", "model_attributes_type"), _mapping),
    **dict.fromkeys(("tuple_type", "list_type"), _expected("a list")),
    "too_short": _length,
    "too_long": _length,
    "finite_number": _expected("a number that is finite"),
    "greater_than": _expected("a number above {gt}"),
    "greater_than_equal": _expected("a number of {ge} or more"),
    "less_than": _expected("a number below {lt}"),
    "less_than_equal": _expected("a number of {le} or less"),
}
