from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trialmlm.simulate import SimulatedTrial, simulate_trial
from trialmlm.simulate.ipf_fvc.labels import COLUMNS, DATASETS
from trialmlm.simulate.ipf_fvc.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.protocol import Protocol

#: columns the analysis plan lists (ipf_sap section 10), arms and actual time as we name them
PLANNED = {
    "adsl": "STUDYID USUBJID SITEID TRT01P TRT01PN TRT01A TRT01AN AGE SEX HEIGHT RACE SAFFL ITTFL "
    "RANDDT TRTSDT TRTEDT DTHDT DTHFL FVCBL FVCPBL DLCOBL SGRQBL DCSREAS EOSSTT",
    "adfvc": "PARAMCD AVAL BASE CHG PCHG AVISIT AVISITN ADT ADY YEARS ANL01FL ONTRTFL DTYPE",
    "adtte": "PARAMCD CNSR AVAL",
    "adqs": "PARAMCD AVAL BASE CHG AVISIT AVISITN ADT ADY",
}


def _named(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each data set and column that the protocol names."""
    roles = (protocol.data.subjects, *protocol.data.records.values(),
             *protocol.data.events.values())  # fmt: skip
    for role in roles:
        kept = role.model_dump(exclude={"dataset", "where", "rows", "sha256", "dates"})
        yield from ((role.dataset, column) for column in kept.values() if column is not None)
    yield from (("adsl", stratum.column) for stratum in protocol.strata.values())
    for output in protocol.outputs:
        yield from (("adsl", column) for column in output.columns)


def test_every_column_the_shipped_protocol_names_is_there(
    trial: SimulatedTrial, protocol: Protocol
) -> None:
    named = set(_named(protocol))
    assert len(named) > 25
    assert [(d, c) for d, c in named if c not in trial.datasets[d].columns] == []


@pytest.mark.parametrize("dataset", sorted(PLANNED))
def test_every_column_of_the_analysis_plan_is_there(trial: SimulatedTrial, dataset: str) -> None:
    assert set(PLANNED[dataset].split()) <= set(trial.datasets[dataset].columns)


def test_the_arms_of_the_data_are_those_of_the_shipped_protocol(
    trial: SimulatedTrial, protocol: Protocol
) -> None:
    assert set(trial.datasets["adsl"]["TRT01P"]) == {a.value for a in protocol.arms.values()}


def test_every_record_says_that_it_is_simulated(trial: SimulatedTrial) -> None:
    for frame in (*trial.datasets.values(), trial.latent):
        assert set(frame["ORIGIN"]) == {"SIMULATED"}
        assert set(frame["STUDYID"]) == {"TMLM-IPF-01"}


def test_every_data_set_and_column_has_a_label_that_a_transport_file_can_hold(
    trial: SimulatedTrial,
) -> None:
    for name, frame in trial.datasets.items():
        assert "simulated" in DATASETS[name]
        assert len(DATASETS[name]) <= 40
        assert [c for c in frame.columns if not 0 < len(COLUMNS[c]) <= 40] == []


def test_a_text_is_never_missing(trial: SimulatedTrial) -> None:
    for frame in trial.datasets.values():
        texts = frame.select_dtypes(exclude=["number", "datetime"])
        assert not texts.isna().to_numpy().any()


def test_no_spirometry_after_death_or_after_leaving(trial: SimulatedTrial) -> None:
    for name in ("adfvc", "adqs"):
        ends = trial.datasets["adsl"].set_index("USUBJID")[["DTHDT", "EOSDT"]].min(axis=1)
        frame = trial.datasets[name]
        assert (frame["ADT"] <= frame["USUBJID"].map(ends)).all()


def test_dates_come_in_order(trial: SimulatedTrial) -> None:
    adsl = trial.datasets["adsl"]
    assert (adsl["RANDDT"] <= adsl["TRTSDT"]).all()
    assert (adsl["TRTSDT"] <= adsl["TRTEDT"]).all()
    assert (adsl["TRTEDT"] <= adsl["EOSDT"]).all()
    died = adsl["DTHDT"].notna()
    assert (adsl["DTHDT"] >= adsl["EOSDT"])[died].all()
    in_study = adsl[adsl["DCSREAS"] == "DEATH"]
    assert (in_study["DTHDT"] == in_study["EOSDT"]).all()


def test_reasons_and_statuses_agree(trial: SimulatedTrial) -> None:
    adsl = trial.datasets["adsl"]
    assert ((adsl["DCSREAS"] == "") == (adsl["EOSSTT"] == "COMPLETED")).all()
    assert ((adsl["DCTREAS"] == "") == (adsl["EOTSTT"] == "COMPLETED")).all()
    assert ((adsl["DTHFL"] == "Y") == adsl["DTHDT"].notna()).all()
    left = adsl[adsl["EOSSTT"] == "DISCONTINUED"]
    assert (left["DCTREAS"] != "").all()


def test_study_days_follow_from_the_dates_and_know_no_day_0(trial: SimulatedTrial) -> None:
    adfvc = trial.datasets["adfvc"]
    first = adfvc["USUBJID"].map(trial.datasets["adsl"].set_index("USUBJID")["TRTSDT"])
    days = (adfvc["ADT"] - first).dt.days
    assert (adfvc["ADY"] == days + (days >= 0)).all()
    assert (adfvc["ADY"] != 0).all()
    assert np.allclose(adfvc["YEARS"], days / 365.25)
    assert adfvc.loc[adfvc["AVISIT"] == "Baseline", "ADY"].eq(1).all()


def test_changes_follow_from_value_and_baseline(trial: SimulatedTrial) -> None:
    adfvc = trial.datasets["adfvc"]
    after = adfvc[adfvc["ANL01FL"] == "Y"]
    assert np.allclose(after["CHG"], after["AVAL"] - after["BASE"])
    flagged = adfvc[adfvc["ABLFL"] == "Y"]
    assert not flagged.duplicated(["USUBJID", "PARAMCD"]).any()
    assert len(flagged) == 2 * len(trial.datasets["adsl"])
    assert (flagged["CHG"] == 0).all()
    assert adfvc.loc[adfvc["AVISIT"] == "Screening", "CHG"].isna().all()


def test_one_record_per_subject_parameter_and_visit(trial: SimulatedTrial) -> None:
    for name in ("adfvc", "adqs"):
        frame = trial.datasets[name]
        assert not frame.duplicated(["USUBJID", "PARAMCD", "AVISIT"]).any()


def test_fvc_is_whole_and_percentages_are_of_the_predicted_value(trial: SimulatedTrial) -> None:
    adfvc = trial.datasets["adfvc"]
    wide = adfvc.pivot_table(index=["USUBJID", "AVISITN"], columns="PARAMCD", values="AVAL")
    assert (wide["FVC"] % 1 == 0).all()
    predicted = trial.datasets["adsl"].set_index("USUBJID")["FVCPRED"]
    share = 100 * wide["FVC"] / predicted.reindex(wide.index.get_level_values(0)).to_numpy()
    assert (share - wide["FVCPP"]).abs().max() < 0.06


def test_times_to_events_agree_with_what_happened(trial: SimulatedTrial) -> None:
    adtte, adsl = trial.datasets["adtte"], trial.datasets["adsl"]
    assert ((adtte["ADT"] - adtte["STARTDT"]).dt.days + 1 == adtte["AVAL"]).all()
    assert adtte["AVAL"].between(1, 372).all()
    events = adtte[adtte["CNSR"] == 0].groupby("PARAMCD")["USUBJID"].agg(set)
    died = set(adsl.loc[adsl["DTHFL"] == "Y", "USUBJID"])
    assert events["DTH"] == died
    assert died <= events["FVC10D"]
    adae = trial.datasets["adae"]
    acute = adae[adae["AEDECOD"].str.startswith("Acute exacerbation")]
    assert events["AEIPF"] == set(acute["USUBJID"])


def test_a_large_decline_is_in_the_spirometry(trial: SimulatedTrial) -> None:
    adfvc, adtte = trial.datasets["adfvc"], trial.datasets["adtte"]
    percent = adfvc[(adfvc["PARAMCD"] == "FVCPP") & (adfvc["CHG"] <= -10)]
    first = percent.groupby("USUBJID")["ADT"].min()
    declined = adtte[adtte["EVNTDESC"].str.startswith("Absolute decline")].set_index("USUBJID")
    assert len(declined) > 50
    assert (first.reindex(declined.index) == declined["ADT"]).all()


def test_antifibrotics_started_on_study_are_those_of_subjects_without_one(
    trial: SimulatedTrial,
) -> None:
    adcm, adsl = trial.datasets["adcm"], trial.datasets["adsl"].set_index("USUBJID")
    background = adcm["USUBJID"].map(adsl["STRATAR2"])
    started = adcm["PREFL"] == ""
    assert set(background[started]) == {"No antifibrotic"}
    assert (background[~started] == adcm.loc[~started, "CMDECOD"]).all()
    assert (adcm.loc[started, "ASTDT"] > adcm["USUBJID"].map(adsl["TRTEDT"])[started]).all()
    assert (adcm.loc[~started, "ASTDY"] <= -84).all()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
@pytest.mark.parametrize("sizes", [(2, 2), (3, 40)])
def test_small_trials_of_every_scenario_can_be_made(name: str, sizes: tuple[int, int]) -> None:
    found = simulate_trial(name, 4, sizes).datasets
    counts = found["adsl"]["TRT01P"].value_counts()
    assert counts.to_dict() == {"Placebo": sizes[0], "Active 150 mg bid": sizes[1]}
    assert set(found["adfvc"]["USUBJID"]) == set(found["adsl"]["USUBJID"])
    assert isinstance(found["adae"], pd.DataFrame)
