"""Bad input ends in one of the package's own errors, with what was found and what to do."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

from trialmlm.errors import ExpressionError, FitError, NotAvailableError, UsageError
from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

FRAME = random_trial(41).frame
US = "us(AVISIT | USUBJID)"
MAIN = f"CHG ~ BASE + ARMCD*AVISIT + {US}"


def changed(**columns) -> pd.DataFrame:
    return FRAME.assign(**columns)


def alternating(first, second) -> list[object]:
    return [first if k % 2 else second for k in range(len(FRAME))]


def apart() -> pd.DataFrame:
    """No subject has both the first and the last visit."""
    early = FRAME["USUBJID"] < "S5"
    return FRAME[~((FRAME["AVISIT"] == "V1") & early) & ~((FRAME["AVISIT"] == "V3") & ~early)]


@pytest.mark.parametrize(
    ("formula", "frame", "message"),
    [
        (
            MAIN,
            pd.concat([FRAME, FRAME.head(2)]),
            r"2 subject-visits have several rows \(S.*a model takes one row per subject and visit",
        ),
        (MAIN, FRAME[FRAME.ARMCD == "A"], "ARMCD has only the level 'A'"),
        (MAIN, FRAME.drop(columns="BASE"), "no column BASE"),
        (MAIN.replace("ARMCD", "ARMC"), FRAME, r"did you mean ARMCD\?"),
        (MAIN, changed(CHG="high"), "response CHG is text"),
        (MAIN, changed(CHG=FRAME.CHG > 5), "response CHG is text or a factor"),
        (f"SEX ~ SEX + BASE + {US}", FRAME, "response SEX is text"),
        (
            MAIN,
            changed(BASE=FRAME.BASE.where(FRAME.index != 3, np.inf)),
            "BASE is infinite in row 3",
        ),
        (MAIN, changed(CHG=np.nan), r"no complete row among \d+; missing values: CHG"),
        (MAIN, FRAME.head(0), "no complete row among 0"),
        (MAIN, apart(), "no subject has both visits V1 and V3"),
        (MAIN, changed(CHG=2.5), "no variation is left; check that the response is not constant"),
        (MAIN, changed(CHG=1.0 + 3.1 * FRAME.BASE), "reproduce the response exactly"),
        (
            MAIN,
            random_trial(1, 2, missing=0.0).frame,
            "6 observations cannot carry 6 fixed effects",
        ),
        (
            MAIN.replace("ARMCD*AVISIT", "ARMCD + AVISIT"),
            random_trial(2, 3, missing=0.0).frame,
            "9 rows of 3 subjects cannot carry 5 fixed effects and 6 covariance .* use fewer terms",
        ),
        (MAIN, changed(BASE=pd.Timestamp("2024-05-01")), "BASE is a date"),
        (MAIN, changed(BASE=datetime.date(2024, 5, 1)), "BASE is a date"),
        (MAIN, changed(ARMCD=alternating(1, "A")), "ARMCD mixes text, numbers"),
        (f"log(CHG) ~ AVISIT + {US}", changed(CHG=FRAME.CHG - 9), r"log\(CHG\) is not a finite"),
        (f"CHG ~ log(BASE - 60) + {US}", FRAME, r"log\(BASE - 60\) is not a finite"),
        (f"CHG ~ log(SEX) + {US}", FRAME, "asks for a number, but SEX is text"),
        (f"CHG ~ 0 + {US}", FRAME, "no fixed effect"),
        (f"CHG ~ poly(BASE, 200) + {US}", FRAME, "cannot be computed from these data"),
        (f"CHG ~ C(ARMCD, Treatment('PBO')) + {US}", FRAME, "'PBO' is not among the levels"),
    ],
)
def test_data_that_do_not_carry_the_model(formula, frame, message):
    with pytest.raises(FitError, match=message):
        mmrm(formula, frame)


@pytest.mark.parametrize(
    ("formula", "options", "error", "message"),
    [
        (
            MAIN,
            {"df": "kenward-roger", "reml": False},
            UsageError,
            "defined for REML; use df='satterthwaite' under ML",
        ),
        (MAIN, {"df": "kr"}, UsageError, "found 'kr', expected one of satterthwaite"),
        (MAIN, {"information": "fisher"}, UsageError, "expected 'observed' or 'expected'"),
        (MAIN, {"weights": "W"}, FitError, "no column W"),
        (MAIN, {"vcov": "CR4"}, UsageError, "found 'CR4', expected one of CR0, CR1, CR2, CR3"),
        (MAIN, {"vcov": "CR2", "df": "kenward-roger"}, UsageError, "has a covariance of its own"),
        (MAIN, {"vcov": "CR0", "df": "kenward-roger-linear"}, UsageError, "leave vcov out"),
        (MAIN, {"weights": FRAME.BASE}, UsageError, "found Series, expected the name of a column"),
        (MAIN, {"reml": "no"}, UsageError, "reml: found 'no', expected True or False"),
        (FRAME, {}, UsageError, "formula: found DataFrame, expected text"),
        ("CHG ~ BASE", {}, UsageError, "names no residual covariance"),
        (f"~ BASE + {US}", {}, UsageError, "no response"),
        ("CHG ~ BASE + sp_exp(AVISIT | USUBJID)", {}, FitError, "AVISIT is text or a factor"),
        (f"CHG ~ BASE + (1 | USUBJID) + {US}", {}, NotAvailableError, "random effects"),
        (f"CHG ~ __import__('os') + {US}", {}, ExpressionError, "__import__"),
        (f"CHG ~ BASE + {US} +", {}, ExpressionError, "ends"),
    ],
)
def test_requests_that_cannot_be_met(formula, options, error, message):
    with pytest.raises(error, match=message):
        mmrm(formula, FRAME, **options)


GROUPED = "CHG ~ BASE + AVISIT + us(AVISIT | ARMCD / USUBJID)"


@pytest.mark.parametrize(
    ("formula", "columns", "message"),
    [
        (MAIN, {"W": 0.0}, "weights: W is 0 in row 0 .and 71 more rows.; a weight is above zero"),
        (MAIN, {"W": -1.0}, "W is -1 in row 0"),
        (MAIN, {"W": np.inf}, "W is infinite in row 0"),
        (MAIN, {"W": "heavy"}, "W is text or a factor"),
        (
            GROUPED,
            {"ARMCD": alternating("A", "B")},
            "ARMCD groups the covariance but changes within subject S",
        ),
        (
            GROUPED,
            {"ARMCD": pd.Categorical(FRAME.ARMCD, ["A", "B", "C"])},
            "no row used at C: that covariance cannot be estimated",
        ),
        (
            GROUPED,
            {"CHG": FRAME.CHG.where((FRAME.ARMCD == "A") | (FRAME.AVISIT != "V2"))},
            "no subject with ARMCD B has the visit V2: its variance cannot be estimated",
        ),
    ],
)
def test_what_groups_and_weights_refuse(formula, columns, message):
    frame = changed(**{"W": 1.0, **columns})
    with pytest.raises(FitError, match=message):
        mmrm(formula, frame, weights="W")


@pytest.mark.parametrize(
    ("formula", "frame", "error", "message"),
    [
        ("CHG ~ BASE + " + US, FRAME, UsageError, "belongs in mmrm"),
        ("CHG ~ (1 | USUBJID)", FRAME, UsageError, "belongs in mmrm"),
        ("~ BASE", FRAME, UsageError, "no response"),
        ("SEX ~ BASE", FRAME, FitError, "response SEX is text"),
        ("CHG ~ USUBJID:AVISIT", FRAME, FitError, "no residual degrees of freedom"),
        ("CHG ~ BASE", changed(CHG=1.0), FitError, "no variation is left"),
        ("CHG ~ 0", FRAME, FitError, "no fixed effect"),
    ],
)
def test_what_an_analysis_of_covariance_refuses(formula, frame, error, message):
    with pytest.raises(error, match=message):
        ancova(formula, frame)


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"ARMCD": "Z"}, FitError, "not fitted on: 'Z'; it knows 'A', 'B'"),
        ({"BASE": "fifty"}, FitError, "BASE is text or a factor, where the model needs a number"),
        ({"BASE": np.nan}, UsageError, "BASE is missing or has missing values"),
        ({"BASE": np.inf}, FitError, "BASE is infinite in row 0"),
    ],
)
def test_new_rows_that_cannot_be_predicted(columns, error, message):
    fit = mmrm(MAIN, FRAME)
    with pytest.raises(error, match=message):
        fit.predict(FRAME.head(3).assign(**columns))


def test_a_missing_column_at_prediction_is_named():
    with pytest.raises(UsageError, match="AVISIT is missing"):
        mmrm(MAIN, FRAME).predict(FRAME.drop(columns="AVISIT"))


@pytest.mark.parametrize(
    ("rows", "structure", "message"),
    [
        (30, "us", "30 rows of 3 subjects cannot carry 465 covariance parameters"),
        (300, "ar1", r"DAY has 300 different values, too many for visits \(at most 250\).*sp_exp"),
    ],
)
def test_a_time_in_place_of_a_visit_is_refused_before_anything_of_its_size_is_made(
    rows, structure, message
):
    days = np.arange(float(rows))
    frame = pd.DataFrame({"CHG": days % 7, "DAY": days, "USUBJID": days.astype(int) % 3})
    with pytest.raises(FitError, match=message):
        mmrm(f"CHG ~ 1 + {structure}(DAY | USUBJID)", frame)


def test_slopes_have_no_counterfactual_weights():
    fit = mmrm(MAIN, FRAME)
    with pytest.raises(UsageError, match="weights: found 'counterfactual', expected one of equal"):
        fit.slopes("BASE", by="ARMCD", weights="counterfactual")


@pytest.mark.parametrize("data", [None, [1.0], {"CHG": [1.0]}])
def test_data_are_a_data_frame(data):
    for fit in (lambda: mmrm(MAIN, data), lambda: ancova("CHG ~ BASE", data)):
        with pytest.raises(UsageError, match=r"data: found .*, expected a pandas DataFrame"):
            fit()
    with pytest.raises(UsageError, match="expected a pandas DataFrame of new rows"):
        mmrm(MAIN, FRAME).predict(data)


@pytest.mark.parametrize("seed", [None, -1, "a", 1.5, True])
def test_a_seed_is_a_whole_number(seed):
    """None would draw anew at every call: the same input would not give the same numbers."""
    with pytest.raises(UsageError, match="expected a whole number"):
        mmrm(MAIN, FRAME).simulate(seed)


@pytest.mark.parametrize("name", ["df", "estimate", "p_value", "contrast", "n_obs", "kind"])
def test_a_column_that_a_result_has_too_hides_nothing(name):
    """The levels of the arm would stand under the numbers of the result, or these under them."""
    arms = FRAME.rename(columns={"ARMCD": name})
    means = mmrm(MAIN.replace("ARMCD", name), arms).ls_means("AVISIT", by=name)
    subjects = FRAME.rename(columns={"USUBJID": name})
    asked = {
        "df": lambda: means.frame,
        "estimate": lambda: means.contrasts().frame,
        "p_value": lambda: means.contrasts().joint(),
        "contrast": lambda: means.contrasts().frame,
        "n_obs": mmrm(MAIN.replace("USUBJID", name), subjects).influence,
        "kind": mmrm(f"CHG ~ BASE + cs(AVISIT | {name} / USUBJID)", arms).covariance_parameters,
    }
    with pytest.raises(UsageError, match=f"has a column {name} of its own; rename that of the"):
        asked[name]()
