"""Shifts of dates and pseudonyms: the same for a patient everywhere, intervals kept, nothing guessable."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecglm.errors import UsageError
from ecglm.records.deidentify import Key

KEYS = st.binary(min_size=32, max_size=32).map(Key)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31))


@given(KEYS, st.text(), TIMES, TIMES)
def test_order_intervals_and_times_of_day_stay(key: Key, patient: str, one: datetime, two: datetime) -> None:
    first, second = key.moved(one, patient), key.moved(two, patient)
    assert first is not None
    assert second is not None
    assert second - first == two - one
    assert first.time() == one.time()
    assert first - one == timedelta(days=key.days(patient))


@given(KEYS, st.text())
def test_the_shift_is_between_one_and_ten_years_to_either_side(key: Key, patient: str) -> None:
    assert 365 <= abs(key.days(patient)) <= 3650
    assert key.days(patient) == Key(key.secret).days(patient)


def test_both_directions_occur_and_patients_differ() -> None:
    days = [Key(bytes(32)).days(str(patient)) for patient in range(400)]
    assert len(set(days)) > 350
    assert 150 < sum(shift > 0 for shift in days) < 250


def test_a_leap_day_keeps_its_distance_to_its_neighbours() -> None:
    key = Key(bytes(32))
    moved = [key.moved(datetime(2020, 2, 28) + timedelta(days=day), "p") for day in range(3)]
    assert [b - a for a, b in pairwise(moved)] == [timedelta(days=1)] * 2  # type: ignore[operator]


@pytest.mark.parametrize("when", [datetime.min, datetime.max])
def test_a_date_at_the_end_of_the_calendar_is_dropped_rather_than_kept(when: datetime) -> None:
    key = Key(bytes(32))
    patient = next(str(n) for n in range(100) if (key.days(str(n)) < 0) == (when == datetime.min))
    assert key.moved(when, patient) is None


def test_uids_are_valid_and_follow_from_the_old_one() -> None:
    key = Key(bytes(32))
    new = key.uid("1.2.3")
    assert new == key.uid("1.2.3") != key.uid("1.2.4")
    assert new.startswith("2.25.")
    assert len(new) <= 64
    assert not new.startswith("2.25.0")


def test_a_key_file_is_made_once_private_and_checked(tmp_path: Path) -> None:
    made = Key.of_file(tmp_path / "k")
    assert made == Key.of_file(tmp_path / "k")
    assert made.kept
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
    assert made.secret.hex() not in repr(made)
    (tmp_path / "bad").write_text("secret")
    for bad in ("bad", "."):
        with pytest.raises(UsageError, match="key"):
            Key.of_file(tmp_path / bad)
