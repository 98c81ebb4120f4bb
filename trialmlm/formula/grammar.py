"""The text of a model, taken apart: response, fixed effects, random effects, covariance.

``FEV1 ~ ARMCD * AVISIT + (1 | SITEID) + us(AVISIT | USUBJID)``
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from trialmlm.errors import UsageError
from trialmlm.expressions.dialects import FORMULA
from trialmlm.expressions.functions import BASES, STRUCTURES
from trialmlm.expressions.nodes import (
    Binary,
    Call,
    Name,
    Node,
    Number,
    Unary,
    names,
    walk,
)
from trialmlm.expressions.parser import read_expression
from trialmlm.expressions.refusal import refused
from trialmlm.expressions.spelling import spell

_BARS = frozenset({"|", "||"})
_SUMS = frozenset({"+", "-"})


@dataclass(frozen=True, slots=True)
class CovarianceTerm:
    """A residual covariance, as ``us(AVISIT | ARMCD / USUBJID)``.

    Attributes
    ----------
    structure : str
        Its name in the register of structures.
    visit : tuple of str
        The visit; for a spatial structure its coordinates.
    group : str or None
        The column each level of which has a covariance of its own.
    subject : str
        The column that tells subjects apart.
    start, end : int
        Where the term stands in the formula.
    options : tuple of pairs
        What the structure is told besides, as ``toep(AVISIT | USUBJID, bands=2)``.
    """

    structure: str
    visit: tuple[str, ...]
    group: str | None
    subject: str
    start: int
    end: int
    options: tuple[tuple[str, int], ...] = ()

    @property
    def variables(self) -> frozenset[str]:
        """Columns the term names."""
        return frozenset({*self.visit, self.subject} | ({self.group} if self.group else set()))


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """Random effects of one grouping, as ``(1 + YEARS | USUBJID)``.

    Attributes
    ----------
    text : str
        As it was written.
    terms : Node
        What is random; ``1 + YEARS``.
    factors : tuple of tuple of str
        The columns of each grouping factor: of ``a/b`` those of a and of a:b, of ``a:b`` one.
    correlated : bool
        False for ``(x || g)``.
    by : str or None
        The column each level of which has a covariance of its own: ``gr(g, by=ARM)``.
    """

    text: str
    terms: Node
    factors: tuple[tuple[str, ...], ...]
    correlated: bool
    by: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """All columns, the outermost of a nesting first."""
        return self.factors[-1]

    @property
    def nested(self) -> bool:
        """Whether the outer factors of the columns have effects too, as in ``a/b``."""
        return len(self.factors) == len(self.groups)

    @property
    def terms_text(self) -> str:
        """The terms as patsy reads them."""
        return spell(self.terms)

    @property
    def variables(self) -> frozenset[str]:
        """Columns the term names."""
        return names(self.terms).union(self.groups, [self.by] if self.by else [])


@dataclass(frozen=True, slots=True)
class ModelFormula:
    """A model's text in its parts.

    Attributes
    ----------
    text : str
        As it was written.
    response : Node or None
        The left side; None for a formula that begins with ``~``.
    fixed : Node
        The right side without covariance and random effects; ``1`` where nothing else is left.
    covariance : tuple of CovarianceTerm
        None or one.
    random : tuple of RandomTerm
        In the order of the text.
    """

    text: str
    response: Node | None
    fixed: Node
    covariance: tuple[CovarianceTerm, ...]
    random: tuple[RandomTerm, ...]

    @property
    def response_text(self) -> str:
        """The left side as patsy reads it; empty where there is none."""
        return "" if self.response is None else spell(self.response)

    @property
    def fixed_text(self) -> str:
        """The fixed effects as patsy reads them."""
        return spell(self.fixed)

    @property
    def fixed_variables(self) -> frozenset[str]:
        """Columns the fixed effects name."""
        return names(self.fixed)

    @property
    def variables(self) -> frozenset[str]:
        """Columns named anywhere in the model."""
        left = frozenset() if self.response is None else names(self.response)
        special: tuple[CovarianceTerm | RandomTerm, ...] = (*self.covariance, *self.random)
        return left.union(self.fixed_variables, *(term.variables for term in special))


def read_formula(text: str) -> ModelFormula:
    """Read a model's text; nothing of it is evaluated.

    Parameters
    ----------
    text : str
        ``response ~ terms``, in R's notation. Columns with odd names stand in backquotes.

    Raises
    ------
    ExpressionError
        For what is not allowed or not understood; the message names it and marks the place.
    UsageError
        If it is no text.

    Examples
    --------
    >>> model = read_formula("FEV1 ~ ARMCD * AVISIT + us(AVISIT | USUBJID)")
    >>> model.fixed_text
    'ARMCD * AVISIT'
    >>> model.covariance[0].subject
    'USUBJID'
    """
    if not isinstance(text, str):
        msg = f"formula: found {type(text).__name__}, expected text, as 'CHG ~ BASE + TRT01P'"
        raise UsageError(msg)
    return _read(text)


@lru_cache(maxsize=256)
def _read(text: str) -> ModelFormula:
    """A text is read once: a fit, its predictions and its programs all ask for it."""
    return _Grammar(text).formula()


@dataclass(frozen=True, slots=True)
class _Grammar:
    """One text, for the messages of the rules below."""

    text: str

    def formula(self) -> ModelFormula:
        tree = read_expression(self.text, FORMULA)
        response, right = self.sides(tree)
        fixed, special = self.split(right)
        fixed = Number(1.0, start=right.start, end=right.end) if fixed is None else fixed
        self.check_terms(fixed)
        covariance = tuple(self.covariance(term) for term in special if isinstance(term, Call))
        random = tuple(self.random(term) for term in special if isinstance(term, Binary))
        if len(covariance) > 1:
            message = "a second covariance term; a model has only one residual covariance"
            raise refused(message, self.text, covariance[1].start, covariance[1].end)
        return ModelFormula(self.text, response, fixed, covariance, random)

    def sides(self, tree: Node) -> tuple[Node | None, Node]:
        match tree:
            case Unary("~", right):
                return None, right
            case Binary("~", response, right):
                self.check_response(response)
                return response, right
        message = "a model is written response ~ terms; there is no '~'"
        return self.refuse(message, tree)

    def check_response(self, node: Node) -> None:
        columns = isinstance(node, Call) and node.function not in BASES | STRUCTURES
        if not (isinstance(node, Name) or columns):
            message = (
                "the response is one column or a transformation of one, as log(AVAL); "
                "arithmetic stands within I(…), as I(AVAL - BASE)"
            )
            self.refuse(message, node)

    def split(self, node: Node) -> tuple[Node | None, list[Node]]:
        """Take the covariance and random terms out of a sum; None where nothing else is in it."""
        if _is_special(node):
            return None, [node]
        match node:
            case Binary("+", left, right):
                first, special = self.split(left)
                second, more = self.split(right)
                return _sum(node, first, second), special + more
            case Binary("-", left, right):
                self.refuse_special(right, "cannot be taken away with '-'")
                first, special = self.split(left)
                rest = Unary("-", right, start=node.start, end=node.end)
                kept = rest if first is None else _with(node, first, right)
                return kept, special
            case Unary("+", operand):
                first, special = self.split(operand)
                return first and Unary("+", first, start=node.start, end=node.end), special
        self.refuse_special(
            node,
            "cannot be taken away with '-'"
            if isinstance(node, Unary)
            else "stands by itself in the sum, not within an interaction",
        )
        return node, []

    def refuse_special(self, node: Node, reason: str) -> None:
        for part in walk(node):
            if _is_special(part):
                kind = "a covariance" if isinstance(part, Call) else "a random-effects"
                self.refuse(f"{kind} term {reason}", part)

    def check_terms(self, node: Node) -> None:
        """Refuse what is arithmetic rather than terms of a model."""
        match node:
            case Number(value):
                if value not in (0.0, 1.0):
                    self.refuse("a number among the terms is 0 or 1 (the intercept)", node)
            case Unary(_, operand):
                self.check_terms(operand)
            case Binary(operator, left, right) if operator in _SUMS:
                self.check_terms(left)
                self.check_terms(right)
            case Binary(operator, left, right):
                for side in (left,) if operator == "**" else (left, right):
                    self.check_factor(operator, side)

    def check_factor(self, operator: str, node: Node) -> None:
        if isinstance(node, Number | Unary):
            message = (
                f"'{operator}' stands between terms, not numbers; arithmetic stands within I(…), "
                "as I(BASE / 100)"
            )
            self.refuse(message, node)
        self.check_terms(node)

    def covariance(self, call: Call) -> CovarianceTerm:
        """Read ``us(AVISIT | ARMCD / USUBJID)``."""
        name = call.function
        shown = f"{name}(AVISIT | USUBJID), or {name}(AVISIT | ARMCD / USUBJID) for one per arm"
        *first, last = call.arguments
        if not isinstance(last, Binary) or last.operator != "|":
            self.refuse(f"a covariance names its visit and its subject: {shown}", call)
        visit = [self.column(part, shown) for part in (*first, last.left)]
        structure = STRUCTURES[name]
        if structure.crossed and len(visit) != 2:
            self.refuse(f"{name} takes two factors, as {name}(PARAMCD, AVISIT | USUBJID)", call)
        if len(visit) > 1 and not (structure.spatial or structure.crossed):
            self.refuse(f"{name} takes one visit, {len(visit)} are given: {shown}", call)
        groups = self.groups(last.right)
        if len(groups) > 2:
            self.refuse(f"a covariance has one group at most: {shown}", last.right)
        group = groups[0] if len(groups) == 2 else None
        options = tuple((key, self.count(key, value)) for key, value in call.keywords)
        return CovarianceTerm(name, tuple(visit), group, groups[-1], call.start, call.end, options)

    def count(self, key: str, node: Node) -> int:
        """A whole number above zero."""
        if isinstance(node, Number) and node.value == int(node.value) and node.value >= 1.0:
            return int(node.value)
        return self.refuse(f"{key}= takes a whole number above zero, as {key}=2", node)

    def random(self, bar: Binary) -> RandomTerm:
        """Read ``(1 + YEARS | USUBJID)``."""
        self.refuse_special(bar.left, "cannot stand within a random-effects term")
        self.check_terms(bar.left)
        text, right, by = self.text[bar.start : bar.end], bar.right, None
        if isinstance(right, Call):
            right, by = self.grouped(right)
        return RandomTerm(text, bar.left, self.factors(right), bar.operator == "|", by)

    def grouped(self, call: Call) -> tuple[Node, str]:
        """Read ``gr(USUBJID, by=ARM)``."""
        shown = f"{call.function}(USUBJID, by=ARM): a covariance of random effects for each ARM"
        if not call.keywords:
            self.refuse(f"by= names the column that groups covariances: {shown}", call)
        ((_, value),) = call.keywords
        return call.arguments[0], self.column(value, shown)

    def factors(self, node: Node) -> tuple[tuple[str, ...], ...]:
        """Read ``a/b``, which is a and a:b, or ``a:b`` alone."""
        match node:
            case Binary("/", outer, inner):
                held = self.factors(outer)
                return (*held, *((*held[-1], *own) for own in self.factors(inner)))
            case Binary(":"):
                return (self.combined(node),)
        return ((self.column(node, "(1 | SITEID), or nested (1 | SITEID/USUBJID)"),),)

    def groups(self, node: Node) -> tuple[str, ...]:
        """Read ``a/b/c``."""
        if isinstance(node, Binary) and node.operator == "/":
            return (*self.groups(node.left), *self.groups(node.right))
        return (self.column(node, "(1 | SITEID), or nested (1 | SITEID/USUBJID)"),)

    def combined(self, node: Node) -> tuple[str, ...]:
        """Read ``a:b:c``."""
        if isinstance(node, Binary) and node.operator == ":":
            return (*self.combined(node.left), *self.combined(node.right))
        return (self.column(node, "combinations of columns, as (1 | SITEID:VISIT)"),)

    def column(self, node: Node, shown: str) -> str:
        if isinstance(node, Name):
            return node.name
        return self.refuse(f"a column is expected here: {shown}", node)

    def refuse(self, message: str, node: Node) -> NoReturn:
        raise refused(message, self.text, node.start, node.end)


def _is_special(node: Node) -> bool:
    """Whether `node` is a covariance or a random-effects term."""
    if isinstance(node, Call):
        return node.function in STRUCTURES
    return isinstance(node, Binary) and node.operator in _BARS


def _sum(node: Binary, first: Node | None, second: Node | None) -> Node | None:
    """Return the sum of what is left of both sides."""
    if first is None or second is None:
        return first or second
    return _with(node, first, second)


def _with(node: Binary, left: Node, right: Node) -> Binary:
    return Binary(node.operator, left, right, start=node.start, end=node.end)
