"""The scenarios by name: what each changes in the default parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.simulate.mdd_madrs.parameters import Improvement, Leaving, OffDrug, Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = Parameters()
_EARLY, _LATE = (1.4, 0.7, -0.7, -1.4), (-1.4, -0.7, 0.7, 1.4)


def _early(off_drug: OffDrug, *, active: bool) -> Parameters:
    """One arm stops early, the other late; about as many of both."""
    leaving = Leaving(
        intercept=-3.1,
        on_placebo=0.0,
        at_visit_placebo=_LATE if active else _EARLY,
        at_visit_active=_EARLY if active else _LATE,
    )
    return replace(_DEFAULT, improvement=Improvement(off_drug=off_drug), leaving=leaving)


#: name -> parameters; drop-out is at random by the score last measured but where it says otherwise
SCENARIOS: Mapping[str, Parameters] = {
    "default": _DEFAULT,
    "null": replace(_DEFAULT, improvement=Improvement(effect=0.0, slope_per_crp_on_drug=0.0)),
    "mcar": replace(_DEFAULT, leaving=Leaving(intercept=-3.0, per_point=0.0, on_placebo=0.0)),
    "mnar": replace(_DEFAULT, leaving=Leaving(per_point=0.2, seen="next-unseen")),
    "early_active": _early("as-on-drug", active=True),
    "early_placebo": _early("as-on-drug", active=False),
    "frozen_early_active": _early("as-it-was", active=True),
    "frozen_early_placebo": _early("as-it-was", active=False),
    "off_drug": replace(
        _DEFAULT,
        improvement=Improvement(off_drug="as-on-placebo"),
        leaving=Leaving(intercept=-2.1, on_placebo=0.0, stays=0.5),
    ),
}
