"""A fit as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


def report(facts: Mapping[str, str], notes: Sequence[str], **tables: pd.DataFrame) -> str:
    """Facts in two columns, then notes, then each table under its name."""
    width = max(map(len, facts)) + 2
    lines = [f"{name + ':':<{width}}{value}" for name, value in facts.items()]
    lines += [f"{'Note:':<{width}}{note}" for note in notes]
    for name, table in tables.items():
        indexed = table.set_index("term") if "term" in table.columns else table
        body = indexed.rename_axis(None).to_string(float_format=lambda x: f"{x:.5g}")
        lines += ["", f"{name}:", body]
    return "\n".join(lines)
