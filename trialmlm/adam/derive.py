"""Visits, baselines and changes by the protocol's rules, and how the data's own differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.adam.baseline import baseline_days, baselines, check_baselines
from trialmlm.adam.check import run_all
from trialmlm.adam.windows import UNSCHEDULED, assign_visits, match_visits, select_in_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trialmlm.adam.baseline import BaselineRule
    from trialmlm.adam.spec import AnalysisSetSpec
    from trialmlm.adam.steps import Records

_NONE = pd.Series(dtype="float64")


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """Post-baseline records with their visit, baseline and change.

    Attributes
    ----------
    records : Records
        One per subject and visit; columns ``visit`` (position in the schedule), ``base``,
        ``change`` beside those collected.
    base : Series
        Subject -> baseline, of every subject that has one.
    base_day : Series
        Subject -> study day of the baseline, where one record makes it.
    discrepancies : DataFrame
        Where the data's own values differ: subject, visit, variable, derived, data.
    notes : tuple of str
        What a reviewer should know.
    """

    records: Records
    base: pd.Series[float]
    base_day: pd.Series[float]
    discrepancies: pd.DataFrame
    notes: tuple[str, ...] = ()


def derived_values(records: Records, population: pd.DataFrame, spec: AnalysisSetSpec) -> Valued:
    """Derive visits, baselines and changes from the study days, and compare with the data's own.

    Parameters
    ----------
    records : Records
        As collected.
    population : DataFrame
        One row per subject: subject, arm.
    spec : AnalysisSetSpec

    Returns
    -------
    Valued

    Raises
    ------
    DataError
        Records or baselines between which the rules cannot decide, or a baseline that lacks.
    """
    known = records.frame["day"].notna()
    dated = records.keep("with a study day", known, _imputed(records.frame.loc[known]))
    inside = _in_windows(_after_baseline(dated, spec.baseline), spec)
    choice, base = run_all(
        partial(select_in_window, inside.frame, spec.in_window),
        partial(base_of, dated.frame, population, spec.baseline, spec.baseline_required),
    )
    note = _unscheduled(inside.frame[choice])
    chosen = inside.keep(f"one for each subject and visit, {spec.in_window}", choice, note)
    valued = with_base(chosen, base, spec)
    differing = (
        _discrepancies(records.frame, valued.frame, spec),
        _baseline_visits(dated.frame, spec),
    )
    days = baseline_days(dated.frame, spec.baseline)
    return Valued(valued, base, days, joined(*differing))


def base_of(
    records: pd.DataFrame, population: pd.DataFrame, rule: BaselineRule | None, required: bool
) -> pd.Series[float]:
    """Subject -> baseline by the rule; empty without a rule."""
    if rule is None:
        return _NONE
    base = baselines(records, rule)
    check_baselines(population[["subject", "arm"]], base, required)
    return base


def with_base(records: Records, base: pd.Series[float], spec: AnalysisSetSpec) -> Records:
    """Add baseline and change; without a baseline a record is dropped, unless there is none."""
    found = records.frame["subject"].map(base).astype("float64")
    filled = records.with_columns(base=found, change=records.frame["value"] - found)
    if spec.baseline is None and spec.records.base is None:
        return filled
    return filled.keep("with a baseline", found.notna())


def scheduled(records: Records, spec: AnalysisSetSpec) -> Records:
    """Leave the records of unscheduled visits out, where the rule says so."""
    if UNSCHEDULED[spec.in_window.unscheduled]:
        return records
    clause = spec.in_window.unscheduled_where
    name = f"scheduled visits, not {clause.text}" if clause else "scheduled visits"
    return records.keep(name, ~records.frame["unscheduled"])


def joined(*listings: pd.DataFrame) -> pd.DataFrame:
    """Join listings of discrepancies, those with rows."""
    found = [listing for listing in listings if not listing.empty]
    return pd.concat(found, ignore_index=True) if found else listings[0]


def compare(derived: pd.DataFrame, own: pd.DataFrame, tolerance: float = 1e-9) -> pd.DataFrame:
    """List where the data's own values differ from the derived ones.

    Parameters
    ----------
    derived : DataFrame
        Columns ``subject`` and ``visit``, and one per variable.
    own : DataFrame
        The data's values, same index; the variables that the data have.
    tolerance : float
        Relative, for numbers; missing on one side only is a difference.

    Returns
    -------
    DataFrame
        One row per difference: subject, visit, variable, derived, data.
    """
    columns = ["subject", "visit", "variable", "derived", "data"]
    listings = [
        pd.DataFrame({
            "subject": derived["subject"],
            "visit": derived["visit"],
            "variable": variable,
            "derived": derived[variable].astype(object),
            "data": own[variable].astype(object),
        }).loc[_differ(derived[variable], own[variable], tolerance)]
        for variable in own.columns
    ]  # fmt: skip
    found = [listing for listing in listings if not listing.empty]
    if not found:
        return pd.DataFrame(columns=pd.Index(columns), dtype=object)
    return pd.concat(found, ignore_index=True)


def _differ(
    derived: pd.Series[float], own: pd.Series[float], tolerance: float
) -> NDArray[np.bool_]:
    """Mark the rows that differ: numbers by tolerance, texts after their blanks are stripped."""
    if pd.api.types.is_numeric_dtype(derived):
        a, b = derived.to_numpy(dtype=float), own.to_numpy(dtype=float)
        return ~np.isclose(a, b, rtol=tolerance, atol=0, equal_nan=True)
    texts = derived.astype(str).str.strip() != own.astype(str).str.strip()
    return texts.to_numpy(dtype=bool)


def _imputed(frame: pd.DataFrame) -> str:
    """Say how many dates the data had imputed."""
    count = int(frame["imputed"].sum())
    return f"{count:,} with an imputed date, used as imputed" if count else ""


def _unscheduled(frame: pd.DataFrame) -> str:
    """Say how many of the chosen records come from unscheduled visits, where the data tell."""
    count = int(frame["unscheduled"].sum())
    return f"{count:,} from unscheduled visits" if count else ""


def _after_baseline(records: Records, rule: BaselineRule | None) -> Records:
    """Set the records up to the baseline apart."""
    if rule is None:
        return records
    return records.keep("after baseline", ~rule.before(records.frame))


def _in_windows(records: Records, spec: AnalysisSetSpec) -> Records:
    """Keep eligible records inside a window, with the visit and its target day."""
    eligible = scheduled(records, spec)
    visits = assign_visits(eligible.frame["day"], spec.schedule.windows)
    inside = eligible.with_columns(visit=visits).keep("in a visit window", visits >= 0)
    return inside.with_columns(target=spec.schedule.targets[inside.frame["visit"].to_numpy()])


def _discrepancies(
    collected: pd.DataFrame, chosen: pd.DataFrame, spec: AnalysisSetSpec
) -> pd.DataFrame:
    """Compare visits, baselines and changes with the data's own, and the choice with its flag."""
    roles, schedule = spec.records, spec.schedule
    visits = chosen["visit"].to_numpy()
    derived = pd.DataFrame({
        "subject": chosen["subject"],
        "visit": np.array(schedule.names, dtype=object)[visits],
        "AVISIT": np.array([w.text for w in schedule.windows], dtype=object)[visits],
        "AVISITN": schedule.numbers[visits],
        "BASE": chosen["base"],
        "CHG": chosen["change"],
    })  # fmt: skip
    numbered = all(window.number is not None for window in schedule.windows)
    own = {
        "AVISIT": ("own_visit", roles.visit is not None),
        "AVISITN": ("own_number", roles.visit_number is not None and numbered),
        "BASE": ("base", roles.base is not None and spec.baseline is not None),
        "CHG": ("change", roles.change is not None and spec.baseline is not None),
    }
    theirs = collected.loc[chosen.index]
    columns = {name: theirs[column] for name, (column, mapped) in own.items() if mapped}
    found = compare(derived, pd.DataFrame(columns, index=chosen.index))
    return joined(found, _choices(collected, chosen, spec))


