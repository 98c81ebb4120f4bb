"""Factors of the subjects under the names that models use: strata, sites, pooled sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.adam.roles import check_columns
from trialmlm.adam.sites import PoolingRule, pool_sites
from trialmlm.batch.sets import arms_of, subject_roles
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.sites import Pooling
    from trialmlm.protocol.schema import Protocol


def pooling_of(protocol: Protocol, subjects: Dataset) -> Pooling | None:
    """The pooling of the sites; None where the protocol pools none.

    Raises
    ------
    DataError
        The sites cannot be counted.
    """
    sites = protocol.sites
    if sites is None or sites.pool_below is None or sites.per is None:
        return None
    rule = PoolingRule(sites.pool_below, sites.per)
    roles = subject_roles(protocol.data.subjects)
    return pool_sites(subjects, roles, arms_of(protocol), sites.column, rule, sites.name)


def check_factors(protocol: Protocol, subjects: Dataset) -> None:
    """Check that the subject data set has the columns of the strata and of the sites.

    Raises
    ------
    DataError
        Columns that are not there, each with the nearest name that is.
    """
    check_columns(subjects, dict(_columns(protocol)))


def with_factors(protocol: Protocol, subjects: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """The records of an analysis set, with the factors of their subjects.

    A stratum stands under its own name and that of its column, the site and the pooled site under
    theirs. All are text, so that a model takes a number that names a stratum or a site for a
    level and never for an amount; a blank is missing.

    Parameters
    ----------
    protocol : Protocol
    subjects : Dataset
        One row per subject.
    frame : DataFrame
        With the column of the subject.

    Raises
    ------
    DataError
        A column is not there, or a stratum has the name of another column of the data.
    """
    check_factors(protocol, subjects)
    roles = subject_roles(protocol.data.subjects)
    keys = as_text(frame[roles.subject])
    at = pd.Index(as_text(subjects.frame[roles.subject]))
    held = {column: subjects.frame[column] for column in dict(_columns(protocol)).values()}
    columns = {name: _of_rows(column, at, keys) for name, column in held.items()}
    named = {name: columns[stratum.column] for name, stratum in protocol.strata.items()}
    for name, values in named.items():
        _check_name(name, protocol.strata[name].column, values, frame)
    pooling = pooling_of(protocol, subjects)
    pooled = {} if pooling is None else {pooling.name: pooling.column(columns[_site(protocol)])}
    return frame.assign(**columns, **named, **pooled)


def _columns(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each key of the protocol that names a factor's column, and the column."""
    for name, stratum in protocol.strata.items():
        yield f"strata.{name}", stratum.column
    if protocol.sites is not None:
        yield "sites.column", protocol.sites.column
        if protocol.sites.pooled_column is not None:
            yield "sites.pooled_column", protocol.sites.pooled_column


def _site(protocol: Protocol) -> str:
    return protocol.sites.column if protocol.sites else ""


def _of_rows(column: pd.Series[Any], at: pd.Index[str], keys: pd.Series[str]) -> pd.Series[Any]:
    """The subject's value for each record, as text."""
    texts = as_text(column)
    by_subject = dict(zip(at, texts.mask(texts == ""), strict=True))
    return keys.map(by_subject)


def _check_name(name: str, column: str, values: pd.Series[Any], frame: pd.DataFrame) -> None:
    """Refuse a stratum that would hide another column of the data."""
    if name == column or name not in frame.columns:
        return
    own = as_text(frame[name])
    differs = own != as_text(values)
    if differs.any():
        listing = pd.DataFrame({name: own[differs], column: values[differs]}).drop_duplicates()
        message = (
            f"strata: {name} is read from {column}, and the data have a column {name} of their "
            "own that differs. Give the stratum another name:"
        )
        raise DataError(message, listing)
