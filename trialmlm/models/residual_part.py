"""A residual covariance beside random effects: what it is over, and what it leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.design import Design
from trialmlm.engine.identified_effects import IdentifiedEffects, identify_effects
from trialmlm.errors import FitError
from trialmlm.models.occasions import Occasions, occasions
from trialmlm.models.structure import check_informed, check_levels, covariance_group

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.grammar import CovarianceTerm
    from trialmlm.formula.variables import Variable

_CHOOSE = (
    "for parameters that can be told apart leave random effects out, or choose a residual with "
    "fewer parameters, such as diag over the visits or sp_exp over the times"
)


@dataclass(frozen=True)
class ResidualPart:
    """The residual covariance of a model with random effects.

    Attributes
    ----------
    term : CovarianceTerm
        As it was written.
    occasions : Occasions
        Subjects and visits, and where the rows stand among them.
    families : tuple of Covariance
        One per covariance group.
    group : Variable or None
        The factor each level of which has a covariance of its own.
    members : tuple of ndarray of bool, shape (n,)
        The subjects of each group.
    order : ndarray of int, shape (N,)
        The rows by subject and visit.
    """

    term: CovarianceTerm
    occasions: Occasions
    families: tuple[Covariance, ...]
    group: Variable | None
    members: tuple[BoolArray, ...]
    order: IntArray

    @property
    def levels(self) -> tuple[Any, ...]:
        """Of the group; None where there is one covariance."""
        return (None,) if self.group is None else self.group.levels or ()

    @property
    def present(self) -> BoolArray:
        """Which subject has which visit."""
        return self.occasions.layout.observed()


def residual_part(term: CovarianceTerm, frame: ModelFrame, data: pd.DataFrame) -> ResidualPart:
    """Read it from the rows used.

    Raises
    ------
    FitError
        If a subject has two rows at a visit, or no subject informs a parameter.
    """
    check_levels(term, data, frame)
    found = occasions(term, frame.variables)
    layout = found.layout
    group = covariance_group(term, frame, found)
    codes = np.zeros(layout.n_subjects, dtype=np.intp)
    if group is not None:
        codes = group.codes[layout.first_of_subject]
    members = tuple(codes == g for g in range(int(codes.max()) + 1))
    families = tuple(found.family(term, np.flatnonzero(own)) for own in members)
    observed = layout.observed()
    n, T = observed.shape
    seen = Design(np.zeros((T, 0, 0)), np.zeros((n, 0)), np.zeros((n, T)), observed, codes)
    check_informed(seen, families, found, group)
    order = np.lexsort((layout.visit, layout.subject))
    return ResidualPart(term, found, families, group, members, order)


def left_of_effects(
    part: ResidualPart, Z: Array, names: list[str], *, correlated: bool, on_redundant: str
) -> IdentifiedEffects:
    """What the residual leaves of the random effects (Z: N × r, in the data's order).

    Raises
    ------
    FitError
        If parameters cannot be told apart and `on_redundant` is ``error``, or no simpler G stands
        for all of them.
    """
    found = identify_effects(
        Z[part.order], part.present, part.families, part.members, correlated=correlated
    )
    if found.family is None:
        what = (
            "the parameters of the residual covariance"
            if not found.aliased.any()
            else ("the covariance of the random effects and that of the residual")
        )
        msg = f"{what} cannot be told apart on these data; {_CHOOSE}"
        raise FitError(msg)
    if found.aliased.any() and on_redundant == "error":
        raise FitError(f"{redundant_words(part, found, names)}; {_CHOOSE}")
    return found


def notes_of(part: ResidualPart, found: IdentifiedEffects, names: list[str]) -> list[str]:
    """What the reader should know of the design, before anything is fitted."""
    notes = []
    if found.aliased.any():
        notes.append(
            f"{redundant_words(part, found, names)}: V, the fixed effects and their tests do not "
            "depend on what is moved. By convention the residual is given all of it, and AIC "
            f"counts {found.found.rank} of {len(found.found.gram)} covariance parameters; {_CHOOSE}"
        )
    if found.weak:
        size = f"{found.condition:,.0f}" if np.isfinite(found.condition) else "above 1e15"
        by = "; by the variation of actual times within visits alone" * (
            part.term.structure == "us"
        )
        notes.append(
            "the random effects can be told from the residual only weakly (condition "
            f"{size}{by}): no standard errors are given for their variances"
        )
    return notes


def redundant_words(part: ResidualPart, found: IdentifiedEffects, names: list[str]) -> str:
    """The null directions in words."""
    touched = [name for name, own in zip(names, found.aliased, strict=True) if own.any()]
    whole = bool(found.aliased_residual.all())
    title = part.families[0].title
    title = title if title.startswith("Toeplitz") else title[0].lower() + title[1:]
    into = f"{'every entry of' if whole else 'part of'} the residual ({title})"
    if part.term.structure == "us" and whole:
        into = "every entry of the unstructured residual"
    return f"{_moved(touched)} can be moved into {into} without a change of V"


def _moved(names: list[str]) -> str:
    if len(names) > 1:
        listed = " and ".join(map(_effect, names))
        return f"the variances and covariances of the {listed}"
    return f"the {_effect(names[0])} variance".replace("random intercept", "random-intercept")


def _effect(name: str) -> str:
    return "random intercept" if name == "(Intercept)" else f"random slope of {name}"