def _baseline_visits(dated: pd.DataFrame, spec: AnalysisSetSpec) -> pd.DataFrame:
    """Compare the visit of the baseline records with what the data call the baseline visit."""
    roles, visit = spec.records, spec.schedule.baseline
    none = compare(dated[["subject"]].assign(visit=visit.name), dated[[]])
    if spec.baseline is None or not spec.baseline.single:  # a mean may be over visits of any name
        return none
    rows = dated.loc[spec.baseline.used(dated)]
    derived = rows[["subject"]].assign(
        visit=visit.name,
        AVISIT=visit.text,
        AVISITN=np.nan if visit.number is None else visit.number,
    )
    own = {
        "AVISIT": ("own_visit", roles.visit is not None),
        "AVISITN": ("own_number", roles.visit_number is not None and visit.number is not None),
    }
    columns = {name: rows[column] for name, (column, mapped) in own.items() if mapped}
    return compare(derived, pd.DataFrame(columns, index=rows.index))


def _choices(collected: pd.DataFrame, chosen: pd.DataFrame, spec: AnalysisSetSpec) -> pd.DataFrame:
    """Compare the chosen records with those that the data's own flag chooses."""
    flag, windows = spec.records.analysis_flag, spec.schedule.windows
    if flag is None:
        return pd.DataFrame()
    ours = collected.index.isin(chosen.index)
    theirs = match_visits(collected["own_visit"], collected["own_number"], windows) >= 0
    rows = collected.loc[ours | theirs]
    derived = pd.DataFrame({
        "subject": rows["subject"],
        "visit": rows["own_visit"],
        flag: np.where(rows.index.isin(chosen.index), "Y", ""),
    })  # fmt: skip
    return compare(derived, rows[["analysis_flag"]].set_axis([flag], axis=1))
