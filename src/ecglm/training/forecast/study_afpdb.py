"""The two events of the challenge of 2001 (Moody et al., Computers in Cardiology 28:113-116) with a gap before each record's end.

Screening: does a record come from somebody with paroxysmal fibrillation? Imminent onset: which of somebody's two records ends
where fibrillation begins? Every forecaster is asked about people it was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.power import auroc_needed, pairs_needed, pairs_power, subjects_for
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.corpus.windows import ForecastItem
from ecglm.corpus.windows.cut import unnamed
from ecglm.corpus.windows.layouts import AFPDB_REPEATED, find_records, open_source
from ecglm.corpus.windows.source import read_window
from ecglm.errors import UsageError
from ecglm.records.windows import open_windows
from ecglm.registry import FORECASTERS
from ecglm.signal.holter import beat_series
from ecglm.training.forecast.baselines.method import Example, Floats, Ints, Method
from ecglm.training.forecast.series import read_series, write_series

#: Forecasters that are too slow to be trained without every person in turn: into how many parts people are dealt instead.
PARTS = {"cnn": 10}
#: Those that learn and keep what they compute of a window.
LEARNING = ("logistic", "boosted", "cnn", "course")


@dataclass(frozen=True, eq=False)
class _Found:
    """Scores ``[N]`` of all records for the screening, and of those of people with fibrillation for the other event."""

    name: str
    screening: Floats
    imminent: Floats


def run(seed: int, draws: int, progress: bool, forecasters: Sequence[str] = ("chance", "persistence", "logistic", "boosted"),
        gap_s: float = 60.0, window_s: float | None = None, cache: str = "runs/forecast-afpdb") -> Study:
    """Both events for every forecaster. gap_s: nothing of the last so many seconds is seen; window_s: what is seen before (None:
    all of it); cache: the folder where beats are kept. Raises ReadError without the data."""
    from rich.progress import track

    examples = examples_of(gap_s, window_s, Path(cache), progress)
    found = [evaluate(name, seed, examples) for name in track(forecasters, "Forecasters", disable=not progress)]
    people = [one.item.subject for one in examples]
    keys = [[one.item.record, one.item.subject, one.item.kind, one.item.start_s, one.item.stop_s] for one in examples]
    tables, values = _tables(examples, found, draws, seed)
    where = "all that lies before it" if window_s is None else f"the {window_s:g} s before it"
    by = ", for the CNN one tenth of them" if "cnn" in forecasters else ""
    notes = (f"Nothing of the last {gap_s:g} s of a record is seen; {where} is. Whoever is asked about is in no training data: "
             f"every person (subject_group) is left out in turn{by}. Screening is trained on records of people with fibrillation "
             "against those without, imminent onset on the two kinds of record of the former. Intervals draw people. In pairs "
             "equal scores count half.",
             "p37 and p38 repeat the signals of p01 and p02 and are of the same person; the last column leaves them out.",
             "An event begins at the end of its record at the earliest; when is not given.")
    return Study((*tables, _power(examples)), len(examples), len(set(people)), digest(keys), notes, values)


def examples_of(gap_s: float, window_s: float | None, cache: Path, progress: bool = False) -> list[Example]:
    """One window of each record of 30 minutes. Beats are found in what lies before the gap: nothing of it is read."""
    from rich.progress import track

    layout, root = open_source("afpdb")
    names = [(name, subject) for subject, some in find_records(layout, root).items() for name in some
             if not unnamed(Path(name).name, repeated=False)]
    examples = []
    for name, subject in track(names, "Beats", disable=not progress):
        stem = Path(name).name
        windows = open_windows(root / f"{name}.hea")
        stop = windows.duration_s - gap_s
        start = 0.0 if window_s is None else stop - window_s
        if start < 0 or stop <= start:
            raise UsageError(f"a window of {window_s or 0:g} s and a gap of {gap_s:g} s do not fit in {name}; give shorter ones")
        kept = cache / f"{stem}-{gap_s:g}.npz"
        if not kept.is_file():
            write_series(beat_series(windows.until(stop)), kept)
        kind = "none" if stem[0] == "n" else "distant" if int(stem[1:]) % 2 else "imminent"
        item = ForecastItem(name, subject, stop - start, gap_s, start, stop, windows.duration_s if kind == "imminent" else None,
                            "af" if kind == "imminent" else "sinus", float("nan"), kind=kind, dataset="afpdb")
        examples.append(Example(item, read_series(kept).cut(start, stop), partial(read_window, root, name, start, stop)))
    return examples


def evaluate(name: str, seed: int, examples: Sequence[Example]) -> _Found:
    """Scores of one forecaster by people left out."""
    ill = np.array([one.item.kind != "none" for one in examples])
    soon = np.array([one.item.kind == "imminent" for one in examples])
    kept: dict[Any, Floats] = {}
    options: dict[str, Any] = {"seed": seed} if name in LEARNING or name == "chance" else {}
    if name in LEARNING:
        options["kept"] = kept

    def make() -> Method:
        method: Method = FORECASTERS.get(name)(**options)
        return method

    screening = left_out(make, examples, ill.astype(np.int64), PARTS.get(name), seed)
    of_ill = [one for one, is_ill in zip(examples, ill, strict=True) if is_ill]
    imminent = left_out(make, of_ill, soon[ill].astype(np.int64), PARTS.get(name), seed)
    return _Found(make().name, screening, imminent)


def left_out(make: Any, examples: Sequence[Example], labels: Ints, parts: int | None, seed: int) -> Floats:
    """Probability ``[N]`` of anything but sinus rhythm, each from a method that was not trained on this person."""
    method = make()
    if getattr(method, "trained", False):
        return np.asarray(1 - method.predict_proba(examples)[:, 0])
    names = sorted({one.item.subject for one in examples})
    if parts is None:
        part_of = {name: number for number, name in enumerate(names)}
    else:
        order = np.random.default_rng(seed).permutation(len(names))
        part_of = {names[place]: number % parts for number, place in enumerate(order.tolist())}
    part = np.array([part_of[one.item.subject] for one in examples])
    out = np.zeros(len(examples))
    for number in np.unique(part):
        held = part == number
        fitted = make()
        fitted.fit([one for one, out_ in zip(examples, held, strict=True) if not out_], labels[~held])
        out[held] = 1 - fitted.predict_proba([one for one, out_ in zip(examples, held, strict=True) if out_])[:, 0]
    return out


def _tables(examples: Sequence[Example], found: Sequence[_Found], draws: int, seed: int) -> tuple[list[Table], dict[str, Any]]:
    kind = np.array([one.item.kind for one in examples])
    people = np.array([one.item.subject for one in examples])
    stem = np.array([Path(one.item.record).name for one in examples])
    far = kind != "imminent"
    ill = kind != "none"
    everyone, distant = Bootstrap(people.tolist(), draws, seed), Bootstrap(people[far].tolist(), draws, seed)
    even = np.flatnonzero(kind[ill] == "imminent")
    pairs = [(int(at), int(np.flatnonzero(stem[ill] == f"p{int(stem[ill][at][1:]) - 1:02d}")[0])) for at in even]
    owner = [str(people[ill][at]) for at, _ in pairs]
    single = np.array([stem[ill][at] not in AFPDB_REPEATED for at, _ in pairs])
    of_pairs = Bootstrap(owner, draws, seed)
    rows, values = [], {}
    for one in found:
        right = np.array([_before(one.imminent[a], one.imminent[b]) for a, b in pairs])
        both = everyone.auroc(ill, one.screening), distant.auroc(ill[far], one.screening[far])
        share = of_pairs.mean(right)
        rows.append([one.name, *(percent(value, 1.0, 3) for value in both), f"{right.sum():g}/{len(right)}", percent(share),
                     f"{right[single].sum():g}/{single.sum()}"])
        values[one.name] = {"auroc_all": both[0].to_dict(), "auroc_distant": both[1].to_dict(), "pairs_right": float(right.sum()),
                            "pairs": len(right), "pairs_share": share.to_dict(),
                            "pairs_right_unrepeated": float(right[single].sum()),
                            "screening": dict(zip(stem.tolist(), one.screening.round(6).tolist(), strict=True)),
                            "imminent": dict(zip(stem[ill].tolist(), one.imminent.round(6).tolist(), strict=True))}
    title = f"{len(set(people))} people, {len(pairs)} pairs of {len(set(owner))}"
    head = ("forecaster", "screening AUROC, all", "distant records only", "pairs right", "%", "without repeats")
    return [Table(title, head, rows)], values


def _before(event: float, other: float) -> float:
    return 1.0 if event > other else 0.5 if event == other else 0.0


def _power(examples: Sequence[Example]) -> Table:
    """What numbers like these can show."""
    ill = len({one.item.subject for one in examples if one.item.kind != "none"})
    well = len({one.item.subject for one in examples if one.item.kind == "none"})
    pairs = sum(one.item.kind == "imminent" for one in examples)
    rows = [[f"{n} pairs", f"{pairs_needed(n)} right differ from chance (p < .05, one-sided)",
             f"reached with {100 * pairs_power(n, 0.8):.0f} % by who is right in 80 % of all pairs"]
            for n in sorted({ill, pairs, 25})]
    rows.append([f"{ill} people with, {well} without", f"AUROC of {auroc_needed(ill, well):.2f}",
                 "the least that is told from .5 with 80 % power (one record each)"])
    rows += [[f"AUROC of {area:.2f} ± .05", f"{subjects_for(area, 0.05)} people of each class", "95 % interval (Hanley & McNeil)"]
             for area in (0.62, 0.72, 0.80)]
    return Table("What can be shown", ("with", "takes or gives", "meaning"), rows)
