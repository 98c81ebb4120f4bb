"""One row of the analysis results data."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number and what it is.

    Attributes
    ----------
    analysis : str
        Name of the analysis in the protocol; ``summary`` for descriptive statistics and
        ``populations`` for counts of subjects.
    method : str
        ``MMRM``, ``ANCOVA``, or which records a summary is made of.
    endpoint, population : str
        Keys of the protocol.
    quantity : str
        What is estimated: ``ls-mean``, ``difference``, ``dose-response``, ``covariance``,
        ``type-iii``, ``fit``, ``count``, ``value``, ``baseline``, ``change``.
    arm, versus : str
        Keys of the arm, and of the arm it is compared with; empty for all arms.
    visit : str
        Name of the visit; empty for all visits.
    group : str
        Any other grouping, as the term of a test.
    statistic : str
        ``estimate``, ``std_error``, ``df``, ``ci_low``, ``ci_high``, ``statistic``, ``p_value``,
        ``n``, ``mean``, ``sd``, ``median``, ``min``, ``max``, …
    value : float
        At full precision; NaN where it cannot be estimated.
    df_method : str
        How degrees of freedom were found.
    note : str
        Why a value is NaN.
    step : str
        Which model of a pre-specified list it comes from, as ``2 of 3: toeph``; empty without one.
    """

    analysis: str
    method: str
    endpoint: str
    population: str
    quantity: str
    arm: str
    versus: str
    visit: str
    group: str
    statistic: str
    value: float
    df_method: str = ""
    note: str = ""
    step: str = ""


#: the columns of the results, in order
COLUMNS = tuple(field.name for field in fields(Statistic))
#: the columns that identify a statistic
KEYS = tuple(name for name in COLUMNS if name not in {"value", "df_method", "note", "step"})
