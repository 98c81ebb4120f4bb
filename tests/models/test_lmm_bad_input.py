"""What a user reads who gives data that random effects cannot be fitted to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trialmlm.covariance.spatial import PowerDecay
from trialmlm.errors import FitError
from trialmlm.models.lmm import lmm

#: a residual covariance beside the random effects, or none
RESIDUALS = ("", " + us(visit | {0})", " + diag(visit | {0})", " + sp_exp(t | {0})")


@pytest.fixture(params=RESIDUALS)
def residual(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    id_, visit = np.divmod(np.arange(80), 4)
    frame = pd.DataFrame({"id": [f"S{k:02d}" for k in id_], "visit": [f"V{k}" for k in visit]})
    own = rng.normal(size=(20, 2)) * [1.0, 0.5]
    frame["t"] = visit.astype(float)
    frame["y"] = 5 + own[id_, 0] + frame["t"] * (1 + own[id_, 1]) + rng.normal(size=80)
    return frame.assign(
        centre="X",
        row=[f"r{k}" for k in range(80)],
        age=rng.uniform(40, 70, 20)[id_],
        clock=1e9 + frame["t"],
        seconds=1.7e9 + 86400.0 * frame["t"],
        nanoseconds=1e9 * frame["t"],
    )


def test_a_grouping_factor_with_one_level_is_refused(data, residual):
    with pytest.raises(FitError, match=r"centre has one level.*leave \(1 \| centre\) out"):
        lmm("y ~ t + (1 | centre)" + residual.format("centre"), data)


def test_as_many_levels_as_rows_are_refused(data, residual):
    with pytest.raises(
        FitError, match=r"every level of row has one row.*group by what has several"
    ):
        lmm("y ~ t + (1 | row)" + residual.format("row"), data)


@pytest.mark.parametrize("effects", ["1 + age", "0 + age"])
def test_a_slope_without_variation_within_clusters_is_named(data, residual, effects):
    fit = lmm(f"y ~ t + age + ({effects} | id)" + residual.format("id"), data)
    assert any(
        note.startswith("age does not vary within any id") and "leave it out" in note
        for note in fit.notes
    )


def test_a_slope_of_an_indicator_gives_some_subjects_a_variance_and_is_not_remarked_on(data):
    some = data.assign(treated=1.0 * (data["id"] < "S10"))
    notes = lmm("y ~ t + (1 | id) + (0 + treated | id)", some).notes
    assert not any("does not vary" in note for note in notes)


def test_times_around_1e9_are_refused_or_told_to_be_centred(data, residual):
    with pytest.raises(FitError, match=r"too far from zero.*centre it"):
        lmm("y ~ clock + (1 + clock | id)" + residual.format("id"), data)
    fit = lmm("y ~ seconds + (1 + seconds | id)" + residual.format("id"), data)
    assert any("seconds is far from zero" in note and "centre" in note for note in fit.notes)


def test_times_of_a_scale_of_1e9_change_units_alone(data):
    one, two = (lmm(f"y ~ {x} + (1 + {x} | id)", data) for x in ("t", "nanoseconds"))
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik + 2 * np.log(1e9), abs=1e-8)
    ours, theirs = two.coefficients(), one.coefficients()
    # the same optimum to 1e-9 standard errors
    np.testing.assert_allclose(ours["estimate"] * [1.0, 1e9], theirs["estimate"], rtol=1e-8)
    np.testing.assert_allclose(ours["std_error"] * [1.0, 1e9], theirs["std_error"], rtol=1e-8)


def test_rows_without_a_group_are_counted_and_none_left_is_an_error(data, residual):
    formula = "y ~ t + (1 + t | id)" + residual.format("id")
    some = data.assign(id=data["id"].mask(data["t"] == 3.0).where(data["id"] > "S04", data["id"]))
    fit = lmm(formula, some)
    lost = int(some["id"].isna().sum())
    assert f"{lost} of 80 rows not used: id missing in {lost}" in fit.notes
    assert fit.n_obs == 80 - lost
    with pytest.raises(FitError, match=r"no complete row among 80; missing values: id \(80\)"):
        lmm(formula, data.assign(id=None))


@pytest.mark.parametrize("residual_of", ["", " + ar1(visit | id)"])
def test_a_level_that_no_row_used_has_is_named(data, residual_of):
    gone = data.assign(y=data["y"].mask(data["visit"] == "V2"))
    notes = lmm("y ~ visit + (1 | id)" + residual_of, gone).notes
    assert "visit V2: no complete row, so not in the model" in notes


def test_a_correlation_of_zero_at_distance_one_has_finite_derivatives():
    decay, d = PowerDecay(), np.array([[0.0, 0.5], [0.5, 0.0]])
    for found in (decay.first(d, 0.0), decay.second(d, 0.0)):
        assert np.isfinite(found).all()
        assert (np.diag(found) == 0.0).all()
