"""Instruction data for the language model: balanced question-answer pairs, grouped by recording.

A pool is drawn evenly over attributes and answers, so that the wording of a question says
nothing about its answer, and is then grouped by recording to share one prefix.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import questions as q
from ecglm.corpus.truth import Truth
from ecglm.knowledge.ranges import flag
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.facts import axis_name
from ecglm.schema import Measurements

Pair = tuple[str, str]

_VALUE = {
    "heart_rate": ("What is the heart rate?", "How fast is the heart beating?", "Heart rate?", "What is the ventricular rate?",
                   "How many beats per minute?", "What's the pulse rate?"),
    "rr": ("What is the RR interval?", "How long is the RR interval?"),
    "pr": ("What is the PR interval?", "How long is the PR interval?", "PR?", "Give the PR interval."),
    "qrs": ("What is the QRS duration?", "How wide is the QRS complex?", "QRS duration?", "How long does the QRS last?"),
    "qt": ("What is the QT interval?", "How long is the QT interval?"),
    "qtc_bazett": ("What is the QTc?", "What is the corrected QT interval?", "QTc?", "How long is the corrected QT?"),
    "axis": ("What is the axis in degrees?", "How many degrees is the frontal axis?"),
}
_SPOKEN = {"heart_rate": "heart rate", "rr": "RR interval", "pr": "PR interval", "qrs": "QRS duration", "qtc_bazett": "QTc"}
_RANGE_ANSWER = {"low": "below the normal range", "normal": "within the normal range", "high": "above the normal range"}
_HIGH = {"heart_rate": ("Is the heart rate too fast?", "Is the heart beating fast?"),
         "pr": ("Is the PR interval prolonged?", "Is the PR interval too long?"),
         "qrs": ("Is the QRS wide?", "Is the QRS complex broadened?"),
         "qtc_bazett": ("Is the QTc prolonged?", "Is the corrected QT interval too long?")}
_SUMMARY = ("What is the diagnosis?", "Interpret this ECG.", "What does this ECG show?", "Summarise the findings.",
            "What is wrong with this ECG?", "Describe this ECG.", "What are the main findings?", "Give me an overview.")
#: What people ask first.
_OFTEN = ("super_class:NORM", "rhythm:SR")
_WHY = ("Why does this ECG show {x}?", "Where do you see {x}?", "What makes this {x}?", "How severe is the {x}?")


def summary_answer(labels_C: NDArray[np.uint8]) -> str:
    """Rhythm first, then diagnoses (or "normal ecg"), then form findings."""
    rhythm = q.names_present(labels_C, "rhythm")
    diagnosis = q.names_present(labels_C, "sub_class")
    normal = bool(labels_C[q.INDEX["super_class:NORM"]])
    broad = tuple(n for n in q.names_present(labels_C, "super_class") if n != "normal ecg")
    form = q.names_present(labels_C, "form")
    named = (*rhythm, *(("normal ecg",) if normal else diagnosis or broad), *form)
    return q.joined(named) if named else "no definite finding"


def measurement_pairs(m: Measurements, sex: str | None, rng: np.random.Generator) -> list[Pair]:
    """Every kind of question on the measured values of one recording, in random wording."""
    def pick(options: Sequence[str]) -> str:
        return options[int(rng.integers(len(options)))]

    out: list[Pair] = []
    for name, wordings in _VALUE.items():
        value, unit = getattr(m, name).value, getattr(m, name).unit
        shown = "degrees" if name == "axis" else unit
        out.append((pick(wordings), "unknown" if value is None else f"{round(value)} {shown}"))
        if value is None:
            continue
        state = flag(name, value, sex)
        if name in _SPOKEN and state:
            out.append((f"What range is the {_SPOKEN[name]} in?", _RANGE_ANSWER[state]))
            out.append((f"Is the {_SPOKEN[name]} normal?", "yes" if state == "normal" else "no"))
        if name in _HIGH and state:
            out.append((pick(_HIGH[name]), "yes" if state == "high" else "no"))
    if m.axis.value is not None:
        out.append((pick(q.QUERY["axis"][:-1]), axis_name(m.axis.value)))
    if m.rhythm:
        out.append((pick(("Is the rhythm regular?", "Are the beats regular?", "Is the pulse regular?")),
                    "no" if "irregular" in m.rhythm else "yes"))
    return out


def _balanced_rows(answers: Mapping[str, Sequence[int] | NDArray[np.int64]], count: int, rng: np.random.Generator) -> list[int]:
    """Rows drawn so that every answer is about equally common; an answer is used at most six times per recording."""
    out: list[int] = []
    for rows in answers.values():
        share = min(count // max(1, len(answers)) + 1, 6 * len(rows))
        out += [int(r) for r in rng.choice(rows, size=share, replace=share > len(rows))]
    return out


def look_alikes(key: str, asked: Sequence[str]) -> tuple[str, ...]:
    """Other statements of the same group whose names share a word with this one's: the ones that reading mixes up."""
    def words(k: str) -> set[str]:
        return {word for word in re.findall(r"[a-z]+", BY_KEY[k].name) if len(word) > 3}

    return tuple(k for k in asked if k != key and BY_KEY[k].group == BY_KEY[key].group and words(k) & words(key))


