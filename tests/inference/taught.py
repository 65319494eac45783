"""Simulated patients with a label of their own hospital, and a question that no model was trained on."""

from __future__ import annotations

from functools import lru_cache

import ecglm
from ecglm.signal.simulate import simulate

QUESTION = "Which class of the Riverside protocol is this?"
#: The hospital's own names for what it sees.
CLASSES = {"bigeminy": "class one", "atrial_fibrillation": "class two", "normal": "no class"}


@lru_cache(maxsize=4)
def patients(n: int, seed: int) -> list[tuple[ecglm.Record, str, str]]:
    """n simulated patients of each class: record, question, answer."""
    names = list(CLASSES)
    made = simulate(names, n * len(names), seed=seed)
    return [(s.record, QUESTION, CLASSES[names[number % len(names)]]) for number, s in enumerate(made)]


@lru_cache(maxsize=1)
def plain() -> ecglm.Model:
    """The embedded model, without an adapter."""
    return ecglm.load()


@lru_cache(maxsize=1)
def few() -> ecglm.Model:
    """The embedded model after five patients of each class."""
    return plain().adapt([(*example, f"patient {number}") for number, example in enumerate(patients(5, 1))])
