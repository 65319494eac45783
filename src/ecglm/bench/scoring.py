"""Items and predictions -> the tables of results.json. Shapes: N items, B bootstrap draws, C codes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.metrics import answer_set, brier, ece_when_calibrated, nanmean
from ecglm.bench.stats import Bootstrap, difference, interval
from ecglm.bench.task import BenchItem, FindingScores, Prediction, TaskConfig
from ecglm.registry import METRICS, SCORERS

Floats = NDArray[np.float64]
Table = dict[str, Any]

#: Metrics with a vectorised bootstrap; others (plug-ins) are given without an interval.
_DRAWS = {"auroc": "auroc_draws", "f1": "f1_draws", "ece": "ece_draws"}
_ON_DECISIONS = ("f1",)


def valid_answers(items: Sequence[BenchItem]) -> list[tuple[str, ...]]:
    """Per item the answers it admits: its options, else its template's classes, else those seen in its template."""
    seen: dict[str, set[str]] = defaultdict(set)
    for item in items:
        seen[item.template].add(item.answer)
    return [tuple(item.options or item.meta.get("valid") or sorted(seen[item.template])) for item in items]


def correctness(items: Sequence[BenchItem], predictions: Sequence[Prediction], scorer: str) -> Floats:
    """1.0 where the prediction is right [N]. An abstention is wrong."""
    match = SCORERS.get(scorer)
    return np.array([not p.abstained and match(i.answer, p.text, valid)
                     for i, p, valid in zip(items, predictions, valid_answers(items), strict=True)], dtype=np.float64)


def majority(items: Sequence[BenchItem]) -> list[Prediction]:
    """The commonest answer of each form of question (type and template) among these items: a constant reply, no ECG."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in items:
        counts[item.qtype, item.template][item.answer] += 1
    best = {form: min((-n, answer) for answer, n in count.items())[1] for form, count in counts.items()}
    return [Prediction(item.id, best[item.qtype, item.template]) for item in items]


def uniform(items: Sequence[BenchItem]) -> Floats:
    """Probability [N] of being right by picking one of the valid answers at random."""
    return np.array([1.0 / len({answer_set(a) for a in (*valid, item.answer)})
                     for item, valid in zip(items, valid_answers(items), strict=True)])


class QaTable:
    """Scores of one task's items, by question type, on one set of bootstrap draws."""

    def __init__(self, task: TaskConfig, items: Sequence[BenchItem]) -> None:
        self.task, self.items = task, list(items)
        groups: dict[str, list[int]] = {"all": list(range(len(items)))}
        for index, item in enumerate(items):
            groups.setdefault(item.qtype, []).append(index)
        self._rows = {name: np.array(rows) for name, rows in groups.items()}
        self._boots = {name: Bootstrap([items[r].patient for r in rows], task.draws, task.seed)
                       for name, rows in groups.items()}

    def sizes(self) -> Table:
        """Items, patients and the expected answers' distinct number, by question type."""
        return {name: {"n_items": boot.n_items, "n_patients": boot.n_patients,
                       "n_answers": len({self.items[r].answer for r in self._rows[name]})}
                for name, boot in self._boots.items()}

    def accuracies(self, correct: Floats) -> Table:
        """Exact match, and balanced accuracy where the task wants it, by question type."""
        table: Table = {}
        for name, boot in self._boots.items():
            row: Table = {"exact_match": boot.mean(correct[self._rows[name]]).to_dict()}
            if name in self.task.balanced:
                row["balanced_accuracy"] = boot.balanced_accuracy(
                    self._answers(name), correct[self._rows[name]]).to_dict()
            table[name] = row
        return table

    def confidence(self, correct: Floats, predictions: Sequence[Prediction]) -> Table:
        """Abstentions, and calibration of the confidence of the other answers, by question type."""
        confidence = np.array([p.confidence for p in predictions])
        abstained = np.array([p.abstained for p in predictions])
        table: Table = {}
        for name, rows in self._rows.items():
            row: Table = {"n_abstained": int(abstained[rows].sum())}
            use = rows[~abstained[rows] & np.isfinite(confidence[rows])]
            if len(use):
                boot = Bootstrap([self.items[r].patient for r in use], self.task.draws, self.task.seed)
                row |= {"accuracy_when_answered": round(float(correct[use].mean()), 6),
                        "ece": boot.ece(correct[use], confidence[use]).to_dict(),
                        "brier": round(brier(correct[use], confidence[use]), 6)}
            table[name] = row
        return table

    def by_template(self, correct: Floats) -> Table:
        """Exact match without interval, by template."""
        rows: dict[str, list[float]] = defaultdict(list)
        for item, hit in zip(self.items, correct, strict=True):
            rows[item.template].append(hit)
        return {name: {"exact_match": round(float(np.mean(hits)), 6), "n_items": len(hits)}
                for name, hits in sorted(rows.items())}

    def differences(self, a: Floats, b: Floats) -> Table:
        """Headline score of `a` minus that of `b`, paired, by question type."""
        table: Table = {}
        for name, boot in self._boots.items():
            rows = self._rows[name]
            if name in self.task.balanced:
                answers = self._answers(name)
                draws = [boot.balanced_accuracy_draws(answers, x[rows]) for x in (a, b)]
                value = boot.balanced_accuracy(answers, a[rows]).value - boot.balanced_accuracy(answers, b[rows]).value
                table[name] = {"metric": "balanced_accuracy", **difference(value, *draws).to_dict()}
            else:
                draws_B = boot.mean_draws(a[rows] - b[rows])
                value = float((a[rows] - b[rows]).mean())
                table[name] = {"metric": "exact_match", **difference(value, draws_B, 0 * draws_B).to_dict()}
        return table

    def _answers(self, name: str) -> list[str]:
        return [self.items[r].answer for r in self._rows[name]]


