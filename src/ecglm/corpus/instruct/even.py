"""Which statement a question is about and which wrong ones are offered, so that words alone do not give the answer away.

A statement that is nearly always true where it is asked about, or an option of a form that only right answers have, is answered
without the ECG. So yes and no, right and wrong, draw from the same statements: those of all recordings of a source, a wrong
reading being another recording's. Weights are fitted so that each statement is right as often as wrong in closed questions, and
once in eight times that it is offered in choices; where a recording has only what is asked too often, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from ecglm.corpus.instruct.phrases import FEATURES, finding_keys, normal, rhythm_keys, state_of, summary
from ecglm.corpus.instruct.seed import Seed
from ecglm.knowledge.ranges import normal_range

OPTIONS = 8
#: Recordings of a source that weights are fitted on, evenly spread; the rest are alike.
FITTED = 2500
#: Weight of asking before it is lessened, where asking nothing has 1.
_ASKED = 30.0
#: A right option may be so many times as common as one in eight: the first of these with which a choice can be made of this share
#: of the recordings. There are too few common rhythms to fill eight options.
_TOLERANCES, _LEAST = (1.1, 1.5, 2.0, 3.0, 4.0, 8.0), 0.12
_ANSWER_STEPS, _CHOICE_STEPS = 150, 60

Weights = tuple[Mapping[str, float], Mapping[str, float]]


def span(which: str, low: int) -> str:
    """A range of values as an option: "60 to 69 beats per minute"."""
    _, unit, width = FEATURES[which]
    return f"{low} to {low + width - 1} {unit}"


class Even:
    """Draws statements of seeds. Without seeds all statements of a recording are equally likely and no readings are known."""

    def __init__(self, seeds: Sequence[Seed] = ()) -> None:
        sources: dict[str, list[Seed]] = {}
        for seed in seeds:
            sources.setdefault(seed.source, []).append(seed)
        self._sources = {name: _Source(found[:: -(-len(found) // FITTED)]) for name, found in sources.items()}
        self._none = _Source([])

    def answer(self, seed: Seed, family: str, rng: np.random.Generator) -> tuple[str, bool] | None:
        """A statement of a family, and whether it is true of the recording; None where nothing is to be asked."""
        source = self._sources.get(seed.source, self._none)
        true, false = source.statements(seed, family)
        yes, no = source.answers(family)
        offered = [(key, True) for key in true] + [(key, False) for key in false]
        place = _drawn([yes.get(k, 0.0) if there else no.get(k, 0.0) for k, there in offered], source.rest, rng)
        return None if place is None else offered[place]

    def choice(self, seed: Seed, table: str, rng: np.random.Generator) -> tuple[str, list[str]] | None:
        """A true statement and all false ones, those first that are to be offered. table: rhythm, morphology, report or a
        feature."""
        source = self._sources.get(seed.source, self._none)
        true, false = source.statements(seed, table)
        right, wrong = source.choices(table)
        place = _drawn([right.get(k, 0.0) for k in true], source.rest, rng)
        if place is None:
            return None
        late = rng.exponential(size=len(false)) / np.array([max(wrong.get(k, 0.0), 1e-9) for k in false])
        return true[place], [false[i] for i in np.argsort(late)]


class _Every(dict[str, float]):
    """1 for every statement."""

    def get(self, key: str, default: float | None = None) -> float:  # type: ignore[override]
        return 1.0


class _Source:
    """Statements and weights of one source. rest: weight of asking nothing."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self._seeds, self.rest = seeds, float(bool(seeds))
        self._answers: dict[str, Weights] = {}
        self._choices: dict[str, Weights] = {}

    def statements(self, seed: Seed, table: str) -> tuple[list[str], list[str]]:
        """What is true of a recording and what is false, of a table: the families, and features for their ranges."""
        if seed.asked:
            asked = [(q, a) for family, q, a, _ in seed.asked if family == table]
            return [q for q, a in asked if a == "yes"], [q for q, a in asked if a == "no"]
        if table == "feature":
            return _states(seed)
        if table == "report":
            whole = summary(seed)
            ill = bool(finding_keys(seed)) and "super_class:NORM" not in seed.present
            others = [t for t, (keys, calm) in self._readings.items() if t != whole and (keys & seed.absent or (calm and ill))]
            return [whole] if whole else [], others if whole else []
        if table in FEATURES:
            if not state_of(seed, table):
                return [], []
            here = _span_of(seed, table)
            return [here], [text for text in self._spans[table] if text != here]
        true = rhythm_keys(seed) if table == "rhythm" else finding_keys(seed)
        groups = ("rhythm:",) if table == "rhythm" else ("sub_class:", "form:")
        return true, sorted(k for k in seed.absent if k.startswith(groups))

    @cached_property
    def _readings(self) -> dict[str, tuple[frozenset[str], bool]]:
        """Summaries of all recordings: what they state, and whether they call the ECG normal."""
        return {
            text: (frozenset(rhythm_keys(seed) + finding_keys(seed)), normal(seed))
            for seed in self._seeds
            if not seed.asked and (text := summary(seed))
        }

    @cached_property
    def _spans(self) -> dict[str, list[str]]:
        """Ranges that values of each feature fall into."""
        return {
            which: list(dict.fromkeys(_span_of(seed, which) for seed in self._seeds if state_of(seed, which)))
            for which in FEATURES
        }

    def answers(self, table: str) -> Weights:
        """Weights of statements as a yes and as a no."""
        if table not in self._answers:
            self._answers[table] = self._fitted(table, choices=False)
        return self._answers[table]

    def choices(self, table: str) -> Weights:
        """Weights of statements as right and as wrong options."""
        if table not in self._choices:
            self._choices[table] = self._fitted(table, choices=True)
        return self._choices[table]

    def _fitted(self, table: str, choices: bool) -> Weights:
        if not self._seeds:
            return _Every(), _Every()
        rows = [row for seed in self._seeds if any(row := self.statements(seed, table))]
        keys = sorted({key for row in rows for side in row for key in side})
        place = {key: i for i, key in enumerate(keys)}
        true, false = np.zeros((2, len(rows), len(keys)))
        for number, row in enumerate(rows):
            for matrix, side in zip((true, false), row, strict=True):
                matrix[number, [place[key] for key in side]] = 1
        right, wrong = (even_choices if choices else even_answers)(true, false)
        return dict(zip(keys, map(float, right), strict=True)), dict(zip(keys, map(float, wrong), strict=True))


