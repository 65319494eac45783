"""The folder of a forecasting set: windows of the records of a data set, by reference, with what was left out and why.

    request.json    what was asked for; the folder goes on only with the same
    manifest.jsonl  one line a window: `ForecastItem`, id, shares of its rhythms, what it is matched to
    records.jsonl   one line a record that windows are of: subject, split, rate, leads, SHA-256 of its files
    skipped.jsonl   records that could not be cut, and why
    card.json       counts, exclusions by reason, licence, seed, limits

While it is being made, what was cut lies in parts/, one file a subject, which is how it is resumed. Signals are not copied.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.corpus.claim import claim
from ecglm.corpus.windows.card import card
from ecglm.corpus.windows.cut import Rules, known_by_name, negatives, positives, unnamed
from ecglm.corpus.windows.item import SPLITS, ForecastItem
from ecglm.corpus.windows.layouts import Layout, find_records, open_source
from ecglm.corpus.windows.source import Source, open_record
from ecglm.errors import EcglmError, UsageError

#: Shares of subjects in train, valid and test.
SHARES = (0.70, 0.15, 0.15)
FORM = 1  #: of the folder; another one is not continued


def split_of(dataset: str, subject: str) -> str:
    """The split of a subject, by a hash of its name alone: the same in every set that is ever built."""
    digest = hashlib.sha256(f"forecast:{dataset}:{subject}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return SPLITS[0] if place < SHARES[0] else SPLITS[1] if place < SHARES[0] + SHARES[1] else SPLITS[2]


def build(source: str, out: str | os.PathLike[str], rules: Rules, *, resume: bool = False,
          tell: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Cut a data set into a folder; returns its card with how many subjects were cut anew.

    source: "mitdb" of the data folder, or "icentia11k:DIR". The same source and rules give the same files, byte for byte,
    whatever the interruptions. tell: called with the number of subjects done and of all.
    Raises UsageError for unusable arguments and for a folder that is not empty or belongs to another request.
    """
    layout, root = open_source(source)
    if rules.purity > 0 and not layout.marked:
        raise UsageError(f"{source}: no rhythm is annotated in {layout.name}, so purity is not known; leave out --purity")
    records = find_records(layout, root)
    asked = {"form": FORM, "dataset": layout.name, "root": os.fspath(root.resolve()), "rules": asdict(rules),
             "records": hashlib.sha256(json.dumps(records).encode()).hexdigest()}
    folder = Path(out).absolute()
    claim(folder / "request.json", asked, resume)
    new = 0
    for number, (subject, names) in enumerate(records.items()):
        tell(number, len(records))
        part = folder / "parts" / f"{subject}.json"
        if not (folder / "card.json").is_file() and not part.is_file():
            write_text(part, json.dumps(_subject(layout, root, subject, names, rules), ensure_ascii=True) + "\n")
            new += 1
    tell(len(records), len(records))
    return _finish(folder, layout, root, records, rules) | {"new": new}


def _subject(layout: Layout, root: Path, subject: str, names: Sequence[str], rules: Rules) -> dict[str, Any]:
    """Windows of all records of a subject, those that were skipped, and counts of what was left out."""
    told: Counter[str] = Counter()
    skipped, sources, items = [], [], []
    for name in names:
        stem = name.rsplit("/", 1)[-1]
        found = unnamed(stem) if not layout.marked else ""
        opened = found or open_record(layout, root, name, subject)
        if isinstance(opened, str):
            skipped.append({"record": name, "subject": subject, "skipped": opened})
            continue
        try:
            items += list(positives(opened, rules, told) if layout.marked else known_by_name(opened, rules, told))
            sources.append(opened)
        except EcglmError as problem:
            skipped.append({"record": name, "subject": subject, "skipped": f"unreadable: {problem}"})
    matched = _without_event(sources, items, rules, told, skipped) if layout.marked else []
    split = split_of(layout.name, subject)
    by_name = {one.name: one for one in sources}
    lines = [_line(item, layout.name, split, by_name[item.record]) for item in (*items, *matched)]
    used = [by_name[name] for name in sorted({item.record for item in (*items, *matched)})]
    onsets = sum(len(one.rhythms.onsets()) for one in sources if one.rhythms is not None)
    return {"subject": subject, "items": lines, "skipped": skipped, "onsets": onsets, "told": dict(sorted(told.items())),
            "records": [{"record": one.name, "subject": subject, "split": split, "fs": one.windows.first.fs,
                         "duration_s": one.duration_s, "leads": list(one.windows.first.leads),
                         "sha256": one.hashes(layout.annotator)}
                        for one in used]}


def _without_event(sources: list[Source], items: Sequence[ForecastItem], rules: Rules, told: Counter[str],
                   skipped: list[dict[str, Any]]) -> list[ForecastItem]:
    """Windows that no event follows: matched to those of the subject, or controls where it has no event at all."""
    free = all(float(one.rhythms.time_in("event", 0.0, one.duration_s)) == 0 for one in sources if one.rhythms is not None)
    if items:
        kind, wanted = "matched", Counter((int(item.window_s), int(item.horizon_s)) for item in items)
        wanted = Counter({cell: number * rules.negatives for cell, number in wanted.items()})
    elif free:
        kind, wanted = "control", Counter({(w, h): rules.controls for w in rules.windows for h in rules.horizons})
    else:
        return []
    try:
        return list(negatives(sources, +wanted, kind, rules, told))
    except EcglmError as problem:  # damaged somewhere in the middle
        skipped.append({"record": sources[0].name, "subject": sources[0].subject, "skipped": f"unreadable: {problem}"})
        return []


def _line(item: ForecastItem, dataset: str, split: str, source: Source) -> dict[str, Any]:
    place = f"{item.record}@{item.start_s:.3f}+{item.window_s:g}h{item.horizon_s:g}"
    line = {"id": f"{dataset}/{place}"} | item.to_dict() | {"dataset": dataset, "split": split}
    known = source.rhythms
    last = None if known is None else known.last_event(item.start_s)
    return line | {
        "rhythms": None if known is None else known.shares(item.start_s, item.stop_s),
        "missing": round(source.missing(item.start_s, item.stop_s), 4),
        "since_event_s": None if last is None else round(item.start_s - last, 3),
        "onset_exact": None if item.onset_s is None else known is not None,
    }


def _finish(folder: Path, layout: Layout, root: Path, records: dict[str, list[str]], rules: Rules) -> dict[str, Any]:
    """The parts in order in three files and a card; then they are no longer needed."""
    place = folder / "card.json"
    if not place.is_file():
        parts = [json.loads((folder / "parts" / f"{subject}.json").read_text(encoding="utf-8")) for subject in records]
        for name, key in (("manifest", "items"), ("records", "records"), ("skipped", "skipped")):
            write_text(folder / f"{name}.jsonl", "".join(json.dumps(row, ensure_ascii=True) + "\n"
                                                         for part in parts for row in part[key]))
        manifest = hashlib.sha256((folder / "manifest.jsonl").read_bytes()).hexdigest()
        made = card(layout, records, parts, rules, manifest)
        write_text(place, json.dumps(made, indent=1, ensure_ascii=True) + "\n")
    if (folder / "parts").is_dir():
        shutil.rmtree(folder / "parts")
    done: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return {"folder": os.fspath(folder)} | done
