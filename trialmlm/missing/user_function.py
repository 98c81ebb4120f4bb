"""A user's own analysis of every completed data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.missing.answers import Answers, Quantity
from trialmlm.missing.completed_rows import completed_rows, completed_values

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout

#: an estimate; (estimate, standard error); or (estimate, standard error, df)
Answer: TypeAlias = "float | tuple[float, ...]"
#: of a completed data frame, one answer or several by name
Function: TypeAlias = "Callable[[pd.DataFrame], Answer | Mapping[str, Answer]]"

_EXPECTED = (
    "expected an estimate, (estimate, standard error), (estimate, standard error, df), or a "
    "mapping of names to one of these"
)


@dataclass(frozen=True, slots=True, eq=False)
class UserFunction:
    """A function of completed data that returns estimates, with standard errors or without.

    Attributes
    ----------
    layout : Layout
    function : callable
        An error that it raises is not caught: a function that cannot answer returns NaN.
    """

    layout: Layout
    function: Function

    @property
    def description(self) -> str:
        """In words."""
        return f"the function {getattr(self.function, '__name__', type(self.function).__name__)}"

    @property
    def linear(self) -> bool:
        """False: every shift is analysed anew."""
        return False

    def answers(self, completions: Completions) -> Answers:
        """Call the function with each filling, all visits of all subjects.

        Raises
        ------
        UsageError
            If it returns something else than answers, or not the same names every time.
        """
        made: list[dict[str, tuple[float, float, float]]] = []
        for d, table in enumerate(completed_values(self.layout, completions)):
            counts = None if completions.counts is None else completions.counts[d]
            made.append(_read(self.function(completed_rows(self.layout, table, counts))))
            if made[d].keys() != made[0].keys():
                msg = f"analyse: the function answers {list(made[d])}, before {list(made[0])}"
                raise UsageError(msg)
        if not made[0]:
            raise UsageError(f"analyse: the function returned no answer; {_EXPECTED}")
        found = np.array([list(answer.values()) for answer in made])
        lost = int((~np.isfinite(found[:, :, 0])).any(axis=1).sum())
        told = (f"{lost:,} of {len(made):,} times the function gave no number",) if lost else ()
        quantities = tuple(Quantity(name, "") for name in made[0])
        return Answers(quantities, found[..., 0], found[..., 1], found[..., 2], told)

    def pairwise(self) -> NoReturn:
        """Refuse: a function says itself what it compares.

        Raises
        ------
        UsageError
        """
        raise UsageError("joint_test: it is of an analysis by formula; a function compares itself")

    def along(self, completions: Completions, directions: Array) -> Callable[[Array], Answers]:
        """The answers as a function of how far values are shifted along `directions`."""
        return lambda delta: self.answers(completions.shifted(delta @ directions))


def _read(given: object) -> dict[str, tuple[float, float, float]]:
    """Estimate, standard error and df by name; NaN and infinity where they are not given."""
    named = given if isinstance(given, Mapping) else {"estimate": given}
    return {str(name): _three(answer) for name, answer in named.items()}


def _three(answer: object) -> tuple[float, float, float]:
    parts = answer if isinstance(answer, tuple | list) else (answer,)
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, Real) for part in parts):
        msg = f"analyse: the function returned {answer!r}; {_EXPECTED}"
        raise UsageError(msg)
    estimate, error, df = (*map(float, parts), *(np.nan, np.inf)[len(parts) - 1 :])
    return estimate, error, df
