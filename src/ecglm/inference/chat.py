"""Dialogue about one recording: streamed, several turns, the key-value cache grows with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy

from ecglm.errors import UsageError
from ecglm.inference.answer import MAX_ANSWER_TOKENS, Answerer, ungrounded_numbers
from ecglm.inference.contradiction import contradiction
from ecglm.inference.engine import Prefix
from ecglm.inference.evidence import evidence_for
from ecglm.inference.guard import check_question, decline_question
from ecglm.inference.topics import topics
from ecglm.records.record import Record
from ecglm.schema import Evidence

#: A dialogue longer than this (tokens) starts anew from the recording.
MAX_CONTEXT = 3000


class ChatSession:
    """A terminal dialogue. With several recordings, "ECG 2: ..." or `use(2)` says which one is meant."""

    def __init__(self, answerer: Answerer, records: Record | Sequence[Record]) -> None:
        self.answerer = answerer
        self.records = [records] if isinstance(records, Record) else list(records)
        if not self.records:
            raise UsageError("no recording given; pass at least one Record")
        self.current = 0
        self._dialogues: dict[int, tuple[Prefix, int]] = {}
        self.evidence: tuple[Evidence, ...] = ()

    def use(self, number: int) -> None:
        """Talk about recording `number` (from 1) from now on."""
        if not 1 <= number <= len(self.records):
            raise UsageError(f"there is no recording {number}; there are {len(self.records)}")
        self.current = number - 1

    def stream(self, text: str) -> Iterator[str]:
        """The reply to one message, piece by piece; afterwards `evidence` holds what it rests on."""
        question = check_question(self._pick(text))
        record = self.records[self.current]
        reading, about = self.answerer.reading(record), topics(question)
        self.evidence = ()
        # In a dialogue "and the QTc?" or "why?" lean on what was said, so only a first message must name an ECG topic.
        reason = reading.declined or decline_question(question, about, record, reading.unusable) \
            or self.answerer.untrained(about)
        if reason and not ("does not seem to be about this ECG" in reason and self.current in self._dialogues):
            yield f"I cannot answer that: {reason}."
            return
        engine, model = self.answerer.engine, self.answerer.model
        prefix, turns = self._dialogues.get(self.current, (None, 0))
        if prefix is None or prefix.cache.get_seq_length() > MAX_CONTEXT:
            prefix, turns = deepcopy(self.answerer.prefix(record)), 0
        suffix = self.answerer.suffix(question)
        if turns:
            suffix = [*model.tokens(model.format.between_turns), *suffix]
        ids: list[int] = []
        said = ""
        for token in engine.stream(prefix, suffix, MAX_ANSWER_TOKENS):
            ids.append(token)
            whole = model.tokenizer.decode(ids, skip_special_tokens=True)
            if not whole.endswith("\ufffd"):  # a character may span tokens
                yield whole[len(said):]
                said = whole
        self._dialogues[self.current] = (prefix, turns + 1)
        loose = ungrounded_numbers(said, about, reading)
        wrong = contradiction(question, said.strip(), reading, model.findings_calibration)
        if loose:
            yield f" (caution: {', '.join(loose)} was not measured)"
        elif wrong is not None:
            yield f" (caution, do not rely on this: {wrong})"
        self.evidence = evidence_for(model, reading, about, said)

    def _pick(self, text: str) -> str:
        """Honour a leading "ECG 2:"."""
        head, colon, rest = text.partition(":")
        words = head.split()
        if colon and len(words) == 2 and words[0].lower() == "ecg" and words[1].isdecimal():
            self.use(int(words[1]))
            return rest
        return text
