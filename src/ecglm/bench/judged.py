"""Answers and passages of the knowledge base judged by a model, and how often that model is right where the truth is known.

Faithfulness and answer relevancy are of the answer; context precision of the passages found, each judged as if it were the
answer, and context recall the share of the sentences of a right entry that the judge finds in them (as RAGAS defines them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol

import numpy as np

from ecglm.bench.judge import Verdict
from ecglm.bench.study import Table
from ecglm.knowledge.answer import Background
from ecglm.knowledge.base import Base
from ecglm.knowledge.words import sentences


class Judging(Protocol):
    """What judges: `ecglm.bench.judge.Judge` or `ecglm.bench.local_judge.LocalJudge`."""

    @property
    def model(self) -> str: ...

    def judge(self, question: str, answer: str, passages: Sequence[str]) -> Verdict: ...


def judged(judge: Judging, base: Base, asked: Sequence[tuple[Background, frozenset[str]]], most: int | None, seed: int) -> Table:
    """asked: answers with the ids of the entries that answer; most: so many of them are judged, drawn by seed (None: all)."""
    given = [(one, relevant) for one, relevant in asked if one.quotes and relevant]
    given = given if most is None or len(given) <= most else Random(seed).sample(given, most)
    shares: Mapping[str, list[float]] = {name: [] for name in (
        "faithfulness", "answer relevancy", "context precision", "context recall",
        "known: the answer to another question is faithful", "known: a right passage is relevant",
        "known: a wrong passage is relevant")}
    for number, (one, relevant) in enumerate(given):
        passages = [hit.passage.text for hit in one.hits]
        quoted = [passage.text for passage in one.passages]
        verdict = judge.judge(one.question, one.text, quoted)
        shares["faithfulness"].append(verdict.faithful)
        shares["answer relevancy"].append(verdict.relevant)
        useful = [judge.judge(one.question, text, [text]).relevant for text in passages]
        shares["context precision"].append(_precision(useful))
        for hit, said in zip(one.hits, useful, strict=True):
            shares[f"known: a {'right' if hit.passage.id in relevant else 'wrong'} passage is relevant"].append(said)
        wanted = sentences(base.get(sorted(relevant)[0]).text)
        shares["context recall"].append(float(np.mean([judge.judge(one.question, text, passages).faithful for text in wanted])))
        other = given[(number + 1) % len(given)][0]
        if other.text != one.text:
            shares["known: the answer to another question is faithful"].append(
                judge.judge(one.question, other.text, quoted).faithful)
    rows = [[name, f"{np.mean(values):.3f}" if values else "–", str(len(values))] for name, values in shares.items()]
    return Table(f"{len(given)} answers judged by the model {judge.model}", ("measure", "share", "judged"), rows)


def _precision(useful: Sequence[bool]) -> float:
    """Mean over the useful ranks of the precision up to there; 0 where none is."""
    ranks = [rank for rank, said in enumerate(useful, 1) if said]
    return float(np.mean([sum(useful[:rank]) / rank for rank in ranks])) if ranks else 0.0
