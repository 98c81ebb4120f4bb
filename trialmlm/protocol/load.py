"""A protocol file, read and validated: every fault of the file at once, each at its place."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from trialmlm.errors import Problem, ProtocolError, UsageError
from trialmlm.protocol.coherence import incoherences
from trialmlm.protocol.messages import faults_of
from trialmlm.protocol.names import Names
from trialmlm.protocol.noun import Location, shown
from trialmlm.protocol.schema import FORMAT_VERSION, Protocol
from trialmlm.protocol.source import Source
from trialmlm.protocol.yaml_text import Fault, Node, Place, node_of, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

#: the file a folder of a protocol holds
FILE_NAME: Final = "protocol.yaml"
LARGEST_BYTES: Final = 1_000_000
_EMPTY: Final = "the file is empty, expected a protocol that begins with `trialmlm: 1`"


def load_protocol(path: str | PathLike[str]) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    path : str or path
        The file, or a folder that holds ``protocol.yaml``.

    Returns
    -------
    Protocol
        With the file's path, hash and lines.

    Raises
    ------
    UsageError
        There is no such file, or it cannot be opened.
    ProtocolError
        The file does not validate; carries every fault found in it, in file order.
    """
    file = _file(Path(path))
    content = _content(file)
    text = _decoded(file, content)
    node, faults = read_yaml(text)
    if node is None:
        raise _refused(file, faults or [Fault(Place(1, 1), (), _EMPTY)])
    protocol = _validated(file, node, faults)
    return protocol.read_from(Source(file, sha256(content).hexdigest(), node))


def protocol_from(data: Mapping[str, Any]) -> Protocol:
    """Return the protocol that plain data state, as a program may make them.

    Parameters
    ----------
    data : mapping
        What a protocol file holds, as dicts, lists, texts, numbers and dates.

    Raises
    ------
    ProtocolError
        The data are no protocol; carries every fault found, without lines.
    """
    return _validated(Path("(data)"), node_of(data), [])


def _validated(file: Path, node: Node, faults: Sequence[Fault]) -> Protocol:
    """Validate the tree; what is wrong with it is raised together with `faults` of the text."""
    version = node.find(("trialmlm",))
    if version is not None and not _is_ours(version.value):
        # the keys of another format mean nothing here: its number is the only fault to tell
        raise _refused(file, [_other_version(version)])
    try:
        protocol = Protocol.model_validate(node.value, context=Names.of(node.value))
    except ValidationError as refused:
        raise _refused(file, [*faults, *faults_of(refused, node, faults)]) from None
    astray = [Fault(node.place_of(path), path, told) for path, told in incoherences(protocol)]
    if faults or astray:
        raise _refused(file, [*faults, *astray])
    return protocol


def _is_ours(version: Any) -> bool:
    return type(version) is int and version == FORMAT_VERSION


def _other_version(version: Node) -> Fault:
    told = (
        f"found {shown(version.value)}, expected {FORMAT_VERSION}, "
        "the version of the file format that this trialmlm reads"
    )
    return Fault(version.place, ("trialmlm",), told)


def _file(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if file.is_dir():
        raise UsageError(f"{file} is a folder, expected a protocol file")
    if not file.exists():
        near = f" (the folder {path} holds none)" if path.is_dir() else ""
        raise UsageError(f"there is no protocol file {file}{near}")
    return file


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as refused:
        raise UsageError(f"{file} cannot be read: {refused.strerror}") from None
    if len(content) > LARGEST_BYTES:
        told = f"the file is larger than {LARGEST_BYTES:,} bytes, which no protocol is"
        raise _refused(file, [Fault(Place(1, 1), (), told)])
    return content


def _decoded(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as refused:
        before = content[: refused.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        told = (
            f"found the byte {content[refused.start]:#04x}, expected UTF-8: save the file as UTF-8"
        )
        place = Place(before.count(b"\n") + 1, column)
        raise _refused(file, [Fault(place, (), told)]) from None


def _refused(file: Path, faults: Sequence[Fault]) -> ProtocolError:
    # sorted by place, so that one fault found twice is told once
    told = {(fault.place, dotted(fault.path), fault.message) for fault in faults}
    return ProtocolError(
        [
            Problem(str(file), place.line, place.column, path, message)
            for place, path, message in sorted(told)
        ]
    )


def dotted(path: Location) -> str:
    """Write a path as messages show it: ``schedule.visits[1].window``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
