"""Who may know whom: the rooms of the package and the walls between them.

The walls hold for imports that only type checkers see as well: a room that names another's types
knows it. Cycles are counted among the imports that are carried out.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from source_tree import PACKAGE, Import, imports, modules, room

#: modules at the top that every room may use; they use nothing of the package but errors
SHARED = {"errors", "arrays", "_version", "deferred", "files"}
NUMERICS = {"formula", "covariance", "engine", "inference"}
#: room -> the rooms it may know, beside what is shared
MAY_KNOW: dict[str, set[str]] = {
    "expressions": set(),
    "adam": {"expressions"},
    "protocol": {"expressions"},
    "programs": {"expressions"},
    "results": set(),
    "covariance": set(),
    "formula": {"expressions", "engine"},
    "engine": {"covariance"},
    "inference": {"engine", "covariance"},
    "models": {"expressions", "programs", *NUMERICS},
    "missing": {"models", "expressions", *NUMERICS},
    "time_to_event": {"models", "expressions", *NUMERICS},
    "simulate": {"protocol", "adam"},
    "qualification": {"models", "missing", "results"},
    "tables": {"results"},
    "figures": {"results"},
    "listings": {"results"},
    "cli": {"batch"},
    "__main__": {"cli"},
    "deferred": set(),
    "files": set(),
    "errors": set(),
    "arrays": set(),
    "_version": set(),
}
#: what formula makes for the engine: records of arrays, and nothing that computes
FOR_THE_ENGINE = {"trialmlm.engine.design", "trialmlm.engine.basis"}
#: third-party library -> the only rooms that import it
LIBRARIES = {
    "patsy": {"formula"},
    "pydantic": {"protocol"},
    "ruamel": {"protocol"},
    "lifelines": {"time_to_event"},
    "matplotlib": {"figures"},
    "openpyxl": {"tables"},
    "pyreadstat": {"adam"},
}
#: rooms that see arrays only
ARRAYS_ONLY = {"covariance", "engine", "inference"}
#: modules that load others by name: what keeps the package light before it is used
LOADERS = {"trialmlm", "trialmlm.cli", "trialmlm.deferred"}


def _own() -> tuple[Import, ...]:
    return tuple(found for found in imports() if found.imported.split(".")[0] == PACKAGE)


def _foreign() -> tuple[Import, ...]:
    return tuple(found for found in imports() if found.imported.split(".")[0] != PACKAGE)


def test_every_room_is_one_of_the_house() -> None:
    rooms = {room(module.name) for module in modules()} - {PACKAGE, "batch"}
    assert rooms - MAY_KNOW.keys() == set()


@pytest.mark.parametrize("name", sorted(MAY_KNOW))
def test_a_room_knows_only_whom_it_may(name: str) -> None:
    known = MAY_KNOW[name] | {name} | (SHARED if name not in {"errors", "arrays"} else set())
    strange = [
        str(found)
        for found in _own()
        if room(found.importer) == name and room(found.imported) not in known
    ]
    assert strange == []


def test_nobody_knows_the_command_line_or_the_batch_but_those_above() -> None:
    above = {"batch": {"batch", "cli", PACKAGE}, "cli": {"cli", "__main__"}}
    strange = [
        str(found)
        for found in _own()
        if room(found.imported) in above and room(found.importer) not in above[room(found.imported)]
    ]
    assert strange == []


def test_formula_gives_the_engine_its_arrays_and_asks_nothing_of_it() -> None:
    known = {
        found.imported
        for found in _own()
        if room(found.importer) == "formula" and room(found.imported) == "engine"
    }
    assert known <= FOR_THE_ENGINE


def test_the_package_itself_names_others_for_type_checkers_only() -> None:
    carried_out = [
        found.imported for found in _own() if found.importer == PACKAGE and not found.types_only
    ]
    assert carried_out == ["trialmlm._version"]


def test_no_module_imports_itself_through_others() -> None:
    graph: dict[str, set[str]] = {module.name: set() for module in modules()}
    for found in _own():
        if not found.types_only:
            graph[found.importer].add(found.imported)
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a cycle: {' -> '.join(error.args[1])}")
    assert set(order) >= set(graph)


def test_no_import_hides_in_a_function() -> None:
    assert [str(found) for found in imports() if found.inside_function] == []


def test_modules_are_loaded_by_name_in_the_loaders_only() -> None:
    callers = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"import_module", "importlib.import_module", "__import__"}
    }
    assert callers <= LOADERS


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_library_is_imported_by_its_room_only(library: str) -> None:
    users = {room(f.importer) for f in _foreign() if f.imported.split(".")[0] == library}
    assert users <= LIBRARIES[library]


def test_rooms_of_arrays_import_numpy_and_scipy_only() -> None:
    standard = {"__future__", "collections", "dataclasses", "enum", "functools", "itertools",
                "math", "typing", "abc"}  # fmt: skip
    strange = [
        str(found)
        for found in _foreign()
        if room(found.importer) in ARRAYS_ONLY
        and found.imported.split(".")[0] not in {"numpy", "scipy"} | standard
    ]
    assert strange == []


def test_no_module_runs_text_as_python() -> None:
    runners = {"eval", "exec", "compile"}
    found = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        and node.func.id in runners
    ]  # fmt: skip
    assert found == []
