"""Few-shot classes of ECG-QA's official files, as FSL-ECG-QA makes them (Tang et al. 2025): template x attribute x answer.

Beside the published rules: a recording is of one class once, and recordings that are not here are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecglm.corpus.episodes import AnswerGroup, Task


@dataclass(frozen=True)
class ClassRules:
    """What FSL-ECG-QA leaves out: templates that contradict others, and classes with too few samples (by kind of question).
    least_wording: of samples with one wording, when support and query ask in the same words."""

    excluded: tuple[int, ...] = (4, 14, 17, 26, 28, 31, 40)
    least: dict[str, int] = field(default_factory=lambda: {"verify": 140, "choose": 14, "query": 50})
    least_wording: int = 10


def ecgqa_classes(questions: Iterable[Mapping[str, Any]], row_of: Mapping[int, int], task: Task, wording: str = "same",
                  rules: ClassRules | None = None) -> list[list[AnswerGroup]]:
    """Classes of one kind of single-recording question, each as the questions that ask for it.

    questions: of the official files. row_of: row by ecg_id. wording "same": a question is one wording; "different": all
    wordings of a class are one question.
    """
    rules, kind = rules or ClassRules(), task.split("-")[0]
    samples: dict[tuple[Any, ...], list[tuple[int, str, int, str]]] = defaultdict(list)
    for q in questions:
        if q["question_type"] != f"single-{kind}" or q["template_id"] in rules.excluded or len(q["ecg_id"]) != 1 \
                or q["ecg_id"][0] not in row_of:
            continue
        for key, answer in _keys(kind, q):
            samples[key].append((q.get("question_id", -1), q["question"], row_of[q["ecg_id"][0]], answer))
    return [groups for key, found in sorted(samples.items(), key=lambda pair: str(pair[0]))
            if len(found) >= rules.least[kind] and (groups := _groups("|".join(map(str, key[:-1])), found, wording, rules))]


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


def _groups(attribute: str, found: list[tuple[int, str, int, str]], wording: str, rules: ClassRules) -> list[AnswerGroup]:
    """One question per wording with enough samples, or one with all wordings."""
    parts: dict[int, list[tuple[int, str, int, str]]] = defaultdict(list)
    for sample in found:
        parts[sample[0] if wording == "same" else 0].append(sample)
    least = rules.least_wording if wording == "same" else 1
    return [AnswerGroup(tuple(sorted({text for _, text, _, _ in part})), part[0][3], attribute,
                        np.array(sorted({row for _, _, row, _ in part}), np.int64))
            for _, part in sorted(parts.items()) if len(part) >= least]
