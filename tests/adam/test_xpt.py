from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialmlm.adam.xpt import ieee_from_ibm, read_xpt
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

STUDY = ["adsl", "adqsadas", "adqscibc", "adqsnpix", "adtte"]


def header(kind: str, numbers: str = "0" * 30) -> bytes:
    return f"HEADER RECORD*******{kind:8}HEADER RECORD!!!!!!!{numbers:30}  ".encode()


def namestr(name: str, numeric: bool, length: int, start: int, form: str, size: int) -> bytes:
    fixed = struct.pack(">hhhh8s40s8shhh2s8shhl", 1 if numeric else 2, 0, length, 0,
                        name.ljust(8).encode(), f"Label of {name}".ljust(40).encode(),
                        form.ljust(8).encode(), 0, 0, 0, b"", b" " * 8, 0, 0, start)  # fmt: skip
    return fixed.ljust(size, b"\0")


def member(variables: list[tuple[str, bool, int, str]], rows: bytes, size: int = 140) -> bytes:
    """One data set as TS-140 describes it; a variable is (name, numeric, length, format)."""
    starts = np.cumsum([0, *[length for _, _, length, _ in variables]])
    names = b"".join(
        namestr(name, numeric, length, int(start), form, size)
        for (name, numeric, length, form), start in zip(variables, starts, strict=False)
    )
    return b"".join([
        header("MEMBER", f"0000000000000000016000000{size:05d}"),
        header("DSCRPTR"),
        b"SAS     DEMO    SASDATA 9.4     LINUX".ljust(80),
        b"01JAN26:00:00:00".ljust(32) + b"A label".ljust(48),
        header("NAMESTR", f"000000{len(variables):04d}" + "0" * 20),
        filled(names),
        header("OBS"),
        filled(rows),
    ])  # fmt: skip


def filled(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // 80) * 80)


def library(*members: bytes) -> bytes:
    first = b"SAS     SAS     SASLIB  9.4     LINUX".ljust(80)
    return header("LIBRARY") + first + b"01JAN26:00:00:00".ljust(80) + b"".join(members)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "demo.xpt"
    path.write_bytes(content)
    return path


ONE = bytes.fromhex("4110000000000000")
NUMBER = [("X", True, 8, "")]


def test_a_file_of_pyreadstat_is_read_with_its_names_labels_and_formats(tmp_path: Path) -> None:
    path = tmp_path / "made.xpt"
    frame = pd.DataFrame({"TEXT": ["a", "", "  right"], "NUM": [1.5, np.nan, -2.0]})
    pyreadstat.write_xport(
        frame, path, file_label="A study", column_labels=["Some text", "A number"],
        table_name="MADE", file_format_version=5, variable_format={"NUM": "BEST12.2"},
    )  # fmt: skip
    dataset = read_xpt(path)
    pd.testing.assert_frame_equal(dataset.frame, frame, check_dtype=False)
    assert (dataset.name, dataset.label, dataset.rows) == ("MADE", "A study", 3)
    assert dataset.labels == {"TEXT": "Some text", "NUM": "A number"}
    assert dataset.formats == {"NUM": "BEST12.2"}
    assert dataset.special_missing is None


# the IBM range is 5.4e-79 … 7.2e75, but pyreadstat writes no exponent above 16^62
_SIZES = st.floats(min_value=1e-78, max_value=4e74) | st.floats(min_value=-4e74, max_value=-1e-78)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(_SIZES | st.just(0.0) | st.just(np.nan), min_size=1, max_size=40))
def test_numbers_are_those_that_pyreadstat_wrote(values: list[float], tmp_path: Path) -> None:
    path = tmp_path / "numbers.xpt"
    pyreadstat.write_xport(pd.DataFrame({"X": values}), path, file_format_version=5)
    ours = read_xpt(path).frame["X"].to_numpy()
    theirs = pyreadstat.read_xport(path)[0]["X"].to_numpy()
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ours, np.array(values))


def test_the_examples_of_the_ibm_format_are_converted_exactly() -> None:
    bits = np.array([0x4110000000000000, 0xC276A00000000000, 0x0010000000000000,
                     0x7FFFFFFFFFFFFF00, 0x8000000000000000], dtype=np.uint64)  # fmt: skip
    expected = [1.0, -118.625, 16.0**-65, 16.0**63 * (1 - 2.0**-48), 0.0]
    np.testing.assert_array_equal(ieee_from_ibm(bits), expected)


