"""Questions about recordings to answers: guard, generate, ground, calibrate, cite."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ecglm.answers import Answer
from ecglm.inference.adapt.adapter import Adapter
from ecglm.inference.between import asks_between, between, pair
from ecglm.inference.computed import declined
from ecglm.inference.confidence import answer_kind, calibrated_confidence
from ecglm.inference.contradiction import alternatives, contradiction, remark, sure_of
from ecglm.inference.engine import Generation
from ecglm.inference.evidence import evidence_for, measurement_evidence
from ecglm.inference.from_image import of_image
from ecglm.inference.grounding import ungrounded_numbers, why_unknown
from ecglm.inference.guard import NOT_JUDGED, UNRELATED, check_options, check_question, decline_question, spelt
from ecglm.inference.listed import kept
from ecglm.inference.parts import Part, parts
from ecglm.inference.prompts import Prompts
from ecglm.inference.reading import Reading
from ecglm.inference.rules import known, untrained
from ecglm.inference.support import shares, support
from ecglm.inference.together import joined
from ecglm.inference.topics import Topics, learned_name, topics
from ecglm.inference.which import recordings
from ecglm.knowledge.precision import SAME_WITHIN, sure_of_value
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import UNSPOKEN
from ecglm.models.prompt import clean_question
from ecglm.records.record import Record, checked_record, checked_records
from ecglm.schema import Evidence

MAX_ANSWER_TOKENS = 64
#: Questions generated together; this many on one recording share its prefix instead of being whole prompts.
BATCH, SHARE_FROM = 16, 3
#: Options whose joint probability is smaller than this do not fit the question.
LEAST_OPTIONS = 1e-3


#: Some rhythm there is: "none" is no answer to this.
_RHYTHM = re.compile(r"what(?:'s| is) (?:the |this |his |her )?(?:patient's |underlying |heart |cardiac |basic )*rhythm\W*", re.I)


class _Waiting(NamedTuple):
    """A question that will be answered in the next batch of whole prompts."""

    number: int
    reading: Reading
    question: str


class Answerer(Prompts):
    """Asks one model; questions on a recording that was asked about lately are cheap."""

    def __init__(self, model: EcgLanguageModel, adapter: Adapter | None = None) -> None:
        super().__init__(model)
        self.adapter = adapter

    def ask(self, records: Record | Sequence[Record], question: str, options: Sequence[str] | None = None) -> Answer:
        """Answer one question. Several recordings are answered one by one and joined, unless it asks how they differ."""
        several = checked_records(records)
        together = self.together(several, question) if options is None else None
        return joined(self.ask_batch([(record, question, options) for record in several])) if together is None else together

    def together(self, records: Sequence[Record], question: str) -> Answer | None:
        """The answer to a question for what differs between recordings ("What changed since ECG 1?"); None for others."""
        _, named = recordings(check_question(question), len(records), None)
        numbers = () if isinstance(named, str) else named
        if not asks_between(question, len(numbers), len(records)):
            return None
        two = pair(numbers, len(records))
        if two is None:
            return declined(self.model, 'two recordings are compared; name them, as in "What changed from ECG 1 to ECG 2?"')
        before, now = (self.reading(records[n - 1]) for n in two)
        return between(self.model, question, before, now, [f"ECG {n}" for n in two])

    def ask_batch(
        self, items: Sequence[tuple[Record, str] | tuple[Record, str, Sequence[str] | None]], progress: bool = False,
    ) -> list[Answer]:
        """Answers in order. Questions on one recording share its prefix and are generated together."""
        full = [(checked_record(item[0]), spelt(check_question(item[1])), check_options(item[2] if len(item) > 2 else None))
                for item in items]
        taught = [self.taught(*item) for item in full]
        others = iter(self._ask_untaught([item for item, answer in zip(full, taught, strict=True) if answer is None], progress))
        answers = [self.hinted(next(others)) if answer is None else answer for answer in taught]
        return [of_image(answer, record) for answer, (record, _, _) in zip(answers, full, strict=True)]

    def hinted(self, answer: Answer) -> Answer:
        """A reason for no answer, with what the adapter was taught if there is one."""
        return answer if self.adapter is None else self.adapter.hinted(answer)

    def taught(self, record: Record, question: str, options: Sequence[str] | None = None) -> Answer | None:
        """What the adapter answers, None where it was not taught the question or there is none."""
        return None if self.adapter is None else self.adapter.answer(record, question, options)

    def _ask_untaught(self, full: Sequence[tuple[Record, str, tuple[str, ...] | None]], progress: bool) -> list[Answer]:
        """Answers to questions that were checked and that no adapter knows."""
        split = [parts(question) if options is None else () for _, question, options in full]
        single = [(record, asked, options) for (record, question, options), pieces in zip(full, split, strict=True)
                  for asked in ([part.question for part in pieces if part.judged] or [question])]
        answers = iter(self._ask_single(single, progress))
        return [joined([next(answers) if part.judged else self.unjudged(record, part) for part in pieces],
                       [part.name for part in pieces]) if pieces else next(answers)
                for (record, _, _), pieces in zip(full, split, strict=True)]

    def unjudged(self, record: Record, part: Part) -> Answer:
        """No answer to a part of a question that names nothing judged."""
        reading = self.reading(record)
        reason = reading.declined or decline_question(part.question, topics(part.question), record, reading.unusable)
        return declined(self.model, NOT_JUDGED if reason in (None, UNRELATED) else reason)

    def _ask_single(self, full: Sequence[tuple[Record, str, tuple[str, ...] | None]], progress: bool) -> list[Answer]:
        """Answers to questions that were checked and ask for one thing each."""
        from rich.progress import track

        by_record: OrderedDict[int, list[int]] = OrderedDict()
        for index, (record, _, _) in enumerate(full):
            by_record.setdefault(id(record), []).append(index)
        out: dict[int, Answer] = {}
        waiting: list[_Waiting] = []
        for indices in track(list(by_record.values()), "Asking", disable=not progress):
            record = full[indices[0]][0]
            reading = self.reading(record)
            free: list[int] = []
            for index in indices:
                _, question, options = full[index]
                about = topics(question)
                if (found := known(self.model, question, reading, options)) is not None:
                    out[index] = found
                elif options is not None:
                    out[index] = self._choose(reading, question, about, options)
                else:
                    free.append(index)
            if len(free) < SHARE_FROM and not self._entry(record)[1]:
                # Few questions on a new recording: whole prompts of several recordings make a better batch.
                waiting += [_Waiting(index, reading, full[index][1]) for index in free]
                while len(waiting) >= BATCH:
                    out |= self._flush(waiting[:BATCH])
                    waiting = waiting[BATCH:]
                continue
            for start in range(0, len(free), BATCH):
                part = free[start:start + BATCH]
                results = self.engine.generate(self.prefix(record), [self.suffix(full[i][1]) for i in part], MAX_ANSWER_TOKENS,
                                               [self.draft(reading, full[i][1]) for i in part])
                out |= {i: self.said(reading, full[i][1], g) for i, g in zip(part, results, strict=True)}
        out |= self._flush(waiting)
        return [out[index] for index in range(len(full))]

    def _flush(self, waiting: list[_Waiting]) -> dict[int, Answer]:
        """Answer questions on different recordings in one batch of whole prompts."""
        if not waiting:
            return {}
        if len(waiting) == 1:  # keep the prefix: the next question is probably about the same recording
            only = waiting[0]
            results = self.engine.generate(self.prefix(only.reading.record), [self.suffix(only.question)], MAX_ANSWER_TOKENS,
                                           [self.draft(only.reading, only.question)])
        else:
            prompts = [torch.cat([self.prefix_embeddings(w.reading.facts, w.reading),
                                  self.model.embed_tokens(self.suffix(w.question))]) for w in waiting]
            results = self.engine.generate_many(prompts, MAX_ANSWER_TOKENS, [self.draft(w.reading, w.question) for w in waiting])
        return {w.number: self.said(w.reading, w.question, g) for w, g in zip(waiting, results, strict=True)}

    def said(self, reading: Reading, question: str, generation: Generation) -> Answer:
        """What the language model said, held against findings and measurements."""
        about = topics(question)
        text = clean_question(self.model.tokenizer.decode(generation.ids, skip_special_tokens=True))
        if not text:
            return declined(self.model, "the model gave no answer")
        if text == "unknown":
            return declined(self.model, why_unknown(about, reading))
        loose = ungrounded_numbers(text, about, reading)
        if loose:
            return declined(self.model, f"the model named {', '.join(loose)}, which nothing measured supports")
        wrong = contradiction(question, text, reading, self.model.findings_calibration)
        if wrong is not None:
            return self._instead(reading, question, text) or declined(self.model, wrong)
        text, left_out = kept(text, about, reading)
        if not text:
            return declined(self.model, "; ".join(left_out))
        if text == "none" and _RHYTHM.fullmatch(question):
            return self._some_rhythm(reading, about)
        confidence = self._sure(about, text, reading, math.exp(sum(generation.logprobs)))
        if answer_kind(text) == "number" and len(about.measures) == 1 and about.measures[0] in SAME_WITHIN:
            confidence *= sure_of_value(about.measures[0])  # it may be read without doubt and still be measured with some
        note = remark(question, text, reading, self.model.findings_calibration)
        evidence = (*map(Evidence, left_out), *evidence_for(self.model, reading, about, text))
        return Answer(text if generation.stopped else text + " …", confidence, False, evidence, self.model.name, note=note)

    def _some_rhythm(self, reading: Reading, about: Topics) -> Answer:
        """The likeliest rhythm where none is called present: there is one in every heart."""
        rhythms = [f for f in reading.findings if f.group == "rhythm" and f"{f.group}:{f.code}" not in UNSPOKEN]
        best = max(rhythms, key=lambda f: f.probability)
        evidence = evidence_for(self.model, reading, about, "none")
        if best.probability < 0.5:
            return declined(self.model, next((e.text for e in evidence), "no rhythm statement is sure enough"))
        return Answer(best.name, best.probability, False, evidence, self.model.name, note="the likeliest, not called present")

    def _instead(self, reading: Reading, question: str, said: str) -> Answer | None:
        """What the findings leave to be answered where they contradict what the model said; None when that is not one thing."""
        calibration = self.model.findings_calibration
        left = [o for o in alternatives(question, said) if contradiction(question, o, reading, calibration) is None]
        if not left:
            return None
        if said in ("yes", "no"):
            text, confidence = left[0], sure_of(question, reading, calibration)
        else:
            text, share = self._likeliest(reading, question, left)
            confidence = self._sure(topics(question), text, reading, share)
        first = Evidence(f'the language model said "{said}", which the findings contradict; answered from them')
        evidence = evidence_for(self.model, reading, topics(question), text)
        note = remark(question, text, reading, calibration)
        return Answer(text, confidence, False, (first, *evidence), self.model.name, note=note)

    def _sure(self, about: Topics, text: str, reading: Reading, share: float) -> float:
        """Confidence by the findings that an answer names, or else by how probable its text was."""
        found = support(about, text, reading, self.model.findings_calibration)
        return calibrated_confidence(self.model.calibration, text, share) if found is None else found

    def _likeliest(self, reading: Reading, question: str, answers: Sequence[str]) -> tuple[str, float]:
        """The answer that the model holds most probable, and its share among these."""
        scores = self._scores(reading, question, answers)
        best = int(scores.argmax())
        return answers[best], float(scores.softmax(0)[best])

    def _scores(self, reading: Reading, question: str, answers: Sequence[str]) -> Tensor:
        """Log-probability of each answer."""
        stop = self.model.tokens(self.model.format.stop)[:1]
        ids = [[*self.model.tokens(self.model.plain(learned_name(answer))), *stop] for answer in answers]
        return torch.tensor(self.engine.score(self.prefix(reading.record), self.suffix(question), ids))

    def _choose(self, reading: Reading, question: str, about: Topics, options: tuple[str, ...]) -> Answer:
        scores = self._scores(reading, question, options)
        by_findings = shares(options, reading, self.model.findings_calibration)
        would_say = float(scores.exp().sum()) >= LEAST_OPTIONS
        if not would_say and by_findings is None:
            measured = [e.text for name in about.measures
                        if (e := measurement_evidence(name, getattr(reading.measurements, name), reading.record))]
            return declined(self.model, f"none of the options ({', '.join(options)}) is near what the model would say"
                                  + (f"; measured: {', '.join(measured)}" if measured else ""))
        share = scores.softmax(0) if would_say else torch.tensor(by_findings)
        best = int(share.argmax())
        chosen = topics(options[best])
        wrong = untrained(self.model, chosen) \
            or contradiction(question, options[best].lower(), reading, self.model.findings_calibration)
        if wrong is not None:
            return declined(self.model, f"none of the options is supported: {wrong}")
        evidence = evidence_for(self.model, reading, about, options[best])
        confidence = calibrated_confidence(self.model.calibration, options[best], float(share[best])) if by_findings is None \
            else by_findings[best]
        note = remark(question, options[best], reading, self.model.findings_calibration)
        return Answer(options[best], confidence, False, evidence, self.model.name, note=note)
