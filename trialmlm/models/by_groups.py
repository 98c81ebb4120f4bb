"""The same analysis in each group of the data, as a BY statement: one failure stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError

if TYPE_CHECKING:
    from trialmlm.models.fitted import FittedModel

Key = tuple[Any, ...]
F = TypeVar("F", bound="FittedModel")


@dataclass(frozen=True)
class GroupFits(Mapping[Any, F]):
    """The fits by group, in order; a group without a fit has a reason in `failures`.

    Attributes
    ----------
    by : tuple of str
        The columns that make the groups.
    fits : mapping of tuple to fit
    failures : mapping of tuple to str
        Why there is no fit.
    """

    by: tuple[str, ...]
    fits: Mapping[Key, F]
    failures: Mapping[Key, str]

    def __getitem__(self, key: Any) -> F:
        """The fit of a group, by its level, or the levels of several columns as a tuple.

        Raises
        ------
        FitError
            If the group has no fit; says why.
        KeyError
            If there is no such group.
        """
        group = key if isinstance(key, tuple) else (key,)
        if group in self.failures:
            msg = f"{self._named(group)}: {self.failures[group]}"
            raise FitError(msg)
        return self.fits[group]

    def __contains__(self, key: object) -> bool:
        return (key if isinstance(key, tuple) else (key,)) in self.fits

    def __iter__(self) -> Iterator[Any]:
        """The groups with a fit."""
        return iter(key[0] if len(self.by) == 1 else key for key in self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def coefficients(self, confidence: float = 0.95) -> pd.DataFrame:
        """The coefficients of every fit, below one another, with the BY columns first."""
        return self.frame(lambda fit: fit.coefficients(confidence))

    def ls_means(
        self, of: str | tuple[str, ...], by: str | tuple[str, ...] = (), **options: Any
    ) -> pd.DataFrame:
        """The LS means of every fit; options as of the fits."""
        return self.frame(lambda fit: fit.ls_means(of, by, **options).frame)

    def frame(self, ask: Callable[[F], pd.DataFrame]) -> pd.DataFrame:
        """What `ask` gives of every fit, below one another, with the BY columns first.

        Examples
        --------
        >>> fits.frame(lambda fit: fit.contrast({"ARMB": 1}))  # doctest: +SKIP
        """
        parts = [self._labelled(key, ask(fit)) for key, fit in self.fits.items()]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*self.by])

    def reasons(self) -> pd.DataFrame:
        """The groups without a fit: the BY columns and the reason."""
        rows = [[*key, reason] for key, reason in self.failures.items()]
        return pd.DataFrame(rows, columns=pd.Index([*self.by, "reason"]))

    def _labelled(self, key: Key, frame: pd.DataFrame) -> pd.DataFrame:
        clash = [name for name in self.by if name in frame.columns]
        if clash:
            msg = f"by_groups: {clash[0]} is a column of the frame asked for as well; rename it"
            raise UsageError(msg)
        labels = {name: [level] * len(frame) for name, level in zip(self.by, key, strict=True)}
        return pd.concat([pd.DataFrame(labels, index=frame.index), frame], axis=1)

    def _named(self, group: Key) -> str:
        return ", ".join(f"{name} {level}" for name, level in zip(self.by, group, strict=True))


def by_groups(
    data: pd.DataFrame, *, by: str | tuple[str, ...] | list[str], fit: Callable[[pd.DataFrame], F]
) -> GroupFits[F]:
    """Carry out an analysis in each group of the data.

    Parameters
    ----------
    data : DataFrame
    by : str or sequence of str
        The columns that make the groups; rows where one is missing are in none.
    fit : callable
        From the rows of a group to a fit of this package, of any kind.

    Returns
    -------
    GroupFits
        In the order of the columns' levels. A group whose data do not carry the model, or whose
        fit did not converge, has a reason instead.

    Raises
    ------
    UsageError
        If a column is not there; and whatever `fit` raises for a wrong request, which is wrong
        in every group.

    Examples
    --------
    >>> fits = by_groups(adqs, by="PARAMCD", fit=lambda rows: mmrm(formula, rows))  # doctest: +SKIP
    >>> fits.ls_means("TRT01P", by="AVISIT"), fits.reasons()  # doctest: +SKIP
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    absent = [name for name in names if name not in data.columns]
    if absent or not names:
        fault = f"the data have no column {absent[0]}" if absent else "by is empty"
        msg = f"by_groups: {fault}"
        raise UsageError(msg)
    fits: dict[Key, F] = {}
    failures: dict[Key, str] = {}
    for group, rows in data.groupby(list(names), sort=True, observed=True):
        key = group if isinstance(group, tuple) else (group,)
        made = _made(fit, rows)
        if isinstance(made, str):
            failures[key] = made
        else:
            fits[key] = made
    return GroupFits(names, fits, failures)


def _made(fit: Callable[[pd.DataFrame], F], rows: pd.DataFrame) -> F | str:
    """The fit of a group, or why there is none."""
    try:
        made = fit(rows)
    except FitError as error:
        return str(error)
    except np.linalg.LinAlgError as error:
        return f"the model cannot be computed from these data ({error})"
    ended = getattr(made, "convergence", None)  # an analysis of covariance has no search
    return made if ended is None or ended.converged else str(ended)
