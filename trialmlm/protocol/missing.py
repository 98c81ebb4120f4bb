"""What is assumed of missing values, and how the assumption is varied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from trialmlm.protocol.names import ArmKey, EventKey, Names, VisitName, unknown
from trialmlm.protocol.noun import Count, Location, Noun, Text, Where, Whole, refusal, refuse

#: assumptions that borrow from a reference arm
REFERENCE_BASED = ("jump-to-reference", "copy-reference", "copy-increments")
#: methods that draw: they need a number of imputations and a seed
DRAWING = ("bayes", "approximate-bayes")
IMPUTING = (*DRAWING, "conditional-mean")
#: methods that put one value in the place of a missing one
CARRIED = ("locf", "locf-records", "bocf", "wocf", "mean-of-last", "worst-case", "nearest")
#: of these, the methods that count values or subjects
COUNTING = ("mean-of-last", "nearest")

#: as those who were observed after their event
RETRIEVED = "retrieved-dropout"
#: drawn from the worst tenth of what those who completed had
LOWEST_DECILE = "lowest-decile"

Imputation = Literal[
    "locf",
    "locf-records",
    "bocf",
    "wocf",
    "mean-of-last",
    "worst-case",
    "nearest",
    "bayes",
    "approximate-bayes",
    "conditional-mean",
]
Assumption = Literal[
    "mar",
    "jump-to-reference",
    "copy-reference",
    "copy-increments",
    "last-mean-carried-forward",
    "retrieved-dropout",
    "lowest-decile",
]
Retrieved = Literal["arm", "arm-visit", "arm-time", "common"]
Classified = Literal["impute-then-classify", "failure"]


class Rule(Noun):
    """What is assumed of values missing after an event."""

    after: EventKey
    """The event after which it is assumed."""
    reasons: tuple[Text, ...] = ()
    """The reasons of the event for which it is assumed, as the data word them; absent: all."""
    assume: Assumption
    """What is assumed of the values after it; lowest-decile: they are drawn from the worst tenth
    of the changes of those who completed, whatever their arm."""
    reference: ArmKey | None = None
    """The arm borrowed from, for an assumption that is reference-based."""
    retrieved: Retrieved | None = None
    """Under retrieved-dropout, by what the shift of the mean after the event differs; absent: by
    arm; arm-time: in each arm it changes with the days since the first visit affected."""

    @property
    def form(self) -> Retrieved | None:
        """By what the shift differs under retrieved-dropout; None under another assumption."""
        return self.retrieved or "arm" if self.assume == RETRIEVED else None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.retrieved is not None and self.assume != RETRIEVED:
            refuse("rule", [(("retrieved",), f"assume: {self.assume} shifts no mean")])
        needed = self.assume in REFERENCE_BASED
        if needed and self.reference is None:
            raise refusal(f"assume: {self.assume} needs the key reference: the arm borrowed from")
        if not needed and self.reference is not None:
            refuse("rule", [(("reference",), f"assume: {self.assume} has no reference arm")])
        return self


class Missing(Noun):
    """How missing values are dealt with."""

    method: Imputation | None = None
    """How values are filled in: locf, bocf, wocf (last, baseline, worst observation carried
    forward), mean-of-last (mean of the last k values), worst-case (the worst value of anybody at
    the visit), nearest (mean of the k subjects with the nearest earlier values), locf-records
    (rows the data already carry forward), bayes, approximate-bayes, conditional-mean; absent: none
    is, the likelihood is that of the values observed."""
    k: Whole | None = None
    """How many values or subjects mean-of-last and nearest take."""
    imputations: Annotated[Whole, Field(ge=2)] | None = None
    """How many times values are drawn."""
    seed: Count | None = None
    """Seed of the draws."""
    otherwise: Literal["mar"] | None = None
    """What is assumed where no rule applies: missing at random."""
    rules: tuple[Rule, ...] = ()
    """Assumptions that hold after an event."""
    alive: Classified | None = None
    """For a responder: how a missing value of a subject alive is classified."""
    dead: Classified | None = None
    """For a responder: how a missing value of a subject who died is classified."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("missing", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        drawn = self.method in DRAWING
        for name in ("imputations", "seed"):
            if drawn and getattr(self, name) is None:
                yield (), f"method: {self.method} draws values and needs the key {name}"
            if not drawn and getattr(self, name) is not None:
                yield (name,), f"{name} belongs to a method that draws: {' or '.join(DRAWING)}"
        if self.method in COUNTING and self.k is None:
            yield (), f"method: {self.method} needs the key k: how many it takes"
        if self.method not in COUNTING and self.k is not None:
            yield ("k",), f"k belongs to method: {' or '.join(COUNTING)}"
        if self.rules and self.method not in IMPUTING:
            yield ("rules",), f"rules need a method that imputes: {', '.join(IMPUTING)}"
        for i, rule in enumerate(self.rules):
            if rule.assume == LOWEST_DECILE and not drawn:
                told = f"lowest-decile draws values: state method: {' or '.join(DRAWING)}"
                yield ("rules", i, "assume"), told
        if len({rule.reference for rule in self.rules if rule.reference}) > 1:
            yield ("rules",), "found two reference arms, expected one for all rules"
        shifted = {r.retrieved or "arm" for r in self.rules if r.assume == "retrieved-dropout"}
        if len(shifted) > 1:
            listed = " and ".join(sorted(shifted))
            yield ("rules",), f"found retrieved by {listed}, expected one way for all rules"
        if "impute-then-classify" in (self.alive, self.dead) and self.method not in IMPUTING:
            yield (), f"impute-then-classify needs a method that imputes: {', '.join(IMPUTING)}"
        if self.method is None and self.otherwise is None and self.alive is None:
            yield (), "expected a method, or otherwise: mar"


