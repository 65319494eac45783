"""What an instruction set by a language model behind an endpoint would cost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ecglm.corpus.instruct.remote import request
from ecglm.corpus.instruct.settings import Settings, slots
from ecglm.corpus.instruct.sources import seeds_of
from ecglm.corpus.instruct.templates import template
from ecglm.errors import UsageError

LETTERS_PER_TOKEN = 4.0


def estimate(settings: Settings, price_in: float, price_out: float, sample: int = 200) -> dict[str, Any]:
    """Tokens and price of `settings.form` endpoint at prices per million tokens, from `sample` slots; four letters count as a
    token, and replies as long as the templates'."""
    seeds = seeds_of(settings.sources, settings.held_out)
    asked, replied, made, tried = 0.0, 0.0, 0, 0
    for slot, seed, family, form in slots(settings, seeds, 0):
        if tried >= sample:
            break
        rng = np.random.default_rng([settings.seed, 3, slot])
        tried += 1
        request_ = request(seed, family, form, rng)
        if request_ is None:
            continue
        made += 1
        draft = template(seed, family, form, rng)
        asked += sum(len(m["content"]) for m in request_[0]) + len(json.dumps(request_[1]))
        replied += 60 + (len(draft.text) if draft else 200)
    if not made:
        raise UsageError(f"{', '.join(settings.sources)}: nothing there is written by a model")
    tokens = [round(settings.n * letters / made / LETTERS_PER_TOKEN) for letters in (asked, replied)]
    judging = 2 if settings.judge else 1  # the judge reads the item once more
    price = (tokens[0] * judging * price_in + tokens[1] * price_out) / 1e6
    minutes = settings.n * judging / settings.per_minute if settings.per_minute else None
    return {
        "requests": settings.n * judging,
        "tokens_in": tokens[0] * judging,
        "tokens_out": tokens[1],
        "price_usd": round(price, 2),
        "minutes": None if minutes is None else round(minutes),
        "usable_share": round(made / tried, 3),
    }
