"""Whether data carry random effects, and what the reader of a fit should know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.identified import variances_identified
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.formula.variables import Variable
    from trialmlm.models.random_part import RandomPart


def check_random(parts: Sequence[RandomPart], Z: Sequence[Array], levels: Variable | None) -> None:
    """Refuse grouping factors and effects whose variances the rows cannot tell apart.

    Raises
    ------
    FitError
    """
    for part, own in zip(parts, Z, strict=True):
        _check_part(part, own)
    if len(parts) == 1:
        codes = parts[0].groups.codes
        residual = np.zeros_like(codes) if levels is None else levels.codes
        if parts[0].single and not variances_identified(Z[0], codes, residual):
            msg = (
                f"the variances of {parts[0].texts[0]} and of the residual cannot be told apart: "
                f"the rows of a {parts[0].name} are too few, or stand at too few times; leave a "
                "random effect out"
            )
            raise FitError(msg)


def _check_part(part: RandomPart, Z: Array) -> None:
    if part.n_levels < 2:
        msg = (
            f"{part.name} has one level in the rows used: its variance cannot be estimated; "
            f"leave {' + '.join(part.texts)} out"
        )
        raise FitError(msg)
    if np.linalg.matrix_rank(Z) < Z.shape[1]:
        msg = (
            f"the columns of the random effects {' + '.join(part.texts)} are redundant; leave a "
            "term out"
        )
        raise FitError(msg)
    if len(Z) <= part.n_levels:
        msg = (
            f"every level of {part.name} has one row: the variance between levels cannot be "
            "told from the residual's; leave the term out, or group by a factor with several rows "
            "per level"
        )
        raise FitError(msg)


def remarks_on_random(
    parts: Sequence[RandomPart], Z: Sequence[Array], fit: GaussianFit
) -> tuple[str, ...]:
    """Notes of a fit on its random effects."""
    del parts, Z, fit
    return ()
