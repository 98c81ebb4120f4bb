"""Fits saved and loaded: the same answers, the same bytes, and nothing accepted that is not one.

``saved/format_1.fit`` was written by version 0.1.0 and is never written again: later versions must
load it. It is ``random_trial(91, n_subjects=24)`` under `FORMULA` with Kenward-Roger.
"""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.covariance.parameters import PARAMETERS
from trialmlm.errors import FitError, UsageError

OLD = Path(__file__).parent / "saved" / "format_1.fit"
FORMULA = "CHG ~ poly(BASE, 2) + C(SEX, Sum) + ARMCD * AVISIT + us(AVISIT | USUBJID)"
TRIAL = random_trial(91, n_subjects=24)
OLD_EFFECT, OLD_DEVIANCE = 1.483944924087084, 202.25318447321393


def same(one, two):
    """Everything that a fit answers, to the last bit."""
    assert two.summary() == one.summary()
    assert two.minus2_loglik == one.minus2_loglik
    for ask in (
        lambda fit: fit.coefficients(),
        lambda fit: fit.anova(),
        lambda fit: fit.covariance,
        lambda fit: fit.covariance_parameters(),
        lambda fit: fit.ls_means("ARMCD", by="AVISIT").contrasts().frame,
        lambda fit: fit.predict(TRIAL.frame, interval="prediction", conditional=True),
    ):
        pd.testing.assert_frame_equal(ask(two), ask(one), check_exact=True)
    pd.testing.assert_series_equal(
        two.residuals("normalized"), one.residuals("normalized"), check_exact=True
    )
    averages = [
        fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual", over="randomised")
        for fit in (one, two)
    ]
    pd.testing.assert_frame_equal(averages[1].frame, averages[0].frame, check_exact=True)
    assert two.convergence.iterations == one.convergence.iterations
    assert two.options == one.options


@pytest.mark.parametrize("structure", PARAMETERS)
def test_a_loaded_fit_is_the_fit(structure, tmp_path):
    formula = FORMULA.replace("us(", f"{structure}(")
    fit = tm.mmrm(formula, TRIAL.frame, df="kenward-roger", information="expected")
    fit.save(tmp_path / "a.fit")
    same(fit, tm.load_fit(tmp_path / "a.fit"))


@pytest.mark.parametrize("options", [{"reml": False}, {"df": "residual"}, {"df": "asymptotic"}])
def test_with_its_options(options, tmp_path):
    fit = tm.mmrm(FORMULA, TRIAL.frame, **options)
    fit.save(tmp_path / "a.fit")
    same(fit, tm.load_fit(str(tmp_path / "a.fit")))


@pytest.mark.parametrize(
    ("covariance", "options"),
    [
        ("us(AVISIT | ARMCD / USUBJID)", {"weights": "W"}),
        ("us(AVISIT | USUBJID)", {"vcov": "CR2"}),
        ("us(AVISIT | USUBJID)", {"vcov": "CR0", "df": "between-within"}),
        ("toeph(AVISIT | USUBJID, bands=2)", {}),
        ("fa(AVISIT | USUBJID)", {}),
        ("sp_exp(DAY | USUBJID)", {}),
        ("sp_exp(OWN | SEX / USUBJID)", {}),
    ],
)
def test_with_groups_weights_sandwiches_and_own_times(covariance, options, tmp_path):
    rng = np.random.default_rng(5)
    frame = random_trial(92, n_subjects=60).frame
    frame["DAY"] = frame["AVISIT"].map({"V1": 1.0, "V2": 3.0, "V3": 7.0})
    frame["OWN"] = frame["DAY"] + rng.uniform(-0.4, 0.4, len(frame))
    frame["W"] = rng.uniform(0.5, 2.0, len(frame))
    fit = tm.mmrm(f"CHG ~ BASE + ARMCD * AVISIT + {covariance}", frame, **options)
    fit.save(tmp_path / "a.fit")
    again = tm.load_fit(tmp_path / "a.fit")
    assert again.summary() == fit.summary()
    pd.testing.assert_frame_equal(again.anova(), fit.anova(), check_exact=True)
    pd.testing.assert_series_equal(
        again.residuals("normalized"), fit.residuals("normalized"), check_exact=True
    )


