"""The protocols that travel with the package and are named without a path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.errors import UsageError
from trialmlm.protocol.load import FILE_NAME
from trialmlm.protocol.names import did_you_mean

if TYPE_CHECKING:
    from os import PathLike

_PACKAGE = Path(__file__).parents[1]
#: in a wheel the protocols lie within the package, in a checkout beside it
_PLACES = (_PACKAGE / "shipped", _PACKAGE.parent / "protocols")


def names() -> tuple[str, ...]:
    """Names of the shipped protocols, sorted."""
    return tuple(sorted(file.parent.name for file in _home().glob(f"*/{FILE_NAME}")))


def find(named: str | PathLike[str]) -> Path:
    """Where the protocol is that a command names.

    Parameters
    ----------
    named : str or path
        A path, which is taken as it is; or the bare name of a shipped protocol, if no file or
        folder here has that name.

    Returns
    -------
    Path
        The protocol file, or its folder.

    Raises
    ------
    UsageError
        A bare name that is neither here nor shipped; says which are.
    """
    path = Path(named)
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path
    return shipped(path.name)


def shipped(name: str) -> Path:
    """The folder of a shipped protocol.

    Raises
    ------
    UsageError
        There is none of that name; says which there are.
    """
    known = names()
    if name not in known:
        msg = (
            f"there is no protocol {name!r}, neither here nor among those shipped "
            f"({', '.join(known) or 'none'}){did_you_mean(name, known)}"
        )
        raise UsageError(msg)
    return _home() / name


def _home() -> Path:
    return next((place for place in _PLACES if place.is_dir()), _PLACES[0])
