"""Numbers that belong to outputs rather than analyses: subjects in populations, summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.arms import check_arms
from trialmlm.adam.cells import as_text
from trialmlm.adam.populations import members
from trialmlm.batch.carry import missing_of, records_for
from trialmlm.batch.context import Context
from trialmlm.batch.describe import described
from trialmlm.batch.sets import subject_roles
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.outputs import RecordKind


def count_populations(inputs: Inputs, populations: tuple[str, ...]) -> Results:
    """Subjects of each population by arm, and in all.

    Raises
    ------
    DataError
        If a population is empty, or a subject in it has an unknown arm.
    """
    return Results(tuple(s for key in populations for s in _count(inputs, key)))


def _count(inputs: Inputs, population: str) -> Iterator[Statistic]:
    protocol, subjects = inputs.protocol, inputs.subjects
    roles = subject_roles(protocol.data.subjects)
    frame = subjects.frame[members(subjects, inputs.population(population))]
    arms = protocol.ordered_arms
    check_arms(frame, roles.arm, [arm.value for arm in arms.values()])
    held = as_text(frame[roles.arm])
    counts = {key: int((held == arm.value).sum()) for key, arm in arms.items()}
    for key, n in {**counts, "": len(frame)}.items():
        yield Statistic("populations", "", "", population, "count", key, "", "", "", "n", float(n))


def summarise(inputs: Inputs, endpoint: str, population: str, method: RecordKind) -> Results:
    """Descriptive statistics by arm and visit, and of the baseline.

    Parameters
    ----------
    inputs : Inputs
    endpoint, population : str
        Keys of the protocol.
    method : {"observed", "locf", "locf-records", "bocf", "wocf"}

    Raises
    ------
    DataError
        If the data contradict the protocol.
    """
    found, frame = records_for(inputs, endpoint, population, missing_of(method))
    protocol = inputs.protocol
    arm = protocol.data.subjects.arm or ""
    context = Context("summary", method, endpoint, population, "", protocol.ordered_arms, arm)
    schedule = protocol.schedule
    assert schedule is not None  # noqa: S101  (records_for needs one)
    statistics = list[Statistic]()
    if method == "observed":
        analysed = found.baseline[
            found.baseline[protocol.data.subjects.subject].isin(
                found.frame[protocol.data.subjects.subject]
            )
        ]
        at_baseline = analysed.rename(columns={"BASE": "AVAL"})
        statistics += described(context, at_baseline, schedule.baseline.name)
    visits = frame["AVISIT"].astype(str)
    for visit in schedule.visit_names:
        statistics += described(context, frame[visits == visit], visit)
    return Results(tuple(statistics))