@dataclass(frozen=True, slots=True)
class Steps:
    """Equally spaced values from `start` to `stop`, both among them."""

    start: float
    stop: float
    step: float

    @property
    def values(self) -> tuple[float, ...]:
        """The values, in order."""
        return tuple(self.start + i * self.step for i in range(self.intervals + 1))

    @property
    def intervals(self) -> int:
        """How many steps lie between the ends."""
        return round((self.stop - self.start) / self.step) if self.step else 0


#: a grid finer than this is a slip of the pen
_MOST_STEPS = 10_000


def _steps(value: Any) -> Steps:
    if isinstance(value, Steps):
        return value
    held = value if isinstance(value, list | tuple) else ()
    if len(held) != 3 or not all(type(number) in (int, float) for number in held):
        raise refusal("expected three numbers: [from, to, step]")
    start, stop, step = map(float, held)
    many = (stop - start) / step if step else -1.0
    if not 0 < many <= _MOST_STEPS or abs(many - round(many)) > 1e-9:
        raise refusal(
            f"found [{start:g}, {stop:g}, {step:g}], "
            f"expected a step that leads from {start:g} to {stop:g} in whole steps"
        )
    return Steps(start, stop, step)


Grid = Annotated[
    Steps,
    BeforeValidator(_steps),
    WithJsonSchema(
        {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
    ),
]


class ShiftedRows(Noun):
    """Which imputed values a delta shifts."""

    missing_after: EventKey
    """Values missing after this event."""


class Delta(Noun):
    """Shifts of imputed values, per arm as [from, to, step], to find where the conclusion tips."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Grid]

    unit: Text
    """Unit of the shifts."""
    per: Literal["visit", "year"]
    """visit: the shift is added at each visit; year: it is multiplied by the years since the
    event."""
    rows: ShiftedRows | None = None
    """Which imputed values are shifted; absent: all of them."""

    @property
    def arms(self) -> Mapping[str, Steps]:
        """The shifts of each arm; an arm that is not named is not shifted."""
        return dict(self.__pydantic_extra__)

    @model_validator(mode="after")
    def _coherent(self, info: ValidationInfo) -> Self:
        if not self.arms:
            raise refusal("expected an arm and its shifts, such as ACT: [0, -400, -25]")
        if self.per == "year" and self.rows is None:
            raise refusal(
                "per: year counts the years since an event: name it under rows: {missing_after: …}"
            )
        if isinstance(info.context, Names):
            known = info.context.declared["arm"]
            strange = [arm for arm in self.arms if arm not in known]
            refuse("delta", [((arm, "[key]"), unknown("arm", arm, known)) for arm in strange])
        return self


class ExcludedDays(Noun):
    """Values taken near an event, which an analysis leaves out."""

    event: EventKey
    """The event; every one of a subject counts, not the first alone."""
    days: Whole
    """Values at most so many days before or after it are left out."""


class KeptRows(Noun):
    """The rows an analysis keeps, when it leaves some out."""

    observed_at: VisitName | None = None
    """Only subjects with a value observed at this visit."""
    before: EventKey | None = None
    """Only values up to the day of this event: those on treatment, where it is the stop."""
    exclude_within: ExcludedDays | None = None
    """No values within so many days of an event: {event, days}."""
    where: Where | None = None
    """Only rows that meet this rule."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.model_fields_set:
            raise refusal(
                "expected at least one of the keys observed_at, before, exclude_within, where"
            )
        return self
