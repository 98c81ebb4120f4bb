"""CPU time of a call, repeated; and tables and files of what was measured."""

from __future__ import annotations

import gc
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def cpu_ms(call: Callable[[], object]) -> float:
    """CPU milliseconds of this process for one call."""
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


def measure(call: Callable[[], object], runs: int) -> dict[str, float]:
    """The first call by itself; median and minimum of `runs` more, each on a clean heap."""
    first = cpu_ms(call)
    times = []
    for _ in range(runs):
        gc.collect()
        times.append(cpu_ms(call))
    return {"first_ms": first, "median_ms": statistics.median(times), "min_ms": min(times)}


def print_table(rows: Iterable[Mapping[str, Any]]) -> None:
    """The rows as aligned text, numbers to three digits after the point at most."""
    found = [{key: _shown(value) for key, value in row.items()} for row in rows]
    names = list(found[0])
    widths = {name: max(len(name), *(len(row[name]) for row in found)) for name in names}
    for row in (dict(zip(names, names, strict=True)), *found):
        print("  ".join(row[name].rjust(widths[name]) for name in names))


def _shown(value: Any) -> str:
    return (
        f"{value:,.2f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def write_json(path: Path | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """The same rows at full precision, where a path is given."""
    if path is not None:
        path.write_text(json.dumps(list(rows), indent=1) + "\n", encoding="utf-8")
