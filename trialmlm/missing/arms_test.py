"""Whether any of several arms differ, pooled over imputations."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.missing.joint_test import joint_test

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.answers import Answers


def arms_test(result: AnalysedImputation) -> pd.DataFrame:
    """F tests that the means of all arms are alike, at each visit asked for.

    Parameters
    ----------
    result : AnalysedImputation
        Of random draws, by an analysis of arms.

    Returns
    -------
    DataFrame
        visit, num_df, den_df, statistic, p_value, riv (relative increase in variance).

    Raises
    ------
    UsageError
        If the values were not drawn, the analysis is a user's function, or fillings failed.

    Notes
    -----
    D1 of Li, Raghunathan and Rubin (1991) with the df of Reiter (2007), information-anchored as
    Rubin's rules are. Of two arms it is their t test squared, but for its degrees of freedom.
    """
    plan = result.plan
    if not plan.imputation.drawn:
        msg = (
            "joint_test: it pools random draws, and a conditional mean has none; impute with "
            "method='bayes' or 'approximate-bayes'"
        )
        raise UsageError(msg)
    shifted = result.delta.to(plan.imputation.completions)
    found = plan.analysis.pairwise().answers(shifted)
    if not found.answered.all():
        msg = f"joint_test: some fillings gave no answer: {'; '.join(found.failures)}"
        raise UsageError(msg)
    visits = dict.fromkeys(quantity.visit for quantity in found.quantities)
    return pd.DataFrame([_at(visit, found, plan.imputation.layout.arms) for visit in visits])


def _at(visit: Any, found: Answers, arms: tuple[str, ...]) -> dict[str, Any]:
    """The test at one visit: every later arm against the first."""
    place = {(q.arms, q.visit): k for k, q in enumerate(found.quantities)}
    pairs = {
        (a, b): place[f"{arms[a]} - {arms[b]}", visit] for a, b in combinations(range(len(arms)), 2)
    }
    first = [pairs[0, b] for b in range(1, len(arms))]
    variances = {pair: found.std_error[:, k] ** 2 for pair, k in pairs.items()}
    df = float(found.df[:, first].mean())
    test = joint_test(found.estimate[:, first], _covariances(variances, len(arms)), df_complete=df)
    return {
        "visit": visit,
        "num_df": int(test.num_df),
        "den_df": test.den_df,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "riv": test.riv,
    }


def _covariances(variances: dict[tuple[int, int], Array], count: int) -> Array:
    """Of the differences from the first arm, from the variances of all of them, D × k × k."""
    rows = [
        [
            (variances[0, a] + variances[0, b] - variances.get((min(a, b), max(a, b)), 0.0)) / 2.0
            for b in range(1, count)
        ]
        for a in range(1, count)
    ]
    return np.moveaxis(np.array(rows), 2, 0)
