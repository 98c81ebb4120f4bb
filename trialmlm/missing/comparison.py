"""What is asked of each completed data set: which visits, which arms compared, which weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.grid import WEIGHTS
from trialmlm.missing.answers import Quantity
from trialmlm.models.contrast_kinds import Asked, Levels, contrast_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """LS means of arms, and contrasts of them, at some visits.

    Attributes
    ----------
    visits : tuple
        Labels, in the layout's order.
    arms : tuple of str
    contrasts : tuple of str
        Written out, ``DRUG - PLACEBO``.
    compared : ndarray, shape (contrasts, arms)
    weights : str
        Over the other factors of the analysis, as in ``ls_means``.
    """

    visits: tuple[Any, ...]
    arms: tuple[str, ...]
    contrasts: tuple[str, ...]
    compared: Array
    weights: str

    @property
    def rows(self) -> Array:
        """Means, then contrasts, as combinations of the means of the arms."""
        return np.concatenate([np.eye(len(self.arms)), self.compared])

    def pairwise(self) -> Comparison:
        """The same with all pairs of arms compared."""
        found = contrast_weights("pairwise", Levels(self.arms, None, None))
        return replace(self, contrasts=tuple(found), compared=np.stack(list(found.values())))

    def quantities(
        self, visit: Any = None, mean: str = "LS mean", contrast: str = "contrast"
    ) -> tuple[Quantity, ...]:
        """What `rows` are, at one visit."""
        means = tuple(Quantity(mean, arm, visit) for arm in self.arms)
        return (*means, *(Quantity(contrast, name, visit) for name in self.contrasts))


def comparison(
    layout: Layout,
    at: Any,
    contrasts: Asked,
    control: str | None,
    weights: str,
    reference: Mapping[str, str],
) -> Comparison:
    """Check what is asked against the layout.

    Parameters
    ----------
    layout : Layout
    at : optional
        A visit or a list of them; None for every one.
    contrasts : str, pairs or mapping
        As in ``LsMeans.contrasts``.
    control : str, optional
        The arm compared with; by default the arm that others are imputed from, if it is one, else
        the first.
    weights : str
    reference : mapping of str to str
        Arm to its reference arm in the imputation.

    Raises
    ------
    UsageError
        If a visit, arm, kind of contrast or weighting is not known.
    """
    if weights not in WEIGHTS:
        msg = f"analyse: weights: found {weights!r}, expected one of {', '.join(WEIGHTS)}"
        raise UsageError(msg)
    if contrasts == "vs-control" and control is None:
        control = _control(layout.arms, reference)
    found = contrast_weights(contrasts, Levels(layout.arms, control, None))
    rows = np.stack(list(found.values()))
    return Comparison(visits_of(layout, at), layout.arms, tuple(found), rows, weights)


def visits_of(layout: Layout, at: Any) -> tuple[Any, ...]:
    """The visits asked for, in the layout's order.

    Raises
    ------
    UsageError
        If one is not among the layout's.
    """
    known = layout.visits.tolist()
    if at is None:
        return tuple(known)
    asked = list(at) if isinstance(at, list | tuple | set | frozenset) else [at]
    unknown = [visit for visit in asked if visit not in known]
    if unknown or not asked:
        listed = ", ".join(map(repr, known))
        msg = f"analyse: at: found {unknown or at!r}, expected visits among {listed}"
        raise UsageError(msg)
    return tuple(visit for visit in known if visit in asked)


def _control(arms: tuple[str, ...], reference: Mapping[str, str]) -> str:
    """The one arm that every other is imputed from; else the first."""
    others = {source for arm, source in reference.items() if arm != source}
    return others.pop() if len(others) == 1 else arms[0]
