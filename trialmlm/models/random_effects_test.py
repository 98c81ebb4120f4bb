"""Likelihood-ratio tests of the random effects, with the mixture that a boundary calls for."""

from __future__ import annotations

import re
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
        If effects are uncorrelated by ``||``, or nested by ``/`` beside other terms: write
        the terms out.

    Notes
    -----
    Without one of r correlated effects r parameters go, a variance and r − 1 covariances, and the
    statistic is ½χ²_{r−1} + ½χ²_r (Self and Liang 1987; Stram and Lee 1994, case 3), with χ²_0 = 0.
    The mixture of several variances at once depends on the design: `p_mixture` is NaN then.

    Examples
    --------
    >>> random_effects_test(lmm("Reaction ~ Days + (Days | Subject)", sleep))  # doctest: +SKIP
    """
    random = read_formula(fit.formula).random
    if len(random) > 1:
        return pd.DataFrame([_row(*one, fit.minus2_loglik) for one in _without_terms(fit, random)])
    _refuse(random[0])
    level, *_ = levels_of(fit)
    r = len(level.terms)
    rows = [
        _row(name, minus2, r if columns == 1 else _parameters(r, columns), columns == 1,
             fit.minus2_loglik)
        for name, minus2, columns in _without_one(fit, random[0], r)
    ]  # fmt: skip
    everything = f"{level.name}, all" if r > 1 else f"{level.name}: {level.terms[0]}"
    minus2 = _without_any(fit, random[0])
    rows.append(_row(everything, minus2, _parameters(r, r), r == 1, fit.minus2_loglik))
    return pd.DataFrame(rows)


def _refuse(term: RandomTerm) -> None:
    if len(term.groups) > 1 or not term.correlated or term.by:
        msg = (
            f"random_effects_test: write the terms of {term.text} out, as (1 | a) + (1 | b), to "
            "leave each of them out"
        )
        raise NotAvailableError(msg)


def _without_terms(
    fit: LmmFit, random: tuple[RandomTerm, ...]
) -> Iterator[tuple[str, float, int, bool]]:
    """Each term of several: its text, −2l without it, its parameters, whether it is a variance."""
    data = table_of(fit.variables)
    for term in random:
        _refuse(term)
        left = re.sub(rf"\+\s*{re.escape(term.text)}", "", fit.formula, count=1)
        if left == fit.formula:  # it stands first on the right side
            left = fit.formula.replace(term.text, "1", 1)
        one = lmm(left, data, **_as(fit))
        df = fit.n_covariance - one.n_covariance
        yield term.text, one.minus2_loglik, df, df == 1


def _parameters(r: int, columns: int) -> int:
    """Entries of G that go with so many of its r rows."""
    rest = r - columns
    return (r * (r + 1) - rest * (rest + 1)) // 2


def _row(name: str, minus2: float, df: int, known: bool, full: float) -> dict[str, Any]:
    """One test; `known`: whether the mixture is."""
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
        smaller = f"({' + '.join(first + kept)} | {random.groups[0]})"
        one = lmm(fit.formula.replace(random.text, smaller), data, **_as(fit))
        columns = r - len(levels_of(one)[0].terms)
        yield f"{random.groups[0]}: {name}", one.minus2_loglik, columns


def _without_any(fit: LmmFit, random: RandomTerm) -> float:
    """−2l without random effects."""
    data = table_of(fit.variables)
    if fit.levels is not None:
        left = fit.formula.replace(random.text, "1")
        return mmrm(left, data, **_as(fit)).minus2_loglik
    root = np.sqrt(fit.row_weights)
    X = fit.coding.matrix(fit.variables, fit.n_obs) * root[:, None]
    ols = least_squares(X, fit.response * root)
    free = ols.basis.kept.size if fit.gaussian.reml else 0
    left_over = fit.n_obs - free
    sigma2 = float(ols.residuals @ ols.residuals) / left_over
    constant = ols.basis.log_det if fit.gaussian.reml else 0.0
    constant -= float(np.log(fit.row_weights).sum())
    return left_over * (1.0 + float(np.log(2.0 * np.pi * sigma2))) + constant


def _as(fit: LmmFit) -> dict[str, Any]:
    """The options that the smaller model shares."""
    return {"df": "asymptotic", "weights": fit.options.weights, "reml": fit.gaussian.reml}
