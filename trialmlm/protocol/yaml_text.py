"""YAML text as plain values that know where they stand.

Read from the parser's events, one after the other: nothing is constructed that the file names, and
nothing is repeated, so a file can neither run anything nor grow. Scalars are those of YAML 1.2:
``NO`` is text, ``08`` a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from trialmlm.protocol.noun import Location, kind_of

_DEEPEST: Final = 32
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: what the parser says, and what we say instead
_REWORDED: Final[Mapping[str, str]] = {
    "found character '\\t'": "found a tab, expected spaces: YAML is indented by spaces",
    "mapping values are not allowed": "found a colon where none can stand: write the text in "
    "quotes, or check the indentation of this line",
    "expected <block end>": "found a line that is indented unlike those around it",
    "could not find expected ':'": "found a line without a colon, expected `key: value`",
    "found unexpected end of stream": "found the end of the file inside quotes or brackets",
    "expected ',' or": "found a list or mapping in brackets that is not closed, or lacks a comma",
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file, from line 1 and column 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text, where, and in which part."""

    place: Place
    path: Location
    message: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file.

    Attributes
    ----------
    value : object
        As plain data: dict, list, str, int, float, bool, date or None.
    place : Place
        Where it begins.
    text : str
        A scalar as it is written, without its quotes.
    parts : mapping
        The nodes below it, by key or index.
    keys : mapping
        Where each key stands.
    """

    value: Any
    place: Place
    text: str = ""
    parts: Mapping[str | int, Node] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)

    def find(self, path: Location) -> Node | None:
        """Return the node at `path`; None: there is none."""
        node: Node | None = self
        for step in path:
            node = node.parts.get(step) if node else None
        return node

    def place_of(self, path: Location) -> Place:
        """Return where a part stands: a value where it begins, a mapping at its key.

        Where `path` leads to nothing, the deepest part on the way to it counts.
        """
        on_the_way = [path[:depth] for depth in range(len(path), 0, -1)]
        found = next((part for part in on_the_way if self.find(part)), ())
        node = self.find(found)
        if node is None or isinstance(node.value, Mapping):
            return self.key_place_of(found)
        return node.place

    def key_place_of(self, path: Location) -> Place:
        """Return where the key of a part stands, or the part itself where it has no key."""
        above = self.find(path[:-1]) or self
        node = self.find(path) or above
        return above.keys.get(str(path[-1]), node.place) if path else node.place


def node_of(value: Any) -> Node:
    """Return plain data as a tree that stands nowhere: every place is line 0."""
    nowhere = Place(0, 0)
    if isinstance(value, Mapping):
        below = {key: node_of(part) for key, part in value.items()}
        return Node(value, nowhere, parts=below, keys=dict.fromkeys(below, nowhere))
    if isinstance(value, list | tuple):
        return Node(value, nowhere, parts=dict(enumerate(map(node_of, value))))
    return Node(value, nowhere, "" if value is None else str(value))


class _UnreadableError(Exception):
    """The text cannot be read further; the last fault says why."""


def read_yaml(text: str) -> tuple[Node | None, list[Fault]]:
    """Read one YAML document.

    Returns
    -------
    tuple of Node and list of Fault
        The tree (None where nothing could be made of the text), and what is wrong with it.
        Parts that are at fault are left out of the tree.
    """
    reader = _Reader(YAML(typ="safe", pure=True).parse(text))
    try:
        return reader.document(), reader.faults
    except _UnreadableError:
        pass
    except MarkedYAMLError as refused:
        mark = refused.problem_mark or refused.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        reader.faults.append(Fault(place, (), _reworded(refused)))
    except ReaderError as refused:
        before = text[: refused.position]
        place = Place(before.count("\n") + 1, refused.position - before.rfind("\n"))
        told = f"found the character {refused.character!r}, which no text may hold: delete it"
        reader.faults.append(Fault(place, (), told))
    except YAMLError as refused:
        told = " ".join(str(refused).split())
        reader.faults.append(Fault(Place(1, 1), (), f"the file is not YAML: {told}"))
    except (ValueError, OverflowError, NotImplementedError):
        told = "the file is not YAML: found an escape or a directive that means nothing"
        reader.faults.append(Fault(Place(1, 1), (), told))
    return None, reader.faults


def _reworded(refused: MarkedYAMLError) -> str:
    told = " ".join(filter(None, (refused.context, refused.problem)))
    ours = (better for theirs, better in _REWORDED.items() if theirs in told)
    return next(ours, f"the file is not YAML: {told}")


def _scalar(text: str) -> Any:
    """Return what a scalar without quotes is, by YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:  # no day of the calendar: the date's validator says so
            return text
    return text


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


class _Reader:
    """Turns events into nodes, and notes what a protocol may not hold."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.faults: list[Fault] = []

    def document(self) -> Node | None:
        """Read the only document; None: the text holds none."""
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._check_start(event, documents)
                root = self._node(next(self._events), ())
        return root

    def _check_start(self, event: DocumentStartEvent, documents: int) -> None:
        if event.version or event.tags:
            self._halt(event, (), "found a YAML directive (%): leave it out")
        if documents > 1:
            self._halt(event, (), "found a second document (---): a protocol is one")

    def _node(self, event: Event, path: Location) -> Node:
        if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
            self._halt(event, path, "found an alias (*): write the part out, or use like: or of:")
        if event.tag is not None:
            told = f"found the tag {event.tag}: a protocol holds plain values, leave it out"
            self._halt(event, path, told)
        if len(path) > _DEEPEST:
            self._halt(event, path[:1], f"found more than {_DEEPEST} levels, one inside the other")
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, path)
        return _leaf(event)

    def _sequence(self, start: Event, path: Location) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return Node([item.value for item in items], _place(start), parts=dict(enumerate(items)))

    def _mapping(self, start: Event, path: Location) -> Node:
        parts: dict[str | int, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, path)
            below = self._node(next(self._events), (*path, key or "?"))
            if key is None:
                continue
            if key in keys:
                told = f"found the key {key} twice, first in line {keys[key].line}: keep one"
                self._note(_place(event), (*path, key), told)
                continue
            keys[key] = _place(event)
            if below.value is None:
                told = "found nothing, expected a value: write one, or leave the key out"
                self._note(_place(event), (*path, key), told)
                continue
            parts[key] = below
        value = {key: below.value for key, below in parts.items()}
        return Node(value, _place(start), parts=parts, keys=keys)

    def _key(self, event: Event, path: Location) -> str | None:
        node = self._node(event, (*path, "?"))
        if isinstance(node.value, str):
            return node.value
        kind = kind_of(node.value)
        found = f"{node.text} ({kind})" if node.text else kind
        told = f"found {found} as a key, expected text: write it in quotes"
        self._note(node.place, path, told)
        return None

    def _note(self, place: Place, path: Location, message: str) -> None:
        self.faults.append(Fault(place, path, message))

    def _halt(self, event: Event, path: Location, message: str) -> NoReturn:
        self._note(_place(event), path, message)
        raise _UnreadableError


def _leaf(event: ScalarEvent) -> Node:
    text = _whole(event.value)
    return Node(text if event.style else _scalar(text), _place(event), text)


def _whole(text: str) -> str:
    """A text whose escapes name halves of characters (JSON's way): whole ones, a lone half as �."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
