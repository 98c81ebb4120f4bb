"""A whole protocol, format version 1.

Keys are spelled as they are read aloud; a list that is closed is a list of hyphenated words; what
changes a number is a key, never a habit of the code. What the parts must be to each other is said
in :mod:`trialmlm.protocol.coherence`, and checked by the loader.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, PrivateAttr

from trialmlm.errors import UsageError
from trialmlm.protocol.analyses import Analyses, Analysis
from trialmlm.protocol.arms import Arm, Arms
from trialmlm.protocol.data import Data
from trialmlm.protocol.endpoints import CollectedEndpoint, Endpoint
from trialmlm.protocol.estimands import Estimand
from trialmlm.protocol.header import Header, Simulation
from trialmlm.protocol.house import House
from trialmlm.protocol.inheritance import (
    collected,
    resolved_analysis,
    resolved_endpoint,
    resolved_estimand,
)
from trialmlm.protocol.names import unknown
from trialmlm.protocol.noun import Column, Key, Noun
from trialmlm.protocol.outputs import Outputs
from trialmlm.protocol.populations import Population
from trialmlm.protocol.schedule import Schedule
from trialmlm.protocol.source import Source
from trialmlm.protocol.strata import Sites, Stratum

FORMAT_VERSION: Final = 1


class Protocol(Noun):
    """What a trial is about, how its data are read, what is estimated, and what is printed."""

    trialmlm: Literal[1]
    """Version of this file format: 1."""
    header: Header = Field(alias="protocol")
    """Which trial this is."""
    arms: Arms = Field(default_factory=dict)
    """The arms, by the key this file and the tables call them by."""
    data: Data
    """Where the data are."""
    strata: Mapping[Column, Stratum] = Field(default_factory=dict)
    """What randomisation was stratified by; the key is the factor's name in models. A model that
    leaves one out says why under strata_omitted."""
    sites: Sites | None = None
    """The sites and their pooling."""
    schedule: Schedule | None = None
    """Visits, windows, baseline."""
    populations: Mapping[Key, Population] = Field(default_factory=dict)
    """The analysis sets."""
    endpoints: Mapping[Key, Endpoint] = Field(default_factory=dict)
    """What is measured, and what is made from it."""
    estimands: Mapping[Key, Estimand] = Field(default_factory=dict)
    """What is to be estimated."""
    analyses: Analyses = Analyses()
    """How it is estimated."""
    outputs: Outputs = ()
    """The tables, figures and listings."""
    house: House = House()
    """The sponsor's style."""
    simulation: Simulation | None = None
    """How trial data are simulated."""

    _source: Source | None = PrivateAttr(None)

    def analysis(self, name: str) -> Analysis:
        """Return an analysis with all it takes by `of`, `defaults` and from its estimand.

        Raises
        ------
        UsageError
            No analysis has this name.
        """
        _known("analysis", name, self.analyses.written)
        return resolved_analysis(name, self.analyses, self.estimands)

    def estimand(self, key: str) -> Estimand:
        """Return an estimand with all it takes by `like`.

        Raises
        ------
        UsageError
            No estimand has this key.
        """
        _known("estimand", key, self.estimands)
        return resolved_estimand(key, self.estimands)

    def endpoint(self, key: str) -> Endpoint:
        """Return an endpoint; a change has unit, decimals and direction of what it changes.

        Raises
        ------
        UsageError
            No endpoint has this key.
        """
        _known("endpoint", key, self.endpoints)
        return resolved_endpoint(key, self.endpoints)

    def collected(self, key: str) -> CollectedEndpoint | None:
        """Return the collected endpoint beneath an endpoint; None: it is made from several.

        Raises
        ------
        UsageError
            No endpoint has this key.
        """
        _known("endpoint", key, self.endpoints)
        return collected(key, self.endpoints)

    @property
    def analysis_names(self) -> tuple[str, ...]:
        """Names of the analyses, in file order."""
        return tuple(self.analyses.written)

    @property
    def control(self) -> str | None:
        """Key of the control arm; None: there is none."""
        return next((key for key, arm in self.arms.items() if arm.control), None)

    @property
    def ordered_arms(self) -> Mapping[str, Arm]:
        """The arms in table order."""
        return dict(sorted(self.arms.items(), key=lambda item: item[1].order))

    @property
    def path(self) -> Path | None:
        """The file it was read from; None: it was not read from one."""
        return self._source.path if self._source else None

    @property
    def source_hash(self) -> str | None:
        """SHA-256 of the file's bytes; None: it was not read from one."""
        return self._source.sha256 if self._source else None

    def line_of(self, *path: str | int) -> int | None:
        """Return the line of the file where a part stands, from 1: ``line_of("arms", "PBO")``.

        The deepest part of `path` that is in the file counts; None: it was not read from a file.
        """
        return self._source.node.place_of(path).line if self._source else None

    def column_of(self, *path: str | int) -> int | None:
        """Return the column where a part stands, from 1; else as `line_of`."""
        return self._source.node.place_of(path).column if self._source else None

    def read_from(self, source: Source) -> Self:
        """Return this protocol with the file it was read from."""
        placed = self.model_copy()
        placed._source = source  # noqa: SLF001  (a copy of our own)
        return placed


def _known(what: str, name: str, entries: Mapping[str, object]) -> None:
    if name not in entries:
        raise UsageError(unknown(what, name, entries))
