"""Whether data carry random effects, and what the reader of a fit should know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.basis import triangle
from trialmlm.engine.identified import variances_identified
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.crossed import CrossedLikelihood
    from trialmlm.formula.variables import Variable
    from trialmlm.models.random_part import RandomPart

#: columns of a term closer to each other than this, relatively, cannot be told apart
_REDUNDANT = 1e-8
#: from here on an intercept is that of a place far outside the data
_FAR = 1e3
#: values closer than this, relatively, are the same
_SAME = 1e-12
#: a parameter belongs to a direction if its share in it is at least this
_SHARE = 0.1


def check_random(parts: Sequence[RandomPart], Z: Sequence[Array], levels: Variable | None) -> None:
    """Refuse grouping factors and effects whose variances the rows cannot tell apart.

    Parameters
    ----------
    parts : sequence of RandomPart
    Z : sequence of ndarray, shape (N, r)
        Columns of each.
    levels : Variable or None
        Which residual variance a row has.

    Raises
    ------
    FitError
    """
    for part, own in zip(parts, Z, strict=True):
        check_part(part, own)
    (first, *others), codes = parts, parts[0].groups.codes
    residual = np.zeros_like(codes) if levels is None else levels.codes
    if first.single and not others and not variances_identified(Z[0], codes, residual):
        msg = (
            f"the variances of {first.texts[0]} and of the residual cannot be told apart: the rows "
            f"of a {first.name} are too few, or stand at too few times; leave a random effect out"
        )
        raise FitError(msg)


def check_part(part: RandomPart, Z: Array) -> None:
    """Refuse a grouping factor of one level or of a level per row, and redundant columns.

    Raises
    ------
    FitError
    """
    written = " + ".join(dict.fromkeys(part.texts))
    if part.n_levels < 2:
        msg = (
            f"{part.name} has one level in the rows used: its variance cannot be estimated; leave "
            f"{written} out"
        )
        raise FitError(msg)
    if _spread(Z) < _REDUNDANT:
        msg = (
            f"the columns of the random effects {written} are redundant, or too far from zero for "
            "their spread to be told apart; leave a term out, or centre it"
        )
        raise FitError(msg)
    if len(Z) <= part.n_levels:
        msg = (
            f"every level of {part.name} has one row: the variance between levels cannot be told "
            "from the residual's; leave the term out, or group by what has several rows"
        )
        raise FitError(msg)


def _spread(Z: Array) -> float:
    """The smallest singular value of Z in columns of one length, relative to the largest."""
    lengths = np.linalg.norm(Z, axis=0)
    if not lengths.all():
        return 0.0
    values = np.linalg.svd(triangle(Z / lengths), compute_uv=False)
    return float(values[-1] / values[0])


def check_identified(parts: Sequence[RandomPart], likelihood: CrossedLikelihood) -> None:
    """Refuse variances that the design cannot tell apart, and name them.

    Raises
    ------
    FitError
    """
    direction = likelihood.confounded
    if direction is None:
        return
    owners = [factor.given for factor in likelihood.data.factors for _ in range(len(factor.pairs))]
    share = np.abs(direction) >= _SHARE * np.abs(direction).max()
    named = dict.fromkeys(parts[given].name for given, moved in zip(owners, share) if moved)  # noqa: B905
    if share[-1]:
        named["the residual"] = None
    said = " and ".join(named)
    if len(named) == 1:
        msg = (
            f"the variances of {said} are not estimable: its levels, or the columns of its random "
            "effects, are fixed effects as well, or too few rows tell the effects apart; leave one "
            "out"
        )
    else:
        msg = (
            f"the variances of {said} cannot be told apart: their levels hold the same rows, or "
            "nearly; leave one of the terms out"
        )
    raise FitError(msg)


def remarks_on_random(
    parts: Sequence[RandomPart], Z: Sequence[Array], singular: Sequence[bool]
) -> tuple[str, ...]:
    """Notes of a fit on its random effects.

    Parameters
    ----------
    parts : sequence of RandomPart
    Z : sequence of ndarray, shape (N, r)
    singular : sequence of bool
        Which G are singular, block after block.
    """
    told = [
        note for part, own in zip(parts, Z, strict=True) for note in remarks_on_columns(part, own)
    ]
    blocks = [
        (part, names)
        for part in parts
        for names in np.split(part.names, np.cumsum(part.sizes)[:-1])
    ]
    told += [
        _remark_on_boundary(part, tuple(names))
        for (part, names), at in zip(blocks, singular, strict=True)
        if at
    ]
    return tuple(told)


def remarks_on_columns(part: RandomPart, Z: Array) -> Iterator[str]:
    """Notes on slopes that are none, and on intercepts far outside the data."""
    # column by column: an axis as short as this one is slow to reduce beside
    sizes = np.array([np.abs(column).max() for column in Z.T])
    constant = np.array([np.ptp(column) for column in Z.T]) <= _SAME * sizes
    for k, name in enumerate(part.names):
        if constant[k]:
            continue
        if not _varies_within(Z[:, k], part.groups.codes, float(sizes[k])):
            # an indicator is there to give some levels a variance of their own
            if not np.isin(Z[:, k], (0.0, 1.0)).all():
                yield (
                    f"{name} does not vary within any {part.name}: its random effect lets the "
                    f"variance between levels depend on {name} and is no slope; leave it out "
                    "unless that is meant"
                )
        elif constant.any() and sizes[k] > _FAR * np.std(Z[:, k]):
            yield (
                f"{name} is far from zero for its spread: the variance of the intercept by "
                f"{part.name} is that at {name} = 0, far outside the data; centre {name}"
            )


def _varies_within(column: Array, codes: IntArray, size: float) -> bool:
    """Whether a column varies within a level; as a rule the first rows show it."""
    for end in (1000, len(column)):
        own, values = codes[:end], column[:end]
        some = np.zeros(int(own.max()) + 1)
        some[own] = values  # that of a row of each level
        if np.abs(values - some[own]).max() > _SAME * size:
            return True
    return False


def _remark_on_boundary(part: RandomPart, names: tuple[str, ...]) -> str:
    held = "it is held there where degrees of freedom and Kenward-Roger's covariance are computed"
    if len(names) == 1:
        return (
            f"the variance of {names[0]} by {part.name} is estimated as zero, the boundary; {held}"
        )
    return (
        f"the covariance of {', '.join(names)} by {part.name} is estimated as singular, the "
        f"boundary: a variance of zero or a correlation of one; {held}; fewer effects, or "
        "uncorrelated ones (||), may be all the data carry"
    )
