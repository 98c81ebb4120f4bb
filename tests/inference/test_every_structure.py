"""Every structure, REML and ML, weights, groups, awkward designs: the dense oracle to 1e-8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from dense_structures import LINEAR, SPATIAL, STRUCTURES, DenseStructures, independent
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import r_matrix, random_trial, seen_together

from trialmlm.engine.fit import GaussianFit
from trialmlm.inference.contrasts import estimates, f_test
from trialmlm.models.mmrm import MmrmFit, mmrm

PROPERTY = settings(deadline=None, max_examples=40, derandomize=True)
#: of −2l, estimates, gradient, Hessian: the oracle's plain inverses of X'ΩX, of condition up to
#: 1e6 in raw columns, lose six of sixteen digits; its second differences keep twelve
TOLERANCE = 1e-8
#: least eigenvalue of the scaled Hessian: its inverse W loses three digits more at most
LEAST = 1e-3
#: of the visits, for the spatial structures
WEEKS = {"V1": 0.0, "V2": 1.0, "V3": 2.5, "V4": 6.0}
ALL = STRUCTURES | SPATIAL
INTERACTION = "BASE + SEX + ARMCD*AVISIT"
#: what is awkward about a design -> its fixed effects
DESIGNS = {
    "plain": INTERACTION,
    "a visit that nobody has": INTERACTION,
    "subjects with one visit": INTERACTION,
    "redundant columns": "BASE + TWIN + MALE + SEX + ARMCD*AVISIT",
    "an empty cell": INTERACTION,
    "a covariate that varies with time": "PULSE:AVISIT + ARMCD + AVISIT",
    "no baseline": "BASE*AVISIT + ARMCD*AVISIT",
}


def awkward(frame: pd.DataFrame, design: str, rng: np.random.Generator) -> pd.DataFrame:
    """The frame with what the design's name says."""
    frame = frame.assign(TWIN=2.0 * frame["BASE"] - 7.0, MALE=1.0 * (frame["SEX"] == "M"))
    frame["WEEK"] = frame["AVISIT"].map(WEEKS)
    subjects = np.sort(frame["USUBJID"].unique())
    some = rng.choice(subjects, len(subjects) // 4, replace=False)
    if design == "a visit that nobody has":
        return frame.assign(CHG=frame["CHG"].where(frame["AVISIT"] != "V2"))
    if design == "subjects with one visit":
        once = frame["USUBJID"].isin(some)
        first = ~frame.duplicated("USUBJID")
        return frame[~once | first].reset_index(drop=True)
    if design == "an empty cell":
        return frame[(frame["ARMCD"] != "B") | (frame["AVISIT"] != "V3")].reset_index(drop=True)
    if design == "no baseline":
        return frame.assign(BASE=frame["BASE"].mask(frame["USUBJID"].isin(some[:3])))
    return frame


@dataclass(frozen=True)
class Case:
    """Data, the model's options, and a seed for what the test draws itself."""

    frame: pd.DataFrame
    fixed: str
    structure: str
    grouped: bool
    weighted: bool
    reml: bool
    information: str
    seed: int

    @property
    def formula(self) -> str:
        subject = "ARMCD / USUBJID" if self.grouped else "USUBJID"
        visit = "WEEK" if self.structure in SPATIAL else "AVISIT"
        return f"CHG ~ {self.fixed} + {self.structure}({visit} | {subject})"

    def fit(self, df: str = "satterthwaite") -> MmrmFit:
        return mmrm(
            self.formula,
            self.frame,
            df=df,
            information=self.information,
            reml=self.reml,
            weights="W" if self.weighted else None,
        )

    @property
    def rows(self) -> pd.DataFrame:
        """The complete ones."""
        return self.frame.dropna().reset_index(drop=True)

    def dense(self, fit: MmrmFit, Sigma: np.ndarray) -> tuple[DenseStructures, list[int]]:
        """The oracle at Σ (G × T × T, raw units), and which coefficients it has."""
        rows = self.rows
        X = r_matrix(self.fixed, rows)
        X = X[list(fit.coding.names)].to_numpy()
        kept = independent(X)
        times = np.sort(rows["WEEK"].unique()) if self.structure in SPATIAL else None
        where = () if times is None else (times,)
        natural = ALL[self.structure].natural
        made = DenseStructures(
            X[:, kept],
            rows["CHG"].to_numpy(),
            pd.factorize(rows["USUBJID"], sort=True)[0],
            pd.factorize(rows["AVISIT"], sort=True)[0],
            self.structure,
            np.concatenate([natural(part, *where) for part in Sigma]),
            pd.factorize(rows["ARMCD"], sort=True)[0] if self.grouped else None,
            rows["W"].to_numpy() if self.weighted else None,
            self.reml,
            times,
        )
        return made, kept

    def units(self, fit: MmrmFit) -> np.ndarray:
        """What the engine's natural parameters are multiplied by in raw units."""
        T, k = fit.layout.n_visits, fit.family.n_parameters
        squared = k if self.structure in LINEAR else ALL[self.structure].n_variances(T)
        one = np.where(np.arange(k) < squared, fit.gaussian.likelihood.scale**2, 1.0)
        return np.tile(one, len(fit.families))


@st.composite
def cases(draw: st.DrawFn, *, reml: bool | None = None) -> Case:
    seed, design = draw(st.integers(0, 2**20)), draw(st.sampled_from(list(DESIGNS)))
    n, T = draw(st.integers(24, 34)), draw(st.integers(3, 4))
    trial = random_trial(seed, n, T, missing=draw(st.sampled_from([0.0, 0.15, 0.25])))
    frame = awkward(trial.frame, design, np.random.default_rng(seed))
    frame["W"] = np.random.default_rng(seed + 1).uniform(0.4, 2.5, len(frame))
    case = Case(
        frame,
        DESIGNS[design],
        draw(st.sampled_from(list(ALL))),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()) if reml is None else reml,
        draw(st.sampled_from(["observed", "expected"])),
        seed,
    )
    assume(seen_together(case.rows).min() >= 6)
    if case.grouped:
        # an arm that lacks a visit is refused: its covariance cannot be estimated
        assume(design != "an empty cell")
        assume(min(seen_together(own).min() for _, own in case.rows.groupby("ARMCD")) >= 5)
    return case


