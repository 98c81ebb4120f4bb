"""One answer from many, as a frame has it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.hypothesis_tests import Inference


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """How estimates are tested.

    Attributes
    ----------
    confidence : float
        Of the intervals.
    alternative : {"two-sided", "greater", "less"}
        What the estimate is to `null` if there is an effect.
    null : float
    """

    confidence: float = 0.95
    alternative: str = "two-sided"
    null: float = 0.0

    @property
    def options(self) -> dict[str, Any]:
        """As the functions of pooling take them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Pooled estimates; arrays have the shape (q,), NaN for what a method does not give.

    Attributes
    ----------
    inference : Inference
    imputations : int
        Random fillings averaged, 1 for a conditional mean.
    replicates : int
        Resamples behind the standard error.
    fmi : ndarray or None
        Fraction of missing information.
    relative_efficiency : ndarray or None
        Of the imputations made, against infinitely many.
    monte_carlo_se, monte_carlo_se_error, monte_carlo_se_df, monte_carlo_se_p : ndarray or None
        Of the estimate, its standard error, df and p-value, from the imputations being finitely
        many; 0 where nothing is drawn.
    """

    inference: Inference
    imputations: int
    replicates: int = 0
    fmi: Array | None = None
    relative_efficiency: Array | None = None
    monte_carlo_se: Array | None = None
    monte_carlo_se_error: Array | None = None
    monte_carlo_se_df: Array | None = None
    monte_carlo_se_p: Array | None = None

    def columns(self) -> dict[str, Array]:
        """By the names of the columns of a frame."""
        shape = self.inference.estimate.shape
        tested = {
            field.name: getattr(self.inference, field.name) for field in fields(self.inference)
        }
        own = {name: getattr(self, name) for name in _OWN}
        return {
            **tested,
            **{name: np.full(shape, np.nan) if v is None else v for name, v in own.items()},
            "imputations": np.full(shape, self.imputations),
            "replicates": np.full(shape, self.replicates),
        }


_OWN = (
    "fmi",
    "relative_efficiency",
    "monte_carlo_se",
    "monte_carlo_se_error",
    "monte_carlo_se_df",
    "monte_carlo_se_p",
)
