"""An answer about a page says that it was read off an image, and is no surer than the reading."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.answers import Answer
from ecglm.inference.from_image import of_image
from ecglm.records.reading import PageReading
from ecglm.records.record import Record
from ecglm.schema import Evidence

ANSWER = Answer("yes", 0.9, False, (Evidence("heart rate 50 bpm"),), "model")


def record(reading: PageReading | None) -> Record:
    return Record(np.zeros((2, 5000), np.float32), 500.0, ("II", "V1"), reading=reading)


def test_the_reading_is_evidence_and_limits_confidence() -> None:
    reading = PageReading({"II": 0.8, "V1": 0.6}, 25.0, 10.0, False, "2x1", 7.9, ("10 mm/mV is assumed",))
    found = of_image(ANSWER, record(reading))
    assert found.text == "yes"
    assert found.confidence == pytest.approx(0.9 * 0.7)
    assert found.evidence[0] == ANSWER.evidence[0]
    assert "read off an image" in found.evidence[-1].text
    assert "10 mm/mV is assumed" in found.evidence[-1].text
    assert "lowest V1: 60 %" in found.evidence[-1].text


def test_an_answer_about_a_recording_stays_as_it_is() -> None:
    assert of_image(ANSWER, record(None)) is ANSWER
