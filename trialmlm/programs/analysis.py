"""What a program must say of an analysis: its model, its methods, and the LS means asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from trialmlm.expressions.nodes import Name

if TYPE_CHECKING:
    from trialmlm.expressions.nodes import Call, Node


@dataclass(frozen=True, slots=True)
class Shift:
    """What ``center`` and ``scale`` learnt: (x − shift) / unit."""

    shift: float
    unit: float


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What ``poly`` learnt: p_j = (x − alpha_j) p_{j−1} − norm2_{j+1} / norm2_j p_{j−2}.

    Attributes
    ----------
    alpha : tuple of float
        One per degree.
    norm2 : tuple of float
        Σ p_j², with a leading 1; two more than degrees.
    """

    alpha: tuple[float, ...]
    norm2: tuple[float, ...]


#: a call, and what it learnt from the rows of the fit; None where no other program can be told
Learnt: TypeAlias = "tuple[tuple[Call, Shift | Recurrence | None], ...]"


@dataclass(frozen=True, slots=True)
class ClassFactor:
    """A factor with levels.

    Attributes
    ----------
    variable : str
        The column.
    levels : tuple
        In the model's order.
    contrast : str
        Treatment, Sum or Helmert.
    reference : int
        Where the level stands whose coefficient treatment contrasts leave out.
    """

    variable: str
    levels: tuple[Any, ...]
    contrast: str = "Treatment"
    reference: int = 0

    @property
    def columns(self) -> frozenset[str]:
        """The one column it is made of."""
        return frozenset({self.variable})


@dataclass(frozen=True, slots=True)
class NumberFactor:
    """A number, or a function of numbers.

    Attributes
    ----------
    node : Node
        As it is written in the formula.
    columns : frozenset of str
        Of the data.
    width : int
        Columns of the design.
    learnt : tuple
        As in :data:`Learnt`.
    """

    node: Node
    columns: frozenset[str]
    width: int = 1
    learnt: Learnt = ()

    @property
    def plain(self) -> bool:
        """Whether it is a column of the data as it stands."""
        return isinstance(self.node, Name)


