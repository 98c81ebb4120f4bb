"""What may be called where, and with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.expressions.functions import MISPLACED, OTHER_WORDS, STRUCTURES, Function
from trialmlm.expressions.nodes import Call, names
from trialmlm.expressions.refusal import did_you_mean, refused

if TYPE_CHECKING:
    from trialmlm.expressions.dialects import Dialect
    from trialmlm.expressions.tokens import Token


def registered(text: str, dialect: Dialect, word: Token) -> Function:
    """Return the function `word` names in this dialect.

    Raises
    ------
    ExpressionError
        Names the function, says where it belongs or what it may be meant for, and lists what is
        allowed.
    """
    if word.value in dialect.functions:
        return dialect.functions[word.value]
    raise refused(_unknown(dialect, word.value), text, word.start, word.end)


def _unknown(dialect: Dialect, name: str) -> str:
    if not dialect.functions:
        return f"{dialect.title} is expected here, not '{name}'"
    if name in MISPLACED:
        return MISPLACED[name].format(name)
    known = dialect.functions
    other = OTHER_WORDS.get(name.casefold(), "")
    meant = f"; did you mean {other}?" if other in known else did_you_mean(name, known)
    functions = ", ".join(function for function in known if function not in STRUCTURES)
    structures = ", ".join(function for function in known if function in STRUCTURES)
    covariances = f"; covariance structures: {structures}" if structures else ""
    return f"'{name}' is not allowed in {dialect.title}{meant} (allowed: {functions}{covariances})"


def check(text: str, function: Function, call: Call) -> None:
    """Refuse a wrong number of arguments, an unknown or repeated keyword, and constants alone."""
    given = len(call.arguments)
    if not function.least <= given <= function.most:
        message = f"{function.name}(…) takes {_count(function)}; {given} given"
        raise refused(message, text, call.start, call.end)
    # a constant without a keyword stands for the first keyword: bs(AGE, 4) is bs(AGE, df=4)
    seen = set(function.keywords[:1]) if given > (function.first != "constant") else set()
    for name, value in call.keywords:
        if name not in function.keywords:
            raise refused(_keyword_fault(function, name), text, value.start, value.end)
        if name in seen:
            raise refused(f"keyword {name}= stands twice", text, value.start, value.end)
        seen.add(name)
    if function.first == "arithmetic" and not names(call.arguments[0]):
        message = f"{function.name}(…) names no column: the same number for every row is no term"
        raise refused(message, text, call.start, call.end)


def _count(function: Function) -> str:
    least, most = function.least, function.most
    numbers = f"{least}" if least == most else f"{least} to {most}"
    return f"{numbers} argument{'' if most == 1 else 's'}"


def _keyword_fault(function: Function, name: str) -> str:
    allowed = ", ".join(f"{keyword}=" for keyword in function.keywords)
    takes = f"it takes {allowed}" if allowed else "it takes no keyword"
    return (
        f"{function.name}(…) has no keyword {name}={did_you_mean(name, function.keywords)}; {takes}"
    )