def pool(truth: Truth, rows: NDArray[np.int64], measured: Sequence[Measurements], sex: Sequence[str | None],
         rng: np.random.Generator, asked: Sequence[str], scale: int = 60, focus: int = 300) -> dict[int, list[Pair]]:
    """Question-answer pairs by recording (row number). `scale` questions per attribute and answer kind.

    asked: statement keys to ask about. truth, measured and sex cover all recordings, rows says which to ask about. All
    but rare answers are asked of `focus` recordings drawn at random: many questions on one share its prefix.
    """
    pairs: dict[int, list[Pair]] = defaultdict(list)
    chosen = np.zeros(int(rows.max()) + 1, bool)
    chosen[rng.choice(rows, size=min(focus, len(rows)), replace=False)] = True

    def focused(of_kind: NDArray[np.int64]) -> NDArray[np.int64]:
        inside = of_kind[chosen[of_kind]]
        return inside if 2 * len(inside) >= min(scale, len(of_kind)) else of_kind

    def add(row: int, question: q.Question) -> None:
        pairs[row].append((question.text, question.answer))

    for key in asked:
        count = 3 * scale if key in _OFTEN else scale
        column = truth.has_NC[rows, q.INDEX[key]]
        alike = truth.named_NC[rows][:, [q.INDEX[k] for k in look_alikes(key, asked)]].any(1)
        hard = (column == 0) & alike  # half of the noes are about recordings that show a look-alike
        half = round(0.5 * count) if hard.any() else 0
        for present, where, wanted in ((True, column == 1, count), (False, hard, half), (False, column == 0, count - half)):
            of_kind = focused(rows[where])
            if not len(of_kind):
                continue
            for row in rng.choice(of_kind, size=min(wanted, 4 * len(of_kind)), replace=len(of_kind) < wanted):
                add(int(row), q.verify(key, present, rng, varied=True))
                if rng.random() < 0.08:
                    name = BY_KEY[key].name
                    pairs[int(row)].append((_WHY[int(rng.integers(len(_WHY)))].format(x=name),
                                            f"It shows {name}." if present else f"It does not show {name}."))
    for group in ("super_class", "sub_class", "form", "rhythm"):
        members = [key for key in asked if BY_KEY[key].group == group]
        for a in members:
            near = look_alikes(a, members)
            far = [m for m in members if m != a and m not in near]
            for b in (*rng.permutation(near)[:2], *rng.permutation(far))[:4]:
                columns = [q.INDEX[a], q.INDEX[str(b)]]
                has = {int(row): truth.pair(int(row), *columns) for row in rows}
                # Half of the questions are hard: both statements are possible, and it matters which are called present.
                contested = truth.has_NC[rows][:, columns].all(1)
                for hard in (False, True):
                    kinds: dict[str, list[int]] = defaultdict(list)
                    for row in rows[contested == hard]:
                        kinds[q.choose_answer(a, str(b), has[int(row)])].append(int(row))
                    for row in _balanced_rows({kind: focused(np.array(of)) for kind, of in kinds.items()}, scale // 4, rng):
                        add(row, q.choose(a, str(b), has[row], rng, varied=True))
    for kind in q.QUERY:
        answers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if kind != "axis" or truth.axis_N[row]:
                answers[q.query_answer(kind, truth.named_NC[row], truth.axis_N[row])].append(int(row))
        common = {answer: focused(np.array(of)) for answer, of in answers.items() if len(of) >= 2}
        drawn = _balanced_rows(common, 8 * scale, rng)
        if "none" in common:  # by far the commonest answer in life: even shares alone would make it one of forty
            drawn += rng.choice(common["none"], size=2 * scale).tolist()
        for row in drawn:
            add(row, q.query(kind, truth.named_NC[row], truth.axis_N[row], rng, varied=True))
    for row in list(pairs):
        offered = measurement_pairs(measured[row], sex[row], rng)
        for i in rng.choice(len(offered), size=min(3, len(offered)), replace=False):
            pairs[int(row)].append(offered[int(i)])
        if rng.random() < 0.25:
            pairs[int(row)].append((_SUMMARY[int(rng.integers(len(_SUMMARY)))], summary_answer(truth.named_NC[row])))
    return dict(pairs)


def sequences(pairs: dict[int, list[Pair]], per_sequence: int, rng: np.random.Generator) -> list[tuple[int, list[Pair]]]:
    """(row, at most `per_sequence` pairs) in random order of recordings and questions, a recording's in equal shares."""
    out = []
    for row, items in pairs.items():
        for part in np.array_split(rng.permutation(len(items)), math.ceil(len(items) / per_sequence)):
            out.append((row, [items[i] for i in part]))
    return [out[i] for i in rng.permutation(len(out))]
