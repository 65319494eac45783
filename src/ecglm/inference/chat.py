"""Dialogue about one recording: streamed, several turns, the key-value cache grows with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from ecglm.errors import UsageError
from ecglm.inference.answer import MAX_ANSWER_TOKENS, Answerer, ungrounded_numbers, why_unknown
from ecglm.inference.contradiction import contradiction
from ecglm.inference.engine import Prefix
from ecglm.inference.evidence import evidence_for
from ecglm.inference.guard import check_question
from ecglm.inference.topics import topics
from ecglm.records.record import Record, checked_records
from ecglm.schema import Evidence

#: A dialogue longer than this (tokens) starts anew from the recording.
MAX_CONTEXT = 3000
_NAMED, _LEADING = re.compile(r"\becg (\d+)\b", re.I), re.compile(r"^\s*ecg \d+\s*:", re.I)
#: Messages that lean on what was said, and so need not name an ECG topic.
_FOLLOW_UP = re.compile(r"(why|and\b|are you sure|explain|tell me more|how (sure|severe)|what makes)", re.I)


class ChatSession:
    """A terminal dialogue. With several recordings, "ECG 2: ..." or `use(2)` says which one is meant."""

    def __init__(self, answerer: Answerer, records: Record | Sequence[Record]) -> None:
        self.answerer = answerer
        self.records = checked_records(records)
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
        if len(self.records) > 1:
            yield f"ECG {self.current + 1}: "
        reason = self.answerer.decline(question, reading)
        leaning = not about.related and _FOLLOW_UP.match(question) is not None and self.current in self._dialogues
        if reason and not leaning:
            yield f"I cannot answer that: {reason}."
            return
        engine, model = self.answerer.engine, self.answerer.model
        prefix, turns = self._dialogues.get(self.current, (None, 0))
        if prefix is None or prefix.cache.get_seq_length() > MAX_CONTEXT:
            prefix, turns = deepcopy(self.answerer.prefix(record)), 0
        suffix = self.answerer.suffix(question)
        if turns:
            suffix = [*model.tokens(model.format.between_turns), *suffix]
        computed = self.answerer.computed(question, reading)
        if computed is not None:
            self.evidence = computed.evidence
            if computed.abstained:
                yield f"I cannot answer that: {computed.reason}."
                return
            engine.read(prefix, [*suffix, *model.tokens(computed.text)])
            self._dialogues[self.current] = (prefix, turns + 1)
            yield computed.text
            return
        ids: list[int] = []
        said = ""
        for token in engine.stream(prefix, suffix, MAX_ANSWER_TOKENS):
            ids.append(token)
            whole = model.tokenizer.decode(ids, skip_special_tokens=True)
            if not whole.endswith("\ufffd") and not "unknown".startswith(whole.strip()):  # a character may span tokens
                yield whole[len(said):]
                said = whole
        self._dialogues[self.current] = (prefix, turns + 1)
        if not said:
            yield f"I cannot answer that: {why_unknown(about, reading)}."
            return
        loose = ungrounded_numbers(said, about, reading)
        wrong = contradiction(question, said.strip(), reading, model.findings_calibration)
        if loose:
            yield f" (caution: {', '.join(loose)} was not measured)"
        elif wrong is not None:
            yield f" (caution, do not rely on this: {wrong})"
        self.evidence = evidence_for(model, reading, about, said)

    def _pick(self, text: str) -> str:
        """Turn to the recording that a message names: "ECG 2: ..." or "... in ECG 2?"."""
        named = {int(number) for number in _NAMED.findall(text)}
        if len(named) == 1:
            self.use(named.pop())
            return _LEADING.sub("", text)
        return text
