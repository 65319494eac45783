"""The questions of the language stages: labels (2), statistics (3), conversations that measure first (4), forecasts (5)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import instructions, ptbxl
from ecglm.corpus import questions as q
from ecglm.corpus.folder import data_folder
from ecglm.corpus.truth import Truth
from ecglm.errors import UsageError
from ecglm.knowledge.statements import BY_KEY
from ecglm.schema import Measurements
from ecglm.signal import measure
from ecglm.signal.delineation import delineate
from ecglm.training.curriculum.recordings import record_of

Pair = tuple[str, str]
#: Windows before an onset (s): how long, and how long before it they end.
WINDOWS, HORIZONS = (30, 60, 120), (60, 180, 300, 600)
#: Statements that comparison questions are about.
COMPARED = ("rhythm:AFIB", "rhythm:SBRAD", "rhythm:STACH", "super_class:NORM", "super_class:CD", "super_class:MI",
            "super_class:HYP", "form:PVC")
#: Statements with ectopic beats, of which an ECG in four of the statistics has one: elsewhere there is little to count.
ECTOPIC = ("form:PVC", "form:PAC")
WILL = "Will atrial fibrillation begin within {minutes} minutes?"


@dataclass(frozen=True)
class Lesson:
    """ECGs by key, questions with answers, whether they are one conversation, and of which stage. patient: whose ECG."""

    ecgs: tuple[str, ...]
    pairs: list[Pair]
    dialogue: bool
    stage: str
    patient: str


class Teacher:
    """Makes lessons about these PTB-XL rows. measured: their measurements, by row."""

    def __init__(self, rows: NDArray[np.int64], measured: dict[int, Measurements], validation: bool, questions: int) -> None:
        self.data, self.rows, self.measured, self.validation, self.most = ptbxl.load(), rows, measured, validation, questions
        self.truth = Truth(self.data.labels_NC, self.data.labels_NC, self.data.axis)
        self.asked = q.asked_statements(self.data.labels_NC[rows], 10)
        if not self.asked:
            raise UsageError(f"{len(rows)} recordings of PTB-XL are too few to ask about: no statement is true of ten and "
                             "false of ten; raise recordings, or name more folds")
        self.patient = {int(row): f"ptbxl:{self.data.patient[row]}" for row in rows}

    def lessons(self, stage: str, count: int, rng: np.random.Generator) -> list[Lesson]:
        """So many lessons of a stage, as far as there are recordings for them."""
        make: dict[str, Callable[[int, np.random.Generator], list[Lesson]]] = {
            "labels": self.labels, "statistics": self.statistics, "dialogue": self.conversations, "forecast": self.forecasts}
        made = make[stage](count, rng)
        return [made[i] for i in rng.permutation(len(made))[:count]]

    def _one(self, row: int, pairs: list[Pair], dialogue: bool, stage: str) -> Lesson:
        return Lesson((f"ptbxl:{row}",), pairs, dialogue, stage, self.patient[row])

    # -- 2 ------------------------------------------------------------------------------------

    def labels(self, count: int, rng: np.random.Generator) -> list[Lesson]:
        """Yes or no, A or B, and open questions on labels; one lesson of eight compares two ECGs."""
        sex = self.data.sex
        two = [self._compare(rng) for _ in range(count // 8)]
        scale, wanted = 24, count - len(two)
        out: list[Lesson] = []
        while len(out) < wanted:
            pool = instructions.pool(self.truth, self.rows, _Rows(self.measured), sex, rng, self.asked, scale,
                                     focus=min(len(self.rows), wanted))
            out += [self._one(row, pairs, False, "labels") for row, pairs in instructions.sequences(pool, self.most, rng)
                    if len(pairs) > 2]
        return out[:wanted] + two

    def _compare(self, rng: np.random.Generator) -> Lesson:
        """Two ECGs of different patients, of which a statement is true of the first, the second, both or neither."""
        pairs: list[Pair] = []
        a, b = (int(row) for row in rng.choice(self.rows, 2, replace=False))
        while self.patient[a] == self.patient[b]:
            b = int(rng.choice(self.rows))
        for key in rng.permutation(COMPARED)[:6]:
            has = [bool(self.data.labels_NC[row, q.INDEX[key]]) for row in (a, b)]
            name = BY_KEY[key].name
            said = "both" if all(has) else "neither" if not any(has) else "first" if has[0] else "second"
            pairs.append((f"Which of the two ECGs shows {name}?", said))
        rates = [self.measured[row].heart_rate.value for row in (a, b)]
        if None not in rates:
            pairs.append(("Which of the two ECGs has the faster heart rate?", "first" if rates[0] > rates[1] else "second"))  # type: ignore[operator]
        return Lesson((f"ptbxl:{a}", f"ptbxl:{b}"), pairs, False, "labels", self.patient[a])

    # -- 3 ------------------------------------------------------------------------------------

    def statistics(self, count: int, rng: np.random.Generator) -> list[Lesson]:
        """Numbers as we measure them; amplitudes from LUDB, which has millivolts."""
        has = self.data.labels_NC[self.rows][:, [q.INDEX[key] for key in ECTOPIC]].any(axis=1)
        few = min(count // 4, int(has.sum()))
        rows = [*rng.choice(self.rows[has], few, replace=False), *rng.choice(self.rows, count - count // 5 - few,
                                                                             replace=count > len(self.rows))]
        out = []
        for row in rows:
            pairs = ectopy(f"ptbxl:{row}") + numbers(self.measured[int(row)], self.data.sex[row], rng)
            out.append(self._one(int(row), [pairs[i] for i in rng.permutation(len(pairs))[: self.most]], False, "statistics"))
        names = ludb_names(self.validation)
        for name in rng.choice(names, count // 5).tolist():
            key = f"ludb:{name}"
            measured = measure(record_of(key))
            out.append(Lesson((key,), (amplitudes(measured, rng) + numbers(measured, None, rng))[: self.most], False,
                              "statistics", key))
        return [lesson for lesson in out if lesson.pairs]

    # -- 4 ------------------------------------------------------------------------------------

    def conversations(self, count: int, rng: np.random.Generator) -> list[Lesson]:
        """Measure, name the rhythm, look for findings, conclude."""
        out = []
        for row in rng.choice(self.rows, count, replace=count > len(self.rows)).tolist():
            labels = self.data.labels_NC[row]
            measured = measured_text(self.measured[row])
            key = str(rng.choice(self.asked))
            asked = q.verify(key, bool(labels[q.INDEX[key]]), rng, varied=True)
            turns = [("Measure this ECG.", measured),
                     ("What is the rhythm?", q.joined(q.names_present(labels, "rhythm"))),
                     (asked.text, asked.answer),
                     ("What do you conclude?", instructions.summary_answer(labels))]
            if rng.random() < 0.5:
                turns.pop(int(rng.integers(1, 3)))
            out.append(self._one(row, turns, True, "dialogue"))
        return out

    # -- 5 ------------------------------------------------------------------------------------

    def forecasts(self, count: int, rng: np.random.Generator) -> list[Lesson]:
        """Windows that end some minutes before atrial fibrillation, and as many of people without; evidence first."""
        ahead, never = forecast_records(self.validation)
        out = []
        for number in range(count):
            will = bool(number % 2)
            several = ahead if will else never
            name, subject = several[int(rng.integers(len(several)))]
            window, horizon = int(rng.choice(WINDOWS)), int(rng.choice(HORIZONS))
            start = 1800 - horizon - window if will else int(rng.integers(0, 1800 - window))
            key = f"afpdb:{name}:{start}:{window}"
            evidence = measured_text(measure(record_of(key)))
            turns = [("Measure this recording.", evidence), (WILL.format(minutes=horizon // 60), "yes" if will else "no")]
            out.append(Lesson((key,), turns, True, "forecast", f"afpdb:{subject}"))
        return out


class _Rows(Sequence[Measurements]):
    """Measurements by row, where a sequence of all rows is expected."""

    def __init__(self, measured: dict[int, Measurements]) -> None:
        self.measured = measured

    def __getitem__(self, row: int) -> Measurements:  # type: ignore[override]
        return self.measured[int(row)]

    def __len__(self) -> int:
        return len(self.measured)


def numbers(measured: Measurements, sex: str | None, rng: np.random.Generator) -> list[Pair]:
    """Questions on every number of a recording, in random order."""
    pairs = instructions.measurement_pairs(measured, sex, rng)
    for value, wording in ((measured.rmssd, "What is the RMSSD?"), (measured.rr_sd, "What is the SD of the RR intervals?"),
                           (measured.p_duration, "How long is the P wave?")):
        if value.value is not None:
            pairs.append((wording, f"{round(value.value)} {value.unit}"))
    return [pairs[i] for i in rng.permutation(len(pairs))]


def ectopy(key: str) -> list[Pair]:
    """How many premature beats of each kind there are; nothing where there are too few beats to tell."""
    types = delineate(record_of(key)).types
    return [(f"How many {word} premature beats are there?", f"{types.count(kind)} beats")
            for kind, word in (("V", "ventricular"), ("S", "supraventricular")) if types]


def amplitudes(measured: Measurements, rng: np.random.Generator) -> list[Pair]:
    """Heights of R, S and T of some leads, in millivolts."""
    known = [(f"How tall is the {wave} wave in {lead}?", getattr(values, field).value)
             for lead, values in measured.by_lead.items() for wave, field in (("R", "r"), ("S", "s"), ("T", "t"))]
    pairs = [(question, f"{value:.2f} mV") for question, value in known if value is not None]
    return [pairs[i] for i in rng.permutation(len(pairs))[:8]]


def measured_text(measured: Measurements) -> str:
    """The numbers in one sentence, those that could be measured."""
    named = (("Heart rate", measured.heart_rate), ("SDNN", measured.rr_sd), ("RMSSD", measured.rmssd), ("PR", measured.pr),
             ("QRS", measured.qrs), ("QTc", measured.qtc_bazett))
    parts = [f"{name} {round(value.value)} {value.unit}" for name, value in named if value.value is not None]
    return ", ".join(parts) + "." if parts else "Nothing can be measured."


def ludb_names(validation: bool) -> list[str]:
    """Every fourth LUDB record validates."""
    names = sorted((path.stem for path in (data_folder("ludb") / "data").glob("*.hea")), key=int)
    return [name for name in names if (int(name) % 4 == 0) == validation]


def forecast_records(validation: bool) -> tuple[list[Pair], list[Pair]]:
    """Half-hour records that end where atrial fibrillation begins, and those of people without, each with its subject group; a
    third of the groups validates (by their number)."""
    with open(data_folder("afpdb") / "index.csv", newline="", encoding="utf8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "30min"]
    ahead, never = [], []
    for row in rows:
        if (int(row["subject_group"][1:]) // 2 % 3 == 0) != validation:
            continue
        if row["label"] == "no_paf":
            never.append((row["record"], row["subject_group"]))
        elif int(row["record"][1:]) % 2 == 0:
            ahead.append((row["record"], row["subject_group"]))
    return ahead, never
