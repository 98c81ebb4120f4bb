"""Retrieved dropouts: the shift of the mean after the event, in each of its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, VISITS, dropout_trial, dropouts

import trialmlm as tm
from trialmlm.errors import DataError, NotAvailableError, UsageError
from trialmlm.missing.impute import impute

if TYPE_CHECKING:
    from trialmlm.missing.imputed import Imputed

STOP = "retrieved-dropout"
#: far from equally spaced, as schedules are
DAYS = {"Week 2": 14, "Week 4": 28, "Week 8": 56}
LONG = (*VISITS, "Week 16", "Week 24")
LONG_DAYS = DAYS | {"Week 16": 112, "Week 24": 168}
#: what the mean does after the stop: a level and a change for each day since
SHIFT = {"DRUG": (1.5, 0.05), "PLACEBO": (0.5, 0.02)}


def stopping_trial(noise: float = 1.0, per_arm: int = 40) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five visits; half stop drug at some visit, half of whom leave at that visit or the next."""
    rng = np.random.default_rng(7)
    n, visits = 2 * per_arm, len(LONG)
    arm = np.array(["DRUG", "PLACEBO"])[np.arange(n) % 2]
    first = np.where(rng.random(n) < 0.5, rng.integers(1, visits, n), visits)
    leaves = np.where(rng.random(n) < 0.5, first + rng.integers(0, 2, n), visits)
    base = rng.normal(20.0, 4.0, n)
    level = rng.normal(0.0, noise, (n, 1)) + rng.normal(0.0, noise, (n, visits))
    days = np.array(list(LONG_DAYS.values()), dtype=float)
    since = days - days[np.minimum(first, visits - 1), None]
    start, slope = (np.array([SHIFT[label][k] for label in arm])[:, None] for k in (0, 1))
    fall = np.where(np.arange(visits) >= first[:, None], start + slope * since, 0.0)
    change = -0.2 * base[:, None] - np.arange(1.0, visits + 1) * (arm == "DRUG")[:, None] + fall
    who, when = np.nonzero(np.arange(visits) < leaves[:, None])
    ids = np.array([f"S{i:03d}" for i in range(n)])
    rows = pd.DataFrame(
        {
            "USUBJID": ids[who],
            "ARM": arm[who],
            "AVISIT": pd.Categorical(np.array(LONG)[when], LONG, ordered=True),
            "BASE": base[who],
            "CHG": (change + level)[who, when],
        }
    )
    stops = first < visits
    visit = np.array(LONG)[first[stops]]
    return rows, pd.DataFrame({"USUBJID": ids[stops], "AVISIT": visit, "strategy": STOP})


ROWS, STOPS = stopping_trial()


def imputed(data: pd.DataFrame = ROWS, events: pd.DataFrame = STOPS, **given: Any) -> Imputed:
    asked = {"retrieved": "arm-time", "targets": LONG_DAYS, **given}
    return impute(data, model=MODEL, arm="ARM", events=events, **asked)


