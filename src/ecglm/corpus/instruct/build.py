"""An instruction set, from sources to a file: slot by slot, each decided by the seed and its number alone.

Every slot's outcome is appended to a journal beside the file, so that a build that was killed goes on where it stopped and ends
with the same file, byte for byte. The journal goes when the file is written, all at once.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ecglm.atomic import replacing, write_text
from ecglm.bench.judge import Judge
from ecglm.bench.judge import from_environment as judge_from_environment
from ecglm.bench.task import digest
from ecglm.corpus.instruct.card import card
from ecglm.corpus.instruct.checks import problem
from ecglm.corpus.instruct.near import Near
from ecglm.corpus.instruct.remote import judged, remote, request
from ecglm.corpus.instruct.seed import Seed
from ecglm.corpus.instruct.sources import ATTRIBUTION, LICENCES, seeds_of
from ecglm.corpus.instruct.templates import Draft, template
from ecglm.endpoint import Endpoint, required
from ecglm.errors import UsageError

Form = Literal["templates", "endpoint", "local"]
NAMED = "ECGLM_ENDPOINT"
#: Shares of slots by family and form; "dialogue" is the form of several turns.
MIX: dict[tuple[str, str], float] = {
    **{("feature", form): share for form, share in (("closed", 7), ("open", 6), ("fill", 5), ("mcq", 7))},
    **{("rhythm", form): share for form, share in (("closed", 7), ("open", 4), ("fill", 2), ("mcq", 7))},
    **{("morphology", form): share for form, share in (("closed", 12), ("open", 7), ("fill", 6), ("mcq", 12))},
    **{("report", form): share for form, share in (("open", 7), ("closed", 3), ("fill", 2), ("mcq", 3))},
    ("report", "dialogue"): 7,
}
#: So many slots are tried for one item before a source counts as used up.
TRIES = 6
#: Slots between two writes of the journal.
FLUSH = 64
LETTERS_PER_TOKEN = 4.0


@dataclass(frozen=True)
class Settings:
    """What decides an instruction set. most: near-equal items kept across recordings; threshold: least score of the judge."""

    sources: tuple[str, ...]
    n: int = 10_000
    form: Form = "templates"
    seed: int = 0
    llava: bool = False
    held_out: bool = False
    most: int = 100
    judge: bool = False
    threshold: int = 4
    per_minute: float | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError("an instruction set needs at least one item; give --n 1 or more")
        if self.form not in ("templates", "endpoint", "local"):
            raise UsageError(f"there is no form {self.form!r}; use templates, endpoint or local")
        if not 0 <= self.threshold <= 5:
            raise UsageError(f"the judge scores 0 to 5; {self.threshold} is no threshold")


def build(settings: Settings, out: str | Path, resume: bool = False, progress: bool = False) -> dict[str, Any]:
    """Write ``out`` and its card; returns the counts. Raises UsageError, EndpointError; what was made stays in the journal."""
    path = Path(out)
    journal = path.with_name(path.name + ".journal")
    model = (
        required(NAMED, "--form endpoint", path.with_name(path.name + ".transcript"), per_minute=settings.per_minute)
        if settings.form == "endpoint"
        else None
    )
    judge = (
        judge_from_environment(path.with_name(path.name + ".judge"), per_minute=settings.per_minute) if settings.judge else None
    )
    if settings.judge and judge is None:
        raise UsageError("--judge needs an OpenAI-compatible endpoint; set ECGLM_JUDGE_URL and ECGLM_JUDGE_MODEL")
    seeds = seeds_of(settings.sources, settings.held_out, progress)
    key = digest(
        [
            vars(settings),
            [[s.id, sorted(s.present), sorted(s.values.items())] for s in seeds],
            model.model if model else "",
            judge.model if judge else "",
        ]
    )
    rows = _journal(journal, key) if resume else []
    write_text(journal, "".join(json.dumps(row) + "\n" for row in [{"key": key}, *rows]))
    state = _State(Near(settings.most))
    for row in rows:
        state.replay(row)
    with _bar(settings.n, progress) as advance, open(journal, "a", encoding="utf-8") as file:
        advance(len(state.items))
        pending: list[str] = []
        for slot, seed, family, form in _slots(settings, seeds, len(rows)):
            if len(state.items) >= settings.n:
                break
            row = _attempt(settings, seed, family, form, slot, model, judge, state)
            pending.append(json.dumps(row) + "\n")
            advance("item" in row)
            if len(pending) >= FLUSH or model is not None:
                file.writelines(pending)
                file.flush()
                os.fsync(file.fileno())
                pending = []
        file.writelines(pending)
    if not state.items:
        raise UsageError(f"{', '.join(settings.sources)}: no item could be made; see {journal}")
    with replacing(path) as temporary:
        temporary.write_text(
            "".join(json.dumps(shaped(i, settings.llava), ensure_ascii=False) + "\n" for i in state.items), encoding="utf-8"
        )
    write_text(
        path.with_suffix(".card.md"), card(settings, state.items, state.outcomes, len(seeds), len({s.patient for s in seeds}))
    )
    journal.unlink()
    return {
        "out": str(path),
        "items": len(state.items),
        "slots": sum(state.outcomes.values()),
        "outcomes": dict(state.outcomes.most_common()),
        "card": str(path.with_suffix(".card.md")),
    }


class _State:
    """What came of the slots so far."""

    def __init__(self, near: Near) -> None:
        self.near, self.items = near, list[dict[str, Any]]()
        self.outcomes: Counter[str] = Counter()

    def replay(self, row: dict[str, Any]) -> None:
        """Take a slot's outcome from the journal."""
        self.outcomes[row["outcome"]] += 1
        if "item" in row:
            self.near.seen(row["item"]["record"], _text(row["item"]["turns"]))
            self.items.append(row["item"])


