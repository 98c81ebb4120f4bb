"""The performance of methods as a page, a table and a record."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from io import StringIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialmlm.batch.performance import LEVEL, Performance, Simulated
from trialmlm.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.batch.power import Tried

NAME = "methods_compared"
#: column of the page -> the measure, and its decimals beyond those of the endpoint
_MEASURES = {
    "Truth": ("truth", 1),
    "Mean": ("mean", 1),
    "Bias": ("bias", 1),
    "SD": ("sd", 1),
    "Mean SE": ("mean_se", 1),
    "SE/SD": ("se_ratio", None),
    "Coverage, %": ("coverage", None),
    "Rejects, %": ("rejects", None),
}
_DECIMALS = {"se_ratio": 2, "coverage": 1, "rejects": 1}
LEGEND = (
    "Each method is scored against its own estimand and, where that is another, against the "
    "estimand of the main analysis it stands beside. Truth: the difference between the arms, of "
    "the same simulated subjects in both. Mean, bias and SD: of the estimates over trials. Mean "
    "SE: of the standard errors that the method states. Coverage: 95 % intervals that hold the "
    f"truth. Rejects: p below {LEVEL:g}; power where the arms differ, type I error where they do "
    "not. In brackets: the Monte-Carlo standard error. Empty: the simulator does not know the "
    "truth of the estimand. [rubin] and the like: the variance in use."
)


def page(rows: Sequence[Performance], tried: Sequence[Tried]) -> str:
    """A Markdown page, one table per scenario."""
    protocol = tried[0].setting.protocol
    asked = tried[0].setting
    told = [
        f"# {protocol.header.id}: methods compared on simulated trials",
        f"{protocol.header.title}. All subjects are simulated. Seed {asked.seed}. {LEGEND}",
    ]
    for one in tried:
        mine = [row for row in rows if row.scenario == one.setting.scenario]
        told += [
            f"## Scenario `{one.setting.scenario}`: {len(one.trials):,} trials",
            "\n".join(rows_of_page(mine, decimals_of(one))),
        ]
    return "\n\n".join(told) + "\n"


def rows_of_page(rows: Iterable[Performance], decimals: int) -> Iterable[str]:
    """The lines of a table, its head first; `decimals` are those of the truth."""
    head = ["Method", "Role", "Estimand", *_MEASURES, "Failed"]
    yield "| " + " | ".join(head) + " |"
    yield "| --- | --- | --- |" + " ---: |" * (len(_MEASURES) + 1)
    for row in rows:
        cells = [
            row.label,
            row.role,
            f"{row.estimand} ({row.scored_as})",
            *(_shown(row, measure, decimals) for measure in _MEASURES.values()),
            str(row.failed),
        ]
        yield "| " + " | ".join(cells) + " |"


def _shown(row: Performance, measure: tuple[str, int | None], decimals: int) -> str:
    name, more = measure
    held: Simulated = getattr(row.measures, name)
    if isnan(held.value):
        return ""
    digits = _DECIMALS[name] if more is None else decimals + more
    return f"{held.value:.{digits}f} ({held.error:.{digits}f})"


def decimals_of(tried: Tried) -> int:
    """Of the endpoint; a score of few points is shown with one more."""
    spread = max((abs(truth.placebo) for truth in tried.truths.values()), default=0.0)
    return 0 if spread > 50 else 1


def record(rows: Sequence[Performance], tried: Sequence[Tried]) -> dict[str, Any]:
    """Everything, at full precision; what is not known is null."""
    return {
        "protocol": tried[0].setting.protocol.header.id,
        "made_for": [dict(one.setting.made_for) for one in tried],
        "truths": {
            one.setting.scenario: {key: asdict(truth) for key, truth in one.truths.items()}
            for one in tried
        },
        "performance": [_plain(asdict(row)) for row in rows],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    return None if isinstance(value, float) and isnan(value) else value


def table(rows: Sequence[Performance]) -> str:
    """Comma-separated, one line per method, estimand and scenario."""
    stream = StringIO()
    lines = [_flat(row) for row in rows]
    writer = csv.DictWriter(stream, list(lines[0]) if lines else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def _flat(row: Performance) -> dict[str, Any]:
    flat = asdict(row)
    for name, held in flat.pop("measures").items():
        flat |= {name: _plain(held["value"]), f"{name}_mcse": _plain(held["error"])}
    return flat


def write_report(
    rows: Sequence[Performance], tried: Sequence[Tried], out: str | Path
) -> tuple[Path, ...]:
    """Write page, table and record into a folder; each whole or not at all."""
    files = {
        "md": page(rows, tried),
        "csv": table(rows),
        "json": json.dumps(record(rows, tried), ensure_ascii=False, indent=1) + "\n",
    }
    for suffix, content in files.items():
        write_file(Path(out) / f"{NAME}.{suffix}", content.encode())
    return tuple(Path(out) / f"{NAME}.{suffix}" for suffix in files)