def close(actual, expected, tolerance: float = TOLERANCE) -> None:
    expected = np.asarray(expected)
    size = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * size)


def sigmas(fit: MmrmFit, point) -> np.ndarray:
    """Σ of every group in raw units."""
    return point.Sigma * fit.gaussian.likelihood.scale**2


def _inside(case: Case, point) -> bool:
    """Whether a spatial correlation is one: at zero its parameter is not told by Σ."""
    Sigma = point.Sigma
    return case.structure not in SPATIAL or bool((Sigma[:, 0, 1] > 1e-3 * Sigma[:, 0, 0]).all())


def moved(case: Case) -> tuple[MmrmFit, GaussianFit]:
    """The fit, and the engine's fit object at parameters that are not the optimum."""
    fit = case.fit()
    likelihood = fit.gaussian.likelihood
    theta = fit.gaussian.theta
    theta = theta + 0.2 * np.random.default_rng(case.seed).standard_normal(theta.size)
    try:
        point = likelihood.evaluate(theta)
    except np.linalg.LinAlgError:  # a Toeplitz matrix need not be positive definite
        assume(False)
    assume(likelihood.condition(point) > 1e-2 and _inside(case, point))
    return fit, GaussianFit(likelihood, theta, point, fit.convergence)


@PROPERTY
@given(cases())
def test_likelihood_and_derivatives_anywhere(case):
    fit, placed = moved(case)
    dense, kept = case.dense(fit, sigmas(fit, placed.point))
    assert placed.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    assert np.flatnonzero(~np.isnan(placed.beta)).tolist() == kept
    close(placed.beta[kept], dense.beta)
    found = placed.likelihood
    R = found.basis.R_inverse
    close(R @ placed.point.Phi @ R.T * found.scale**2, dense.Phi)
    units = case.units(fit)
    curve, P = found.natural(placed.theta, placed.point)
    close(curve.g, dense.gradient * units)
    close(curve.H, dense.hessian("observed") * np.outer(units, units))
    close(curve.J, dense.hessian("expected") * np.outer(units, units))
    half = np.linalg.inv(R) / found.scale
    close(half.T @ P @ half, dense.P * units[:, None, None])


