"""Whether two fits speak of the same data, and of the same fixed effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.response import response_values
from trialmlm.models.mixed import MixedFit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trialmlm.arrays import Array, IntArray

#: columns of X that another X's columns give to this, relatively, lie in its span
_SPANNED = 1e-7


def check_mixed(who: str, fits: Iterable[object]) -> None:
    """Refuse what is no mixed model.

    Raises
    ------
    UsageError
    """
    for fit in fits:
        if not isinstance(fit, MixedFit):
            found = type(fit).__name__
            msg = f"{who}: found {found}, expected fitted mixed models (mmrm, lmm), one by one"
            raise UsageError(msg)


def check_same_rows(who: str, first: MixedFit, other: MixedFit) -> None:
    """Refuse fits to different rows, or of different responses.

    Raises
    ------
    UsageError
        Says what differs.
    """
    if first.n_obs != other.n_obs:
        msg = (
            f"{who}: the fits use different rows ({first.n_obs:,} and {other.n_obs:,}); leave out "
            "of the data the rows where a column of either model is missing, and fit again"
        )
        raise UsageError(msg)
    y, z = _response(first), _response(other)
    if not np.array_equal(np.sort(y), np.sort(z)):
        msg = f"{who}: the responses of the fits differ; compare models of the same response"
        raise UsageError(msg)
    if np.array_equal(y, z) and (first.several_groupings or other.several_groupings):
        return  # in one order, and a grouping factor may be what is compared
    if not np.array_equal(y[_order(first, y)], z[_order(other, z)]):
        msg = f"{who}: the fits use different rows, or tell subjects apart by different columns"
        raise UsageError(msg)


def check_same_fixed(who: str, first: MixedFit, other: MixedFit) -> None:
    """Refuse to compare REML likelihoods of different fixed effects.

    Raises
    ------
    UsageError
        Also where they differ in their coding alone: log|X'ΩX| depends on it.
    """
    same = first.gaussian.rank == other.gaussian.rank and spans(first, other)
    dets = [_log_det(fit) for fit in (first, other)]
    if not same or abs(dets[0] - dets[1]) > 1e-6 * max(1.0, abs(dets[0])):
        how = "are coded differently" if same else "differ"
        msg = (
            f"{who}: the fixed effects {how}, and REML likelihoods of different fixed effects "
            "cannot be compared; fit with reml=False"
        )
        raise UsageError(msg)


def _log_det(fit: MixedFit) -> float:
    """log|X'X| of the columns that are not aliased, without the weights of rows."""
    X = fit.coding.matrix(fit.variables, fit.n_obs)[:, fit.method.coefficients.basis.kept]
    return 2.0 * float(np.log(np.abs(np.diag(np.linalg.qr(X).R))).sum())


def spans(larger: MixedFit, smaller: MixedFit) -> bool:
    """Whether the fixed effects of one model include those of another, on the rows used."""
    y, z = _response(larger), _response(smaller)
    X = larger.coding.matrix(larger.variables, y.size)
    Z = smaller.coding.matrix(smaller.variables, z.size)
    if not np.array_equal(y, z):  # the data came in another order
        X, Z = X[_order(larger, y)], Z[_order(smaller, z)]
    norms = np.linalg.norm(X, axis=0)
    Q, values, _ = np.linalg.svd(X / np.where(norms > 0.0, norms, 1.0), full_matrices=False)
    Q = Q[:, values > 1e-9 * values[0]]
    rest = Z - Q @ (Q.T @ Z)
    sizes = np.linalg.norm(Z, axis=0)
    return bool((np.linalg.norm(rest, axis=0) <= _SPANNED * sizes).all())


def _response(fit: MixedFit) -> Array:
    return response_values(read_formula(fit.formula).response, fit.variables)


def _order(fit: MixedFit, y: Array) -> IntArray:
    """Subject by subject, by label, whatever the order of categories or rows."""
    unit = fit.variables[fit.unit or ""]
    labels = np.asarray(unit.values)
    if unit.levels is not None:
        labels = np.array([str(level) for level in unit.levels])[labels]
    return np.lexsort((y, labels))
