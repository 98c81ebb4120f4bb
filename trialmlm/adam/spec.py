"""What an analysis set is made of: roles, arms, schedule, and the rules that choose records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trialmlm.adam.baseline import Flag
from trialmlm.adam.windows import InWindow
from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.adam.arms import Arm
    from trialmlm.adam.baseline import BaselineRule
    from trialmlm.adam.populations import Where
    from trialmlm.adam.roles import RecordRoles, SubjectRoles
    from trialmlm.adam.time import Time
    from trialmlm.adam.windows import Schedule

VALUES = ("derived", "read")
#: the columns of every analysis set
CANONICAL = (
    "DOSE", "AVISIT", "AVISITN", "ADT", "ADY", "AVAL", "BASE", "CHG", "DTYPE", "ROW",
)  # fmt: skip

_NO_DAY = (
    "values: derived needs the record's date and day_1, or its study day. "
    "Map them, or take values: read."
)
_NO_VISIT = "values: read needs the column of the analysis visit or of its number. Map one."
_NO_FLAG = "baseline: flag needs the column of the flag. Map it as baseline_flag."
_NOT_DERIVED = (
    "derived records can be kept only with values: read, for they carry the date of another "
    "visit. With values: derived, impute in the analysis (missing: locf)."
)
_TIME = f"time: its name is a column that means something else ({', '.join(CANONICAL)}, the arm)."
_PARAMETER = "parameter: name the column and the value to keep, or neither."


@dataclass(frozen=True, slots=True)
class AnalysisSetSpec:
    """How one endpoint's analysis set is made.

    Attributes
    ----------
    subjects, records : SubjectRoles, RecordRoles
        The columns of the two data sets.
    arms : tuple of Arm
        Every arm the data may hold.
    schedule : Schedule
        The post-baseline visits.
    values : str
        ``derived``: visits, baseline and change are derived from dates by the rules, and compared
        with the data's own. ``read``: the data's own are taken.
    baseline : BaselineRule or None
        None: no baseline, or in ``read`` the column of the role `base`.
    baseline_required : bool
        Whether a subject without a baseline is an error rather than left out.
    in_window : InWindow
        Which record of a window is analysed.
    day_1 : str or None
        Name of the date (of ``subjects.dates``) that is day 1.
    population : Where or None
        Which of the subjects are analysed.
    subjects_where, where : Where or None
        Which rows of the subject and of the record data set are meant at all.
    time : Time or None
        The time since day 1 as models see it.
    derived_records : tuple of str
        Derivations whose records are kept (``("LOCF",)``), in ``read`` only.
    """

    subjects: SubjectRoles
    records: RecordRoles
    arms: tuple[Arm, ...]
    schedule: Schedule
    values: str = "derived"
    baseline: BaselineRule | None = None
    baseline_required: bool = False
    in_window: InWindow = field(default_factory=InWindow)
    day_1: str | None = None
    population: Where | None = None
    subjects_where: Where | None = None
    where: Where | None = None
    time: Time | None = None
    derived_records: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = [fault for fault, found in self._faults().items() if found]
        if faults:
            raise UsageError("\n".join(faults))

    def _faults(self) -> dict[str, bool]:
        """Return what may be wrong between the parts, and whether it is."""
        roles, derived, dates = self.records, self.values == "derived", self.subjects.dates
        dated = roles.date is not None and self.day_1 is not None
        visits = roles.visit is not None or roles.visit_number is not None
        flagged = isinstance(self.baseline, Flag)
        known = ", ".join(dates) or "none is mapped"
        return {
            f"values: found {self.values!r}, expected derived or read.": self.values not in VALUES,
            f"day_1: {self.day_1!r} is no date of the subject roles ({known}).": (
                self.day_1 is not None and self.day_1 not in dates
            ),
            _NO_DAY: derived and not dated and roles.study_day is None,
            _NO_VISIT: self.values == "read" and not visits,
            _NO_FLAG: flagged and roles.baseline_flag is None,
            _NOT_DERIVED: derived and bool(self.derived_records),
            _TIME: self.time is not None and self.time.name in {*CANONICAL, self.subjects.arm},
            _PARAMETER: (roles.parameter is None) != (roles.parameter_value is None),
        }
