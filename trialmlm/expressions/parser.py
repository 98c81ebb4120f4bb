"""The one parser of formulas and where-clauses: operators by their levels, after Pratt (1973)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NoReturn

from trialmlm.expressions import calls, operands
from trialmlm.expressions.dialects import COMPARISONS, DIALECTS, FORMULA, Dialect
from trialmlm.expressions.nodes import Binary, Call, Items, Name, Node, Number, Text, Unary
from trialmlm.expressions.refusal import refused
from trialmlm.expressions.tokens import Kind, Token, column_fault, tokenize

#: how deep parentheses, calls and signs may nest, and how many operators one text may hold
DEEPEST = 50
MOST_OPERATORS = 250

_SIGNS = frozenset({"+", "-"})
_BARS = frozenset({"|", "||"})
_SPELLINGS = {"^": "**"}
_CONSTANT = DIALECTS["constant"]
_HINTS = {
    "(": "only a function's name can be called; '(' cannot stand here",
    "[": "subscripts are not allowed; a list stands only after 'in' in a where-clause",
}
_OTHER_WORDS = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "and": "and", "or": "or", "not": "not", "in": "in", "notin": "not in",
}  # fmt: skip


def read_expression(text: str, dialect: Dialect) -> Node:
    """Read a whole text in one dialect; nothing of it is evaluated.

    Parameters
    ----------
    text : str
        A model formula or a where-clause, as it stands in a file.
    dialect : Dialect
        `FORMULA` or `WHERE`.

    Returns
    -------
    Node
        The tree; `|` within parentheses is a `Binary` with the operator ``|`` or ``||``.

    Raises
    ------
    ExpressionError
        For whatever the dialect does not allow; the message names it and marks the place.
    """
    return _Reader(text).whole(dialect)


class _Reader:
    """The words of one text and how far they are read."""

    __slots__ = ("at", "depth", "operators", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = tokenize(text)
        self.at = 0
        self.depth = 0
        self.operators = 0

    @property
    def word(self) -> Token:
        return self.words[self.at]

    def whole(self, dialect: Dialect) -> Node:
        if len(self.words) == 1:
            raise refused(f"{dialect.title} is expected; the text is empty", self.text, 0, 1)
        node = self.expression(dialect, floor=0)
        if self.word.kind is not Kind.END:
            self.unexpected(dialect, "an operator")
        return node

    def expression(self, dialect: Dialect, floor: int) -> Node:
        """Read on while operators bind at `floor` or more tightly."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"nested more than {DEEPEST} deep", self.word)
        node = self.operand(dialect, floor)
        last = ""
        while operator := self.infix(dialect, floor):
            if last in COMPARISONS and operator in COMPARISONS:
                self.refuse("a chained comparison; write 1 < X and X < 3", self.word)
            node = self.binary(dialect, operator, node)
            last = operator
        self.depth -= 1
        return node

    def infix(self, dialect: Dialect, floor: int) -> str:
        """Return the operator that stands here, if it binds at `floor` or more tightly."""
        operator = self.operator()
        level = dialect.infix.get(operator, -1)
        return operator if level >= floor else ""

    def operator(self) -> str:
        """Return the operator that stands here in its one spelling, or nothing."""
        symbol = self.symbol()
        if symbol == "not" and self.symbol(ahead=1) == "in":
            return "not in"
        return _SPELLINGS.get(symbol, symbol)

    def symbol(self, ahead: int = 0) -> str:
        """Return the symbol that stands here, or nothing where another kind of word does."""
        word = self.words[min(self.at + ahead, len(self.words) - 1)]
        return word.value if word.kind is Kind.SYMBOL else ""

    def binary(self, dialect: Dialect, operator: str, left: Node) -> Node:
        """Read past `operator` and its right side."""
        self.count_operator()
        self.at += 2 if operator == "not in" else 1
        level = dialect.infix[operator]
        right = (
            self.items()
            if operator in {"in", "not in"}
            # powers bind to the right, everything else to the left
            else self.expression(dialect, level if operator == "**" else level + 1)
        )
        node = Binary(operator, left, right, start=left.start, end=right.end)
        operands.check(self.text, node, of_terms=dialect is FORMULA)
        return node

    def count_operator(self) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            advice = "list the values after 'in', or make a column first"
            self.refuse(f"more than {MOST_OPERATORS} operators; {advice}", self.word)

    def operand(self, dialect: Dialect, floor: int) -> Node:
        """Read a column, a constant, a call, a parenthesis, or a sign with what follows."""
        word, symbol = self.word, self.symbol()
        if symbol in dialect.prefix and (dialect.prefix[symbol] >= floor or symbol in _SIGNS):
            return self.unary(dialect, word)
        if symbol == "(" and (dialect.infix or dialect.prefix):
            return self.group(dialect)
        if word.kind is Kind.NAME and self.symbol(ahead=1) == "(":
            return self.call(dialect, word)
        if word.kind in {Kind.NAME, Kind.QUOTED}:
            return self.name(dialect, word)
        if word.kind in dialect.constants:
            return self.constant(word)
        return self.unexpected(dialect, "a constant" if not dialect.columns else "a column")

    def unary(self, dialect: Dialect, word: Token) -> Node:
        self.count_operator()
        self.at += 1
        operand = self.expression(dialect, dialect.prefix[word.value] + 1)
        node = Unary(word.value, operand, start=word.start, end=operand.end)
        operands.check(self.text, node, of_terms=dialect is FORMULA)
        return node

    def group(self, dialect: Dialect) -> Node:
        opening = self.take()
        node = self.barred(dialect)
        closing = self.close(dialect, ")")
        return replace(node, start=opening.start, end=closing.end)

    def barred(self, dialect: Dialect) -> Node:
        """Read an expression and, where the dialect has bars, the groups after one."""
        node = self.expression(dialect, floor=1)
        if not (dialect.bars and self.operator() in _BARS):
            return node
        bar = self.operator()
        self.at += 1
        groups = self.expression(DIALECTS["groups"], floor=1)
        if self.symbol() not in {")", ","}:
            self.unexpected(DIALECTS["groups"], "')'")
        return Binary(bar, node, groups, start=node.start, end=groups.end)

    def name(self, dialect: Dialect, word: Token) -> Node:
        if not dialect.columns:
            # a contrast may stand by its name alone; a constant may not be a column
            calls.registered(self.text, dialect, word)
            self.at += 1
            return Call(word.value, start=word.start, end=word.end)
        self.at += 1
        return Name(word.value, start=word.start, end=word.end)

    def constant(self, word: Token) -> Node:
        self.at += 1
        if word.kind is Kind.TEXT:
            return Text(word.value, start=word.start, end=word.end)
        value = float(word.value)
        if not math.isfinite(value):
            self.refuse("a number too large to be held", word)
        return Number(value, start=word.start, end=word.end)

    def items(self) -> Node:
        """Read the list after ``in``: constants within brackets or parentheses."""
        closing = {"[": "]", "(": ")"}.get(self.symbol())
        if closing is None:
            self.refuse("a list is expected after 'in', as ['A', 'B']", self.word)
        start = self.take().start
        found = [self.expression(_CONSTANT, floor=1)]
        while self.symbol() == ",":
            self.at += 1
            found.append(self.expression(_CONSTANT, floor=1))
        end = self.close(_CONSTANT, closing).end
        return Items(tuple(found), start=start, end=end)

    def call(self, dialect: Dialect, word: Token) -> Node:
        """Read a call of a registered function, and only of one."""
        function = calls.registered(self.text, dialect, word)
        self.at += 1
        self.take()
        given: list[Node] = []
        named: list[tuple[str, Node]] = []
        while self.symbol() != ")":
            if self.word.kind is Kind.NAME and self.symbol(ahead=1) == "=":
                named.append(self.keyword(DIALECTS[function.values]))
            elif named:
                self.refuse(f"{word.value}(…): an argument stands after a keyword", self.word)
            else:
                given.append(self.argument(DIALECTS[function.place(len(given))]))
            self.separate()
        end = self.close(dialect, ")").end
        node = Call(function.name, tuple(given), tuple(named), start=word.start, end=end)
        calls.check(self.text, function, node)
        return self.column(node) if function.name == "Q" else node

    def keyword(self, values: Dialect) -> tuple[str, Node]:
        name = self.word.value
        self.at += 2
        return name, self.argument(values)

    def argument(self, dialect: Dialect) -> Node:
        node = self.barred(dialect)
        if self.symbol() not in {")", ","}:
            self.unexpected(dialect, "',' or ')'")
        return node

    def separate(self) -> None:
        """Read the comma before a further argument."""
        if self.symbol() == ",":
            self.at += 1
            if self.symbol() == ")":
                self.refuse("an argument is expected after ','", self.word)

    def column(self, call: Call) -> Node:
        """Turn Q("…") into the column it names."""
        name = call.arguments[0]
        fault = "Q(…) takes a column's name in quotes"
        if not isinstance(name, Text) or (fault := column_fault(name.value)):
            raise refused(fault, self.text, call.start, call.end)
        return Name(name.value, start=call.start, end=call.end)

    def take(self) -> Token:
        """Read past the word that stands here."""
        self.at += 1
        return self.words[self.at - 1]

    def close(self, dialect: Dialect, symbol: str) -> Token:
        if self.symbol() != symbol:
            self.unexpected(dialect, f"'{symbol}'")
        return self.take()

    def unexpected(self, dialect: Dialect, wanted: str) -> NoReturn:
        """Refuse the word that stands here, with what to write instead where that is known."""
        word = self.word
        if word.kind is Kind.END:
            self.refuse(f"the text ends where {wanted} is expected", word)
        hints = {**_HINTS, **dialect.hints}
        if self.symbol() in hints:
            self.refuse(hints[self.symbol()], word)
        meant = _OTHER_WORDS.get(word.value.casefold(), "") if word.kind is Kind.NAME else ""
        advice = f"; write {meant}" if meant else ""
        self.refuse(f"'{word.value}' stands where {wanted} is expected{advice}", word)

    def refuse(self, message: str, word: Token) -> NoReturn:
        raise refused(message, self.text, word.start, word.end)
