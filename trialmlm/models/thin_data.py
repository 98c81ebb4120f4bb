"""Where the data are too thin for a covariance: which visits and arms, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trialmlm.arrays import BoolArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.formula.variables import Variable
    from trialmlm.models.occasions import Occasions

#: so many visits are named
_SHOWN = 8


def check_rows(design: Design, families: Sequence[Covariance], n_rows: int, rank: int = 0) -> None:
    """Refuse more parameters than rows.

    Raises
    ------
    FitError
    """
    n_covariance = sum(family.n_parameters for family in families)
    if n_rows >= rank + n_covariance:
        return
    effects = f"{rank} fixed effects and " if rank else ""
    msg = (
        f"{n_rows} rows of {len(design.observed)} subjects cannot carry {effects}"
        f"{n_covariance} covariance parameters; use fewer terms, fewer visits, or a structure "
        "with fewer parameters, such as cs or ar1h"
    )
    raise FitError(msg)


def reasoned(
    gaussian: GaussianFit,
    design: Design,
    families: Sequence[Covariance],
    found: Occasions,
    variables: Mapping[str, Variable],
) -> GaussianFit:
    """The same fit, whose search says by name where the data are thin, if it did not end well.

    Raises
    ------
    FitError
        If there are more parameters than rows.
    """
    check_rows(design, families, gaussian.n_observations, gaussian.rank)
    ended = gaussian.convergence
    if ended.converged or not ended.visits:
        return gaussian
    detail = _detail(ended.visits, design, found, variables)
    return replace(gaussian, convergence=replace(ended, detail=detail))


def _detail(
    weakest: tuple[int, ...], design: Design, found: Occasions, variables: Mapping[str, Variable]
) -> str:
    """How many subjects inform the visits, and which arm (or other factor) has the fewest rows."""
    at = list(weakest)
    labels = [found.labels[visit] for visit in at]
    whole = int(design.observed[:, at].all(axis=1).sum())
    listed = ", ".join(labels[:_SHOWN]) + (", …" if len(labels) > _SHOWN else "")
    text = (
        f"too little is known of the visits {listed}: {whole} of {len(design.observed)} subjects "
        "have them all"
    )
    thin = min(_cells(design.observed[:, at], labels, found, variables), default=None)
    if thin is None:
        return text
    return f"{text}; rows of {thin[1]} at {thin[2]}: {thin[0]}"


def _cells(
    observed: BoolArray, labels: list[str], found: Occasions, variables: Mapping[str, Variable]
) -> Iterator[tuple[int, str, str]]:
    """Rows of every level of every factor between subjects at every visit."""
    own = {found.visits.name, found.subjects.name}
    for name, variable in variables.items():
        if name in own or not variable.categorical or found.layout.scope(variable) != "subject":
            continue
        codes = np.asarray(variable.values)[found.layout.first_of_subject]
        for code, level in enumerate(variable.levels or ()):
            counts = observed[codes == code].sum(axis=0)
            for count, label in zip(counts.tolist(), labels, strict=True):
                yield count, f"{name} {level}", label
