"""Every stored fit of lme4 with lmerTest's and pbkrtest's inference: nested, crossed, singular.

The references' own README gives what a correct program should reach: −2l 1e-8 absolute, estimates
and SE 1e-6, variance parameters 1e-5, df 1e-5, all relative; where this is looser the reason stands
beside it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialmlm.formula.coding import term_columns
from trialmlm.formula.factor import level_text
from trialmlm.inference.contrasts import f_test
from trialmlm.models.lmm import lmm

FOLDER = Path(os.environ.get("TRIALMLM_STUDY_DATA", "nowhere")).parent / "reference" / "lmm"

#: stored fits that are not compared, with the reason
LEFT_OUT: dict[str, str] = {}
#: how formulas are written here: nestings of columns made beforehand, and factor() is C()
WRITTEN = {
    "(1 | day) + (1 | dr)": "(1 | day/run)",
    "(1 | sample) + (1 | batch)": "(1 | batch/cask)",
    "factor(age)": "C(age)",
}
#: names of grouping factors there and here
FACTORS = {"dr": "day:run", "sample": "batch:cask"}


def stored() -> dict[str, dict]:
    """Every fit in the reference files, by file and name."""
    found: dict[str, dict] = {}
    for path in sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []:
        _collect(json.loads(path.read_text(encoding="utf-8")), path.stem, found)
    return found


def _collect(node: object, name: str, found: dict[str, dict]) -> None:
    if not isinstance(node, dict):
        return
    if {"formula", "reml", "ml"} <= set(node):
        found[name] = node
        return
    for key, value in node.items():
        _collect(value, f"{name}/{key}", found)


STORED = stored()


def prepared(name: str) -> pd.DataFrame:
    """The data with the columns and the order of levels that the stored fits have."""
    file, *_ = name.split(" (")
    data = pd.read_csv(FOLDER.parents[1] / "data" / file)
    return PREPARE.get(file, lambda given: given)(data)


def _orthodont(data: pd.DataFrame) -> pd.DataFrame:
    sex = pd.Categorical(data["Sex"], ["Male", "Female"])
    return data.assign(age_c=data["age"] - 11, Sex=sex)


def _hsb82(data: pd.DataFrame) -> pd.DataFrame:
    mean = data.groupby("school")["ses"].transform("mean")
    sector = pd.Categorical(data["sector"], ["Public", "Catholic"])
    return data.assign(mean_ses=mean, dev_ses=data["ses"] - mean, sector=sector)


def _lots(data: pd.DataFrame) -> pd.DataFrame:
    own = data[data["sample"] == 1].astype(dict.fromkeys(("device", "lot", "day", "run"), str))
    dld = own["device"] + " " + own["lot"] + " " + own["day"]
    return own.assign(dld=dld, dldr=dld + " " + own["run"])


def _simpson(data: pd.DataFrame) -> pd.DataFrame:
    mean = data.groupby("site")["dose"].transform("mean")
    return data.assign(m=mean, d=data["dose"] - mean)


def _exam(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(schgend=pd.Categorical(data["schgend"], ["mixed", "boys", "girls"]))


PREPARE = {
    "orthodont.csv": _orthodont,
    "hsb82.csv": _hsb82,
    "ep05_lots_devices_sim.csv": _lots,
    "sim_simpson.csv": _simpson,
    "exam.csv": _exam,
}


@cache
def fitted(name: str, **options):
    formula = STORED[name]["formula"]
    for there, here in WRITTEN.items():
        formula = formula.replace(there, here)
    return lmm(formula, prepared(STORED[name]["dataset"]), **options)


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def written(names) -> list:
    """R's names of effects as this package writes them."""
    return [name.replace("factor(", "C(") for name in listed(names)]


def in_order(name, fit) -> np.ndarray:
    """Where R's coefficients stand among ours."""
    ours = list(fit.coding.names)
    return np.array([ours.index(term) for term in written(STORED[name]["reml"]["fixef"]["names"])])


