"""Marks of a model on lessons it was not taught: answers, numbers, forecasts, each beside its controls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ecglm.bench.metrics import auroc, strict_match
from ecglm.inference.confidence import answer_kind
from ecglm.inference.seconds import Listener, Reply
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.training.curriculum.lessons import Lesson
from ecglm.training.curriculum.recordings import Recordings
from ecglm.training.platt import platt_by_kind

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Asked(NamedTuple):
    """One question put to the model: what was right, what it said and how probably, of which stage and kind, whose ECG; of a
    forecast the probability of yes."""

    stage: str
    kind: str
    question: str
    answer: str
    said: str
    p_said: float
    patient: str
    p_yes: float | None


def kind_of(question: str, answer: str) -> str:
    """What sort of question it is, for the table."""
    if re.fullmatch(r"-?\d+(\.\d+)? \S+", answer):
        return "number"
    if question.startswith("Which of the two"):
        return "comparison"
    if answer in ("yes", "no"):
        return "yes/no"
    return "choice" if " or " in question else "open"


def ask_all(model: SecondsLanguageModel, lessons: Sequence[Lesson], recordings: Recordings, blank: bool = False,
            progress: bool = True) -> list[Asked]:
    """Free answers to every question; in conversations the earlier turns are as they should have been, except that a
    forecast follows what the model itself measured. blank: without ECGs, the text-only control."""
    from rich.progress import track

    out = []
    for lesson in track(list(lessons), "Asking", disable=not progress):
        listener = Listener(model, [] if blank else [recordings[key] for key in lesson.ecgs])
        said, p_yes = _conversation(listener, lesson) if lesson.dialogue else (
            listener.reply([question for question, _ in lesson.pairs]), None)
        for (question, answer), reply in zip(lesson.pairs, said, strict=True):
            forecast = lesson.stage == "forecast" and answer in ("yes", "no")
            out.append(Asked(lesson.stage, kind_of(question, answer), question, answer, reply.text, reply.probability,
                             lesson.patient, p_yes if forecast else None))
    return out


def _conversation(listener: Listener, lesson: Lesson) -> tuple[list[Reply], float | None]:
    """What was said turn by turn, and of a forecast the probability of yes."""
    turns: list[tuple[str, str]] = []
    said, p_yes = list[Reply](), None
    for question, answer in lesson.pairs:
        said.append(listener.reply([question], turns)[0])
        if lesson.stage == "forecast" and answer in ("yes", "no"):
            p_yes = listener.score(question, ("yes", "no"), turns)[0]
        turns.append((question, said[-1].text if lesson.stage == "forecast" else answer))
    return said, p_yes


def marks(asked: Sequence[Asked]) -> dict[str, Any]:
    """Share of right answers by stage and kind; of numbers the root mean square error and the error of always saying the
    median of that question; of forecasts the AUROC."""
    out: dict[str, Any] = {}
    for stage in dict.fromkeys(one.stage for one in asked):
        of_stage = [one for one in asked if one.stage == stage]
        found: dict[str, Any] = {}
        for kind in dict.fromkeys(one.kind for one in of_stage):
            rows = [one for one in of_stage if one.kind == kind]
            if kind == "number":
                found[kind] = _numbers(rows)
            else:
                found[kind] = {"n": len(rows), "right": float(np.mean([strict_match(r.answer, r.said) for r in rows]))}
        p = [(one.answer == "yes", one.p_yes) for one in of_stage if one.p_yes is not None]
        if p and 0 < sum(yes for yes, _ in p) < len(p):
            found["forecast"] = {"n": len(p), "auroc": auroc([int(yes) for yes, _ in p], [float(v) for _, v in p])}
        out[stage] = found
    return out


def confidence(asked: Sequence[Asked]) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Platt slope and bias by kind of answer; a number is right within a tenth."""
    seen: dict[str, list[tuple[float, bool]]] = {}
    for one in asked:
        right = strict_match(one.answer, one.said) or (one.kind == "number" and right_number(one))
        seen.setdefault(answer_kind(one.said), []).append((one.p_said, right))
    return platt_by_kind(seen)


def right_number(one: Asked) -> bool:
    """Whether the number that was said is within a tenth of the right one."""
    true, said = _NUMBER.findall(one.answer), _NUMBER.findall(one.said)
    return bool(said) and abs(float(said[0]) - float(true[0])) <= 0.1 * abs(float(true[0]))


def _numbers(rows: Sequence[Asked]) -> dict[str, Any]:
    """By question: root mean square error of the numbers given, and, where they were given, of the median of the right ones."""
    out: dict[str, Any] = {"n": len(rows)}
    unit = {}
    for wanted in dict.fromkeys(re.sub(r" in \S+\?$", "", row.question) for row in rows):
        own = [row for row in rows if re.sub(r" in \S+\?$", "", row.question) == wanted]
        true = np.array([float(_NUMBER.findall(row.answer)[0]) for row in own])
        said = [_NUMBER.findall(row.said) for row in own]
        given = np.array([bool(one) for one in said])
        value = np.array([float(one[0]) if one else np.nan for one in said])
        error = np.sqrt(np.mean((value[given] - true[given]) ** 2)) if given.any() else float("nan")
        median = np.sqrt(np.mean((np.median(true) - true[given if given.any() else slice(None)]) ** 2))
        unit[wanted] = {"n": len(own), "given": int(given.sum()), "rmse": float(error), "rmse_of_median": float(median)}
    return out | {"questions": unit}
