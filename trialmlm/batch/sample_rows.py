"""The rows of a simulated trial that an analysis of its protocol is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.batch.task import imputation_of, method_of
from trialmlm.expressions.where import read_where
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.completers import completers

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.arrays import BoolArray
    from trialmlm.batch.sample import Sample
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design

#: under these, values after the event are not those the estimand asks about
_CUT = frozenset({"hypothetical", "while-on-treatment"})
#: single imputation: method -> what `carry_forward` is told beside it
CARRIED: dict[str, dict[str, Any]] = {
    "locf": {},
    "bocf": {"baseline": ("BASE", 0.0)},
}


def rows_of(
    protocol: Protocol, design: Design[Any, Any], analysis: Analysis, sample: Sample
) -> pd.DataFrame:
    """The rows, with what is carried forward.

    Parameters
    ----------
    protocol : Protocol
    design : Design
    analysis : Analysis
        As resolved.
    sample : Sample
    """
    frame, kept = sample.frame, _kept(protocol, design, analysis, sample)
    if method_of(analysis.model or "") != "LMM":
        kept &= (frame["AVISITN"] > 0).to_numpy()
    found = frame[kept]
    if method_of(analysis.model or "") != "LMM":
        found = found.assign(AVISIT=found["AVISIT"].cat.remove_unused_categories())
    found = _chosen(protocol, analysis, found)
    told = CARRIED.get(imputation_of(analysis))
    if told is None:
        return found.reset_index(drop=True)
    return carry_forward(
        found,
        subject=protocol.data.subjects.subject,
        visit="AVISIT",
        value=("AVAL", "CHG"),
        method=imputation_of(analysis),
        **told,
    )


def _kept(
    protocol: Protocol, design: Design[Any, Any], analysis: Analysis, sample: Sample
) -> BoolArray:
    """Rows that no event sets aside; nobody is seen after death."""
    events = protocol.estimand(analysis.estimand).handlings if analysis.estimand else {}
    cut = {event for event, way in events.items() if way.strategy in _CUT}
    if analysis.rows is not None and analysis.rows.before is not None:
        cut.add(analysis.rows.before)
    if any(design.events.get(event) == "stop" for event in cut):
        return sample.on_drug.copy()
    return np.ones(len(sample.frame), dtype=bool)


def _chosen(protocol: Protocol, analysis: Analysis, frame: pd.DataFrame) -> pd.DataFrame:
    rows, subject = analysis.rows, protocol.data.subjects.subject
    if rows is not None and rows.observed_at is not None:
        frame = completers(frame, subject=subject, visit="AVISIT", value="AVAL",
                           at=rows.observed_at)  # fmt: skip
    if rows is not None and rows.where is not None:
        frame = frame[read_where(rows.where).mask(frame, "the simulated trial")]
    return frame
