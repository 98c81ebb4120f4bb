"""The packages that this one stands on: their versions, and the ranges it is made for."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Release = tuple[int, ...]

_PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"
_STATED: Final = re.compile(r"^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(;.*)?$")
#: extras that are not for use
_TOOLS: Final = re.compile(r"""extra\s*==\s*["'](test|dev|benchmarks)["']""")
_BOUND: Final = re.compile(r"^(>=|<=|==|!=|>|<|~=)\s*([0-9][0-9A-Za-z.]*)$")

_BOUNDS: Final[Mapping[str, Callable[[Release, Release], bool]]] = {
    ">=": lambda have, bound: have >= bound,
    "<=": lambda have, bound: have <= bound,
    "==": lambda have, bound: have == bound,
    "!=": lambda have, bound: have != bound,
    ">": lambda have, bound: have > bound,
    "<": lambda have, bound: have < bound,
    "~=": lambda have, bound: have >= bound and have[: len(bound) - 1] == bound[:-1],
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """A package that this one needs.

    Attributes
    ----------
    name : str
    bounds : str
        The versions it is made for.
    found : str
        The version installed; empty if it is not.
    optional : bool
        Belongs to an extra.
    """

    name: str
    bounds: str
    found: str
    optional: bool

    @property
    def satisfied(self) -> bool:
        """Installed in a version within the bounds; or optional, and not installed."""
        if not self.found:
            return self.optional
        return within(self.found, self.bounds)


def dependencies(package: str = "trialmlm") -> tuple[Dependency, ...]:
    """The packages needed, and those that extras of use need; tools of development are left out."""
    found: dict[str, Dependency] = {}
    for line in _requirements(package):
        stated = _STATED.match(line)
        condition = stated[3] or "" if stated else ""
        if stated is None or _TOOLS.search(condition):
            continue
        name = stated[1]
        one = Dependency(name, stated[2].strip(" ()"), _installed(name), "extra" in condition)
        found.setdefault(name.lower(), one)
    return tuple(found[name] for name in sorted(found))


def within(found: str, bounds: str) -> bool:
    """Whether a version is within bounds as ``>=2.2,<4``; one not understood does not hold."""
    have = _release(found)
    for text in filter(None, (part.strip() for part in bounds.split(","))):
        bound = _BOUND.match(text)
        if bound is None:
            return False
        limit = _release(bound[2])
        width = max(len(have), len(limit))
        padded = have + (0,) * (width - len(have))
        own = limit if bound[1] == "~=" else limit + (0,) * (width - len(limit))
        if not _BOUNDS[bound[1]](padded, own):
            return False
    return True


def python_bounds(package: str = "trialmlm") -> str:
    """The versions of Python that the package is made for; empty if nothing says so."""
    project = _project()
    if project:
        return str(project.get("requires-python", ""))
    return _metadata_python(package)


def _metadata_python(package: str) -> str:
    try:
        return metadata(package)["Requires-Python"] or ""
    except (PackageNotFoundError, KeyError):
        return ""


def _requirements(package: str) -> list[str]:
    """Of the source tree, if this is one; else of what is installed."""
    project = _project()
    if project:
        extras = project.get("optional-dependencies", {})
        marked = [f'{one}; extra == "{name}"' for name, group in extras.items() for one in group]
        return [*project.get("dependencies", []), *marked]
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []


def _project() -> dict[str, Any]:
    """The project table of the source tree that this is; empty if it is none."""
    if not _PROJECT.is_file():
        return {}
    table = tomllib.loads(_PROJECT.read_text(encoding="utf-8")).get("project", {})
    return dict(table) if table.get("name") == "trialmlm" else {}


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _release(text: str) -> Release:
    """The leading numbers of a version: 2.3.0rc1 counts as 2.3.0."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+]", text)[0]))
