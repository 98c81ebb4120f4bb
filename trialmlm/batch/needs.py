"""The numbers that outputs need beside the analyses: counts and summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.end_patterns import end_patterns
from trialmlm.batch.events_account import questions_of
from trialmlm.batch.orders import population_key
from trialmlm.batch.subject_summaries import attendance, summarise_columns
from trialmlm.batch.summaries import count_populations, summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.outputs import Output
    from trialmlm.results.results import Results

#: shells that show the values by visit
_BY_VISIT = frozenset({"descriptive-by-visit", "means-by-visit"})


def summaries_for(inputs: Inputs, outputs: Sequence[Output]) -> Iterator[Results]:
    """Each of them once, in the order of the outputs.

    Parameters
    ----------
    inputs : Inputs
    outputs : sequence of Output
        Those that will be made.

    Raises
    ------
    DataError
        If the data contradict the protocol.
    """
    protocol = inputs.protocol
    populations = dict.fromkeys(
        key for output in outputs for key in (population_key(protocol, output), *output.populations)
    )
    yield count_populations(inputs, tuple(populations))
    by_visit = dict.fromkeys(
        (endpoint, population_key(protocol, output), kind)
        for output in outputs
        if output.shell in _BY_VISIT and (endpoint := _endpoint(inputs, output))
        for kind in ("observed", *output.records)
    )
    for asked in by_visit:
        yield summarise(inputs, *asked)
    columns: dict[str, dict[str, None]] = {}
    for output in outputs:
        key = population_key(protocol, output)
        columns.setdefault(key, {}).update(dict.fromkeys(output.columns))
    for key, names in columns.items():
        if names:
            yield summarise_columns(inputs, key, tuple(names))
    attended = dict.fromkeys(
        (endpoint, population_key(protocol, output))
        for output in outputs
        if output.shell == "attendance" and (endpoint := _endpoint(inputs, output))
    )
    for attending in attended:
        yield attendance(inputs, *attending)
    patterned = [output.analyses for output in outputs if output.shell == "end-patterns"]
    shown = (protocol.analysis(name) for names in patterned for name in names[:1])
    for question in questions_of(shown):
        yield end_patterns(inputs, question)


def _endpoint(inputs: Inputs, output: Output) -> str:
    """The endpoint of an output: its own, else that of its first analysis."""
    if output.endpoint is not None:
        return output.endpoint
    if not output.analyses:
        return ""
    return inputs.protocol.analysis(output.analyses[0]).endpoint or ""
