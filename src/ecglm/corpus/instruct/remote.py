"""Items written by a language model behind an endpoint, and judged by one (prompts.yaml; `ecglm.endpoint`)."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.judge import Judge
from ecglm.config import read_yaml
from ecglm.corpus.instruct.even import OPTIONS
from ecglm.corpus.instruct.phrases import findings, report_text, rhythms
from ecglm.corpus.instruct.seed import Seed, name
from ecglm.corpus.instruct.templates import Draft
from ecglm.endpoint import Endpoint, Message, conversation

SHOWN_FALSE = 12
_TEXT = {"type": "string"}


@lru_cache(maxsize=1)
def _prompts() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name("prompts.yaml"))


def facts(seed: Seed, rng: np.random.Generator | None = None) -> dict[str, Any]:
    """What a model is told of a recording. rng draws which false statements are shown; None: none of them."""
    false = sorted(name(k) for k in seed.absent)
    shown = [] if rng is None else [false[i] for i in rng.permutation(len(false))[:SHOWN_FALSE]]
    return {
        "stated": rhythms(seed) + findings(seed),
        "false": shown,
        "measured": {field: round(value) for field, value in seed.values.items()},
    }


def request(seed: Seed, family: str, form: str, rng: np.random.Generator) -> tuple[list[Message], dict[str, Any]] | None:
    """Messages and the schema of the reply, or None where the seed has nothing to tell."""
    told, prompts = facts(seed, rng), _prompts()
    if seed.asked or not (told["stated"] or told["measured"]):
        return None
    if form == "dialogue":
        task, schema = (
            prompts["dialogue"],
            _object(turns={"type": "array", "minItems": 2, "maxItems": 4, "items": _object(user=_TEXT, assistant=_TEXT)}),
        )
    elif family == "report" and form == "open":
        draft = report_text(seed)
        if not draft:
            return None
        told |= {"draft": draft, "original": seed.report}
        task, schema = prompts["revision"], _object(question=_TEXT, answer=_TEXT)
    else:
        style = prompts["styles"][int(rng.integers(len(prompts["styles"])))]
        task = prompts["task"].format(family=prompts["families"][family], form=prompts["forms"][form], style=style)
        extra = (
            {"options": {"type": "array", "minItems": OPTIONS, "maxItems": OPTIONS, "items": _TEXT}} if form == "mcq" else {}
        )
        schema = _object(question=_TEXT, answer=_TEXT, **extra)
    return conversation(f"{prompts['common']}\n{task}", json.dumps(told)), schema


def remote(endpoint: Endpoint, seed: Seed, family: str, form: str, rng: np.random.Generator) -> Draft | None:
    """An item by the model, or None where the seed has nothing to tell. Raises EndpointError."""
    asked = request(seed, family, form, rng)
    if asked is None:
        return None
    found = endpoint.json(*asked, name="item", max_tokens=1024)
    if form == "dialogue":
        return Draft("report", form, tuple((t["user"].strip(), t["assistant"].strip()) for t in found["turns"]))
    question, answer = found["question"].strip(), found["answer"].strip()
    if form != "mcq":
        return Draft(family, form, ((question, answer),))
    options = tuple(option.strip() for option in found["options"])
    lines = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCDEFGH", options, strict=True))
    place = next((n for n, option in enumerate(options) if option.lower() == answer.lower()), 0)
    return Draft(family, form, ((f"{question}\n{lines}", f"{'ABCDEFGH'[place]}. {answer}"),), options)


def judged(judge: Judge, draft: Draft, seed: Seed) -> int:
    """The judge's 0 to 5. Raises JudgeError."""
    asked = json.dumps({"facts": facts(seed), "turns": [list(turn) for turn in draft.turns]})
    schema = _object(score={"type": "integer", "minimum": 0, "maximum": 5}, reason=_TEXT)
    return int(judge.scored(_prompts()["judge"], asked, schema, "score")["score"])


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}