def factor_here(group: str, fit) -> str:
    """The name of a grouping factor; of uncorrelated terms R numbers them: Subject, Subject.1."""
    names = {part.name for part in fit.parts}
    plain = group.split(".")[0]
    return plain if plain in names else FACTORS[plain]


@pytest.fixture(params=STORED or ["nothing"])
def name(request, reference) -> str:
    del reference  # skips where there is none
    if request.param in LEFT_OUT:
        pytest.skip(LEFT_OUT[request.param])
    return request.param


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_likelihood_estimates_and_errors(name, method):
    fit, found = fitted(name, reml=method == "reml"), STORED[name][method]
    criterion = found["reml_criterion" if method == "reml" else "minus2logLik"]
    # 1e-8 absolute, or the rounding of a number of this size
    assert fit.minus2_loglik == pytest.approx(criterion, abs=1e-8, rel=1e-13)
    table, at = fit.coefficients(), in_order(name, fit)
    assert sorted(at) == list(range(len(table)))
    # an estimate near zero is compared on the scale of its error
    difference = table["estimate"].to_numpy()[at] - listed(found["fixef"]["estimate"])
    assert np.abs(difference / listed(found["fixef"]["se"])).max() < 1e-5
    np.testing.assert_allclose(table["std_error"].to_numpy()[at], found["fixef"]["se"], rtol=1e-6)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_variance_components(name, method):
    fit, found = fitted(name, reml=method == "reml"), STORED[name][method]
    table = fit.variance_components().set_index(["group", "term", "term_2"])["variance"]
    for group, own in found["varcomp"].items():
        if group == "Residual":
            assert table["Residual", "", ""] == pytest.approx(own["var"], rel=1e-5)
            continue
        here = factor_here(group, fit)
        terms, cov = listed(own["terms"]), np.atleast_2d(own["cov"])
        scale = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
        residual = found["varcomp"]["Residual"]["var"]
        for i, one in enumerate(terms):
            for j in range(i + 1):
                key = (here, terms[j], "" if i == j else one)
                # 1e-5 of the SDs' product; a variance that is zero there is one of 1e-8 σ² here
                limit = 1e-5 * scale[i, j] + 1e-8 * residual
                assert abs(table[key] - cov[i, j]) < limit


def test_satterthwaite_df_are_lmertest_s(name):
    found = STORED[name]["reml"]["fixef"]
    fit = fitted(name)
    df = fit.coefficients()["df"].to_numpy()[in_order(name, fit)]
    # 1e-5: lmerTest differentiates numerically
    np.testing.assert_allclose(df, found["satterthwaite_df"], rtol=1e-5)


def test_kenward_roger_is_pbkrtest_s_under_expected_information(name):
    found = STORED[name]["reml"]
    if found["fixef"].get("kr_df") is None:
        pytest.skip("pbkrtest was not run on it: singular, or too large")
    fit = fitted(name, df="kenward-roger", information="expected")
    at = in_order(name, fit)
    table = fit.coefficients()
    np.testing.assert_allclose(table["df"].to_numpy()[at], found["fixef"]["kr_df"], rtol=1e-5)
    np.testing.assert_allclose(
        table["std_error"].to_numpy()[at], found["fixef"]["kr_se"], rtol=1e-6
    )
    values = np.atleast_2d(found["vcov_kr"]["values"])
    sd = np.sqrt(np.diag(values))
    ours = fit.vcov.to_numpy()[np.ix_(at, at)]
    assert np.abs((ours - values) / np.outer(sd, sd)).max() < 1e-6