def explicit(grid: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The grid with the columns of the shift, written cell by cell."""
    start = dict(zip(events["USUBJID"], events["AVISIT"].map(LONG_DAYS), strict=True))
    made = grid[["USUBJID", "ARM", "AVISIT", "BASE", "CHG"]].copy()
    for arm in ("DRUG", "PLACEBO"):
        level, line = [], []
        for subject, own, visit in zip(made["USUBJID"], made["ARM"], made["AVISIT"], strict=True):
            day = LONG_DAYS[visit]
            after = own == arm and subject in start and day >= start[subject]
            level.append(1.0 if after else 0.0)
            line.append(float(day - start[subject]) if after else 0.0)
        made[f"LEVEL_{arm}"], made[f"LINE_{arm}"] = level, line
    return made


EXPLICIT = MODEL + " + LEVEL_DRUG + LEVEL_PLACEBO + LINE_DRUG + LINE_PLACEBO"


def regressed(mean: np.ndarray, Sigma: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.isnan(y)
    filled = y.copy()
    weights = np.linalg.solve(Sigma[np.ix_(~out, ~out)], Sigma[np.ix_(~out, out)])
    filled[out] = mean[out] + (y[~out] - mean[~out]) @ weights
    return filled


def test_a_shift_in_time_is_the_model_with_its_columns_written_out() -> None:
    found = imputed()
    grid = explicit(found.layout.frame, STOPS)
    direct = tm.mmrm(EXPLICIT, grid)
    # both optima are exact to rounding: the models span the same columns
    np.testing.assert_allclose(found.fit.covariance, direct.covariance, rtol=1e-7)
    means = direct.predict(grid)["estimate"].to_numpy().reshape(found.layout.Y.shape)
    Sigma = direct.covariance.to_numpy()
    wanted = [regressed(m, Sigma, y) for m, y in zip(means, found.layout.Y, strict=True)]
    np.testing.assert_allclose(found.completions.tables(found.layout.Y)[0], wanted, rtol=1e-7)


def test_a_shift_in_time_is_that_of_another_program() -> None:
    # R 4.2.2, nlme 3.1-162: gls(CHG ~ BASE*AVISIT + ARM*AVISIT + LEVEL_DRUG + LEVEL_PLACEBO +
    # LINE_DRUG + LINE_PLACEBO, corSymm by subject, varIdent by visit, REML) on the grid of
    # `explicit`; the missing values by its conditional means; lm(CHG ~ BASE + ARM) at week 24.
    # gls stops where its own likelihood is flat to ten digits, the coefficients then to six
    found = imputed()
    terms = found.fit.coefficients()
    shift = terms.loc[terms["term"].str.contains("AFTER_EVENT"), ["estimate", "std_error"]]
    level_and_line = [
        [1.41460574776, 0.351174693003],
        [0.91589114438, 0.270827074000],
        [0.04596066074, 0.004160412792],
        [0.01747556000, 0.004344208374],
    ]
    np.testing.assert_allclose(shift.to_numpy(), level_and_line, rtol=1e-5)
    assert found.fit.minus2_loglik == pytest.approx(1148.7219547, abs=1e-6)
    answer = found.analyse("CHG ~ BASE + ARM", at="Week 24", control="PLACEBO").frame
    difference = answer.loc[answer["arms"] == "DRUG - PLACEBO", "estimate"].item()
    assert difference == pytest.approx(-3.743567257706, abs=2e-6)


def test_the_columns_added_are_told_in_the_completed_data() -> None:
    done = imputed().completed()
    subject, visit = STOPS.iloc[0][["USUBJID", "AVISIT"]]
    own = done[done["USUBJID"] == subject].set_index("AVISIT")
    for label, day in LONG_DAYS.items():
        since = max(0, day - LONG_DAYS[visit])
        assert own.loc[label, "TIME_AFTER_EVENT"] == since
        assert own.loc[label, "AFTER_EVENT"] == float(day >= LONG_DAYS[visit])


def test_the_unit_of_the_times_changes_nothing() -> None:
    weeks = {visit: day / 7 for visit, day in LONG_DAYS.items()}
    np.testing.assert_allclose(
        imputed(targets=weeks).completions.values, imputed().completions.values, rtol=1e-8
    )


def test_with_two_visits_after_one_event_a_line_is_a_shift_by_visit() -> None:
    trial = dropout_trial()
    whole = trial.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index
    left = dropouts(trial, STOP).query("AVISIT == 'Week 4'")["USUBJID"]
    events = pd.DataFrame({"USUBJID": [*left, *whole[:16]], "AVISIT": "Week 4", "strategy": STOP})
    by_visit = imputed(trial, events, retrieved="arm-visit", targets=None)
    along_a_line = imputed(trial, events, targets=DAYS)
    np.testing.assert_allclose(
        along_a_line.completions.values, by_visit.completions.values, rtol=1e-7
    )


@pytest.mark.parametrize(
    "method",
    [
        {"method": "conditional-mean"},
        {"method": "approximate-bayes", "imputations": 5, "seed": 1, "failures": 0.5},
        {"method": "bayes", "imputations": 5, "seed": 1},
    ],
)
def test_every_method_imputes_along_the_line(method: dict[str, Any]) -> None:
    precise, events = stopping_trial(noise=1e-4)
    found = imputed(precise, events, **method)
    done = found.completed()
    done = done[done["imputed"]]
    start = events.set_index("USUBJID")["AVISIT"].map(LONG_DAYS)
    day = done["AVISIT"].astype(object).map(LONG_DAYS).to_numpy(dtype=float)
    level, slope = (done["ARM"].map(lambda arm, k=k: SHIFT[arm][k]).to_numpy() for k in (0, 1))
    place = done["AVISIT"].cat.codes.to_numpy() + 1.0
    on_drug = -0.2 * done["BASE"].to_numpy() - place * (done["ARM"] == "DRUG").to_numpy()
    wanted = on_drug + level + slope * (day - done["USUBJID"].map(start).to_numpy(dtype=float))
    # ten times the noise of a value; a shift that does not grow is off by units
    np.testing.assert_allclose(done["CHG"].to_numpy(), wanted, atol=2e-3)


def test_the_jackknife_imputes_as_though_each_subject_were_not_there() -> None:
    base = imputed()
    again = base.resampled("jackknife")
    for left in (0, 3, 10):
        subject = base.layout.subjects[left]
        others = imputed(ROWS[ROWS["USUBJID"] != subject], STOPS[STOPS["USUBJID"] != subject])
        kept = again.subject != left
        # refits start from the whole fit and stop at their own optimum
        np.testing.assert_allclose(
            again.values[left, kept], others.completions.values[0], rtol=1e-6, atol=1e-6
        )
    answer = base.analyse("CHG ~ BASE + ARM", at="Week 24", variance="jackknife").frame
    assert (answer["std_error"] > 0).all()


def test_an_arm_of_which_nobody_was_observed_after_the_event_is_refused() -> None:
    gone = ROWS.merge(STOPS, on="USUBJID", how="left", suffixes=("", "_stop"))
    day, stop = (gone[name].astype(object).map(LONG_DAYS) for name in ("AVISIT", "AVISIT_stop"))
    alone = ROWS[~((gone["ARM"] == "DRUG") & (day >= stop)).to_numpy()]
    with pytest.raises(DataError, match=r"no subject of arm DRUG was observed after its event.*S0"):
        imputed(alone)
    with pytest.raises(DataError, match="pool the arms by retrieved='common'"):
        imputed(alone, retrieved="arm", targets=None)
    assert imputed(alone, retrieved="common", targets=None).completions.values.size


def test_an_arm_observed_at_one_time_after_the_event_tells_no_line() -> None:
    trial = dropout_trial()
    whole = trial.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index
    more = pd.DataFrame({"USUBJID": whole[:16], "AVISIT": "Week 8", "strategy": STOP})
    events = pd.concat([dropouts(trial, STOP), more])
    told = r"arm DRUG were observed after their event at one time alone, 0 after .*S0\d\d at Week 8"
    with pytest.raises(DataError, match=told):
        imputed(trial, events, targets=DAYS)
    assert imputed(trial, events, retrieved="arm", targets=None).completions.values.size


def test_cells_in_which_nobody_was_retrieved_are_all_named() -> None:
    trial = dropout_trial()
    gone = dropouts(trial, STOP)
    told = (
        "no subject of arm DRUG at Week 4 or arm DRUG at Week 8 or arm PLACEBO at Week 4 or arm "
        "PLACEBO at Week 8 was observed after its event.*nobody was, so use another strategy"
    )
    with pytest.raises(DataError, match=told):
        imputed(trial, gone, retrieved="arm-visit", targets=None)
    whole = trial.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index
    more = pd.DataFrame({"USUBJID": whole[:16], "AVISIT": "Week 8", "strategy": STOP})
    told = (
        "no subject of arm DRUG at Week 4 or arm PLACEBO at Week 4 was observed after its event"
        ".*pool the visits by retrieved='arm', or by 'arm-time' along a line"
    )
    with pytest.raises(DataError, match=told):
        imputed(trial, pd.concat([gone, more]), retrieved="arm-visit", targets=None)


def test_a_cell_that_nobody_needs_has_no_column_in_the_posterior() -> None:
    trial = dropout_trial()
    whole = trial.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index
    more = pd.DataFrame({"USUBJID": whole[:16], "AVISIT": "Week 4", "strategy": STOP})
    events = pd.concat([dropouts(trial, STOP), more])
    found = imputed(
        trial, events, retrieved="arm-visit", targets=None, method="bayes", imputations=2, seed=1
    )
    columns = [found.fit.coding.names[k] for k in found.model.kept]
    shifts = [name for name in columns if "AFTER_EVENT" in name]
    assert len(shifts) == 4
    assert not any("Week 2" in name for name in shifts)
    assert np.isfinite(found.completions.values).all()


def test_a_regression_on_earlier_visits_has_no_shift_after_an_event() -> None:
    with pytest.raises(NotAvailableError, match=r"no place \(subject S0\d\d from .*method='bayes'"):
        imputed(method="monotone", imputations=2, seed=1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"targets": None}, "targets: found none, expected the time of every visit, as"),
        ({"targets": [14, 28]}, "targets: found list"),
        ({"targets": DAYS}, "found no time of Week 16, Week 24"),
        ({"targets": LONG_DAYS | {"Week 4": "28"}}, "found '28' for Week 4, expected a number"),
        ({"targets": LONG_DAYS | {"Week 4": 60}}, "found 60 for Week 4 and 56 for Week 8"),
        ({"retrieved": "arm"}, "retrieved='arm' uses no times"),
        ({"retrieved": "time"}, "did you mean arm-time"),
    ],
)
def test_times_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        imputed(**given)


def test_a_column_of_the_same_name_is_refused() -> None:
    with pytest.raises(UsageError, match="adds a column TIME_AFTER_EVENT"):
        imputed(ROWS.assign(TIME_AFTER_EVENT=0.0))


def test_imputing_later_than_anybody_was_observed_is_noted() -> None:
    after = ROWS.merge(STOPS, on="USUBJID", suffixes=("", "_stop"))
    days = [after[name].astype(object).map(LONG_DAYS) for name in ("AVISIT", "AVISIT_stop")]
    late = after[(after["ARM"] == "DRUG") & (days[0] - days[1] > 60)]
    keys = ["USUBJID", "AVISIT"]
    short = ROWS[~ROWS.set_index(keys).index.isin(late.set_index(keys).index)]
    noted = [note for note in imputed(short).notes if "along its line" in note]
    assert len(noted) == 1
    assert "DRUG has values imputed up to 140" in noted[0]
    assert "observed up to 56" in noted[0]