def test_special_missing_values_keep_their_letter(tmp_path: Path) -> None:
    cells = [b"_", b".", b"A", b"Z"]
    rows = b"".join(c + b"\0" * 7 for c in cells) + ONE
    both = b"".join(rows[at : at + 8] + ONE for at in range(0, len(rows), 8))
    dataset = read_xpt(written(tmp_path, library(member([*NUMBER, ("Y", True, 8, "")], both))))
    assert dataset.special_missing is not None
    assert dataset.special_missing.to_dict("list") == {"X": ["_", "", "A", "Z", ""]}
    assert dataset.frame["X"].isna().tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("length", range(2, 9))
def test_numbers_cut_to_any_length_are_read(length: int, tmp_path: Path) -> None:
    rows = ONE[:length] + b".".ljust(length, b"\0") + bytes.fromhex("C120000000000000")[:length]
    content = library(member([("X", True, length, "")], rows + b"\x41".ljust(length, b"\x18")))
    assert read_xpt(written(tmp_path, content)).frame["X"].tolist()[::2] == [1.0, -2.0]


def test_the_136_byte_descriptions_of_vax_are_read(tmp_path: Path) -> None:
    content = library(member([*NUMBER, ("C", False, 3, "")], ONE + b"abc", size=136))
    dataset = read_xpt(written(tmp_path, content))
    assert dataset.frame.to_dict("list") == {"X": [1.0], "C": ["abc"]}
    assert dataset.labels == {"X": "Label of X", "C": "Label of C"}


def test_dates_and_date_times_count_from_1960_and_keep_their_missing(tmp_path: Path) -> None:
    day = bytes.fromhex("4416E000" + "0" * 8)  # 5856 days
    second = bytes.fromhex("44E1000000000000")  # 57600 seconds
    lost = b".".ljust(8, b"\0")
    variables = [("D", True, 8, "DATE"), ("T", True, 8, "DATETIME"), ("H", True, 8, "TIME")]
    content = library(member(variables, day + second + second + lost + lost + lost))
    frame = read_xpt(written(tmp_path, content)).frame
    assert frame["D"].dtype == frame["T"].dtype == np.dtype("datetime64[us]")
    assert frame["D"][0] == pd.Timestamp("1960-01-01") + pd.Timedelta(days=5856)
    assert frame["T"][0] == pd.Timestamp("1960-01-01 16:00")
    assert frame["H"][0] == 57600.0
    assert frame.loc[1].isna().all()


def test_a_number_that_is_no_date_under_a_date_format_is_refused(tmp_path: Path) -> None:
    huge = bytes.fromhex("5010000000000000")
    content = library(member([("D", True, 8, "DATE")], huge))
    with pytest.raises(DataError, match=r"column D has format DATE, but holds .* no date"):
        read_xpt(written(tmp_path, content))


def test_text_that_is_not_utf_8_is_read_as_western_and_noted(tmp_path: Path) -> None:
    rows = "Jos\N{LATIN SMALL LETTER E WITH ACUTE} ".encode("cp1252") + b"b\x81   "
    dataset = read_xpt(written(tmp_path, library(member([("C", False, 5, "")], rows))))
    assert dataset.frame["C"].tolist() == ["Jos\N{LATIN SMALL LETTER E WITH ACUTE}", "b\x81"]
    assert dataset.notes == ("demo.xpt: column C is not UTF-8; it was read as Windows-1252",)


def test_utf_8_text_is_read_without_a_note(tmp_path: Path) -> None:
    rows = "µg".encode().ljust(5)
    dataset = read_xpt(written(tmp_path, library(member([("C", False, 5, "")], rows))))
    assert dataset.frame["C"].tolist() == ["µg"]
    assert dataset.notes == ()


def test_blank_rows_are_filling_only_within_the_last_79_bytes(tmp_path: Path) -> None:
    short = library(member([("C", False, 8, "")], b"a".ljust(8)))
    assert read_xpt(written(tmp_path, short)).frame["C"].tolist() == ["a"]
    between = library(member([("C", False, 40, "")], b"a".ljust(40) + b" " * 40 + b"b".ljust(40)))
    assert read_xpt(written(tmp_path, between)).frame["C"].tolist() == ["a", "", "b"]
    wide = library(member([("C", False, 80, "")], b"a".ljust(80) + b" " * 80))
    assert read_xpt(written(tmp_path, wide)).frame["C"].tolist() == ["a", ""]
    full = library(member([("C", False, 40, "")], b"a".ljust(40) + b" " * 120))
    assert read_xpt(written(tmp_path, full)).frame["C"].tolist() == ["a", "", ""]


