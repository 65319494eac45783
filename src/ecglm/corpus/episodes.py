"""Episodes of few-shot question answering: N answers, K recordings of each to learn from, Q of each to be asked about.

Two protocols (docs/fewshot.md). `balanced`: the answers of an episode are those of one question, so the question tells
nothing of the answer. `published`: N classes, each template x attribute x answer, drawn at random as in FSL-ECG-QA (Tang et
al. 2025), where the question alone often tells the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.attributes import Attribute, AttributeTable
from ecglm.corpus.questions import CHOOSE, NOUN, QUERY, VERIFY, VERIFY_NORMAL
from ecglm.errors import UsageError

Rows = NDArray[np.int64]
Task = Literal["verify", "choose", "choose-none", "query", "query-named"]
#: Open questions that name no group, so that the text tells nothing of the answer.
OPEN = ("What does this ECG show?", "What is found on this ECG?", "What can be seen on this tracing?",
        "Which finding does this recording have?", "What is the finding?", "Name the finding on this ECG.")
#: Questions about the RR interval, as `questions.QUERY` has none.
RR_QUERY = ("How long is the RR interval?", "In which range is the RR interval?", "What range does the RR interval fall within?",
            "Is the RR interval below, within or above the normal range?")


#: Between two attributes that an answer is about at once, as "none" is of "a or b?".
PAIR = " & "


@dataclass(frozen=True)
class AnswerGroup:
    """A question, in several wordings, with the recordings of one answer. attribute: what the answer says of them."""

    wordings: tuple[str, ...]
    answer: str
    attribute: str
    rows: Rows


@dataclass(frozen=True)
class EpisodeConfig:
    """ways: answers of an episode (verify and choose have as many as their question). Fewer than `queries` are asked where
    an answer has not enough recordings. wording: whether support and query ask in the same words."""

    task: Task = "verify"
    protocol: Literal["balanced", "published"] = "balanced"
    ways: int = 5
    shots: int = 5
    queries: int = 5
    wording: Literal["same", "different"] = "same"

    def __post_init__(self) -> None:
        if min(self.shots, self.queries) < 1 or self.ways < 2:
            raise ValueError("an episode needs at least two ways, one shot and one query")


@dataclass(frozen=True)
class EpisodeItem:
    """One question about one recording."""

    row: int
    question: str
    answer: str
    attribute: str


@dataclass(frozen=True)
class Episode:
    """answers in support, in order; support and query ask about different patients."""

    answers: tuple[str, ...]
    support: tuple[EpisodeItem, ...]
    query: tuple[EpisodeItem, ...]


#: Draws the classes of one episode.
Draw = Callable[[np.random.Generator], Sequence[AnswerGroup]]


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _verify_words(attribute: Attribute) -> tuple[str, ...]:
    forms = VERIFY_NORMAL if attribute.key == "super_class:NORM" else VERIFY
    return tuple(_sentence(form.format(x=attribute.name)) for form in forms)


def _choose_words(a: Attribute, b: Attribute) -> tuple[str, ...]:
    forms = [form for form in CHOOSE if (a.group == b.group and a.group in NOUN) or "{noun}" not in form]
    return tuple(_sentence(form.format(a=a.name, b=b.name, noun=NOUN.get(a.group, ""))) for form in forms)


def _query_words(group: str) -> tuple[str, ...]:
    return RR_QUERY if group == "rr" else QUERY[group]


class AttributePool:
    """Recordings (rows) and attributes of one side of a split, from which episodes are drawn."""

    def __init__(self, table: AttributeTable, keys: Sequence[str], rows: Rows) -> None:
        self.table, self.rows = table, rows
        self.attributes = [table.attributes[table.keys.index(key)] for key in keys]
        self.value = {a.key: table.column(a.key)[rows] for a in self.attributes}

    def having(self, *wanted: tuple[Attribute, int]) -> Rows:
        """Rows with these values."""
        chosen = np.ones(len(self.rows), bool)
        for attribute, value in wanted:
            chosen &= self.value[attribute.key] == value
        return self.rows[chosen]

    # -- balanced -------------------------------------------------------------------------

    def verify(self, a: Attribute) -> list[AnswerGroup]:
        """Yes or no of one attribute."""
        words = _verify_words(a)
        return [AnswerGroup(words, answer, a.key, self.having((a, value))) for answer, value in (("yes", 1), ("no", 0))]

    def choose(self, a: Attribute, b: Attribute, none: bool) -> list[AnswerGroup]:
        """Recordings with one of two attributes, or with neither."""
        words = _choose_words(a, b)
        groups = [AnswerGroup(words, a.name, a.key, self.having((a, 1), (b, 0))),
                  AnswerGroup(words, b.name, b.key, self.having((a, 0), (b, 1)))]
        return [*groups, AnswerGroup(words, "none", f"{a.key}{PAIR}{b.key}", self.having((a, 0), (b, 0)))] if none else groups

    def query(self, among: Sequence[Attribute], named: bool) -> list[AnswerGroup]:
        """Recordings with exactly one of these attributes. named: the question tells which group of findings is meant."""
        return [AnswerGroup(_query_words(a.group) if named else OPEN, a.name, a.key,
                            self.having(*((b, int(a is b)) for b in among))) for a in among]

    def balanced(self, config: EpisodeConfig) -> Draw:
        """Draws of an episode's classes; every attribute (or pair) is as likely as any other."""
        least = config.shots + 1

        def enough(groups: Sequence[AnswerGroup]) -> bool:
            return all(len(group.rows) >= least for group in groups)

        if config.task in ("query", "query-named"):
            able = [a for a in self.attributes if len(self.having((a, 1))) >= least]
            named = config.task == "query-named"

            def draw(rng: np.random.Generator) -> Sequence[AnswerGroup]:
                for _ in range(1000):
                    among = [able[i] for i in rng.choice(len(able), config.ways, replace=False)]
                    if enough(groups := self.query(among, named)):
                        return groups
                raise UsageError(f"no {config.ways} attributes have {least} recordings that tell them apart; take fewer ways")

            if len(able) < config.ways:
                raise UsageError(f"{len(able)} attributes have {least} recordings, {config.ways} ways are wanted; take fewer")
            return draw
        made = ([self.verify(a) for a in self.attributes] if config.task == "verify" else
                [self.choose(a, b, config.task == "choose-none") for a, b in combinations(self.attributes, 2)])
        made = [groups for groups in made if enough(groups)]
        if not made:
            raise UsageError(f"no question has {least} recordings of every answer; take fewer shots")
        return lambda rng: made[int(rng.integers(len(made)))]

    # -- published ------------------------------------------------------------------------

    def classes(self, task: Task, minimum: int) -> list[list[AnswerGroup]]:
        """Every class (template x attribute x answer) with at least `minimum` recordings, as the questions that ask for it."""
        found: dict[tuple[str, ...], list[AnswerGroup]] = {}
        if task == "verify":
            for a in self.attributes:
                for group in self.verify(a):
                    found[a.key, group.answer] = [group]
        elif task == "choose":
            for a, b in combinations(self.attributes, 2):
                if a.group == b.group:
                    words = _choose_words(a, b)
                    both = AnswerGroup(words, "both", f"{a.key}{PAIR}{b.key}", self.having((a, 1), (b, 1)))
                    for group, key in [*zip(self.choose(a, b, True), ((a.key,), (b.key,), (a.key, b.key, "none")), strict=True),
                                       (both, (a.key, b.key, "both"))]:
                        found.setdefault(key, []).append(group)
        else:
            for name in dict.fromkeys(a.group for a in self.attributes):
                members = [a for a in self.attributes if a.group == name]
                known = np.stack([self.value[a.key] for a in members], axis=1)
                told = [", ".join(a.name for a, v in zip(members, row, strict=True) if v == 1) or "none" for row in known]
                for answer in sorted(set(told)):
                    rows = self.rows[(np.array(told) == answer) & (known >= 0).all(1)]
                    found[name, answer] = [AnswerGroup(_query_words(name), answer, name, rows)]
        kept = ([group for group in groups if len(group.rows) >= minimum] for groups in found.values())
        return [groups for groups in kept if groups]


