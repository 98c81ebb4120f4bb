"""Files appear under their name only when they are complete."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from trialmlm.errors import UsageError


def prepare_folder(folder: Path) -> None:
    """Make the output folder, and see that files can be written to it.

    Raises
    ------
    UsageError
        If it is a file, cannot be made, or cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        msg = f"the output folder {folder} is a file; name a folder, or remove the file"
        raise UsageError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        msg = (
            f"the output folder {folder} cannot be written to ({error.strerror or error}); "
            "name another with --out, or change its permissions"
        )
        raise UsageError(msg) from error


def write_file(path: Path, content: bytes) -> str:
    """Write a file whole or not at all.

    Returns
    -------
    str
        SHA-256 of the content.

    Raises
    ------
    UsageError
        If it cannot be written, as on a full disk.
    """
    try:
        _replace(path, content)
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror or error}); make room, or name another "
        raise UsageError(f"{msg}folder") from error
    return sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file, then put it in its place; what goes wrong leaves no trace."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
