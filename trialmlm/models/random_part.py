"""Grouping factors with their random effects: nestings expanded, terms of one factor together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from trialmlm.engine.ranks import Effect
from trialmlm.errors import FitError
from trialmlm.formula.coding import make_coding, term_columns
from trialmlm.formula.factor import CategoricalFactor, level_text
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.likelihood import RandomEffects
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.grammar import RandomTerm


@dataclass(frozen=True, slots=True)
class Gate:
    """A level of a column, such as an arm, whose groups alone have some effects.

    Attributes
    ----------
    column : str
    level : object
    """

    column: str
    level: Any

    @property
    def name(self) -> str:
        """Before the names of its effects: ``ARMDrug:``."""
        return f"{self.column}{level_text(self.level)}:"

    def opened(self, table: Mapping[str, Variable]) -> Array:
        """1 for the rows of the level, 0 for others."""
        own = table[self.column].as_factor()
        found: Array = np.array([level == self.level for level in own.levels or ()])[own.codes]
        return found.astype(float)


@dataclass(frozen=True, slots=True)
class RandomPart:
    """A grouping factor and the effects that are random by its levels.

    Attributes
    ----------
    columns : tuple of str
        Whose combinations are the levels; one, or the outer ones of a nesting first.
    groups : Variable
        The levels of the rows used.
    codings : tuple of Coding
        How each term's effects become columns.
    texts : tuple of str
        Each term as it was written.
    correlated : tuple of bool
        Whether a term's effects are correlated with each other; those of different terms are not.
    gates : tuple of Gate or None
        Of each term, the level that alone has its effects; None for all groups.
    """

    columns: tuple[str, ...]
    groups: Variable
    codings: tuple[Coding, ...]
    texts: tuple[str, ...]
    correlated: tuple[bool, ...]
    gates: tuple[Gate | None, ...]

    @property
    def name(self) -> str:
        """As R writes it, ``SITEID:USUBJID``."""
        return ":".join(self.columns)

    @property
    def n_levels(self) -> int:
        """Levels with a row used."""
        return len(self.groups.levels or ())

    @property
    def names(self) -> tuple[str, ...]:
        """Of the effects, term after term."""
        return tuple(
            f"{gate.name if gate else ''}{name}"
            for coding, gate in zip(self.codings, self.gates, strict=True)
            for name in coding.names
        )

    @property
    def gated(self) -> bool:
        """Whether covariances differ by a column, so that a group has the effects of one level."""
        return any(gate is not None for gate in self.gates)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Effects that are correlated with each other, block after block."""
        return tuple(
            size
            for coding, together in zip(self.codings, self.correlated, strict=True)
            for size in ([len(coding.names)] if together else [1] * len(coding.names))
        )

    @property
    def variables(self) -> frozenset[str]:
        """Columns that the effects are made of."""
        gates = (gate.column for gate in self.gates if gate)
        return frozenset(gates).union(*(coding.variables for coding in self.codings))

    @property
    def single(self) -> bool:
        """Whether all its effects are correlated, as one term's."""
        return len(self.sizes) == 1

    def matrix(self, table: Mapping[str, Variable], rows: int) -> Array:
        """Z, rows × effects."""
        blocks = [coding.matrix(table, rows) for coding in self.codings]
        for k, gate in enumerate(self.gates):
            if gate is not None:
                blocks[k] = blocks[k] * gate.opened(table)[:, None]
        return np.concatenate(blocks, axis=1)

    def held(self, table: Mapping[str, Variable]) -> BoolArray:
        """Which effects each level has, levels × effects."""
        found = np.ones((self.n_levels, len(self.names)), dtype=bool)
        sizes = [len(coding.names) for coding in self.codings]
        for columns, gate in zip(_slices(sizes), self.gates, strict=True):
            if gate is not None:
                open_ = np.zeros(self.n_levels, dtype=bool)
                open_[self.groups.codes] = gate.opened(table) > 0.0
                found[:, columns] = open_[:, None]
        return found

    def positions(self, table: Mapping[str, tuple[object, ...]], rows: int) -> IntArray:
        """Which level every new row has, of values by column; −1 where it is none of the fit's."""
        if any(name not in table for name in self.columns):
            return np.full(rows, -1, dtype=np.intp)
        place = {level: i for i, level in enumerate(self.groups.levels or ())}
        if len(self.columns) == 1:
            given: Iterable[object] = table[self.columns[0]]
        else:
            given = map(_label, zip(*(table[name] for name in self.columns), strict=True))
        return np.array([place.get(level, -1) for level in given], dtype=np.intp)


