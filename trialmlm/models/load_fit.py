"""A saved fit, made again from its rows at its optimum: no search, and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.engine.convergence import Convergence, Reason
from trialmlm.engine.fit import fit_at, own_times, patterned
from trialmlm.errors import FitError, TrialmlmError
from trialmlm.formula.frame import frame_of
from trialmlm.formula.variables import Column
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES
from trialmlm.models.clda_fit import Constraint, constrained
from trialmlm.models.mmrm import assemble
from trialmlm.models.options import Options, check_options
from trialmlm.models.saved_fit import Saved, damaged, read_saved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.formula.frame import ModelFrame
    from trialmlm.models.mmrm import MmrmFit

#: how far −2l may be from the one in the file, relatively: another BLAS rounds otherwise
_CLOSE = 1e-10


def load_fit(path: str | Path) -> MmrmFit:
    """Load a fit that ``fit.save(path)`` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    MmrmFit
        Equal in all it answers: the design is built from the rows in the file, and the
        likelihood evaluated at the stored optimum.

    Raises
    ------
    UsageError
        If the file is not there, is damaged, or was written in a later format.
    FitError
        If the fit made again differs from the −2l or the coefficients in the file.

    Examples
    --------
    >>> fit.save("main.fit")  # doctest: +SKIP
    >>> load_fit("main.fit").ls_means("ARMCD", by="AVISIT").frame  # doctest: +SKIP
    """
    file = Path(path)
    saved = read_saved(file)
    try:
        fit, told = _made(saved), _Told.of(saved.head["check"])
    except TrialmlmError as error:
        raise damaged(file, str(error)) from error
    except (KeyError, IndexError, TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise damaged(file, f"{type(error).__name__}: {error}") from error
    _check(file, fit, told)
    return fit


@dataclass(frozen=True, slots=True)
class _Told:
    """What the file says of the fit, as a check of the fit made again."""

    minus2_loglik: float
    names: list[str]
    coefficients: Array

    @classmethod
    def of(cls, check: Mapping[str, Any]) -> _Told:
        stored = check["coefficients"]
        values = [np.nan if value is None else value for value in stored.values()]
        return cls(float(check["minus2_loglik"]), list(stored), np.array(values, dtype=float))


def _made(saved: Saved) -> MmrmFit:
    head = saved.head
    options = Options(**head["options"])
    check_options(options, REPEATED_DF_METHODS, tuple(SANDWICHES))
    theta = np.asarray(saved.arrays["theta"], dtype=float)
    at_optimum = partial(_at, theta=theta, ended=_ended(head))
    fit = assemble(head["formula"], _frame(saved), options, at_optimum)
    found = replace(fit, notes=tuple(head["notes"]))
    return constrained(found, Constraint.of(head["clda"])) if "clda" in head else found


def _at(
    design: Design,
    families: tuple[Covariance, ...],
    *,
    common: bool,
    reml: bool,
    theta: Array,
    ended: Convergence,
) -> GaussianFit:
    expected = sum(family.n_parameters for family in families)
    if theta.shape != (expected,):
        msg = f"{theta.size} covariance parameters, expected {expected}"
        raise ValueError(msg)
    if common:
        return fit_at(patterned(design, families[0], reml=reml), theta, ended)
    return fit_at(own_times(design, families, reml=reml), theta, ended)


def _ended(head: Mapping[str, Any]) -> Convergence:
    """How the search ended; its steps are not kept."""
    told = dict(head["convergence"])
    return Convergence(Reason[told.pop("reason")], **told, trace=())


def _frame(saved: Saved) -> ModelFrame:
    """The rows used, from the columns given."""
    columns = [
        _column(told, saved.arrays[f"column_{k}"]) for k, told in enumerate(saved.head["columns"])
    ]
    lengths = {len(column.missing) for column in columns}
    if len(lengths) != 1:
        msg = f"columns of {', '.join(map(str, sorted(lengths)))} rows"
        raise ValueError(msg)
    found = frame_of({column.name: column for column in columns}, pd.RangeIndex(lengths.pop()))
    labels = _index(**saved.head["labels"])
    if len(labels) != found.rows.size:
        msg = f"{len(labels)} labels for {found.rows.size} rows"
        raise ValueError(msg)
    return replace(found, labels=labels)


def _column(told: Mapping[str, Any], values: np.ndarray[Any, Any]) -> Column:
    """A column as it was read; codes that stand for no level are refused."""
    name, levels = told["name"], told["levels"]
    if levels is None:
        numbers = values.astype(float)
        return Column(name, None, numbers, np.isnan(numbers))
    if values.size and not (values.min() >= -1 and values.max() < len(levels)):
        msg = f"{name} has a code without a level"
        raise ValueError(msg)
    codes = values.astype(np.intp)
    return Column(name, tuple(levels), codes, codes < 0)


def _index(name: str | None, values: Any) -> pd.Index:
    return (
        pd.RangeIndex(**values, name=name)
        if isinstance(values, dict)
        else pd.Index(values, name=name)
    )


def _check(path: Path, fit: MmrmFit, told: _Told) -> None:
    """Refuse a fit that is not the one that was saved."""
    expected, found = told.minus2_loglik, fit.minus2_loglik
    if not abs(found - expected) <= _CLOSE * max(1.0, abs(expected), float(fit.n_obs)):
        msg = f"{path}: −2 log-likelihood is {found!r} when made again, {expected!r} in the file"
        raise FitError(f"{msg}; the file was changed, or this version computes otherwise")
    table = fit.coefficients()
    if told.names != table["term"].tolist() or _moved(table, told.coefficients):
        msg = f"{path}: the coefficients made again are not those in the file"
        raise FitError(f"{msg}; the file was changed, or this version computes otherwise")


def _moved(table: pd.DataFrame, stored: Array) -> bool:
    """Whether a coefficient is another, or is aliased in one alone."""
    far = np.abs(table["estimate"] - stored) > 1e-6 * table["std_error"]
    aliased = table["estimate"].isna().to_numpy() != np.isnan(stored)
    return bool(far.any() or aliased.any())
