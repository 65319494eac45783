"""Hidden states of texts in a language model's folder, for scores that compare them (`ecglm.bench.bertscore`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

#: Word pieces of a text at most.
MOST = 512


@lru_cache(maxsize=1)
def _loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype="float32", use_safetensors=True).eval()


def hidden_states(folder: Path, layer: int, text: str) -> NDArray[np.float32]:
    """Unit hidden states of the word pieces of a text [T, D]; marks such as [CLS] weigh nothing, as in the paper. Where the
    tokenizer puts none first, its first mark is: the first place of a causal model sees nothing and holds no meaning."""
    tokenizer, model = _loaded(folder)
    made = tokenizer(text, truncation=True, max_length=MOST, return_special_tokens_mask=True)
    ids, marks = list(made["input_ids"]), list(made["special_tokens_mask"])
    if ids and not marks[0] and tokenizer.bos_token_id is not None:
        ids, marks = [tokenizer.bos_token_id, *ids], [1, *marks]
    with torch.inference_mode():
        states_TD = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
    unit: NDArray[np.float32] = torch.nn.functional.normalize(states_TD[torch.tensor(marks) == 0], dim=1).numpy()
    return unit