Factor: TypeAlias = ClassFactor | NumberFactor


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a linear predictor.

    Attributes
    ----------
    node : Node
        As written.
    factors : tuple of Factor
    terms : tuple of tuple of int
        Each term as positions in `factors`; the intercept is the empty tuple.
    """

    node: Node
    factors: tuple[Factor, ...]
    terms: tuple[tuple[int, ...], ...]

    @property
    def intercept(self) -> bool:
        """Whether there is one."""
        return () in self.terms

    @property
    def classes(self) -> dict[str, ClassFactor]:
        """The class factors by column; the first where a column has several codings."""
        found: dict[str, ClassFactor] = {}
        for factor in self.factors:
            if isinstance(factor, ClassFactor):
                found.setdefault(factor.variable, factor)
        return found

    @property
    def numbers(self) -> tuple[NumberFactor, ...]:
        """The number factors, in order."""
        return tuple(factor for factor in self.factors if isinstance(factor, NumberFactor))

    @property
    def crossed(self) -> bool:
        """Whether a term multiplies two numbers."""
        return any(sum(self.factors[i] in self.numbers for i in term) > 1 for term in self.terms)


@dataclass(frozen=True, slots=True)
class Repeated:
    """The residual covariance within subjects.

    Attributes
    ----------
    structure : str
        Its name in a formula.
    visit : tuple of str
        The visit's column; of a spatial structure the coordinates.
    subject : str
    group : str or None
        Whose levels have covariances of their own.
    levels : tuple of tuple
        The levels of each column of `visit` in order; empty for a spatial structure.
    options : tuple of pairs
        What the structure is told besides, as ``bands``.
    """

    structure: str
    visit: tuple[str, ...]
    subject: str
    group: str | None
    levels: tuple[tuple[Any, ...], ...]
    options: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """Random effects of one grouping.

    Attributes
    ----------
    part : Terms
    factors : tuple of tuple of str
        The columns of each grouping factor; of a nesting one factor more per level.
    correlated : bool
    by : str or None
        The column each level of which has a covariance of its own.
    """

    part: Terms
    factors: tuple[tuple[str, ...], ...]
    correlated: bool
    by: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """All columns, the outermost of a nesting first."""
        return self.factors[-1]


@dataclass(frozen=True, slots=True)
class Estimation:
    """How the model was fitted and what its tests stand on.

    Attributes
    ----------
    df, information : str
        As in ``df=`` and ``information=`` of the models.
    vcov : str or None
        A sandwich (CR0 to CR3), or None for what the df method implies.
    weights : str or None
        A column.
    reml : bool
    n_rows, n_subjects : int
        Used; no subjects for an analysis of covariance.
    """

    df: str = "satterthwaite"
    information: str = "observed"
    vcov: str | None = None
    weights: str | None = None
    reml: bool = True
    n_rows: int = 0
    n_subjects: int = 0


@dataclass(frozen=True, slots=True)
class MeansRequest:
    """LS means asked for.

    Attributes
    ----------
    of, by : tuple of str
        Factors compared, and those within which they are compared.
    weights : str
        equal or observed-margins.
    at : tuple of pairs
        Columns held fixed, and their values.
    control : level or None
        What the others are compared with; None for all pairs.
    values : tuple of tuple of float
        The columns of each number factor at these means, in the order of the factors.
    """

    of: tuple[str, ...]
    by: tuple[str, ...] = ()
    weights: str = "equal"
    at: tuple[tuple[str, Any], ...] = ()
    control: Any = None
    values: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """A column that the data do not have: 1 where another has a level, 0 elsewhere."""

    name: str
    column: str
    level: Any


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis, described without numbers of its results.

    Attributes
    ----------
    version, formula : str
        The package's, and the model's text.
    response : NumberFactor
    fixed : Terms
    repeated : Repeated or None
    random : tuple of RandomEffects
    estimation : Estimation
    indicators : tuple of Indicator
        Columns that the program makes before all else.
    """

    version: str
    formula: str
    response: NumberFactor
    fixed: Terms
    repeated: Repeated | None
    random: tuple[RandomEffects, ...]
    estimation: Estimation
    indicators: tuple[Indicator, ...] = ()

    @property
    def parts(self) -> tuple[Terms, ...]:
        """The fixed part and every random one."""
        return (self.fixed, *(effects.part for effects in self.random))

    @property
    def numeric_columns(self) -> tuple[str, ...]:
        """Columns that some part takes as numbers, sorted."""
        factors = (self.response, *(f for part in self.parts for f in part.numbers))
        found = frozenset().union(*(factor.columns for factor in factors))
        spatial = self.repeated.visit if self.repeated and not self.repeated.levels else ()
        weights = {self.estimation.weights} if self.estimation.weights else set()
        return tuple(sorted(found.union(spatial, weights)))

    @property
    def classes(self) -> dict[str, ClassFactor]:
        """The class factors of all parts, by column."""
        found: dict[str, ClassFactor] = {}
        for part in self.parts:
            found = {**part.classes, **found}
        return found

    @property
    def grouping_columns(self) -> tuple[str, ...]:
        """Columns that tell subjects, groups of covariances and random groups apart, in order."""
        found = [name for effects in self.random for name in effects.groups]
        found += [effects.by for effects in self.random if effects.by is not None]
        if self.repeated:
            found += [self.repeated.subject]
            found += [self.repeated.group] if self.repeated.group else []
        return tuple(dict.fromkeys(found))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is used, the response's first."""
        visit = self.repeated.visit if self.repeated else ()
        fixed = [name for factor in self.fixed.factors for name in sorted(factor.columns)]
        found = (*sorted(self.response.columns), *fixed, *visit, *self.grouping_columns)
        return tuple(dict.fromkeys((*found, *self.numeric_columns, *self.classes)))

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that the data must have: in place of an indicator what it is made of."""
        made = {indicator.name: indicator.column for indicator in self.indicators}
        return tuple(dict.fromkeys(made.get(name, name) for name in self.columns))
