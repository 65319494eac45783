"""ECG-QA benchmarks over PTB-XL: questions made from labels, balanced over attributes and answers.

Of the official question files only shards of noise and comparison questions could be reached
(`ecglm.corpus.ecgqa_official` reads them), so the benchmark's questions are made from the
labels with ECG-QA's forms and answers (docs/bench.md).
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.task import BenchItem
from ecglm.corpus import ptbxl
from ecglm.corpus import questions as q
from ecglm.knowledge.statements import BY_KEY, GROUPS, STATEMENTS
from ecglm.models.facts import NEEDS_MILLIVOLTS

TRAIN_FOLDS = (1, 2, 3, 4, 5, 6, 7, 8)


def waveform_hash(data: ptbxl.PtbXl, row: int) -> str:
    """Hash of a record's samples, for the leakage check."""
    return hashlib.sha256(data.counts_NLT[row].tobytes()).hexdigest()[:16]


def _spread(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> list[int]:
    return [int(r) for r in rng.permutation(rows)[:count]]


def bench_items(fold: int = 9, seed: int = 0, per_answer: int = 12) -> list[BenchItem]:
    """Verify, choose and query items of one fold. Every question's answers are sampled evenly, at most
    `per_answer` records for an answer, half of the questions in a wording never used in training."""
    data = ptbxl.load()
    rows = data.rows((fold,))
    labels, rng = data.labels_NC, np.random.default_rng(seed)
    asked = [key for key in q.asked_statements(labels[data.rows(TRAIN_FOLDS)]) if labels[rows, q.INDEX[key]].sum() >= 3]
    items: list[BenchItem] = []

    def add(row: int, question: q.Question, unseen: bool) -> None:
        items.append(BenchItem(
            id=f"{len(items):05d}", patient=str(data.patient[row]), record_key=str(data.ecg_id[row]), question=question.text,
            answer=question.answer, qtype=question.qtype, template=str(question.template), attribute=question.attribute,
            meta={"hash": waveform_hash(data, row), "valid": list(question.valid), "wording": "unseen" if unseen else "seen"}))

    def has(row: int, a: str, b: str) -> tuple[bool, bool]:
        return bool(labels[row, q.INDEX[a]]), bool(labels[row, q.INDEX[b]])

    for key in asked:
        column = labels[rows, q.INDEX[key]]
        positive = _spread(rows[column == 1], per_answer, rng)
        for row in [*positive, *_spread(rows[column == 0], len(positive), rng)]:
            unseen = bool(rng.random() < 0.5)
            add(row, q.verify(key, bool(labels[row, q.INDEX[key]]), rng, unseen), unseen)
    for group in GROUPS:
        members = [key for key in asked if BY_KEY[key].group == group]
        for i, a in enumerate(members):
            for b in members[i + 1:]:
                kinds: dict[str, list[int]] = defaultdict(list)
                for row in rows:
                    kinds[q.choose(a, b, has(row, a, b), rng).answer].append(int(row))
                if len(kinds) < 3 or rng.random() > 30 / (len(members) * (len(members) - 1) / 2):
                    continue
                for of_kind in kinds.values():
                    for row in _spread(np.array(of_kind), 1, rng):
                        unseen = bool(rng.random() < 0.5)
                        add(row, q.choose(a, b, has(row, a, b), rng, unseen), unseen)
    for kind in q.QUERY:
        answers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if kind != "axis" or data.axis[row]:
                answers[q.query(kind, labels[row], data.axis[row], rng).answer].append(int(row))
        for of_answer in answers.values():
            for row in _spread(np.array(of_answer), per_answer, rng):
                unseen = bool(rng.random() < 0.5)
                add(row, q.query(kind, labels[row], data.axis[row], rng, unseen), unseen)
    return items


def findings_items(fold: int = 9, limit: int | None = None, seed: int = 0) -> list[BenchItem]:
    """One item per record of a fold with all its labels, for the findings benchmark; at most `limit` of them, drawn by `seed`."""
    data = ptbxl.load()
    items = []
    for row in data.rows((fold,)):
        labels = {group: {s.code: int(data.labels_NC[row, q.INDEX[s.key]]) for s in STATEMENTS
                          if s.group == group and s.key not in NEEDS_MILLIVOLTS}
                  for group in GROUPS}
        items.append(BenchItem(id=str(data.ecg_id[row]), patient=str(data.patient[row]), record_key=str(data.ecg_id[row]),
                               question="", answer="", qtype="findings", template="", attribute="",
                               meta={"labels": labels, "hash": waveform_hash(data, int(row))}))
    return items if limit is None or limit >= len(items) else random.Random(seed).sample(items, limit)
