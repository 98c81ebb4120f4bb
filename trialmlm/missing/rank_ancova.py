"""Analysis of covariance of ranks, death and dropout ranked worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.formula.frame import model_frame
from trialmlm.missing.mean_scores import mean_scores
from trialmlm.missing.observed import numbers_of
from trialmlm.missing.series import require_columns, require_rows
from trialmlm.models.ancova import ancova
from trialmlm.models.asked import rows_lost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.frame import ModelFrame

#: which end of a value is good -> its sign
BETTER: Final[Mapping[str, float]] = {"higher": 1.0, "lower": -1.0}
#: what becomes of who is alive without a value -> whether such a subject is ranked
MISSING: Final[Mapping[str, bool]] = {"exclude": False, "worst": True}
OBSERVED, DIED, ABSENT = "observed", "died", "missing"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RankAncova:
    """A rank ANCOVA.

    Attributes
    ----------
    frame : DataFrame
        The differences: contrast (written out), estimate (of the standardised rank, adjusted),
        std_error, df, ci_low, ci_high, statistic (t), p_value.
    mean_scores : DataFrame
        One row, the test that no arm differs by the residuals' mean scores: statistic (χ²), df,
        p_value.
    subjects : DataFrame
        Of those ranked, with the index of the data: the arm and the stratum, status (observed,
        died, missing), rank (the standardised one; higher is better).
    notes : tuple of str
        Who is ranked how, and who is not used.
    """

    frame: pd.DataFrame
    mean_scores: pd.DataFrame
    subjects: pd.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        p = self.mean_scores["p_value"].iloc[0]
        return f"<RankAncova {len(self.subjects):,} subjects, p = {p:.4g}>"


def rank_ancova(
    data: pd.DataFrame,
    *,
    value: str,
    arm: str,
    covariates: Sequence[str] = (),
    died: str | None = None,
    better: str = "higher",
    strata: str | None = None,
    missing: str = "exclude",
    control: str | None = None,
) -> RankAncova:
    """Compare arms by the ranks of an outcome, adjusted for ranks of covariates.

    Parameters
    ----------
    data : DataFrame
        One row per subject.
    value : str
        The outcome at the end, missing where it was not observed.
    arm : str
    covariates : sequence of str
        Columns of numbers, such as the baseline; they enter as standardised ranks.
    died : str, optional
        Time of death, missing for the living. The dead are ranked below everybody else, the
        earliest death lowest, whatever value they have.
    better : {"higher", "lower"}
        Which end of the outcome is the good one.
    strata : str, optional
        A factor: ranks, residuals and the test of mean scores are made within its levels.
    missing : {"exclude", "worst"}
        The living without a value are left out, and counted; or ranked, tied, below all values
        and above the dead. A value carried forward (``tm.carry_forward``) is a value.
    control : str, optional
        The arm that the others are compared with; by default the first level.

    Returns
    -------
    RankAncova

    Raises
    ------
    UsageError
        If an argument names what is not there.
    DataError
        If an outcome or a time of death is infinite.
    FitError
        If the data do not carry the model.

    Notes
    -----
    Ranks from 1, the worst, to n, ties at their mean, are divided by n + 1. The differences are
    those of ``tm.ancova`` of the ranks. The test of mean scores takes the residuals of the
    regression of the ranks on the ranks of the covariates, arms left out, as scores of an
    extended Mantel-Haenszel test, whose null distribution is that of random allocation (Quade
    1967, Journal of the American Statistical Association 62, 1187–1200; Koch, Carr, Amara,
    Stokes and Uryniak 1990, in Berry (ed.), Statistical Methodology in the Pharmaceutical
    Sciences).

    The composite of outcome and death is an estimand of its own: a difference of ranks is no
    difference of the outcome.

    Examples
    --------
    >>> rank_ancova(d, value="CHG", arm="TRT01P", covariates=["BASE"], died="DTHDY").frame
    ... # doctest: +SKIP
    """
    _check(data, value, arm, covariates, died, strata, {"better": better, "missing": missing})
    status, order = _order(data, value, died, BETTER[better])
    ranked = (status != ABSENT) | MISSING[missing]
    rows = model_frame(data[ranked], [arm, *covariates, *([strata] if strata else [])])
    used = np.flatnonzero(ranked)[rows.rows]
    stratum = _stratum(rows, strata)
    ranks = _ranks(order[used], stratum)
    adjusting = {
        f"x{k}": _ranks(rows.variables[name].numbers(), stratum)
        for k, name in enumerate(covariates, start=1)
    }
    columns = data[[arm, *([strata] if strata else [])]].iloc[used].reset_index(drop=True)
    made = columns.astype("category").assign(rank=ranks, **adjusting)
    fit = ancova(_formula([*adjusting, arm, *([strata] if strata else [])]), made)
    differences = fit.ls_means(arm).contrasts("vs-control", control=control)
    subjects = columns.assign(status=status[used], rank=ranks).set_index(data.index[used])
    codes = rows.variables[arm].as_factor().codes
    return RankAncova(
        differences.frame,
        mean_scores(ranks, list(adjusting.values()), codes, stratum),
        subjects,
        (*_told(status, ranked=MISSING[missing]), *rows_lost(rows, "ranked subjects")),
    )


def _stratum(rows: ModelFrame, strata: str | None) -> IntArray:
    """Each subject's stratum; one for all where none is named."""
    if strata is None:
        return np.zeros(rows.rows.size, dtype=np.intp)
    return rows.variables[strata].as_factor().codes


