"""The scenarios by name: what each changes in the default parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.simulate.ipf_fvc.parameters import (
    Death,
    Decline,
    Exacerbation,
    Leaving,
    OffDrug,
    Parameters,
    PerArm,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = Parameters()
#: log hazard at which nobody dies
_NEVER = -60.0
_EARLY, _LATE = 3.0, 0.4


def _alone(
    off_drug: OffDrug, drop_at_stop: PerArm = (0, 0), **leaving: float | PerArm
) -> Parameters:
    """One way of leaving and no other: nobody dies, and who leaves has stopped drug before."""
    ways: Leaving = replace(Leaving(), leaves_at_stop=0.7, withdrawal_rate=0.0)
    return replace(
        _DEFAULT,
        decline=Decline(off_drug=off_drug, drop_at_stop=drop_at_stop),
        death=Death(log_hazard=_NEVER),
        leaving=replace(ways, **leaving),  # type: ignore[arg-type]
    )


def _early(off_drug: OffDrug, *, active: bool) -> Parameters:
    """One arm stops early, the other late; as many of both."""
    factors = (_LATE, _EARLY) if active else (_EARLY, _LATE)
    return _alone(off_drug, stop_risk=(0.3, 0.3), early_factor=factors, late_factor=factors[::-1])


#: name -> parameters. Under `null` drug-stop rates stay unequal: only the effect is gone.
SCENARIOS: Mapping[str, Parameters] = {
    "default": _DEFAULT,
    "null": replace(
        _DEFAULT,
        decline=Decline(slope=(-225, -225)),
        exacerbation=Exacerbation(rate=(0.066, 0.066)),
    ),
    "pos_small": replace(_DEFAULT, decline=Decline(slope=(-225, -160))),
    "mnar": replace(_DEFAULT, leaving=Leaving(seen="current-latent")),
    # what follows has no deaths: drop-out alone stands between the data and the estimand
    "mcar": _alone("as-before", per_ten_points=0.0),
    "early_active": _early("as-before", active=True),
    "early_placebo": _early("as-before", active=False),
    "frozen_early_active": _early("as-at-last-visit", active=True),
    "frozen_early_placebo": _early("as-at-last-visit", active=False),
    "off_drug_at_once": _alone(
        "as-before", drop_at_stop=(0, 120), stop_risk=(0.175, 0.45), leaves_at_stop=0.5
    ),
    "off_drug": _alone("as-on-placebo", stop_risk=(0.175, 0.45), leaves_at_stop=0.5),
}
