"""Strata, sites, populations of other data sets, time: what the protocol names, models get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.batch.carry_out import carry_out
from trialmlm.batch.check import described_data
from trialmlm.batch.inputs import Inputs
from trialmlm.batch.plan import Plan, make_plan
from trialmlm.batch.run import run
from trialmlm.batch.summaries import count_populations
from trialmlm.batch.task import Task, make_task
from trialmlm.errors import DataError, UsageError
from trialmlm.protocol.load import load_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., tuple[Plan, Inputs]]

#: site -> how many subjects of each arm
SITES = {"1": 9, "2": 6, "3": 2, "5": 2, "7": 1}
LOCF = "TRT01P + SEX + BASE\n    at"


def adsl_with_sites() -> pd.DataFrame:
    """The small trial's subjects in five sites, and in two strata that the data number."""
    adsl = subjects()
    site = [int(site) for site, number in SITES.items() for _ in range(3 * number)]
    return adsl.assign(SITEID=site, STRATAR1=[1 + i % 2 for i in range(len(adsl))])


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Plan and data of the small trial, with parts of its protocol replaced."""

    def build(
        changes: dict[str, str] | None = None,
        *,
        adsl: pd.DataFrame | None = None,
        adqs: pd.DataFrame | None = None,
        more: dict[str, pd.DataFrame] | None = None,
    ) -> tuple[Plan, Inputs]:
        text = PROTOCOL
        for old, new in (changes or {}).items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        people = adsl_with_sites() if adsl is None else adsl
        file = write_trial(tmp_path / "trial", protocol=text, adsl=people, adqs=adqs)
        for name, frame in (more or {}).items():
            frame.to_csv(file.parent / "data" / f"{name}.csv", index=False)
        protocol = load_protocol(file)
        return make_plan(protocol), Inputs(protocol, file.parent / "data")

    return build


def task(made: tuple[Plan, Inputs], name: str = "locf") -> Task:
    plan, inputs = made
    return make_task(next(p for p in plan.analyses if p.name == name), inputs)


def with_part(part: str, model: str = "TRT01P + SEX + BASE") -> dict[str, str]:
    return {"schedule:\n": f"{part}\nschedule:\n", LOCF: f"{model}\n    at"}


STRATA = {
    **with_part("strata: {REGION: {column: STRATAR1}}", "TRT01P + SEX + BASE + REGION"),
    "BASE * AVISIT + SEX + us": "BASE * AVISIT + SEX + STRATAR1 + us",
}
POOL = with_part(
    "sites: {column: SITEID, pool_below: 3, per: arm}", "TRT01P + SEX + BASE + SITEGR1"
)


def test_a_stratum_stands_under_its_name_and_is_a_factor_though_numbered(make: Make) -> None:
    made = make(STRATA)
    frame = task(made).frame
    assert set(frame["REGION"]) == {"1", "2"}
    assert frame["REGION"].equals(frame["STRATAR1"].rename("REGION"))
    tests = carry_out(task(made)).frame()
    terms = tests[(tests["quantity"] == "type-iii") & (tests["statistic"] == "num_df")]
    assert dict(zip(terms["group"], terms["value"], strict=True))["REGION"] == 1.0


def test_a_stratum_without_its_column_names_the_file_and_the_nearest_column(make: Make) -> None:
    changes = {old: new.replace("STRATAR1", "STRATR1") for old, new in STRATA.items()}
    with pytest.raises(
        DataError, match=r"adsl\.csv(.|\n)*strata\.REGION: no column 'STRATR1'"
    ) as e:
        task(make(changes))
    assert "did you mean 'STRATAR1'?" in str(e.value)


def test_a_stratum_that_would_hide_another_column_is_refused(make: Make) -> None:
    adsl = adsl_with_sites().assign(REGION="Europe")
    with pytest.raises(DataError, match="the data have a column REGION of their own that differs"):
        task(make(STRATA, adsl=adsl))


def test_a_stratum_is_read_from_the_subjects_though_the_records_have_the_column(
    make: Make,
) -> None:
    adqs = records(subjects()).assign(STRATAR1="9")
    assert set(task(make(STRATA, adqs=adqs)).frame["REGION"]) == {"1", "2"}


def test_a_model_gets_the_pooled_site_and_the_record_says_how_it_was_made(make: Make) -> None:
    made = make(POOL)
    pooling = made[1].pooling
    assert pooling is not None
    assert [site.name for site in pooling.pooled] == ["3", "5", "7"]
    result = carry_out(task(made))
    (record,) = result.analyses
    assert str(pooling) in record.notes
    frame = task(made).frame
    assert set(frame["SITEGR1"]) == {"1", "2", "POOLED"}
    assert (frame.loc[frame["SITEID"] == "5", "SITEGR1"] == "POOLED").all()
    assert str(pooling) not in task(made, "mmrm").records.notes


def test_the_pooling_is_listed_by_check(make: Make) -> None:
    plan, inputs = make(POOL)
    lines = list(described_data(plan, inputs.folder))
    assert any(line.startswith("sites: SITEGR1: 3 of 5 sites pooled") for line in lines)
    assert any(line.split() == ["3", "2", "2", "2", "6", "POOLED"] for line in lines)


def test_a_pooled_column_of_the_data_is_read_as_a_factor(make: Make) -> None:
    adsl = adsl_with_sites().assign(SITEGR1=[900 + i % 3 for i in range(60)])
    part = "sites: {column: SITEID, pooled_column: SITEGR1}"
    made = make(with_part(part, "TRT01P + SEX + BASE + SITEGR1"), adsl=adsl)
    assert set(task(made).frame["SITEGR1"]) == {"900", "901", "902"}
    assert made[1].pooling is None


def test_a_pooled_column_that_is_not_there_is_named(make: Make) -> None:
    part = "sites: {column: SITEID, pooled_column: SITEGR1}"
    with pytest.raises(DataError, match=r"sites\.pooled_column: no column 'SITEGR1'"):
        task(make(with_part(part)))


@pytest.mark.parametrize("written", ["adtte", "ADTTE.csv"])
def test_a_population_may_be_read_on_another_data_set(written: str, make: Make) -> None:
    old = "efficacy: {label: Efficacy, where: \"EFFFL == 'Y'\"}"
    new = f'efficacy: {{label: Efficacy, dataset: {written}, where: "CNSR == 0"}}'
    events = pd.DataFrame({"USUBJID": ["S-001", "S-001", "S-002"], "CNSR": [0, 0, 1]})
    plan, inputs = make({old: new}, more={"adtte": events})
    counted = count_populations(inputs, ("efficacy",)).frame()
    assert counted.loc[counted["arm"] == "", "value"].tolist() == [1.0]
    found = task((plan, inputs)).records
    assert set(found.frame["USUBJID"]) == {"S-001"}
    outside = {e.reason for e in found.exclusions}
    assert outside == {"not in the population: a row of adtte with CNSR == 0"}
    assert [dataset.name for dataset in inputs.datasets] == ["adqs", "adsl", "adtte"]


def test_a_population_may_be_read_on_the_records_whose_role_names_the_subject(make: Make) -> None:
    old = "efficacy: {label: Efficacy, where: \"EFFFL == 'Y'\"}"
    new = 'efficacy: {label: Efficacy, dataset: adqs, where: "AVAL >= 60"}'
    _, inputs = make({old: new})
    adqs = records(subjects())
    expected = adqs.loc[adqs["AVAL"] >= 60, "USUBJID"].nunique()
    counted = count_populations(inputs, ("efficacy",)).frame()
    assert counted.loc[counted["arm"] == "", "value"].tolist() == [expected]


def test_subjects_who_are_not_meant_count_nowhere(make: Make) -> None:
    adsl = adsl_with_sites()
    adsl.loc[adsl.index[:3], "TRT01P"] = "Screen Failure"
    meant = "{dataset: adsl, where: \"TRT01P != 'Screen Failure'\", subject: USUBJID"
    plan, inputs = make({**POOL, "{dataset: adsl, subject: USUBJID": meant}, adsl=adsl)
    assert inputs.subjects.rows == 57
    counted = count_populations(inputs, ("all",)).frame()
    assert counted.loc[counted["arm"] == "", "value"].tolist() == [57.0]
    lines = list(described_data(plan, inputs.folder))
    assert lines[0] == "subjects: adsl (adsl.csv): 60 read, 57 meant (TRT01P != 'Screen Failure')"
    assert any("of 57 subjects in an arm" in line for line in lines)


def test_each_role_holds_its_data_set_to_what_it_expects(make: Make) -> None:
    old = "efficacy: {label: Efficacy, where: \"EFFFL == 'Y'\"}"
    new = 'efficacy: {label: Efficacy, dataset: adqs, where: "AVAL >= 60"}'
    _, inputs = make({old: new, "    dataset: adqs\n": "    dataset: adqs\n    rows: 3\n"})
    with pytest.raises(DataError, match="the protocol expects 3"):
        count_populations(inputs, ("efficacy",))


def test_time_is_there_for_models_and_carried_records_take_their_target_day(make: Make) -> None:
    time = "  time: {name: YEARS, days_per_year: 365.25}\n  values: derived\n"
    frame = task(make({"  values: derived\n": time})).frame
    observed = frame["DTYPE"].isna()
    np.testing.assert_allclose(
        frame.loc[observed, "YEARS"], (frame.loc[observed, "ADY"] - 1) / 365.25
    )
    carried = frame[(frame["DTYPE"] == "LOCF") & (frame["AVISIT"].astype(str) == "Week 12")]
    assert len(carried)
    np.testing.assert_allclose(carried["YEARS"], 84 / 365.25)


def test_unscheduled_records_are_left_out_by_the_clause_of_their_role(make: Make) -> None:
    adqs = records(subjects())
    adqs["VISIT"] = np.where(adqs["AVISIT"] == "Week 8", "UNSCHEDULED", "PLANNED")
    rule = {"unscheduled: eligible": "unscheduled: excluded"}
    role = "    derivation: DTYPE\n"
    named = {role: f"{role}    unscheduled: \"VISIT == 'UNSCHEDULED'\"\n"}
    found = task(make({**rule, **named}, adqs=adqs), "mmrm")
    assert set(found.frame["AVISIT"].astype(str)) == {"Week 4", "Week 12"}


def test_unscheduled_excluded_without_a_clause_says_what_to_add(make: Make) -> None:
    with pytest.raises(UsageError, match=r"Add it to the records' role \(unscheduled:\)"):
        task(make({"unscheduled: eligible": "unscheduled: excluded"}), "mmrm")


def test_sites_pooled_here_give_the_pilot_the_numbers_of_its_own_pooled_sites(
    study_data: Path, tmp_path: Path
) -> None:
    pilot = Path(__file__).parents[2] / "protocols" / "cdisc_pilot_adas" / "protocol.yaml"
    text = pilot.read_text(encoding="utf-8")
    assert text.count("pooled_column: SITEGR1") == 1
    derived = tmp_path / "protocol.yaml"
    rule = text.replace("pooled_column: SITEGR1", "pool_below: 3, per: arm")
    derived.write_text(rule, encoding="utf-8")
    data = study_data / "cdisc_pilot"
    read = run(pilot, data, tmp_path / "read", only=["primary"]).results
    assert run(derived, data, tmp_path / "derived", only=["primary"]).results.to_csv() == (
        read.to_csv()
    )
