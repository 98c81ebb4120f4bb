"""Bad input of an imputation: refused before any fit, naming subject, visit and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, VISITS, dropout_trial, dropouts

from trialmlm.errors import DataError, NotAvailableError, TrialmlmError, UsageError
from trialmlm.missing import impute as module
from trialmlm.missing.impute import impute

if TYPE_CHECKING:
    from trialmlm.missing.imputed import Imputed

TRIAL = dropout_trial()
JUMP = dropouts(TRIAL, "jump-to-reference")
TO_PLACEBO = {"DRUG": "PLACEBO"}


@pytest.fixture(autouse=True)
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is refused here is refused before the model is fitted."""

    def fitted(*_: object, **__: object) -> None:
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(module, "mmrm", fitted)


def imputed(data: Any = TRIAL, **given: Any) -> Imputed:
    asked = {"model": MODEL, "arm": "ARM", "reference": TO_PLACEBO, **given}
    return impute(data, **asked)


def events(*rows: tuple[str, Any, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["subject", "visit", "strategy"])


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([("S999", "Week 4", "mar")], DataError, "'S999' is no subject of the data"),
        ([("S001", "Week 9", "mar")], DataError, r"'Week 9' is no visit .* Week 2, Week 4, Week 8"),
        ([("S001", "Week 4", "jump")], UsageError, "'jump' is no strategy"),
        ([("S001", "Week 4", "J2R")], UsageError, r"no strategy \(J2R: jump-to-reference\)"),
        ([("S001", "Week 4", "MAR")], UsageError, r"\(MAR: mar\)"),
        (
            [("S001", "Week 4", "mar"), ("S001", "Week 4", "copy-reference")],
            DataError,
            "two strategies for the same subject and visit",
        ),
        (
            [("S001", "Week 2", "last-mean-carried-forward")],
            DataError,
            "subject S001 .* at Week 2, the first visit",
        ),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(
    rows: list[tuple[str, Any, str]], error: type[TrialmlmError], words: str
) -> None:
    with pytest.raises(error, match=words):
        imputed(events=events(*rows))


def test_an_event_after_the_last_visit_is_refused() -> None:
    numbered = TRIAL.assign(AVISIT=TRIAL["AVISIT"].map({"Week 2": 2, "Week 4": 4, "Week 8": 8}))
    numbered["AVISIT"] = numbered["AVISIT"].astype(int)
    with pytest.raises(DataError, match=r"12 is after the last visit, 8: .* leave it out"):
        imputed(numbered, events=events(("S001", 12, "mar")))


def test_numbers_for_subjects_that_are_text_are_told() -> None:
    numbered = TRIAL.assign(USUBJID=TRIAL["USUBJID"].str[1:].astype(int))
    with pytest.raises(DataError, match="of type str: the data's USUBJID are of type int"):
        imputed(numbered, events=events(("1", "Week 4", "mar")))


def test_events_without_the_strategy_are_refused() -> None:
    with pytest.raises(UsageError, match="events: no column strategy"):
        imputed(events=JUMP.drop(columns="strategy"))
    with pytest.raises(UsageError, match="expected a DataFrame"):
        imputed(events=[("S001", "Week 4", "mar")])
    with pytest.raises(DataError, match=r"(?s)strategy is missing.*S0\d\d"):
        imputed(events=JUMP.assign(strategy=None))


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"DRUG": "PLACEBOO"}, "'PLACEBOO' is no arm of the data; did you mean PLACEBO"),
        ({"DRUGS": "PLACEBO"}, "'DRUGS' is no arm"),
        (None, "arm DRUG has none, but jump-to-reference asks for one"),
        ({"PLACEBO": "PLACEBO"}, "arm DRUG has none"),
    ],
)
def test_a_reference_that_is_not_there_is_refused(reference: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        imputed(events=JUMP, reference=reference)


def test_a_visit_without_values_in_the_reference_arm_is_refused() -> None:
    thin = TRIAL[(TRIAL["ARM"] != "PLACEBO") | (TRIAL["AVISIT"] != "Week 8")]
    gone = JUMP[JUMP["USUBJID"].isin(TRIAL[TRIAL["ARM"] == "DRUG"]["USUBJID"])]
    with pytest.raises(DataError, match="reference arm PLACEBO at Week 8"):
        imputed(thin, events=gone)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "bayesian"}, "did you mean bayes"),
        ({"method": "bayes", "seed": 1}, "imputations: found None"),
        ({"method": "approximate-bayes", "imputations": 0, "seed": 1}, "imputations: found 0"),
        ({"method": "approximate-bayes", "imputations": 10}, "seed: found None"),
        ({"imputations": 10}, "conditional-mean draws nothing at random"),
        ({"seed": 1}, "conditional-mean draws nothing at random"),
        ({"failures": 2}, "expected a share"),
        ({"bounds": 3}, r"expected \(low, high\)"),
        ({"bounds": (0, "HIGH")}, "no column 'HIGH'"),
        ({"rounding": 0}, "the step of the scale"),
        ({"after_event": "drop"}, "keep, set-aside"),
        ({"retrieved": "visit"}, "common, arm, arm-visit, arm-time"),
        ({"model": "CHG ~ ARM * AVISIT"}, "names no residual covariance"),
        ({"model": "log(CHG) ~ ARM + us(AVISIT | USUBJID)"}, "expected a column"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        imputed(**given)


def test_a_low_limit_above_the_high_one_names_subject_and_visit() -> None:
    with pytest.raises(DataError, match=r"(?s)bounds.*USUBJID.*Week"):
        imputed(bounds=(10, 0))


def test_regressions_on_earlier_visits_are_of_unstructured_covariances_only() -> None:
    model = MODEL.replace("us(", "toeph(")
    with pytest.raises(NotAvailableError, match=r"monotone draws an unstructured .* toeph; write"):
        imputed(model=model, method="monotone", imputations=5, seed=1)


def test_a_gap_under_a_monotone_method_names_subject_and_visits() -> None:
    gap = r"subject S059 has no value at Week 4 and one at Week 8; use method='bayes'"
    with pytest.raises(DataError, match=gap):
        imputed(method="monotone", imputations=5, seed=1)


def test_a_covariate_without_a_value_names_subject_and_visit() -> None:
    varying = TRIAL.assign(DOSE=range(len(TRIAL)))
    with pytest.raises(DataError, match=r"(?s)covariate DOSE has no value.*S0\d\d.*Week 8"):
        imputed(varying, model=MODEL.replace("BASE", "DOSE"))


def test_a_group_of_the_covariance_needs_a_value_too() -> None:
    sex = np.where(TRIAL["USUBJID"] == "S003", None, np.where(TRIAL["BASE"] > 20, "F", "M"))
    with pytest.raises(DataError, match=r"(?s)covariate SEX has no value.*S003"):
        imputed(TRIAL.assign(SEX=sex), model=MODEL.replace("us(AVISIT |", "us(AVISIT | SEX /"))


def test_an_arm_that_changes_within_a_subject_is_refused() -> None:
    changed = TRIAL.copy()
    changed.loc[changed.index[1], "ARM"] = "PLACEBO" if changed["ARM"].iloc[1] == "DRUG" else "DRUG"
    with pytest.raises(DataError, match="ARM changes within a subject"):
        imputed(changed)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(UsageError, match="found list, expected a pandas DataFrame"):
        imputed([1])


def test_two_rows_of_a_subject_at_a_visit_are_refused() -> None:
    with pytest.raises(DataError, match="share subject and visit"):
        imputed(pd.concat([TRIAL, TRIAL.head(1)]))


def test_a_visit_or_an_arm_without_any_value_is_refused() -> None:
    late = TRIAL.assign(CHG=TRIAL["CHG"].where(TRIAL["AVISIT"] != "Week 8"))
    with pytest.raises(DataError, match=r"nothing was observed at Week 8 .*leave the visit out"):
        imputed(late)
    with pytest.raises(DataError, match="nothing was observed in arm DRUG"):
        imputed(TRIAL.assign(CHG=TRIAL["CHG"].where(TRIAL["ARM"] != "DRUG")))


def test_visits_as_text_need_an_order() -> None:
    text = TRIAL.assign(AVISIT=TRIAL["AVISIT"].astype(str))
    with pytest.raises(UsageError, match="have no order"):
        imputed(text)


def test_a_column_that_doubles_the_arm_is_refused() -> None:
    doubled = TRIAL.assign(TRTN=(TRIAL["ARM"] == "DRUG").astype(float))
    model = "CHG ~ BASE * AVISIT + ARM + TRTN:AVISIT + us(AVISIT | USUBJID)"
    with pytest.raises(UsageError, match="TRTN is constant within each arm"):
        imputed(doubled, model=model, events=JUMP)
    with pytest.raises(UsageError, match="ARM is no term of the model"):
        imputed(TRIAL, model="CHG ~ AVISIT + us(AVISIT | USUBJID)", events=JUMP)


def test_retrieved_dropouts_need_somebody_retrieved() -> None:
    gone = dropouts(TRIAL, "retrieved-dropout")
    with pytest.raises(
        DataError, match=r"no subject of arm DRUG or arm PLACEBO was observed after its event"
    ):
        imputed(events=gone)


def test_a_baseline_that_is_covariate_and_response_is_refused() -> None:
    first = TRIAL.drop_duplicates("USUBJID")
    rows = pd.concat(
        [
            TRIAL.assign(AVISIT=TRIAL["AVISIT"].astype(str), AVAL=TRIAL["BASE"] + TRIAL["CHG"]),
            first.assign(AVISIT="Baseline", AVAL=first["BASE"]),
        ]
    )
    visits = ("Baseline", *VISITS)
    model = "AVAL ~ BASE * AVISIT + ARM * AVISIT + us(AVISIT | USUBJID)"
    told = "covariate BASE is the response AVAL itself at Baseline.* all 60 subjects .*Leave BASE"
    with pytest.raises(UsageError, match=told):
        imputed(rows, model=model, visits=visits)
    with pytest.raises(AssertionError, match="a model was fitted"):
        imputed(rows, model=model.replace("BASE", "ARM"), visits=visits)
    with pytest.raises(AssertionError, match="a model was fitted"):
        imputed(rows[rows["AVISIT"] != "Baseline"], model=model, visits=VISITS)


def test_a_name_of_the_completed_data_cannot_be_a_column() -> None:
    with pytest.raises(UsageError, match="column strategy"):
        imputed(TRIAL.assign(strategy=1))


def test_the_messages_list_the_visits_in_order() -> None:
    with pytest.raises(DataError, match=r", ".join(VISITS)):
        imputed(events=events(("S001", "Week 1", "mar")))


def test_a_limit_that_is_text_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the column ARM is .*, expected numbers"):
        imputed(bounds=("ARM", None))


def test_an_event_at_no_visit_is_told_though_its_visits_are_categories() -> None:
    weeks = TRIAL.assign(AVISIT=2 * TRIAL["AVISIT"].cat.codes)
    late = events(("S001", 9, "mar")).astype({"visit": "category"})
    with pytest.raises(DataError, match="9 is after the last visit, 4"):
        imputed(weeks, events=late)


def test_a_level_of_the_covariance_that_nobody_observed_has_is_refused() -> None:
    new = TRIAL.head(1).assign(USUBJID="S900", CHG=np.nan, SEX="U")
    both = pd.concat([TRIAL.assign(SEX=np.where(TRIAL["BASE"] > 20, "F", "M")), new])
    with pytest.raises(DataError, match=r"nothing was observed where SEX is U .*leave those"):
        imputed(both, model=MODEL.replace("us(AVISIT |", "us(AVISIT | SEX /"))
