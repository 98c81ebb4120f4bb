"""What the covariance of an MMRM asks of the data: groups, weights, visits that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError
from trialmlm.formula.factor import level_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.design import Design
    from trialmlm.formula.design import Layout
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.formula.grammar import CovarianceTerm
    from trialmlm.formula.variables import Variable
    from trialmlm.models.occasions import Occasions


#: so many visits are named
_SHOWN = 5


def check_levels(term: CovarianceTerm, data: pd.DataFrame, frame: ModelFrame) -> None:
    """Refuse a declared level of the group that no row used has.

    Raises
    ------
    FitError
    """
    if term.group is None:
        return
    levels = frame.variables[term.group].as_factor().levels or ()
    declared = data[term.group].array
    if isinstance(declared, pd.Categorical):
        empty = [str(level) for level in declared.categories if level not in levels]
        if empty:
            msg = (
                f"{term.group} groups the covariance but has no row used at {', '.join(empty)}: "
                "that covariance cannot be estimated; remove the unused categories"
            )
            raise FitError(msg)


def covariance_group(term: CovarianceTerm, frame: ModelFrame, found: Occasions) -> Variable | None:
    """The factor each level of which has a covariance of its own.

    Raises
    ------
    FitError
        If it changes within a subject.
    """
    if term.group is None:
        return None
    group = frame.variables[term.group].as_factor()
    layout = found.layout
    changes = group.codes != group.codes[layout.first_of_subject][layout.subject]
    if changes.any():
        place = layout.subject[int(np.argmax(changes))]
        subject = level_text((found.subjects.levels or ())[place])
        msg = (
            f"{term.group} groups the covariance but changes within subject {subject}; "
            "a subject has one covariance: use a column that is constant within subjects"
        )
        raise FitError(msg)
    return group


def row_weights(frame: ModelFrame, name: str, layout: Layout) -> Array:
    """The weights as a table subjects × visits; errors as below."""
    return layout.table(checked_weights(frame, name))


def checked_weights(frame: ModelFrame, name: str) -> Array:
    """The weights of the rows used.

    Raises
    ------
    FitError
        If one is not a positive number.
    """
    values = frame.variables[name].numbers()
    wrong = ~(values > 0.0)
    if wrong.any():
        row = int(np.argmax(wrong))
        msg = (
            f"weights: {name} is {values[row]:g} in row {frame.labels[row]} (and "
            f"{int(wrong.sum()) - 1} more rows); a weight is above zero: leave such rows out"
        )
        raise FitError(msg)
    return values


def check_informed(
    design: Design, families: Sequence[Covariance], found: Occasions, group: Variable | None
) -> None:
    """Every covariance parameter must be seen on some subject of its group.

    Raises
    ------
    FitError
        Naming the visits that no subject has together.
    """
    if not found.common:
        return
    names = found.labels
    for g, family in enumerate(families):
        observed = design.observed[design.groups == g].astype(float)
        together = observed.T @ observed > 0.0
        if together.all():
            continue
        tangent = family.tangent(family.start(np.eye(len(names))))
        unseen = (np.abs(tangent) * together).sum(axis=(1, 2)) == 0.0
        if not unseen.any():
            continue
        asked = (tangent[unseen] != 0.0).any(axis=0) & ~together
        of = f" with {group.name} {level_text((group.levels or ())[g])}" if group else ""
        msg = (
            f"no subject{of} has {_listed(asked, names)} cannot be estimated; leave a visit out or "
            "use a structure with fewer parameters"
        )
        raise FitError(msg)


def _listed(asked: BoolArray, names: Sequence[str]) -> str:
    """The visits that nobody has, or else the pairs; and what is not known of them."""
    alone = np.flatnonzero(np.diag(asked))
    if alone.size:
        visits = ", ".join(names[visit] for visit in alone[:_SHOWN])
        return f"the visit {visits}: its variance"
    pairs = np.argwhere(np.triu(asked))[:_SHOWN]
    listed = ", ".join(f"{names[a]} and {names[b]}" for a, b in pairs)
    return f"both visits {listed}: their covariance"