def test_kenward_roger_f_tests(name):
    if "kr_F_tests" not in STORED[name]:
        pytest.skip("no F test is stored")
    fit = fitted(name, df="kenward-roger", information="expected")
    for stored_test in STORED[name]["kr_F_tests"].values():
        L = np.zeros((len(stored_test["L"]), len(fit.coding.names)))
        L[:, in_order(name, fit)] = stored_test["L"]
        ours = f_test(fit.method, L)
        assert ours.num_df == stored_test["ndf"]
        assert ours.den_df == pytest.approx(stored_test["ddf"], rel=1e-5)
        assert ours.statistic == pytest.approx(stored_test["F_scaled"], rel=1e-5)


def test_type_three_tests_are_lmertest_s(name):
    found = STORED[name]["reml"].get("anova_type3_satterthwaite")
    if found is None:
        pytest.skip("no type III test is stored")
    fit = fitted(name)
    table = fit.anova("III").set_index("term")
    columns = [term_columns(fit.coding)[term] for term in written(found["terms"])]
    ours = table.loc[written(found["terms"])]
    assert ours["num_df"].tolist() == listed(found["ndf"])
    # 1e-5: lmerTest differentiates numerically
    np.testing.assert_allclose(ours["statistic"], listed(found["F"]), rtol=1e-5)
    # df of an F test depend on which rows say the hypothesis; lmerTest's are those of treatment
    # contrasts, ours of sum-to-zero ones, and they are compared where no interaction moves them
    plain = not any(":" in term for term in listed(found["terms"]))
    rows = [np.eye(len(fit.coding.names))[own] for own in columns]
    df = [f_test(fit.method, L).den_df for L in rows] if plain else ours["den_df"]
    np.testing.assert_allclose(df, listed(found["ddf"]), rtol=1e-5)


def test_names_of_effects_are_r_s(name):
    assert list(fitted(name).coding.names) == written(STORED[name]["reml"]["fixef"]["names"])


def test_predicted_effects(name):
    found = STORED[name]["reml"].get("ranef")
    if found is None:
        pytest.skip("no predicted effects are stored")
    table = fitted(name).random_effects()
    for group, own in found.items():
        ours = table[table["group"] == factor_here(group, fitted(name))]
        blup = np.array(own["blup"], dtype=float).reshape(-1, len(listed(own["terms"])))
        for k, term in enumerate(listed(own["terms"])):
            column = ours[ours["term"] == term]
            by_level = dict(zip(map(_plain, column["level"]), column["estimate"], strict=True))
            here = np.array([by_level[_plain(level)] for level in own["levels"]])
            residual = STORED[name]["reml"]["varcomp"]["Residual"]["sd"]
            # 1e-5 of the largest; where the variance is zero, of the residual
            limit = 1e-5 * max(float(np.abs(blup[:, k]).max()), 1e-2 * residual)
            assert np.abs(here - blup[: len(here), k]).max() < limit


def test_errors_of_predicted_effects_are_henderson_s(name):
    stored_errors = STORED[name]["reml"].get("henderson_pev")
    if stored_errors is None:
        pytest.skip("no prediction errors are stored")
    table = fitted(name).random_effects()
    # level-major with terms fastest, factor after factor in lme4's order: by number of levels;
    # uncorrelated terms count as factors
    counts = table["group"].value_counts(sort=False)
    uncorrelated = len(STORED[name]["reml"]["varcomp"]) - 1 > len(counts)
    keys = ["group", "term"] if uncorrelated else ["group"]
    blocks = [part for _, part in table.groupby(keys, sort=False)]
    order = [_plain(level) for level in listed(stored_errors["order"])]
    at = 0
    for block in sorted(blocks, key=len, reverse=True):
        own = block.assign(level=block["level"].map(_plain)).set_index("level")["std_error"]
        levels = list(dict.fromkeys(order[at : at + len(block)]))
        expected = stored_errors["se"][at : at + len(block)]
        np.testing.assert_allclose(own.loc[levels], expected, rtol=1e-5)
        at += len(block)
    assert at == len(order)


def _plain(level: object) -> str:
    return level_text(level).replace(":", " ")
