"""The data of a run: each data set read once, each analysis set made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trialmlm.adam.analysis_set import AnalysisSet, build
from trialmlm.adam.read import find_dataset, read_dataset
from trialmlm.batch.sets import set_spec

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.adam.dataset import Dataset
    from trialmlm.protocol.data import Dataset as DatasetRole
    from trialmlm.protocol.schema import Protocol


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
    _datasets: dict[str, Dataset] = field(default_factory=dict)
    _sets: dict[tuple[str, str, bool], AnalysisSet] = field(default_factory=dict)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Those read so far, by name."""
        return tuple(self._datasets[name] for name in sorted(self._datasets))

    @property
    def subjects(self) -> Dataset:
        """One row per subject."""
        return self.dataset(self.protocol.data.subjects)

    def dataset(self, role: DatasetRole) -> Dataset:
        """The data set of a role.

        Raises
        ------
        DataError
            If it is not there, is damaged, or is not the one the protocol names.
        """
        if role.dataset not in self._datasets:
            path = find_dataset(self.folder, role.dataset)
            self._datasets[role.dataset] = read_dataset(path, role.rows, role.sha256)
        return self._datasets[role.dataset]

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
            spec = set_spec(self.protocol, endpoint, population, locf_records=locf_records)
            collected = self.protocol.collected(endpoint)
            assert collected is not None  # noqa: S101  (unavailable endpoints are not planned)
            records = self.dataset(self.protocol.data.records[collected.source])
            self._sets[key] = build(self.subjects, records, spec)
        return self._sets[key]
