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
from trialmlm.missing.hypothesis_tests import t_tests
from trialmlm.missing.pooled import Pooled
from trialmlm.missing.pooling import monte_carlo_errors, rubin
from trialmlm.missing.resampling import (
    bootstrap_bca,
    bootstrap_normal,
    bootstrap_percentile,
    bootstrapped_imputations,
    jackknife,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array
    from trialmlm.missing.answers import Answers
    from trialmlm.missing.hypothesis_tests import Inference
    from trialmlm.missing.pooled import Hypothesis

ANCHORED, SAMPLING = "information-anchored", "repeated-sampling"
#: the kinds of fillings that variances are made of
IMPUTED, CENTRE, JACKKNIFE = "imputed", "conditional-mean", "jackknife"
BOOTSTRAP, NESTED = "bootstrap", "bootstrapped-imputations"


class Variance(Protocol):
    """A rule that makes one answer, with a standard error, of the answers of fillings."""

    @property
    def name(self) -> str:
        """As ``variance=`` takes it."""

    @property
    def target(self) -> str:
        """``information-anchored`` or ``repeated-sampling``; '' for no variance."""

    @property
    def words(self) -> str:
        """For a note under a table."""

    @property
    def fillings(self) -> tuple[str, ...]:
        """The kinds of fillings that it pools."""

    def pool(self, answers: Mapping[str, Answers], hypothesis: Hypothesis) -> Pooled:
        """One answer; `answers` are by the kind of fillings."""


@dataclass(frozen=True, slots=True)
class RubinsRules:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin (1999)."""

    name: ClassVar[str] = "rubin"
    target: ClassVar[str] = ANCHORED
    words: ClassVar[str] = (
        "Rubin's rules; information-anchored: an assumption loses as much information as missing "
        "at random does"
    )
    fillings: ClassVar[tuple[str, ...]] = (IMPUTED,)

    def pool(self, answers: Mapping[str, Answers], hypothesis: Hypothesis) -> Pooled:
        """With the fraction of missing information and what finitely many imputations cost.

        Raises
        ------
        UsageError
            If the analysis gives no standard errors.
        """
        found = answers[IMPUTED]
        if np.isnan(found.std_error).any():
            msg = (
                "variance: rubin needs a standard error from each completed data set; return "
                "(estimate, standard error), or take jackknife or bootstrap"
            )
            raise UsageError(msg)
        each = found.estimate, found.std_error
        pooled = rubin(*each, df_complete=found.df)
        errors = monte_carlo_errors(*each, df_complete=found.df, null=hypothesis.null)
        return Pooled(
            pooled.tested(**hypothesis.options),
            imputations=pooled.imputations,
            fmi=pooled.fmi,
            relative_efficiency=pooled.relative_efficiency,
            monte_carlo_se=errors.estimate,
            monte_carlo_se_error=errors.std_error,
            monte_carlo_se_df=errors.df,
            monte_carlo_se_p=errors.p_value,
        )


@dataclass(frozen=True, slots=True)
class Resampling:
    """The imputation model refitted to resampled subjects, conditional means analysed again.

    Attributes
    ----------
    name, words : str
    fillings : tuple of str
        First the estimate's own, then the resamples'.
    infer : callable
        From the estimate and each kind of resamples.
    """

    name: str
    words: str
    fillings: tuple[str, ...]
    infer: Callable[..., Inference]
    target: ClassVar[str] = SAMPLING

    def pool(self, answers: Mapping[str, Answers], hypothesis: Hypothesis) -> Pooled:
        """Around the estimate of all subjects."""
        centre, *resamples = (answers[kind].estimate for kind in self.fillings)
        inference = self.infer(centre[0], *resamples, **hypothesis.options)
        nothing = np.zeros(inference.estimate.shape)
        return Pooled(inference, 1, len(resamples[0]), monte_carlo_se=nothing)


@dataclass(frozen=True, slots=True)
class BootstrappedImputations:
    """Several random imputations of each bootstrap sample (von Hippel and Bartlett 2021)."""

    name: ClassVar[str] = "von-hippel-bartlett"
    target: ClassVar[str] = SAMPLING
    words: ClassVar[str] = (
        "random imputations of bootstrap samples; repeated-sampling: how the estimate varies over "
        "trials in which the assumption holds"
    )
    fillings: ClassVar[tuple[str, ...]] = (NESTED,)

    def pool(self, answers: Mapping[str, Answers], hypothesis: Hypothesis) -> Pooled:
        """The mean over all of them; a t test."""
        found = answers[NESTED]
        nested = found.estimate.reshape(-1, found.group, found.estimate.shape[1])
        inference = bootstrapped_imputations(nested, **hypothesis.options)
        within = nested.var(axis=1, ddof=1).mean(axis=0)
        error = np.sqrt(within / (len(nested) * found.group))
        return Pooled(inference, found.group, len(nested), monte_carlo_se=error)


@dataclass(frozen=True, slots=True)
class NoVariance:
    """The estimate alone."""

    name: ClassVar[str] = "none"
    target: ClassVar[str] = ""
    words: ClassVar[str] = "no standard error was asked for"
    fillings: ClassVar[tuple[str, ...]] = (IMPUTED,)

    def pool(self, answers: Mapping[str, Answers], hypothesis: Hypothesis) -> Pooled:
        """The mean over the fillings."""
        made = answers[IMPUTED].estimate
        unknown: Array = np.full(made.shape[1], np.nan)
        inference = t_tests(made.mean(axis=0), unknown, unknown, **hypothesis.options)
        spread = made.std(axis=0, ddof=1) if len(made) > 1 else np.zeros(made.shape[1])
        error = spread / np.sqrt(len(made))
        return Pooled(inference, len(made), monte_carlo_se=error)


_AGAIN = "repeated-sampling: how the estimate varies over trials in which the assumption holds"
#: name -> variance
VARIANCES: Mapping[str, Variance] = {
    made.name: made
    for made in (
        RubinsRules(),
        Resampling(
            "jackknife",
            f"each subject left out in turn and everything made again; {_AGAIN}",
            (CENTRE, JACKKNIFE),
            jackknife,
        ),
        Resampling(
            "bootstrap",
            f"subjects drawn again within arms, everything made again; normal interval; {_AGAIN}",
            (CENTRE, BOOTSTRAP),
            bootstrap_normal,
        ),
        Resampling(
            "bootstrap-percentile",
            f"as bootstrap, with the interval between its quantiles; {_AGAIN}",
            (CENTRE, BOOTSTRAP),
            bootstrap_percentile,
        ),
        Resampling(
            "bootstrap-bca",
            f"as bootstrap, its quantiles corrected for bias and skewness (BCa); {_AGAIN}",
            (CENTRE, BOOTSTRAP, JACKKNIFE),
            bootstrap_bca,
        ),
        BootstrappedImputations(),
        NoVariance(),
    )
}
#: the one that decides by default: of random draws, of conditional means
DEFAULTS: Mapping[bool, str] = {True: "rubin", False: "jackknife"}


def find_variance(name: object) -> Variance:
    """The variance of a name; None is ``none``.

    Raises
    ------
    UsageError
        If there is none of the name.
    """
    asked = NoVariance.name if name is None else name
    if not isinstance(asked, str) or asked not in VARIANCES:
        known = ", ".join(VARIANCES)
        hint = did_you_mean(str(asked), VARIANCES)
        msg = f"variance: found {name!r}{hint}, expected one of {known}, or None"
        raise UsageError(msg)
    return VARIANCES[asked]
