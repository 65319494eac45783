"""PTB-XL Super, ECGBench's protocol, on recordings that are here: fold 9 of the 1,625 that there are, from their signals.

The five superclasses as label sets, both scorers. Thresholds are the checkpoint's; nothing is tuned on the fold. input says what
the model sees: "signal", or "page:<preset>", the recording drawn as a page and read back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.ecgbench.labels import paper_gold, paper_labels, strict_labels
from ecglm.bench.ecgbench.multilabel import Sets, paper_scores, strict_scores
from ecglm.bench.ecgbench.run import HEAD, label_rows
from ecglm.bench.ecgbench.subsets import subset
from ecglm.bench.provenance import code_hash
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import BenchItem, FindingScores, data_hash
from ecglm.errors import EcglmError, UsageError

GROUP = "super_class"
#: Earlier systems on ECGBench's images, as the paper prints them: AUC, F1, HL.
EARLIER = {"ECG-GPT": ("69.5", "53.9", "20.1"), "MERL, own protocol": ("74.2", "–", "–")}


def run(
    model: str | None,
    folder: Path,
    limit: int | None,
    seed: int,
    draws: int,
    progress: bool,
    *,
    fold: int = 9,
    input: str = "signal",
    data: str = "",
) -> tuple[Study, str]:
    """The table of the fold, and who answered. Raises UsageError for an input that this ecglm cannot give."""
    import ecglm
    from ecglm.corpus.ecgqa import findings_items

    if data:
        raise UsageError("ecgbench-pulse-ptbxl runs on ECGLM_DATA; leave out --data")
    if input != "signal" and not input.startswith("page:"):
        raise UsageError(f"input {input!r} is neither signal nor page:<preset>")
    items = findings_items(fold, limit, seed)
    subject = ecglm.load(model=model).on_bench()
    study = score(subject, items, seed, draws, progress, input, folder)
    return study, subject.id


def score(
    subject: Any,
    items: Sequence[BenchItem],
    seed: int,
    draws: int,
    progress: bool,
    shown: str = "signal",
    folder: Path | None = None,
) -> Study:
    """The protocol on any subject with `score_items` (and `prevalence`, where it knows base rates)."""
    from ecglm.bench.patients import check_leakage, swap_records

    leakage = check_leakage(items, subject)
    seen = [replace(i, record_key=f"{shown}/{i.record_key}") for i in items] if shown != "signal" else list(items)
    swapped = [replace(i, record_key=i.meta["swap_record_key"]) for i in swap_records(seen, seed)]
    of = subset("ptb-test")
    rows_of = {subject.id: _scored(subject, seen, progress), "other patient's recording": _scored(subject, swapped, progress)}
    blind = getattr(subject, "score_blind", None)
    if blind is not None:
        rows_of["no signal (zeros)"] = [replace(blind(items[0]), id=item.id) for item in items]
    labels = [item.meta["labels"][GROUP] for item in items]
    gold_text = [", ".join(name for name in of.labels if row[name]) for row in labels]
    gold: dict[str, Sets] = {
        "paper": [paper_gold(g, of) for g in gold_text],
        "strict": [strict_labels(g, of) for g in gold_text],
    }
    boot = Bootstrap([item.patient for item in items], draws, seed)
    rows: list[Sequence[str]] = []
    values: dict[str, Any] = {"leakage": leakage}

    def add(row: str, said: Sequence[str], chance: Any = None) -> None:
        paper = paper_scores(gold["paper"], [paper_labels(text, of) for text in said], boot)
        strict = strict_scores(gold["strict"], [strict_labels(text, of) for text in said], boot, of.labels, chance)
        rows.extend(label_rows(row, paper, strict))
        values[row] = {"paper": paper.to_dict(), "strict": strict.to_dict()}

    if shown != "signal":
        values["refused"] = sum(
            s.probability == subject.score_unread(i).probability for s, i in zip(rows_of[subject.id], seen, strict=True)
        )
    for row, scores in rows_of.items():
        add(
            row,
            [_words(s, of.labels) for s in scores],
            np.array([[s.probability[GROUP][name] for name in of.labels] for s in scores]),
        )
    rng = random.Random(seed)
    add("coin (chance)", [", ".join(name for name in of.labels if rng.random() < 0.5) for _ in items])
    add("NORM for all", ["NORM"] * len(items))
    for row, figures in of.published.items():
        rows.append([f"{row}, published, 2,082 images", "paper", *(f"{figures[m]:g}" for m in ("AUC", "F1", "HL"))])
    rows += [[f"{row}, published", "paper", *figures] for row, figures in EARLIER.items()]
    title = (
        f"PTB-XL Super on fold {'/'.join(sorted(_folds(items)))}, {len(items)} recordings, from {shown} (HL: lower is better)"
    )
    return Study(
        [Table(title, (*HEAD, "AUC", "F1", "HL"), rows)],
        len(items),
        boot.n_patients,
        data_hash(items),
        _notes(len(items), shown),
        values | {"code": code_hash()},
    )


def _scored(subject: Any, items: Sequence[BenchItem], progress: bool) -> list[FindingScores]:
    from rich.progress import track

    return [_one(subject, item) for item in track(items, "PTB-XL Super", disable=not progress)]


def _one(subject: Any, item: BenchItem) -> FindingScores:
    try:
        return subject.score_items([item], progress=False)[0]  # type: ignore[no-any-return]
    except UsageError:
        raise
    except EcglmError:  # a page that is refused is scored with the base rates, never left out
        if not item.record_key.startswith("page:"):
            raise
        return subject.score_unread(item)  # type: ignore[no-any-return]


def _words(scores: FindingScores, names: Sequence[str]) -> str:
    """The decisions as the reply that PULSE's prompt asks for."""
    there = scores.present[GROUP] if scores.present else {name: p >= 0.5 for name, p in scores.probability[GROUP].items()}
    return "Answer: " + ", ".join(name for name in names if there[name])


def _folds(items: Sequence[BenchItem]) -> set[str]:
    return {str(item.meta.get("fold", 9)) for item in items}


def _notes(count: int, shown: str) -> tuple[str, ...]:
    how = "signals, not images" if shown == "signal" else "pages drawn and read back"
    return (
        f"Not PULSE's test: theirs are 2,082 drawn images of full PTB-XL, many with measurements printed on them; these are "
        f"{count} recordings of fold 9, as many as could be had, normalised lead by lead (no millivolts), without age or sex "
        f"in use, and seen as {how}. Published rows are for orientation, not like for like.",
        "Thresholds are the checkpoint's own; nothing is tuned on the fold. `paper`: AUC of decisions. `strict`: AUC ranks "
        "probabilities; decisions are the same, so that F1 and HL agree. Intervals: bootstrap over patients.",
    )
