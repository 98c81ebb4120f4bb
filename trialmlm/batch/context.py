"""What every number of one analysis shares, and how frames become statistics."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from trialmlm.protocol.arms import Arm

#: the columns of a frame of estimates that become statistics
ESTIMATES = ("estimate", "std_error", "df", "ci_low", "ci_high", "statistic", "p_value")
NO_DATA = "not estimable: no data"
ONE_VALUE = "not estimable: a single value"
NOT_DETERMINED = "not estimable: the model does not determine it"
#: subjects analysed: arm, visit, n
Counts = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """The keys that the statistics of an analysis share.

    Attributes
    ----------
    analysis, method, endpoint, population : str
    df_method : str
    arms : mapping of str to Arm
        By key, in table order.
    arm_column : str
        The column of the arm in the data.
    step : str
        Which model of a pre-specified list; empty without one.
    """

    analysis: str
    method: str
    endpoint: str
    population: str
    df_method: str
    arms: Mapping[str, Arm]
    arm_column: str
    step: str = ""

    def statistic(
        self, quantity: str, statistic: str, value: float, *, why: str = NO_DATA, **keys: str
    ) -> Statistic:
        """One statistic; NaN carries the note that says why."""
        rest = {"arm": "", "versus": "", "visit": "", "group": "", **keys}
        note = why if isnan(value) else ""
        return Statistic(
            self.analysis,
            self.method,
            self.endpoint,
            self.population,
            quantity,
            rest["arm"],
            rest["versus"],
            rest["visit"],
            rest["group"],
            statistic,
            float(value),
            self.df_method,
            note,
            self.step,
        )

    def estimates(
        self, quantity: str, row: Mapping[str, Any] | None, *, why: str = NO_DATA, **keys: str
    ) -> Iterator[Statistic]:
        """The seven statistics of one estimate; all NaN where there is no row."""
        for name in ESTIMATES:
            value = nan if row is None else float(row[name])
            yield self.statistic(quantity, name, value, why=why, **keys)

    def key_of(self, value: str) -> str:
        """The key of the arm that the data call `value`."""
        return next(key for key, arm in self.arms.items() if arm.value == value)


def reason(counts: Counts, arms: Iterable[str], visit: str) -> str:
    """Why there is no estimate: cells without data, or a model that leaves it open.

    Parameters
    ----------
    counts : tuple of (arm, visit, n)
    arms : iterable of str
        The arms of the estimate.
    visit : str
        Its visit; empty where it is averaged over those counted.
    """
    concerned = set(arms)
    empty = [at for arm, at, n in counts if arm in concerned and visit in ("", at) and not n]
    if not empty:
        return NOT_DETERMINED
    return NO_DATA if visit else f"{NO_DATA} at {', '.join(dict.fromkeys(empty))}"


def rows_by(frame: pd.DataFrame, columns: Iterable[str]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The rows of a frame by the text of some columns."""
    names = list(columns)
    return {
        tuple(str(record[name]) for name in names): {str(k): v for k, v in record.items()}
        for record in frame.to_dict(orient="records")
    }
