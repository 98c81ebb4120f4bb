"""Grouping factors with their random effects: nestings expanded, terms of one factor together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from trialmlm.engine.ranks import Effect
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
    """

    columns: tuple[str, ...]
    groups: Variable
    codings: tuple[Coding, ...]
    texts: tuple[str, ...]
    correlated: tuple[bool, ...]

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
        return tuple(name for coding in self.codings for name in coding.names)

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
        return frozenset().union(*(coding.variables for coding in self.codings))

    @property
    def single(self) -> bool:
        """Whether all its effects are correlated, as one term's."""
        return len(self.sizes) == 1

    def matrix(self, table: Mapping[str, Variable], rows: int) -> Array:
        """Z, rows × effects."""
        return np.concatenate([coding.matrix(table, rows) for coding in self.codings], axis=1)

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
        for columns in nesting(term.groups):
            own = RandomPart(
                columns, _levels(columns, variables), (coding,), (term.text,), (term.correlated,)
            )
            found[columns] = _together(found[columns], own) if columns in found else own
    return tuple(found.values())


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


def nesting(groups: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The columns of a, a:b, a:b:c of ``a/b/c``."""
    for depth in range(1, len(groups) + 1):
        yield groups[:depth]


def _together(first: RandomPart, second: RandomPart) -> RandomPart:
    return replace(
        first,
        codings=first.codings + second.codings,
        texts=first.texts + second.texts,
        correlated=first.correlated + second.correlated,
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
