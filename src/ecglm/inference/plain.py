"""The base language model without what was learned for ECGs: as a judge of texts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

#: Word pieces of a prompt at most, of its end.
MOST = 1_500


@lru_cache(maxsize=1)
def _loaded(base: str) -> tuple[Any, Any, tuple[int, int]]:
    import torch
    from transformers import AutoTokenizer

    from ecglm.models.base import language_model, resolve

    tokenizer: Any = AutoTokenizer.from_pretrained(resolve(base))
    yes, no = (tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("Yes", "No"))
    return tokenizer, language_model(base, torch.float32).eval(), (yes, no)


def says_yes(base: str, text: str) -> float:
    """Log-odds of yes against no as the first word of its reply."""
    import torch

    tokenizer, llm, (yes, no) = _loaded(base)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False)
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"][-MOST:]])
    with torch.inference_mode():
        logits = llm(ids, logits_to_keep=1).logits[0, -1].log_softmax(-1)
    return float(logits[yes] - logits[no])
