"""The analysis sets."""

from trialmlm.protocol.noun import Noun, Text, Where


class Population(Noun):
    """An analysis set."""

    label: Text
    """Its words in tables."""
    where: Where
    """The subjects who belong to it."""
    dataset: Text | None = None
    """Data set the rule is read on; absent: the subjects'."""
