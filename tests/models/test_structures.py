"""What covariance structures are to one another."""

from __future__ import annotations

import numpy as np
import pytest
from trials import random_trial

import trialmlm as tm


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
