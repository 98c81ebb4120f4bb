"""Footnotes: keywords that say how the numbers were made, and marks that point to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.tables.order import Order


@dataclass(frozen=True, slots=True)
class Footnotes:
    """The footnotes of one output.

    Attributes
    ----------
    lines : tuple of str
        As printed.
    marks : mapping of str to str
        Keyword -> mark, such as ``[1]``, for the rows it explains.
    """

    lines: tuple[str, ...]
    marks: Mapping[str, str]

    def mark(self, *keywords: str) -> str:
        """The marks of these keywords, after a blank; nothing for those not asked for."""
        found = "".join(self.marks.get(keyword, "") for keyword in keywords)
        return f" {found}" if found else ""


#: what a method is called in words
METHODS = {"LMM": "Random coefficients model", "MI": "Multiple imputation, then"}


def footnotes(order: Order, record: AnalysisRecord | None) -> Footnotes:
    """Number the keywords, resolve them from the analysis, and keep texts as they are.

    A model that is not the first of its pre-specified list is told, asked for or not.
    """
    lines: list[str] = []
    marks: dict[str, str] = {}
    for note in order.footnotes:
        if note not in KEYWORDS:
            lines.append(note)
            continue
        text = KEYWORDS[note](record) if record is not None else ""
        if text and note in MARKED:
            marks[note] = f"[{len(marks) + 1}]"
            lines.append(f"{marks[note]} {text}")
        elif text:
            lines.append(text)
    if record is not None and "fallback" in record.specification:
        lines.append(record.specification["fallback"])
    return Footnotes(tuple(lines), marks)


#: what a footnote on the model says of it, where the specification does
_OF_THE_MODEL = (
    "imputation",
    "variance",
    "covariance",
    "estimation",
    "degrees of freedom",
    "standard errors",
    "LS means",
    "intervals",
)

#: of which the text does not say what it is
_NAMED = {"imputation": "imputation: ", "variance": "variance: "}


def _model(record: AnalysisRecord) -> str:
    spec = record.specification
    parts = [f"{METHODS.get(record.method, record.method)}: {spec['model']}"]
    parts += [_NAMED.get(name, "") + spec[name] for name in _OF_THE_MODEL if name in spec]
    return "; ".join(parts) + "."


def _dose_response(record: AnalysisRecord) -> str:
    model = record.specification.get("dose response", "")
    return f"Test of a linear trend over the dose, in the model {model}." if model else ""


def _pairwise(record: AnalysisRecord) -> str:
    return record.specification.get("contrasts", "")


def _missing_data(record: AnalysisRecord) -> str:
    return record.specification.get("missing values", "")


def _records(record: AnalysisRecord) -> str:
    return "Records: " + "; ".join(record.steps) + "." if record.steps else ""


def _events(record: AnalysisRecord) -> str:
    said = record.specification.get("intercurrent events", "")
    return f"Intercurrent events: {said}." if said else ""


#: keyword in the protocol -> its text from the analysis shown
KEYWORDS: Mapping[str, Callable[[AnalysisRecord], str]] = {
    "model": _model,
    "dose-response": _dose_response,
    "pairwise": _pairwise,
    "missing-data": _missing_data,
    "records": _records,
    "events": _events,
}
#: the keywords that rows of the tables point to; the others stand without a mark
MARKED = frozenset({"model", "dose-response", "pairwise"})
