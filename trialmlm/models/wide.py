"""Subjects in rows and occasions in columns, of those who have them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError
from trialmlm.formula.factor import level_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True)
class Wide:
    """Repeated values as a table.

    Attributes
    ----------
    Y : ndarray, shape (subjects, occasions)
        Of the complete subjects.
    group : ndarray of int, shape (subjects,)
        Positions in `groups`.
    groups : tuple
        Levels of the factor between subjects; one if there is none.
    dropped : tuple
        The subjects that are not complete.
    long : DataFrame
        Every row: y, subject, occasion and group as categories.
    """

    Y: Array
    group: IntArray
    groups: tuple[Any, ...]
    dropped: tuple[Any, ...]
    long: pd.DataFrame


def wide(
    variables: Mapping[str, Variable], value: str, subject: str, within: str, between: str | None
) -> Wide:
    """Lay out rows by subject and occasion.

    Raises
    ------
    FitError
        If a subject has two values of an occasion, or two groups; or there is one occasion only.
    """
    who, when = variables[subject].as_factor(), variables[within].as_factor()
    y = variables[value].numbers()
    people, occasions = who.levels or (), when.levels or ()
    if len(occasions) < 2:
        msg = f"{within} has one level in the rows with a value; repeated measures need two"
        raise FitError(msg)
    count = np.zeros((len(people), len(occasions)), dtype=np.intp)
    np.add.at(count, (who.codes, when.codes), 1)
    _refuse_repeats(count, subject, within, people, occasions)
    table = np.full(count.shape, np.nan)
    table[who.codes, when.codes] = y
    group, groups = _groups(variables, who, subject, between)
    complete: BoolArray = count.min(axis=1) > 0
    dropped = tuple(level for level, whole in zip(people, complete, strict=True) if not whole)
    long = pd.DataFrame(
        {
            "y": y,
            "subject": _category(who),
            "occasion": _category(when),
            "group": _categories(group[who.codes], groups),
        }
    )
    return Wide(table[complete], group[complete], groups, dropped, long)


def _category(factor: Variable) -> pd.Categorical:
    return _categories(factor.codes, factor.levels or ())


def _categories(codes: IntArray, levels: tuple[Any, ...]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), pd.Index(levels))


def _groups(
    variables: Mapping[str, Variable], who: Variable, subject: str, between: str | None
) -> tuple[IntArray, tuple[Any, ...]]:
    """Each subject's group, and the groups."""
    people = len(who.levels or ())
    if between is None:
        return np.zeros(people, dtype=np.intp), ("all",)
    factor = variables[between].as_factor()
    group = np.zeros(people, dtype=np.intp)
    group[who.codes] = factor.codes
    strange = np.flatnonzero(group[who.codes] != factor.codes)
    if strange.size:
        name = (who.levels or ())[who.codes[strange[0]]]
        msg = (
            f"{between} is not the same in all rows of {subject} {level_text(name)}; a factor "
            "between subjects is constant within each"
        )
        raise FitError(msg)
    return group, factor.levels or ()


def _refuse_repeats(
    count: IntArray, subject: str, within: str, people: tuple[Any, ...], occasions: tuple[Any, ...]
) -> None:
    if count.max() <= 1:
        return
    i, t = np.unravel_index(int(count.argmax()), count.shape)
    msg = (
        f"{subject} {level_text(people[i])} has {count[i, t]} values at {within} "
        f"{level_text(occasions[t])}; keep one, or average them"
    )
    raise FitError(msg)
