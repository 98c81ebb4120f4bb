"""A fitted constrained longitudinal analysis, and the constraint: one mean at baseline."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.grid import Grid, reference_grid
from trialmlm.inference.contrasts import f_test
from trialmlm.models.ls_means import LsMeans
from trialmlm.models.mmrm import MmrmFit
from trialmlm.programs.analysis import Indicator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.programs.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Constraint:
    """Which cells of arm and visit have an effect of their own.

    Attributes
    ----------
    arm, visit : str
        Columns.
    arms, visits : tuple
        Levels in order; the baseline is the first visit.
    control : level
    """

    arm: str
    visit: str
    arms: tuple[Any, ...]
    visits: tuple[Any, ...]
    control: Any

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Constraint:
        """From what a file holds, lists in place of tuples."""
        told = dict(plain)
        arms, visits = tuple(told.pop("arms")), tuple(told.pop("visits"))
        return cls(arms=arms, visits=visits, **told)

    @property
    def arm_columns(self) -> dict[str, Any]:
        """Name of the indicator column of each arm but control."""
        return {f"{self.arm}{level_text(a)}": a for a in self.arms if a != self.control}

    @property
    def visit_columns(self) -> dict[str, Any]:
        """Name of the indicator column of each visit but baseline."""
        return {f"{self.visit}{level_text(v)}": v for v in self.visits[1:]}

    @property
    def effects(self) -> tuple[tuple[str, str], ...]:
        """The pairs of columns whose products are the effects, visit by visit."""
        return tuple((a, v) for v in self.visit_columns for a in self.arm_columns)

    def indicators(self, arm: Any, visit: Any) -> dict[str, float]:
        """The indicator columns of one cell; no product is 1 at baseline or under control."""
        arms = {name: float(level == arm) for name, level in self.arm_columns.items()}
        visits = {name: float(level == visit) for name, level in self.visit_columns.items()}
        return arms | visits

    def added(self, data: pd.DataFrame) -> pd.DataFrame:
        """The data with the indicator columns; missing where the arm or the visit is."""
        made = {
            name: (data[column] == level).astype(float).mask(data[column].isna())
            for column, columns in (
                (self.arm, self.arm_columns),
                (self.visit, self.visit_columns),
            )
            for name, level in columns.items()
        }
        return data.assign(**made)


@dataclass(frozen=True, repr=False)
class CldaFit(MmrmFit):
    """A fitted constrained longitudinal analysis: an MMRM that knows its arms.

    Attributes
    ----------
    constraint : Constraint
    """

    constraint: Constraint

    def ls_means(
        self,
        of: str | tuple[str, ...],
        by: str | tuple[str, ...] = (),
        *,
        weights: str = "equal",
        over: str = "analysed",
        covariates: str = "fixed",
        among: str | tuple[str, ...] = (),
        at: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
    ) -> LsMeans:
        """Least-squares means, as of an MMRM; the arm is a factor although the model has none.

        At baseline the means of all arms are one, and their differences zero by construction. A
        mean not given by visit is the average over the visits after baseline, one not given by
        arm that over the arms.

        Raises
        ------
        UsageError
            If a name or level is not in the model, or observed margins are asked for where arm
            or visit is averaged over, or counterfactual weights, which the constraint does not
            have.
        """
        if weights == "counterfactual" or (over, covariates, among) != ("analysed", "fixed", ()):
            raise UsageError("LS means: a constrained analysis has no counterfactual weights")
        names = (of,) if isinstance(of, str) else tuple(of)
        within = (by,) if isinstance(by, str) else tuple(by)
        factors = {self.constraint.arm, *self.coding.categorical}
        for name in (*within, *names):
            if name not in factors:
                known = ", ".join(sorted(factors))
                msg = f"LS means: {name} is not a factor of the model; its factors are {known}"
                raise UsageError(msg)
        grid = self._grid((*within, *names), weights, dict(at or {}))
        return LsMeans(grid, names, within, self.method, confidence, made=self.cautions)

    def _grid(self, names: tuple[str, ...], weights: str, at: dict[str, Any]) -> Grid:
        held = self.constraint
        arms = self._levels(held.arm, held.arms, held.arms, names, at)
        visits = self._levels(held.visit, held.visits, held.visits[1:], names, at)
        averaged = [
            name
            for name, levels in ((held.arm, arms), (held.visit, visits))
            if name not in names and len(levels) > 1
        ]
        if weights != "equal" and averaged:
            msg = f"LS means: weights={weights!r} needs {', '.join(averaged)} among the names"
            raise UsageError(msg)
        others = tuple(name for name in names if name not in (held.arm, held.visit))
        grids = {
            (arm, visit): self._cells(arm, visit, others, weights, at)
            for arm in arms
            for visit in visits
        }
        known = {name: self.coding.categorical[name].levels for name in others}
        known |= {held.arm: arms, held.visit: visits}
        cells = tuple(product(*(known[name] for name in names)))
        rows = []
        for cell in cells:
            of = dict(zip(names, cell, strict=True))
            k = grids[arms[0], visits[0]].cells.index(tuple(of[name] for name in others))
            own = (of[held.arm],) if held.arm in of else arms
            when = (of[held.visit],) if held.visit in of else visits
            rows.append(
                np.mean([grid.L[k] for (a, v), grid in grids.items() if a in own and v in when], 0)
            )
        return Grid(names, cells, np.stack(rows))

    def _levels(
        self,
        name: str,
        every: tuple[Any, ...],
        averaged: tuple[Any, ...],
        names: tuple[str, ...],
        at: dict[str, Any],
    ) -> tuple[Any, ...]:
        """The levels of arm or visit that are shown or averaged over; takes `name` out of `at`."""
        if names.count(name) > 1 or (name in names and name in at):
            msg = f"LS means: {name} is named twice"
            raise UsageError(msg)
        if name not in at:
            return every if name in names else averaged
        level = at.pop(name)
        if level not in every:
            msg = f"at: {level!r} is not a level of {name}: {every}"
            raise UsageError(msg)
        return (level,)

    def _cells(
        self, arm: Any, visit: Any, others: tuple[str, ...], weights: str, at: Mapping[str, Any]
    ) -> Grid:
        """The reference grid with arm and visit held."""
        held = {**at, **self.constraint.indicators(arm, visit), self.constraint.visit: visit}
        return reference_grid(self.coding, self.variables, others, weights=weights, at=held)

    def treatment_test(self) -> pd.DataFrame:
        """F test that no arm differs from control at any visit after baseline.

        Returns
        -------
        DataFrame
            One row: num_df, den_df, statistic, p_value.
        """
        L = np.eye(len(self.coding.names))
        rows = [self.coding.names.index(f"{a}:{v}") for a, v in self.constraint.effects]
        return pd.DataFrame([asdict(f_test(self.method, L[rows]))])[
            ["num_df", "den_df", "statistic", "p_value"]
        ]

    def predict(
        self,
        new: pd.DataFrame,
        confidence: float = 0.95,
        *,
        interval: str = "confidence",
        conditional: bool = False,
    ) -> pd.DataFrame:
        """Predict new rows, which name their arm and visit; as of an MMRM.

        Raises
        ------
        UsageError, FitError
        """
        for name, known in ((self.constraint.arm, "arms"), (self.constraint.visit, "visits")):
            if name not in new.columns or new[name].isna().any():
                msg = f"predict: {name} is missing or has missing values in the new rows"
                raise UsageError(msg)
            unseen = set(new[name]) - set(getattr(self.constraint, known))
            if unseen:
                msg = f"predict: {name} has {unseen.pop()!r}, which the model was not fitted on"
                raise FitError(msg)
        rows = self.constraint.added(new)
        return super().predict(rows, confidence, interval=interval, conditional=conditional)

    @property
    def analysis(self) -> Analysis:
        """Programs in other languages make the indicator columns first.

        Their coefficients are the differences from control; LS means of the arm they do not have.
        """
        held = self.constraint
        columns = {held.arm: held.arm_columns, held.visit: held.visit_columns}
        made = (
            Indicator(name, column, level.item() if isinstance(level, np.generic) else level)
            for column, levels in columns.items()
            for name, level in levels.items()
        )
        return replace(super().analysis, indicators=tuple(made))

    @property
    def form(self) -> dict[str, Any]:
        """The constraint, for a file."""
        return {"clda": asdict(self.constraint)}


def constrained(fit: MmrmFit, constraint: Constraint) -> CldaFit:
    """An MMRM on the indicator columns as what it is."""
    held = {part.name: getattr(fit, part.name) for part in fields(MmrmFit)}
    return CldaFit(**held, constraint=constraint)
