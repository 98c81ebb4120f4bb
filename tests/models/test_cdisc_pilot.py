"""CDISC Pilot 01: the MMRM of table 14-3.11 and the analysis of covariance of table 14-3.01.

The numbers are in the shared reference folder, with the printed SAS listings of the report.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

pyreadstat = pytest.importorskip("pyreadstat")
ARMS = {"placebo": 0, "low": 54, "high": 81}
PAIRS = {"low_placebo": (54, 0), "high_placebo": (81, 0), "high_low": (81, 54)}
TERMS = {
    "TRTPN": "C(TRTPN)",
    "SITEGRP": "SITEGR1",
    "AWEEK": "C(AVISITN)",
    "AWEEK*TRTPN": "C(TRTPN):C(AVISITN)",
    "BASE": "BASE",
    "BASE*AWEEK": "C(AVISITN):BASE",
}


@pytest.fixture(scope="module")
def adas(study_data) -> pd.DataFrame:
    frame, _ = pyreadstat.read_xport(study_data / "cdisc_pilot" / "adqsadas.xpt")
    return frame.query("EFFFL == 'Y' and ITTFL == 'Y' and ANL01FL == 'Y'")


@pytest.fixture(scope="module")
def mmrm_of_3_11(adas):
    observed = adas.query("DTYPE != 'LOCF' and AVISITN > 0")
    return mmrm(
        "CHG ~ C(TRTPN) + SITEGR1 + C(AVISITN) + C(TRTPN):C(AVISITN) + BASE + C(AVISITN):BASE"
        " + us(AVISITN | USUBJID)",
        observed,
        df="kenward-roger",
    )


@pytest.fixture(scope="module")
def table_3_11(reference):
    return json.loads((reference / "cdisc_pilot" / "table_14-3.11.json").read_text())


def test_mmrm_likelihood_and_covariance(mmrm_of_3_11, table_3_11):
    optimum = table_3_11["reproduced_full_precision"]["at_reml_optimum"]
    assert (mmrm_of_3_11.n_obs, mmrm_of_3_11.n_subjects) == (539, 234)
    assert mmrm_of_3_11.minus2_loglik == pytest.approx(optimum["reml_m2ll"], abs=1e-7)
    np.testing.assert_allclose(mmrm_of_3_11.covariance, optimum["cov"], rtol=1e-6)


def test_mmrm_ls_means_over_visits_and_their_differences(mmrm_of_3_11, table_3_11):
    optimum = table_3_11["reproduced_full_precision"]["at_reml_optimum"]
    wanted = optimum["main_effect_average_over_visits"]
    means = mmrm_of_3_11.ls_means("TRTPN")
    rows = means.frame.set_index("TRTPN")
    differences = means.contrasts(list(PAIRS.values())).frame.set_index(pd.Index(PAIRS))
    for table, expected, key in (
        (rows, wanted["lsmeans"], ARMS.get),
        (differences, wanted["diffs"], str),
    ):
        for name, values in expected.items():
            row = table.loc[key(name)]
            for ours, theirs in (
                ("estimate", "est"),
                ("std_error", "se"),
                ("df", "df"),
                ("ci_low", "lower"),
                ("ci_high", "upper"),
            ):
                assert row[ours] == pytest.approx(values[theirs], rel=1e-6)


def test_mmrm_type_three_as_sas_printed_it(mmrm_of_3_11, table_3_11):
    printed = table_3_11["published"]["csr_sas_listing"]["type3"]
    exact = table_3_11["reproduced_full_precision"]["type3_sum_to_zero_coding"]
    table = mmrm_of_3_11.anova().set_index("term")
    for name, (num_df, den_df, F, p) in printed.items():
        row = table.loc[TERMS[name]]
        assert row["num_df"] == num_df
        assert round(row["den_df"]) == den_df
        assert row["statistic"] == pytest.approx(F, abs=0.00501)
        assert row["p_value"] == pytest.approx(p, abs=2e-4)
        # the exact table is of the default optimum of R's mmrm, which stops early
        wanted = exact["Kenward-Roger-Linear"][name]
        assert row["den_df"] == pytest.approx(wanted["denom_df"], rel=1e-4)
        assert row["statistic"] == pytest.approx(wanted["F"], rel=1e-3)


@pytest.fixture(scope="module")
def week_24(adas):
    return adas.query("AVISITN == 24")


@pytest.fixture(scope="module")
def table_3_01(reference):
    file = json.loads((reference / "cdisc_pilot" / "table_14-3.01.json").read_text())
    return file["reproduced_full_precision"]["model"]


# the reference prints eleven digits
PRINTED = 1e-9


def test_ancova_ls_means_and_differences(week_24, table_3_01):
    fit = ancova("CHG ~ C(TRTPN) + SITEGR1 + BASE", week_24)
    assert (fit.n_obs, fit.residual_df) == (table_3_01["n_used"], table_3_01["df_error"])
    sse = fit.sigma**2 * fit.residual_df
    assert sse == pytest.approx(table_3_01["sse_class_model"], rel=PRINTED)
    for weights, key in (("observed-margins", "lsmeans_om"), ("equal", "lsmeans_equal")):
        rows = fit.ls_means("TRTPN", weights=weights).frame.set_index("TRTPN")
        for name, wanted in table_3_01[key].items():
            row = rows.loc[ARMS[name]]
            assert row["estimate"] == pytest.approx(wanted["est"], rel=PRINTED)
            assert row["std_error"] == pytest.approx(wanted["se"], rel=PRINTED)
            if "lower" in wanted:
                assert row["ci_low"] == pytest.approx(wanted["lower"], rel=PRINTED)
                assert row["ci_high"] == pytest.approx(wanted["upper"], rel=PRINTED)
    found = fit.ls_means("TRTPN").contrasts(list(PAIRS.values())).frame.set_index(pd.Index(PAIRS))
    names = {
        "estimate": "est",
        "std_error": "se",
        "df": "df",
        "statistic": "t",
        "p_value": "p",
        "ci_low": "lower",
        "ci_high": "upper",
    }
    for pair, wanted in table_3_01["contrasts"].items():
        for ours, theirs in names.items():
            assert found.loc[pair, ours] == pytest.approx(wanted[theirs], rel=PRINTED)


def test_ancova_dose_response(week_24, table_3_01):
    wanted = table_3_01["dose_response"]
    fit = ancova("CHG ~ TRTPN + SITEGR1 + BASE", week_24)
    test = fit.anova().set_index("term").loc["TRTPN"]
    assert test["statistic"] == pytest.approx(wanted["F"], rel=PRINTED)
    assert test["p_value"] == pytest.approx(wanted["p"], rel=PRINTED)
    assert fit.sigma == pytest.approx(wanted["root_mse"], rel=PRINTED)
    assert fit.sigma**2 * fit.residual_df == pytest.approx(wanted["sse"], rel=PRINTED)
    slope = fit.coefficients().set_index("term").loc["TRTPN"]
    assert slope["estimate"] == pytest.approx(wanted["slope"], rel=PRINTED)
    assert slope["std_error"] == pytest.approx(wanted["se"], rel=PRINTED)
