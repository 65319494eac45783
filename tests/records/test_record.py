"""What stands where a record should is refused with the remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecglm
from ecglm.errors import UsageError
from ecglm.records.record import Record, checked_records


@pytest.mark.parametrize("use", [ecglm.measure, ecglm.render, checked_records, lambda path: checked_records([path])])
def test_a_path_in_place_of_a_record_says_how_to_read_it(use):
    for path in ("ecg.dcm", Path("ecg.dcm")):
        with pytest.raises(UsageError, match=r"ecg\.dcm.*ecglm\.read"):
            use(path)


def test_one_record_or_several_are_a_list():
    record = Record(np.zeros((1, 500), np.float32), 250.0, ("I",))
    assert checked_records(record) == checked_records(iter([record])) == [record]
    with pytest.raises(UsageError, match="at least one"):
        checked_records([])
