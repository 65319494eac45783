"""What is new from one recording to another: CAMEL's questions about several recordings (arXiv 2602.15677), on LUDB.

Pairs are of different people (there is no second recording of anyone), so much differs; the answer to "What is new in ECG 2
since ECG 1?" must name the statements that only one of the two bears. Scored by the Hamming score of answers with several parts:
what is both said and true over what is said or true, 1 where nothing is either.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ecglm.answers import Answer
from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import BenchItem, digest
from ecglm.corpus.external import bench_record, ludb_items
from ecglm.knowledge.statements import BY_KEY
from ecglm.records.record import Record

QUESTION = "What is new in ECG 2 since ECG 1?"
#: Left out: a sinus rhythm of any rate is no change by itself, and it is in nearly all recordings.
SKIPPED = ("rhythm:SR",)
Changes = frozenset[str]


class Asks(Protocol):
    """What answers questions about several recordings, such as `ecglm.load()`."""

    def ask(self, record: Sequence[Record], question: str) -> Answer:
        """The answer about all of them."""
        ...


def run(seed: int, draws: int, progress: bool, pairs: int = 60) -> Study:
    """So many pairs of the unpaced recordings, none in two of them, asked of the shipped model."""
    import ecglm

    return study(ecglm.load(), seed, draws, progress, pairs)


def study(model: Asks, seed: int, draws: int, progress: bool, pairs: int, items: Sequence[BenchItem] | None = None,
          record: Callable[[str], Record] = bench_record) -> Study:
    """The same for any model, recordings and labels."""
    from rich.progress import track

    items = ludb_items() if items is None else items
    order = np.random.default_rng(seed).permutation(len(items))[: 2 * min(pairs, len(items) // 2)].reshape(-1, 2)
    asked = [(items[a], items[b]) for a, b in order]
    space = sorted(labels(items[0]) | denied(items[0]))
    gold = [changed(labels(a), labels(b)) for a, b in asked]
    said, silent, given = [], [], 0
    for number, (a, b) in enumerate(track(asked, "Comparisons", disable=not progress)):
        two = [record(a.record_key), record(b.record_key)]
        answer = model.ask(two, QUESTION)
        given += not answer.abstained
        said.append(named(answer, space))
        if number < 5:  # it says the same of any recording without signal
            silent.append(named(model.ask([replace(one, signal=np.zeros_like(one.signal)) for one in two], QUESTION), space))
    others = [said[(i + 1) % len(said)] for i in range(len(said))]
    rows: dict[str, list[float]] = {
        "asked": [score(g, p) for g, p in zip(gold, said, strict=True)],
        "another pair's answer": [score(g, p) for g, p in zip(gold, others, strict=True)],
        "without signal": [score(g, p) for g, p in zip(gold, silent, strict=False)],
        "text alone: what is commonest in the other pairs": [
            score(g, commonest([*gold[:i], *gold[i + 1:]])) for i, g in enumerate(gold)],
        "text alone: no change": [score(g, frozenset()) for g in gold],
        "chance: what is true of another pair": [
            float(np.mean([score(g, h) for j, h in enumerate(gold) if j != i])) for i, g in enumerate(gold)],
    }
    table = []
    for way, values in rows.items():
        boot = Bootstrap([str(i) for i in range(len(values))], draws, seed)
        table.append([way, percent(interval(float(np.mean(values)), boot.mean_draws(values))), str(len(values))])
    right, told, true = (sum(map(len, part)) for part in (
        [g & (p or frozenset()) for g, p in zip(gold, said, strict=True)], [p or frozenset() for p in said], gold))
    notes = (f"\"{QUESTION}\" of {len(asked)} pairs; {given} were answered. Of {true} changes {right} were named, {told} in all. "
             f"A declined answer scores 0. Statements: {', '.join(key.split(':')[1] for key in space)}.",)
    told_ids = [[a.id, b.id, sorted(g)] for (a, b), g in zip(asked, gold, strict=True)]
    numbers = {"gold": [sorted(g) for g in gold], "said": [None if p is None else sorted(p) for p in said], "scores": rows}
    return Study([Table("What is new", ("answers", "Hamming score, %", "pairs"), table)], len(asked), 2 * len(asked),
                 digest(told_ids), notes, numbers)


def labels(item: BenchItem) -> Changes:
    """Statements that a recording bears."""
    return frozenset(f"{group}:{code}" for group, codes in item.meta["labels"].items() for code, value in codes.items()
                     if value and f"{group}:{code}" not in SKIPPED)


def denied(item: BenchItem) -> Changes:
    """Statements that a recording could bear and does not."""
    return frozenset(f"{group}:{code}" for group, codes in item.meta["labels"].items() for code, value in codes.items()
                     if not value and f"{group}:{code}" not in SKIPPED)


def changed(before: Changes, now: Changes) -> Changes:
    """What is new ("+key") and what is no more there ("-key")."""
    return frozenset({*(f"+{key}" for key in now - before), *(f"-{key}" for key in before - now)})


def named(answer: Answer, space: Sequence[str]) -> Changes | None:
    """The changes that the text of an answer names, among these statements; None where it declines."""
    if answer.abstained:
        return None
    out = set()
    for sign, opening in (("+", "new in ECG 2:"), ("-", "only in ECG 1:")):
        for part in answer.text.split(";"):
            if part.strip().startswith(opening):
                text = part.split(":", 1)[1]
                # "bundle branch block 97 %" must not be read out of "incomplete bundle branch block 97 %"
                found = {name.strip().lower() for name in re.findall(r"([^\d%]+?) \d+ %(?:, )?", text)}
                out |= {f"{sign}{key}" for key in space if BY_KEY[key].name.lower() in found}
    return frozenset(out)


def score(gold: Changes, said: Changes | None) -> float:
    """Hamming score of one answer."""
    if said is None:
        return 0.0
    return len(gold & said) / len(gold | said) if gold | said else 1.0


def commonest(gold: Sequence[Changes]) -> Changes:
    """The fixed answer that does best on these pairs: the most frequent changes, as many as help."""
    order = [key for key, _ in Counter(key for one in gold for key in sorted(one)).most_common()]
    candidates = [frozenset(order[:n]) for n in range(min(8, len(order)) + 1)]
    return max(candidates, key=lambda fixed: float(np.mean([score(one, fixed) for one in gold])))
