"""Windows before the onsets of a record, and windows of the same person that no event follows, with why others are left out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecglm.corpus.windows.item import HORIZONS, WINDOWS, ForecastItem
from ecglm.corpus.windows.layouts import AFPDB_REPEATED
from ecglm.corpus.windows.source import Source
from ecglm.errors import UsageError

#: Unannotated rhythm (s) that is let pass in a window and its gap: the first mark of a record stands at its first beat.
LEAST_UNKNOWN_S = 1.0
#: Starts (s) that are tried for windows without event lie so far apart.
STEP_S = 5.0


@dataclass(frozen=True)
class Rules:
    """What is cut. purity: least share of sinus rhythm in a window. negatives: windows without event for each with one, of the
    same subject, length and horizon; controls: for each cell, of each subject without any event. clear_s: no event begins for so
    long after the horizon of a window without event (as far as is known). missing: largest share of a window without signal."""

    windows: tuple[int, ...] = WINDOWS
    horizons: tuple[int, ...] = HORIZONS
    purity: float = 0.0
    negatives: int = 1
    controls: int = 0
    clear_s: float = 600.0
    missing: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("windows", "horizons"):
            values = getattr(self, name)
            if not values or min(values) < 1 or len(set(values)) != len(values):
                raise UsageError(f"{name} {','.join(map(str, values))}: give different whole seconds above 0, such as 60,300")
        for name in ("purity", "missing"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} {getattr(self, name)} is no share; give a number from 0 to 1")
        if self.negatives < 0 or self.controls < 0 or self.clear_s < 0:
            raise UsageError("negatives, controls and clear must not be below 0")


def positives(source: Source, rules: Rules, told: Counter[str]) -> Iterator[ForecastItem]:
    """Windows before every onset. told: counts what was left out, by reason. Raises ReadError."""
    known = source.rhythms
    assert known is not None
    for onset in known.onsets():
        for horizon in rules.horizons:
            for window in rules.windows:
                stop = onset.time_s - horizon
                start = stop - window
                purity = float(known.time_in("sinus", start, stop)) / window
                reason = _reason(source, start, stop, onset.time_s, purity, rules)
                if reason:
                    told[reason] += 1
                else:
                    yield ForecastItem(source.name, source.subject, window, horizon, start, stop, onset.time_s, onset.label,
                                       round(purity, 6), kind="onset")


def _reason(source: Source, start: float, stop: float, until: float, purity: float, rules: Rules) -> str:
    known = source.rhythms
    assert known is not None
    if start < 0:
        return "the window begins before the record"
    if float(known.time_in("event", start, stop)) > 0:
        return "fibrillation or flutter in the window"
    if float(known.time_in("event", stop, until)) > 0:
        return "fibrillation or flutter between window and onset"
    if float(known.time_in("unknown", start, until)) > LEAST_UNKNOWN_S:
        return "rhythm not annotated"
    if purity < rules.purity:
        return "purity"
    if source.missing(start, stop) > rules.missing:
        return "signal missing"
    return ""


def negatives(sources: Sequence[Source], wanted: Counter[tuple[int, int]], kind: str, rules: Rules, told: Counter[str],
              ) -> Iterator[ForecastItem]:
    """Windows of one subject that no event follows, so many by (window, horizon), drawn by the seed; those of a cell do
    not overlap. Raises ReadError."""
    for (window, horizon), number in sorted(wanted.items()):
        starts = [_quiet(source, window, horizon, rules) for source in sources]
        of = np.repeat(np.arange(len(sources)), [len(some) for some in starts])
        at = np.concatenate(starts) if starts else np.empty(0)
        order = _generator(rules.seed, sources[0].subject if sources else "", window, horizon).permutation(len(at))
        taken: list[tuple[int, float]] = []
        for place in order.tolist():
            if len(taken) == number:
                break
            mine, start = int(of[place]), float(at[place])
            if any(other == mine and abs(begin - start) < window for other, begin in taken):
                continue
            if sources[mine].missing(start, start + window) > rules.missing:
                told["signal missing"] += 1
                continue
            taken.append((mine, start))
        told[f"no {kind} window left"] += number - len(taken)
        for mine, start in sorted(taken):
            known = sources[mine].rhythms
            assert known is not None
            purity = float(known.time_in("sinus", start, start + window)) / window
            yield ForecastItem(sources[mine].name, sources[mine].subject, window, horizon, start, start + window, None, "sinus",
                               round(purity, 6), kind=kind)


def _quiet(source: Source, window: float, horizon: float, rules: Rules) -> np.ndarray:
    """Starts of windows with sinus rhythm at their horizon, no event up to it and clear_s beyond, so far as the record goes."""
    known = source.rhythms
    assert known is not None
    start = np.arange(0.0, known.duration_s - window - horizon + 1e-9, STEP_S)
    stop = start + window
    until = stop + horizon
    # A window must be farther from the next event than one that precedes it, or the two could overlap.
    near = known.next_event(start) < until + max(rules.clear_s, window)
    good = ~near & known.kind_at(until, "sinus") & (known.time_in("unknown", start, until) <= LEAST_UNKNOWN_S)
    good &= known.time_in("sinus", start, stop) >= rules.purity * window - 1e-9
    return start[good]


def known_by_name(source: Source, rules: Rules, told: Counter[str]) -> Iterator[ForecastItem]:
    """Windows at the end of a record of afpdb: before fibrillation (even p), far from it (odd p), or of people without (n)."""
    number = int(source.path.stem[1:])
    kind = "none" if source.path.stem[0] == "n" else "distant" if number % 2 else "imminent"
    for horizon in rules.horizons:
        for window in rules.windows:
            stop = source.duration_s - horizon
            if stop - window < 0:
                told["the window begins before the record"] += 1
            elif source.missing(stop - window, stop) > rules.missing:
                told["signal missing"] += 1
            else:
                yield ForecastItem(source.name, source.subject, window, horizon, stop - window, stop,
                                   source.duration_s if kind == "imminent" else None, "af" if kind == "imminent" else "sinus",
                                   float("nan"), kind=kind)


def unnamed(stem: str, repeated: bool = True) -> str:
    """Why a record of afpdb is left out; "" when it is not."""
    if stem.startswith("t"):
        return "no answer: the challenge's test set"
    if stem.endswith("c"):
        return "continuation: after the end of its record the event has no annotated beginning"
    return "repeats the signal of p01 or p02" if repeated and stem in AFPDB_REPEATED else ""


def _generator(*parts: object) -> np.random.Generator:
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
