"""The dialects of the one parser: which operators, words and functions may stand where.

A dialect lists its operators with their levels; a higher level binds more tightly. The terms of a
model follow patsy (a sign removes a whole product: ``-a*b`` is ``-(a*b)``), arithmetic follows
Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from trialmlm.expressions.functions import (
    BASES,
    CONTRASTS,
    COVARIANCES,
    GROUPINGS,
    QUOTE,
    TRANSFORMATIONS,
    WHERE_FUNCTIONS,
    Function,
)
from trialmlm.expressions.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})
_PLAIN_COMPARISONS = COMPARISONS - {"in", "not in"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What may stand in one kind of text.

    Attributes
    ----------
    title : str
        The kind of text, for messages.
    infix, prefix : mapping
        Operators and their levels.
    functions : mapping
        What may be called.
    constants : frozenset of Kind
        Which constants may stand.
    columns : bool
        Whether a bare name is a column; where it is not, it must be a registered function.
    bars : bool
        Whether `|` may split what stands in parentheses.
    hints : mapping
        For an operator that is not of this dialect, what to write.
    """

    title: str
    infix: Mapping[str, int] = field(default_factory=dict)
    prefix: Mapping[str, int] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    constants: frozenset[Kind] = frozenset()
    columns: bool = True
    bars: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)


_BOTH = frozenset({Kind.NUMBER, Kind.TEXT})

BAR = (
    "'|' stands only within parentheses: a random effect is written (1 | USUBJID), "
    "a covariance us(AVISIT | USUBJID)"
)
_NO_LOGIC = "'{}' is not allowed in a model formula; make a column of the condition first"
_IN_FORMULA = MappingProxyType(
    {
        "|": BAR,
        "||": BAR,
        "~": "a second '~'; a formula has one, between response and terms",
        "=": "'=' stands only before the value of a keyword, as in bs(AGE, df=4)",
        **{word: _NO_LOGIC.format(word) for word in ("and", "or", "not", "in")},
    }
)

FORMULA = Dialect(
    "a model formula",
    infix={"~": 0, "+": 1, "-": 1, "*": 2, "/": 2, ":": 3, "**": 5},
    prefix={"~": 0, "+": 1, "-": 1},
    functions=TRANSFORMATIONS | BASES | QUOTE | COVARIANCES,
    constants=frozenset({Kind.NUMBER}),
    bars=True,
    hints={
        **_IN_FORMULA,
        **dict.fromkeys(_PLAIN_COMPARISONS, "a comparison stands within I(…), as I(AGE > 65)"),
    },
)

_ARITHMETIC = Dialect(
    "arithmetic within a model formula",
    infix={**dict.fromkeys(_PLAIN_COMPARISONS, 1), "+": 2, "-": 2, "*": 3, "/": 3, "**": 5},
    prefix={"+": 4, "-": 4},
    functions=TRANSFORMATIONS | QUOTE,
    constants=_BOTH,
    hints={**_IN_FORMULA, ":": "an interaction ':' cannot stand within a function"},
)

WHERE = Dialect(
    "a where-clause",
    infix={"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6},
    prefix={"not": 3, "+": 7, "-": 7},
    functions=WHERE_FUNCTIONS,
    constants=_BOTH,
    hints={
        "=": "'=' is not an operator here: write == for 'equal'",
        "|": "'|' is not an operator here: write or",
        "||": "'||' is not an operator here: write or",
        "~": "'~' is not an operator here: write not",
        "not": "'not' cannot stand here: put what it negates in parentheses",
        "**": "a power is not allowed in a where-clause",
        ":": "':' is not an operator here",
    },
)

_CONSTANT = Dialect(
    "a constant",
    prefix={"+": 1, "-": 1},
    constants=_BOTH,
    columns=False,
)

#: every dialect by the name the register of functions uses
DIALECTS: Mapping[str, Dialect] = {
    "formula": FORMULA,
    "arithmetic": _ARITHMETIC,
    "constant": _CONSTANT,
    "contrast": Dialect("a contrast", functions=CONTRASTS, columns=False),
    "covariance": Dialect(
        "a covariance term",
        bars=True,
        hints={":": "a covariance term takes columns, not interactions: make one column of them"},
    ),
    "groups": Dialect(
        "the groups after '|'",
        infix={"/": 1, ":": 2},
        functions=GROUPINGS,
        hints={"|": BAR, "||": BAR},
    ),
    "where": WHERE,
}
