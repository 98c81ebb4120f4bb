"""Expected numbers by textbook arithmetic, for models that have a closed form.

Nothing of the engine is used: means, sums of squares and least squares only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from trialmlm.qualification.quantities import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.qualification.case import Case, Numbers

    ClosedForm = Callable[[pd.DataFrame, Case], Numbers]


def paired_t(data: pd.DataFrame, case: Case) -> Numbers:
    """Student's paired t-test: mean of the differences, their SD / √n, n − 1; drug 1 alone too."""
    del case
    wide = data.pivot_table(index="PATIENT", columns="DRUG", values="EXTRA")
    n = len(wide)
    series = {"(Intercept)": wide["D1"], "DRUGD2": wide["D2"] - wide["D1"]}
    means = {name: float(one.mean()) for name, one in series.items()}
    errors = {name: float(one.std(ddof=1)) / np.sqrt(n) for name, one in series.items()}
    return {
        "estimate": means,
        "std_error": errors,
        "df": dict.fromkeys(series, n - 1.0),
        "p_value": {name: _two_sided_odd(means[name] / errors[name], n - 1) for name in series},
    }


def _two_sided_odd(t: float, df: int) -> float:
    """Two-sided p of Student's t with odd df ≥ 3: a finite sum (Abramowitz and Stegun, 26.7.3)."""
    angle = np.arctan(abs(t) / np.sqrt(df))
    cosine = np.cos(angle)
    term, total = cosine, cosine
    for k in range(3, df - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return float(1.0 - (angle + np.sin(angle) * total) * 2.0 / np.pi)


def two_sample_t(data: pd.DataFrame, case: Case) -> Numbers:
    """Complete data, means of every arm and visit, unstructured: a t-test at every visit."""
    del case
    first, second = _two_groups(data)
    n_1, n_2 = len(first), len(second)
    pooled = _pooled(first, second)
    labels = _visits(data)
    errors = np.sqrt(np.diag(pooled) * (1.0 / n_1 + 1.0 / n_2))
    triangle = {
        f"{a} | {b}": float(pooled[j, i])
        for i, a in enumerate(labels)
        for j, b in enumerate(labels)
        if i <= j
    }
    return {
        "difference_estimate": _labelled(labels, second.mean(axis=0) - first.mean(axis=0)),
        "difference_std_error": _labelled(labels, errors),
        "difference_df": dict.fromkeys(labels, float(n_1 + n_2 - 2)),
        "covariance": triangle,
    }


def split_plot(data: pd.DataFrame, case: Case) -> Numbers:
    """Complete data, compound symmetry: the analysis of variance of a split plot.

    Children within sex are tested against each other, ages against children by ages. Types I and
    III differ for the ages, as there are more boys than girls; these are type III.
    """
    del case
    first, second = _two_groups(data)
    n_1, n_2, visits = len(first), len(second), first.shape[1]
    harmonic = 1.0 / (1.0 / n_1 + 1.0 / n_2)
    between, within = _mean_squares(first, second)
    mean_1, mean_2 = first.mean(axis=0), second.mean(axis=0)
    apart = mean_2 - mean_1
    level = (mean_1 + mean_2) / 2.0
    shared = (between - within) / visits
    sums = {
        "SEX": (visits * harmonic * apart.mean() ** 2, 1, between, n_1 + n_2 - 2),
        "AGEF": (4.0 * harmonic * ((level - level.mean()) ** 2).sum(), visits - 1, within, 0),
        "SEX:AGEF": (harmonic * ((apart - apart.mean()) ** 2).sum(), visits - 1, within, 0),
    }
    error_df = (n_1 + n_2 - 2) * (visits - 1)
    labels = _visits(data)
    return {
        "test_statistic": {name: float(ss / df / ms) for name, (ss, df, ms, _) in sums.items()},
        "test_num_df": {name: float(df) for name, (_, df, _, _) in sums.items()},
        "test_den_df": {name: float(own or error_df) for name, (_, _, _, own) in sums.items()},
        "covariance": {
            f"{a} | {b}": float(shared + (within if i == j else 0.0))
            for i, a in enumerate(labels)
            for j, b in enumerate(labels)
            if i <= j
        },
    }


def one_visit(data: pd.DataFrame, case: Case) -> Numbers:
    """One record per subject: ordinary least squares, and HC0 to HC3 for the sandwiches.

    CR1 is CR0 · n / (n − 1). With one record per subject CR2 and CR3 are HC2 and HC3.
    """
    used = data.dropna(subset=["CHG"])
    design = np.column_stack(
        [np.ones(len(used)), used["BASE"], (used["ARM"] == "ACT").astype(float)]
    ).astype(float)
    y = used["CHG"].to_numpy(float)
    n, q = design.shape
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    residual = y - design @ beta
    sigma2 = float(residual @ residual) / (n - q)
    covariance = _robust(str(case.call.get("vcov")), design, residual, inverse, sigma2)
    names = ["(Intercept)", "BASE", "ARMACT"]
    determinant = float(np.linalg.slogdet(design.T @ design)[1])
    minus2 = (n - q) * (np.log(2.0 * np.pi * sigma2) + 1.0) + determinant
    return {
        "n_obs": {ALONE: float(n)},
        "estimate": _labelled(names, beta),
        "std_error": _labelled(names, np.sqrt(np.diag(covariance))),
        "df": dict.fromkeys(names, float(n - q)),
        "minus2_loglik": {ALONE: float(minus2)},
    }


def _robust(kind: str, design: Array, residual: Array, inverse: Array, sigma2: float) -> Array:
    """The covariance of the coefficients: model-based, or one of the sandwiches."""
    n = len(design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    factors = {
        "CR0": np.ones(n),
        "CR1": np.full(n, n / (n - 1.0)),
        "CR2": 1.0 / (1.0 - leverage),
        "CR3": 1.0 / (1.0 - leverage) ** 2,
    }
    if kind not in factors:
        return sigma2 * inverse
    meat = (design * (residual**2 * factors[kind])[:, None]).T @ design
    sandwich: Array = inverse @ meat @ inverse
    return sandwich


def _two_groups(data: pd.DataFrame) -> tuple[Array, Array]:
    """Children × ages, of the boys and of the girls."""
    wide = data.pivot_table(index=["SEX", "CHILD"], columns="AGE", values="DISTANCE", observed=True)
    return wide.loc["M"].to_numpy(float), wide.loc["F"].to_numpy(float)


def _visits(data: pd.DataFrame) -> list[str]:
    return [str(age) for age in sorted(data["AGE"].unique())]


def _pooled(first: Array, second: Array) -> Array:
    """The covariance of the visits, pooled over two groups."""
    parts = [(group - group.mean(axis=0)) for group in (first, second)]
    pooled: Array = sum(part.T @ part for part in parts) / (len(first) + len(second) - 2)
    return pooled


def _mean_squares(first: Array, second: Array) -> tuple[float, float]:
    """Of children within sex, and of children by ages within sex."""
    visits = first.shape[1]
    pooled = _pooled(first, second)
    between = float(pooled.sum()) / visits
    within = (float(np.trace(pooled)) - between) / (visits - 1)
    return between, within


def _labelled(labels: list[str], values: Array) -> dict[str, float]:
    return dict(zip(labels, map(float, values), strict=True))


#: name in a case -> how its numbers are made
CLOSED_FORMS: Final[Mapping[str, ClosedForm]] = {
    "paired_t": paired_t,
    "two_sample_t": two_sample_t,
    "split_plot": split_plot,
    "one_visit": one_visit,
}
