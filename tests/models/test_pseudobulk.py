"""Means of subjects beside the naive and the mixed model, against published fits."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import FitError, UsageError
from trialmlm.models.pseudobulk import aggregate, pseudobulk


@pytest.fixture(scope="module")
def cells(study_data):
    return pd.read_csv(study_data / "sim_cells.csv")


def test_cells_of_donors(cells, reference):
    theirs = json.loads((reference / "lmm" / "pseudobulk_vs_lmm.json").read_text())
    found = pseudobulk(cells, "log_expr ~ arm", "donor")
    rows = found.frame[found.frame["term"] == "armdrug"].set_index("analysis")
    naive, means = theirs["cell_level_naive_ols"], theirs["pseudobulk_ttest_unweighted"]
    columns = ["estimate", "std_error", "p_value"]
    # least squares: rounding alone
    np.testing.assert_allclose(
        rows.loc["every row, naive", columns].astype(float),
        [naive["estimate"], naive["se"], naive["p"]],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        rows.loc["subject means", [*columns, "df"]].astype(float),
        [means["estimate"], means["se"], means["p"], means["df"]],
        rtol=1e-8,
    )
    fixed = theirs["cell_level_lmm"]["reml"]["fixef"]
    mixed = rows.loc["mixed model"]
    assert mixed["estimate"] == pytest.approx(fixed["estimate"][1], rel=1e-6)
    # pbkrtest takes the expected information, we the observed, as SAS: 3e-4 of the SE here
    assert mixed["std_error"] == pytest.approx(fixed["kr_se"][1], rel=1e-3)
    assert mixed["df"] == pytest.approx(fixed["kr_df"][1], rel=2e-2)
    assert mixed["p_value"] == pytest.approx(fixed["kr_p"][1], rel=1e-2)
    assert rows["n"].tolist() == [1325, 12, 1325]
    assert "1,325 rows of 12 subjects for independent" in found.notes[0]


def test_satterthwaite_s_is_lmertest_s(cells, reference):
    theirs = json.loads((reference / "lmm" / "pseudobulk_vs_lmm.json").read_text())
    fixed = theirs["cell_level_lmm"]["reml"]["fixef"]
    found = pseudobulk(cells, "log_expr ~ arm", "donor", df="satterthwaite").frame
    row = found[(found["term"] == "armdrug") & (found["analysis"] == "mixed model")].iloc[0]
    assert row["std_error"] == pytest.approx(fixed["se"][1], rel=1e-6)
    assert row["df"] == pytest.approx(fixed["satterthwaite_df"][1], rel=1e-5)


def test_equally_many_rows_per_subject_make_means_and_mixed_model_agree():
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(14), 6)
    data = pd.DataFrame({"id": who.astype(str), "arm": np.where(who % 2, "B", "A")})
    data["y"] = 2 * rng.normal(size=14)[who] + rng.normal(size=84)
    frame = pseudobulk(data, "y ~ arm", "id").frame.set_index(["term", "analysis"])
    means, mixed = (frame.loc[("armB", name)] for name in ("subject means", "mixed model"))
    for name in ("estimate", "std_error", "df", "p_value"):
        # the fit reaches its optimum to about 1e-9 standard errors
        assert mixed[name] == pytest.approx(means[name], rel=1e-6)


def test_subjects_are_one_row_with_their_mean_of_the_response_as_written(cells):
    table = aggregate(cells, "log(umi_total) ~ arm", "donor").set_index("donor")
    groups = np.log(cells["umi_total"]).groupby(cells["donor"])
    np.testing.assert_allclose(table["response_mean"], groups.mean()[table.index], rtol=1e-12)
    np.testing.assert_allclose(table["response_sd"], groups.std()[table.index], rtol=1e-9)
    assert table["n"].sum() == 1325
    assert table["arm"].value_counts().to_dict() == {"ctrl": 6, "drug": 6}


def test_a_mean_alone_has_its_note_too(cells):
    found = pseudobulk(cells, "log_expr ~ 1", "donor")
    assert "standard errors are up to" in found.notes[0]


def test_a_column_that_varies_within_subjects_is_refused(cells):
    with pytest.raises(FitError, match="umi_total varies within donor D01"):
        pseudobulk(cells, "log_expr ~ arm + umi_total", "donor")
    with pytest.raises(UsageError, match="names a covariance or random effects"):
        pseudobulk(cells, "log_expr ~ arm + (1 | donor)", "donor")
    one = aggregate(cells.groupby("donor").head(1), "log_expr ~ arm", "donor")
    assert one["response_sd"].isna().all()