def test_levels_labels_gaps_and_aliased_columns_come_back(tmp_path):
    frame = TRIAL.frame.assign(
        DOSE=TRIAL.frame["ARMCD"].map({"A": 0.1, "B": 0.3}),
        SMOKES=TRIAL.frame["USUBJID"].str[-1] > "4",
        ARMCD=pd.Categorical(TRIAL.frame["ARMCD"], ["B", "A"]),
        USUBJID=pd.factorize(TRIAL.frame["USUBJID"])[0] + 1000,
        CHG=TRIAL.frame["CHG"].where(TRIAL.frame.index != 7),
    ).set_index(pd.Index([f"row {k}" for k in range(len(TRIAL.frame))], name="where"))
    formula = "CHG ~ DOSE + SMOKES + ARMCD * AVISIT + C(SEX) + us(AVISIT | USUBJID)"
    fit = tm.mmrm(formula, frame)
    fit.save(tmp_path / "a.fit")
    again = tm.load_fit(tmp_path / "a.fit")
    assert fit.coefficients()["estimate"].isna().sum() == 1
    pd.testing.assert_frame_equal(again.coefficients(), fit.coefficients(), check_exact=True)
    assert again.residuals().index.equals(fit.residuals().index)
    assert again.notes == fit.notes
    new = frame.head(3).assign(SMOKES=True)
    pd.testing.assert_frame_equal(again.predict(new), fit.predict(new), check_exact=True)


