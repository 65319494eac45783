"""Answers to several recordings, or to several parts of a question, as one answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ecglm.answers import Answer
from ecglm.schema import Evidence


def joined(answers: Sequence[Answer], names: Sequence[str] = ()) -> Answer:
    """One answer for several recordings, or several parts of a question: each one's text, by its number or name. A single
    answer stays as it is."""
    if len(answers) == 1:
        return answers[0]
    names = names or [f"ECG {number}" for number in range(1, len(answers) + 1)]
    said, evidence, notes = [], [], []
    for name, answer in zip(names, answers, strict=True):
        said.append(f"{name}: {answer.text if not answer.abstained else 'no answer (' + str(answer.reason) + ')'}")
        evidence += [Evidence(f"{name}: {e.text}", e.leads, e.value, e.unit, e.span_s) for e in answer.evidence]
        notes += [f"{name}: {answer.note}"] if answer.note else []
    given = [a for a in answers if not a.abstained]
    missing = tuple((name, str(a.reason)) for name, a in zip(names, answers, strict=True) if a.abstained)
    return Answer("; ".join(said) if given else "", min((a.confidence for a in given), default=0.0), not given, tuple(evidence),
                  answers[0].model, None if given else _same(reason for _, reason in missing) or "; ".join(said),
                  "; ".join(notes) or None, unanswered=missing if given else ())


def _same(texts: Iterable[str]) -> str | None:
    """What all of these say, or None where they differ."""
    different = set(texts)
    return different.pop() if len(different) == 1 else None