def at_the_optimum(case: Case, df: str) -> tuple[MmrmFit, DenseStructures]:
    """A fit that ended well inside, and the oracle there."""
    fit = case.fit(df)
    ended = fit.convergence
    assume(ended.converged and ended.condition > 1e-2 and _inside(case, fit.gaussian.point))
    dense, kept = case.dense(fit, sigmas(fit, fit.gaussian.point))
    H = dense.hessian(case.information)
    unit = np.sqrt(np.abs(np.diag(H)))
    assume(np.linalg.eigvalsh(H / np.outer(unit, unit))[0] > LEAST)
    assert np.flatnonzero(fit.coefficients()["estimate"].notna()).tolist() == kept
    return fit, dense


def rows_of(fit: MmrmFit, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimable rows over all coefficients, and over those that the oracle has."""
    basis = fit.gaussian.likelihood.basis
    rows = np.random.default_rng(seed).normal(size=(count, basis.kept.size))
    return rows @ basis.spanning(), rows


@PROPERTY
@given(cases())
def test_satterthwaite_at_the_optimum(case):
    fit, dense = at_the_optimum(case, "satterthwaite")
    units = case.units(fit)
    W = fit.gaussian.information(case.information) * np.outer(units, units)
    close(W, dense.W(case.information), 1e-7)  # W: the inverse of a Hessian of condition 1e3
    table = fit.coefficients().dropna()
    close(table["estimate"], dense.beta)
    close(table["std_error"], np.sqrt(np.diag(dense.Phi)))
    one = [dense.df(row, case.information) for row in np.eye(len(table))]
    close(table["df"], one, 1e-7)
    rows, own = rows_of(fit, case.seed, 2)
    assume(min(dense.df(row, case.information) for row in own) > 3)
    F, df = dense.satterthwaite_test(own, case.information)
    test = f_test(fit.method, rows)
    assert test.statistic == pytest.approx(F, rel=1e-7)
    assert test.den_df == pytest.approx(df, rel=1e-6)


@PROPERTY
@given(cases(reml=True), st.booleans(), st.integers(2, 3))
def test_kenward_roger_and_its_linear_form_at_the_optimum(case, linear, count):
    fit, dense = at_the_optimum(case, "kenward-roger-linear" if linear else "kenward-roger")
    Phi_A = dense.adjusted(case.information, linear=linear)
    close(fit.vcov.to_numpy(), Phi_A, 1e-7)
    rows, own = rows_of(fit, case.seed, count)
    found = estimates(fit.method, rows)
    close(found.df, [dense.df(row, case.information) for row in own], 1e-7)
    close(found.std_error, np.sqrt(np.einsum("ij,jk,ik->i", own, Phi_A, own)), 1e-7)
    F, df, p = dense.kenward_roger_test(own, case.information, linear=linear)
    assume(df > 2)
    test = f_test(fit.method, rows)
    assert test.statistic == pytest.approx(F, rel=1e-7)
    assert test.den_df == pytest.approx(df, rel=1e-6)
    assert test.p_value == pytest.approx(p, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("structure", ALL)
@pytest.mark.parametrize("design", DESIGNS)
def test_every_structure_meets_every_awkward_design(structure, design):
    frame = awkward(random_trial(401, 34, 3, missing=0.1).frame, design, np.random.default_rng(2))
    frame["W"] = np.random.default_rng(3).uniform(0.4, 2.5, len(frame))
    case = Case(frame, DESIGNS[design], structure, False, False, True, "observed", 5)
    fit = case.fit("kenward-roger")
    assert fit.convergence.converged
    dense, kept = case.dense(fit, sigmas(fit, fit.gaussian.point))
    table = fit.coefficients()
    assert np.flatnonzero(table["estimate"].notna()).tolist() == kept
    assert fit.n_obs == len(case.rows)
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    table = table.dropna()
    close(table["std_error"], np.sqrt(np.diag(dense.adjusted())), 1e-7)
    close(table["df"], [dense.df(row) for row in np.eye(len(table))], 1e-7)
