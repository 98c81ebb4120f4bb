"""Tests of type I and II and joint tests: reductions, R's car and mmrm, PROC MIXED."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_fits import REPRODUCED, model_of, with_levels
from trials import random_trial

import trialmlm as tm

PROPERTY = settings(deadline=None, max_examples=8, derandomize=True)
WITH_TESTS = [name for name in REPRODUCED if "intercept" not in name]


def unbalanced(seed: int, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "A": rng.choice(list("pqr"), rows, p=[0.5, 0.3, 0.2]),
            "B": rng.choice(list("uv"), rows, p=[0.6, 0.4]),
            "x": rng.normal(40.0, 5.0, rows),
            "y": rng.normal(10.0, 2.0, rows),
        }
    )


def squares(frame: pd.DataFrame, *terms: str) -> tuple[float, int]:
    """Residual sum of squares and rank of a model, cells and products written out by hand."""
    A, B = (pd.get_dummies(frame[name]).to_numpy(float) for name in "AB")
    x = frame[["x"]].to_numpy()  # not centred: A after A:x is A at x = 0
    columns = {
        "A": A,
        "B": B,
        "x": x,
        "A:B": (A[:, :, None] * B[:, None, :]).reshape(len(frame), -1),
        "A:x": A * x,
    }
    X = np.concatenate([np.ones((len(frame), 1)), *(columns[term] for term in terms)], axis=1)
    beta, _, rank, _ = np.linalg.lstsq(X, frame["y"].to_numpy(), rcond=1e-10)
    return float(((frame["y"] - X @ beta) ** 2).sum()), int(rank)


#: model, and for each term the terms before it (type I) and those that do not contain it (type II)
REDUCTIONS = {
    "A*B + x": {
        "A": ((), ("B", "x")),
        "B": (("A",), ("A", "x")),
        "x": (("A", "B"), ("A", "B", "A:B")),
        "A:B": (("A", "B", "x"), ("A", "B", "x")),
    },
    "A*x + B": {
        # x and A:x do not contain A for SAS: the numbers differ; A:x contains x
        "A": ((), ("x", "B", "A:x")),
        "x": (("A",), ("A", "B")),
        "B": (("A", "x"), ("A", "x", "A:x")),
        "A:x": (("A", "x", "B"), ("A", "x", "B")),
    },
}


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("model", REDUCTIONS)
@PROPERTY
@given(st.integers(0, 2**20))
def test_types_one_and_two_are_reductions_of_sums_of_squares(model, empty, seed):
    frame = unbalanced(seed)
    if empty:
        frame = frame[(frame["A"] != "r") | (frame["B"] != "v")]
    cells = pd.crosstab(frame["A"], frame["B"]).to_numpy()
    assume(np.sort(cells.ravel())[1 if empty else 0] >= 2)
    order = list(REDUCTIONS[model])
    full, rank = squares(frame, *order)
    fit = tm.ancova(f"y ~ {model}", frame)
    for kind, place in (("I", 0), ("II", 1)):
        table = fit.anova(kind).set_index("term")
        assert list(table.index) == order
        for term, others in REDUCTIONS[model].items():
            without, low = squares(frame, *others[place])
            with_it, high = squares(frame, *others[place], term)
            F = (without - with_it) / (high - low) / (full / (len(frame) - rank))
            assert table.loc[term, "num_df"] == high - low
            # differences of sums of squares lose cond(X)² ulps
            assert table.loc[term, "statistic"] == pytest.approx(F, rel=1e-8, abs=1e-9)


@PROPERTY
@given(st.integers(0, 2**20))
def test_sums_of_squares_of_type_one_add_up(seed):
    frame = unbalanced(seed)
    assume(pd.crosstab(frame["A"], frame["B"]).to_numpy().min() >= 1)
    fit = tm.ancova("y ~ A*B + x", frame)
    table = fit.anova("I")
    total = ((frame["y"] - frame["y"].mean()) ** 2).sum() - fit.residual_df * fit.sigma**2
    assert (table["num_df"] * table["statistic"]).sum() * fit.sigma**2 == pytest.approx(
        total, rel=1e-9
    )


@pytest.fixture(scope="module")
def fits(study_data, reference):
    """Fit and reference by name, each made once."""
    made = {}

    def of(name: str):
        if name not in made:
            file = json.loads((reference / "mmrm" / f"{name}.json").read_text(encoding="utf-8"))
            spec = file["spec"]
            frame = with_levels(pd.read_csv(study_data / spec["dataset"]), spec["factor_levels"])
            formula, options = model_of(name, spec)
            made[name] = tm.mmrm(formula, frame, **options), file["results_tight"]
        return made[name]

    return of


@pytest.mark.parametrize("name", WITH_TESTS)
def test_type_two_of_r_mmrm(fits, name):
    fit, tight = fits(name)
    expected, found = tight["anova_type2"], fit.anova("II")
    assert found["num_df"].tolist() == expected["num_df"]
    np.testing.assert_allclose(found["statistic"], expected["F"], rtol=1e-6)
    # Kenward-Roger's df do not depend on the rows. Satterthwaite's do where there are several:
    # mmrm's rows of type II are treatment contrasts, ours sum contrasts, as of type III
    same = found["num_df"] == 1
    if "kr" in name:
        same |= True
    np.testing.assert_allclose(found["den_df"][same], np.array(expected["den_df"])[same], rtol=1e-6)


@pytest.mark.parametrize("name", ["fev_us_reml_sat", "fev_toeph_reml_sat"])
def test_the_rows_of_r_mmrm_give_its_df(fits, name):
    # the same hypothesis by rows in treatment contrasts, each interaction coefficient zero
    fit, tight = fits(name)
    expected = tight["joint_interaction_test"]
    found = fit.joint_test(expected["coef_names"]).iloc[0]
    assert found["num_df"] == expected["num_df"]
    assert found["statistic"] == pytest.approx(expected["f_stat"], rel=1e-6)
    assert found["den_df"] == pytest.approx(expected["denom_df"], rel=1e-6)
    assert tight["anova_type2"]["den_df"][-1] == pytest.approx(expected["denom_df"], rel=1e-9)
    ours = fit.anova("II").iloc[-1]
    assert ours["statistic"] == pytest.approx(expected["f_stat"], rel=1e-6)
    assert ours["den_df"] != pytest.approx(expected["denom_df"], rel=1e-3)


@pytest.mark.parametrize("name", ["ar1_anova_1", "ar1_anova_2"])
@pytest.mark.parametrize("kind", ["II", "III"])
def test_types_two_and_three_of_proc_mixed(study_data, reference, name, kind):
    file = reference / "mmrm" / "sas_proc_mixed_fits.json"
    listings = json.loads(file.read_text(encoding="utf-8"))
    (listing,) = (found for found in listings if found["id"] == name)
    frame = pd.read_csv(study_data / "fev_data.csv")
    fit = tm.mmrm(f"{listing['spec']['formula']} + ar1(AVISIT | USUBJID)", frame)
    rows = listing["sas"]["type2" if kind == "II" else "type3"]
    found = fit.anova(kind).set_index("term")
    assert len(found) == len(rows)
    for row in rows:
        names = {":".join(row["Effect"].split("*")), ":".join(row["Effect"].split("*")[::-1])}
        (term,) = names & set(found.index)
        # SAS stops where −2l has settled, and its F moves by 1e-6 relative up to the optimum
        assert found.loc[term, "num_df"] == row["NumDF"]
        assert found.loc[term, "statistic"] == pytest.approx(row["FValue"], rel=1e-5)
        assert found.loc[term, "den_df"] == pytest.approx(row["DenDF"], rel=2e-6)


@pytest.mark.parametrize("kind", ["I", "II", "III"])
@pytest.mark.parametrize("empty", [False, True])
def test_the_coding_of_factors_moves_neither_f_nor_its_df(kind, empty):
    frame = random_trial(12, n_subjects=60, n_arms=3, missing=0.1).frame
    if empty:
        frame = frame[(frame["ARMCD"] != "B") | (frame["AVISIT"] != "V2")]
    one, two = (
        tm.mmrm(f"CHG ~ BASE + {model} + us(AVISIT | USUBJID)", frame).anova(kind)
        for model in ("ARMCD*AVISIT", "C(ARMCD, Sum)*C(AVISIT, Helmert)")
    )
    columns = ["num_df", "den_df", "statistic"]
    pd.testing.assert_frame_equal(one[columns], two[columns], rtol=1e-6)
    assert one.notna().all(axis=None)


@pytest.mark.parametrize("unit", [1e-6, 1e10])
@pytest.mark.parametrize("kind", ["I", "II"])
def test_nor_does_the_unit_of_a_covariate(kind, unit):
    frame = unbalanced(3)
    one = tm.ancova("y ~ A*x + A*B", frame).anova(kind)
    two = tm.ancova("y ~ A*x + A*B", frame.assign(x=frame["x"] * unit)).anova(kind)
    np.testing.assert_allclose(one["statistic"], two["statistic"], rtol=1e-7)


def test_types_agree_where_the_last_term_is_alone():
    fit = tm.ancova("y ~ A*B + x", unbalanced(4))
    last = [fit.anova(kind).iloc[-1]["statistic"] for kind in ("I", "II", "III")]
    np.testing.assert_allclose(last, last[0], rtol=1e-9)


def test_redundant_and_inestimable_rows_of_a_joint_test_are_counted():
    frame = random_trial(3, n_subjects=36, n_arms=3, missing=0.1).frame
    frame = frame[(frame.ARMCD != "B") | (frame.AVISIT != "V2")]
    fit = tm.mmrm("CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)", frame)
    rows = {
        "one": {"ARMCDC": 1},
        "two": {"BASE": 2},
        "both": {"ARMCDC": 1, "BASE": -1},
        "unknown": {"ARMCDB:AVISITV2": 1},
    }
    found = fit.joint_test(rows).iloc[0]
    assert found[["num_df", "rows", "redundant", "not_estimable"]].tolist() == [2, 4, 1, 1]
    alone = fit.joint_test(["ARMCDC", "BASE"]).iloc[0]
    assert found["statistic"] == pytest.approx(alone["statistic"], rel=1e-10)
    single = fit.joint_test({"ARMCDC": 1.0}).iloc[0]
    assert fit.joint_test("ARMCDC").iloc[0].equals(single)
    t = fit.contrast({"ARMCDC": 1.0}).iloc[0]
    assert single["statistic"] == pytest.approx(t["statistic"] ** 2, rel=1e-10)
    assert single["p_value"] == pytest.approx(t["p_value"], rel=1e-10)
