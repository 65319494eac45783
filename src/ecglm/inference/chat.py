"""Dialogue about one or several recordings. Each message is made a whole question (`ecglm.inference.dialogue`), which is answered
as `ask` answers it: what was said before changes what a message means, never what is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ecglm.answers import Answer, percent
from ecglm.errors import UsageError
from ecglm.inference.answer import Answerer
from ecglm.inference.background import background
from ecglm.inference.between import asks_between, between, pair
from ecglm.inference.dialogue import AskBack, Turn, chosen, resolve
from ecglm.inference.guard import check_question
from ecglm.inference.premises import UNTOLD
from ecglm.inference.presupposed import premise
from ecglm.inference.together import joined
from ecglm.inference.waves import AGREEMENT
from ecglm.inference.which import listed_recordings, recordings
from ecglm.knowledge.answer import Background
from ecglm.records.record import Record, checked_records
from ecglm.schema import Evidence

#: Messages that ask for the grounds of what was answered last.
_EXPLAIN = re.compile(
    r"(?:(?:and|but|so|ok|hm+),? )?(?:why(?: not| so| is that| do you (?:say|think) (?:so|that|this))?|"
    r"(?:are|is) (?:you|that|this|it) (?:really |quite |very )?(?:sure|certain|right|true|correct)|really|"
    r"how (?:sure|certain|confident)(?: (?:are you|is that))?(?: (?:of|about) (?:that|this|it))?|how do you know(?: that| this)?|"
    r"(?:please )?explain(?: (?:that|this|it|yourself|your answer))?(?: please)?|"
    r"what makes you (?:say|think|so sure)(?: so| that| of that)?|on what grounds|tell me more)\W*", re.I)
_NUMBER = re.compile(r"\s*#?(\d+)\W*")


class ChatSession:
    """A terminal dialogue. Of several recordings, "ECG 2: ...", "... in the other one?" or `use(2)` says which is meant;
    until one is named the session asks. After `stream`, `answer` holds the answer, `question` what was understood, `about`
    the recordings (from 1), `quoted` what was quoted from the knowledge base, and `asked_back` whether a question was asked
    instead."""

    def __init__(self, answerer: Answerer, records: Record | Sequence[Record]) -> None:
        self.answerer = answerer
        self.records = checked_records(records)
        self.current: int | None = 0 if len(self.records) == 1 else None
        self.answer: Answer | None = None
        self.question: str | None = None
        self.about: tuple[int, ...] = ()
        self.quoted: Background | None = None
        self.asked_back = False
        self._last: dict[int, tuple[str, Answer | Background]] = {}
        self._asked: str | None = None  # the last whole question, whatever recording it was about
        self._open: AskBack | str | None = None  # what was asked back: choices, or the question that lacks a recording

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
        """The reply to one message, piece by piece."""
        said = check_question(text)
        self.answer, self.question, self.about, self.quoted, self.asked_back = None, None, (), None, False
        open_, self._open = self._open, None
        count, current = len(self.records), None if self.current is None else self.current + 1
        bare, named = recordings(said, count, current)
        if isinstance(open_, str) and not isinstance(named, str) and (bare_number := _NUMBER.fullmatch(said)) is not None:
            bare, named = "", (int(bare_number[1]),)
        if asks_between(said, 0 if isinstance(named, str) else len(named), count):
            yield from self._between(said, () if isinstance(named, str) else named, current)
            return
        if isinstance(named, str):
            yield self._ask(named, said)
            return
        for number in named:
            if not 1 <= number <= count:
                raise UsageError(f"there is no recording {number}; there are {count}")
        turn = self._turn(bare, said, open_)
        if isinstance(turn, AskBack):
            yield self._ask(turn.text, turn)
            return
        numbers = named or (() if current is None else (current,))
        if len(named) == 1:
            self.use(named[0])
        if _EXPLAIN.fullmatch(turn.question) and numbers:
            yield from self._each(numbers, self._explain)
            return
        taught = any(self.answerer.taught(self.records[n - 1], turn.question) is not None for n in numbers)
        general = None if taught else background(turn.question)
        if general is not None:
            self.question, self.quoted = turn.question, general
            if self.current is not None:
                self._last[self.current] = (turn.question, general)
            yield _quoted(general)
            return
        if not numbers:
            yield self._ask(f"Which recording do you mean: {listed_recordings(count)}?", turn.question)
            return
        self._asked = self.question = turn.question
        if turn.resolved:
            yield f"({turn.question}) "
        yield from self._each(numbers, lambda: self._one(turn.question))
        answers = [answer for n in numbers if isinstance(answer := self._last.get(n - 1, ("", None))[1], Answer)]
        if len(numbers) > 1 and len(answers) == len(numbers):
            self.answer = joined(answers, [f"ECG {n}" for n in numbers])

    # -- what is meant --------------------------------------------------------------------

    def _turn(self, bare: str, said: str, open_: AskBack | str | None) -> Turn | AskBack:
        """The whole question that a message stands for, after what was asked back before it."""
        if isinstance(open_, str) and not re.search(r"[^\W\d_]", bare):
            return Turn(open_, (), False)
        if isinstance(open_, AskBack) and (answered := chosen(bare, open_.choices)) is not None:
            return Turn(answered, (), True)
        if _EXPLAIN.fullmatch(bare):
            return Turn(bare)
        if self.current is not None and self.answerer.taught(self.records[self.current], bare) is not None:
            return Turn(bare)
        return resolve(bare, self._asked)

    def _ask(self, text: str, open_: AskBack | str) -> str:
        """Ask back; the next message may be the answer to it."""
        self._open, self.asked_back = open_, True
        return text

    def _each(self, numbers: Sequence[int], reply: Callable[[], Iterator[str]]) -> Iterator[str]:
        """The reply about each of these recordings, named where there are several."""
        self.about, kept = tuple(numbers), self.current
        for position, number in enumerate(numbers):
            self.use(number)
            if len(self.records) > 1:
                yield f"{'; ' if position else ''}ECG {number}: "
            yield from reply()
        self.current = kept if len(numbers) > 1 else self.current

    # -- answers --------------------------------------------------------------------------

    def _between(self, question: str, named: Sequence[int], current: int | None) -> Iterator[str]:
        """What differs between two recordings."""
        two = pair(named, len(self.records), current)
        if two is None:
            yield self._ask(f"Which two recordings do you mean ({listed_recordings(len(self.records))})? "
                            'Ask, for instance, "What changed from ECG 1 to ECG 2?"', AskBack("", {}))
            return
        before, now = (self.answerer.reading(self.records[n - 1]) for n in two)
        answer = between(self.answerer.model, question, before, now, [f"ECG {n}" for n in two])
        self.answer, self.question, self.about = answer, question, two
        yield f"I cannot answer that: {answer.reason}." if answer.abstained else answer.text

    def _one(self, question: str) -> Iterator[str]:
        """What `ask` says to a whole question about the current recording; checked before a word of it is shown."""
        answer = self.answerer.ask_batch([(self.records[self._index], question)])[0]
        self.answer = answer
        self._last[self._index] = (question, answer)
        yield f"I cannot answer that: {answer.reason}." if answer.abstained else answer.text
        asked = premise(question)
        if asked is not None and asked.form == "cause" and answer.text.endswith(UNTOLD["cause"]):
            self.quoted = background(f"What are the causes of {asked.name}?")
            yield f". In general: {_quoted(self.quoted)}" if self.quoted is not None else ""

    def _explain(self) -> Iterator[str]:
        """What the last answer was, how sure it is and what it rests on."""
        question, answer = self._last.get(self._index, (None, None))
        if answer is None:
            yield "Nothing was answered yet that I could explain."
        elif isinstance(answer, Background):
            yield (f'The answer to "{question}" is background knowledge, quoted from "{answer.quotes[0].passage.title}" in the '
                   "knowledge base; it says nothing about this recording.")
        elif answer.abstained:
            yield f'To "{question}" I gave no answer that can be relied on: {answer.reason}.'
        else:
            note = f" ({answer.note})" if answer.note else ""
            means = "is how well the beats agree, not how often such answers are right" if AGREEMENT in (answer.note or "") \
                else "means that about so many in a hundred such answers are right"
            yield (f'To "{question}" I said "{answer.text}"{note}. Confidence {percent(answer.confidence)} {means}. '
                   "It rests on:")
            self.answer = answer

    @property
    def _index(self) -> int:
        assert self.current is not None
        return self.current


def _quoted(found: Background) -> str:
    return f"{found.text} [{'; '.join(found.quotes[0].passage.citations)}]"
