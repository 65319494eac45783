"""What decides an instruction set, and what each of its slots asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecglm.corpus.instruct.seed import Seed
from ecglm.errors import UsageError

Form = Literal["templates", "endpoint", "local"]
#: Shares of slots by family and form; "dialogue" is the form of several turns. Most recordings have sinus rhythm and nothing to
#: tell it from, so that slots of rhythm come to nothing more often than others.
MIX: dict[tuple[str, str], float] = {
    **{("feature", form): share for form, share in (("closed", 7), ("open", 6), ("fill", 5), ("mcq", 7))},
    **{("rhythm", form): share for form, share in (("closed", 14), ("open", 4), ("fill", 2), ("mcq", 14))},
    **{("morphology", form): share for form, share in (("closed", 12), ("open", 7), ("fill", 6), ("mcq", 12))},
    **{("report", form): share for form, share in (("open", 7), ("closed", 3), ("fill", 2), ("mcq", 3))},
    ("report", "dialogue"): 7,
}
#: So many slots are tried for one item before a source counts as used up.
TRIES = 6


@dataclass(frozen=True)
class Settings:
    """What decides an instruction set. most: near-equal items kept across recordings; threshold: least score of the judge;
    pages: a folder of `ecglm data build pages`, whose pictures the lines name."""

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
    pages: str | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError("an instruction set needs at least one item; give --n 1 or more")
        if self.form not in ("templates", "endpoint", "local"):
            raise UsageError(f"there is no form {self.form!r}; use templates, endpoint or local")
        if self.pages and not self.llava:
            raise UsageError("--pages gives pictures to lines in LLaVA's form; add --llava")
        if not 0 <= self.threshold <= 5:
            raise UsageError(f"the judge scores 0 to 5; {self.threshold} is no threshold")


def slots(settings: Settings, seeds: Sequence[Seed], start: int) -> Iterator[tuple[int, Seed, str, str]]:
    """Number, seed, family and form of every slot from number `start` on, each drawn by its number alone."""
    order = np.random.default_rng([settings.seed, 1]).permutation(len(seeds))
    kinds, shares = list(MIX), np.array(list(MIX.values()), dtype=float)
    for slot in range(start, TRIES * settings.n + len(seeds)):
        rng = np.random.default_rng([settings.seed, 2, slot])
        family, form = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        yield slot, seeds[order[slot % len(seeds)]], family, form
