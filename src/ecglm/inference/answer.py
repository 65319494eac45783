"""Questions about recordings to answers: guard, generate, ground, calibrate, cite."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from ecglm.errors import UsageError
from ecglm.inference.confidence import calibrated_confidence
from ecglm.inference.engine import Engine, Generation, Prefix
from ecglm.inference.evidence import evidence_for
from ecglm.inference.guard import check_question, decline_question
from ecglm.inference.reading import Reading, read_recording
from ecglm.inference.topics import Topics, topics
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.prompt import clean_question, prefix_ids
from ecglm.records.record import Record
from ecglm.schema import Answer, Evidence

MAX_ANSWER_TOKENS = 64
#: Recordings whose findings and cached prefix are kept.
KEPT = 8
MAX_OPTIONS = 40


class Answerer:
    """Asks one model; keeps what it derived from the last recordings, so that further questions are cheap."""

    def __init__(self, model: EcgLanguageModel) -> None:
        self.model = model
        self._engine: Engine | None = None
        self._kept: OrderedDict[int, tuple[Reading, list[Prefix]]] = OrderedDict()

    @property
    def engine(self) -> Engine:
        """Loaded on first use, with the language model."""
        if self._engine is None:
            stop = self.model.tokens(self.model.format.stop)[:1]
            self._engine = Engine(self.model.llm, stop)
        return self._engine

    def reading(self, record: Record) -> Reading:
        """Findings, measurements and facts of a recording, from the cache when it was seen lately."""
        return self._entry(record)[0]

    def _entry(self, record: Record) -> tuple[Reading, list[Prefix]]:
        entry = self._kept.get(id(record))
        if entry is None or entry[0].record is not record:
            entry = (read_recording(self.model, record), [])
        self._kept[id(record)] = entry
        self._kept.move_to_end(id(record))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return entry

    def prefix(self, record: Record) -> Prefix:
        """The cached beginning of every prompt about this recording."""
        reading, prefixes = self._entry(record)
        if not prefixes:
            prefixes.append(self.engine.prefix(self.prefix_embeddings(reading.facts, reading)))
        return prefixes[0]

    @torch.no_grad()
    def prefix_embeddings(self, facts: str | None, reading: Reading | None) -> Tensor:
        """emb_PD of the prompt up to the question; facts None shows no ECG at all."""
        n_soft = self.model.config.connector.n_tokens
        ids = prefix_ids(self.model.tokens, self.model.format, facts, n_soft)
        emb = self.model.embed_tokens([max(i, 0) for i in ids]).clone()
        if facts is not None and reading is not None and reading.encoded is not None:
            soft = self.model.soft_prompt(reading.encoded.connector_F[None])[0]
            emb[[i for i, token in enumerate(ids) if token == -1]] = soft.to(emb.dtype)
        return emb

    def suffix(self, question: str) -> list[int]:
        """Token ids of a question and what follows it."""
        return self.model.tokens(question + self.model.format.before_answer)

    # -- public ---------------------------------------------------------------------------

    def ask(self, records: Record | Sequence[Record], question: str, options: Sequence[str] | None = None) -> Answer:
        """Answer one question. Several recordings are answered one by one and joined."""
        group = [records] if isinstance(records, Record) else list(records)
        if not group:
            raise UsageError("no recording given; pass at least one Record")
        answers = [self.ask_batch([(record, question, options)])[0] for record in group]
        return answers[0] if len(answers) == 1 else _joined(answers)

    def ask_batch(
        self, items: Sequence[tuple[Record, str] | tuple[Record, str, Sequence[str] | None]], progress: bool = False,
    ) -> list[Answer]:
        """Answers in order. Questions on one recording share its prefix and are generated together."""
        from rich.progress import track

        full = [(item[0], check_question(item[1]), _check_options(item[2] if len(item) > 2 else None)) for item in items]
        by_record: OrderedDict[int, list[int]] = OrderedDict()
        for index, (record, _, _) in enumerate(full):
            by_record.setdefault(id(record), []).append(index)
        out: list[Answer | None] = [None] * len(full)
        for indices in track(list(by_record.values()), "Asking", disable=not progress):
            for index, answer in zip(indices, self._ask_one(full[indices[0]][0], [full[i][1:] for i in indices]), strict=True):
                out[index] = answer
        return [answer for answer in out if answer is not None]

    def _ask_one(self, record: Record, asked: list[tuple[str, tuple[str, ...] | None]]) -> list[Answer]:
        """All questions on one recording."""
        reading = self.reading(record)
        about = [topics(question) for question, _ in asked]
        reasons = [reading.declined or decline_question(question, t, record)
                   for (question, _), t in zip(asked, about, strict=True)]
        free = [i for i, (_, options) in enumerate(asked) if reasons[i] is None and options is None]
        generated: dict[int, Generation] = {}
        if free:
            results = self.engine.generate(self.prefix(record), [self.suffix(asked[i][0]) for i in free], MAX_ANSWER_TOKENS)
            generated = dict(zip(free, results, strict=True))
        answers = []
        for i, (question, options) in enumerate(asked):
            reason = reasons[i]
            if reason is not None:
                answers.append(self._declined(reading, reason))
            elif options is not None:
                answers.append(self._choose(reading, question, about[i], options))
            else:
                answers.append(self._said(reading, question, about[i], generated[i]))
        return answers

    def _said(self, reading: Reading, question: str, about: Topics, generation: Generation) -> Answer:
        text = clean_question(self.model.tokenizer.decode(generation.ids, skip_special_tokens=True))
        if not text:
            return self._declined(reading, "the model gave no answer")
        if text == "unknown":
            return self._declined(reading, _why_unknown(about, reading))
        loose = ungrounded_numbers(text, reading.facts)
        if loose:
            return self._declined(reading, f"the model named {', '.join(loose)}, which nothing measured supports")
        confidence = calibrated_confidence(self.model.calibration, text, math.exp(sum(generation.logprobs)))
        return Answer(text, confidence, False, evidence_for(self.model, reading, about, text), self.model.name)

    def _choose(self, reading: Reading, question: str, about: Topics, options: tuple[str, ...]) -> Answer:
        ids = [[*self.model.tokens(option), *self.model.tokens(self.model.format.stop)[:1]] for option in options]
        scores = torch.tensor(self.engine.score(self.prefix(reading.record), self.suffix(question), ids))
        share = scores.softmax(0)
        best = int(share.argmax())
        confidence = calibrated_confidence(self.model.calibration, options[best], float(share[best]))
        return Answer(options[best], confidence, False, evidence_for(self.model, reading, about, options[best]), self.model.name)

    def _declined(self, reading: Reading, reason: str) -> Answer:
        return Answer("", 0.0, True, (), self.model.name, reason)


def ungrounded_numbers(text: str, facts: str) -> list[str]:
    """Numbers in an answer that do not stand in the facts."""
    known = set(re.findall(r"\d+", facts))
    return [n for n in re.findall(r"\d+", text) if n not in known]


def _why_unknown(about: Topics, reading: Reading) -> str:
    for name in about.measures:
        reason = getattr(reading.measurements, name).reason
        if reason:
            return str(reason)
    return "this could not be measured on this recording"


def _check_options(options: Sequence[str] | None) -> tuple[str, ...] | None:
    if options is None:
        return None
    cleaned = tuple(clean_question(str(option)) for option in options)
    if len(cleaned) < 2 or len(set(cleaned)) != len(cleaned) or not all(cleaned) or len(cleaned) > MAX_OPTIONS:
        raise UsageError(f"options must be 2 to {MAX_OPTIONS} different, non-empty answers, as in --options \"yes,no\"")
    return cleaned


def _joined(answers: list[Answer]) -> Answer:
    """One answer for several recordings: each one's text, named by its number."""
    parts, evidence = [], []
    for number, answer in enumerate(answers, start=1):
        parts.append(f"ECG {number}: {answer.text if not answer.abstained else 'no answer (' + str(answer.reason) + ')'}")
        evidence += [Evidence(f"ECG {number}: {e.text}", e.leads, e.value, e.unit, e.span_s) for e in answer.evidence]
    given = [a for a in answers if not a.abstained]
    return Answer("; ".join(parts), min((a.confidence for a in given), default=0.0), not given, tuple(evidence),
                  answers[0].model, None if given else "; ".join(parts))
