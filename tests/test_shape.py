"""The shape of the source: short files, short functions, annotated and documented."""

from __future__ import annotations

import ast
from statistics import median, quantiles
from typing import TYPE_CHECKING

from source_tree import Function, Module, functions, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_FILE, MOST_FILES, TYPICAL_FILE = 600, 400, 150
LONGEST_FUNCTION, TYPICAL_FUNCTION = 80, 8


def test_files_are_one_noun_long() -> None:
    sizes = {module.name: module.lines for module in modules()}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}
    assert quantiles(sizes.values(), n=10)[-1] <= MOST_FILES
    assert median(sizes.values()) <= TYPICAL_FILE


def test_functions_fit_half_a_screen() -> None:
    sizes = {
        f"{module.name}.{function.name}:{function.lineno}": _lines(function)
        for module in modules()
        for function in functions(module)
    }
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert median(sizes.values()) <= TYPICAL_FUNCTION


def test_every_function_is_annotated() -> None:
    bare = [
        f"{module.name}.{function.name}: {what}"
        for module in modules()
        for function in functions(module)
        for what in _unannotated(function)
    ]
    assert bare == []


def test_everything_public_has_a_docstring() -> None:
    silent = [
        f"{module.name}{name}"
        for module in modules()
        for name, node in (("", module.tree), *_public(module))
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def _lines(function: Function) -> int:
    """Lines of code: the signature and the body, without the docstring."""
    body = function.body
    doc = body[0] if ast.get_docstring(function) is not None else None
    held = doc.end_lineno - doc.lineno + 1 if doc is not None and doc.end_lineno else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - held


def _unannotated(function: Function) -> Iterator[str]:
    given = function.args
    positional = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    more = [arg for arg in (given.vararg, given.kwarg) if arg is not None]
    for arg in (*positional, *more):
        if arg.annotation is None and arg.arg not in {"self", "cls"}:
            yield arg.arg
    if function.returns is None:
        yield "return"


def _public(module: Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public classes and functions of the module, and the public methods of the classes."""
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield f".{node.name}", node
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, Function) and not method.name.startswith("_"):
                        yield f".{node.name}.{method.name}", method
