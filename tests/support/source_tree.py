"""The package's source as syntax trees: what each module imports, defines and is called."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "trialmlm"
ROOT = Path(__file__).parents[2] / PACKAGE
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """A module that another one names in an import."""

    importer: str
    imported: str
    line: int
    types_only: bool
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@dataclass(frozen=True)
class Module:
    """A source file."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_module(path) for path in sorted(ROOT.rglob("*.py")))


@cache
def imports() -> tuple[Import, ...]:
    """Every import of the package's modules, as the module that is loaded by it."""
    return tuple(found for module in modules() for found in _imports(module))


def functions(module: Module) -> Iterator[Function]:
    """Every function of a module, nested ones included."""
    yield from (node for node in ast.walk(module.tree) if isinstance(node, Function))


def room(name: str) -> str:
    """The room a module is in; a module at the top is its own room."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else PACKAGE


def _module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    named = parts[:-1] if parts[-1] == "__init__" else parts
    return Module(".".join(named), path, text, ast.parse(text))


def _imports(module: Module) -> Iterator[Import]:
    for node, types_only, inside in _walk(module.tree, types_only=False, inside=False):
        for name in _named(node):
            yield Import(module.name, name, node.lineno, types_only, inside)


def _walk(
    node: ast.AST, *, types_only: bool, inside: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Import statements, whether only type checkers see them, and whether a function holds them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, types_only, inside
        checked = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        within = isinstance(child, Function | ast.Lambda)
        yield from _walk(child, types_only=types_only or checked, inside=inside or within)


def _named(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, f"a relative import in line {node.lineno}"
    for alias in node.names:
        whole = f"{node.module}.{alias.name}"
        yield whole if _is_module(whole) else f"{node.module}"


def _is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
