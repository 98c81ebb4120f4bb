"""The file a protocol was read from."""

from dataclasses import dataclass
from pathlib import Path

from trialmlm.protocol.yaml_text import Node


@dataclass(frozen=True, slots=True)
class Source:
    """A protocol file.

    Attributes
    ----------
    path : Path
        Where it lay.
    sha256 : str
        Hash of its bytes.
    node : Node
        Its text as a tree, with the place of every part.
    """

    path: Path
    sha256: str
    node: Node
