"""Normal ranges of adults, at their limits."""

from __future__ import annotations

import pytest

from ecglm.knowledge.ranges import flag, ranges


@pytest.mark.parametrize(("name", "value", "sex", "expected"), [
    ("heart_rate", 59.4, None, "low"), ("heart_rate", 59.97, None, "normal"), ("heart_rate", 60, None, "normal"),
    ("heart_rate", 100.6, None, "high"),
    ("pr", 119, None, "low"), ("pr", 200, None, "normal"), ("pr", 201, None, "high"),
    ("qrs", 60, None, "normal"), ("qrs", 110, None, "normal"), ("qrs", 111, None, "high"),
    ("p_duration", 119, None, "normal"), ("p_duration", 120, None, "high"),
    ("axis", -31, None, "low"), ("axis", -30, None, "normal"), ("axis", 91, None, "high"),
    ("qtc_bazett", 449, "male", "normal"), ("qtc_bazett", 450, "male", "high"), ("qtc_bazett", 450, "female", "normal"),
    ("qtc_fridericia", 460, "female", "high"), ("qtc", 455, None, "normal"), ("qtc", 349, "male", "low"),
    ("sokolow_lyon", 3.494, None, "normal"), ("sokolow_lyon", 3.5, None, "high"),
    ("cornell", 2.8, "male", "normal"), ("cornell", 2.81, None, "high"), ("cornell", 2.01, "female", "high"),
    ("qt", 400, None, None), ("rmssd", 30, None, None), ("no such thing", 1, None, None),
    ("pr", None, None, None), ("pr", float("nan"), None, None)])
def test_flags_at_the_limits(name: str, value: float | None, sex: str | None, expected: str | None) -> None:
    assert flag(name, value, sex) == expected


def test_every_range_names_its_source() -> None:
    assert {name for name, _ in ranges()} >= {"heart_rate", "pr", "qrs", "qtc_bazett", "axis", "cornell"}
    for found in ranges().values():
        assert "10." in found.source
