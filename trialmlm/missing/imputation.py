"""What analysis asks of an imputation, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


class Imputation(Protocol):
    """Missing cells that were filled, and can be filled again for subjects counted otherwise."""

    @property
    def layout(self) -> Layout:
        """The grid of subjects × visits."""

    @property
    def completions(self) -> Completions:
        """The fillings."""

    @property
    def method(self) -> str:
        """How they were made: ``conditional-mean``, ``bayes``, ``approximate-bayes``, ``given``."""

    @property
    def reference(self) -> Mapping[str, str]:
        """Arm to the arm that it is imputed from; empty where none is."""

    def resampled(
        self, kind: str, replicates: int | None = None, seed: int | None = None
    ) -> Completions:
        """Fillings of resampled subjects, with counts: ``jackknife``, ``bootstrap`` and others."""
