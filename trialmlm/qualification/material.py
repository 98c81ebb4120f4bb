"""The folder of cases, data and reference numbers, which travels with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pandas as pd

from trialmlm.errors import UsageError

_ROOM: Final = Path(__file__).parent
#: in a wheel the material lies within the package, in a checkout beside it
_PLACES: Final = (_ROOM / "material", _ROOM.parents[1] / "validation")
#: the list of the files that expected numbers stand on, as sha256sum writes it
SUMS: Final = "SHA256SUMS"
#: the folders that the list covers
LISTED: Final = ("cases", "data", "reference")
#: sources that are not part of a wheel
_LEFT_OUT: Final = {".py", ".pyc"}


class MaterialError(UsageError):
    """A file of the material that is missing, altered or cannot be read."""


@dataclass(frozen=True, slots=True)
class Material:
    """The cases, the data they run on and the numbers they expect.

    Attributes
    ----------
    folder : Path
        With the folders cases, data and reference.
    shipped : bool
        It is the material that travels with the package.
    """

    folder: Path
    shipped: bool = False

    def record(self, *parts: str) -> Any:
        """The content of a JSON file.

        Raises
        ------
        MaterialError
            It is missing, or no JSON.
        """
        name = "/".join(parts)
        try:
            return json.loads(self.content(*parts))
        except ValueError as error:
            msg = f"{name} is no JSON ({error}); install the package again"
            raise MaterialError(msg) from error

    def content(self, *parts: str) -> bytes:
        """The bytes of a file.

        Raises
        ------
        MaterialError
            It is missing or cannot be read.
        """
        path = self.folder.joinpath(*parts)
        try:
            return path.read_bytes()
        except OSError as error:
            name = "/".join(parts)
            msg = f"{name} cannot be read ({error.strerror}); install the package again"
            raise MaterialError(msg) from error

    def table(self, name: str) -> pd.DataFrame:
        """A data set, as it stands in its file.

        Raises
        ------
        MaterialError
            It is missing, or no CSV file.
        """
        self.content("data", name)
        try:
            return pd.read_csv(self.folder / "data" / name, float_precision="round_trip")
        except (ValueError, UnicodeDecodeError) as error:
            msg = f"data/{name} is no CSV file ({error}); install the package again"
            raise MaterialError(msg) from error

    def digest(self, *parts: str) -> str:
        """SHA-256 of a file."""
        return sha256(self.content(*parts)).hexdigest()

    def case_files(self) -> tuple[str, ...]:
        """Names of the files of cases, sorted."""
        return tuple(sorted(path.name for path in self.folder.glob("cases/*.cases.json")))

    def listed(self) -> dict[str, str]:
        """File -> SHA-256, by the list that travels with the material.

        Raises
        ------
        MaterialError
            The list is missing, or a line of it is none.
        """
        found: dict[str, str] = {}
        for line in self.content(SUMS).decode(errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            if len(digest) != 64 or not name:
                msg = f"{SUMS}: found {line!r}, expected a SHA-256, two spaces and a file name"
                raise MaterialError(msg)
            found[name] = digest
        return found

    def present(self) -> dict[str, str]:
        """File -> SHA-256, as the files are."""
        files = sorted(
            path
            for folder in LISTED
            for path in (self.folder / folder).glob("*")
            if path.is_file() and path.suffix not in _LEFT_OUT
        )
        names = [path.relative_to(self.folder).as_posix() for path in files]
        return {name: self.digest(*name.split("/")) for name in names}


def shipped_material() -> Material:
    """The material that travels with the package.

    Raises
    ------
    MaterialError
        There is none: the installation is not complete.
    """
    for place in _PLACES:
        if (place / "cases").is_dir():
            return Material(place, shipped=True)
    msg = f"the cases are not there (looked for {_PLACES[0]}); install the package again"
    raise MaterialError(msg)
