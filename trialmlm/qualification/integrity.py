"""The files of the package against the list that the build made.

A wheel carries the SHA-256 of every file in its RECORD, which the build makes from the files
themselves and pip leaves beside the installed package: a list that cannot be out of date, and that
nobody has to keep. A development installation has no such list; what git says of it is reported.
"""

from __future__ import annotations

import shutil
import subprocess
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]
_NAME: Final = PACKAGE.name
#: names shown of each kind of difference; the JSON file has them all
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is known of the package's files.

    Attributes
    ----------
    kind : str
        ``installed`` from a wheel, or ``development``.
    files : mapping of str to str
        File -> SHA-256, as they are.
    altered, missing, unexpected : tuple of str
        Against the list of the wheel; empty for a development installation.
    state : str
        In words.
    """

    kind: str
    files: dict[str, str]
    altered: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    state: str

    @property
    def intact(self) -> bool:
        """Nothing altered, missing or unexpected."""
        return not (self.altered or self.missing or self.unexpected)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all files' names and SHA-256: the same files have the same."""
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return sha256(text.encode()).hexdigest()


def installed_distribution() -> Distribution | None:
    """The installed distribution of the package, if there is one."""
    try:
        return distribution(_NAME)
    except PackageNotFoundError:
        return None


def check_files(package: Path = PACKAGE, installed: Distribution | None = None) -> Integrity:
    """Compare the files of a package with the list that was installed with them.

    Parameters
    ----------
    package : Path
        The folder of the package that runs.
    installed : Distribution, optional
        What is installed under its name. If it is not this folder, as in a development
        installation, there is no list.
    """
    files = present(package)
    listed = _listed(package, installed)
    if listed is None:
        return Integrity("development", files, (), (), (), git_state(package.parent))
    encoded = {name: _as_recorded(digest) for name, digest in files.items()}
    altered = tuple(n for n in sorted(listed.keys() & files.keys()) if listed[n] != encoded[n])
    missing = tuple(sorted(listed.keys() - files.keys()))
    unexpected = tuple(sorted(files.keys() - listed.keys()))
    state = f"{len(listed)} files as listed"
    kinds = {"altered": altered, "missing": missing, "not in the list": unexpected}
    faults = [f"{kind}: {_some(names)}" for kind, names in kinds.items() if names]
    return Integrity("installed", files, altered, missing, unexpected, "; ".join(faults) or state)


def present(package: Path) -> dict[str, str]:
    """File -> SHA-256 of every file of a package; what Python compiled is not counted."""
    return {
        path.relative_to(package.parent).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def git_state(root: Path) -> str:
    """Commit and uncommitted changes of a source tree, in words."""
    top, commit = _git(root, "rev-parse", "--show-toplevel"), _git(root, "rev-parse", "HEAD")
    # a tree that lies within another repository is none of its commits
    if top is None or commit is None or Path(top).resolve() != root.resolve():
        return (
            "no list of a build, as in a development installation, and not under git: "
            "nothing is known of its files"
        )
    changed = _git(root, "status", "--porcelain", "--", _NAME, "validation") or ""
    count = len(changed.splitlines())
    dirty = f"{count} file{'s' if count > 1 else ''} with uncommitted changes"
    state = dirty if count else "no uncommitted changes"
    return f"development installation, commit {commit}, {state}"


def _git(root: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "-C", str(root), *arguments]
    try:
        found = subprocess.run(  # noqa: S603 - git, with arguments that are our own
            command, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def _listed(package: Path, installed: Distribution | None) -> dict[str, str] | None:
    """File -> its recorded hash; None if what is installed is not this package."""
    if installed is None or installed.files is None:
        return None
    ours = {
        str(file): file.hash.value
        for file in installed.files
        if file.parts[0] == _NAME and file.hash is not None and file.hash.mode == "sha256"
    }
    marker = f"{_NAME}/__init__.py"
    if marker not in ours:
        return None
    place = Path(str(installed.locate_file(marker))).resolve()
    return ours if place == (package / "__init__.py").resolve() else None


def _as_recorded(digest: str) -> str:
    """SHA-256 as RECORD writes it: URL-safe base64 without padding."""
    return urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
