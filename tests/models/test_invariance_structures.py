"""Every structure, REML and ML, every df method: what must not change when data are rewritten."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import Trial, random_trial, rich_enough, trials

from trialmlm.covariance.register import FAMILIES, SPATIAL
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=15, derandomize=True)
#: searches end within (1e-6)² standard errors of one optimum, as the step that told so is taken;
#: the rounding of sums in another order, 1e-16, is magnified by the condition of X and of the
#: Hessian, up to 1e6 in these designs
SAME = 1e-8
ALWAYS = ("satterthwaite", "residual", "asymptotic")
#: weighted, by group, or over numbers in place of visits
TERMS = (
    *(f"{name}(AVISIT | USUBJID)" for name in FAMILIES if name != "fa"),  # fa has several optima
    "cs(AVISIT | ARMCD / USUBJID)",
    "ar1h(AVISIT | ARMCD / USUBJID)",
    *(f"{name}(AVISITN | USUBJID)" for name in SPATIAL),
)


@dataclass(frozen=True)
class Model:
    """A trial, a covariance term, and how it is fitted."""

    trial: Trial
    term: str
    reml: bool
    df: str
    information: str
    weighted: bool

    @property
    def formula(self) -> str:
        """With the term in place of the trial's own."""
        return f"CHG ~ {self.trial.fixed} + {self.term}"

    @property
    def frame(self) -> pd.DataFrame:
        """With a number for the visit, and weights."""
        weights = 0.5 + self.trial.frame["PULSE"].rank(pct=True)
        numbers = self.trial.frame["AVISIT"].str[1:].astype(int)
        return self.trial.frame.assign(AVISITN=numbers, W=weights)

    def fit(self, frame=None, formula=None):
        """Of the trial, or of the same data written otherwise."""
        return mmrm(
            formula or self.formula,
            self.frame if frame is None else frame,
            df=self.df,
            information=self.information,
            reml=self.reml,
            weights="W" if self.weighted else None,
        )


@st.composite
def models(draw: st.DrawFn) -> Model:
    trial = draw(trials(least=24, most=40))
    assume(rich_enough(trial))
    reml = draw(st.booleans())
    methods = (*ALWAYS, "kenward-roger", "kenward-roger-linear") if reml else ALWAYS
    model = Model(
        trial,
        draw(st.sampled_from(TERMS)),
        reml,
        draw(st.sampled_from(methods)),
        draw(st.sampled_from(["observed", "expected"])),
        draw(st.booleans()),
    )
    found = model.fit().convergence
    # near to singular the Hessian's condition costs more digits than are stated here
    assume(found.converged and found.condition > 1e-2)
    assume(np.isnan(found.curvature) or found.curvature > 1e-2)
    return model


def close(one: pd.DataFrame, two: pd.DataFrame, tolerance: float = SAME) -> None:
    """Column by column; small numbers of a column by its largest."""
    assert list(one.columns) == list(two.columns)
    for column in one.columns[[kind.kind == "f" for kind in one.dtypes]]:
        a, b = one[column].to_numpy(), two[column].to_numpy()
        finite = np.abs(a[np.isfinite(a)])
        size = finite.max() if finite.size else 1.0
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * size, err_msg=column)


def means(fit, *, sort: bool = False) -> pd.DataFrame:
    """LS means of the arms by visit, in an order that does not know the levels' own."""
    found = fit.ls_means("ARMCD", by="AVISIT").frame.astype({"ARMCD": str, "AVISIT": str})
    return found.sort_values(["AVISIT", "ARMCD"], ignore_index=True) if sort else found


@PROPERTY
@given(models(), st.integers(0, 2**20))
def test_the_order_of_the_rows_changes_not_one_bit(model, seed):
    one, two = model.fit(), model.fit(model.frame.sample(frac=1.0, random_state=seed))
    assert two.minus2_loglik == one.minus2_loglik
    pd.testing.assert_frame_equal(two.coefficients(), one.coefficients(), check_exact=True)
    pd.testing.assert_frame_equal(two.anova(), one.anova(), check_exact=True)
    pd.testing.assert_frame_equal(means(two), means(one), check_exact=True)


@PROPERTY
@given(models(), st.integers(0, 2**20))
def test_subjects_may_have_any_names(model, seed):
    names = model.frame["USUBJID"].unique()
    others = np.random.default_rng(seed).permutation(names.size)
    renamed = model.frame.assign(
        USUBJID=model.frame["USUBJID"].map(dict(zip(names, others, strict=True)))
    )
    one, two = model.fit(), model.fit(renamed)
    # subjects are summed in another order
    close(one.coefficients(), two.coefficients())
    close(one.anova(), two.anova())
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik, abs=1e-9)


