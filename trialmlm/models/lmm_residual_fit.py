"""A fitted linear mixed model with random effects beside a residual covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from trialmlm.covariance.register import SPATIAL
from trialmlm.engine.predicted_effects import PredictedEffects
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.models.lmm_fit import LmmFit
from trialmlm.models.residual_components import components

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.engine.identified_effects import IdentifiedEffects
    from trialmlm.engine.predicted_effects import Predictions
    from trialmlm.engine.random_residual import EffectsPoint, RandomResidualLikelihood
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.variables import Variable
    from trialmlm.models.residual_part import ResidualPart

#: two rows at distance one
_APART = np.array([[0.0, 1.0], [1.0, 0.0]])


@dataclass(frozen=True, repr=False)
class ResidualLmmFit(LmmFit):
    """A fitted linear mixed model, V_i = Z_i G Z_i' + R_i.

    Attributes
    ----------
    part : ResidualPart
        The residual covariance.
    identified : IdentifiedEffects
        What it leaves of the random effects; Z in the data's order.
    """

    part: ResidualPart
    identified: IdentifiedEffects

    @property
    def random(self) -> Coding:
        """How the random effects become columns."""
        return self.parts[0].codings[0]

    @property
    def groups(self) -> Variable:
        """The subjects, a factor over the rows used."""
        return self.parts[0].groups

    @property
    def likelihood(self) -> RandomResidualLikelihood:
        """The engine's."""
        return cast("RandomResidualLikelihood", self.gaussian.likelihood)

    @property
    def point(self) -> EffectsPoint:
        """The likelihood at the estimate."""
        return cast("EffectsPoint", self.gaussian.point)

    @property
    def n_covariance(self) -> int:
        """Covariance parameters that V can tell: the rank of its derivatives."""
        return self.identified.found.rank

    @property
    def redundant(self) -> bool:
        """Whether the random effects cannot be told from the residual."""
        return bool(self.identified.aliased.any())

    @cached_property
    def effects_covariance(self) -> Array:
        """Covariance of the random effects; NaN where the residual can take an entry over."""
        found = self.likelihood.effects(self.point).parts[0].G
        return np.where(self.identified.aliased, np.nan, found)

    @cached_property
    def effects(self) -> Predictions:
        """Predicted effects; without a G that is separately estimable there are none."""
        found = self.likelihood.effects(self.point)
        if not self.redundant:
            return found
        (own,) = found.parts
        nothing = PredictedEffects(
            self.effects_covariance,
            np.full_like(own.blup, np.nan),
            np.full_like(own.variance, np.nan),
        )
        return replace(found, parts=(nothing,))

    @property
    def residual_covariances(self) -> dict[Any, pd.DataFrame]:
        """R̂ over the visits by level of its group (or None).

        Of a redundant model by the convention that the residual has all that can be moved.
        Where subjects have times of their own, that of two rows at distance one.
        """
        labels = self._visits
        return {
            level: pd.DataFrame(R, index=labels, columns=labels)
            for level, R in zip(self.part.levels, self._residuals_at_visits(), strict=True)
        }

    @property
    def covariances(self) -> dict[Any, pd.DataFrame]:
        """V̂ over the visits by level of the residual's group (or None).

        Z is that of the mean of the rows at each visit: exact where visits have common times.

        Raises
        ------
        UsageError
            Where subjects have times of their own.
        """
        if not self.part.occasions.common:
            raise UsageError(
                "covariance: subjects have times of their own, and each its own covariance; ask "
                "for one of them with subject_covariance(subject)"
            )
        visit = self.part.occasions.layout.visit
        Z = np.stack([self.identified.Z[visit == t].mean(axis=0) for t in range(len(self._visits))])
        by_G = Z @ self.point.G @ Z.T * self.likelihood.scale**2
        return {level: frame + by_G for level, frame in self.residual_covariances.items()}

    @property
    def covariance(self) -> Any:
        """The frame of `covariances`, or all of them where there are several groups."""
        return self.covariances if self.part.group else self.covariances[None]

    def subject_covariance(self, subject: Any) -> pd.DataFrame:
        """V̂_i of a subject's rows, visit × visit.

        Raises
        ------
        FitError
            If the fit has no such subject.
        """
        levels = list(self.groups.levels or ())
        if subject not in levels:
            msg = f"{self.groups.name} {subject!r} is not among the subjects of the fit"
            raise FitError(msg)
        at = levels.index(subject)
        own = self.likelihood.data.present[at]
        V = self.point.V[at][np.ix_(own, own)] * self.likelihood.scale**2
        labels = np.array(self.part.occasions.labels, dtype=object)[own]
        return pd.DataFrame(V, index=labels, columns=labels)

    @property
    def residual_variances(self) -> pd.Series:
        """The residual variance by visit, and by level of its group where there is one."""
        labels = self._visits if self.part.occasions.common else [""]
        found = {
            " ".join(filter(None, (_text(level), label))): float(value)
            for level, frame in self.residual_covariances.items()
            for label, value in zip(labels, np.diag(frame), strict=False)
        }
        return pd.Series(found, name="variance", dtype=float)

    def variance_components(self) -> pd.DataFrame:
        """Variances and covariances of the random effects; the residual's parameters.

        Returns
        -------
        DataFrame
            group, term, term_2, variance (or covariance), sd (or correlation, range, loading),
            std_error (of the variance, or else of what stands in sd), separately_estimable:
            False for what can be moved between random effects and residual. Such entries of G are
            NaN; such parameters of the residual are given by the convention that it has all.

        Notes
        -----
        Standard errors are from the observed information; none is given at a bound, nor for
        random effects that can be told from the residual only weakly.
        """
        return components(self)

    def icc(
        self,
        at: Mapping[str, float] | None = None,
        *,
        residual: str | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Not defined beside a residual covariance: it differs by visit.

        Raises
        ------
        UsageError
        """
        del at, residual, confidence
        raise UsageError("icc: needs a random intercept and one residual variance, no structure")

    @property
    def independent_residuals(self) -> bool:
        """They are correlated within subjects."""
        return False

    def draw(self, rng: np.random.Generator) -> Array:
        """A response for each row used: Xβ̂ and a draw from V̂_i for every subject."""
        layout = self.part.occasions.layout
        factors = np.linalg.cholesky(self.point.V) * self.likelihood.scale
        noise = (factors @ rng.standard_normal(self.point.V.shape[:2])[:, :, None])[:, :, 0]
        values: Array = self.fitted + noise[layout.subject, layout.visit]
        return values

    def predict(
        self,
        new: pd.DataFrame,
        confidence: float = 0.95,
        *,
        new_levels: str = "population",
        interval: str = "confidence",
    ) -> pd.DataFrame:
        """As of other mixed models; intervals of the mean alone.

        Raises
        ------
        NotAvailableError
            For an interval of a new cluster or of a response.
        """
        if interval != "confidence":
            raise NotAvailableError(
                f"predict: interval={interval!r} beside a residual covariance is not available in "
                "this version; available: 'confidence'"
            )
        return super().predict(new, confidence, new_levels=new_levels)

    def _normalized(self) -> Array:
        layout = self.part.occasions.layout
        table = layout.table(self.response - self.fitted) / self.likelihood.scale
        whitened = np.linalg.solve(np.linalg.cholesky(self.point.V), table[:, :, None])[:, :, 0]
        rows: Array = whitened[layout.subject, layout.visit]
        return rows

    @property
    def _visits(self) -> list[str]:
        common = self.part.occasions.common
        return self.part.occasions.labels if common else ["distance 0", "distance 1"]

    def _residuals_at_visits(self) -> list[Array]:
        found = []
        for theta, family, _ in self.likelihood.groups(self.gaussian.theta):
            own = SPATIAL.get(self.part.term.structure)
            common = own is None or self.part.occasions.common
            over = family if common or own is None else own(_APART)
            found.append(over.sigma(theta) * self.likelihood.scale**2)
        return found

    def summary(self) -> str:
        """The fit as text, with V̂ where the visits are common."""
        text = super().summary()
        if not self.part.occasions.common:
            return text
        tables = [
            f"V {_text(level)}".strip() + ":\n" + V.to_string(float_format=lambda x: f"{x:.5g}")
            for level, V in self.covariances.items()
        ]
        return "\n\n".join([text, *tables])


def _text(level: Any) -> str:
    return "" if level is None else level_text(level)