def findings_table(task: TaskConfig, items: Sequence[BenchItem], scores: Sequence[FindingScores]) -> Table:
    """Per group: each metric macro-averaged with interval, ECE pooled over codes, and every code on its own."""
    boot = Bootstrap([item.patient for item in items], task.draws, task.seed)
    return {group: _group_table(task, group, items, scores, boot) for group in task.groups}


def _group_table(task: TaskConfig, group: str, items: Sequence[BenchItem], scores: Sequence[FindingScores],
                 boot: Bootstrap) -> Table:
    labels, probability, present = _matrices(group, items, scores)
    codes = sorted(labels)
    table: Table = {"codes": {code: {"n_positive": int(labels[code].sum())} for code in codes}}
    scored = [code for code in codes if 0 < labels[code].sum() < len(items)]
    table["not_scored"] = [code for code in codes if code not in scored]
    for metric in task.metrics:
        values, draws = [], []
        for code in scored:
            prediction = present[code] if metric in _ON_DECISIONS else probability[code]
            value = float(METRICS.get(metric)(labels[code], prediction))
            method = getattr(boot, _DRAWS[metric]) if metric in _DRAWS else None
            draws.append(method(labels[code], prediction) if method else np.full(boot.draws, np.nan))
            values.append(value)
            table["codes"][code][metric] = interval(value, draws[-1]).to_dict()
        macro = [nanmean(row) for row in np.array(draws).T] if draws else [float("nan")]
        table[f"macro_{metric}"] = interval(nanmean(values), macro).to_dict()
    if "ece" in task.metrics and scored:
        floors = [ece_when_calibrated(probability[code], task.draws, task.seed + i) for i, code in enumerate(scored)]
        for code, floor in zip(scored, floors, strict=True):
            table["codes"][code]["ece_when_calibrated"] = interval(float(floor.mean()), floor).to_dict()
        macro = np.mean(floors, axis=0)
        table["macro_ece_when_calibrated"] = interval(float(macro.mean()), macro).to_dict()
    if "ece" in task.metrics and codes:
        pooled = Bootstrap([i.patient for i in items] * len(codes), task.draws, task.seed)
        table["pooled_ece"] = pooled.ece(np.concatenate([labels[c] for c in codes]),
                                         np.concatenate([probability[c] for c in codes])).to_dict()
    return table


def _matrices(group: str, items: Sequence[BenchItem], scores: Sequence[FindingScores],
              ) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    labels: dict[str, Floats] = {}
    probability: dict[str, Floats] = {}
    present: dict[str, Floats] = {}
    for code in items[0].meta["labels"].get(group, {}):
        labels[code] = np.array([item.meta["labels"][group][code] for item in items], dtype=np.float64)
        probability[code] = np.array([_of(score.probability, group, code) for score in scores])
        present[code] = np.array([float(_of(score.present, group, code)) if score.present else
                                  float(_of(score.probability, group, code) >= 0.5) for score in scores])
    return labels, probability, present


def _of(values: Mapping[str, Mapping[str, float]], group: str, code: str) -> float:
    """A code the model does not know counts as probability 0: it is never found."""
    return values.get(group, {}).get(code, 0.0)
