"""The one table of table shells by their name in a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.shell_ancova import ancova
from trialmlm.tables.shell_descriptive import descriptive_by_visit
from trialmlm.tables.shell_mmrm import mmrm
from trialmlm.tables.shell_populations import populations

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
}