def _slots(settings: Settings, seeds: Sequence[Seed], start: int) -> Iterator[tuple[int, Seed, str, str]]:
    order = np.random.default_rng([settings.seed, 1]).permutation(len(seeds))
    kinds, shares = list(MIX), np.array(list(MIX.values()), dtype=float)
    for slot in range(start, TRIES * settings.n + len(seeds)):
        rng = np.random.default_rng([settings.seed, 2, slot])
        family, form = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        yield slot, seeds[order[slot % len(seeds)]], family, form


def _attempt(
    settings: Settings,
    seed: Seed,
    family: str,
    form: str,
    slot: int,
    model: Endpoint | None,
    judge: Judge | None,
    state: _State,
) -> dict[str, Any]:
    """One slot: an item, or why there is none. Adds it to the state."""
    rng = np.random.default_rng([settings.seed, 3, slot])
    generator = "templates"
    if model is not None and not seed.asked:
        draft, generator = remote(model, seed, family, form, rng), model.model
    elif settings.form == "local":
        from ecglm.corpus.instruct.local import BASE, local

        made = local(seed, family, form, rng)
        draft = None if made is None else made[0]
        generator = f"templates, question reworded by {BASE}" if made is not None and made[1] else generator
    else:
        draft = template(seed, family, form, rng)
    outcome, score = "kept", None
    if draft is None:
        outcome = "nothing to ask"
    elif reason := problem(draft, seed):
        outcome = f"rule: {reason}"
    elif judge is not None and (score := judged(judge, draft, seed)) < settings.threshold:
        outcome = f"judge: below {settings.threshold}"
    elif state.near.seen(seed.id, _text(draft.turns)):
        outcome = "near-duplicate"
    state.outcomes[outcome] += 1
    if outcome != "kept" or draft is None:
        return {"outcome": outcome}
    item = _item(seed, draft, slot, generator, score)
    state.items.append(item)
    return {"outcome": outcome, "item": item}


def _item(seed: Seed, draft: Draft, slot: int, generator: str, score: int | None) -> dict[str, Any]:
    return {
        "id": f"{seed.source}-{slot:07d}",
        "record": seed.id,
        "patient": seed.patient,
        "fold": seed.fold,
        "image": seed.image,
        "family": draft.family,
        "form": draft.form,
        "turns": [list(turn) for turn in draft.turns],
        "source": seed.source,
        "licence": LICENCES[seed.source],
        "attribution": ATTRIBUTION[seed.source],
        "provenance": {
            "generator": "data set" if seed.asked else generator,
            "statements": sorted(seed.present),
            "measured": {k: round(v, 1) for k, v in seed.values.items()},
            **({} if score is None else {"judge": score}),
        },
    }


def shaped(item: dict[str, Any], llava: bool) -> dict[str, Any]:
    """An item as a line of the file: in ecglm's ``messages`` form, or LLaVA's ``conversations`` with the image first."""
    rest = {k: v for k, v in item.items() if k not in ("turns", "image")}
    if not llava:
        return rest | {
            "messages": [
                {"role": role, "content": text}
                for turn in item["turns"]
                for role, text in zip(("user", "assistant"), turn, strict=True)
            ]
        }
    said = [{"from": who, "value": text} for turn in item["turns"] for who, text in zip(("human", "gpt"), turn, strict=True)]
    said[0]["value"] = "<image>\n" + said[0]["value"]
    return {"id": item["id"], "image": item["image"], "conversations": said} | {k: v for k, v in rest.items() if k != "id"}


def estimate(settings: Settings, price_in: float, price_out: float, sample: int = 200) -> dict[str, Any]:
    """Tokens and price of `settings.form` endpoint at prices per million tokens, from `sample` slots; four letters count as a
    token, and replies as long as the templates'."""
    seeds = seeds_of(settings.sources, settings.held_out)
    asked, replied, made, tried = 0.0, 0.0, 0, 0
    for slot, seed, family, form in _slots(settings, seeds, 0):
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
        replied += 60 + (len(_text(draft.turns)) if draft else 200)
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


def _text(turns: Sequence[Sequence[str]]) -> str:
    return " ".join(part for turn in turns for part in turn)


def _journal(path: Path, key: str) -> list[dict[str, Any]]:
    """Outcomes of slots so far; none where the settings were others. Half a line at the end is left out."""
    rows: list[dict[str, Any]] = []
    if not path.is_file():
        return rows
    with open(path, encoding="utf-8") as file:
        try:
            if json.loads(file.readline())["key"] != key:
                raise UsageError(f"{path}: of other settings, data or version; remove it, or leave out --resume")
            for line in file:
                rows.append(json.loads(line))
        except (ValueError, KeyError, TypeError):
            pass
    return rows


class _bar:
    """A progress bar, or nothing."""

    def __init__(self, total: int, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), disable=not shown)
        self._task = self._progress.add_task("Items", total=total)

    def __enter__(self) -> Any:
        self._progress.start()
        return lambda by: self._progress.advance(self._task, int(by))

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
