"""`simulate` and `stream`: what may be asked for, checked; one seed per record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ecglm.config import closest
from ecglm.errors import UsageError, argument
from ecglm.knowledge.statements import BY_KEY
from ecglm.records.leads import STANDARD_12, canonical_lead
from ecglm.records.record import FS_RANGE
from ecglm.signal.simulate.conditions import CONDITIONS, Condition
from ecglm.signal.simulate.synthesis import Plan, Simulated, synthesise
from ecglm.signal.simulate.torso import FRANK

#: Length of a record (s), and samples of all leads that `simulate` may return at once (1 GB of float32).
DURATION_RANGE_S, MAX_VALUES = (1.0, 86_400.0), 250_000_000


def simulate(conditions: str | Sequence[str] | None = None, n: int = 1, *, fs: float = 500.0, duration_s: float = 10.0,
             leads: str | Sequence[str] = STANDARD_12, seed: int = 0, noise: bool = True) -> list[Simulated]:
    """n simulated records with their truth.

    conditions: a name of CONDITIONS, several joined by "+" ("atrial_fibrillation+lbbb"), or a list of these, which the
    records take in turn; None: all conditions in turn. leads: any of the standard 12 and of Frank's X, Y, Z; "XYZ" for
    the latter. noise=False: neither recorder noise nor quantisation. Record i depends on the seed, on i, on its own
    condition and the arguments above, not on n. Raises UsageError for what cannot be made.
    """
    plan = plan_of(fs, duration_s, leads, noise)
    if n * len(plan.leads) * plan.fs * plan.duration_s > MAX_VALUES:
        raise UsageError(f"{n} records of {duration_s:g} s at {fs:g} Hz do not fit in memory together; use stream(...)")
    return list(stream(conditions, n, fs=fs, duration_s=duration_s, leads=leads, seed=seed, noise=noise))


def simulate_one(condition: str, *, fs: float = 500.0, duration_s: float = 10.0, leads: str | Sequence[str] = STANDARD_12,
                 seed: int = 0, noise: bool = True) -> Simulated:
    """One record: the first of `simulate`."""
    return simulate(condition, 1, fs=fs, duration_s=duration_s, leads=leads, seed=seed, noise=noise)[0]


def stream(conditions: str | Sequence[str] | None = None, n: int = 1, *, start: int = 0, fs: float = 500.0,
           duration_s: float = 10.0, leads: str | Sequence[str] = STANDARD_12, seed: int = 0,
           noise: bool = True) -> Iterator[Simulated]:
    """Records start, start + 1, ... n - 1 of `simulate`, one at a time in memory."""
    plan = plan_of(fs, duration_s, leads, noise)
    if not isinstance(n, int) or n < 1:
        raise UsageError(f"n {n!r} must be a whole number of at least 1")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed {seed!r} must be a whole number, 0 or more")
    names = list(CONDITIONS) if conditions is None else [conditions] if isinstance(conditions, str) else list(conditions)
    if not names:
        raise UsageError("no condition given; name one, or none for all of them")
    parsed = [parse(name) for name in names]
    return (synthesise(names[i % len(names)], parsed[i % len(names)], plan, np.random.SeedSequence(seed, spawn_key=(i,)))
            for i in range(start, n))


def parse(name: str) -> tuple[Condition, ...]:
    """The conditions of a name such as "atrial_fibrillation+lbbb". Raises UsageError for unknown ones and two rhythms."""
    parts = [part.strip().lower().replace(" ", "_").replace("-", "_") for part in str(name).split("+")]
    for part in parts:
        if part not in CONDITIONS:
            raise UsageError(f"condition {part!r} is unknown; {closest(part, CONDITIONS)}")
    found = tuple(CONDITIONS[part] for part in parts)
    rhythms = [c.name for c in found if c.rhythm is not None]
    if len(rhythms) > 1:
        raise UsageError(f"{name!r} joins two rhythms ({', '.join(rhythms)}); keep one")
    if len(set(parts)) < len(parts):
        raise UsageError(f"{name!r} names a condition twice; keep it once")
    return found


def resembling(labels: Sequence[str], rng: np.random.Generator) -> str:
    """A name for `simulate` whose record bears as many of these statement keys as the table can give.

    Where several conditions bear a statement one of those that add least to the others is drawn. Raises UsageError for
    unknown keys.
    """
    unknown = [key for key in labels if key not in BY_KEY]
    if unknown:
        raise UsageError(f"statement {unknown[0]!r} is unknown; {closest(unknown[0], BY_KEY)}")
    chosen: list[Condition] = []
    for key in sorted(set(labels), key=lambda k: (not k.startswith("rhythm:"), list(BY_KEY).index(k))):
        if key.startswith("super_class:") or key == "sub_class:NORM" or any(key in c.labels for c in chosen):
            continue
        fits = [c for c in CONDITIONS.values() if key in c.labels and c.name != "normal_athlete"
                and (c.rhythm is None or not any(o.rhythm for o in chosen))]
        if fits:  # those that add least to what is wanted
            extra = [len(set(c.labels) - {"sub_class:NORM", *labels}) for c in fits]
            fits = [c for c, n in zip(fits, extra, strict=True) if n == min(extra)]
            chosen.append(fits[int(rng.integers(len(fits)))])
    return "+".join(c.name for c in chosen) or "normal"


def plan_of(fs: float, duration_s: float, leads: str | Sequence[str], noise: bool) -> Plan:
    """What the records of a call have in common. Raises UsageError for what cannot be made."""
    if not FS_RANGE[0] <= fs <= FS_RANGE[1]:
        raise UsageError(f"{argument('fs', fs)} Hz is outside {FS_RANGE[0]:g}-{FS_RANGE[1]:g}")
    if not DURATION_RANGE_S[0] <= duration_s <= DURATION_RANGE_S[1]:
        raise UsageError(f"{argument('duration_s', duration_s)} s is outside {DURATION_RANGE_S[0]:g}-{DURATION_RANGE_S[1]:g} s")
    given = FRANK if leads == "XYZ" else leads.split(",") if isinstance(leads, str) else leads
    names = tuple(canonical_lead(lead) or lead for lead in given)
    wrong = [lead for lead in names if lead not in STANDARD_12 and lead not in FRANK]
    if wrong or not names:
        raise UsageError(f"lead {wrong[0] if wrong else ''!r} cannot be simulated; use the standard 12 leads, X, Y or Z")
    if len(set(names)) < len(names):
        raise UsageError("a lead is named twice; keep it once")
    return Plan(float(fs), float(duration_s), names, noise)
