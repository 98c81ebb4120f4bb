"""Names, values and comments as SAS reads them; whatever the data say, they stay what they are.

Text stands in single quotes, where neither ``&`` nor ``%`` is resolved.
"""

from __future__ import annotations

import re
from numbers import Real
from typing import TYPE_CHECKING, Any

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.programs.wrap import safe, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}", re.ASCII)
_DATASET = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,7}\.)?[A-Za-z_][A-Za-z0-9_]{0,31}", re.ASCII)
#: what SAS keeps for itself as a variable, in a DATA step or as an effect
_TAKEN = {
    *("_n_", "_error_", "_numeric_", "_num_", "_character_", "_char_", "_all_", "_infile_"),
    *("_file_", "_iorc_", "_msg_", "_cmd_", "_residual_", "int", "intercept"),
}
_LONGEST = 32


def plain(name: str) -> bool:
    """Whether a name needs no quotes."""
    return _PLAIN.fullmatch(name) is not None


def variable(name: str) -> str:
    """A variable's name, as a name literal where it must be.

    Raises
    ------
    NotAvailableError
        If SAS cannot hold it.
    """
    if name.casefold() in _TAKEN:
        msg = f"SAS: {name} is a name of SAS's own; rename the column"
        raise NotAvailableError(msg)
    if plain(name):
        return name
    if len(name.encode()) > _LONGEST or name != name.strip() or not name.isprintable():
        msg = (
            f"SAS: the name {name!r} cannot be a variable: at most {_LONGEST} bytes, no blank at "
            "its ends, nothing that cannot be printed; rename the column"
        )
        raise NotAvailableError(msg)
    return f"{quoted(name)}n"


def quoted(text: str) -> str:
    """A text constant.

    Raises
    ------
    NotAvailableError
        If it holds what cannot be printed.
    """
    if not text.isprintable():
        msg = f"SAS: the value {text!r} holds what cannot be printed; recode it"
        raise NotAvailableError(msg)
    return "'" + text.replace("'", "''") + "'"


def number(value: float) -> str:
    """A number at full precision."""
    whole = float(value).is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(value)).replace("e+", "e")


def level(value: Any) -> str:
    """A level as a constant: truth values are 1 and 0.

    Raises
    ------
    NotAvailableError
        If it is no number or text, or is blank, which SAS takes as missing.
    """
    if isinstance(value, str):
        if not value.strip():
            raise NotAvailableError("SAS: a blank level is a missing value in SAS; recode it")
        return quoted(value)
    if isinstance(value, Real):
        return number(float(value))
    msg = f"SAS: the level {value!r} is neither number nor text"
    raise NotAvailableError(msg)


def dataset(name: str) -> str:
    """A data set's name, as ``adfev`` or ``adam.adfev``.

    Raises
    ------
    UsageError
    """
    member = name.casefold().rpartition(".")[2]
    if _DATASET.fullmatch(name) is None or member in {"_null_", "_data_", "_last_"}:
        msg = f"data: {name!r} is no SAS data set; write a name such as adfev or adam.adfev"
        raise UsageError(msg)
    if name.casefold() in {"analysis", "work.analysis"}:
        raise UsageError("data: the program writes work.analysis itself; name the data otherwise")
    return name


def comment(paragraphs: Iterable[str], indent: int = 0) -> list[str]:
    """A block comment that no text within can close."""
    lines: list[str] = []
    for paragraph in paragraphs:
        words = safe(paragraph).replace("*/", "* /").replace("/*", "/ *").split()
        lines += wrapped(words, indent + 3, hanging=2)
    if not lines:
        return []
    lines[0] = " " * indent + "/* " + lines[0].strip()
    return [*lines[:-1], lines[-1] + " */"]
