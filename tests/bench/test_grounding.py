"""Numbers are read out of finished reports and held against the recording, whoever wrote them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.bench.grounding import error, grounded, numbers
from ecglm.bench.studies.report_numbers import Grounding, grounding_table
from ecglm.reporting import Report
from ecglm.reporting.save import to_markdown
from ecglm.signal import measure
from tests.signal.synthetic import synthetic_ecg

RECORD = synthetic_ecg()[0]
MEASURED = measure(RECORD)


def test_numbers_come_with_their_quantity_and_unit() -> None:
    text = ("Heart rate 79 bpm; the PR interval is 160 ms (normal up to 200 ms). QRS axis −30°, QTc, Bazett | 392 ms | ± 2 ms. "
            "Q of 30 ms or more.")
    found = [(n.quantity, n.value, n.unit, n.limit) for n in numbers(text)]
    assert found == [("heart_rate", 79, "bpm", False), ("pr", 160, "ms", False), (None, 200, "ms", True),
                     ("axis", -30, "deg", False), ("qtc_bazett", 392, "ms", False), (None, 2, "ms", True),
                     (None, 30, "ms", True)]


def test_codes_links_and_percentages_are_no_measurements() -> None:
    assert numbers("10.1161/CIR.0000 default@0.6, 98 % (80 % of the training recordings), lead V1, 13 beats, 12 leads") == []


def test_a_value_is_grounded_as_far_as_its_digits_go() -> None:
    rate = MEASURED.heart_rate.value
    assert rate is not None
    for value, right in ((round(rate), True), (round(rate) + 2, False)):
        (stated,) = numbers(f"heart rate {value} bpm")
        assert grounded(stated, MEASURED, RECORD) is right
        assert error(stated, MEASURED) == pytest.approx(value - rate)
    (exact,) = numbers(f"heart rate {rate + 0.3:.1f} bpm")
    assert not grounded(exact, MEASURED, RECORD)


def test_the_value_of_another_quantity_does_not_ground_a_named_one() -> None:
    assert MEASURED.qt.value is not None
    (stated,) = numbers(f"QRS duration {MEASURED.qt.value:.0f} ms")
    assert not grounded(stated, MEASURED, RECORD)


def test_a_quantity_that_was_not_measured_grounds_no_number() -> None:
    (stated,) = numbers("PR interval 160 ms")
    without = replace(MEASURED, pr=replace(MEASURED.pr, value=None, reason="no P wave"))
    assert not grounded(stated, without, RECORD)


def test_the_number_in_a_reason_for_no_value_is_grounded_and_no_value_of_the_quantity() -> None:
    (stated,) = numbers("| P axis | not measured: its axis varies by 48° from beat to beat |")
    assert stated.quantity is None
    without = replace(MEASURED, p_axis=replace(MEASURED.p_axis, value=None, reason="its axis varies by 48° from beat to beat"))
    assert grounded(stated, without, RECORD)
    assert not grounded(replace(stated, value=47), without, RECORD)


def test_every_number_of_a_report_is_grounded_and_a_false_one_is_found() -> None:
    good = Grounding.of(to_markdown(Report.of(RECORD, measurements=MEASURED)), RECORD)
    assert good.numbers >= 10
    assert good.ungrounded == ()
    off = replace(MEASURED, qrs=replace(MEASURED.qrs, value=(MEASURED.qrs.value or 0) + 12))
    bad = Grounding.of(to_markdown(Report.of(RECORD, measurements=off)), RECORD)
    assert len(bad.ungrounded) == 1
    table = grounding_table([good, bad], ["a", "b"], 100, 0)
    rows = {row[0]: row for row in table.rows}
    assert rows["QRS duration"][3].startswith(f"{((good.errors['qrs'][0] ** 2 + bad.errors['qrs'][0] ** 2) / 2) ** 0.5:.2f} ")
    assert rows["all numbers, reports without answers (2 reports)"][-1] == "1"
