"""Accuracy of the extractor that reads statements out of report texts: against PTB-XL's labels, and on sentences made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import ecglm.bench
from ecglm.bench.clinical import GROUPS, efficacy, labelled, said
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Table, percent
from ecglm.config import read_yaml
from ecglm.corpus.reports import ReportRow
from ecglm.knowledge.report_labels import labels
from ecglm.knowledge.report_language import language_of

SENTENCES = Path(ecglm.bench.__file__).with_name("report_sentences.yaml")
_STATUSES = ("present", "possible", "absent")
_LANGUAGES = {"English": ("en",), "German": ("de",), "both": ("en", "de")}


@lru_cache(maxsize=1)
def sentences(path: Path = SENTENCES) -> tuple[tuple[str, dict[str, str]], ...]:
    """The sentences made by hand, each with the status of every key it speaks of."""
    return tuple((item["text"], {key: status for status in _STATUSES for key in item.get(status, [])})
                 for item in read_yaml(path)["sentences"])


def hand_made() -> dict[str, float]:
    """Precision, recall and F1 of statements said (present or possible) and of statements denied, and sentences wholly right."""
    counts = {"said": [0, 0, 0], "denied": [0, 0, 0]}
    right = 0
    for text, want in sentences():
        got = {key: status for key, status in labels(text).items() if not key.startswith("super_class") or key in want}
        right += got == want
        for name, statuses in (("said", ("present", "possible")), ("denied", ("absent",))):
            true, called = ({key for key, status in side.items() if status in statuses} for side in (want, got))
            counts[name] = [a + b for a, b in zip(counts[name], (len(true & called), len(called), len(true)), strict=True)]
    out: dict[str, float] = {"sentences": len(sentences()), "right": right}
    for name, (hit, made, meant) in counts.items():
        out |= {f"{name}_precision": hit / made, f"{name}_recall": hit / meant, f"{name}_f1": 2 * hit / (made + meant),
                f"{name}_n": meant}
    return out


def extractor_tables(rows: Sequence[ReportRow], draws: int, seed: int) -> tuple[list[Table], dict[str, Any]]:
    """rows: those of one fold that have a report."""
    cells, values = [], {}
    spoken = np.array([language_of(row.text) for row in rows])
    for language, codes in _LANGUAGES.items():
        kept = [row for row, code in zip(rows, spoken, strict=True) if code in codes]
        boot = Bootstrap([str(row.patient) for row in kept], draws, seed)
        for group in GROUPS:
            true = labelled([row.labels for row in kept], group)
            for how, sure in (("present or possible", False), ("present", True)):
                score = efficacy(said([row.text for row in kept], group, sure), true, boot)
                cells.append([language, str(len(kept)), group, how,
                              *(percent(v) for v in (score.precision, score.recall, score.micro_f1, score.macro_f1))])
                values[f"{language} | {group} | {how}"] = score.to_dict()
    made = hand_made()
    hand = [[name, str(int(made[f"{name}_n"])), *(f"{100 * made[f'{name}_{m}']:.1f}" for m in ("precision", "recall", "f1"))]
            for name in ("said", "denied")]
    return [
        Table("The extractor on PTB-XL's reports against PTB-XL's labels, %",
              ("language", "reports", "group", "counted", "precision", "recall", "micro F1", "macro F1"), cells),
        Table(f"The extractor on {made['sentences']:.0f} sentences made by hand, {made['right']:.0f} of them wholly right, %",
              ("statements", "number", "precision", "recall", "F1"), hand),
    ], values | {"by hand": made}
