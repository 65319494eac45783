"""The language model writes about a recording: diagnosis-driven prompting (ECG-Chat, 2408.08849).

As published, statements above their threshold and the likeliest rhythm are put before the instruction as "The {label} is
present.". The base model writes, without the adapter that teaches it short answers. What it writes is not to be believed:
`ecglm.reporting.narrative` reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from ecglm.answers import Finding
from ecglm.inference.engine import Engine
from ecglm.models import base as bases
from ecglm.models.device import best_dtype
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import measurements_text
from ecglm.records.record import RecordMeta
from ecglm.schema import Measurements

#: Tokens of a text, and prompts that are written to together.
MOST_TOKENS, BATCH = 96, 16
_SYSTEM = "You write short, factual ECG reports from given facts."
_ASK = "Write the report of this ECG in three or four short sentences. Use only these facts."


def diagnosis_prompt(findings: Iterable[Finding]) -> str:
    """Sentences such as "The sinus rhythm is present.": the likeliest rhythm, then diagnoses and forms held to be present."""
    known = list(findings)
    rhythms = [f for f in known if f.group == "rhythm"]
    top = [max(rhythms, key=lambda f: f.probability)] if rhythms else []
    present = sorted((f for f in known if f.present and f.group != "rhythm" and (f.group != "super_class" or f.code == "NORM")),
                     key=lambda f: (f.group == "form", -f.probability))
    return " ".join(f"The {name} is present." for name in dict.fromkeys(f.name for f in (*top, *present)))


def narrative_facts(measured: Measurements | None, meta: RecordMeta, findings: Iterable[Finding] | None) -> str:
    """What the model is given: the measurements, and the diagnosis-driven prompt unless findings is None."""
    facts = "Nothing was measured." if measured is None else measurements_text(measured, meta.sex, meta.age)
    return facts if findings is None else f"{facts}\n{diagnosis_prompt(findings)}"


class Narrator:
    """The base language model of a checkpoint, greedy."""

    def __init__(self, model: EcgLanguageModel) -> None:
        self.model = model
        llm = bases.language_model(model.base, best_dtype(model.device)).to(model.device).eval()
        self.engine = Engine(llm, model.tokens(model.format.stop)[:1])
        self.table: Any = llm.get_input_embeddings()

    def write(self, facts: Sequence[str], most_tokens: int = MOST_TOKENS) -> list[str]:
        """A text for each set of facts. The last sentence may be cut short."""
        out: list[str] = []
        for start in range(0, len(facts), BATCH):
            made = self.engine.generate_many([self._prompt(text) for text in facts[start:start + BATCH]], most_tokens)
            out += [str(self.model.tokenizer.decode(list(one.ids))).strip() for one in made]
        return out

    @torch.no_grad()
    def _prompt(self, facts: str) -> torch.Tensor:
        """emb_LD of the conversation up to the model's turn."""
        user = self.model.plain(f"Facts of an ECG:\n{facts}\n\n{_ASK}")
        tokenizer = self.model.tokenizer
        if getattr(tokenizer, "chat_template", None):
            text = tokenizer.apply_chat_template([{"role": "user", "content": f"{_SYSTEM}\n{user}"}], tokenize=False,
                                                 add_generation_prompt=True)
        else:
            text = f"{_SYSTEM}\n{user}\n"
        ids = torch.tensor(self.model.tokens(text), device=self.engine.device)
        emb: torch.Tensor = self.table(ids)
        return emb
