"""Which trial this is, how its data came to be, and which plan is followed."""

from typing import Literal

from trialmlm.protocol.noun import CalendarDate, Count, Noun, Text, YesNo


class Sap(Noun):
    """The statistical analysis plan this file states."""

    version: Text
    """Version of the plan, quoted: "1.0"."""
    status: Literal["draft", "approved", "amended"]
    """What is added after approval is stamped post hoc."""
    date: CalendarDate
    """Date of this version."""


class Header(Noun):
    """The trial."""

    id: Text
    """The trial's number, as it stands in every header."""
    title: Text
    """The trial's title."""
    data_origin: Literal["collected", "simulated"]
    """Where the data come from; simulated data are labelled so on every output."""
    data_cut: CalendarDate | None = None
    """Date of the data cut."""
    unblinded: YesNo
    """Whether the real treatment codes may be read; false: they are refused."""
    sap: Sap | None = None
    """The statistical analysis plan."""


class Simulation(Noun):
    """How trial data are simulated from this protocol."""

    design: Text = "ipf_fvc"
    """Name of the simulated design: ipf_fvc or mdd_madrs."""
    scenario: Text
    """Name of the scenario."""
    seed: Count
    """Seed of the random numbers; each task draws from its own child of it."""
