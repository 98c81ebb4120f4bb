"""The names a protocol declares, and the types of the texts that refer to them.

A reference is checked where it stands: the loader reads the declared names off the file first and
hands them to the validation as its context. Without that context nothing is looked up.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Strict, ValidationInfo

from trialmlm.protocol.noun import refusal

#: keys of `subjects` that name a date of the subject; others go under `dates`
DATE_ROLES: Final = (
    "consent",
    "randomised",
    "first_dose",
    "last_dose",
    "end_of_study",
    "death",
)
_ENDPOINT_KINDS: Final = ("from", "change_from_baseline", "responder", "first_of")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` where a known name is near, else nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True, slots=True)
class Names:
    """Every name the file declares, by what it names.

    Attributes
    ----------
    declared : mapping of str to mapping of str to str
        Kind of thing (``"arm"``, ``"visit"``, …) to its names, each with its variant: the key that
        makes an endpoint what it is, else the empty text.
    """

    declared: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, data: Any) -> Self:
        """Read the declared names off a protocol that is not validated yet."""
        subjects = _part(data, "data", "subjects")
        records = _part(data, "data")
        schedule = _part(data, "schedule")
        analyses = _part(data, "analyses")
        dates = [role for role in DATE_ROLES if role in subjects]
        return cls(
            {
                "arm": _plain(_part(data, "arms")),
                "population": _plain(_part(data, "populations")),
                "estimand": _plain(_part(data, "estimands")),
                "endpoint": {
                    name: _endpoint_kind(entry) for name, entry in _part(data, "endpoints").items()
                },
                "analysis": _plain(analyses, but=("defaults", "testing")),
                "event": _plain(_part(data, "data", "events")),
                "data role": _plain(records, but=("subjects", "events")),
                "visit": _plain(_visit_names(schedule)),
                "date": _plain([*dates, *_part(subjects, "dates")]),
            }
        )


def _part(data: Any, *path: str) -> Mapping[str, Any]:
    """Return the mapping at `path`, an empty one where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _plain(names: Iterable[str], but: Container[str] = ()) -> dict[str, str]:
    return {name: "" for name in names if name not in but}


def _endpoint_kind(entry: Any) -> str:
    held = entry if isinstance(entry, Mapping) else {}
    return next((kind for kind in _ENDPOINT_KINDS if kind in held), "")


def _visit_names(schedule: Mapping[str, Any]) -> list[str]:
    visits = schedule.get("visits")
    listed = visits if isinstance(visits, list | tuple) else []
    named = [_part(visit).get("name") for visit in [schedule.get("baseline"), *listed]]
    return [name for name in named if isinstance(name, str)]


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is no declared `what`, and which ones are."""
    names = list(known)
    listed = f"declared: {', '.join(names)}" if names else "the protocol declares none"
    return f"found the {what} {name!r}, which is not declared{did_you_mean(name, names)} ({listed})"


def _declared(what: str, *kinds: str) -> Callable[[str, ValidationInfo], str]:
    """Check a reference to a `what`, and that its variant is one of `kinds` (none: any)."""

    def check(name: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, Names):
            return name
        known = info.context.declared[what]
        if name not in known:
            raise refusal(unknown(what, name, known))
        # an endpoint without any deciding key is reported where it stands, not here
        if kinds and known[name] and known[name] not in kinds:
            raise refusal(
                f"found the {what} {name!r} (made by {known[name]}), "
                f"expected one made by {' or '.join(kinds)}"
            )
        return name

    return check


ArmKey = Annotated[str, Strict(), AfterValidator(_declared("arm"))]
PopulationKey = Annotated[str, Strict(), AfterValidator(_declared("population"))]
EstimandKey = Annotated[str, Strict(), AfterValidator(_declared("estimand"))]
EndpointKey = Annotated[str, Strict(), AfterValidator(_declared("endpoint"))]
AnalysisKey = Annotated[str, Strict(), AfterValidator(_declared("analysis"))]
EventKey = Annotated[str, Strict(), AfterValidator(_declared("event"))]
RecordRole = Annotated[str, Strict(), AfterValidator(_declared("data role"))]
VisitName = Annotated[str, Strict(), AfterValidator(_declared("visit"))]
DateRole = Annotated[str, Strict(), AfterValidator(_declared("date"))]
#: an endpoint that is collected, not made from another
CollectedKey = Annotated[str, Strict(), AfterValidator(_declared("endpoint", "from"))]
#: an endpoint with one value per subject and visit
ValueKey = Annotated[
    str,
    Strict(),
    AfterValidator(_declared("endpoint", "from", "change_from_baseline", "responder")),
]
#: an endpoint with one number per subject and visit
QuantityKey = Annotated[
    str, Strict(), AfterValidator(_declared("endpoint", "from", "change_from_baseline"))
]
#: an endpoint that is a time to an event
TimeKey = Annotated[str, Strict(), AfterValidator(_declared("endpoint", "first_of"))]
