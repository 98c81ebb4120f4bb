"""The analyses of the shipped protocol, each made of one trial."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.formula.grammar import read_formula
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.completers import completers
from trialmlm.models.ancova import ancova
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm
from trialmlm.protocol import load_protocol
from validation.ipf_fvc.records import ACTIVE, LAST_VISIT, PLACEBO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.models.ls_means import LsMeans
    from trialmlm.protocol.analyses import Analysis

    Numbers = dict[str, float]

PROTOCOL = Path(__file__).parents[2] / "protocols" / "ipf_fvc"
#: the analyses that are made of every trial
COMPARED = frozenset({"A1", "A2", "A2.completers", "A2.completers_ancova", "A2.locf"})
#: of a difference: what is kept
_OF_DIFFERENCE = ("std_error", "ci_low", "ci_high", "p_value")


@dataclass(frozen=True, slots=True)
class Method:
    """An analysis of the protocol, with all it takes from others.

    Attributes
    ----------
    name : str
        Its key in the protocol.
    analysis : Analysis
    """

    name: str
    analysis: Analysis

    @property
    def label(self) -> str:
        """Its words in tables."""
        return self.analysis.label or self.name

    @property
    def estimand(self) -> str:
        """Key of the estimand it estimates."""
        return self.analysis.estimand or ""

    @property
    def model(self) -> str:
        """Its formula."""
        return self.analysis.model or ""

    def estimates(self, frame: pd.DataFrame) -> Numbers:
        """Make the analysis.

        Parameters
        ----------
        frame : DataFrame
            As `records` lays it out.

        Returns
        -------
        dict
            placebo, active (slope or mean at the last visit), difference, std_error, ci_low,
            ci_high, p_value of the difference; converged, 1 or 0; of random slopes the standard
            error of the placebo slope and the standard deviations as well.
        """
        return _MADE[_kind(self.model)](self.analysis, self.model, frame)


@cache
def methods() -> tuple[Method, ...]:
    """The main analyses of the shipped protocol, and the comparators beside them, in its order.

    Imputation and other ways with what is missing are compared in `validation.missing_data`.
    """
    protocol = load_protocol(PROTOCOL)
    names = (name for name in protocol.analysis_names if name in COMPARED)
    return tuple(Method(name, protocol.analysis(name)) for name in names)


def method(name: str) -> Method:
    """The analysis with this key."""
    return next(found for found in methods() if found.name == name)


def _slopes(analysis: Analysis, model: str, frame: pd.DataFrame) -> Numbers:
    """Random slopes over actual time; the baseline is one of the values."""
    fit = lmm(model, frame, df=analysis.df, information=analysis.information)
    means = fit.slopes("YEARS", by="TRT01P", weights=analysis.weights)
    components = fit.variance_components()
    sds = components.loc[components["term_2"] == "", "sd"].to_list()
    return (
        _compared(means)
        | {"converged": float(fit.convergence.converged)}
        | {"placebo std_error": float(means.frame["std_error"].iloc[0])}
        | dict(zip(("sd intercept", "sd slope", "sd residual"), sds, strict=True))
    )


def _repeated(analysis: Analysis, model: str, frame: pd.DataFrame) -> Numbers:
    """Repeated measures after baseline; LS means at the last visit."""
    kept = _kept(analysis, frame)
    fit = mmrm(model, kept, df=analysis.df, information=analysis.information)
    means = fit.ls_means("TRT01P", weights=analysis.weights, at={"AVISIT": LAST_VISIT})
    return _compared(means) | {"converged": float(fit.convergence.converged)}


def _at_one_visit(analysis: Analysis, model: str, frame: pd.DataFrame) -> Numbers:
    """Analysis of covariance at one visit."""
    kept = _kept(analysis, frame)
    fit = ancova(model, kept[kept["AVISIT"] == analysis.at])
    return _compared(fit.ls_means("TRT01P", weights=analysis.weights)) | {"converged": 1.0}


#: what the formula names -> how the analysis is made
_MADE: Mapping[str, Callable[[Analysis, str, pd.DataFrame], Numbers]] = {
    "random effects": _slopes,
    "covariance": _repeated,
    "neither": _at_one_visit,
}


@cache
def _kind(model: str) -> str:
    read = read_formula(model)
    return "random effects" if read.random else "covariance" if read.covariance else "neither"


def _kept(analysis: Analysis, frame: pd.DataFrame) -> pd.DataFrame:
    """The records after baseline, carried forward or of completers where the analysis says so."""
    after = frame[frame["AVISITN"] > 0]
    after = after.assign(AVISIT=after["AVISIT"].cat.remove_unused_categories())
    if analysis.rows is not None and analysis.rows.observed_at is not None:
        at = analysis.rows.observed_at
        after = completers(after, subject="USUBJID", visit="AVISIT", value="AVAL", at=at)
    if analysis.missing is not None and analysis.missing.method == "locf":
        return carry_forward(after, subject="USUBJID", visit="AVISIT", value=("AVAL", "CHG"))
    return after


def _compared(means: LsMeans) -> Numbers:
    """Both arms, and active less placebo."""
    by_arm = dict(zip(means.frame["TRT01P"], means.frame["estimate"], strict=True))
    difference = means.contrasts([(ACTIVE, PLACEBO)]).frame.iloc[0]
    return {
        "placebo": float(by_arm[PLACEBO]),
        "active": float(by_arm[ACTIVE]),
        "difference": float(difference["estimate"]),
    } | {name: float(difference[name]) for name in _OF_DIFFERENCE}
