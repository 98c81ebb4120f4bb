"""Intercurrent events as the data tell them: who had which, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.adam.roles import check_columns
from trialmlm.errors import DataError
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from trialmlm.batch.inputs import Inputs


def occurrences(inputs: Inputs, event: str) -> pd.DataFrame:
    """Every record of an event: subject, date and reason, in the order of subject and date.

    Parameters
    ----------
    inputs : Inputs
    event : str
        Key of the protocol, under ``data.events``.

    Returns
    -------
    DataFrame
        subject and reason as text (the reason is empty where the protocol names no column of
        it), date.

    Raises
    ------
    DataError
        If a column is not there, an event has no date, or its subject is nobody.
    """
    return inputs.once(("occurrences", event), lambda: _occurrences(inputs, event))


def _occurrences(inputs: Inputs, event: str) -> pd.DataFrame:
    role = inputs.protocol.data.events[event]
    dataset = inputs.dataset(role)
    subject = role.subject or inputs.protocol.data.subjects.subject
    named = {"subject": subject, "date": role.date}
    check_columns(dataset, named | ({"reason": role.reason} if role.reason else {}))
    frame = dataset.frame
    if role.where is not None:
        frame = frame[read_where(role.where).mask(frame, dataset.name)]
    dates = as_dates(frame[role.date])
    if dates.isna().any():
        raise DataError(
            f"{dataset}: {int(dates.isna().sum())} event(s) {event} without a date in "
            f"{role.date}; complete them, with the imputed date where it was partial:",
            frame.loc[dates.isna(), [subject, role.date]],
        )
    reason = as_text(frame[role.reason]) if role.reason else ""
    found = pd.DataFrame({"subject": as_text(frame[subject]), "date": dates}).assign(reason=reason)
    _check_known(inputs, event, str(dataset), found)
    return found.sort_values(["subject", "date"], kind="stable").reset_index(drop=True)


def first_dates(inputs: Inputs, event: str) -> pd.Series[pd.Timestamp]:
    """Subject -> date of the first such event, of the subjects who had it.

    Raises
    ------
    DataError
        As `occurrences`.
    """
    found: pd.Series[pd.Timestamp] = occurrences(inputs, event).groupby("subject")["date"].min()
    return found


def happened(inputs: Inputs, estimand: str) -> pd.DataFrame:
    """The first of each event of an estimand in each subject, with the strategy that it gets.

    Parameters
    ----------
    inputs : Inputs
    estimand : str
        Key of the protocol.

    Returns
    -------
    DataFrame
        subject, event, date, reason, strategy, and rank: the place of the event in the estimand.

    Raises
    ------
    DataError
        As `occurrences`; or if one event of a subject has two reasons on its first day, and they
        ask for two strategies.
    """
    return inputs.once(("happened", estimand), lambda: _happened(inputs, estimand))


def _happened(inputs: Inputs, estimand: str) -> pd.DataFrame:
    parts = []
    for rank, (event, way) in enumerate(inputs.protocol.estimand(estimand).handlings.items()):
        found = occurrences(inputs, event)
        first = found[found["date"] == found.groupby("subject")["date"].transform("min")]
        first = first.assign(event=event, strategy=first["reason"].map(way.of), rank=rank)
        _check_one_strategy(event, first)
        parts.append(first.drop_duplicates("subject"))
    columns = ["subject", "event", "date", "reason", "strategy", "rank"]
    # an event that befell nobody has no dates, and would blur the type of those of others
    held = [part for part in parts if len(part)] or parts[:1]
    together = pd.concat(held, ignore_index=True) if held else pd.DataFrame(columns=columns)
    return together[columns].sort_values(["subject", "date", "rank"]).reset_index(drop=True)


def _check_known(inputs: Inputs, event: str, dataset: str, found: pd.DataFrame) -> None:
    role = inputs.protocol.data.subjects
    unknown = found[~found["subject"].isin(as_text(inputs.dataset(role).frame[role.subject]))]
    if len(unknown):
        raise DataError(
            f"{dataset}: {len(unknown)} event(s) {event} of subjects who are not in "
            f"{role.dataset}; correct the identifier, or leave these rows out (where:):",
            unknown,
        )


def _check_one_strategy(event: str, first: pd.DataFrame) -> None:
    several = first.groupby("subject")["strategy"].transform("nunique") > 1
    if several.any():
        raise DataError(
            f"event {event}: the first of a subject has two reasons on one day, and the estimand "
            "has another strategy for each; expected one: keep the reason that decides:",
            first.loc[several, ["subject", "date", "reason", "strategy"]],
        )
