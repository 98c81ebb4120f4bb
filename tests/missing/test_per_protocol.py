from __future__ import annotations

import pandas as pd
import pytest

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.per_protocol import per_protocol


def trial(*flags: str | None) -> pd.DataFrame:
    return pd.DataFrame({"ID": [1, 1, 2, 2], "PPROTFL": list(flags), "CHG": [1.0, 2.0, 3.0, 4.0]})


def test_all_rows_of_flagged_subjects_are_kept_as_they_stand():
    data = trial("N", "N", "Y", "Y")
    found = per_protocol(data, "PPROTFL", subject="ID")
    pd.testing.assert_frame_equal(found, data.iloc[2:])
    assert found.attrs["per_protocol"] == {"kept": 1, "dropped": 1}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("Y", "N", "Y", "Y"), "PPROTFL varies within ID"),
        (("Y", "Y", None, None), "PPROTFL is missing in 2 rows"),
        (("Y", "Y", "yes", "yes"), "PPROTFL is 'yes'; expected 'Y' or 'N'"),
        (("N", "N", "N", "N"), "PPROTFL is 'Y' for none of 2 subjects"),
    ],
)
def test_a_flag_that_is_no_flag_is_refused(flags, message):
    with pytest.raises(DataError, match=message):
        per_protocol(trial(*flags), "PPROTFL", subject="ID")


def test_a_flag_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="no column 'PPFL'"):
        per_protocol(trial("Y", "Y", "N", "N"), "PPFL", subject="ID")