def random_parts(
    terms: tuple[RandomTerm, ...], variables: Mapping[str, Variable]
) -> tuple[RandomPart, ...]:
    """The grouping factors in the order of the formula, ``a/b`` being a and then a:b."""
    found: dict[tuple[str, ...], RandomPart] = {}
    for term in terms:
        coding = make_coding(term.terms, variables)
        for columns in term.factors:
            groups = _levels(columns, variables)
            gates = _gates(term, groups, variables)
            n = len(gates)
            own = RandomPart(
                columns, groups, (coding,) * n, (term.text,) * n, (term.correlated,) * n, gates
            )
            found[columns] = _together(found[columns], own) if columns in found else own
    return tuple(found.values())


def _gates(
    term: RandomTerm, groups: Variable, variables: Mapping[str, Variable]
) -> tuple[Gate | None, ...]:
    """One per level of the column of ``by=``, each group being of one level."""
    if term.by is None:
        return (None,)
    own = variables[term.by].as_factor()
    levels = own.levels or ()
    pairs = np.unique(np.stack([groups.codes, own.codes]), axis=1)
    several = np.flatnonzero(np.diff(pairs[0]) == 0)
    if several.size:
        group = level_text((groups.levels or ())[pairs[0, several[0]]])
        one, two = (level_text(levels[pairs[1, several[0] + k]]) for k in (0, 1))
        msg = (
            f"{term.text}: {groups.name} {group} has rows of {term.by} {one} and {two}; a "
            f"covariance for each {term.by} needs every {groups.name} to be of one"
        )
        raise FitError(msg)
    for k, count in enumerate(np.bincount(pairs[1], minlength=len(levels))):
        if count < 2:
            msg = (
                f"{term.text}: {term.by} {level_text(levels[k])} has one {groups.name}: its "
                "covariance cannot be estimated; leave by= out, or put levels together"
            )
            raise FitError(msg)
    return tuple(Gate(term.by, level) for level in levels)


def _slices(sizes: Iterable[int]) -> Iterator[slice]:
    at = 0
    for size in sizes:
        yield slice(at, at + size)
        at += size


def effects_of_terms(
    parts: Sequence[RandomPart], Z: Sequence[Array], fixed: Coding
) -> tuple[tuple[Effect, ...], BoolArray, BoolArray]:
    """The random effects, and how the fixed terms are named beside theirs, column by column.

    That is which columns are of terms of factors alone, and which effects contain the term. As in
    SAS, an effect contains a term whose factors are all among its own and its group's, if
    both have the same numbers.
    """
    effects: list[Effect] = []
    own: list[tuple[frozenset[str], frozenset[str]]] = []
    for number, (part, matrix) in enumerate(zip(parts, Z, strict=True)):
        at = 0
        for coding in part.codings:
            for columns, (classes, numbers) in _terms(coding):
                here = [at + k for k in columns]
                effects.append(Effect(number, part.groups.codes, matrix[:, here]))
                own.append((classes.union(part.columns), numbers))
            at += len(coding.names)
    contains = np.zeros((len(fixed.names), len(effects)), dtype=bool)
    of_classes = np.zeros(len(fixed.names), dtype=bool)
    for columns, (classes, numbers) in _terms(fixed):
        of_classes[columns] = bool(classes) and not numbers
        contains[columns] = [classes <= held and numbers == others for held, others in own]
    return tuple(effects), of_classes, contains


def _terms(coding: Coding) -> Iterator[tuple[list[int], tuple[frozenset[str], frozenset[str]]]]:
    """The columns of each term, with its factors' columns of the data and its numbers' names."""
    columns = term_columns(coding)
    for term in coding.terms:
        factors = [coding.factors[i] for i in term.factors]
        kinds = [isinstance(factor, CategoricalFactor) for factor in factors]
        classes = frozenset().union(
            *(f.variables for f, kind in zip(factors, kinds, strict=True) if kind)
        )
        numbers = frozenset(f.name for f, kind in zip(factors, kinds, strict=True) if not kind)
        yield columns[term.name], (classes, numbers)


def likelihood_of(fit: GaussianFit) -> RandomEffects:
    """The likelihood of a fit with random effects."""
    return cast("RandomEffects", fit.likelihood)


def _together(first: RandomPart, second: RandomPart) -> RandomPart:
    return replace(
        first,
        codings=first.codings + second.codings,
        texts=first.texts + second.texts,
        correlated=first.correlated + second.correlated,
        gates=first.gates + second.gates,
    )


def _levels(columns: tuple[str, ...], variables: Mapping[str, Variable]) -> Variable:
    """The combinations that occur, in the order of the outer column's levels, then the inner's."""
    found = variables[columns[0]].as_factor()
    for name in columns[1:]:
        inner = variables[name].as_factor()
        labels = inner.levels or ()
        pairs, codes = np.unique(found.codes * len(labels) + inner.codes, return_inverse=True)
        outer = found.levels or ()
        levels = tuple(
            _label((outer[pair // len(labels)], labels[pair % len(labels)])) for pair in pairs
        )
        found = Variable(f"{found.name}:{name}", levels, codes.reshape(-1))
    return found


def _label(values: tuple[object, ...]) -> str:
    return ":".join(map(level_text, values))
