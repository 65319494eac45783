"""The knowledge base on questions that nothing was set on (`bench/questions/knowledge-fresh.yaml`): retrieval part by part,
answers by rule, and by a judge model (`ecglm.bench.judge`).

Context precision is the mean over the relevant passages among the first K of the precision at their rank, context recall the
share of the relevant entries among the first K (as RAGAS defines them, with relevance known instead of judged).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

import ecglm
from ecglm.bench.judge import from_environment
from ecglm.bench.judged import Judging, judged
from ecglm.bench.local_judge import LocalJudge
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.config import read_yaml
from ecglm.errors import UsageError
from ecglm.knowledge import embed
from ecglm.knowledge.answer import Background, answer, faithfulness
from ecglm.knowledge.base import Base, load
from ecglm.knowledge.retrieve import Retriever, Weights

QUESTIONS = Path(__file__).parents[1] / "questions" / "knowledge.yaml"
FRESH = QUESTIONS.with_name("knowledge-fresh.yaml")
K = 5
#: What is searched with, by name: weights of the parts.
PARTS = {"graph": Weights(bm25=0, embedding=0), "bm25": Weights(graph=0, embedding=0), "embedding": Weights(graph=0, bm25=0),
         "bm25 + embedding": Weights(graph=0), "graph + bm25": Weights(embedding=0), "graph + bm25 + embedding": Weights()}
#: Answers that the model that ships judges: it takes seconds for each.
LOCAL = 20
WEAK = ("The judge is the language model that ships, which is weak; the rows \"known\" say how often it says yes where the "
        "truth is known. Set ECGLM_JUDGE_URL and ECGLM_JUDGE_MODEL for a better one.")
_METRICS = ("first is right", "MRR", "context precision", "context recall")


@dataclass(frozen=True)
class Asked:
    """A question, and the ids of the entries that answer it; none for what the base does not know."""

    question: str
    relevant: frozenset[str]


def questions(half: str) -> list[Asked]:
    """The questions of a set: "fresh", which nothing is tuned on, or a half of the older one, "dev" or "test". Both are for
    development: words of the latter had entered the rules. Raises UsageError for another word."""
    if half not in ("dev", "test", "fresh"):
        raise UsageError(f"there is no half {half!r} of the question set; use dev, test or fresh")
    data = read_yaml(FRESH if half == "fresh" else QUESTIONS)
    part = slice(None) if half == "fresh" else slice(half == "test", None, 2)
    return [Asked(text, frozenset(ids)) for text, ids, _ in data["answerable"][part]] \
        + [Asked(text, frozenset()) for text in data["unanswerable"][part]]


def scores(found: Sequence[str], relevant: frozenset[str]) -> tuple[float, float, float, float]:
    """First is right, reciprocal rank, context precision and recall of the ids found, best first."""
    hit = [name in relevant for name in found[:K]]
    ranks = [rank for rank, right in enumerate(hit, 1) if right]
    precision = float(np.mean([sum(hit[:rank]) / rank for rank in ranks])) if ranks else 0.0
    return float(bool(hit) and hit[0]), 1 / ranks[0] if ranks else 0.0, precision, len(ranks) / len(relevant)


def run(seed: int, draws: int, progress: bool, half: str = "fresh",
        transcript: str = "runs/bench/knowledge/judge.jsonl", local: bool = True) -> Study:
    """half: of `questions`; never tune on "fresh". transcript: where exchanges with a judge are kept. local: without an
    endpoint the model that ships judges some answers. Without embeddings their rows are left out."""
    base, asked = load(), questions(half)
    known = [one for one in asked if one.relevant]
    boot = Bootstrap([one.question for one in known], draws, seed)
    rows = [_row("random order (chance)", [_shuffled(base, one, seed + n) for n, one in enumerate(known)], boot)]
    for name, weights in PARTS.items():
        if "embedding" not in name or embed.available():
            retriever = Retriever(base, weights=weights, embeddings="embedding" in name)
            rows.append(_row(name, [scores([hit.passage.id for hit in retriever.search(one.question, K)], one.relevant)
                                    for one in known], boot))
    title = f"Passages found, {len(known)} questions of the {half} set, first {K} of {len(base)}"
    tables = [Table(title, ("with", *_METRICS), rows)]
    answered = {}
    for with_embeddings in (False, True)[: 1 + embed.available()]:
        retriever = Retriever(base, embeddings=with_embeddings)
        name = "with embeddings" if with_embeddings else "without embeddings"
        answered[name] = [answer(one.question, retriever) for one in asked]
    tables.append(_answers(answered, asked, draws, seed))
    judge: Judging | None = from_environment(Path(transcript))
    most = None if judge else LOCAL
    if judge is None and local:
        judge = LocalJudge(ecglm.load())
    if judge is not None:
        pairs = [(given, one.relevant) for given, one in zip(list(answered.values())[-1], asked, strict=True)]
        tables.append(judged(judge, base, pairs, most, seed))
    notes = ("Base and questions have the same authors, so that wordings are nearer to each other than a stranger's would be. "
             "Answers quote sentences, so that faithfulness by rule is 1 unless the rule fails; the rows of altered answers "
             "say how often the rule notices a changed number, a negation put in, or the answer to another question.",
             *((WEAK,) if isinstance(judge, LocalJudge) else ()),
             *(() if embed.available() else ("Embeddings were left out: the extra `knowledge` is not installed.",)))
    values = {name: [one.to_dict() | {"hits": [hit.passage.id for hit in one.hits]} for one in given]
              for name, given in answered.items()}
    data = digest([base.digest, [[one.question, sorted(one.relevant)] for one in asked]])
    return Study(tables, len(asked), len(asked), data, notes, {"answers": values})


def _shuffled(base: Base, one: Asked, seed: int) -> tuple[float, ...]:
    return scores(Random(seed).sample(list(base.entries), K), one.relevant)


def _row(name: str, rows: Sequence[tuple[float, ...]], boot: Bootstrap) -> list[str]:
    return [name, *(_cell([row[i] for row in rows], boot) for i in range(len(_METRICS)))]


def _cell(values: Sequence[float], boot: Bootstrap) -> str:
    low, high = np.percentile(boot.mean_draws(values), (2.5, 97.5))
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"


def _answers(answered: dict[str, list[Background]], asked: list[Asked], draws: int, seed: int) -> Table:
    """Answered, relevant and faithful among the answerable, declined among the others, and what the rule notices."""
    rows = []
    for name, given in answered.items():
        def cell(of: Iterable[tuple[str, float]]) -> str:
            kept = list(of)
            return _cell([value for _, value in kept], Bootstrap([text for text, _ in kept], draws, seed))

        pairs = list(zip(asked, given, strict=True))
        rows += [[name, "answered, of the answerable",
                  cell((a.question, float(bool(b.quotes))) for a, b in pairs if a.relevant)],
                 [name, "declined, of the unanswerable",
                  cell((a.question, float(not b.quotes)) for a, b in pairs if not a.relevant)],
                 [name, "answer relevancy: sentences from a right passage (declined: 0)",
                  cell((a.question, _relevancy(a, b)) for a, b in pairs if a.relevant)],
                 [name, "faithfulness: sentences borne out, by rule",
                  cell((a.question, faithfulness(b.text, b.passages)) for a, b in pairs if b.quotes)]]
    last = [b for b in list(answered.values())[-1] if b.quotes]
    rows += [["control", f"altered answers noticed: {what}", f"{noticed}/{tried}"] for what, noticed, tried in _noticed(last)]
    return Table("Answers", ("", "measure", "value"), rows)


def _relevancy(one: Asked, given: Background) -> float:
    return float(np.mean([quote.passage.id in one.relevant for quote in given.quotes])) if given.quotes else 0.0


def _noticed(given: Sequence[Background]) -> list[tuple[str, int, int]]:
    """How often the rule of faithfulness calls an answer that was made wrong less than faithful."""
    import re

    def number(text: str) -> str:
        return re.sub(r"\d+", lambda found: str(int(found[0]) + 7), text, count=1)

    def negation(text: str) -> str:
        return re.sub(r"\b(is|are|has|shows|needs|means|lies|comes|begins|causes)\b", r"\1 not", text, count=1)

    changes: dict[str, Callable[[str], str]] = {"a number changed": number, "a negation put in": negation}
    out = []
    for what, change in changes.items():
        tried = [(change(one.text), one) for one in given if change(one.text) != one.text]
        out.append((what, sum(faithfulness(text, one.passages) < 1 for text, one in tried), len(tried)))
    others = [(b.text, a) for a, b in zip(given, [*given[1:], *given[:1]], strict=True) if not set(a.passages) & set(b.passages)]
    return [*out, ("the answer to another question", sum(faithfulness(text, a.passages) < 1 for text, a in others), len(others))]
