"""Constrained longitudinal data analysis: the baseline is a response, its mean common to the arms.

Liang and Zeger (2000). Randomisation makes the arms equal before treatment, so the model has one
mean at baseline, and an effect of each arm at each later visit. Subjects with a baseline alone, or
without one, are analysed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.variables import variable
from trialmlm.models.clda_fit import Constraint, constrained
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from trialmlm.models.clda_fit import CldaFit


def clda(
    response: str,
    data: pd.DataFrame,
    *,
    arm: str,
    visit: str,
    baseline: Any,
    subject: str,
    control: Any = None,
    covariates: str = "",
    structure: str = "us",
    df: str = "satterthwaite",
    information: str = "observed",
    vcov: str | None = None,
    weights: str | None = None,
    reml: bool = True,
) -> CldaFit:
    """Fit a constrained longitudinal data analysis (cLDA).

    Parameters
    ----------
    response : str
        Column, or a transformation of one, as ``log(AVAL)``.
    data : DataFrame
        One row per subject and visit; the baseline is a visit with a row and a response.
    arm, visit, subject : str
        Columns.
    baseline : level
        Of the visit. It comes first in the order of the visits.
    control : level, optional
        Of the arm; the first by default.
    covariates : str
        More fixed effects, as in a formula: ``"SEX + REGION * AVISIT"``. They must not involve
        the arm.
    structure : str
        Covariance over the visits, baseline included.
    df, information, vcov, weights, reml
        As in :func:`~trialmlm.models.mmrm.mmrm`.

    Returns
    -------
    CldaFit
        Its coefficients ``ARMCDTRT:AVISITVIS2`` are the differences from control at each visit.

    Raises
    ------
    UsageError
        If baseline or control is not a level, or the covariates involve the arm.
    FitError
        If no row with a response is at baseline or under control, a subject has rows of several
        arms, or the data do not carry the model.

    Notes
    -----
    E(y_ij) = x_i'γ + μ_j + δ_{a(i)j}, δ = 0 at baseline and under control; Σ unstructured over
    all visits. Under maximum likelihood, complete data and no covariates, δ̂_j is the treatment
    effect of the analysis of covariance of visit j on the baseline: the likelihood factors into
    that of the baseline and that of the later visits given it.

    Examples
    --------
    >>> fit = clda("AVAL", adqs, arm="TRT01P", visit="AVISIT", baseline="Baseline",
    ...            subject="USUBJID", control="Placebo", df="kenward-roger")  # doctest: +SKIP
    >>> fit.ls_means("TRT01P", by="AVISIT").contrasts("vs-control").frame  # doctest: +SKIP
    """
    keys = {arm, visit, subject} | ({weights} if weights else set())
    read = read_formula(f"{response} ~ {covariates.strip() or '1'}")
    used = data.iloc[model_frame(data, sorted(read.variables | keys)).rows]
    constraint = _constraint(data, used, arm, visit, subject, baseline, control)
    made = [*constraint.arm_columns, *constraint.visit_columns]
    clash = [name for name in made if name in data.columns]
    if clash:
        msg = f"clda: the data have a column {clash[0]}, the name of an indicator; rename it"
        raise UsageError(msg)
    if arm in read.fixed_variables:
        msg = f"clda: the covariates involve {arm}; its effect is there, by visit after baseline"
        raise UsageError(msg)
    others = [level for level in _levels(data, visit) if level != baseline]
    ordered = pd.Categorical(data[visit].astype(object), [baseline, *others])
    effects = "".join(
        _of_visit(v, constraint) for v in dict.fromkeys(v for _, v in constraint.effects)
    )
    more = f" + {covariates}" if covariates.strip() else ""
    formula = f"{response} ~ `{visit}`{more}{effects} + {structure}(`{visit}` | `{subject}`)"
    fit = mmrm(
        formula,
        constraint.added(data).assign(**{visit: ordered}),
        df=df,
        information=information,
        vcov=vcov,
        weights=weights,
        reml=reml,
    )
    return constrained(fit, constraint)


def _of_visit(visit: str, constraint: Constraint) -> str:
    """The effects at a visit: the arms stand first, so that the names of terms begin with them."""
    arms = " + ".join(f"`{a}`" for a, v in constraint.effects if v == visit)
    return f" + ({arms}):`{visit}`"


def _constraint(
    data: pd.DataFrame,
    used: pd.DataFrame,
    arm: str,
    visit: str,
    subject: str,
    baseline: Any,
    control: Any,
) -> Constraint:
    """The constraint on the levels that have a row used."""
    arms, visits = _levels(used, arm), _levels(used, visit)
    reference = arms[0] if control is None else control
    for name, level, known in ((visit, baseline, visits), (arm, reference, arms)):
        _check_level(data, name, level, known)
    if len(arms) < 2 or len(visits) < 2:
        msg = f"clda: {arm} and {visit} need two levels each, found {len(arms)} and {len(visits)}"
        raise FitError(msg)
    pairs = data[[subject, arm]].dropna().drop_duplicates()
    several = pairs[subject].duplicated()
    if several.any():
        msg = f"clda: {arm} changes within {pairs[subject][several].iloc[0]}; a subject has one arm"
        raise FitError(msg)
    later = tuple(level for level in visits if level != baseline)
    return Constraint(arm, visit, arms, (baseline, *later), reference)


def _check_level(data: pd.DataFrame, name: str, level: Any, known: tuple[Any, ...]) -> None:
    if level in known:
        return
    every = _levels(data, name)
    if level in every:
        msg = f"clda: {name} {level!r} has no row used; the analysis needs responses there"
        raise FitError(msg)
    msg = f"clda: {level!r} is not a level of {name}; they are {', '.join(map(repr, every))}"
    raise UsageError(msg)


def _levels(data: pd.DataFrame, name: str) -> tuple[Any, ...]:
    """The levels of a column in order: categories' or sorted."""
    column = data[name].dropna()
    found = variable(column)
    return found.levels or tuple(np.unique(found.numbers()).tolist())
