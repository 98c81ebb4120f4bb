"""Dates and date-times as SAS keeps them: numbers, told by their format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_EPOCH: Final = np.datetime64("1960-01-01", "us")
_DAY, _SECOND = 86_400_000_000, 1_000_000  # in microseconds
_LAST: Final = 400 * 366 * 100 * _DAY  # SAS dates end with the year 19900

#: SAS formats that make a number a date (days) or a date-time (seconds since 1960-01-01)
_UNITS: Final = {
    **dict.fromkeys(
        ["DATE", "DAY", "DDMMYY", "DDMMYYB", "DDMMYYC", "DDMMYYD", "DDMMYYN", "DDMMYYP", "DDMMYYS",
         "MMDDYY", "MMDDYYB", "MMDDYYC", "MMDDYYD", "MMDDYYN", "MMDDYYP", "MMDDYYS", "YYMMDD",
         "YYMMDDB", "YYMMDDC", "YYMMDDD", "YYMMDDN", "YYMMDDP", "YYMMDDS", "E8601DA", "B8601DA",
         "IS8601DA", "ND8601DA", "JULIAN", "JULDAY", "MONYY", "YYMON", "WEEKDATE", "WEEKDATX",
         "WORDDATE", "WORDDATX", "NLDATE", "MINGUO"], _DAY),
    **dict.fromkeys(
        ["DATETIME", "E8601DT", "B8601DT", "IS8601DT", "DATEAMPM", "DTDATE", "DTMONYY", "DTYEAR",
         "MDYAMPM", "NLDATM"], _SECOND),
}  # fmt: skip

_WIDTH: Final = re.compile(r"[0-9]*\.?[0-9]*$")


def is_dated(sas_format: str) -> bool:
    """Whether a format such as ``DATE9`` or ``E8601DT19.`` shows a date or a date-time."""
    return _name(sas_format) in _UNITS


def dates(
    path: Path, column: str, sas_format: str, values: NDArray[np.float64]
) -> NDArray[np.datetime64]:
    """Days or seconds since 1960 as datetime64[us]; a day's fraction is cut, as SAS prints it.

    Raises
    ------
    DataError
        A value lies beyond the dates that SAS knows.
    """
    unit = _UNITS[_name(sas_format)]
    whole = np.floor(values) * unit if unit == _DAY else np.round(values * unit)
    if (np.abs(whole) > _LAST).any():
        found = values[np.abs(whole) > _LAST][0]
        message = f"{path}: column {column} has format {sas_format}, but holds {found:g}"
        raise DataError(f"{message}, which is no date. Correct the value or the format.")
    known = ~np.isnan(values)
    moments = np.full(len(values), np.datetime64("NaT", "us"))
    moments[known] = _EPOCH + whole[known].astype(np.int64).astype("timedelta64[us]")
    return moments


def _name(sas_format: str) -> str:
    """The format without its width."""
    return _WIDTH.sub("", sas_format.upper())
