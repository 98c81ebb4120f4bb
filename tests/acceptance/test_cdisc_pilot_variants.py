"""CDISC Pilot 01 by other roads: the same cells by rule, from CSV, and under other column names."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import published
import pytest

from trialmlm.cli import main

pyreadstat = pytest.importorskip("pyreadstat")

PROTOCOL = Path(__file__).parents[2] / "protocols" / "cdisc_pilot_adas" / "protocol.yaml"
TABLES = ("t_14_1_01.rtf", "t_14_3_01.rtf", "t_14_3_10.rtf", "t_14_3_11.rtf")
SAS_EPOCH = date(1960, 1, 1)

#: by rule and not by the data's flags: windows choose the record, the last value is carried forward
BY_RULE = {
    "    where: \"ANL01FL == 'Y' or ABLFL == 'Y'\"\n": "",
    "record: flag, flag: ABLFL": "record: last-on-or-before-day-1",
    "values: read": "values: derived",
    "method: locf-records": "method: locf",
    "records: [observed, locf-records]": "records: [observed, locf]",
}
#: what another sponsor calls the columns
OTHER_NAMES = {
    "USUBJID": "SUBJ",
    "TRT01P": "ARM",
    "TRTSDT": "FIRSTDT",
    "AVAL": "RESULT",
    "BASE": "BL",
    "CHG": "DELTA",
    "AVISIT": "VIS",
    "AVISITN": "VISNO",
    "ADT": "ASSDT",
    "PARAMCD": "TESTCD",
    "DTYPE": "DERIV",
    "ABLFL": "BLFLAG",
    "ANL01FL": "USEFL",
    "SITEGR1": "POOLSITE",
}
#: where the protocol says so: roles, formulas and clauses name columns, the analysis set's own
#: names (CHG, BASE, AVISIT) stay
RENAMED = {
    "subject: USUBJID, arm: TRT01P, site: SITEID, first_dose: TRTSDT": (
        "subject: SUBJ, arm: ARM, site: SITEID, first_dose: FIRSTDT"
    ),
    "parameter: PARAMCD": "parameter: TESTCD",
    "value: AVAL": "value: RESULT",
    "date: ADT": "date: ASSDT",
    "visit: AVISIT\n": "visit: VIS\n",
    "visit_number: AVISITN": "visit_number: VISNO",
    "base: BASE": "base: BL",
    "change: CHG": "change: DELTA",
    "derivation: DTYPE": "derivation: DERIV",
    "ANL01FL == 'Y' or ABLFL == 'Y'": "USEFL == 'Y' or BLFLAG == 'Y'",
    "pooled_column: SITEGR1": "pooled_column: POOLSITE",
    "flag: ABLFL": "flag: BLFLAG",
    "CHG ~ TRT01P + SITEGR1 + BASE": "CHG ~ ARM + POOLSITE + BASE",
    "CHG ~ DOSE + SITEGR1 + BASE": "CHG ~ DOSE + POOLSITE + BASE",
    "CHG ~ TRT01P * AVISIT + SITEGR1 + BASE * AVISIT + us(AVISIT | USUBJID)": (
        "CHG ~ ARM * AVISIT + POOLSITE + BASE * AVISIT + us(AVISIT | SUBJ)"
    ),
}


def _substituted(substitutions: dict[str, str]) -> str:
    text = PROTOCOL.read_text(encoding="utf-8")
    for old, new in substitutions.items():
        assert text.count(old) == 1, f"{old!r} does not stand once in the shipped protocol"
        text = text.replace(old, new)
    return text


def _as_csv(file: Path, out: Path, names: dict[str, str]) -> None:
    """A transport file as CSV, dates as ISO 8601; read by a program that is not ours."""
    frame, _ = pyreadstat.read_xport(str(file), disable_datetime_conversion=True)
    dates = {name: frame[name].map(_iso) for name in frame if name.endswith("DT")}
    frame = frame.assign(**dates).drop(columns=[n for n in names.values() if n in frame])
    frame = frame.rename(columns=names)
    out.write_text(frame.to_csv(index=False), encoding="utf-8")


def _iso(days: float) -> str:
    return "" if days != days else (SAS_EPOCH + timedelta(days=int(days))).isoformat()


def _rows_of(folder: Path) -> dict[str, list[list[str]]]:
    return {name: published.body(folder / name) for name in TABLES}


def _run(folder: Path, text: str, data: Path) -> dict[str, list[list[str]]]:
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    assert main(["run", str(file), "--data", str(data), "--out", str(folder / "out")]) == 0
    return _rows_of(folder / "out")


@pytest.fixture(scope="module")
def data(study_data: Path) -> Path:
    return study_data / "cdisc_pilot"


@pytest.fixture(scope="module")
def shipped(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """The cells of the protocol as it is shipped, which equal the published ones."""
    return _run(tmp_path_factory.mktemp("shipped"), PROTOCOL.read_text(encoding="utf-8"), data)


def _converted(data: Path, folder: Path, names: dict[str, str]) -> Path:
    made = folder / "csv"
    made.mkdir()
    for name in ("adsl", "adqsadas"):
        _as_csv(data / f"{name}.xpt", made / f"{name}.csv", names)
    return made


def test_rules_instead_of_flags_and_records_give_the_same_cells(
    shipped: dict[str, list[list[str]]], data: Path, tmp_path: Path
) -> None:
    assert _run(tmp_path, _substituted(BY_RULE), data) == shipped


def test_csv_files_give_the_same_cells_as_transport_files(
    shipped: dict[str, list[list[str]]], data: Path, tmp_path: Path
) -> None:
    folder = _converted(data, tmp_path, {})
    assert _run(tmp_path, _substituted({}), folder) == shipped


def test_other_column_names_need_roles_and_no_renaming(
    shipped: dict[str, list[list[str]]], data: Path, tmp_path: Path
) -> None:
    folder = _converted(data, tmp_path, OTHER_NAMES)
    header = (folder / "adqsadas.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert not set(header) & set(OTHER_NAMES)
    assert _run(tmp_path, _substituted(RENAMED), folder) == shipped
