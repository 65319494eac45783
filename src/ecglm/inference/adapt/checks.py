"""What is wrong with examples, seen from their signals and from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecglm.inference.adapt.space import ALL, Description, FewShotSpace, gram
from ecglm.inference.adapt.support import Problem
from ecglm.records.record import Record

#: Fewest examples of an answer, and how many the published figures rest on.
LEAST, ADVISED = 2, 5
MAX_ANSWERS = 20
#: Recordings more alike than this are one recording: different ones of PTB-XL reach .953 (docs/log.md).
SAME = 0.99
#: Answers whose examples are so many times as common as another's draw the answers to them.
LOPSIDED = 3


@dataclass(frozen=True)
class Example:
    """A labelled recording that was read. kind: of its file, by name of what it is; patient as in `Row`."""

    row: int
    question: str
    answer: str
    patient: str | None
    described: Description
    kind: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """Examples of one question. answer_K: numbers of `answers`, in order of appearance."""

    examples: tuple[Example, ...]

    @cached_property
    def described(self) -> Description:
        """What is measured of all of them."""
        return Description.join([example.described for example in self.examples])

    @property
    def answers(self) -> tuple[str, ...]:
        """Distinct answers."""
        return tuple(dict.fromkeys(example.answer for example in self.examples))

    @property
    def answer_K(self) -> NDArray[np.int64]:
        """Answer of each example."""
        return np.array([self.answers.index(example.answer) for example in self.examples])

    @property
    def patient_K(self) -> list[str]:
        """Whose each is; a recording of an unknown patient is taken for the only one of that patient."""
        return [f"p {e.patient.casefold()}" if e.patient else f"row {e.row}" for e in self.examples]


def kind_of(record: Record) -> dict[str, str]:
    """What a file is, apart from the ECG in it."""
    return {"set of leads": ", ".join(record.leads), "file format": record.format, "sampling rate": f"{record.fs:g} Hz",
            "unit": record.unit, "length": f"{record.duration_s:.0f} s", "device": record.meta.device or "unknown"}


def check(group: Group, space: FewShotSpace, same_patient: bool, whole: bool) -> list[Problem]:
    """Of one question. same_patient: a patient may have examples of different answers; whole: no row was left out. Where rows
    are to be mended first, nothing is warned of that may follow from them."""
    found = [*_copies(group, space), *_patients(group, same_patient)]
    whole = whole and all(problem.severity != "error" for problem in found)
    return [*found, *(problem for problem in (*_counts(group), *_giveaways(group)) if whole or problem.severity == "error")]


def _counts(group: Group) -> list[Problem]:
    about = f'question "{group.examples[0].question}"'
    patients: dict[str, set[str]] = {answer: set() for answer in group.answers}
    for example, patient in zip(group.examples, group.patient_K, strict=True):
        patients[example.answer].add(patient)
    if len(patients) == 1:
        return [Problem("error", f'{about} has only the answer "{group.answers[0]}"; add examples of another answer')]
    if len(patients) > MAX_ANSWERS:
        return [Problem("error", f"{about} has {len(patients)} answers, at most {MAX_ANSWERS} can be told apart; join some")]
    few = [Problem("error" if len(of) < LEAST else "warning",
                   f'{about}: answer "{answer}" has examples of {len(of)} patient{"s" if len(of) > 1 else ""}; '
                   + (f"give at least {LEAST}, better {ADVISED}" if len(of) < LEAST else f"{ADVISED} or more answer better"))
           for answer, of in patients.items() if len(of) < ADVISED]
    counts = np.bincount(group.answer_K)
    if counts.max() > LOPSIDED * counts.min():
        few.append(Problem("warning", f'{about}: "{group.answers[counts.argmax()]}" has {counts.max()} examples, '
                                      f'"{group.answers[counts.argmin()]}" {counts.min()}; about as many of each answer better'))
    return few


def _copies(group: Group, space: FewShotSpace) -> list[Problem]:
    """The same recording twice, under any name and in any format."""
    everything = space(group.described)[ALL]
    alike = np.triu(gram(everything, everything) > SAME, 1)
    same_leads = (group.described.mask_NL[:, None] == group.described.mask_NL[None]).all(-1)
    problems = []
    for first, second in np.argwhere(alike & same_leads):
        a, b = group.examples[first], group.examples[second]
        problems.append(Problem("error", f"the same recording as row {a.row}" + (
            "; keep one of them" if a.answer == b.answer else f', which says "{a.answer}", not "{b.answer}"; keep the right one'),
            b.row))
    return problems


def _patients(group: Group, same_patient: bool) -> list[Problem]:
    seen: dict[str, Example] = {}
    problems = []
    unknown = sum(example.patient is None for example in group.examples)
    if unknown:
        problems.append(Problem("warning", f'question "{group.examples[0].question}": nothing says whose {unknown} of '
                                           f"{len(group.examples)} recordings are; each counts as another patient's, unless a "
                                           "column patient says otherwise"))
    for example, patient in zip(group.examples, group.patient_K, strict=True):
        first = seen.setdefault(patient, example)
        if first.answer != example.answer and not same_patient:
            problems.append(Problem("error", f'the patient of row {first.row}, whose answer is "{first.answer}", not '
                                             f'"{example.answer}"; keep one, or allow it (--same-patient) where both are right, '
                                             "as before and after a treatment", example.row))
    return problems


def _giveaways(group: Group) -> list[Problem]:
    """What tells the answers apart and is no ECG: every answer has its own kind of file."""
    problems = []
    for name in group.examples[0].kind:
        of = {answer: {e.kind[name] for e in group.examples if e.answer == answer} for answer in group.answers}
        if all(len(values) == 1 for values in of.values()) and len(set.union(*of.values())) > 1:
            shown = "; ".join(f"{answer}: {next(iter(values))}" for answer, values in of.items())
            problems.append(Problem("warning", f'question "{group.examples[0].question}": the {name} alone tells answers apart '
                                               f"({shown}); what is learnt may be that"))
    return problems
