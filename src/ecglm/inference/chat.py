"""Dialogue about one recording: streamed, several turns, the key-value cache grows with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from ecglm.errors import UsageError
from ecglm.inference.answer import MAX_ANSWER_TOKENS, Answerer, joined
from ecglm.inference.background import background
from ecglm.inference.computed import computed, declined
from ecglm.inference.engine import Generation, Prefix
from ecglm.inference.guard import check_question
from ecglm.inference.parts import parts
from ecglm.inference.reading import Reading
from ecglm.knowledge.answer import Background
from ecglm.records.record import Record, checked_records
from ecglm.schema import Answer, Evidence

#: A dialogue longer than this (tokens) starts anew from the recording.
MAX_CONTEXT = 3000
_NAMED, _LEADING = re.compile(r"\becg (\d+)\b", re.I), re.compile(r"^\s*ecg \d+\s*:", re.I)
#: Messages that ask for the grounds of what was answered last.
_EXPLAIN = re.compile(
    r"(?:(?:and|but|so|ok|hm+),? )?(?:why(?: not| so| is that| do you (?:say|think) (?:so|that|this))?|"
    r"(?:are|is) (?:you|that|this|it) (?:really |quite |very )?(?:sure|certain|right|true|correct)|really|"
    r"how (?:sure|certain|confident)(?: (?:are you|is that))?(?: (?:of|about) (?:that|this|it))?|how do you know(?: that| this)?|"
    r"(?:please )?explain(?: (?:that|this|it|yourself|your answer))?(?: please)?|"
    r"what makes you (?:say|think|so sure)(?: so| that| of that)?|on what grounds|tell me more)\W*", re.I)


class ChatSession:
    """A terminal dialogue. With several recordings, "ECG 2: ..." or `use(2)` says which one is meant."""

    def __init__(self, answerer: Answerer, records: Record | Sequence[Record]) -> None:
        self.answerer = answerer
        self.records = checked_records(records)
        self.current = 0
        self._dialogues: dict[int, tuple[Prefix, int]] = {}
        self._last: dict[int, tuple[str, Answer | Background]] = {}
        self.answer: Answer | None = None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the last reply rests on."""
        return () if self.answer is None else self.answer.evidence

    def use(self, number: int) -> None:
        """Talk about recording `number` (from 1) from now on."""
        if not 1 <= number <= len(self.records):
            raise UsageError(f"there is no recording {number}; there are {len(self.records)}")
        self.current = number - 1

    def stream(self, text: str) -> Iterator[str]:
        """The reply to one message, piece by piece; afterwards `answer` holds it with its confidence and evidence."""
        question = check_question(self._pick(text))
        self.answer = None
        if len(self.records) > 1:
            yield f"ECG {self.current + 1}: "
        if _EXPLAIN.fullmatch(question):
            yield from self._explain()
            return
        taught = self.answerer.taught(self.records[self.current], question)
        if taught is not None:
            self._keep(question, taught)
            yield self._refuse(question, taught) if taught.abstained else taught.text
            return
        general = background(question)
        if general is not None:
            self._last[self.current] = (question, general)
            yield f"{general.text} [{'; '.join(general.quotes[0].passage.citations)}]"
            return
        asked = parts(question)
        if not asked:
            yield from self._reply(question)
            return
        answers: list[Answer] = []
        for part in asked:
            yield f"{'; ' if answers else ''}{part.name}: "
            if part.judged:
                yield from self._reply(part.question)
            else:
                yield self._refuse(part.question, self.answerer.unjudged(self.records[self.current], part))
            answers += [self.answer] if self.answer is not None else []
        self._keep(question, joined(answers, [part.name for part in asked]))

    def _explain(self) -> Iterator[str]:
        """What the last answer was, how sure it is and what it rests on."""
        question, answer = self._last.get(self.current, (None, None))
        if answer is None:
            yield "Nothing was answered yet that I could explain."
        elif isinstance(answer, Background):
            yield (f'The answer to "{question}" is background knowledge, quoted from "{answer.quotes[0].passage.title}" in the '
                   "knowledge base; it says nothing about this recording.")
        elif answer.abstained:
            yield f'To "{question}" I gave no answer that can be relied on: {answer.reason}.'
        else:
            note = f" ({answer.note})" if answer.note else ""
            yield (f'To "{question}" I said "{answer.text}"{note}. Confidence {100 * answer.confidence:.0f} % means that about '
                   "so many in a hundred such answers are right. It rests on:")
            self.answer = answer

    def _reply(self, question: str) -> Iterator[str]:
        """The reply to a question that asks for one thing; it becomes `answer`."""
        record, model = self.records[self.current], self.answerer.model
        reading = self.answerer.reading(record)
        reason = self.answerer.decline(question, reading)
        known = declined(model, reason) if reason is not None else computed(model, question, reading)
        if known is not None and known.abstained:
            yield self._refuse(question, self.answerer.hinted(known))
            return
        engine = self.answerer.engine
        prefix, turns = self._dialogues.get(self.current, (None, 0))
        if prefix is None or prefix.cache.get_seq_length() > MAX_CONTEXT:
            prefix, turns = deepcopy(self.answerer.prefix(record)), 0
        suffix = self.answerer.suffix(question)
        if turns:
            suffix = [*model.tokens(model.format.between_turns), *suffix]
        self._dialogues[self.current] = (prefix, turns + 1)
        if known is not None:
            engine.read(prefix, [*suffix, *model.tokens(known.text)])
            self._keep(question, known)
            yield known.text
            return
        ids: list[int] = []
        logprobs: list[float] = []
        said, stopped = "", False
        for token, logprob in engine.stream(prefix, suffix, MAX_ANSWER_TOKENS):
            logprobs.append(logprob)
            stopped = token in engine.stop
            if stopped:
                continue
            ids.append(token)
            whole = model.tokenizer.decode(ids, skip_special_tokens=True)
            if not whole.endswith("\ufffd") and not "unknown".startswith(whole.strip()):  # a character may span tokens
                yield whole[len(said):]
                said = whole
        yield from self._judge(question, reading, said.strip(), Generation(tuple(ids), tuple(logprobs), stopped))

    def _judge(self, question: str, reading: Reading, said: str, generation: Generation) -> Iterator[str]:
        """What must follow the words that were streamed: they cannot be taken back, so what `ask` would say instead is added."""
        answer = self.answerer.said(reading, question, generation)
        if not said:
            yield self._refuse(question, answer)
            return
        self._keep(question, answer)
        if answer.abstained:
            yield f" (caution, do not rely on this: {answer.reason})"
        elif answer.text.removesuffix(" …") != said:
            yield f" (caution, the findings say instead: {answer.text})"

    def _refuse(self, question: str, answer: Answer) -> str:
        self._keep(question, answer)
        return f"I cannot answer that: {answer.reason}."

    def _keep(self, question: str, answer: Answer) -> None:
        """Make this the answer that was given last."""
        self.answer = answer
        self._last[self.current] = (question, answer)

    def _pick(self, text: str) -> str:
        """Turn to the recording that a message names: "ECG 2: ..." or "... in ECG 2?"."""
        named = {int(number) for number in _NAMED.findall(text)}
        if len(named) == 1:
            self.use(named.pop())
            return _LEADING.sub("", text)
        return text
