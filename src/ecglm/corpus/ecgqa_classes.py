"""Few-shot classes of ECG-QA's official files, as FSL-ECG-QA makes them (Tang et al. 2025): template x attribute x answer.

Beside the published rules: a recording is of one class once, and recordings that are not here are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ecglm.corpus.episodes import AnswerGroup, Task


class _Sample(NamedTuple):
    """part: which question of its class it is."""

    part: Any
    text: str
    row: int
    answer: str


@dataclass(frozen=True)
class ClassRules:
    """What FSL-ECG-QA leaves out: templates that contradict others, and classes with too few samples (by kind of question).
    least_wording: of samples of one question, which is one wording when support and query ask in the same words."""

    excluded: tuple[int, ...] = (4, 14, 17, 26, 28, 31, 40)
    least: dict[str, int] = field(default_factory=lambda: {"verify": 140, "choose": 14, "query": 50})
    least_wording: int = 10


def ecgqa_classes(questions: Iterable[Mapping[str, Any]], row_of: Mapping[int, int], task: Task, wording: str = "same",
                  rules: ClassRules | None = None) -> list[list[AnswerGroup]]:
    """Classes of one kind of single-recording question, each as the questions that ask for it.

    questions: of the official files. row_of: row by ecg_id. wording "same": a question is one wording; "different": it
    is all wordings that name the same attributes.
    """
    rules, kind = rules or ClassRules(), task.split("-")[0]
    samples: dict[tuple[Any, ...], list[_Sample]] = defaultdict(list)
    for q in questions:
        if q["question_type"] != f"single-{kind}" or q["template_id"] in rules.excluded or len(q["ecg_id"]) != 1 \
                or q["ecg_id"][0] not in row_of:
            continue
        for key, answer in _keys(kind, q):
            part = q.get("question_id", -1) if wording == "same" else tuple(sorted(q.get("attribute") or ()))
            samples[key].append(_Sample(part, q["question"], row_of[q["ecg_id"][0]], answer))
    return [groups for key, found in sorted(samples.items(), key=lambda pair: str(pair[0]))
            if len(found) >= rules.least[kind] and (groups := _groups("|".join(map(str, key[:-1])), found, rules))]


def _keys(kind: str, q: Mapping[str, Any]) -> list[tuple[tuple[Any, ...], str]]:
    """Class and answer of a question; several when "none" is said of each attribute."""
    template, names, answers = q["template_id"], sorted(q.get("attribute") or ()), list(q["answer"])
    if kind == "verify":
        return [((template, "_".join(names), answers[0]), answers[0])] if answers in (["yes"], ["no"]) else []
    if kind == "choose":
        if answers == ["none"]:
            return [((template, name, "none"), "none") for name in names]
        if len(answers) == 1:
            return [((template, answers[0], answers[0]), answers[0])]
        return [((template, "_".join(names), "both"), "both")]
    told = ", ".join(sorted(answers))
    return [((template, "_".join(names), told), told)]


def _groups(attribute: str, found: list[_Sample], rules: ClassRules) -> list[AnswerGroup]:
    """One question per wording with enough samples, or per attributes that it names: of "A or B?" another recording may have
    the answer A than of "A or C?"."""
    parts: dict[Any, list[_Sample]] = defaultdict(list)
    for sample in found:
        parts[sample.part].append(sample)
    return [AnswerGroup(tuple(sorted({sample.text for sample in part})), part[0].answer, attribute,
                        np.array(sorted({sample.row for sample in part}), np.int64))
            for _, part in sorted(parts.items()) if len(part) >= rules.least_wording]