@PROPERTY
@given(models())
def test_visits_may_have_any_names(model):
    if "AVISITN" in model.term:
        other = model.frame.assign(AVISITN=3.0 * model.frame["AVISITN"] + 11.0)
    else:
        other = model.frame.assign(AVISIT=model.frame["AVISIT"].map(lambda v: f"week {v[1]}"))
    one, two = model.fit(), model.fit(other)
    # their order is kept; of numbers the origin and the unit are not the structure's business
    close(one.coefficients(), two.coefficients().assign(term=one.coefficients()["term"]))
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik, abs=1e-9)


@PROPERTY
@given(models(), st.sampled_from([1e6, 1e-6]))
def test_the_unit_of_the_response_is_the_unit_of_the_answer(model, unit):
    one = model.fit()
    two = model.fit(model.frame.assign(CHG=unit * model.frame["CHG"]))
    table = one.coefficients()
    size = ["estimate", "std_error", "ci_low", "ci_high"]
    close(table.assign(**{name: unit * table[name] for name in size}), two.coefficients())
    close(one.anova(), two.anova())
    rows = one.n_obs - (len(table) if model.reml else 0)
    shift = 2.0 * rows * np.log(unit)
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik + shift, abs=1e-7)


@PROPERTY
@given(models())
def test_the_origin_of_the_response_is_the_intercept_s(model):
    assume("0 +" not in model.trial.fixed)
    one = model.fit()
    two = model.fit(model.frame.assign(CHG=1e6 + model.frame["CHG"]))
    first, second = one.coefficients(), two.coefficients()
    # y + 1e6 keeps ten digits of y: 1e-10 absolute in the response, 1e-8 in the covariance,
    # times the condition of the Hessian in the df
    intercept = (first["term"] == "(Intercept)") * 1e6
    apart = second["estimate"] - intercept - first["estimate"]
    assert (apart.abs() < 1e-6 * first["std_error"]).all()
    np.testing.assert_allclose(second["std_error"], first["std_error"], rtol=1e-6)
    np.testing.assert_allclose(second["df"], first["df"], rtol=1e-5)
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik, abs=1e-6)


@PROPERTY
@given(models(), st.sampled_from(["Sum", "Helmert"]))
def test_ls_means_and_tests_do_not_know_the_contrasts_of_a_factor(model, contrast):
    assume("0 +" not in model.trial.fixed)
    coded = model.trial.fixed.replace("ARMCD", f"C(ARMCD, {contrast})")
    one, two = model.fit(), model.fit(formula=f"CHG ~ {coded} + {model.term}")
    close(means(one), means(two))
    close(one.anova(), two.anova())


@PROPERTY
@given(models())
def test_ls_means_do_not_know_the_reference_level(model):
    arms = sorted(model.frame["ARMCD"].unique(), reverse=True)
    turned = model.frame.assign(ARMCD=pd.Categorical(model.frame["ARMCD"], arms))
    close(means(model.fit(), sort=True), means(model.fit(turned), sort=True))


PROGRAM = """
import numpy as np
from trials import random_trial
from trialmlm.models.mmrm import mmrm
from trialmlm.covariance.register import FAMILIES
frame = random_trial(77, n_subjects=150, n_visits=5, missing=0.15).frame
for name in FAMILIES:
    for reml, df in ((True, "kenward-roger"), (False, "satterthwaite")):
        fit = mmrm(f"CHG ~ BASE + ARMCD*AVISIT + {name}(AVISIT | USUBJID)", frame, reml=reml, df=df)
        table = fit.coefficients()
        values = [fit.minus2_loglik, *table["estimate"], *table["std_error"], *table["df"]]
        print(name, reml, *(float(v).hex() for v in values))
"""


def run_with(threads: int) -> list[list[str]]:
    """The program's numbers, in a process with so many BLAS threads."""
    support = Path(__file__).parents[1] / "support"
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    paths = [str(support), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    known.update(dict.fromkeys(names, str(threads)))
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=known
    )
    return [line.split() for line in made.stdout.splitlines()]


def test_the_number_of_threads_does_not_matter():
    one, again, two = run_with(1), run_with(1), run_with(2)
    assert one == again  # the same process setting: the same bytes
    assert len(one) == 2 * len(FAMILIES)
    for first, second in zip(one, two, strict=True):
        assert first[:2] == second[:2]
        a, b = ([float.fromhex(value) for value in line[2:]] for line in (first, second))
        # two threads may sum a product in another order
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_search_does_not_depend_on_what_was_fitted_before():
    trial = random_trial(78, n_subjects=40)
    model = Model(trial, TERMS[0], True, "kenward-roger", "observed", False)
    first = model.fit().coefficients()
    for term in TERMS:
        Model(trial, term, True, "kenward-roger", "observed", True).fit()
    pd.testing.assert_frame_equal(model.fit().coefficients(), first, check_exact=True)
