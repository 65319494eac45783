"""The study of `ecglm monitor`: what counts as told, warned of and raised in vain."""

from __future__ import annotations

import pytest

from ecglm.inference.monitor.summary import Marked, Summary
from ecglm.training.forecast.study_monitor import Watched, counted, table


def test_a_watch_is_counted_against_its_marks() -> None:
    """Marks: one that is there from the start, one told in time and warned of, one told too late, one too short to count."""
    marks = Marked(((0.0, 60.0), (600.0, 900.0), (1500.0, 1600.0), (1700.0, 1710.0)))
    summary = Summary(300.0, marks, watched_s=1800.0, free_s=1320.0, said_falsely_s=90.0,
                      alarms=[(400.0, 500.0), (1000.0, 1100.0)], episodes=[(630.0, 900.0), (1590.0, 1600.0)])
    row = counted("x", "1", summary, 30.0)
    assert (row.alarms, row.false_alarms, row.onsets, row.told, row.warned) == (2, 1, 2, 1, 1)
    assert (row.hours, row.false_min, row.arrhythmia) == (pytest.approx(0.367, abs=1e-3), 1.5, True)


def test_rates_are_of_all_hours_together() -> None:
    rows = [Watched("a", "1", 0.5, 2, 1, 3.0, 2, 1, 1, True), Watched("b", "2", 1.5, 0, 0, 1.0, 0, 0, 0, False),
            Watched("c", "3", 0.5, 1, 1, 0.0, 0, 0, 0, False)]
    ill, others = table(rows, 200, 0).rows
    assert ill[:4] == ["with fibrillation or flutter", "1", "0.5", "2"]
    assert ill[4].startswith("2.00 ")
    assert list(ill[6:]) == ["1 of 2", "1 of 2"]
    assert others[4].startswith("0.50 ")
    assert others[5].startswith("0.50 ")
    assert list(others[6:]) == ["–", "–"]
