"""The one table of table shells by their name in a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.shell_ancova import ancova
from trialmlm.tables.shell_attendance import attendance
from trialmlm.tables.shell_covariance import covariance
from trialmlm.tables.shell_descriptive import descriptive_by_visit
from trialmlm.tables.shell_end_patterns import end_patterns
from trialmlm.tables.shell_events import intercurrent_events
from trialmlm.tables.shell_methods import methods_compared
from trialmlm.tables.shell_methods_in_words import methods_in_words
from trialmlm.tables.shell_mmrm import mmrm
from trialmlm.tables.shell_populations import populations
from trialmlm.tables.shell_rate_of_decline import rate_of_decline
from trialmlm.tables.shell_site_effects import site_effects
from trialmlm.tables.shell_subjects import baseline, disposition
from trialmlm.tables.shell_tipping import tipping_point

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.results.results import Results
    from trialmlm.tables.display import Display
    from trialmlm.tables.order import Order

SHELLS: Mapping[str, Callable[[Order, Results], Display]] = {
    "populations": populations,
    "descriptive-by-visit": descriptive_by_visit,
    "ancova": ancova,
    "mmrm": mmrm,
    "disposition": disposition,
    "attendance": attendance,
    "baseline": baseline,
    "rate-of-decline": rate_of_decline,
    "methods-compared": methods_compared,
    "covariance": covariance,
    "intercurrent-events": intercurrent_events,
    "end-patterns": end_patterns,
    "methods-in-words": methods_in_words,
    "tipping-point": tipping_point,
    "site-effects": site_effects,
}
