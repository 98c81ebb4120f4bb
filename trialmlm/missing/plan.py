"""An analysis of imputed data, checked and ready: which fillings it needs, and what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

from trialmlm.errors import FitError, UsageError
from trialmlm.missing.variances import BOOTSTRAP, CENTRE, DEFAULTS, IMPUTED, NESTED, find_variance

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.analyses import Analysis
    from trialmlm.missing.answers import Answers
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.pooled import Hypothesis, Pooled
    from trialmlm.missing.shift import Shift
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
    hypothesis : Hypothesis
    resamples : Resamples
    """

    imputation: Imputation
    analysis: Analysis
    variances: tuple[Variance, ...]
    hypothesis: Hypothesis
    resamples: Resamples

    @cached_property
    def fillings(self) -> dict[str, Completions]:
        """The fillings that the variances are made of, by kind, each made once."""
        kinds = dict.fromkeys(kind for variance in self.variances for kind in variance.fillings)
        return {kind: self._filled(kind) for kind in kinds}

    def _filled(self, kind: str) -> Completions:
        if kind == IMPUTED:
            return self.imputation.completions
        again = self.imputation.conditional()
        if kind == CENTRE:
            return again.completions
        options = self.resamples.options.get(kind, {})
        return again.resampled(BOOTSTRAP if kind == NESTED else kind, **options)

    def answers(self, shift: Shift | None = None) -> dict[str, Answers]:
        """The answers of every kind of filling, shifted."""
        return {
            kind: self._grouped(kind, self.analysis.answers(shift.to(made) if shift else made))
            for kind, made in self.fillings.items()
        }

    def along(self, directions: Array) -> Callable[[Array], dict[str, Answers]]:
        """The answers as a function of how far values are shifted along `directions`, (m, k)."""
        ways = {
            kind: self.analysis.along(completions, directions)
            for kind, completions in self.fillings.items()
        }
        return lambda delta: {kind: self._grouped(kind, way(delta)) for kind, way in ways.items()}

    def _grouped(self, kind: str, found: Answers) -> Answers:
        return replace(found, group=self.resamples.imputations or 1) if kind == NESTED else found

    def pool(self, answers: Mapping[str, Answers]) -> dict[str, Pooled]:
        """One answer for each variance, by its name."""
        sound = {kind: _sound(kind, found) for kind, found in answers.items()}
        return {variance.name: variance.pool(sound, self.hypothesis) for variance in self.variances}


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
    names = [DEFAULTS[imputation.drawn] if decide == DEFAULT else decide, *show]
    found = {variance.name: variance for variance in map(find_variance, names)}
    if DEFAULTS[True] in found and not imputation.drawn:
        msg = (
            "variance: rubin pools random draws, and a conditional mean has none; impute with "
            "method='bayes' or 'approximate-bayes', or take jackknife or bootstrap"
        )
        raise UsageError(msg)
    if DEFAULTS[True] in found and len(imputation.completions) < 2:
        msg = (
            "variance: rubin needs two imputations or more to tell how they differ, found one; "
            "impute with imputations=20 or more, or take variance=None for the estimate alone"
        )
        raise UsageError(msg)
    return tuple(found.values())


def _read(asked: AskedVariance) -> tuple[Any, list[Any]]:
    if not isinstance(asked, Mapping):
        return asked, []
    strange = sorted(map(str, asked.keys() - {"decide", "show"}))
    show = asked.get("show", [])
    if strange or isinstance(show, str):
        msg = f"variance: found {dict(asked)!r}, expected {{'decide': name, 'show': [names]}}"
        raise UsageError(msg)
    return asked.get("decide", DEFAULT), list(show)


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often subjects are drawn again.

    Attributes
    ----------
    replicates, seed : int or None
        Of a bootstrap.
    imputations : int or None
        Of each replicate, for ``von-hippel-bartlett``.
    """

    replicates: int | None = None
    seed: int | None = None
    imputations: int | None = None

    @property
    def options(self) -> Mapping[str, dict[str, Any]]:
        """What each kind of resample is asked with."""
        drawn = {"replicates": self.replicates, "seed": self.seed}
        return {BOOTSTRAP: drawn, NESTED: {**drawn, "imputations": self.imputations}}

    def check(self, variances: tuple[Variance, ...]) -> None:
        """Refuse a bootstrap without replicates and seed, and these without a bootstrap.

        Raises
        ------
        UsageError
        """
        kinds = {kind for variance in variances for kind in variance.fillings}
        needed = {
            "replicates": bool(kinds & {BOOTSTRAP, NESTED}),
            "seed": bool(kinds & {BOOTSTRAP, NESTED}),
            "imputations": NESTED in kinds,
        }
        for name, wanted in needed.items():
            given = getattr(self, name)
            if wanted and given is None:
                msg = f"analyse: this variance draws subjects again and needs {name}="
                raise UsageError(msg)
            if wanted and name != "seed" and (not isinstance(given, Integral) or int(given) < 2):
                msg = f"analyse: {name}: found {given!r}, expected a whole number, 2 or more"
                raise UsageError(msg)
            if given is not None and not wanted:
                msg = f"analyse: {name}={given!r}: the variance asked for takes none; leave it out"
                raise UsageError(msg)
