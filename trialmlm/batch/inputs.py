"""The data of a run: each data set read once, each analysis set made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from trialmlm.adam.analysis_set import AnalysisSet, build
from trialmlm.adam.populations import HavingRows, meant
from trialmlm.adam.read import check_expected, find_dataset, read_dataset
from trialmlm.batch.factors import pooling_of
from trialmlm.batch.sets import clause, role_of_dataset, set_spec
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.populations import Where
    from trialmlm.adam.sites import Pooling
    from trialmlm.protocol.data import Dataset as DatasetRole
    from trialmlm.protocol.schema import Protocol

T = TypeVar("T")


@dataclass(slots=True)
class Inputs:
    """Data sets and analysis sets as they are asked for, kept for the next who asks.

    Attributes
    ----------
    protocol : Protocol
    folder : Path
        Where the data sets are.
    """

    protocol: Protocol
    folder: Path
    _datasets: dict[Path, Dataset] = field(default_factory=dict)
    _sets: dict[tuple[str, str, bool], AnalysisSet] = field(default_factory=dict)
    _made: dict[tuple[Hashable, ...], Any] = field(default_factory=dict)

    def once(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """What `make` gives: made for the first who asks for the key, kept for the next.

        It is shared, so that nobody changes it in place.
        """
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Those read so far, by file."""
        return tuple(self._datasets[path] for path in sorted(self._datasets))

    @property
    def subjects(self) -> Dataset:
        """One row per subject, of those who are meant."""
        role = self.protocol.data.subjects
        return self.once(("subjects",), lambda: meant(self.dataset(role), clause(role.where)))

    @property
    def pooling(self) -> Pooling | None:
        """The pooling of the sites; None where the protocol pools none."""
        return self.once(("pooling",), lambda: pooling_of(self.protocol, self.subjects))

    def dataset(self, role: DatasetRole) -> Dataset:
        """The data set of a role.

        Raises
        ------
        DataError
            If it is not there, is damaged, or is not the one the protocol names.
        """
        found = self._named(role.dataset)
        check_expected(found, role.rows, role.sha256)
        return found

    def _named(self, name: str) -> Dataset:
        path = find_dataset(self.folder, name)
        if path not in self._datasets:
            self._datasets[path] = read_dataset(path)
        return self._datasets[path]

    def population(self, key: str) -> Where:
        """Which subjects belong to a population.

        A rule on another data set keeps the subjects with at least one row that satisfies it,
        of all rows of that data set: the where-clause of a role of the same data set plays no
        part.

        Raises
        ------
        DataError
            The data set of the rule is not there, or is not the one the protocol names.
        """
        population, own = self.protocol.populations[key], self.protocol.data.subjects
        where = read_where(population.where)
        if population.dataset is None:
            return where
        role = role_of_dataset(self.protocol, population.dataset)
        if role is own:
            return where
        rows = self._named(population.dataset) if role is None else self.dataset(role)
        subject = getattr(role, "subject", None) or own.subject
        return HavingRows(where, rows, subject, own.subject)

    def analysis_set(self, endpoint: str, population: str, *, locf_records: bool) -> AnalysisSet:
        """The records of an endpoint in a population.

        Parameters
        ----------
        endpoint, population : str
            Keys of the protocol.
        locf_records : bool
            With the records that the data carry forward, or without.

        Raises
        ------
        DataError
            If the data contradict the protocol.
        """
        key = (endpoint, population, locf_records)
        if key not in self._sets:
            members = self.population(population)
            spec = set_spec(self.protocol, endpoint, members, locf_records=locf_records)
            collected = self.protocol.collected(endpoint)
            assert collected is not None  # noqa: S101  (unavailable endpoints are not planned)
            records = self.dataset(self.protocol.data.records[collected.source])
            subjects = self.dataset(self.protocol.data.subjects)
            self._sets[key] = build(subjects, records, spec)
        return self._sets[key]