def test_the_same_fit_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        tm.mmrm(FORMULA, TRIAL.frame).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    tm.load_fit(tmp_path / "a").save(tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_file_of_an_older_version_is_loaded():
    fit = tm.load_fit(OLD)
    assert json.loads(ZipFile(OLD).read("fit.json"))["package_version"] == "0.1.0"
    fresh = tm.mmrm(FORMULA, TRIAL.frame, df="kenward-roger")
    # the file's θ is an optimum to 1e-12 standard errors; BLAS may round otherwise
    np.testing.assert_allclose(
        fit.coefficients().drop(columns="term"), fresh.coefficients().drop(columns="term"), 1e-6
    )
    table = fit.coefficients().set_index("term")
    assert table.loc["ARMCDB:AVISITV3", "estimate"] == pytest.approx(OLD_EFFECT, rel=1e-9)
    assert fit.minus2_loglik == pytest.approx(OLD_DEVIANCE, rel=1e-11)


def rewritten(path, change, compression=ZIP_STORED):
    """The old file with `change` made to its entries."""
    with ZipFile(OLD) as given:
        entries = {name: given.read(name) for name in given.namelist()}
    change(entries)
    with ZipFile(path, "w", compression) as written:
        for name, content in entries.items():
            written.writestr(name, content)
    return path


def head_changed(**values):
    def change(entries):
        head = json.loads(entries["fit.json"])
        for dotted, value in values.items():
            *path, last = dotted.split("__")
            at = head
            for name in path:
                at = at[name]
            at[last] = value
        entries["fit.json"] = json.dumps(head).encode()

    return change


def array_bytes(values):
    written = io.BytesIO()
    np.save(written, values, allow_pickle=values.dtype.hasobject)
    return written.getvalue()


def array_changed(name, make):
    def change(entries):
        values = np.load(io.BytesIO(entries[name]), allow_pickle=False)
        entries[name] = array_bytes(make(values))

    return change


class Executed(Exception):  # noqa: N818
    """Raised by the pickle below if anyone loads it."""


class Trap:
    def __reduce__(self):
        return (_spring, ())


def _spring():
    raise Executed


def pickled(entries):
    entries["column_1.npy"] = array_bytes(np.array([Trap()], dtype=object))


def pickled_head(entries):
    entries["fit.json"] = pickle.dumps(Trap())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entries: entries.pop("fit.json"), "damaged"),
        (lambda entries: entries.pop("theta.npy"), "damaged"),
        (lambda entries: entries.update({"fit.json": b"{"}), "damaged"),
        (lambda entries: entries.update({"theta.npy": b"nothing"}), "damaged"),
        (pickled, "damaged .*allow_pickle"),
        (pickled_head, "damaged"),
        (head_changed(format="another"), "names another format"),
        (head_changed(format_version=2, package_version="9.9"), "version 9.9.* use the later"),
        (head_changed(format_version="1"), "its format version is '1'"),
        (head_changed(formula="CHG ~ __import__('os')"), "damaged"),
        (head_changed(formula="CHG ~ NONE + us(AVISIT | USUBJID)"), "damaged"),
        (head_changed(options__df="guess"), "expected one of"),
        (head_changed(options__surprise=1), "damaged"),
        (head_changed(convergence__reason="LUCK"), "damaged"),
        (head_changed(check={}), "damaged .*minus2_loglik|damaged .*coefficients"),
        (head_changed(check__minus2_loglik="low"), "damaged"),
        (array_changed("theta.npy", lambda v: v[:-1]), "5 covariance parameters, expected 6"),
        (array_changed("column_1.npy", lambda v: v[:-1]), "columns of .* rows"),
        (array_changed("column_0.npy", lambda v: v + 9), "a code without a level"),
        (array_changed("column_0.npy", lambda v: np.full_like(v, -1)), "no complete row"),
        (array_changed("column_3.npy", lambda v: v * np.where(v == v.max(), np.nan, 1)), "labels"),
        (array_changed("theta.npy", lambda v: v * np.nan), "damaged|NaN|nan"),
    ],
)
def test_what_is_no_saved_fit_is_refused(change, said, tmp_path):
    with pytest.raises((UsageError, FitError), match=said):
        tm.load_fit(rewritten(tmp_path / "bad.fit", change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (array_changed("theta.npy", lambda v: v + 1e-4), "log-likelihood is .* in the file"),
        (array_changed("column_3.npy", lambda v: v * 1.001), "log-likelihood is"),
        (head_changed(check__minus2_loglik=100.0), "100.0 in the file; the file was changed"),
        (head_changed(check__coefficients={"(Intercept)": 1.0}), "damaged|coefficients"),
    ],
)
def test_a_fit_that_is_not_the_one_that_was_saved_is_refused(change, said, tmp_path):
    with pytest.raises((UsageError, FitError), match=said):
        tm.load_fit(rewritten(tmp_path / "bad.fit", change))


def test_damage_of_any_byte_is_noticed(tmp_path):
    content = OLD.read_bytes()
    for at in range(100, len(content), 997):
        (tmp_path / "bad.fit").write_bytes(
            content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        )
        try:
            fit = tm.load_fit(tmp_path / "bad.fit")
        except (UsageError, FitError):
            continue
        # a bit of the container that bears no content
        same(tm.load_fit(OLD), fit)


def test_files_that_are_not_there_or_no_zip_or_compressed(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        tm.load_fit(tmp_path / "none.fit")
    (tmp_path / "text.fit").write_text("a fit")
    with pytest.raises(UsageError, match="is not a saved fit"):
        tm.load_fit(tmp_path / "text.fit")
    with pytest.raises(UsageError, match="compressed"):
        tm.load_fit(rewritten(tmp_path / "small.fit", lambda entries: None, ZIP_DEFLATED))


def test_what_a_file_cannot_keep_is_refused(tmp_path):
    index = pd.date_range("2026-01-01", periods=len(TRIAL.frame))
    fit = tm.mmrm(FORMULA, TRIAL.frame.set_index(index))
    with pytest.raises(UsageError, match="reset_index before the fit"):
        fit.save(tmp_path / "a.fit")
    assert not (tmp_path / "a.fit").exists()
    with pytest.raises(UsageError, match="cannot be written"):
        tm.mmrm(FORMULA, TRIAL.frame).save(tmp_path / "no" / "a.fit")
