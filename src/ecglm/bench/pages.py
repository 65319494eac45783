"""Findings from pages beside findings from the signals of the same recordings: drawn, distorted by a preset, read back, judged.

A page that is refused is shown both ways: left out, beside the signals of the others, and judged by the base rates. The same
pages are put to ECGBench's PTB-XL Super protocol. What was judged is kept beside the result, and an interrupted run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.bench.provenance import code_hash
from ecglm.bench.scoring import findings_table
from ecglm.bench.study import Study, Table
from ecglm.bench.task import BenchItem, FindingScores, TaskConfig, data_hash, digest
from ecglm.errors import PageError, UsageError

GROUPS = ("super_class", "sub_class", "form", "rhythm")


def run(model: str | None, folder: Path, limit: int | None, seed: int, draws: int, progress: bool, *, fold: int = 9,
        input: str = "page:none", data: str = "") -> tuple[Study, str]:
    """The table of one preset, and who answered. Raises UsageError for an input that is no page."""
    import ecglm
    from ecglm.corpus.ecgqa import findings_items

    if data:
        raise UsageError("findings from pages run on ECGLM_DATA; leave out --data")
    if not input.startswith("page:"):
        raise UsageError(f"input {input!r} is no page:<preset>")
    items = findings_items(fold, limit, seed)
    subject = ecglm.load(model=model).on_bench()
    return score(subject, items, seed, draws, progress, input, folder), subject.id


@dataclass(frozen=True)
class _Judged:
    """One recording: by its signal, and by its page, or why that was refused."""

    id: str
    signal: FindingScores
    page: FindingScores
    refused: str = ""


def score(subject: Any, items: Sequence[BenchItem], seed: int, draws: int, progress: bool, shown: str, folder: Path) -> Study:
    """The same of any subject with `score_record` and `score_unread`. shown: "page:<preset>"."""
    from ecglm.bench.ecgbench.ptbxl import score as ecgbench
    from ecglm.bench.patients import check_leakage

    leakage = check_leakage(items, subject)
    judged = _judged(subject, items, shown, folder / "pages.jsonl", progress)
    signals, pages = [one.signal for one in judged], [one.page for one in judged]
    refused = {one.id: one.refused for one in judged if one.refused}
    task = TaskConfig("findings-pages", 1, "", "", kind="findings", groups=GROUPS, metrics=("auroc",), draws=draws, seed=seed)
    rows: list[list[str]] = []
    values: dict[str, Any] = {"leakage": leakage, "refused": refused}

    def add(name: str, scores: Sequence[FindingScores], chosen: Sequence[int]) -> None:
        table = findings_table(task, [items[k] for k in chosen], [scores[k] for k in chosen])
        macro = {group: table[group]["macro_auroc"] for group in GROUPS}
        rows.append([name, str(len(chosen)), *(_cell(macro[group]) for group in GROUPS)])
        values[name] = macro

    every, read = range(len(items)), [k for k, one in enumerate(judged) if not one.refused]
    add("signals", signals, every)
    if read:
        add(f"{shown}, those that were read", pages, read)
        add("signals of those", signals, read)
    add(f"{shown}, a refused one judged by the base rates", pages, every)
    title = f"Findings from {shown}, {len(items)} recordings: macro-AUROC"
    notes = ("Drawn as 3x4 with a rhythm strip and opened as `ecglm ask` opens it; the seed of the distortions is the "
             f"recording's. {len(refused)} of {len(items)} pages were refused. Intervals: bootstrap over patients.",)
    protocol = ecgbench(_Told(subject, {f"{shown}/{item.record_key}": page for item, page in zip(items, pages, strict=True)}),
                        items, seed, draws, False, shown)
    return Study([Table(title, ("", "recordings", *GROUPS), rows), *protocol.tables], len(items),
                 len({item.patient for item in items}), data_hash(items), (*notes, *protocol.notes),
                 values | {"ecgbench": protocol.values, "code": code_hash()})


def _judged(subject: Any, items: Sequence[BenchItem], shown: str, path: Path, progress: bool) -> list[_Judged]:
    """Every recording judged both ways, from disk where that was done by the same code and model."""
    from rich.progress import track

    from ecglm.corpus.external import bench_record

    key = digest([shown, getattr(subject, "fingerprint", subject.id), code_hash()])
    done = _kept(path, key)
    write_text(path, "".join([json.dumps({"key": key}) + "\n", *(_line(one) for one in done.values())]))
    for item in track(items, "Pages", disable=not progress):
        if item.id in done:
            continue
        signal = subject.score_record(item.id, bench_record(item.record_key))
        try:
            done[item.id] = _Judged(item.id, signal, subject.score_record(item.id, bench_record(f"{shown}/{item.record_key}")))
        except PageError as error:
            done[item.id] = _Judged(item.id, signal, subject.score_unread(item), error.reason)
        with open(path, "a", encoding="utf-8") as file:
            file.write(_line(done[item.id]))
    return [done[item.id] for item in items]


def _line(one: _Judged) -> str:
    return json.dumps(asdict(one)) + "\n"


def _kept(path: Path, key: str) -> dict[str, _Judged]:
    """What an interrupted run with the same key has judged; a crash may have left half a line."""
    done: dict[str, _Judged] = {}
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    if not lines or lines[0] != json.dumps({"key": key}):
        return done
    for line in lines[1:-1]:
        row = json.loads(line)
        done[row["id"]] = _Judged(row["id"], FindingScores(**row["signal"]), FindingScores(**row["page"]), row["refused"])
    return done


class _Told:
    """A subject that repeats what it said of each page."""

    def __init__(self, subject: Any, said: dict[str, FindingScores]) -> None:
        self.subject, self.said = subject, said
        self.id = subject.id
        self.train_patients, self.train_hashes = subject.train_patients, subject.train_hashes

    def score_items(self, items: list[BenchItem], progress: bool) -> list[FindingScores]:
        return [replace(self.said[item.record_key], id=item.id) for item in items]

    def score_unread(self, item: BenchItem) -> FindingScores:
        return self.subject.score_unread(item)  # type: ignore[no-any-return]

    def score_blind(self, item: BenchItem) -> FindingScores:
        return self.subject.score_blind(item)  # type: ignore[no-any-return]


def _cell(macro: dict[str, float | None]) -> str:
    if macro["value"] is None:
        return "–"
    return f"{macro['value']:.3f} [{macro['low']:.3f}, {macro['high']:.3f}]"