def _formula(terms: Sequence[str]) -> str:
    return "rank ~ " + " + ".join(t if t.isidentifier() else f"Q('{t}')" for t in terms)


def _check(
    data: pd.DataFrame,
    value: str,
    arm: str,
    covariates: Sequence[str],
    died: str | None,
    strata: str | None,
    chosen: Mapping[str, str],
) -> None:
    registers = {"better": BETTER, "missing": MISSING}
    for option, found in chosen.items():
        if found not in registers[option]:
            listed = ", ".join(registers[option])
            msg = f"rank_ancova: {option}= found {found!r}, expected one of {listed}"
            raise UsageError(msg)
    named = [name for name in (value, arm, *covariates, died, strata) if name]
    require_columns("rank_ancova", data, named)
    require_rows("rank_ancova", data, [arm])
    taken = {"rank", "status", *(f"x{k}" for k, _ in enumerate(covariates, start=1))} & {
        arm,
        strata,
    }
    if taken:
        msg = f"rank_ancova: a column is named {taken.pop()}, as one that is made; rename it"
        raise UsageError(msg)


def _order(data: pd.DataFrame, value: str, died: str | None, sign: float) -> tuple[Array, Array]:
    """Each subject's status, and a number that is higher the better the subject fared."""
    outcome = sign * numbers_of("rank_ancova", data, value, [])
    death = numbers_of("rank_ancova", data, died, []) if died else np.full(len(data), np.nan)
    dead, absent = ~np.isnan(death), np.isnan(outcome)
    status = np.where(dead, DIED, np.where(absent, ABSENT, OBSERVED))
    # three floors: deaths by time, then the missing, then values; only their order matters
    floor = np.where(dead, 0.0, np.where(absent, 1.0, 2.0))
    within = np.where(dead, death, np.nan_to_num(outcome))
    _, order = np.unique(np.column_stack([floor, within]), axis=0, return_inverse=True)
    return status, order.ravel().astype(float)


def _ranks(values: Array, stratum: IntArray) -> Array:
    """Standardised ranks within strata, ties at their mean."""
    groups = pd.Series(values).groupby(stratum)
    return np.asarray(groups.rank() / (groups.transform("size") + 1), dtype=float)


def _told(status: Array, *, ranked: bool) -> tuple[str, ...]:
    """How many are ranked how."""
    died, absent = int((status == DIED).sum()), int((status == ABSENT).sum())
    place = "ranked below all values, tied" if ranked else "not ranked, and not used"
    said = {
        f"{died:,} subjects who died are ranked lowest, the earliest death lowest of all": died,
        f"{absent:,} subjects alive without a value are {place}": absent,
    }
    return tuple(text for text, count in said.items() if count)
