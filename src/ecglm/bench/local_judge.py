"""The language model that ships as a judge: yes or no to the questions of `ecglm.bench.judge`, whichever it holds more probable
than it does with nothing to judge (contextual calibration, Zhao et al. 2021, arXiv:2102.09690).

It needs no endpoint and is weak: 135 million parameters, not trained to judge. How weak is measured beside its verdicts
(`ecglm.bench.judged`): on answers that were made wrong, and on passages whose relevance is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecglm.bench.judge import Verdict

_FAITHFUL = ("Passages:\n{passages}\n\nStatement: {answer}\n\n"
             "Is everything in the statement said in the passages? Answer yes or no.")
_RELEVANT = "Question: {question}\n\nText: {answer}\n\nDoes the text answer the question? Answer yes or no."


@dataclass(frozen=True)
class LocalJudge:
    """`judge` as `ecglm.bench.judge.Judge` has it. loaded: an `ecglm.Model`, of which the base language model judges."""

    loaded: Any

    @property
    def model(self) -> str:
        """Its name."""
        return f"{self.loaded.elm.config.base}, which ships"

    def judge(self, question: str, answer: str, passages: Sequence[str]) -> Verdict:
        """Faithful: the answer follows from the passages; relevant: it answers the question."""
        faithful = self._yes(_FAITHFUL.format(passages="\n".join(passages), answer=answer)) - self._usual[0]
        relevant = self._yes(_RELEVANT.format(question=question, answer=answer)) - self._usual[1]
        return Verdict(faithful > 0, relevant > 0, f"log-odds of yes: {faithful:.2f} faithful, {relevant:.2f} relevant")

    @cached_property
    def _usual(self) -> tuple[float, float]:
        """What it says of nothing."""
        nothing = dict.fromkeys(("passages", "question", "answer"), "N/A")
        return self._yes(_FAITHFUL.format(**nothing)), self._yes(_RELEVANT.format(**nothing))

    def _yes(self, text: str) -> float:
        return float(self.loaded.says_yes(text))
