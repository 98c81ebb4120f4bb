from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.adam.arms import Arm
from trialmlm.adam.dataset import Dataset
from trialmlm.adam.read import find_dataset, read_dataset
from trialmlm.adam.roles import SubjectRoles
from trialmlm.adam.sites import POOLED, Pooling, PoolingRule, pool_sites
from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ARMS = (Arm("Active", "Active", 2), Arm("Placebo", "Placebo", 1))
ROLES = SubjectRoles("adsl", "USUBJID", "TRT01P", "SITEID")
PILOT_ARMS = (
    Arm("Placebo", "Placebo", 1),
    Arm("Xanomeline Low Dose", "Low", 2),
    Arm("Xanomeline High Dose", "High", 3),
)


def trial(counts: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """Subjects of sites, as many as said of placebo and of active."""
    rows = [
        (site, arm)
        for site, numbers in counts.items()
        for arm, number in zip(("Placebo", "Active"), numbers, strict=True)
        for _ in range(number)
    ]
    frame = pd.DataFrame(rows, columns=["SITEID", "TRT01P"])
    return frame.assign(USUBJID=[f"S{i}" for i in range(len(frame))])


def pool(frame: pd.DataFrame, below: int = 3, per: str = "arm") -> Pooling:
    return pool_sites(dataset(frame), ROLES, ARMS, "SITEID", PoolingRule(below, per))


def dataset(frame: pd.DataFrame) -> Dataset:
    return Dataset(
        "adsl", Path("adsl.csv"), frame.reset_index(drop=True), {}, "", {}, None, "0" * 64
    )


def names(pooling: Pooling) -> list[str]:
    return [site.name for site in pooling.pooled]


def test_sites_with_too_few_subjects_in_an_arm_are_pooled() -> None:
    made = pool(trial({"1": (5, 5), "2": (2, 9), "3": (4, 1), "4": (3, 3), "5": (1, 2)}))
    assert names(made) == ["2", "3", "5"]
    assert made.levels == 3
    assert [site.subjects for site in made.pooled] == [(2, 9), (4, 1), (1, 2)]


def test_per_site_counts_the_whole_site() -> None:
    counts = {"1": (5, 5), "2": (0, 4), "3": (1, 1), "4": (2, 0)}
    assert names(pool(trial(counts), per="site")) == ["3", "4"]
    assert names(pool(trial(counts), per="arm")) == ["2", "3", "4"]


def test_a_pool_that_is_too_small_takes_the_next_smallest_site() -> None:
    made = pool(trial({"1": (9, 9), "2": (1, 1), "3": (4, 4), "4": (3, 4)}))
    assert names(made) == ["2", "4"]


def test_of_two_equally_small_sites_the_first_by_name_is_taken() -> None:
    made = pool(trial({"b": (3, 4), "c": (9, 9), "a": (4, 3), "x": (1, 2)}))
    assert names(made) == ["a", "x"]


def test_the_pool_stops_where_no_site_is_left() -> None:
    made = pool(trial({"1": (1, 0), "2": (0, 1)}))
    assert names(made) == ["1", "2"]
    assert made.levels == 1


def test_nothing_is_pooled_where_no_site_is_small() -> None:
    made = pool(trial({"1": (3, 3), "2": (4, 5)}))
    assert names(made) == []
    assert made.levels == 2
    assert "0 of 2 sites pooled" in str(made)


def test_subjects_in_no_arm_of_the_protocol_are_not_counted() -> None:
    frame = trial({"1": (3, 3), "2": (3, 2)})
    failures = frame.iloc[[0] * 3].assign(SITEID=["2", "2", "9"], TRT01P="Screen Failure")
    made = pool(pd.concat([frame, failures]))
    assert [site.name for site in made.sites] == ["1", "2"]
    assert "of 11 subjects in an arm of the protocol" in str(made)
    assert made.column(pd.Series(["9", "2", "1"])).fillna("none").tolist() == [
        "none", POOLED, POOLED,
    ]  # fmt: skip


def test_the_pooled_site_of_a_record_is_the_pool_or_its_own_site() -> None:
    made = pool(trial({"1": (9, 9), "2": (2, 2), "3": (2, 2)}))
    assert made.column(pd.Series(["3", "1", "2", "1"])).tolist() == [POOLED, "1", POOLED, "1"]


def test_numbers_that_name_sites_are_sites() -> None:
    frame = trial({"1": (9, 9), "2": (2, 2), "3": (2, 2)})
    made = pool(frame.assign(SITEID=frame["SITEID"].astype(float)))
    assert [site.name for site in made.sites] == ["1", "2", "3"]
    assert made.column(pd.Series([1.0, 2.0])).tolist() == ["1", POOLED]


def test_the_pooling_is_listed_in_full() -> None:
    made = pool(trial({"1": (9, 8), "2": (2, 2), "3": (2, 7)}))
    assert made.frame().to_numpy().tolist() == [
        ["1", 9, 8, 17, "1"], ["2", 2, 2, 4, POOLED], ["3", 2, 7, 9, POOLED]
    ]  # fmt: skip
    assert made.frame().columns.tolist() == ["site", "Placebo", "Active", "all", "SITEGR1"]
    assert str(made) == (
        "SITEGR1: 2 of 3 sites pooled as POOLED (fewer than 3 subjects in any arm, of 30 subjects "
        "in an arm of the protocol), 2 levels. Pooled: 2, 3"
    )


def test_a_column_that_groups_alike_under_other_names_agrees() -> None:
    frame = trial({"1": (9, 9), "2": (2, 2), "3": (2, 2)})
    alike = frame.assign(SITEGR1=frame["SITEID"].map({"1": "1", "2": "900", "3": "900"}))
    assert pool(alike).agreement == (
        "The data's own SITEGR1 groups the sites alike (POOLED is called 900 there)"
    )
    other = frame.assign(SITEGR1=frame["SITEID"])
    assert pool(other).agreement.endswith("groups the sites otherwise; it is not used")


def test_a_subject_without_a_site_is_listed() -> None:
    frame = trial({"1": (3, 3), "": (0, 1)})
    with pytest.raises(DataError, match=r"SITEID is blank, expected a site(.|\n)*S6"):
        pool(frame)


def test_a_site_that_is_called_as_the_pool_is_refused() -> None:
    with pytest.raises(DataError, match="SITEID is POOLED, the name of the pool"):
        pool(trial({POOLED: (3, 3)}))


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    frame = trial({"1": (3, 3)}).rename(columns={"SITEID": "SITEIDN"})
    with pytest.raises(DataError, match=r"no column 'SITEID'; did you mean 'SITEIDN'\?"):
        pool(frame)


def test_what_is_counted_is_an_arm_or_the_site() -> None:
    with pytest.raises(UsageError, match="per: found 'country', expected one of arm, site"):
        PoolingRule(3, "country")


COUNTS = st.dictionaries(
    st.sampled_from([f"{i:02d}" for i in range(12)]),
    st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(any),
    min_size=1,
)


@given(counts=COUNTS, below=st.integers(1, 8), per=st.sampled_from(["arm", "site"]))
def test_no_level_is_too_small_unless_every_site_is_pooled(
    counts: dict[str, tuple[int, int]], below: int, per: str
) -> None:
    made = pool(trial(counts), below, per)
    rule = made.rule
    assert not any(rule.small(site.subjects) for site in made.sites if not site.pooled)
    together = [sum(arm) for arm in zip(*(site.subjects for site in made.pooled), strict=True)]
    if len(made.pooled) < len(made.sites) and made.pooled:
        assert not rule.small(together)


@given(counts=COUNTS, below=st.integers(1, 8), seed=st.integers(0, 99))
def test_the_order_of_the_subjects_does_not_matter(
    counts: dict[str, tuple[int, int]], below: int, seed: int
) -> None:
    frame = trial(counts)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert pool(shuffled, below) == pool(frame, below)


def pilot(study_data: Path, population: str | None = None) -> tuple[pd.DataFrame, Pooling]:
    adsl = read_dataset(find_dataset(study_data / "cdisc_pilot", "adsl"))
    kept = adsl if population is None else adsl.keep((adsl.frame[population] == "Y").to_numpy())
    made = pool_sites(kept, ROLES, PILOT_ARMS, "SITEID", PoolingRule(3, "arm"))
    return kept.frame, made


def test_the_pooled_sites_of_the_cdisc_pilot_come_out_but_for_the_name_of_the_pool(
    study_data: Path,
) -> None:
    adsl, made = pilot(study_data)
    assert names(made) == ["702", "706", "707", "711", "714", "715", "717"]
    assert made.levels == adsl["SITEGR1"].nunique() == 11
    ours = made.column(adsl["SITEID"])
    assert (ours.replace(POOLED, "900") == adsl["SITEGR1"]).all()
    assert made.agreement.endswith("groups the sites alike (POOLED is called 900 there)")


def test_counted_over_the_efficacy_population_the_pilot_would_pool_one_site_more(
    study_data: Path,
) -> None:
    # which is why all randomised subjects are counted: site 713 has 3, 3, 3 of them
    _, made = pilot(study_data, "EFFFL")
    assert "713" in names(made)
    assert "otherwise" in made.agreement
