"""Agreement of raters: intraclass correlations after Shrout and Fleiss, McGraw and Wong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.errors import FitError
from trialmlm.formula.frame import model_frame
from trialmlm.inference.intraclass import (
    Ratings,
    absolute,
    averaged,
    consistency,
    one_way,
    ratings,
    swept,
)
from trialmlm.models.asked import check_share
from trialmlm.models.wide import wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.inference.intraclass import Intraclass

#: McGraw and Wong's name -> Shrout and Fleiss's name, and the correlation of one rating
FORMS: Mapping[str, tuple[str, Callable[[Ratings, float], Intraclass]]] = {
    "ICC({})": ("ICC(1,{})", one_way),
    "ICC(A,{})": ("ICC(2,{})", absolute),
    "ICC(C,{})": ("ICC(3,{})", consistency),
}


@dataclass(frozen=True, repr=False)
class Agreement:
    """How well raters agree on targets.

    Attributes
    ----------
    frame : DataFrame
        form, shrout_fleiss, icc, statistic, num_df, den_df, p_value, ci_low, ci_high: of one
        rating, then of the mean of the raters' ratings.
    mean_squares : Ratings
    dropped : tuple
        Targets left out, as a rating is missing.
    """

    frame: pd.DataFrame
    mean_squares: Ratings
    dropped: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<Agreement {self.mean_squares.n} targets, {self.mean_squares.k} raters>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        if not self.dropped:
            return ()
        total = self.mean_squares.n + len(self.dropped)
        return (f"{len(self.dropped):,} of {total:,} targets dropped: a rating is missing",)


def agreement(
    data: pd.DataFrame, rating: str, target: str, rater: str, confidence: float = 0.95
) -> Agreement:
    """Intraclass correlations of ratings.

    Parameters
    ----------
    data : DataFrame
        One row per target and rater.
    rating, target, rater : str
        Columns.
    confidence : float

    Returns
    -------
    Agreement
        ICC(1): each target has raters of its own; ICC(A,1): absolute agreement of raters who
        rate all, drawn from many or fixed; ICC(C,1): their consistency, so that a rater may be
        harsher. ICC(k) and so on are of the mean of k ratings.

    Raises
    ------
    FitError
        If fewer than two targets are complete, a rating is there twice, or nothing is left
        after targets and raters.

    Notes
    -----
    Shrout and Fleiss (1979); McGraw and Wong (1996). Estimates may be negative, as published.

    Examples
    --------
    >>> agreement(shrout_fleiss, "rating", "target", "judge").frame  # doctest: +SKIP
    """
    check_share("confidence", confidence)
    frame = model_frame(data, [rating, target, rater])
    table = wide(frame.variables, rating, target, rater, None)
    if len(table.Y) < 2:
        msg = f"{len(table.Y)} targets are rated by every {rater}; two are needed"
        raise FitError(msg)
    if swept(table.Y):
        raise FitError("targets and raters reproduce the ratings exactly: no variation is left")
    found = ratings(table.Y)
    singles = {name: make(found, confidence) for name, (_, make) in FORMS.items()}
    rows = [_row(name, "1", single) for name, single in singles.items()]
    rows += [_row(name, "k", averaged(single, found.k)) for name, single in singles.items()]
    return Agreement(pd.DataFrame(rows), found, table.dropped)


def _row(name: str, of: str, found: Intraclass) -> dict[str, Any]:
    columns = asdict(found)
    icc = columns.pop("estimate")
    names = {"form": name.format(of), "shrout_fleiss": FORMS[name][0].format(of)}
    return {**names, "icc": icc, **columns}
