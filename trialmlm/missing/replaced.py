"""An imputation some of whose values were replaced under an assumption of the analyst's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from trialmlm.errors import UsageError
from trialmlm.missing.imputation import Imputation

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from trialmlm.arrays import IntArray
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, eq=False)
class ReplacedValues(Imputation):
    """Fillings that differ from those of the imputation model.

    Attributes
    ----------
    made : Imputation
        As the model has it.
    filled : Completions
        With the values replaced.
    how : str
        What they were replaced by, in words.
    """

    made: Imputation
    filled: Completions
    how: str

    @property
    def layout(self) -> Layout:
        """The grid of subjects × visits."""
        return self.made.layout

    @property
    def completions(self) -> Completions:
        """The fillings, with the values replaced."""
        return self.filled

    @property
    def made_by(self) -> str:
        """The method of the imputation."""
        return self.made.made_by

    @property
    def drawn(self) -> bool:
        """As of the imputation."""
        return self.made.drawn

    @property
    def reference(self) -> Mapping[str, str]:
        """As of the imputation."""
        return self.made.reference

    @property
    def first_affected(self) -> IntArray | None:
        """As of the imputation."""
        return self.made.first_affected

    @property
    def reasons(self) -> Sequence[Hashable] | None:
        """As of the imputation."""
        return self.made.reasons

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the imputation, and what was replaced."""
        return (*self.made.notes, self.how)

    def at_random(self) -> Imputation | None:
        """As of the imputation."""
        return self.made.at_random()

    def conditional(self) -> NoReturn:
        """Refuse: the values replaced have no conditional mean.

        Raises
        ------
        UsageError
        """
        msg = (
            f"variance: {self.how}; a jackknife and a bootstrap would impute these anew, which "
            "this version does not; take variance='rubin'"
        )
        raise UsageError(msg)

    def resampled(self, kind: str, **asked: Any) -> NoReturn:
        """Refuse, as `conditional`."""
        del kind, asked
        self.conditional()
