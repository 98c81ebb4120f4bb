"""Patterns of missing data: who was observed at which visits, by arm, visit and reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from trialmlm.missing.observed import observe
from trialmlm.missing.reasons import reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.arrays import BoolArray
    from trialmlm.missing.observed import Observed

#: a visit observed, and one missing, in the text of a pattern
SEEN, UNSEEN = "O", "."
#: the label of the row over all arms
ALL_ARMS: Final = "all arms"
NEVER: Final = "never observed"
#: kinds of patterns in the order they are listed
KINDS: Final = ("complete", "monotone", "intermittent", NEVER)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MissingPatterns:
    """The missing data of a trial, counted.

    Attributes
    ----------
    frame : DataFrame
        pattern (a letter per visit, ``OO..``: O observed, a dot missing), kind (complete,
        monotone, intermittent, never observed), visits_observed, arm, n, percent of the arm's
        subjects. Where there are several arms, rows over all arms too.
    by_visit : DataFrame
        arm, visit, n (subjects), and of them: observed, intermittent (missing, observed later),
        after_dropout (missing, never observed again), each with its percent.
    by_reason : DataFrame
        Of those not observed at the last visit: arm, reason, first_missed (the first visit
        after the last observed one), n, percent of the arm's subjects.
    subjects : DataFrame
        One row each: subject, arm, pattern, kind, last_visit, first_missed, reason.
    visits : tuple
        Labels in order, as the letters of a pattern stand.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame
    by_visit: pd.DataFrame
    by_reason: pd.DataFrame
    subjects: pd.DataFrame
    visits: tuple[Any, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        patterns = self.frame["pattern"].nunique()
        return f"<MissingPatterns {len(self.subjects):,} subjects, {patterns} patterns>"


def missing_patterns(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str | None = None,
    reason: str | pd.DataFrame | None = None,
    visits: Sequence[Any] | None = None,
) -> MissingPatterns:
    """Count at which visits subjects were observed.

    Parameters
    ----------
    data : DataFrame
        At most one row per subject and visit, post-baseline visits only; a visit is missing
        where there is no row or no value. A subject without any row is not counted: give it one
        with a missing value.
    subject, visit, value : str
        Columns. Visits are ordered as numbers or categories are, or as `visits` lists them.
    arm : str, optional
        A column, constant within subjects.
    reason : str or DataFrame, optional
        Why subjects left: a column constant within subjects, or a frame of two columns, the
        subject and the reason.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur.

    Returns
    -------
    MissingPatterns

    Raises
    ------
    UsageError
        If an argument names what is not there.
    DataError
        If a subject has several rows at a visit, several arms or reasons; or a reason is given
        for a subject that the data do not have.

    Notes
    -----
    A pattern is monotone where nothing is observed after the first gap. A gap before the last
    observed visit is intermittent; every visit after it is missing after dropout, even in a
    pattern that has intermittent gaps as well.

    Examples
    --------
    >>> d = pd.DataFrame({"ID": list("aaabb"), "WEEK": [4, 8, 12, 4, 12], "CHG": 1.0})
    >>> found = missing_patterns(d, subject="ID", visit="WEEK", value="CHG")
    >>> found.frame[["pattern", "kind", "n"]].to_numpy().tolist()
    [['OOO', 'complete', 1], ['O.O', 'intermittent', 1]]
    """
    seen = observe(
        "missing_patterns", data, subject=subject, visit=visit, value=value, arm=arm, visits=visits
    )
    reasons = reasons_of("missing_patterns", data, seen, subject, reason)
    subjects = _subjects(seen, reasons)
    return MissingPatterns(
        _patterns(seen, subjects),
        _by_visit(seen),
        _by_reason(seen, subjects),
        subjects,
        tuple(seen.visits),
        _notes(seen, reasons),
    )


def pattern_text(seen: BoolArray) -> str:
    """The pattern of a row of cells as text."""
    return "".join(SEEN if here else UNSEEN for here in seen)


def kind_of(pattern: str) -> str:
    """Which of :data:`KINDS` a pattern is."""
    if SEEN not in pattern:
        return NEVER
    if UNSEEN not in pattern:
        return "complete"
    return "intermittent" if UNSEEN + SEEN in pattern else "monotone"


def _subjects(seen: Observed, reasons: pd.Series) -> pd.DataFrame:
    patterns = [pattern_text(row) for row in seen.seen]
    labels = np.array([*seen.visits, None], dtype=object)  # −1 and T find the last
    last = np.where(seen.left, seen.last + 1, len(seen.visits))
    return pd.DataFrame(
        {
            "subject": seen.subjects,
            "arm": np.array(seen.arms, dtype=object)[seen.arm],
            "pattern": patterns,
            "kind": [kind_of(pattern) for pattern in patterns],
            "last_visit": labels[seen.last],
            "first_missed": labels[last],
            "reason": reasons.to_numpy(),
        }
    )


def _groups(seen: Observed) -> Iterator[tuple[str, BoolArray]]:
    """The arms, then everyone where there are several: label and who."""
    for code, label in enumerate(seen.arms):
        yield label, seen.arm == code
    if len(seen.arms) > 1:
        yield ALL_ARMS, np.ones(len(seen.arm), dtype=bool)


def _patterns(seen: Observed, subjects: pd.DataFrame) -> pd.DataFrame:
    counts = subjects["pattern"].value_counts()
    # dropout late to early; intermittent ones by frequency
    order = sorted(counts.index, key=lambda text: _rank(text, counts[text]))
    rows = [
        (text, kind_of(text), text.count(SEEN), arm, n, 100.0 * n / who.sum())
        for text in order
        for arm, who in _groups(seen)
        for n in [int((subjects["pattern"].eq(text) & who).sum())]
    ]
    columns = ["pattern", "kind", "visits_observed", "arm", "n", "percent"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _rank(text: str, n: int) -> tuple[int, int, str]:
    kind = kind_of(text)
    often = -n if kind == "intermittent" else 0
    # "O" sorts after ".": the other way round puts late dropout first
    return KINDS.index(kind), often, text.translate(str.maketrans(SEEN + UNSEEN, "01"))


def _by_visit(seen: Observed) -> pd.DataFrame:
    later = np.arange(len(seen.visits)) < seen.last[:, None]
    cells = {
        "observed": seen.seen,
        "intermittent": ~seen.seen & later,
        "after_dropout": ~seen.seen & ~later,
    }
    frames = [
        pd.DataFrame(
            {"arm": arm, "visit": seen.visits, "n": int(who.sum())}
            | {name: table[who].sum(axis=0) for name, table in cells.items()}
            | {f"{name}_percent": 100.0 * table[who].mean(axis=0) for name, table in cells.items()}
        )
        for arm, who in _groups(seen)
    ]
    return pd.concat(frames, ignore_index=True)


def _by_reason(seen: Observed, subjects: pd.DataFrame) -> pd.DataFrame:
    missed = seen.last + 1
    rows = [
        (arm, reason, seen.visits[at], count, 100.0 * count / who.sum())
        for arm, who in _groups(seen)
        for left in [seen.left & who]
        for (reason, at), count in sorted(
            Counter(zip(subjects["reason"][left], missed[left].tolist(), strict=True)).items()
        )
    ]
    columns = ["arm", "reason", "first_missed", "n", "percent"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _notes(seen: Observed, reasons: pd.Series) -> tuple[str, ...]:
    never = int((seen.last < 0).sum())
    stayed = int((~seen.left & reasons.ne("").to_numpy()).sum())
    said = {
        f"{never} subjects have no value at any visit": never,
        f"{stayed} subjects have a reason for leaving, but are observed at the last visit; their "
        "reason is listed among subjects, and not counted": stayed,
    }
    return tuple(text for text, count in said.items() if count)
