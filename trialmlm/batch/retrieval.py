"""What the imputation is told of retrieved dropouts: the form of the shift, and when visits are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialmlm.protocol.missing import Missing
    from trialmlm.protocol.schedule import Schedule
    from trialmlm.protocol.schema import Protocol


def retrieval_of(protocol: Protocol, missing: Missing) -> dict[str, Any]:
    """What :func:`~trialmlm.missing.impute.impute` is asked of retrieved dropouts.

    Parameters
    ----------
    protocol : Protocol
    missing : Missing
        Whose rules have one form.

    Returns
    -------
    dict
        retrieved; for a shift that changes with time also targets, the target day of each visit.
    """
    form = next((rule.form for rule in missing.rules if rule.form), "arm")
    if form != "arm-time" or protocol.schedule is None:
        return {"retrieved": form}
    return {"retrieved": form, "targets": target_days(protocol.schedule)}


def target_days(schedule: Schedule) -> dict[str, float]:
    """Days since day 1 of every visit, and a day before them for the baseline, before any event."""
    days = {visit.name: float(visit.day - (visit.day > 0)) for visit in schedule.visits}
    return {schedule.baseline.name: min(0.0, *days.values()) - 1.0, **days}
