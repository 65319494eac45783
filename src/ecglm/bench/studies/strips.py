"""Zero-shot classification of long strips: minutes of the MIT-BIH Arrhythmia Database that are all fibrillation, full of
ventricular beats, paced or normal, told by prompts alone, beside rules and heads that learned from other recordings.

Prompts and heads know nothing of these recordings; the rules' types of beats were learned from half of them. Intervals are over
people (201 and 202 are one).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.corpus.mitdb import Minute, minutes
from ecglm.errors import EcglmError
from ecglm.knowledge.report_text import prompts
from ecglm.records.record import Record
from ecglm.signal.rhythm_name import rhythm

#: The classes, and the statement whose wordings are the prompts and whose head is read.
CLASSES: Mapping[str, str] = {"atrial fibrillation": "rhythm:AFIB", "ventricular ectopy": "form:PVC", "paced": "rhythm:PACE",
                              "normal": "sub_class:NORM"}


class Classifies(Protocol):
    """What tells statements or texts apart, such as `ecglm.load()`."""

    def classify(self, record: Record, labels: Mapping[str, Sequence[str]] | None = None) -> dict[str, float]:
        """Share of each of the texts, or probability of each statement."""
        ...


@dataclass(frozen=True)
class Said:
    """What one way answers to every strip, None where it declines."""

    name: str
    answers: list[str | None]


def run(seed: int, draws: int, progress: bool, each: int = 3) -> Study:
    """At most so many minutes of each class from each person, evenly spaced, by the shipped model."""
    import ecglm

    return study(ecglm.load(), minutes(each), seed, draws, progress)


def study(model: Classifies, strips: Sequence[Minute], seed: int, draws: int, progress: bool) -> Study:
    """The same for any model and strips."""
    from rich.progress import track

    texts = {name: prompts(key) for name, key in CLASSES.items()}
    ways: dict[str, Callable[[Record], str | None]] = {
        "prompts, a minute": lambda record: best(model.classify(record, texts)),
        "prompts, its first 10 s": lambda record: best(model.classify(record.crop(0, 10), texts)),
        "heads (learned from PTB-XL)": lambda record: by_head(model.classify(record)),
        "rules (rhythm name)": by_rules,
    }
    answers: dict[str, list[str | None]] = {way: [] for way in ways}
    for strip in track(strips, "Strips", disable=not progress):
        for way, tell in ways.items():
            try:
                answers[way].append(tell(strip.record))
            except EcglmError:
                answers[way].append(None)
    rng = np.random.default_rng(seed)
    person = np.array([strip.person for strip in strips])
    others = [int(rng.choice(np.flatnonzero(person != one))) for one in person]
    answers["prompts, somebody else's minute"] = [answers["prompts, a minute"][i] for i in others]
    truth = [strip.kind for strip in strips]
    answers["always the commonest class"] = [max(CLASSES, key=truth.count)] * len(strips)
    answers["chance"] = [str(rng.choice(list(CLASSES))) for _ in strips]
    boot = Bootstrap(person.tolist(), draws, seed)
    rows = [[way, *cells(truth, said, boot), str(sum(one is None for one in said))] for way, said in answers.items()]
    people = {kind: len({s.person for s in strips if s.kind == kind}) for kind in CLASSES}
    counts = ", ".join(f"{kind} {truth.count(kind)} of {people[kind]} people" for kind in CLASSES)
    notes = (f"Minutes: {counts}. Macro-F1 and F1 of each class, with 95 % intervals over people; a declined answer is wrong. "
             "A minute is fibrillation or paced throughout, has six or more ventricular beats, or has only usual beats in sinus "
             "rhythm. The rules' types of beats were learned from half of these records.",)
    values: dict[str, Any] = {"strips": [[s.name, s.start_s, s.kind] for s in strips], "answers": answers}
    return Study([Table("Minutes of MIT-BIH", ("by", "macro-F1", *CLASSES, "declined"), rows)], len(strips),
                 len(set(person.tolist())), digest(values["strips"]), notes, values)


def best(shares: Mapping[str, float]) -> str:
    """The class with the largest share."""
    return max(shares, key=lambda name: shares[name])


def by_head(probability: Mapping[str, float]) -> str:
    """The class whose statement has the largest probability."""
    return max(CLASSES, key=lambda name: probability.get(CLASSES[name], 0.0))


def by_rules(record: Record) -> str | None:
    """The class that the name of the rhythm says; None where it says another."""
    found = rhythm(record)
    text = found.text.lower()
    if found.name is None:
        return None
    if "paced" in text:
        return "paced"
    if "atrial fibrillation" in text:
        return "atrial fibrillation"
    return "ventricular ectopy" if "ventricular" in text.replace("supraventricular", "") else \
        "normal" if found.name.startswith("sinus") else None


def cells(truth: Sequence[str], said: Sequence[str | None], boot: Bootstrap) -> list[str]:
    """Macro-F1 and F1 of each class, with intervals; a draw of people of whom nobody has a class says nothing of it."""
    columns = np.array([[(t == name) & (s == name), (t == name), (s == name)]
                        for name in CLASSES for t, s in zip(truth, said, strict=True)], float)
    columns = columns.reshape(len(CLASSES), len(truth), 3)
    drawn_CB = np.array([np.where(sums[:, 1] > 0, 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1e-9), np.nan)
                         for sums in map(boot.sums, columns)])
    value_C = np.array([2 * c[:, 0].sum() / max(c[:, 1].sum() + c[:, 2].sum(), 1e-9) for c in columns])
    macro = interval(float(value_C.mean()), drawn_CB.mean(axis=0))  # of draws that have every class
    return [percent(macro), *(percent(interval(float(v), d)) for v, d in zip(value_C, drawn_CB, strict=True))]
