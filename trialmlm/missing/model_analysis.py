"""Mixed models of every completed data set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.inference.contrasts import estimates
from trialmlm.missing.answers import Answers
from trialmlm.missing.completed_rows import completed_rows, with_targets
from trialmlm.missing.visit_ancova import check_response
from trialmlm.models.lmm import lmm
from trialmlm.models.lmm_fit import LmmFit
from trialmlm.models.mmrm import mmrm
from trialmlm.models.same_rows import SameRows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.arrays import Array
    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.missing.answers import Quantity
    from trialmlm.missing.comparison import Comparison
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout
    from trialmlm.models.ls_means import LsMeans
    from trialmlm.models.mixed import MixedFit


@dataclass(frozen=True, slots=True)
class Times:
    """What a model over time is asked.

    Attributes
    ----------
    slope : str or None
        The number whose slopes by arm are compared; LS means otherwise.
    targets : mapping or None
        Visit to the time at which an imputed value stands, where the data have none.
    """

    slope: str | None = None
    targets: Mapping[Any, float] | None = None

    @property
    def given(self) -> bool:
        """Whether anything is."""
        return self.slope is not None or self.targets is not None


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What fillings of one layout have in common.

    Attributes
    ----------
    L : ndarray, shape (q, columns of X)
        Rows of coefficients of the quantities.
    rows : SameRows or None
        What all are fitted on at once; None where each is fitted by itself.
    """

    L: Array
    rows: SameRows | None


@dataclass(frozen=True, slots=True, eq=False)
class ModelAnalysis:
    """An MMRM or a mixed model of the completed data.

    Attributes
    ----------
    layout : Layout
        Its frame has a value of every column of the model.
    comparison : Comparison
    formula : str
    description : str
        In words.
    slope : str or None
        The number whose slopes by arm are asked for; LS means otherwise.
    by_visit : bool
        Whether LS means are asked for at each visit.
    """

    layout: Layout
    comparison: Comparison
    formula: str
    description: str
    slope: str | None
    by_visit: bool

    @classmethod
    def of(
        cls, read: ModelFormula, layout: Layout, comparison: Comparison, times: Times
    ) -> ModelAnalysis:
        """Check the formula against the layout.

        Raises
        ------
        UsageError, DataError
        """
        check_response(read, layout)
        if layout.names.arm not in read.fixed_variables:
            msg = f"analyse: the model has no {layout.names.arm}; expected it, to compare its arms"
            raise UsageError(msg)
        slope = times.slope
        if slope is not None and slope not in read.fixed_variables:
            msg = f"analyse: slope: {slope} is not in the fixed effects of the model"
            raise UsageError(msg)
        frame = with_targets(layout, read.variables, times.targets)
        words = "linear mixed model" if read.random else "MMRM"
        by_visit = slope is None and layout.names.visit in read.fixed_variables
        return cls(replace(layout, frame=frame), comparison, read.text, words, slope, by_visit)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Means and contrasts by visit, or slopes and their contrasts."""
        asked = self.comparison
        if self.slope is not None:
            return asked.quantities(None, "slope", "contrast of slopes")
        visits = asked.visits if self.by_visit else (None,)
        return tuple(q for visit in visits for q in asked.quantities(visit))

    @property
    def linear(self) -> bool:
        """False: every shift is analysed anew."""
        return False

    def answers(self, completions: Completions) -> Answers:
        """Fit every filling; a fit that fails or does not converge gives no answer."""
        return self._answers(completions, self._shared(completions))

    def pairwise(self) -> ModelAnalysis:
        """The same with all pairs of arms compared."""
        return replace(self, comparison=self.comparison.pairwise())

    def along(self, completions: Completions, directions: Array) -> Callable[[Array], Answers]:
        """The answers as a function of how far values are shifted along `directions`."""
        shared = self._shared(completions)
        return lambda delta: self._answers(completions.shifted(delta @ directions), shared)

    def _shared(self, completions: Completions) -> Shared | None:
        """What all fillings have in common, from a fit of the first; None where nothing is.

        Means stand at the covariates of those who count: of resamples only slopes do not.
        """
        alike = self.slope is not None and self.comparison.weights == "equal"
        if completions.counts is not None and not alike:
            return None
        try:
            fit = self._fit(replace(completions.only(0), counts=None))
        except FitError:
            return None
        if not fit.convergence.converged:
            return None
        return Shared(self._rows(fit), SameRows.of(fit) if isinstance(fit, LmmFit) else None)

    def _answers(self, completions: Completions, shared: Shared | None) -> Answers:
        """Side by side where the rows allow it, those that are left one by one."""
        found = np.full((len(completions), 3, len(self.quantities)), np.nan)
        if shared is not None and shared.rows is not None:
            for some in shared.rows.batches(len(found)):
                found[some] = self._together(completions.among(some), shared.rows, shared)
        # of resamples one may leave a factor without a level
        rows = shared.L if shared is not None and completions.counts is None else None
        why: Counter[str] = Counter()
        for d in np.flatnonzero(np.isnan(found[:, 0]).any(axis=1)):
            try:
                fit = self._fit(completions.only(int(d)))
            except FitError as error:
                why[str(error)] += 1
                continue
            if fit.convergence.converged:
                found[d] = _estimated(fit, self._rows(fit) if rows is None else rows)
            else:
                why[fit.convergence.reason.value] += 1
        told = tuple(f"{count:,} of {len(found):,} fits: {said}" for said, count in why.items())
        return Answers(self.quantities, found[:, 0], found[:, 1], found[:, 2], told)

    def _together(self, some: Completions, rows: SameRows, shared: Shared) -> Array:
        """Fillings side by side, D × 3 × q; NaN where one has to be fitted by itself."""
        responses = some.tables(self.layout.Y).reshape(len(some), -1)
        visits = self.layout.Y.shape[1]
        counts = None if some.counts is None else np.repeat(some.counts, visits, axis=1)
        return rows.estimates(responses, shared.L, counts)

    def _fit(self, one: Completions) -> MixedFit:
        """One filling fitted by itself."""
        table = one.tables(self.layout.Y)[0]
        counts = None if one.counts is None else one.counts[0]
        return FITTERS[self.description](self.formula, completed_rows(self.layout, table, counts))

    def _means(self, fit: MixedFit) -> LsMeans:
        names = self.layout.names
        if self.slope is not None:
            return fit.slopes(self.slope, by=names.arm, weights=self.comparison.weights)
        by = names.visit if self.by_visit else ()
        return fit.ls_means(names.arm, by=by, weights=self.comparison.weights)

    def _rows(self, fit: MixedFit) -> Array:
        """Rows of coefficients of the quantities, in their order."""
        asked, grid = self.comparison, self._means(fit).grid
        place = {tuple(map(level_text, cell)): k for k, cell in enumerate(grid.cells)}
        visits = [(level_text(visit),) for visit in asked.visits] if self.by_visit else [()]
        at = [[place[(*visit, arm)] for arm in asked.arms] for visit in visits]
        return np.concatenate([asked.rows @ grid.L[cells] for cells in at])


def _estimated(fit: MixedFit, rows: Array) -> Array:
    """Estimates, standard errors and df of rows of coefficients, 3 × q."""
    found = estimates(fit.method, rows)
    return np.stack([found.estimate, found.std_error, found.df])


#: description -> what fits it
FITTERS: Mapping[str, Callable[[str, pd.DataFrame], MixedFit]] = {
    "MMRM": mmrm,
    "linear mixed model": lmm,
}
