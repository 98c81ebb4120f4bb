"""The results of a run: every statistic, and how each analysis was made."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.statistic import COLUMNS, KEYS, Statistic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trialmlm.results.events import EventRecord
    from trialmlm.results.records import Record

#: version of the results' format
FORMAT = 1


@dataclass(frozen=True)
class Results:
    """Statistics and analyses, in the order they were made.

    Attributes
    ----------
    statistics : tuple of Statistic
    analyses : tuple of AnalysisRecord
    records : tuple of Record
        What figures and listings show of the subjects; written to a file of their own.
    events : tuple of EventRecord
        The intercurrent events of the subjects; likewise.
    """

    statistics: tuple[Statistic, ...] = ()
    analyses: tuple[AnalysisRecord, ...] = ()
    records: tuple[Record, ...] = ()
    events: tuple[EventRecord, ...] = ()

    @cached_property
    def _values(self) -> dict[tuple[str, ...], float]:
        return {tuple(getattr(s, key) for key in KEYS): s.value for s in self.statistics}

    def value(self, **keys: str) -> float | None:
        """The statistic with these keys; an absent key stands for the empty text.

        Returns
        -------
        float or None
            NaN where it could not be estimated, None where there is no such statistic.

        Raises
        ------
        UsageError
            If a key is not one of the columns that identify a statistic.
        """
        unknown = keys.keys() - set(KEYS)
        if unknown:
            msg = f"results have no key {', '.join(sorted(unknown))}; they have {', '.join(KEYS)}"
            raise UsageError(msg)
        return self._values.get(tuple(keys.get(key, "") for key in KEYS))

    @cached_property
    def _notes(self) -> dict[tuple[str, ...], str]:
        return {tuple(getattr(s, key) for key in KEYS): s.note for s in self.statistics if s.note}

    def note(self, **keys: str) -> str:
        """Why the statistic with these keys could not be estimated; empty where it could."""
        return self._notes.get(tuple(keys.get(key, "") for key in KEYS), "")

    def select(self, **keys: str) -> tuple[Statistic, ...]:
        """The statistics with these keys, whatever their other keys, in order.

        Raises
        ------
        UsageError
            If a key is not one of the columns that identify a statistic.
        """
        unknown = keys.keys() - set(KEYS)
        if unknown:
            msg = f"results have no key {', '.join(sorted(unknown))}; they have {', '.join(KEYS)}"
            raise UsageError(msg)
        return tuple(s for s in self.statistics if all(getattr(s, k) == v for k, v in keys.items()))

    def analysis(self, name: str) -> AnalysisRecord | None:
        """The record of an analysis; None if it is not among the results."""
        return next((record for record in self.analyses if record.name == name), None)

    def frame(self) -> pd.DataFrame:
        """One row per statistic."""
        rows = [[getattr(s, name) for name in COLUMNS] for s in self.statistics]
        return pd.DataFrame(rows, columns=pd.Index(COLUMNS))

    def to_csv(self) -> str:
        """The statistics as CSV, values in their shortest form that reads back equal."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for s in self.statistics:
            writer.writerow([_text(getattr(s, name)) for name in COLUMNS])
        return out.getvalue()

    def to_json(self) -> str:
        """Everything as JSON; a value that could not be estimated is null."""
        plain = {
            "format": FORMAT,
            "analyses": [record.as_dict() for record in self.analyses],
            "columns": COLUMNS,
            "statistics": [[_plain(getattr(s, name)) for name in COLUMNS] for s in self.statistics],
        }
        return json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """The results that `to_json` wrote.

        Raises
        ------
        UsageError
            If the text is not such a file, or one of another format version.
        """
        try:
            plain = json.loads(text)
            if plain["format"] != FORMAT:
                msg = f"results: found format {plain['format']}, this version reads {FORMAT}"
                raise UsageError(msg)
            rows = [dict(zip(plain["columns"], row, strict=True)) for row in plain["statistics"]]
            statistics = tuple(Statistic(**{**row, "value": _number(row["value"])}) for row in rows)
            return cls(statistics, tuple(map(AnalysisRecord.from_dict, plain["analyses"])))
        except (KeyError, TypeError, ValueError) as error:
            msg = f"results: not a results file of this program ({error})"
            raise UsageError(msg) from error

    @classmethod
    def together(cls, parts: Iterable[Results]) -> Results:
        """The parts, one after the other."""
        found = tuple(parts)
        return cls(
            tuple(s for part in found for s in part.statistics),
            tuple(record for part in found for record in part.analyses),
            tuple(record for part in found for record in part.records),
            tuple(event for part in found for event in part.events),
        )


def _text(value: Any) -> str:
    """A cell of the CSV; NaN is empty."""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)


def _plain(value: Any) -> Any:
    """A value that JSON has; infinity is written as text."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(value) if math.isfinite(value) else repr(float(value))
    return value


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
