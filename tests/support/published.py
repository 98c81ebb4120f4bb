"""The published tables of CDISC Pilot 01, as a table prints them.

The reference files hold the printed numbers and their decimals; the text of a cell is made from
these alone, without our own number formatter.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from rtf_reader import read_cells

if TYPE_CHECKING:
    from pathlib import Path

ARMS = ("placebo", "low", "high")
#: the report prints -0.0 here; as a number it has lost its sign
MINUS_ZERO = "-0.0"
#: decimals of the printed estimates, for the table whose file does not repeat them
_DECIMALS = {"p": 3, "est": 1, "se": 2, "lower": 1, "upper": 1}
_MARKS = re.compile(r"(?: (?:\[\d+\])+)+$")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

Rows = list[list[str]]


def reference_table(folder: Path, number: str) -> dict[str, Any]:
    """A reference file, the decimals of its printed numbers completed."""
    file = folder / "cdisc_pilot" / f"table_{number}.json"
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {"published_decimals": _DECIMALS, **table}


def body(file: Path) -> Rows:
    """The rows of an RTF table with a number beside their label, the label without its marks."""
    return [
        [_MARKS.sub("", row[0]), *row[1:]]
        for row in read_cells(file)
        if any(re.search(r"\d", cell) and "N=" not in cell for cell in row[1:])
    ]


def headings(file: Path) -> set[str]:
    """The cells of an RTF table that give a number of subjects."""
    return {cell for row in read_cells(file) for cell in row if "(N=" in cell}


def numbers(rows: Rows) -> int:
    """How many numbers stand beside the labels."""
    return sum(len(_NUMBER.findall(cell)) for row in rows for cell in row[1:])


def printed(table: dict[str, Any], held: dict[str, float], name: str) -> str:
    """One published number as the report prints it."""
    return f"{Decimal(repr(held[name])):.{table['published_decimals'][name]}f}"


def percentage(n: int, of: int) -> str:
    """``92``: a share in whole percent, rounded half up."""
    return str((Decimal(100 * n) / Decimal(of)).quantize(Decimal(1), ROUND_HALF_UP))


def populations(table: dict[str, Any]) -> Rows:
    """The rows of Table 14-1.01; the report prints no percentages, which are computed here."""
    labels = {
        "ITTFL": "Intent-to-Treat (ITT)",
        "SAFFL": "Safety",
        "EFFFL": "Efficacy",
        "COMP24FL": "Complete Week 24",
        "COMPLETE_STUDY": "Complete Study",
    }
    published = table["published"]
    everyone = published["ITTFL"]
    return [
        [labels[flag], *(f"{n} ({percentage(n, everyone[arm])}%)" for arm, n in counts.items())]
        for flag, counts in published.items()
    ]


def ancova(table: dict[str, Any]) -> Rows:
    """The rows of Table 14-3.01."""
    described = table["published"]["desc"]
    rows = list[list[str]]()
    for quantity in ("baseline", "visit", "change"):
        of = [described[quantity][arm] for arm in ARMS]
        rows += [
            ["n", *(printed(table, held, "n") for held in of)],
            ["Mean (SD)", *(_pair(table, held, "mean", "sd") for held in of)],
            ["Median (Range)", *(_range(table, held) for held in of)],
        ]
    model = table["published"]["model"]
    trend = printed(table, {"p": model["dose_response_p"]}, "p")
    return [*rows, ["p-value (Dose Response)", "", "", trend], *_compared(table, model)]


def repeated(table: dict[str, Any]) -> Rows:
    """The rows of Table 14-3.11."""
    display = table["published"]["display"]
    means = [_pair(table, display["lsmeans"][arm], "est", "se") for arm in ARMS]
    rows = _compared(table, display)
    # the one cell whose sign the number 0.0 cannot hold
    assert rows[1][2].startswith("0.0 ")
    rows[1][2] = rows[1][2].replace("0.0", MINUS_ZERO, 1)
    return [["LS Means (SE)", *means], *rows]


def over_time(table: dict[str, Any]) -> Rows:
    """The rows of Table 14-3.10, arm by arm."""
    return [row for arm in ARMS for row in _arm(table, table["published"][arm])]


def _arm(table: dict[str, Any], held: dict[str, Any]) -> Rows:
    six = ("n", "mean", "sd", "median", "min", "max")
    base = [printed(table, held["baseline"]["value"], name) for name in six]
    rows = [["Baseline", *base, *[""] * 7]]
    for kind, words in (("windowed", "(Windowed)"), ("locf", "LOCF")):
        for week in (8, 16, 24):
            at = held[f"week{week}_{kind}"]
            rows.append(
                [
                    f"Week {week} {words}",
                    *(printed(table, at["value"], name) for name in six),
                    *(printed(table, at["baseline"], name) for name in ("mean", "sd")),
                    *(printed(table, at["change"], name) for name in six[1:]),
                ]
            )
    return rows


def _compared(table: dict[str, Any], model: dict[str, Any]) -> Rows:
    """Each difference stands in the column of its first arm."""
    low, high, between = (
        model["contrasts"][pair] for pair in ("low_placebo", "high_placebo", "high_low")
    )
    versus_placebo = [None, low, high]
    versus_low = [None, None, between]
    last = "Xanomeline High Dose - Xanomeline Low Dose"
    return [
        *_block(table, "Active - Placebo", versus_placebo),
        *_block(table, last, versus_low),
    ]


def _block(table: dict[str, Any], which: str, of: list[Any]) -> Rows:
    return [
        [f"p-value ({which})", *("" if c is None else printed(table, c, "p") for c in of)],
        [
            "Difference of LS Means (SE)",
            *("" if c is None else _pair(table, c, "est", "se") for c in of),
        ],
        ["95% CI", *("" if c is None else _interval(table, c) for c in of)],
    ]


def _pair(table: dict[str, Any], held: dict[str, float], first: str, second: str) -> str:
    return f"{printed(table, held, first)} ({printed(table, held, second)})"


def _range(table: dict[str, Any], held: dict[str, float]) -> str:
    low, high = printed(table, held, "min"), printed(table, held, "max")
    return f"{printed(table, held, 'median')} ({low};{high})"


def _interval(table: dict[str, Any], held: dict[str, float]) -> str:
    return f"({printed(table, held, 'lower')};{printed(table, held, 'upper')})"
