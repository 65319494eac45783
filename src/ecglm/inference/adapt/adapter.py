"""`Adapter`: questions that were taught by examples, and how they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecglm.answers import Answer, percent
from ecglm.errors import RecordError
from ecglm.inference.adapt.folder import read_adapter, write_adapter
from ecglm.inference.adapt.space import Description, FewShotSpace
from ecglm.inference.adapt.taught import MAX_S, Taught, Told, described
from ecglm.inference.adapt.wording import Wording, wording
from ecglm.inference.guard import UNRELATED
from ecglm.inference.language import is_foreign
from ecglm.records.record import Record
from ecglm.schema import Evidence

#: Sides and examples named as evidence, and taught questions where another is not answered.
NAMED = HINTED = 3


class Adapter:
    """Questions by what they ask. name: what its user calls it, the folder it was loaded from."""

    def __init__(self, questions: Sequence[Taught], space: FewShotSpace | None = None, name: str = "") -> None:
        self.space, self.name = space or FewShotSpace.load(), name
        self.questions = tuple(questions)
        self._by_wording: dict[Wording, Taught] = {wording(text): one for one in questions for text in one.wordings}
        self._last: tuple[Record, Description | str] | None = None

    @property
    def id(self) -> str:
        """Name for answers: what was learnt decides it."""
        digest = hashlib.sha256("\n".join(one.wordings[0] for one in self.questions).encode())
        for one in self.questions:
            digest.update(one.examples.value_NV.tobytes())
        return f"adapter {digest.hexdigest()[:8]}"

    def joined(self, other: Adapter) -> Adapter:
        """Both; what `other` was taught prevails, and its name."""
        kept = [one for one in self.questions if not any(wording(text) in other._by_wording for text in one.wordings)]
        return Adapter([*kept, *other.questions], self.space, other.name)

    def answer(self, record: Record, question: str, options: Sequence[str] | None = None) -> Answer | None:
        """None for a question that was not taught."""
        asked = wording(question)
        taught = self._by_wording.get(asked)
        if taught is None:
            return None if (reason := self._nearly(question, asked)) is None else self._declined(reason)
        allowed = {answer.casefold(): number for number, answer in enumerate(taught.answers)}
        unknown = [option for option in options or () if option.strip().casefold() not in allowed]
        if unknown:
            return self._declined(f"the adapter was taught the answers {', '.join(taught.answers)}, not {', '.join(unknown)}")
        asked_of = self._described(record)
        if isinstance(asked_of, str):
            return self._declined(asked_of)
        told = taught.told(self.space, asked_of)
        chosen = sorted({allowed[o.strip().casefold()] for o in options}) if options else list(range(len(taught.answers)))
        prob = told.prob_C[chosen] / max(float(told.prob_C[chosen].sum()), 1e-12)
        best = int(prob.argmax())
        shares = {taught.answers[number]: float(p) for number, p in zip(chosen, prob, strict=True)}
        note = None if taught.estimate.above_chance else \
            f"the examples did not show that this can be told: {_estimated(taught, asked_of)}"
        evidence = _evidence(taught, told, shares, _estimated(taught, asked_of))
        if record.duration_s > MAX_S:
            evidence = (*evidence, Evidence(f"judged on the first {MAX_S:g} s of {record.duration_s:.0f} s"))
        return Answer(taught.answers[chosen[best]], float(prob[best]), False, evidence, self.id, note=note,
                      probabilities=tuple(shares.items()))

    def _nearly(self, question: str, asked: Wording) -> str | None:
        """Why a question that is not quite a taught one goes to no model, which would answer without the adapter, or None."""
        turned = self._by_wording.get(asked.turned)
        if turned is not None:
            return f'the adapter was taught "{turned.wordings[0]}"; ask in these words, so that its answers are clear'
        within = [taught for taught in self._by_wording if taught.within(asked)]
        if not within or is_foreign(question):  # models decline what is foreign
            return None
        part = max(within, key=lambda taught: len(taught.words))
        return f'asks a taught question together with something else; ask "{self._by_wording[part].wordings[0]}" by itself'

    def hinted(self, answer: Answer) -> Answer:
        """What was taught, beside a model's reason for no answer: the question may have been meant for the adapter."""
        if not answer.abstained:
            return answer
        taught = [one.wordings[0] for one in self.questions[:HINTED]]
        if answer.reason == UNRELATED:  # which asks for English; questions are taught in any language
            words = " or ".join(f'"{text}"' for text in taught)
            return replace(answer, reason="the question was not taught and is not understood; if a taught one is meant, ask it "
                                          f"in the words it was taught in: {words}")
        return replace(answer, reason=f"{answer.reason} (the adapter was taught: {'; '.join(taught)})")

    def _declined(self, reason: str) -> Answer:
        return Answer("", 0.0, True, (), self.id, reason=reason)

    def _described(self, record: Record) -> Description | str:
        """What is measured of a recording, kept for the next question, or why nothing is."""
        if self._last is None or self._last[0] is not record:
            try:
                self._last = (record, described(record)[0])
            except RecordError as error:
                self._last = (record, str(error))
        return self._last[1]

    def save(self, folder: str | Path, overwrite: bool = False) -> int:
        """Write the folder, whole or not at all; returns its size in bytes. Raises CheckpointError when it would replace
        something else, or an adapter without `overwrite`, and where nothing can be written."""
        return write_adapter(folder, self.questions, self.space, self.id, overwrite)

    @classmethod
    def load(cls, folder: str | Path) -> Adapter:
        """Raises CheckpointError for a folder that is missing, damaged, or of another space."""
        return cls(*read_adapter(folder))


def _estimated(taught: Taught, asked_of: Description) -> str:
    """What the estimate is, and of which leads where a recording lacks some of the examples'."""
    of_examples, here = taught.examples.mask_NL.astype(bool), asked_of.mask_NL[0].astype(bool)
    if not (of_examples & ~here).any():
        return f"cross-validated {taught.estimate.text}"
    counts = of_examples.sum(1)
    several = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    return (f"cross-validated with {several} lead{'s' if counts.max() > 1 else ''}: {taught.estimate.text}; this recording has "
            f"{here.sum()} readable")


def _evidence(taught: Taught, told: Told, shares: dict[str, float], estimated: str) -> tuple[Evidence, ...]:
    nearest = np.argsort(-told.like_K, kind="stable")[:NAMED]
    alike = ", ".join(f"{taught.row_K[k]} ({taught.answers[taught.answer_K[k]]})" for k in nearest)
    sides = ", ".join(f"{name} {100 * share:.0f} %" for name, share in told.sides[:NAMED])
    return (Evidence(f"from the adapter, taught by {taught.shown}; {estimated}"),
            Evidence(", ".join(f"{answer} {percent(p)}" for answer, p in sorted(shares.items(), key=lambda item: -item[1]))),
            Evidence(f"most like the examples in rows {alike} of the table"), Evidence(f"looked at most: {sides}"))
