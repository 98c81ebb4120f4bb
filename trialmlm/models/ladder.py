"""A pre-specified list of models: the first that can be fitted is the one reported.

Every step names structure, variance and degrees of freedom, so that nothing is decided after the
data are seen; the result keeps which step was used, and why each earlier one was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES
from trialmlm.models.mmrm import mmrm
from trialmlm.models.options import Options, check_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from trialmlm.models.mmrm import MmrmFit


@dataclass(frozen=True, slots=True)
class Step:
    """One model of the list.

    Attributes
    ----------
    structure : str
        Covariance over the visits, as in a formula: us, toeph, …
    df : str
        Degrees of freedom, as in :func:`~trialmlm.models.mmrm.mmrm`.
    vcov : str or None
        Sandwich covariance of the estimates; None for what the df method implies.
    information : str
        Behind Satterthwaite and Kenward-Roger.
    """

    structure: str
    df: str = "satterthwaite"
    vcov: str | None = None
    information: str = "observed"

    def __str__(self) -> str:
        return ", ".join(part for part in (self.structure, self.vcov, self.df) if part)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step that was not used, and why."""

    step: Step
    reason: str

    def __str__(self) -> str:
        return f"{self.step}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LadderFit:
    """The first step that could be fitted.

    Attributes
    ----------
    fit : MmrmFit
    step : Step
        The one used.
    attempts : tuple of Attempt
        The earlier steps.
    n_steps : int
        Of the list.
    """

    fit: MmrmFit
    step: Step
    attempts: tuple[Attempt, ...]
    n_steps: int

    @property
    def number(self) -> int:
        """Of the step used, from 1."""
        return len(self.attempts) + 1

    def __str__(self) -> str:
        used = f"step {self.number} of {self.n_steps} used: {self.step}"
        return "\n".join([used, *_told(self.attempts)])


@dataclass(frozen=True, slots=True)
class LadderFailure:
    """No step could be fitted: the reasons, and no numbers.

    Attributes
    ----------
    attempts : tuple of Attempt
        Every step of the list.
    """

    attempts: tuple[Attempt, ...]

    @property
    def fit(self) -> NoReturn:
        """There is none.

        Raises
        ------
        FitError
            With the reason of every step.
        """
        raise FitError(str(self))

    def __str__(self) -> str:
        head = f"none of the {len(self.attempts)} pre-specified models can be fitted"
        return "\n".join([head, *_told(self.attempts)])


def _told(attempts: tuple[Attempt, ...]) -> list[str]:
    return [f"step {k} not used: {attempt}" for k, attempt in enumerate(attempts, 1)]


def mmrm_ladder(
    fixed: str,
    data: pd.DataFrame,
    *,
    visit: str,
    subject: str,
    steps: Sequence[Step],
    weights: str | None = None,
    reml: bool = True,
) -> LadderFit | LadderFailure:
    """Fit the first model of a pre-specified list that converges.

    Parameters
    ----------
    fixed : str
        ``response ~ fixed effects``, without a covariance.
    data : DataFrame
    visit, subject : str
        Columns.
    steps : sequence of Step
        In the order of preference.
    weights, reml
        As in :func:`~trialmlm.models.mmrm.mmrm`.

    Returns
    -------
    LadderFit or LadderFailure
        Both carry `attempts`: the steps not used, each with the reason; asking a failure for
        its `fit` raises FitError.

    Raises
    ------
    UsageError, NotAvailableError
        If there is no step, or any step asks for what there is not: before anything is fitted.

    Examples
    --------
    >>> ladder = mmrm_ladder(
    ...     "FEV1 ~ RACE + SEX + ARMCD * AVISIT", fev, visit="AVISIT", subject="USUBJID",
    ...     steps=[Step("us", "kenward-roger"), Step("toeph"), Step("cs")],
    ... )  # doctest: +SKIP
    >>> ladder.fit.ls_means("ARMCD", by="AVISIT").frame  # doctest: +SKIP
    """
    if read_formula(fixed).covariance:
        raise UsageError("mmrm_ladder: the steps name the covariance; leave it out of `fixed`")
    columns = f"(`{visit}` | `{subject}`)"
    return climb(f"{fixed} + us{columns}", data, steps, weights=weights, reml=reml)


def climb(
    formula: str,
    data: pd.DataFrame,
    steps: Sequence[Step],
    *,
    weights: str | None = None,
    reml: bool = True,
) -> LadderFit | LadderFailure:
    """The same for a formula with a covariance, whose structure each step replaces."""
    if not steps:
        raise UsageError("mmrm_ladder: the list of steps is empty")
    for step in steps:
        if not isinstance(step, Step):
            msg = f"mmrm_ladder: found {step!r} among the steps, expected Step('us'), …"
            raise UsageError(msg)
        read_formula(with_structure(formula, step.structure))
        asked = Options(step.df, step.information, step.vcov, weights, reml)
        check_options(asked, REPEATED_DF_METHODS, tuple(SANDWICHES))
    attempts: list[Attempt] = []
    for step in steps:
        made = _try(with_structure(formula, step.structure), data, step, weights, reml=reml)
        if not isinstance(made, str):
            return LadderFit(made, step, tuple(attempts), len(steps))
        attempts.append(Attempt(step, made))
    return LadderFailure(tuple(attempts))


def with_structure(formula: str, structure: str) -> str:
    """A formula with another structure in its covariance term."""
    (term,) = read_formula(formula).covariance
    after = term.start + len(term.structure)
    return f"{formula[: term.start]}{structure}{formula[after:]}"


def _try(
    formula: str, data: pd.DataFrame, step: Step, weights: str | None, *, reml: bool
) -> MmrmFit | str:
    """The fit, or why there is none."""
    try:
        fit = mmrm(
            formula,
            data,
            df=step.df,
            information=step.information,
            vcov=step.vcov,
            weights=weights,
            reml=reml,
        )
    except FitError as error:
        return str(error)
    except np.linalg.LinAlgError as error:
        return (
            f"the model cannot be computed from these data ({error}); look for columns that are "
            "nearly redundant, or visits with few values"
        )
    return fit if fit.convergence.converged else str(fit.convergence)
