"""ANCOVA at each visit, of all fillings of the missing cells at once.

The design of a visit is the same for every filling, so that all of them, and every direction in
which imputed values may be shifted, are right sides of the same normal equations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.many_least_squares import FilledResponse, many_least_squares
from trialmlm.errors import UsageError
from trialmlm.expressions.nodes import Name
from trialmlm.missing.answers import Answers, Forms
from trialmlm.missing.visit_design import VisitDesign, same_at_every_visit, visit_design

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trialmlm.arrays import Array
    from trialmlm.formula.grammar import ModelFormula
    from trialmlm.missing.comparison import Comparison
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, slots=True, eq=False)
class VisitAncova:
    """Ordinary least squares at each visit by itself.

    Attributes
    ----------
    layout : Layout
    comparison : Comparison
    designs : mapping of visit to VisitDesign
    """

    layout: Layout
    comparison: Comparison
    designs: Mapping[Any, VisitDesign]

    @classmethod
    def of(cls, read: ModelFormula, layout: Layout, comparison: Comparison) -> VisitAncova:
        """Code the design of every visit asked for, once where they are all alike.

        Raises
        ------
        UsageError, DataError, FitError
            If the formula or the covariates do not carry it.
        """
        check_response(read, layout)
        visits = comparison.visits
        first = visit_design(read, layout, visits[0])
        if same_at_every_visit(read, layout):
            return cls(layout, comparison, dict.fromkeys(visits, first))
        later = {visit: visit_design(read, layout, visit) for visit in visits[1:]}
        return cls(layout, comparison, {visits[0]: first, **later})

    @property
    def description(self) -> str:
        """In words."""
        return "ANCOVA at each visit"

    @property
    def linear(self) -> bool:
        """True: least squares."""
        return True

    def answers(self, completions: Completions) -> Answers:
        """Means and contrasts of each filling."""
        none = np.zeros((0, completions.values.shape[1]))
        return self.forms(completions, none).at(np.zeros(0))

    def pairwise(self) -> VisitAncova:
        """The same with all pairs of arms compared."""
        return replace(self, comparison=self.comparison.pairwise())

    def along(self, completions: Completions, directions: Array) -> Callable[[Array], Answers]:
        """The answers as a function of how far values are shifted along `directions`."""
        return self.forms(completions, directions).at

    def forms(self, completions: Completions, directions: Array) -> Forms:
        """The answers as forms in the units of `directions`, of shape (m − 1, k)."""
        n = len(self.layout.subjects)
        counts = np.ones((1, n)) if completions.counts is None else completions.counts.astype(float)
        rows = {design: self._rows(design, counts) for design in set(self.designs.values())}
        parts = [
            many_least_squares(design.orthonormal, rows[design], counts, response)
            for visit, design in self.designs.items()
            for response in [self._response(visit, completions, directions)]
        ]
        return Forms(
            tuple(q for visit in self.designs for q in self.comparison.quantities(visit)),
            np.concatenate([part.estimate for part in parts], axis=2),
            np.concatenate([part.square for part in parts], axis=3),
            np.concatenate([part.df for part in parts], axis=1),
            _lost(parts[0].estimate),
        )

    def _response(self, visit: Any, completions: Completions, directions: Array) -> FilledResponse:
        """The response at one visit."""
        place = self.layout.visits.tolist().index(visit)
        here = np.flatnonzero(completions.visit == place)
        filled = completions.values[:, here]
        values = np.empty((len(filled), 1 + len(directions), here.size))
        values[:, 0], values[:, 1:] = filled, directions[:, here]
        observed = np.nan_to_num(self.layout.Y[:, place])
        return FilledResponse(observed, completions.subject[here], values)

    def _rows(self, design: VisitDesign, counts: Array) -> Array:
        """Rows of the means and contrasts in the design's basis, C × rows × r."""
        arm, asked = self.layout.names.arm, self.comparison
        return asked.rows @ design.mean_rows(arm, asked.arms, counts, asked.weights)


def check_response(read: ModelFormula, layout: Layout) -> None:
    """Refuse a response that is not what was imputed, and covariates that were imputed too.

    Raises
    ------
    UsageError
    """
    varying = sorted(read.fixed_variables & layout.varying)
    if varying:
        msg = (
            f"analyse: {', '.join(varying)} differs between the imputations, and every completed "
            "data set is analysed with the same covariates; name a covariate that was observed, or "
            "leave it out"
        )
        raise UsageError(msg)
    if read.response != Name(layout.names.response):
        found = read.response_text or "nothing"
        msg = (
            f"analyse: the response is {found}, expected {layout.names.response}, which was "
            "imputed; a function of the data may analyse something else"
        )
        raise UsageError(msg)


def _lost(estimate: Array) -> tuple[str, ...]:
    """What to say of the resamples without an answer."""
    count = int(np.isnan(estimate).any(axis=(1, 2)).sum())
    if not count:
        return ()
    return (f"{count:,} of {len(estimate):,} resamples lack a level of a factor",)
