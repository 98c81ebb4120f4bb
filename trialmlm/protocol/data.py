"""Where the data are: roles, the data set of each, and the column of each thing in it."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from trialmlm.protocol.noun import Column, Count, Key, Noun, Sha256, Text, Where


class Dataset(Noun):
    """What every data role says of its file."""

    dataset: Text
    """Name of the data set, or of its file: adsl, adfvc.xpt."""
    where: Where | None = None
    """The rows that are meant, when not all are."""
    rows: Count | None = None
    """How many rows the data set must have; another number stops the run."""
    sha256: Sha256 | None = None
    """Hash the file must have; another one stops the run."""


class Subjects(Dataset):
    """The data set with one row per subject."""

    subject: Column
    """Column with the subject's identifier."""
    arm: Column | None = None
    """Column with the planned arm, as randomised."""
    actual_arm: Column | None = None
    """Column with the arm in fact received."""
    site: Column | None = None
    """Column with the site."""
    consent: Column | None = None
    """Column with the date of informed consent."""
    randomised: Column | None = None
    """Column with the date of randomisation."""
    first_dose: Column | None = None
    """Column with the date of first dose."""
    last_dose: Column | None = None
    """Column with the date of last dose."""
    end_of_study: Column | None = None
    """Column with the date the subject left the study."""
    death: Column | None = None
    """Column with the date of death."""
    dates: Mapping[Key, Column] = Field(default_factory=dict)
    """Other dates of the subject: a name and its column."""


class Records(Dataset):
    """A data set with one row per subject, parameter and visit (BDS)."""

    subject: Column | None = None
    """Column with the subject's identifier; absent: as in subjects."""
    parameter: Column | None = None
    """Column with the parameter's code, such as PARAMCD."""
    value: Column = "AVAL"
    """Column with the value analysed."""
    date: Column | None = None
    """Column with the date of assessment."""
    day: Column | None = None
    """Column with the study day, where it is read and not derived."""
    visit: Column | None = None
    """Column with the analysis visit, such as AVISIT."""
    visit_number: Column | None = None
    """Column with the analysis visit's number, such as AVISITN."""
    base: Column | None = None
    """Column with the baseline value, such as BASE."""
    change: Column | None = None
    """Column with the change from baseline, such as CHG."""
    baseline_flag: Column | None = None
    """Column that flags the baseline record; absent: the one the schedule names."""
    derivation: Column | None = None
    """Column that says how a row was derived, such as DTYPE; empty: collected."""
    unscheduled: Where | None = None
    """The rows that come from unscheduled visits."""


class Event(Dataset):
    """An intercurrent event: one row per subject who had it."""

    subject: Column | None = None
    """Column with the subject's identifier; absent: as in subjects."""
    date: Column
    """Column with the date of the event, ADaM's imputed date where it was partial."""
    reason: Column | None = None
    """Column with the reason."""


class Data(Noun):
    """The data sets by role: subjects, events, and one role of any name per set of records."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Records]

    subjects: Subjects
    """The data set with one row per subject."""
    events: Mapping[Key, Event] = Field(default_factory=dict)
    """The intercurrent events."""

    @property
    def records(self) -> Mapping[str, Records]:
        """The sets of records, by role."""
        return dict(self.__pydantic_extra__)