def published(classes: Sequence[Sequence[AnswerGroup]], config: EpisodeConfig) -> Draw:
    """N classes at random, one question of each, as the published code draws them (but without replacement)."""
    if len(classes) < config.ways:
        raise UsageError(f"{len(classes)} classes are left, {config.ways} ways are wanted; take fewer ways or lower the minimum")

    def draw(rng: np.random.Generator) -> Sequence[AnswerGroup]:
        chosen = [classes[i] for i in rng.choice(len(classes), config.ways, replace=False)]
        return [groups[int(rng.integers(len(groups)))] for groups in chosen]

    return draw


def split_classes(classes: Sequence[Sequence[AnswerGroup]], share: float = 0.8, seed: int = 222,
                  ) -> tuple[list[Sequence[AnswerGroup]], list[Sequence[AnswerGroup]]]:
    """Classes of meta-train (`share`) and of meta-test."""
    order = np.random.default_rng(seed).permutation(len(classes))
    cut = round(share * len(classes))
    return [classes[i] for i in order[:cut]], [classes[i] for i in order[cut:]]


def fill(groups: Sequence[AnswerGroup], patient_N: NDArray[np.int64], config: EpisodeConfig, rng: np.random.Generator) -> Episode:
    """An episode of these classes: no patient is met twice in it. Raises UsageError when there are too few."""
    used: set[int] = set()
    support: list[EpisodeItem] = []
    query: list[EpisodeItem] = []
    rare_first = sorted(groups, key=lambda group: len(group.rows))
    picked: dict[int, list[int]] = {id(group): [] for group in groups}
    for wanted in (config.shots, config.queries):  # every class has its support before any has its queries
        for group in rare_first:
            mine, goal = picked[id(group)], len(picked[id(group)]) + wanted
            for row in rng.permutation(group.rows):
                if len(mine) == goal:
                    break
                if int(patient_N[row]) not in used:
                    used.add(int(patient_N[row]))
                    mine.append(int(row))
    words: dict[tuple[str, ...], tuple[int, int]] = {}
    for group in groups:
        rows = picked[id(group)]
        if len(rows) <= config.shots:
            raise UsageError(f"{group.answer} ({group.attribute}) has {len(rows)} patients; {config.shots + 1} are needed")
        if group.wordings not in words:  # answers of one question are asked for in the same words, or these would tell them
            words[group.wordings] = _two_wordings(len(group.wordings), config.wording, rng)
        first, second = words[group.wordings]
        support += [EpisodeItem(row, group.wordings[first], group.answer, group.attribute) for row in rows[:config.shots]]
        query += [EpisodeItem(row, group.wordings[second], group.answer, group.attribute) for row in rows[config.shots:]]
    return Episode(tuple(dict.fromkeys(group.answer for group in groups)), tuple(support), tuple(query))


def _two_wordings(count: int, wording: str, rng: np.random.Generator) -> tuple[int, int]:
    """Wordings of support and query."""
    first = int(rng.integers(count))
    return first, first if wording == "same" or count == 1 else (first + 1 + int(rng.integers(count - 1))) % count


def episodes(draw: Draw, patient_N: NDArray[np.int64], config: EpisodeConfig, count: int, seed: int) -> Iterator[Episode]:
    """`count` episodes; the n-th depends on seed and n alone."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        for _ in range(100):
            try:
                episode = fill(draw(rng), patient_N, config, rng)
                break
            except UsageError as error:
                last = error
        else:
            raise last
        check_episode(episode, patient_N)
        yield episode


def check_episode(episode: Episode, patient_N: NDArray[np.int64]) -> None:
    """Raises UsageError when support and query share a patient or an answer of the query is not in the support."""
    shared = {int(patient_N[i.row]) for i in episode.support} & {int(patient_N[i.row]) for i in episode.query}
    if shared:
        raise UsageError(f"patient {min(shared)} is in support and query of an episode; draw them apart")
    unknown = {i.answer for i in episode.query} - set(episode.answers)
    if unknown:
        raise UsageError(f"answer {min(unknown)!r} is asked for without an example")
