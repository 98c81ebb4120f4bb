"""A text cut into words; what no formula and no where-clause may hold is refused here, by name."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from trialmlm.expressions.refusal import refused

#: the longest text that is read, in characters
LONGEST = 10_000


class Kind(StrEnum):
    """What a word is."""

    NAME = "name"
    QUOTED = "quoted"
    NUMBER = "number"
    TEXT = "text"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text.

    Attributes
    ----------
    kind : Kind
        What it is.
    value : str
        The name, number or symbol as written; a quoted name or text without its quotes.
    start, end : int
        Offsets into the text.
    """

    kind: Kind
    value: str
    start: int
    end: int


WORD_OPERATORS = frozenset({"and", "or", "not", "in"})
_PYTHON_WORDS = frozenset(keyword.kwlist) - WORD_OPERATORS
_INSTEAD = {
    **dict.fromkeys(("is", "None"), "a missing value is tested with missing(X)"),
    **dict.fromkeys(("True", "False"), "a true/false column counts as 1 and 0"),
}

_PATTERN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[^`]*`)
  | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
  | (?P<banned>%in%|:=|//|<>|\^=|~=|=>|=<|&&|->)
  | (?P<symbol>\*\*|\|\||==|!=|<=|>=|[-+*/:^~|(),=<>\[\]])
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)

_ATTRIBUTE = (
    "attribute access ('.') is not allowed; a column whose name holds a dot is written in "
    "backquotes: `a.b`"
)
_NOT_EQUAL = "'{}' is not an operator here: write != for 'not equal'"
_BANNED = {
    "%in%": "'%in%' is not an operator here: a where-clause writes X in ['A', 'B']",
    "%": "'%' (remainder, or an operator such as %in%) is not allowed",
    ":=": "':=' (assignment) is not allowed",
    "//": "'//' (whole-number division) is not allowed",
    "->": "'->' (assignment) is not allowed",
    "<>": _NOT_EQUAL.format("<>"),
    "^=": _NOT_EQUAL.format("^="),
    "~=": _NOT_EQUAL.format("~="),
    "=>": "'=>' is not an operator here: write >=",
    "=<": "'=<' is not an operator here: write <=",
    "&&": "'&&' is not an operator here; a where-clause writes and",
    "&": "'&' is not an operator here; a where-clause writes and",
    "!": "'!' is not an operator here; a where-clause writes not",
    ";": "';' is not allowed: a text holds one expression",
    "{": "braces are not allowed",
    "}": "braces are not allowed",
    "@": "'@' is not allowed",
    "\\": "a backslash is not allowed outside a quoted text",
    "$": "'$' is not allowed: name the column alone",
    "?": "'?' is not allowed",
    "#": "'#' (a comment) is not allowed",
    "'": "a text begins here with ' and is not closed",
    '"': 'a text begins here with " and is not closed',
    "`": "a column name begins here with a backquote and is not closed",
    "‘": "a typographic quote: write '",
    "’": "a typographic quote: write '",
    "“": 'a typographic quote: write "',
    "”": 'a typographic quote: write "',
    "−": "a typographic minus: write -",
    "–": "a dash: write -",
    "—": "a dash: write -",
    "×": "a multiplication sign: write *",
    "≤": "'≤' is not an operator here: write <=",
    "≥": "'≥' is not an operator here: write >=",
    "≠": "'≠' is not an operator here: write !=",
    "\xa0": "a no-break space: write a plain blank",
}


def tokenize(text: str) -> tuple[Token, ...]:
    """Cut `text` into words; the last one is of kind END.

    Raises
    ------
    ExpressionError
        For a text over 10,000 characters and for every character or word that is not allowed.
    """
    if len(text) > LONGEST:
        message = f"the text has {len(text):,} characters; at most {LONGEST:,} are read"
        raise refused(message, text[:60] + " …", 0, 60)
    words: list[Token] = []
    at = 0
    while at < len(text):
        found = _PATTERN.match(text, at)
        if found is None or found.lastgroup == "banned":
            raise _unreadable(text, at, found[0] if found else text[at], words)
        at = found.end()
        if found.lastgroup != "blank":
            word = _READERS[found.lastgroup or ""](text, found)
            _refuse_glued(text, words, word)
            words.append(word)
    return (*words, Token(Kind.END, "", len(text), len(text)))


