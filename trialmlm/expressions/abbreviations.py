"""What the field writes short, and protocols and programs in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: assumptions of imputation, as the five macros, R's rbmi and papers abbreviate them
ASSUMPTIONS: Mapping[str, str] = {
    "MAR": "mar",
    "J2R": "jump-to-reference",
    "JTR": "jump-to-reference",
    "JR": "jump-to-reference",
    "CR": "copy-reference",
    "CIR": "copy-increments",
    "LMCF": "last-mean-carried-forward",
    "ALMCF": "last-mean-carried-forward",
    "RD": "retrieved-dropout",
}


def in_full(word: str) -> str:
    """``" (J2R: jump-to-reference)"`` for what is short for an assumption, else nothing."""
    full = ASSUMPTIONS.get(word.strip().upper(), "")
    return f" ({word}: {full})" if full and full != word else ""
