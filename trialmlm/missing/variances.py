"""Standard errors of estimates from imputed data: one small class each, and their register.

Two targets are meant by the word variance, and they differ under reference-based assumptions.
*Information-anchored*: the assumption loses as much information as missing at random does (Cro,
Carpenter and Kenward 2019); Rubin's rules. *Repeated-sampling*: how the estimate would vary over
trials in which the assumption holds (Bartlett 2023; Wolbers et al. 2022); jackknife, bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.expressions.refusal import did_you_mean
from trialmlm.missing.pooled import Pooled, wald

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.missing.answers import Answers

ANCHORED, SAMPLING = "information-anchored", "repeated-sampling"
#: the kinds of fillings that variances are made of
IMPUTED, CENTRE, JACKKNIFE, BOOTSTRAP = "imputed", "conditional-mean", "jackknife", "bootstrap"


class Variance(Protocol):
    """A rule that makes one answer, with a standard error, of the answers of fillings."""

    name: ClassVar[str]
    target: ClassVar[str]
    words: ClassVar[str]
    fillings: ClassVar[tuple[str, ...]]

    def pool(self, answers: Mapping[str, Answers], confidence: float) -> Pooled:
        """One answer; `answers` are by the kind of fillings."""


@dataclass(frozen=True, slots=True)
class Rubin:
    """Rubin's rules (1987) with the degrees of freedom of Barnard and Rubin (1999)."""

    name: ClassVar[str] = "rubin"
    target: ClassVar[str] = ANCHORED
    words: ClassVar[str] = (
        "Rubin's rules; information-anchored: an assumption loses as much information as "
        "missing at random does"
    )
    fillings: ClassVar[tuple[str, ...]] = (IMPUTED,)

    def pool(self, answers: Mapping[str, Answers], confidence: float) -> Pooled:
        """With the fraction of missing information and what M imputations lose."""
        found = answers[IMPUTED]
        count = len(found.estimate)
        within = (found.std_error**2).mean(axis=0)
        between = found.estimate.var(axis=0, ddof=1)
        total = within + (1 + 1 / count) * between
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = (1 + 1 / count) * between / total
            old = (count - 1) / lost**2
            complete = found.df.mean(axis=0)
            observed = (complete + 1) / (complete + 3) * complete * (1 - lost)
            df = 1 / (1 / old + 1 / observed)
            ratio = (1 + 1 / count) * between / within
        fmi = (ratio + 2 / (df + 3)) / (1 + ratio)
        return wald(
            found.estimate.mean(axis=0), np.sqrt(total), df, confidence, imputations=count, fmi=fmi,
            relative_efficiency=1 / (1 + fmi / count), monte_carlo_se=np.sqrt(between / count),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Leaving out one subject at a time, the imputation model refitted (Wolbers et al. 2022)."""

    name: ClassVar[str] = "jackknife"
    target: ClassVar[str] = SAMPLING
    words: ClassVar[str] = (
        "one subject left out at a time, everything made again; repeated-sampling: how "
        "the estimate varies if the assumption holds"
    )
    fillings: ClassVar[tuple[str, ...]] = (CENTRE, JACKKNIFE)

    def pool(self, answers: Mapping[str, Answers], confidence: float) -> Pooled:
        """Normal intervals around the estimate of all subjects."""
        made = answers[JACKKNIFE].estimate
        n = len(made)
        error = np.sqrt((n - 1) * made.var(axis=0))
        return _normal(answers[CENTRE], error, confidence, n)


@dataclass(frozen=True, slots=True)
class BootstrapNormal:
    """The standard deviation over resamples of subjects, with normal intervals."""

    name: ClassVar[str] = "bootstrap"
    target: ClassVar[str] = SAMPLING
    words: ClassVar[str] = (
        "subjects drawn again, everything made again; repeated-sampling: how the "
        "estimate varies if the assumption holds"
    )
    fillings: ClassVar[tuple[str, ...]] = (CENTRE, BOOTSTRAP)

    def pool(self, answers: Mapping[str, Answers], confidence: float) -> Pooled:
        """Normal intervals around the estimate of all subjects."""
        made = answers[BOOTSTRAP].estimate
        return _normal(answers[CENTRE], made.std(axis=0, ddof=1), confidence, len(made))


@dataclass(frozen=True, slots=True)
class Unknown:
    """No standard error: the estimate alone."""

    name: ClassVar[str] = "none"
    target: ClassVar[str] = ""
    words: ClassVar[str] = "no standard error was asked for"
    fillings: ClassVar[tuple[str, ...]] = (IMPUTED,)

    def pool(self, answers: Mapping[str, Answers], confidence: float) -> Pooled:
        """The mean over the fillings."""
        made = answers[IMPUTED].estimate
        absent = np.full(made.shape[1], np.nan)
        return wald(made.mean(axis=0), absent, absent, confidence, imputations=len(made))


def _normal(centre: Answers, error: Array, confidence: float, replicates: int) -> Pooled:
    estimate = centre.estimate.mean(axis=0)
    df = np.full(estimate.shape, np.inf)
    return wald(estimate, error, df, confidence, imputations=1, replicates=replicates)


#: name -> variance
VARIANCES: Mapping[str, Variance] = {
    made.name: made for made in (Rubin(), Jackknife(), BootstrapNormal(), Unknown())
}


def find_variance(name: object) -> Variance:
    """The variance of a name; None is ``none``.

    Raises
    ------
    UsageError
        If there is none of the name.
    """
    asked = Unknown.name if name is None else name
    if not isinstance(asked, str) or asked not in VARIANCES:
        known = ", ".join(VARIANCES)
        hint = did_you_mean(str(asked), VARIANCES)
        msg = f"variance: found {name!r}{hint}, expected one of {known}, or None"
        raise UsageError(msg)
    return VARIANCES[asked]
