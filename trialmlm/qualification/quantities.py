"""What is read from a fit or a frame and compared, by name."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.qualification.case import Case

    Values = dict[str, float]
    Reader = Callable[[Any, Case], Values]

#: the label of a quantity that is one number
ALONE: Final = ""


def _attribute(name: str) -> Reader:
    return lambda made, case: {ALONE: float(getattr(made, name))}


def _by(labels: list[str], frame: pd.DataFrame, column: str) -> Values:
    """A column by the text of others."""
    texts = (" | ".join(map(str, row)) for row in frame[labels].itertuples(index=False))
    return dict(zip(texts, frame[column].astype(float), strict=True))


def _coefficient(column: str) -> Reader:
    return lambda made, case: _by(["term"], made.coefficients(), column)


def _means(made: Any, case: Case) -> Any:
    """The LS means that the case asks for."""
    asked = case.means
    return made.ls_means(asked["of"], by=asked.get("by", ()), **asked.get("options", {}))


def _mean(column: str) -> Reader:
    return lambda made, case: _by(
        [name for name in (case.means["of"], case.means.get("by")) if name],
        _means(made, case).frame,
        column,
    )


def _difference(column: str) -> Reader:
    """Of the arms, at every visit."""
    return lambda made, case: _by(
        [case.means["by"]], _means(made, case).contrasts("vs-control").frame, column
    )


def _contrast(column: str) -> Reader:
    """Of levels, with the adjustment that the case asks for."""
    return lambda made, case: _by(
        ["contrast"], _means(made, case).contrasts(**case.means["contrasts"]).frame, column
    )


def _test(column: str) -> Reader:
    return lambda made, case: _by(["term"], made.anova(case.means.get("type", "III")), column)


def _rows(made: Any, case: Case) -> Values:
    """The column that a single imputation fills, by row number."""
    column = made[case.call["value"]]
    return {str(position): float(value) for position, value in enumerate(column, start=1)}


def _by_arm(column: str) -> Reader:
    """Of a frame with a row per arm."""
    return lambda made, case: _by(["arm"], made.frame, column)


def _pattern(made: Any, case: Case) -> Values:
    """Subjects by pattern and arm, of the patterns counted or of those tested."""
    frame = made.patterns if hasattr(made, "patterns") else made.frame
    return _by(["pattern", "arm"], frame, "n")


def _covariance(made: Any, case: Case) -> Values:
    """Σ̂ by two visits; that of every group, where there are groups."""
    found = made.covariance
    if isinstance(found, pd.DataFrame):
        return _triangle(found)
    return {
        f"{group}: {label}": value
        for group, matrix in found.items()
        for label, value in _triangle(matrix).items()
    }


def _triangle(matrix: pd.DataFrame) -> Values:
    values = matrix.to_numpy(float)
    pairs = combinations_with_replacement(range(len(values)), 2)
    labels = list(map(str, matrix.columns))
    return {f"{labels[a]} | {labels[b]}": float(values[b, a]) for a, b in pairs}


def _variance(made: Any, case: Case) -> Values:
    frame = made.variance_components()
    labels = frame[["group", "term", "term_2"]].agg(" ".join, axis=1).str.strip()
    return dict(zip(labels, frame["variance"], strict=True))


#: name -> how it is read
QUANTITIES: Final[Mapping[str, Reader]] = {
    "n_obs": _attribute("n_obs"),
    "n_subjects": _attribute("n_subjects"),
    "minus2_loglik": _attribute("minus2_loglik"),
    "aic": _attribute("aic"),
    "bic": _attribute("bic"),
    "estimate": _coefficient("estimate"),
    "std_error": _coefficient("std_error"),
    "df": _coefficient("df"),
    "p_value": _coefficient("p_value"),
    "covariance": _covariance,
    "variance": _variance,
    "mean_estimate": _mean("estimate"),
    "mean_std_error": _mean("std_error"),
    "mean_df": _mean("df"),
    "difference_estimate": _difference("estimate"),
    "difference_std_error": _difference("std_error"),
    "difference_df": _difference("df"),
    "difference_p_value": _difference("p_value"),
    "contrast_estimate": _contrast("estimate"),
    "contrast_std_error": _contrast("std_error"),
    "contrast_df": _contrast("df"),
    "contrast_p_value": _contrast("p_value"),
    "contrast_p_adjusted": _contrast("p_adjusted"),
    "test_statistic": _test("statistic"),
    "test_num_df": _test("num_df"),
    "test_den_df": _test("den_df"),
    "value": _rows,
    "pattern_count": _pattern,
    "little_statistic": _by_arm("statistic"),
    "little_df": _by_arm("df"),
    "little_p_value": _by_arm("p_value"),
}

#: quantity -> what its page calls it
TITLES: Final[Mapping[str, str]] = {
    "n_obs": "rows used",
    "n_subjects": "subjects used",
    "minus2_loglik": "−2 log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
    "estimate": "estimate",
    "std_error": "standard error",
    "df": "degrees of freedom",
    "p_value": "p-value",
    "covariance": "covariance of two visits",
    "variance": "variance or covariance",
    "mean_estimate": "LS mean",
    "mean_std_error": "its standard error",
    "mean_df": "its degrees of freedom",
    "difference_estimate": "difference",
    "difference_std_error": "its standard error",
    "difference_df": "its degrees of freedom",
    "difference_p_value": "its p-value",
    "contrast_estimate": "contrast",
    "contrast_std_error": "its standard error",
    "contrast_df": "its degrees of freedom",
    "contrast_p_value": "its p-value",
    "contrast_p_adjusted": "its adjusted p-value",
    "test_statistic": "F",
    "test_num_df": "numerator df",
    "test_den_df": "denominator df",
    "value": "value of the row",
    "pattern_count": "subjects with the pattern",
    "little_statistic": "d²",
    "little_df": "its degrees of freedom",
    "little_p_value": "its p-value",
}
