"""The methods of single imputation, the options each takes, and what each assumes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Final

from trialmlm.errors import UsageError
from trialmlm.missing import single_fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trialmlm.missing.single_fill import Cells, Filling

#: a column of baselines, or one number for all
Filler = str | float


@dataclass(frozen=True, slots=True)
class SingleImputation:
    """A way to fill.

    Attributes
    ----------
    fill : callable
        The cells of subjects × visits -> what fills those not observed.
    label : str
        The derivation, DTYPE, of a filled row; may name `k`.
    assumes : str
        What must hold of the values not seen, in words.
    needs, takes : frozenset of str
        Options that must be given, and those that may.
    numeric : bool
        Whether the values must be numbers.
    """

    fill: Callable[[Cells], Filling]
    label: str
    assumes: str
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    numeric: bool = True


#: method -> how it fills
METHODS: Final[Mapping[str, SingleImputation]] = {
    "locf": SingleImputation(
        single_fill.last_observed,
        "LOCF",
        "that nothing changes after the last observed value",
        numeric=False,
    ),
    "bocf": SingleImputation(
        single_fill.baseline,
        "BOCF",
        "that whoever is missing is back at baseline",
        needs=frozenset({"baseline"}),
    ),
    "wocf": SingleImputation(
        single_fill.worst_of_own,
        "WOCF",
        "that whoever is missing is as bad as at the worst visit",
        needs=frozenset({"worst"}),
        takes=frozenset({"baseline", "over"}),
    ),
    "mean-of-last": SingleImputation(
        single_fill.mean_of_last,
        "MEAN OF LAST {k}",
        "that whoever is missing stays at the mean of the last observed values",
        needs=frozenset({"k"}),
    ),
    "worst-case": SingleImputation(
        single_fill.worst_of_all,
        "WORST CASE",
        "that whoever is missing is as bad as the worst subject observed at the visit",
        needs=frozenset({"worst"}),
        takes=frozenset({"within"}),
    ),
    "nearest": SingleImputation(
        single_fill.nearest,
        "NEAREST {k}",
        "that whoever is missing goes on as the subjects whose earlier values are nearest",
        needs=frozenset({"k"}),
        takes=frozenset({"within"}),
    ),
}
#: which end of a value is bad -> its sign
WORST: Final[Mapping[str, float]] = {"higher": 1.0, "lower": -1.0}
#: which visits the worst value is looked for at -> whether later ones count
OVER: Final[Mapping[str, bool]] = {"so-far": False, "all": True}
_REGISTERS: Final[Mapping[str, Mapping[str, float]]] = {"worst": WORST, "over": OVER}


def caution(method: str) -> str:
    """What the reader of a comparator must be told."""
    return (
        f"Comparator, not a primary method: {METHODS[method].label.replace('{k}', 'k')} assumes "
        f"{METHODS[method].assumes}, and its standard errors take filled values for observed "
        "ones, which leaves out the uncertainty of what was not seen."
    )


def check_options(method: str, given: Mapping[str, object]) -> None:
    """Each method gets the options it needs, and none that it does not take.

    Raises
    ------
    UsageError
    """
    if method not in METHODS:
        msg = f"carry_forward: method= found {method!r}, expected one of {', '.join(METHODS)}"
        raise UsageError(msg)
    rule = METHODS[method]
    for option, found in given.items():
        if option in rule.needs and found is None:
            msg = f"carry_forward: method {method!r} needs {option}="
            raise UsageError(msg)
        if option not in rule.needs | rule.takes and found is not None:
            msg = f"carry_forward: method {method!r} takes no {option}=; leave it out"
            raise UsageError(msg)
    for option, register in _REGISTERS.items():
        found = given[option]
        if found is not None and found not in register:
            msg = f"carry_forward: {option}= found {found!r}, expected one of {', '.join(register)}"
            raise UsageError(msg)
    k = given["k"]
    if k is not None and (isinstance(k, bool) or not isinstance(k, Integral) or k < 1):
        msg = f"carry_forward: k= found {k!r}, expected a whole number, 1 or more"
        raise UsageError(msg)


def fillers_of(
    baseline: Filler | Sequence[Filler] | None, values: tuple[str, ...]
) -> tuple[Filler, ...]:
    """What each value column has at baseline; nothing where the method takes none.

    Raises
    ------
    UsageError
        If there are not as many as value columns.
    """
    if baseline is None:
        return ()
    found = (baseline,) if isinstance(baseline, str | int | float) else tuple(baseline)
    if len(found) != len(values):
        msg = (
            f"carry_forward: baseline= names {len(found)}, but value= names {len(values)} "
            f"({', '.join(values)}); give one column or number for each"
        )
        raise UsageError(msg)
    return found
