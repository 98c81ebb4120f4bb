"""What an analysis says of values imputed many times over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number that an analysis estimates.

    Attributes
    ----------
    kind : str
        ``LS mean``, ``contrast``, ``slope``, ``contrast of slopes``, or what a user's function
        calls it.
    arms : str
        An arm's label, or a contrast written out, ``DRUG - PLACEBO``; '' where no arm is spoken of.
    visit : optional
        The visit it is of; None where it is of all.
    """

    kind: str
    arms: str
    visit: Any = None

    def __str__(self) -> str:
        at = "" if self.visit is None else f" at {self.visit}"
        return f"{self.kind} {self.arms}".strip() + at


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Estimates of D fillings of the missing cells.

    Attributes
    ----------
    quantities : tuple of Quantity, length q
    estimate, std_error, df : ndarray, shape (D, q)
        NaN where a filling gave no answer; std_error and df also where the analysis has none.
    failures : tuple of str
        Why fillings gave no answer, each reason with its count.
    group : int
        How many fillings in a row are imputations of the same resample.
    """

    quantities: tuple[Quantity, ...]
    estimate: Array
    std_error: Array
    df: Array
    failures: tuple[str, ...] = ()
    group: int = 1

    @property
    def answered(self) -> BoolArray:
        """The fillings that gave every estimate, all of their group, (D,)."""
        own = np.isfinite(self.estimate).all(axis=1)
        return np.repeat(own.reshape(-1, self.group).all(axis=1), self.group)

    def of(self, rows: BoolArray | IntArray) -> Answers:
        """The answers of some of the fillings."""
        return replace(
            self, estimate=self.estimate[rows], std_error=self.std_error[rows], df=self.df[rows]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Answers that are linear in the imputed values, along m − 1 directions of shift.

    With d = (1, δ₁, …, δ_{m−1}) the estimate of a filling is d'e and its squared standard error
    d'Sd: one more point of a tipping grid costs two small products.

    Attributes
    ----------
    quantities : tuple of Quantity, length q
    estimate : ndarray, shape (D, m, q)
        e: first of the values as imputed, then per unit of each direction.
    square : ndarray, shape (D, m, m, q)
        S, of the squared standard error.
    df : ndarray, shape (D, q)
    failures : tuple of str
    """

    quantities: tuple[Quantity, ...]
    estimate: Array
    square: Array
    df: Array
    failures: tuple[str, ...] = ()

    def at(self, delta: Array) -> Answers:
        """The answers with `delta`, of shape (m − 1,), units of the directions added."""
        d = np.concatenate([[1.0], delta])
        estimate = np.einsum("dmq,m->dq", self.estimate, d)
        square = np.einsum("dmkq,mk->dq", self.square, np.outer(d, d))
        error = np.sqrt(square.clip(0.0))
        return Answers(self.quantities, estimate, error, self.df, self.failures)