def test_a_data_set_without_observations_has_its_columns(tmp_path: Path) -> None:
    dataset = read_xpt(written(tmp_path, library(member(NUMBER, b""))))
    assert dataset.rows == 0
    assert list(dataset.frame) == ["X"]


def test_several_data_sets_in_one_file_are_named_and_refused(tmp_path: Path) -> None:
    content = library(member(NUMBER, ONE), member(NUMBER, ONE).replace(b"DEMO ", b"OTHER"))
    with pytest.raises(DataError, match="expected one data set, found 2: DEMO, OTHER"):
        read_xpt(written(tmp_path, content))


def test_a_file_cut_inside_a_record_names_offset_and_lengths(tmp_path: Path) -> None:
    content = library(member(NUMBER, ONE * 20))
    whole = len(content) // 80 * 80 - 80
    expected = (
        f"byte offset {whole:,}: expected a record of 80 bytes, found 47 bytes.*copy the file"
    )
    with pytest.raises(DataError, match=expected):
        read_xpt(written(tmp_path, content[: whole + 47]))


def test_a_truncated_observation_is_damage(tmp_path: Path) -> None:
    variables = [("X", True, 8, ""), ("C", False, 200, "")]
    content = library(member(variables, (ONE + b"c" * 200) * 2))
    path = written(tmp_path, content[:-80])
    with pytest.raises(DataError, match="expected an observation of 208 bytes, found 192 bytes"):
        read_xpt(path)


@pytest.mark.parametrize("cut", [0, 80, 240, 320, 560, 640, 720, 800])
def test_a_file_cut_between_its_headers_is_damage_not_a_crash(cut: int, tmp_path: Path) -> None:
    content = library(member(NUMBER, ONE))
    with pytest.raises(DataError, match=r"expected .* found"):
        read_xpt(written(tmp_path, content[:cut]))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 1200), noise=st.binary(max_size=160))
def test_any_damage_is_an_error_of_ours_or_still_a_data_set(
    cut: int, noise: bytes, tmp_path: Path
) -> None:
    content = library(member([*NUMBER, ("C", False, 3, "")], (ONE + b"abc") * 3))
    path = written(tmp_path, content[:cut] + noise + content[cut + len(noise) :])
    with suppress(DataError):
        assert list(read_xpt(path).frame.columns)


@pytest.mark.parametrize("length", [0, -1, 9])
def test_a_description_of_an_impossible_length_is_damage(length: int, tmp_path: Path) -> None:
    content = library(member([("X", True, length, "")], ONE * 2))
    with pytest.raises(DataError, match=f"found 'X' of {length} bytes at 0"):
        read_xpt(written(tmp_path, content))


def test_what_is_no_transport_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="byte offset 0: expected the LIBRARY header"):
        read_xpt(written(tmp_path, b"USUBJID,AVAL\n01,3\n"))


def test_version_8_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "eight.xpt"
    pyreadstat.write_xport(pd.DataFrame({"X": [1.0]}), path, file_format_version=8)
    with pytest.raises(DataError, match=r"version 8, expected 5\. Write it again as version 5"):
        read_xpt(path)


@pytest.mark.parametrize("name", STUDY)
def test_the_study_files_are_read_as_pyreadstat_reads_them(name: str, study_data: Path) -> None:
    path = study_data / "cdisc_pilot" / f"{name}.xpt"
    ours, (theirs, meta) = read_xpt(path), pyreadstat.read_xport(path)
    assert list(ours.frame) == list(theirs)
    assert ours.name == meta.table_name
    assert ours.label == (meta.file_label or "")
    assert ours.labels == {k: v for k, v in meta.column_names_to_labels.items() if v}
    formats = {k: v for k, v in meta.original_variable_types.items() if v and v != "NULL"}
    assert ours.formats == formats
    for column in theirs:
        own = ours.frame[column]
        if own.dtype.kind == "M":
            own = own.map(lambda moment: moment.date(), na_action="ignore")
        assert own.isna().equals(theirs[column].isna())
        assert own.dropna().tolist() == theirs[column].dropna().tolist()
