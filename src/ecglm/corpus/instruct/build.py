"""An instruction set, from sources to a file: slot by slot, each decided by the seed and its number alone.

Every slot's outcome is appended to a journal beside the file, so that a build that was killed goes on where it stopped and ends
with the same file, byte for byte. The journal goes when the file is written, all at once.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import replacing, write_text
from ecglm.bench.judge import Judge
from ecglm.bench.judge import from_environment as judge_from_environment
from ecglm.bench.task import digest
from ecglm.corpus.instruct.card import card
from ecglm.corpus.instruct.checks import problem
from ecglm.corpus.instruct.drawn import with_pages
from ecglm.corpus.instruct.even import Even
from ecglm.corpus.instruct.near import Near
from ecglm.corpus.instruct.remote import judged, remote
from ecglm.corpus.instruct.seed import Seed
from ecglm.corpus.instruct.settings import Settings, slots
from ecglm.corpus.instruct.sources import ATTRIBUTION, LICENCES, seeds_of
from ecglm.corpus.instruct.templates import Draft, spoken, template
from ecglm.endpoint import Endpoint, required
from ecglm.errors import UsageError

NAMED = "ECGLM_ENDPOINT"
#: Slots between two writes of the journal.
FLUSH = 64


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
    seeds = with_pages(seeds, settings.pages) if settings.pages else seeds
    key = digest(
        [
            vars(settings),
            [[s.id, s.image, sorted(s.present), sorted(s.values.items())] for s in seeds],
            model.model if model else "",
            judge.model if judge else "",
        ]
    )
    rows = _journal(journal, key) if resume else []
    write_text(journal, "".join(json.dumps(row) + "\n" for row in [{"key": key}, *rows]))
    state = _State(Near(settings.most), Even(seeds))
    for row in rows:
        state.replay(row)
    with _bar(settings.n, progress) as advance, open(journal, "a", encoding="utf-8") as file:
        advance(len(state.items))
        pending: list[str] = []
        for slot, seed, family, form in slots(settings, seeds, len(rows)):
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

    def __init__(self, near: Near, even: Even) -> None:
        self.near, self.even, self.items = near, even, list[dict[str, Any]]()
        self.outcomes: Counter[str] = Counter()

    def replay(self, row: dict[str, Any]) -> None:
        """Take a slot's outcome from the journal."""
        self.outcomes[row["outcome"]] += 1
        if "item" in row:
            self.near.seen(row["item"]["record"], spoken(row["item"]["turns"]))
            self.items.append(row["item"])


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

        made = local(seed, family, form, rng, state.even)
        draft = None if made is None else made[0]
        generator = f"templates, question reworded by {BASE}" if made is not None and made[1] else generator
    else:
        draft = template(seed, family, form, rng, state.even)
    outcome, score = "kept", None
    if draft is None:
        outcome = "nothing to ask"
    elif reason := problem(draft, seed):
        outcome = f"rule: {reason}"
    elif judge is not None and (score := judged(judge, draft, seed)) < settings.threshold:
        outcome = f"judge: below {settings.threshold}"
    elif state.near.seen(seed.id, draft.text):
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
