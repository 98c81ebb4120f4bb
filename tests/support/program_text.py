"""SAS and R texts cut into what their languages see: comments, constants, names, the rest."""

from __future__ import annotations

import re

_SAS = re.compile(
    r"(?P<comment>/\*.*?\*/)|(?P<text>'(?:[^']|'')*'n?)|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<number>\d[\d.]*(?:e-?\d+)?)|(?P<blank>\s+)|(?P<sign>[-+*/=<>(),;:.|@])",
    re.DOTALL,
)
_R = re.compile(
    r"(?P<comment>\#[^\n]*)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<name>`(?:[^`\\]|\\.)*`)"
    r"|(?P<word>[A-Za-z_.][A-Za-z0-9_.]*)|(?P<number>\d[\d.]*(?:e[-+]?\d+)?)|(?P<blank>\s+)"
    r"|(?P<sign>[-+*/=<>(),;:.|~$^!{}\[\]&])",
    re.DOTALL,
)


def tokens(text: str, language: str) -> list[tuple[str, str]]:
    """Kind and text of every token but blanks; what fits none is an error."""
    pattern = {"SAS": _SAS, "R": _R}[language]
    found, at = [], 0
    while at < len(text):
        match = pattern.match(text, at)
        assert match, f"not {language}: {text[at : at + 60]!r}"
        if match.lastgroup != "blank":
            found.append((match.lastgroup or "", match[0]))
        at = match.end()
    return found


def code(text: str, language: str) -> list[str]:
    """The tokens that are carried out."""
    return [token for kind, token in tokens(text, language) if kind != "comment"]


def statements(text: str) -> list[list[str]]:
    """The statements of a SAS program, each as its tokens in lower case but for constants."""
    found: list[list[str]] = [[]]
    for word in code(text, "SAS"):
        if word == ";":
            found.append([])
        else:
            found[-1].append(word if word.startswith("'") else word.lower())
    assert found[-1] == [], "the last statement is not ended"
    return found[:-1]


def statement(text: str, *first: str) -> list[str]:
    """The one statement that begins so."""
    (found,) = (s for s in statements(text) if s[: len(first)] == list(first))
    return found


def comments(text: str, language: str = "SAS") -> str:
    """What the comments say, on one line."""
    said = " ".join(token for kind, token in tokens(text, language) if kind == "comment")
    return " ".join(re.sub(r"/\*|\*/|^#|\s#\s?", " ", said).split())


def balanced(words: list[str]) -> bool:
    """Whether every parenthesis is closed."""
    depth = 0
    for word in words:
        depth += (word in "([{") - (word in ")]}") if len(word) == 1 else 0
        if depth < 0:
            return False
    return depth == 0
