"""Items with the question put in other words by the small language model that ecglm ships with.

SmolLM2-135M cannot be trusted with facts, so that it only rewords questions: answers and options stay those of the templates, and
a new wording that loses what is asked about, a blank or a number is thrown away for the template's own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from ecglm.corpus.instruct.even import Even
from ecglm.corpus.instruct.seed import Seed
from ecglm.corpus.instruct.templates import Draft, template
from ecglm.knowledge.report_labels import labels as read_labels

BASE = "smollm2-135m"
MAX_NEW = 40
_SHOTS = (
    ("Is the QRS duration within the normal range?", "Does the QRS duration fall within normal limits?"),
    ("Does this ECG show atrial fibrillation?", "Can you see atrial fibrillation on this ECG?"),
)


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Any]:
    import torch
    from transformers import AutoTokenizer

    from ecglm.models.base import language_model, resolve

    return language_model(BASE, torch.float32).eval(), AutoTokenizer.from_pretrained(resolve(BASE))


def local(seed: Seed, family: str, form: str, rng: np.random.Generator, even: Even) -> tuple[Draft, bool] | None:
    """A template item, and whether its question is in the model's words."""
    draft = template(seed, family, form, rng, even)
    if draft is None:
        return None
    question = draft.turns[0][0]
    first, line, rest = question.partition("\n")
    said = reworded(first)
    if not keeps(first, said):
        return draft, False
    turns = ((said + line + rest, draft.turns[0][1]), *draft.turns[1:])
    return Draft(draft.family, draft.form, turns, draft.options), True


def reworded(question: str) -> str:
    """One line in other words, greedily, so that the same question always gives the same."""
    import torch

    model, tokenizer = _model()
    turns = [{"role": "system", "content": "Reword the question about an ECG. Keep its meaning. Reply with one question only."}]
    for before, after in (*_SHOTS, (question, "")):
        turns.append({"role": "user", "content": before})
        if after:
            turns.append({"role": "assistant", "content": after})
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        out = model.generate(**ids, max_new_tokens=MAX_NEW, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    text = tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
    return str(text).strip().split("\n")[0].strip()


def keeps(before: str, after: str) -> bool:
    """Whether a new wording still asks the same: what it names, its numbers, its blank, its end."""

    def marks(text: str) -> tuple[object, ...]:
        terms = re.findall(
            r"heart rate|pr interval|qrs duration|qtc interval|rr interval|normal|above|below|within|high|low|ms\b",
            text.lower(),
        )
        return set(read_labels(text)), sorted(re.findall(r"\d+", text)), text.count("____"), text.endswith("?"), set(terms)

    return (
        bool(after) and after.lower() != before.lower() and len(after) <= 2 * len(before) + 20 and marks(before) == marks(after)
    )
