"""Which keys a part of a protocol may hold, read off the types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import Tag

from trialmlm.protocol.noun import Location, Noun
from trialmlm.protocol.schema import Protocol


def allowed_keys(location: Location) -> tuple[str, ...]:
    """Return the keys of the noun at a place, as the file spells them; no noun there: none.

    Parameters
    ----------
    location : tuple
        A place as the validator names it, with the tags of unions: ``("endpoints", "x", "<of>")``.
    """
    at: Any = Protocol
    for step in location:
        at = _below(at, step)
    nouns = [kind for _, kind in _members(at) if _is_noun(kind)]
    return _spelled(nouns[0]) if len(nouns) == 1 else ()


def _spelled(noun: type[Noun]) -> tuple[str, ...]:
    return tuple(info.alias or name for name, info in noun.model_fields.items())


def _is_noun(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Noun)


def _members(kind: Any, tag: str = "") -> Iterator[tuple[str, Any]]:
    """Take unions and annotations apart: each type with its tag."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        tags = [note.tag for note in arguments[1:] if isinstance(note, Tag)]
        yield from _members(arguments[0], tags[0] if tags else tag)
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _members(argument, tag)
    else:
        yield tag, kind


def _below(kind: Any, step: str | int) -> Any:
    """Return the type one step further; None: the types know no such step."""
    for tag, member in _members(kind):
        if tag and tag == step:
            return member
        below = _held(member, step)
        if below is not None:
            return below
    return None


def _held(member: Any, step: str | int) -> Any:
    if _is_noun(member):
        named = {info.alias or name: info.annotation for name, info in member.model_fields.items()}
        return named.get(str(step), _extra(member))
    origin, arguments = get_origin(member), get_args(member)
    if origin is tuple and isinstance(step, int):
        return arguments[0]
    if origin is Mapping and isinstance(step, str):
        return arguments[1]
    return None


def _extra(noun: type[Noun]) -> Any:
    """Return the type of what stands under keys of any name; None: there are none."""
    if noun.model_config.get("extra") != "allow":
        return None
    return get_args(get_type_hints(noun, include_extras=True)["__pydantic_extra__"])[1]
