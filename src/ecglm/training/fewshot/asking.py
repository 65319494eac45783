"""What the cells of the few-shot tables hold: a method asked in the episodes of every split, and its score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ecglm.corpus.episodes import AttributePool, Episode, EpisodeConfig, Task, episodes
from ecglm.corpus.splits import FewShotSplit
from ecglm.errors import UsageError
from ecglm.training.fewshot.evaluate import Reply, Score, replies, score
from ecglm.training.fewshot.method import Condition, FewShotData, Method
from ecglm.training.fewshot.setup import FewShotSetup

#: Shown name of each task.
TASKS: dict[Task, str] = {"verify": "verify yes/no", "choose": "choose a/b", "choose-none": "choose a/b/none",
                          "query": "query, 5-way", "query-named": "query, 5-way, group named"}
#: Episodes that meta-train a method, per split.
META_EPISODES = 400


class Asking:
    """Asks in episodes of all splits and keeps scores by name, for the tables and for machines."""

    def __init__(self, setup: FewShotSetup, count: int, seed: int, draws: int, tokens: Callable[[str], list[int]] | None,
                 progress: bool) -> None:
        self.setup, self.count, self.seed, self.draws, self.tokens, self.progress = setup, count, seed, draws, tokens, progress
        self.values: dict[str, Any] = {}

    def pool(self, split: FewShotSplit, train: bool = False) -> AttributePool:
        keys, rows = (split.train, split.train_rows) if train else (split.test, split.test_rows)
        return AttributePool(self.setup.table, keys, rows)

    def balanced(self, split: FewShotSplit, number: int, config: EpisodeConfig, train: int = 0) -> list[Episode]:
        """This split's share of the test episodes, or `train` episodes of meta-train."""
        draw = self.pool(split, train > 0).balanced(config)
        count = train or self.count // len(self.setup.splits)
        return list(episodes(draw, self.setup.table.patient_N, config, count, self.seed + 1000 * number + (500 if train else 0)))

    def meta_train(self, split: FewShotSplit, number: int, config: EpisodeConfig) -> Iterator[Episode]:
        """Drawn when a method asks for the first one: most learn from none, and not every task has enough recordings for any."""
        yield from self.balanced(split, number, config, META_EPISODES)

    def score(self, name: str, answers: Sequence[Reply]) -> Score:
        found = score(answers, self.draws, self.tokens)
        self.values[name] = found.to_dict()
        return found

    def ask(self, name: str, make: Callable[[FewShotData], Method], datas: Sequence[FewShotData], config: EpisodeConfig,
            condition: Condition = "full", splits: Sequence[FewShotSplit] | None = None) -> Score | None:
        """A method over all splits, meta-trained in each on its own attributes and patients. None: no split has enough
        recordings for such episodes; those that have are said in the values."""
        answers: list[Reply] = []
        for number, (split, data) in enumerate(zip(splits or self.setup.splits, datas, strict=True)):
            try:
                shown = self.balanced(split, number, config)
            except UsageError:  # too few recordings of its attributes for so many shots
                continue
            method = make(data)
            method.meta_train(self.meta_train(split, number, config), data, lambda _, __: None)
            part = replies(method, data, shown, self.setup.table.patient_N, condition)
            answers += [replace(reply, episode=reply.episode + number * self.count) for reply in part]
        return self.score(f"{name} | {config.task} | {condition}", answers) if answers else None


def cell(found: Score | None) -> str:
    """"77.1 (73.2-80.6)": strict accuracy, interval over attributes, in %; nothing when no episode could be drawn."""
    if found is None:
        return ""
    a = found.attributes
    return f"{100 * a.value:.1f} ({100 * a.low:.1f}-{100 * a.high:.1f})"


def partly(found: Score | None, count: int) -> str:
    """The same, with the number of episodes where some groups have too few recordings for any."""
    return cell(found) + (f", {found.n_episodes} episodes" if found is not None and found.n_episodes < count else "")
