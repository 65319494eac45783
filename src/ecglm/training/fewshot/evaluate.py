"""Answers of a method to many episodes, kept on disk as they come, and what they are worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import write_text
from ecglm.bench.metrics import strict_match
from ecglm.bench.stats import Bootstrap, Interval
from ecglm.bench.task import digest
from ecglm.corpus.episodes import PAIR, Episode
from ecglm.training.fewshot.method import Condition, FewShotData, Method, under


@dataclass(frozen=True)
class Reply:
    """One query as it was answered. cluster: the attribute it is about, the first of a pair; ways: answers in its episode."""

    episode: int
    cluster: str
    patient: int
    answer: str
    reply: str
    ways: int

    @property
    def right(self) -> bool:
        """By the strict scorer: the whole reply is the answer."""
        return strict_match(self.answer, self.reply)


def replies(method: Method, data: FewShotData, episodes: Sequence[Episode], patient_N: NDArray[np.int64], condition: Condition,
            store: Path | None = None, tell: Callable[[int, float], None] | None = None) -> list[Reply]:
    """Replies to all episodes under a condition. store: a JSON-lines file; episodes that it holds are not asked again."""
    key = digest([method.name, condition, [asdict(episode) for episode in episodes]])
    done = _stored(store, key) if store is not None else {}
    if store is not None:  # without a line that a crash cut short, after which nothing could be read
        write_text(store, "".join(json.dumps(line) + "\n" for line in [
            {"key": key}, *([asdict(reply) for reply in done[number]] for number in sorted(done))]))
    right = [float(reply.right) for some in done.values() for reply in some]
    for number, episode in enumerate(episodes):
        if number in done:
            continue
        texts = method.answer(under(episode, condition), data)
        done[number] = [Reply(number, item.attribute.split(PAIR)[0], int(patient_N[item.row]), item.answer, text,
                              len(episode.answers))
                        for item, text in zip(episode.query, texts, strict=True)]
        if store is not None:
            with open(store, "a", encoding="utf8") as file:
                file.write(json.dumps([asdict(reply) for reply in done[number]]) + "\n")
        right += [float(reply.right) for reply in done[number]]
        if tell is not None:
            tell(number + 1, float(np.mean(right)))
    return [reply for number in sorted(done) for reply in done[number]]


def _stored(store: Path, key: str) -> dict[int, list[Reply]]:
    """By episode; nothing when the file is of other episodes or another method."""
    out: dict[int, list[Reply]] = {}
    if store.is_file():
        try:
            lines = store.read_text(encoding="utf8").splitlines()
            if json.loads(lines[0])["key"] != key:
                return {}
            for line in lines[1:]:
                rows = [Reply(**row) for row in json.loads(line)]
                out[rows[0].episode] = rows
        except (ValueError, KeyError, TypeError, IndexError):
            pass  # a line that a crash cut short: its episode is asked again
    return out


@dataclass(frozen=True)
class Score:
    """Strict accuracy with intervals over attributes (the honest one), patients and episodes; chance; share of the answer's
    tokens matched (None without a tokenizer)."""

    attributes: Interval
    patients: Interval
    episodes: Interval
    chance: float
    tokens: float | None
    n_episodes: int

    def to_dict(self) -> dict[str, Any]:
        """As results.json holds it."""
        return {"attributes": self.attributes.to_dict(), "patients": self.patients.to_dict(),
                "episodes": self.episodes.to_dict(), "chance": self.chance, "tokens": self.tokens, "n_episodes": self.n_episodes}


def score(answers: Sequence[Reply], draws: int = 1000, tokens: Callable[[str], list[int]] | None = None) -> Score:
    """Of replies to any number of episodes."""
    right = np.array([reply.right for reply in answers], float)
    by_attribute, by_patient, by_episode = (Bootstrap([str(getattr(reply, name)) for reply in answers], draws).mean(right)
                                            for name in ("cluster", "patient", "episode"))
    shared = None if tokens is None else float(np.mean([token_accuracy(tokens(r.answer), tokens(r.reply)) for r in answers]))
    chance = float(np.mean([1 / reply.ways for reply in answers]))
    return Score(by_attribute, by_patient, by_episode, chance, shared, len({reply.episode for reply in answers}))


def token_accuracy(answer: Sequence[int], reply: Sequence[int]) -> float:
    """The published FSL-ECG-QA score (`paper`): share of the answer's tokens that stand at the same place in the reply. The
    length is the answer's, so what follows is not looked at; a beginning token, where a tokenizer adds one, always counts."""
    return sum(a == b for a, b in zip(answer, reply, strict=False)) / max(len(answer), 1)