def even_answers(true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (statements,) as yes and as no, of matrices (recordings, statements) of 0 and 1, with which every statement is
    expected as often as yes as it is as no. One that is only ever true or false is hardly asked."""
    yes, no = np.full(true.shape[1], _ASKED), np.full(true.shape[1], _ASKED)
    for _ in range(_ANSWER_STEPS):
        share = 1 / (1 + true @ yes + false @ no)
        ratio = np.sqrt(((share @ true) * yes + 1e-6) / ((share @ false) * no + 1e-6))
        yes, no = np.clip(yes / ratio, 1e-9, 1e9), np.clip(no * ratio, 1e-9, 1e9)
    return yes, no


def even_choices(true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (statements,) as right and as wrong options, likewise, with which a statement is right once in eight times that
    it is offered, as nearly as can be had."""
    usable = (false.sum(axis=1) >= OPTIONS - 1) & (true.sum(axis=1) > 0)
    right, wrong = np.full(true.shape[1], _ASKED), np.ones(true.shape[1])
    if not usable.any() or true.shape[1] < OPTIONS:
        return right, wrong
    true, false = true[usable], false[usable]
    late = np.where(false > 0, np.random.default_rng(0).exponential(size=false.shape), np.inf)
    for tolerance in _TOLERANCES:
        right, wrong = np.full(true.shape[1], _ASKED), np.ones(true.shape[1])
        for _ in range(_CHOICE_STEPS):
            share = 1 / (1 + true @ right)
            first = np.argpartition(late / wrong, OPTIONS - 2, axis=1)[:, : OPTIONS - 1]
            offered = np.bincount(first.ravel(), weights=np.repeat(1 - share, OPTIONS - 1), minlength=len(wrong))
            ratio = ((OPTIONS - 1) * (share @ true) * right + 1e-6) / (offered + 1e-6)
            right = np.clip(right * np.sqrt(tolerance / ratio), 1e-9, _ASKED)
            wrong = np.clip(wrong * np.sqrt(ratio), 1e-6, 1e6)
        if (1 - share).mean() >= _LEAST:
            break
    return right, wrong


def _drawn(weights: Sequence[float], rest: float, rng: np.random.Generator) -> int | None:
    """A place by its weight, or None, which has the weight `rest`."""
    total = sum(weights) + rest
    if total <= 0:
        return None
    place = int(np.searchsorted(np.cumsum(weights), rng.random() * total, side="right"))
    return place if place < len(weights) else None


def _states(seed: Seed) -> tuple[list[str], list[str]]:
    """ "qrs:high" and the like, true and false; low only where the range has a lower end."""
    true: list[str] = []
    false: list[str] = []
    for which in FEATURES:
        state = state_of(seed, which)
        for kind in ("normal", "high", "low") if state else ():
            if kind != "low" or getattr(normal_range(which, seed.sex), "low", None) is not None:
                (true if kind == state else false).append(f"{which}:{kind}")
    return true, false


def _span_of(seed: Seed, which: str) -> str:
    width = FEATURES[which][2]
    return span(which, round(seed.values[which]) // width * width)
