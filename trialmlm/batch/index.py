"""The index page of a run: what was asked, how it was answered, and every output, in one file."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialmlm.tables.html import fragment, style
from trialmlm.tables.wrap import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from trialmlm.batch.index_facts import AnalysisFacts, IndexEntry, InputFile, TrialFacts
    from trialmlm.tables.display import Furniture

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("trialmlm.batch"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: clean(value) if type(value) is str else value,
)


def index_page(
    trial: TrialFacts,
    analyses: Sequence[AnalysisFacts],
    entries: Sequence[IndexEntry],
    inputs: Sequence[InputFile],
    versions: Mapping[str, str],
    furniture: Furniture,
) -> str:
    """Write the page: no script, nothing from outside, the same text for the same run.

    Parameters
    ----------
    trial : TrialFacts
        Trial and estimands.
    analyses : sequence of AnalysisFacts
        Those carried out, in order.
    entries : sequence of IndexEntry
        The outputs, in order.
    inputs : sequence of InputFile
    versions : mapping of str to str
        Package -> version.
    furniture : Furniture
        As on the outputs: stamps, run time, data cut-off.

    Returns
    -------
    str
        HTML.
    """
    return _ENVIRONMENT.get_template("index.html.j2").render(
        style=style(),
        trial=trial,
        stamps=tuple(filter(None, (furniture.status, *furniture.stamps))),
        furniture=furniture,
        questions=_questions(trial, analyses),
        analyses=analyses,
        outputs=[_shown(entry, k) for k, entry in enumerate(entries, start=1)],
        inputs=inputs,
        versions=versions,
    )


class _Question(NamedTuple):
    key: str
    text: str
    attributes: tuple[tuple[str, str], ...]
    analyses: tuple[AnalysisFacts, ...]


def _questions(trial: TrialFacts, analyses: Sequence[AnalysisFacts]) -> list[_Question]:
    """Put the analyses under the estimand they are of, main ones first; those of none come last."""
    ranked = sorted(analyses, key=lambda made: made.record.role != "main")
    asked = [(one.key, one.question, one.attributes) for one in trial.estimands]
    rest = ("", "Analyses without an estimand", ())
    questions = [
        _Question(*one, tuple(made for made in ranked if made.estimand == one[0]))
        for one in (*asked, rest)
    ]
    return [question for question in questions if question.key or question.analyses]


class _Shown(NamedTuple):
    anchor: str
    entry: IndexEntry
    files: tuple[tuple[str, str], ...]
    table: Markup | None
    image: str


def _shown(entry: IndexEntry, position: int) -> _Shown:
    """Prepare an output: its table as HTML, its figure as a data address."""
    image = b64encode(entry.image).decode() if entry.image else ""
    links = tuple((name, f"./{quote(name, safe='')}") for name in entry.files)
    table = fragment(entry.display) if entry.display is not None else None
    return _Shown(f"output-{position}", entry, links, table, image)
