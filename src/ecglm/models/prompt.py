"""How a question about ECGs becomes the text around the soft prompt, for any chat model.

One conversation is rendered with marks for what varies and cut at the marks, so that the
chat template of the base model (or a plain form when it has none) decides every separator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

NO_SIGNAL = "No ECG."
SYSTEM = "You read electrocardiograms. Answer from the ECG and its facts."
_MARK = {name: f"\u2402{name}\u2403" for name in ("ecg", "q1", "a1", "q2")}


@dataclass(frozen=True)
class PromptFormat:
    """The fixed pieces of a conversation.

    before_ecg + [soft tokens + facts of each recording] + before_question + question +
    before_answer + answer + between_turns + next question + before_answer ...
    """

    before_ecg: str
    before_question: str
    before_answer: str
    between_turns: str
    stop: str

    @staticmethod
    def of(tokenizer: Any) -> PromptFormat:
        """The format of a tokenizer's chat template, or a plain one when it has none."""
        if not getattr(tokenizer, "chat_template", None):
            return PromptFormat(SYSTEM + "\n", "\nQuestion: ", "\nAnswer:", "\nQuestion: ", "\n")
        user = f"{_MARK['ecg']}\n{_MARK['q1']}"
        turns = [{"role": "user", "content": user}, {"role": "assistant", "content": _MARK["a1"]},
                 {"role": "user", "content": _MARK["q2"]}]
        try:
            text = tokenizer.apply_chat_template([{"role": "system", "content": SYSTEM}, *turns],
                                                 tokenize=False, add_generation_prompt=True)
        except TemplateError:  # some templates (Gemma) refuse a system role
            turns[0]["content"] = f"{SYSTEM}\n{user}"
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        before_ecg, rest = text.split(_MARK["ecg"])
        before_question, rest = rest.split(_MARK["q1"])
        before_answer, rest = rest.split(_MARK["a1"])
        between, last = rest.split(_MARK["q2"])
        # What ends an answer is whatever both continuations of it start with: up to the first newline.
        stop = between.split("\n")[0] or "\n"
        return PromptFormat(before_ecg, before_question, last or before_answer,
                            between, stop)


def prefix_ids(tokens: Callable[[str], list[int]], form: PromptFormat, facts: str | None, n_soft: int) -> list[int]:
    """Ids of what precedes the first question; -1 marks soft tokens. facts None: no ECG at all."""
    if facts is None:
        return tokens(form.before_ecg + NO_SIGNAL + form.before_question)
    return [*tokens(form.before_ecg + "ECG: "), *([-1] * n_soft), *tokens("\n" + facts + form.before_question)]


def clean_question(text: str) -> str:
    """A user's question on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def plain(text: str, tokenizer: Any) -> str:
    """Text without the base model's control tokens, so that no question can end its own turn."""
    for special in tokenizer.get_added_vocab():
        text = text.replace(special, " ")
    return text


def conversation(turns: Sequence[tuple[str, str]], form: PromptFormat) -> list[tuple[str, bool]]:
    """Text pieces of question-answer turns with a flag for what the loss is taken on (answers and their stop)."""
    pieces: list[tuple[str, bool]] = []
    for i, (question, answer) in enumerate(turns):
        if i:
            pieces.append((form.between_turns.removeprefix(form.stop), False))
        pieces += [(question + form.before_answer, False), (answer + form.stop, True)]
    return pieces


def answer_targets(pieces: Iterable[tuple[str, bool]], tokens: Callable[[str], list[int]], before: Sequence[int] = (),
                   ) -> tuple[list[int], list[int]]:
    """Ids of `before` and of the pieces of a conversation, and for each the id that it must predict: the next one where that
    belongs to an answer, else -100."""
    ids, target = list(before), [-100] * len(before)
    for text, is_answer in pieces:
        for token in tokens(text):
            if is_answer:
                target[-1] = token
            ids.append(token)
            target.append(-100)
    return ids, target
