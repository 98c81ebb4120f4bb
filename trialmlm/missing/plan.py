"""An analysis of imputed data, checked and ready: which fillings it needs, and what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trialmlm.errors import FitError, UsageError
from trialmlm.missing.variances import (
    BOOTSTRAP,
    CENTRE,
    IMPUTED,
    Jackknife,
    Rubin,
    find_variance,
)

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.analyses import Analysis
    from trialmlm.missing.answers import Answers
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.pooled import Pooled
    from trialmlm.missing.variances import Variance

#: the name of a variance; None; or {"decide": name, "show": [names]}
AskedVariance: TypeAlias = "str | Mapping[str, Any] | None"

#: the variance that decides where none is named
DEFAULT = "default"
#: the largest share of fillings that may fail to give an answer
TOLERATED = 0.05


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be done.

    Attributes
    ----------
    imputation : Imputation
    analysis : Analysis
    variances : tuple of Variance
        The first decides, the others are shown.
    confidence : float
    replicates, seed : int or None
        Of a bootstrap.
    """

    imputation: Imputation
    analysis: Analysis
    variances: tuple[Variance, ...]
    confidence: float
    replicates: int | None
    seed: int | None

    @cached_property
    def fillings(self) -> dict[str, Completions]:
        """The fillings that the variances are made of, by kind, each made once."""
        kinds = dict.fromkeys(kind for variance in self.variances for kind in variance.fillings)
        return {kind: self._filled(kind) for kind in kinds}

    def _filled(self, kind: str) -> Completions:
        if kind == IMPUTED:
            return self.imputation.completions
        if kind == CENTRE:
            return self.imputation.conditional().completions
        if kind == BOOTSTRAP:
            return self.imputation.resampled(kind, replicates=self.replicates, seed=self.seed)
        return self.imputation.resampled(kind)

    def answers(self, delta: Array | None = None) -> dict[str, Answers]:
        """The answers of every kind of filling, with `delta`, of shape (k,), added."""
        shift = np.zeros(self.imputation.completions.values.shape[1]) if delta is None else delta
        return {
            kind: self.analysis.answers(completions.shifted(shift))
            for kind, completions in self.fillings.items()
        }

    def along(self, directions: Array) -> Callable[[Array], dict[str, Answers]]:
        """The answers as a function of how far values are shifted along `directions`, (m, k)."""
        ways = {
            kind: self.analysis.along(completions, directions)
            for kind, completions in self.fillings.items()
        }
        return lambda delta: {kind: way(delta) for kind, way in ways.items()}

    def pool(self, answers: Mapping[str, Answers]) -> dict[str, Pooled]:
        """One answer for each variance, by its name."""
        sound = {kind: _sound(kind, found) for kind, found in answers.items()}
        return {variance.name: variance.pool(sound, self.confidence) for variance in self.variances}


def _sound(kind: str, found: Answers) -> Answers:
    """The fillings that gave an answer.

    Raises
    ------
    FitError
        If more than a tolerated share gave none.
    """
    good = found.answered
    if good.all():
        return found
    if (~good).mean() > TOLERATED or not good.any():
        why = "; ".join(found.failures)
        msg = (
            f"analyse: {int((~good).sum()):,} of {good.size:,} fillings ({kind}) gave no answer, "
            f"at most {TOLERATED:.0%} may; simplify the analysis ({why})"
        )
        raise FitError(msg)
    return found.of(good)


def variances_of(asked: AskedVariance, imputation: Imputation) -> tuple[Variance, ...]:
    """The variances asked for, the one that decides first.

    Raises
    ------
    UsageError
        If one is not known or the imputation cannot give it.
    """
    decide, show = _read(asked)
    drawn = imputation.drawn
    if decide == DEFAULT:
        decide = Rubin.name if drawn else Jackknife.name
    found = dict.fromkeys(find_variance(name) for name in (decide, *show))
    if Rubin() in found and not drawn:
        msg = (
            "variance: rubin pools random draws, and a conditional mean has none; impute with "
            "method='bayes' or 'approximate-bayes', or take jackknife or bootstrap"
        )
        raise UsageError(msg)
    return tuple(found)


def _read(asked: AskedVariance) -> tuple[Any, list[Any]]:
    if not isinstance(asked, Mapping):
        return asked, []
    strange = sorted(map(str, asked.keys() - {"decide", "show"}))
    show = asked.get("show", [])
    if strange or isinstance(show, str):
        msg = f"variance: found {dict(asked)!r}, expected {{'decide': name, 'show': [names]}}"
        raise UsageError(msg)
    return asked.get("decide", DEFAULT), list(show)


def seeded(variances: tuple[Variance, ...], replicates: int | None, seed: int | None) -> None:
    """Refuse a bootstrap without replicates and seed, and these without a bootstrap.

    Raises
    ------
    UsageError
    """
    resamples = any(BOOTSTRAP in variance.fillings for variance in variances)
    if resamples and (replicates is None or seed is None):
        raise UsageError("analyse: a bootstrap needs replicates= and seed=, as replicates=1000")
    if not resamples and (replicates is not None or seed is not None):
        raise UsageError("analyse: replicates= and seed= are for a bootstrap; leave them out")
