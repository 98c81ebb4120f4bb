"""What a figure is told: everything on its page that is not a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Named:
    """An arm, an analysis, a population or an endpoint: as results know it, and as readers do.

    Attributes
    ----------
    key : str
        In the results.
    label : str
        In the figure.
    """

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class FigureVisit:
    """A visit and where it stands on the time axis.

    Attributes
    ----------
    name : str
        In the results.
    time : float
        Target time in the unit of the axis, such as 52 weeks.
    label : str
        Under the axis; empty for the time itself.
    """

    name: str
    time: float
    label: str = ""

    @property
    def tick(self) -> str:
        """What stands under the axis."""
        return self.label or f"{self.time:.4g}"


@dataclass(frozen=True, slots=True)
class FigureFurniture:
    """What stands round every figure of a run.

    Attributes
    ----------
    protocol, program, data_cut, run_time : str
        Printed as given; empty prints nothing.
    status : str
        Such as ``DRAFT``.
    stamps : tuple of str
        Such as ``SIMULATED DATA``.
    """

    protocol: str = ""
    program: str = ""
    data_cut: str = ""
    run_time: str = ""
    status: str = ""
    stamps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureOrder:
    """A figure as the protocol orders it.

    Attributes
    ----------
    number : str
        As ``14.2.2.1``.
    titles : tuple of str
    population, endpoint : Named
    arms : tuple of Named
        In the order that fixes colours and markers.
    visits : tuple of FigureVisit
        After baseline, in schedule order.
    baseline : FigureVisit, optional
    analyses : tuple of Named
        In the order shown.
    pairs : tuple of (str, str)
        Arms compared, the first less the second.
    at : str
        The visit that estimates are compared at; empty where they belong to none.
    time_label : str
        Title of the time axis.
    time_scale : float
        One unit of the records' time, in units of the axis: 52.18 for years and weeks.
    quantity : {"change", "value"}
        What the endpoint is: a change from baseline starts at 0.
    means : tuple of {"ls-mean", "observed"}
        Which means are drawn by visit.
    observed : str
        Which records observed means are made of: ``observed``, ``locf``, ``locf-records``.
    unit : str
        Of the endpoint, such as ``mL``; of a slope it is `slope_unit`.
    slope_unit : str
        Such as ``mL/year``.
    better : {"higher", "lower", ""}
        Which way favours the first arm of a pair.
    decimals, p_decimals : int
        Of the collected value, and of p-values.
    confidence : float
    footnotes : tuple of str
        Lines as printed.
    furniture : FigureFurniture
    kind : str
        First word of the title.
    """

    number: str
    titles: tuple[str, ...]
    population: Named
    endpoint: Named
    arms: tuple[Named, ...]
    visits: tuple[FigureVisit, ...] = ()
    baseline: FigureVisit | None = None
    analyses: tuple[Named, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    at: str = ""
    time_label: str = "Weeks"
    time_scale: float = 1.0
    quantity: Literal["change", "value"] = "change"
    means: tuple[Literal["ls-mean", "observed"], ...] = ("ls-mean",)
    observed: str = "observed"
    unit: str = ""
    slope_unit: str = ""
    better: Literal["higher", "lower", ""] = ""
    decimals: int = 0
    p_decimals: int = 3
    confidence: float = 0.95
    footnotes: tuple[str, ...] = ()
    furniture: FigureFurniture = FigureFurniture()
    kind: str = "Figure"

    @property
    def name(self) -> str:
        """Kind and number, such as ``Figure 14.2.2.1``."""
        return f"{self.kind} {self.number}"

    @property
    def interval(self) -> str:
        """Such as ``95% CI``."""
        return f"{self.confidence * 100:g}% CI"

    @property
    def measure(self) -> str:
        """The endpoint with its unit."""
        return f"{self.endpoint.label} ({self.unit})" if self.unit else self.endpoint.label

    def arm_label(self, key: str) -> str:
        """What readers call an arm; its key where the order does not list it."""
        return next((arm.label for arm in self.arms if arm.key == key), key)
