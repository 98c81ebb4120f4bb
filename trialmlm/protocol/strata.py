"""What randomisation was stratified by, and the sites."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import model_validator

from trialmlm.protocol.noun import Column, Location, Noun, Text, Whole, refuse


class Stratum(Noun):
    """A stratification factor, as randomised; its key is its name in models."""

    column: Column
    """Column of the subjects' data set that holds it."""
    label: Text | None = None
    """Its words in tables."""


class Sites(Noun):
    """The sites, and how small ones are pooled; the rule is fixed blind."""

    column: Column
    """Column of the subjects' data set with the site."""
    pool_below: Whole | None = None
    """Sites with fewer subjects than this are pooled; the pooling made is listed."""
    per: Literal["arm", "site"] | None = None
    """Whether the smallest arm of the site is counted, or the whole site."""
    pooled_column: Column | None = None
    """Column that already holds the pooled site; it is then read, not derived."""
    name: Column = "SITEGR1"
    """What models call the pooled site that is derived here."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("sites", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        if self.pooled_column and self.pool_below:
            yield (
                ("pooled_column",),
                (
                    "found pool_below as well: the pooled site is read from the data or derived, "
                    "keep one of the two"
                ),
            )
        if self.pool_below and not self.per:
            yield (), "pool_below needs the key per: arm or site"
        if self.per and not self.pool_below:
            yield ("per",), "per says how pool_below counts, and pool_below is missing"
