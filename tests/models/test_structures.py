"""Every covariance structure against R mmrm's converged fits and SAS's Kenward-Roger fits."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.covariance.register import FAMILIES

STRUCTURES = [name for name in FAMILIES if name not in {"us", "diag", "id", "fa"}]
FITS = [f"{name}_{kind}_sat" for name in STRUCTURES for kind in ("reml", "ml")]
LINEAR = ["ar1h", "csh", "toep"]


@pytest.fixture(scope="module")
def fev(study_data):
    data = pd.read_csv(study_data / "fev_data.csv")
    data["SEX"] = pd.Categorical(data["SEX"], ["Male", "Female"])
    return data


def compare(fit, found):
    """Our optimum is at least as good; the rest to 1e-8: both are converged to about 1e-11."""
    assert fit.convergence.converged
    assert fit.minus2_loglik <= found["minus2_loglik"] + 1e-8
    table, theirs = fit.coefficients(), found["coefficients"]
    assert list(table["term"]) == theirs["names"]
    for ours, name in (("estimate", "estimate"), ("std_error", "se"), ("df", "df")):
        np.testing.assert_allclose(table[ours], theirs[name], rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, found["covariance"]["values"], rtol=1e-8)


@pytest.mark.parametrize("name", FITS)
def test_a_structure_equals_the_converged_fit_of_r(name, fev, reference):
    stored = json.loads((reference / "mmrm" / f"fev_{name}.json").read_text())
    reml = stored["spec"]["estimation"] == "REML"
    fit = tm.mmrm(stored["spec"]["formula"]["r"], fev, reml=reml)
    compare(fit, stored["results_tight"])


@pytest.mark.parametrize("name", LINEAR)
def test_linear_kenward_roger_equals_r_s(name, fev, reference):
    stored = json.loads((reference / "mmrm" / f"fev_{name}_reml_krlinear.json").read_text())
    fit = tm.mmrm(stored["spec"]["formula"]["r"], fev, df="kenward-roger-linear")
    compare(fit, stored["results_tight"])


@pytest.mark.parametrize("structure", [*STRUCTURES, "us"])
@pytest.mark.parametrize(
    ("df", "suffix"), [("kenward-roger", "kr"), ("kenward-roger-linear", "krlinear")]
)
def test_kenward_roger_equals_proc_mixed(structure, df, suffix, fev, reference):
    fits = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text())
    wanted = f"{structure}_armcd_reml_{suffix}"
    stored = next((fit for fit in fits if fit["id"] == wanted), None)
    if stored is None:
        pytest.skip(f"no PROC MIXED fit {wanted} among the references")
    sas = stored["sas"]["armcd_difference_TRT_minus_PBO"]
    table = tm.mmrm(f"FEV1 ~ ARMCD + {structure}(AVISIT | USUBJID)", fev, df=df).coefficients()
    ours = table.set_index("term").loc["ARMCDTRT"]
    # PROC MIXED stops a Newton step early: up to 1.2e-4 in SE and 4e-4 in df
    assert ours["estimate"] == pytest.approx(sas["Estimate"], rel=1e-4)
    assert ours["std_error"] == pytest.approx(sas["StdErr"], rel=2e-4)
    assert ours["df"] == pytest.approx(sas["DF"], rel=5e-4)


@pytest.mark.parametrize("structure", ["ar1", "ar1h", "cs", "csh", "adh", "toep", "toeph", "us"])
def test_the_empirical_covariance_equals_proc_mixed(structure, fev, reference):
    fits = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text())
    wanted = f"{structure}_armcd_reml_empirical"
    (stored,) = (fit for fit in fits if fit["id"] == wanted)
    sas = stored["sas"]["armcd_difference_TRT_minus_PBO"]
    fit = tm.mmrm(
        f"FEV1 ~ ARMCD + {structure}(AVISIT | USUBJID)", fev, vcov="CR0", df="between-within"
    )
    (ours,) = fit.ls_means("ARMCD").contrasts("vs-control", control="PBO").frame.itertuples()
    # PROC MIXED stops a Newton step early: up to 3.5e-5 in SE
    assert ours.estimate == pytest.approx(sas["Estimate"], rel=1e-4)
    assert ours.std_error == pytest.approx(sas["StdErr"], rel=1e-4)
    assert ours.df == sas["DF"]
    assert (ours.ci_low, ours.ci_high) == pytest.approx((sas["Lower"], sas["Upper"]), rel=2e-4)
    rows = {row["Effect"] + (row["ARMCD"] or ""): row for row in stored["sas"]["covb_rows"]}
    printed = [[rows[name][col] for col in ("Col1", "Col2")] for name in ("Intercept", "ARMCDTRT")]
    np.testing.assert_allclose(fit.vcov, printed, rtol=2e-4)


def nested(data, names):
    return [tm.mmrm(f"CHG ~ BASE + {n}(AVISIT | USUBJID)", data, reml=False) for n in names]


@pytest.mark.parametrize(
    "names", [("cs", "toep", "us"), ("ar1", "ar1h", "adh", "us"), ("diag", "us")]
)
def test_a_richer_structure_fits_no_worse(names):
    fits = nested(random_trial(11, n_subjects=60).frame, names)
    deviances = [fit.minus2_loglik for fit in fits]
    assert deviances == sorted(deviances, reverse=True)


def test_the_r_term_is_absent_where_sigma_is_linear_and_there_where_it_is_not():
    data = random_trial(12, n_subjects=40).frame

    def error(structure, df):
        fit = tm.mmrm(f"CHG ~ BASE + {structure}(AVISIT | USUBJID)", data, df=df)
        return fit.coefficients()["std_error"].to_numpy()

    for linear in ("us", "cs", "toep"):
        np.testing.assert_array_equal(
            error(linear, "kenward-roger"), error(linear, "kenward-roger-linear")
        )
    assert (error("csh", "kenward-roger") != error("csh", "kenward-roger-linear")).any()
