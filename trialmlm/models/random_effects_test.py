"""Likelihood-ratio tests of the random effects, with the mixture that a boundary calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from trialmlm.engine.least_squares import least_squares
from trialmlm.errors import NotAvailableError
from trialmlm.expressions.spelling import spell
from trialmlm.formula.algebra import expand
from trialmlm.formula.grammar import read_formula
from trialmlm.models.levels import levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.formula.grammar import RandomTerm
    from trialmlm.models.lmm_fit import LmmFit


def random_effects_test(fit: LmmFit) -> pd.DataFrame:
    """Test every random effect by leaving it out, and all of them together.

    Parameters
    ----------
    fit : LmmFit
        By REML or ML; the fixed effects stay, so both compare.

    Returns
    -------
    DataFrame
        left_out, minus2_loglik (without it), statistic, df, p_value (χ², conservative),
        p_mixture: as a variance of zero is the edge of what it can be.

    Raises
    ------
    NotAvailableError
        If the model has several grouping factors.

    Notes
    -----
    Without one of r correlated effects r parameters go, a variance and r − 1 covariances, and the
    statistic is ½χ²_{r−1} + ½χ²_r (Self and Liang 1987; Stram and Lee 1994, case 3), with χ²_0 = 0;
    without one of uncorrelated effects a variance goes, and it is ½χ²_0 + ½χ²_1.
    The mixture of several variances at once depends on the design: `p_mixture` is NaN then.

    Examples
    --------
    >>> random_effects_test(lmm("Reaction ~ Days + (Days | Subject)", sleep))  # doctest: +SKIP
    """
    (level, *others), random = levels_of(fit), read_formula(fit.formula).random
    if others or len(random) > 1:
        raise NotAvailableError("random_effects_test: takes one grouping factor in this version")
    r = len(level.terms)
    rows = [
        _row(name, minus2, fit.minus2_loglik, _parameters(random[0], r, columns),
             known=columns == 1)
        for name, minus2, columns in _without_one(fit, random[0], r)
    ]  # fmt: skip
    everything = f"{level.name}, all" if r > 1 else f"{level.name}: {level.terms[0]}"
    rows.append(
        _row(everything, _without_any(fit, random[0]), fit.minus2_loglik,
             _parameters(random[0], r, r),
             known=r == 1)
    )  # fmt: skip
    return pd.DataFrame(rows)


def _parameters(random: RandomTerm, r: int, columns: int) -> int:
    """Entries of G that go with so many of its r rows; of uncorrelated effects the variances."""
    if not random.correlated:
        return columns
    rest = r - columns
    return (r * (r + 1) - rest * (rest + 1)) // 2


def _row(name: str, minus2: float, full: float, df: int, *, known: bool) -> dict[str, Any]:
    statistic = max(0.0, minus2 - full)
    upper = float(special.chdtrc(df, statistic))
    lower = float(special.chdtrc(df - 1, statistic)) if df > 1 else float(statistic <= 0.0)
    return {
        "left_out": name,
        "minus2_loglik": minus2,
        "statistic": statistic,
        "df": df,
        "p_value": upper,
        "p_mixture": (lower + upper) / 2.0 if known else float("nan"),
    }


def _without_one(fit: LmmFit, random: RandomTerm, r: int) -> Iterator[tuple[str, float, int]]:
    """Each term but the intercept: its name, −2l of the fit without it, its columns."""
    algebra, data = expand(random.terms), table_of(fit.variables)
    texts = [":".join(spell(algebra.factors[i]) for i in term) for term in algebra.terms]
    for name in filter(None, texts):
        if len(texts) < 2:
            return  # leaving out the only term is leaving out everything
        kept = [text or "1" for text in texts if text != name]
        first = [] if "1" in kept else ["0"]
        bar = "|" if random.correlated else "||"
        smaller = f"({' + '.join(first + kept)} {bar} {random.groups[0]})"
        one = lmm(
            fit.formula.replace(random.text, smaller), data, df="asymptotic", reml=fit.gaussian.reml
        )
        columns = r - len(levels_of(one)[0].terms)
        yield f"{random.groups[0]}: {name}", one.minus2_loglik, columns


def _without_any(fit: LmmFit, random: RandomTerm) -> float:
    """−2l without random effects."""
    data = table_of(fit.variables)
    if fit.levels is not None:
        left = fit.formula.replace(random.text, "1")
        return mmrm(left, data, df="asymptotic", reml=fit.gaussian.reml).minus2_loglik
    X = fit.coding.matrix(fit.variables, fit.n_obs)
    ols = least_squares(X, fit.response)
    free = ols.basis.kept.size if fit.gaussian.reml else 0
    left_over = fit.n_obs - free
    sigma2 = float(ols.residuals @ ols.residuals) / left_over
    constant = ols.basis.log_det if fit.gaussian.reml else 0.0
    return left_over * (1.0 + float(np.log(2.0 * np.pi * sigma2))) + constant
