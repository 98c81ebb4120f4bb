"""What analysis asks of an imputation, whoever made it, and what one offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from trialmlm.missing.analyse import analyse
from trialmlm.missing.tipping import tipping_point
from trialmlm.missing.tipping_grid import tipping_grid

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from trialmlm.arrays import IntArray
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.analyses import Model
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.shift import AskedDelta
    from trialmlm.missing.tipping import TippingPoint
    from trialmlm.missing.tipping_grid import TippingGrid


class Imputation(ABC):
    """Missing cells that were filled, and can be filled again for subjects counted otherwise."""

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """The grid of subjects × visits."""

    @property
    @abstractmethod
    def completions(self) -> Completions:
        """The fillings."""

    @property
    @abstractmethod
    def made_by(self) -> str:
        """How they were made: ``conditional-mean``, ``bayes``, ``given``, …."""

    @property
    @abstractmethod
    def drawn(self) -> bool:
        """Whether the fillings are random draws, which Rubin's rules pool."""

    @property
    @abstractmethod
    def reference(self) -> Mapping[str, str]:
        """Arm to the arm that it is imputed from; empty where none is."""

    @property
    @abstractmethod
    def first_affected(self) -> IntArray | None:
        """Index of the first visit that each subject's event affects, T for none; or not known."""

    @property
    @abstractmethod
    def reasons(self) -> Sequence[Hashable] | None:
        """Why each subject had its event; None where no reasons are known."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know of how it was made."""

    @abstractmethod
    def conditional(self) -> Imputation:
        """The same with conditional means in place of random draws."""

    @abstractmethod
    def at_random(self) -> Imputation | None:
        """The same with everything missing at random; None where that needs another fit."""

    @abstractmethod
    def resampled(
        self,
        kind: str,
        *,
        replicates: int | None = None,
        seed: int | None = None,
        imputations: int | None = None,
    ) -> Completions:
        """Fillings of resampled subjects, with counts: ``jackknife`` or ``bootstrap``."""

    def analyse(
        self, model: Model, *, delta: AskedDelta = None, **asked: Any
    ) -> AnalysedImputation:
        """Analyse every completed data set, and pool: :func:`~trialmlm.missing.analyse.analyse`.

        Examples
        --------
        >>> imputed.analyse("CHG ~ BASE + ARM", at="Week 8").frame  # doctest: +SKIP
        """
        return analyse(self, model, delta=delta, **asked)

    def tipping_point(self, model: Model, *, arms: Sequence[str], **asked: Any) -> TippingPoint:
        """How far imputed values must be shifted to change the conclusion.

        See :func:`~trialmlm.missing.tipping.tipping_point`.

        Examples
        --------
        >>> imputed.tipping_point("CHG ~ BASE + ARM", arms=["DRUG"]).frame  # doctest: +SKIP
        """
        return tipping_point(self, model, arms=arms, **asked)

    def tipping_grid(
        self, model: Model, *, deltas: Mapping[str, Sequence[float]], **asked: Any
    ) -> TippingGrid:
        """The contrast over deltas of two arms.

        See :func:`~trialmlm.missing.tipping_grid.tipping_grid`.

        Examples
        --------
        >>> deltas = {"DRUG": range(9), "PLACEBO": range(-4, 5)}
        >>> imputed.tipping_grid("CHG ~ BASE + ARM", deltas=deltas).frame  # doctest: +SKIP
        """
        return tipping_grid(self, model, deltas=deltas, **asked)
