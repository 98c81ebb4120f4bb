"""The analyses: which estimand, which model, which assumptions, and how it is tested."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from trialmlm.protocol.methods import (
    Censoring,
    DegreesOfFreedom,
    Method,
    Remedy,
    Sandwich,
    Variance,
)
from trialmlm.protocol.missing import Delta, KeptRows, Missing
from trialmlm.protocol.names import (
    AnalysisKey,
    ArmKey,
    EndpointKey,
    EstimandKey,
    PopulationKey,
    VisitName,
)
from trialmlm.protocol.noun import (
    Column,
    Location,
    Noun,
    Share,
    Text,
    Whole,
    YesNo,
    dotted_key,
    refuse,
)

Role = Literal["main", "sensitivity", "supplementary", "comparator", "exploratory"]
Contrast = Annotated[tuple[ArmKey, ...], Field(min_length=2, max_length=2)]


class Settings(Noun):
    """What an analysis may take from `defaults`."""

    contrast: Contrast | None = None
    """The two arms compared: the first less the second. Absent, and no contrasts either: every
    arm with the control."""
    contrasts: Annotated[tuple[Contrast, ...], Field(min_length=1)] | None = None
    """Several pairs of arms, instead of contrast."""
    confidence: Share = 0.95
    """Level of the two-sided confidence intervals."""
    df: DegreesOfFreedom = "satterthwaite"
    """How degrees of freedom are found."""
    information: Literal["observed", "expected"] = "observed"
    """The information matrix behind Kenward-Roger and Satterthwaite."""
    vcov: Sandwich | None = None
    """Sandwich covariance of the estimates; absent: the one the df method implies."""
    reml: YesNo = True
    """Restricted maximum likelihood; false: maximum likelihood."""
    weights: Literal["equal", "observed-margins", "counterfactual"] = "equal"
    """How LS means weigh the levels of other factors."""
    weights_over: Literal["analysed", "randomised"] = "analysed"
    """Whose covariates counterfactual LS means are averaged over."""
    average_over: Literal["visits"] | None = None
    """LS means are averaged over the visits; absent: one for each visit."""
    missing: Missing | None = None
    """How missing values are dealt with."""
    variance: Variance | None = None
    """How the variance is found after imputation."""
    strata_omitted: Text | None = None
    """Why the model leaves out a stratum of the randomisation."""
    if_unconverged: tuple[Remedy, ...] = ()
    """What is tried in turn when a fit does not converge."""

    @property
    def pairs(self) -> tuple[tuple[str, ...], ...]:
        """The pairs of arms compared, whether the file says contrast or contrasts."""
        if self.contrast is not None:
            return (self.contrast,)
        return self.contrasts or ()

    @model_validator(mode="after")
    def _settled(self) -> Self:
        refuse("settings", self._setting_faults())
        return self

    def _setting_faults(self) -> Iterator[tuple[Location, str]]:
        if self.contrast is not None and self.contrasts is not None:
            yield ("contrasts",), "found contrast as well: keep one of the two"
        for name, pair in self._named_pairs():
            if len(set(pair)) != len(pair):
                yield name, f"found {pair[0]!r} compared with itself, expected two arms"
        if "report-failure" in self.if_unconverged[:-1]:
            yield ("if_unconverged",), "nothing follows report-failure: put it last"
        stated = {"weights", "weights_over"} <= self.model_fields_set
        if stated and self.weights != "counterfactual":
            yield ("weights_over",), "weights_over belongs to weights: counterfactual"

    def _named_pairs(self) -> Iterator[tuple[Location, tuple[str, ...]]]:
        if self.contrast is not None:
            yield ("contrast",), self.contrast
        for i, pair in enumerate(self.contrasts or ()):
            yield ("contrasts", i), pair


class CompletedAnalysis(Noun):
    """The analysis made of each completed data set."""

    model: Text
    """The model, as a formula."""
    at: VisitName | None = None
    """The visit analysed; absent: every visit."""


class Analysis(Settings):
    """One analysis; `of` takes what is not said here from another one."""

    role: Role
    """main; sensitivity (same estimand, other assumption); supplementary; comparator (a method
    shown beside the others); exploratory."""
    of: AnalysisKey | None = None
    """The analysis everything is taken from but what stands here."""
    label: Text | None = None
    """Its words in tables that compare analyses."""
    estimand: EstimandKey | None = None
    """What it estimates."""
    population: PopulationKey | None = None
    """The subjects analysed; absent: the estimand's."""
    endpoint: EndpointKey | None = None
    """The endpoint analysed; absent: that of the estimand's variable."""
    model: Text | None = None
    """The model, as a formula."""
    method: Method | None = None
    """A method that is named, instead of a model."""
    at: VisitName | None = None
    """The visit analysed, for a model of one visit."""
    dose_response: Text | None = None
    """The model that holds DOSE as a number, whose slope is tested."""
    analyse: CompletedAnalysis | None = None
    """The analysis of completed data, where model is the one that imputes."""
    delta: Delta | None = None
    """Shifts of imputed values (tipping point)."""
    rows: KeptRows | None = None
    """The rows kept, when some are left out."""
    by: tuple[Column, ...] = ()
    """Subgroups: the columns by which it is repeated."""
    smallest_per_arm: Whole | None = None
    """A subgroup with fewer subjects in an arm is not analysed."""
    censor: Censoring | None = None
    """When a subject without the event is censored."""


class Testing(Noun):
    """How the tests share the error of the trial."""

    alpha: Share
    """Two-sided type I error of the trial."""
    fixed_sequence: Annotated[tuple[AnalysisKey, ...], Field(min_length=1)]
    """The analyses in the order of testing; the first that fails ends it."""


class Analyses(Noun):
    """The analyses by name, with what they share."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Analysis]

    defaults: Settings = Settings()
    """What every analysis takes unless it or what it is `of` says otherwise."""
    testing: Testing | None = None
    """How the tests share the error of the trial."""

    @property
    def written(self) -> Mapping[str, Analysis]:
        """The analyses as the file words them, by name; nothing is taken from another one."""
        return dict(self.__pydantic_extra__)

    @model_validator(mode="after")
    def _named(self) -> Self:
        refuse("analyses", self._name_faults())
        return self

    def _name_faults(self) -> Iterator[tuple[Location, str]]:
        for name in self.written:
            fault = dotted_key(name)
            if fault:
                yield (name, "[key]"), fault
