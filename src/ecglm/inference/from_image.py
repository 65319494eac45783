"""Answers about a record that was read off an image of a page say so, and are no surer than the reading."""

from __future__ import annotations

from dataclasses import replace

from ecglm.answers import Answer
from ecglm.records.record import Record
from ecglm.schema import Evidence


def of_image(answer: Answer, record: Record) -> Answer:
    """The answer with how its record was read as a piece of evidence, and its confidence times that of the reading: both
    must be right. Answers about recordings stay as they are."""
    if record.reading is None:
        return answer
    evidence = (*answer.evidence, Evidence(record.reading.text, value=round(record.reading.overall, 3)))
    return replace(answer, evidence=evidence, confidence=answer.confidence * record.reading.overall)