def _unreadable(text: str, at: int, found: str, words: list[Token]) -> Exception:
    """Return the error for what begins at `at` and is no word."""
    end = at + len(found)
    if found in _BANNED:
        return refused(_BANNED[found], text, at, end)
    if found == ".":
        after = text[end : end + 1]
        free = (not words or words[-1].kind is Kind.SYMBOL) and not after.isidentifier()
        alone = "'.' (all columns) is not allowed: name the columns"
        return refused(alone if free else _ATTRIBUTE, text, at, end)
    if found.isalpha():
        message = f"the letter {found!r} stands outside quotes; such a column is written `{found}…`"
        return refused(message, text, at, end)
    return refused(f"the character {found!a} is not allowed here", text, at, end)


def _refuse_glued(text: str, words: list[Token], word: Token) -> None:
    """Refuse two words without a blank or an operator between them: 2x, f'…', 'a''b', x.5."""
    if not words or words[-1].end != word.start or word.kind is Kind.SYMBOL:
        return
    last = words[-1]
    if last.kind is Kind.SYMBOL and last.value not in WORD_OPERATORS:
        return
    raise refused(_glued(last, word), text, last.start, word.end)


def _glued(last: Token, word: Token) -> str:
    """Say what is wrong with `last` and `word` side by side."""
    if last.kind is Kind.TEXT and word.kind is Kind.TEXT:
        return "two texts side by side; a quote within a text is written \\' or \\\""
    if word.value.startswith(".") and word.kind is Kind.NUMBER:
        return _ATTRIBUTE
    if word.kind is Kind.TEXT:
        return f"{last.value!r} stands before a text; no prefix is allowed there"
    if last.kind is Kind.NUMBER:
        return "not a number; a column whose name begins with a digit is written in backquotes"
    return f"{last.value!r} and {word.value!r} stand side by side without an operator"


def _name(text: str, found: re.Match[str]) -> Token:
    """Read a bare name or a word operator; Python's own words are refused."""
    value = found[0]
    if value in WORD_OPERATORS:
        return Token(Kind.SYMBOL, value, *found.span())
    if value in _PYTHON_WORDS:
        instead = _INSTEAD.get(value, f"a column of this name is `{value}`")
        message = f"Python's word '{value}' is not allowed; {instead}"
        raise refused(message, text, *found.span())
    _refuse_column(text, value, found)
    return Token(Kind.NAME, value, *found.span())


def _quoted(text: str, found: re.Match[str]) -> Token:
    """Read a name in backquotes."""
    value = found[0][1:-1]
    _refuse_column(text, value, found)
    return Token(Kind.QUOTED, value, *found.span())


def _text(text: str, found: re.Match[str]) -> Token:
    r"""Read a text constant, in which ``\\``, ``\'`` and ``\"`` stand for one character each."""
    _refuse_invisible(text, found)
    body = found[0][1:-1]
    for escape in re.finditer(r"\\(.)", body, re.DOTALL):
        if escape[1] not in "\\'\"":
            at = found.start() + 1 + escape.start()
            raise refused(r"a backslash within a text is written \\", text, at, at + 2)
    return Token(Kind.TEXT, re.sub(r"\\(.)", r"\1", body), *found.span())


def _number(_: str, found: re.Match[str]) -> Token:
    return Token(Kind.NUMBER, found[0], *found.span())


def _symbol(_: str, found: re.Match[str]) -> Token:
    return Token(Kind.SYMBOL, found[0], *found.span())


def _refuse_column(text: str, name: str, found: re.Match[str]) -> None:
    """Refuse what cannot be a column: a blank name, and Python's own ``__names__``."""
    _refuse_invisible(text, found)
    if reason := column_fault(name):
        raise refused(reason, text, *found.span())


def column_fault(name: str) -> str:
    """Return why `name` can be no column, or nothing."""
    if not name.strip():
        return "a column name is blank"
    if name.startswith("__") and name.endswith("__"):
        return f"'{name}' is a name of Python's own, not a column"
    return ""


def _refuse_invisible(text: str, found: re.Match[str]) -> None:
    """Refuse control and formatting characters within quotes: they hide what is written."""
    for at in range(*found.span()):
        if unicodedata.category(text[at]) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            message = f"an invisible character ({text[at]!a}) within quotes is not allowed"
            raise refused(message, text, at, at + 1)


_READERS = {
    "number": _number,
    "name": _name,
    "quoted": _quoted,
    "text": _text,
    "symbol": _symbol,
}
