"""One subset of ECGBench on one subject, from the published files to tables: both scorers, coins, the published figures."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import write_text
from ecglm.bench.ecgbench.choice import PaperChoice, read_options, strict_choice
from ecglm.bench.ecgbench.judged import ARENA, REPORT, judge_arena, judge_report, overall
from ecglm.bench.ecgbench.labels import paper_gold, paper_labels, strict_labels
from ecglm.bench.ecgbench.load import Case, load_cases
from ecglm.bench.ecgbench.multilabel import Scores, paper_scores, strict_scores
from ecglm.bench.ecgbench.options import paper_correct, strict_correct
from ecglm.bench.ecgbench.subject import Dummy, Reply, Subject, find_subject
from ecglm.bench.ecgbench.subsets import Subset, subset
from ecglm.bench.judge import from_environment
from ecglm.bench.provenance import code_hash
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.errors import UsageError

HEAD = ("row", "scorer")
_NOTE = (
    "Intervals are over items: the files name no patients, so that several images of one person would make them too narrow. "
    "`paper` follows the released rules as far as they are known; the released scripts do not compile, so that equality with "
    "their output cannot be shown. Published figures are of the published images; a reply that could not be had is wrong."
)


def run(
    model: str | None, folder: Path, limit: int | None, seed: int, draws: int, progress: bool, *, name: str, data: str = ""
) -> tuple[Study, str]:
    """The tables of a subset, and who answered. data: the folder with the published files. Raises UsageError without them."""
    of = subset(name)
    cases = load_cases(of, data)
    whole = len(cases)
    if limit is not None and limit < whole:
        cases = sorted(random.Random(seed).sample(cases, limit), key=cases.index)
    judge = from_environment(folder / "judge.jsonl") if of.kind in ("report", "arena") else None
    if of.kind in ("report", "arena") and judge is None:
        raise UsageError(f"ecgbench-pulse/{name} is scored by a judge model; set ECGLM_JUDGE_URL and ECGLM_JUDGE_MODEL")
    who = find_subject(model, folder / "subject.jsonl")
    data_hash = digest([[c.id, c.questions, c.gold] for c in cases])
    replies = answer(
        who, of, cases, folder / "predictions" / "replies.jsonl", digest([who.id, data_hash, code_hash()]), progress
    )
    coins = [Dummy("coin").reply(case, of) for case in cases]
    boot = Bootstrap([case.id for case in cases], draws, seed)
    values: dict[str, Any] = {"failed": {c.id: r.failed for c, r in zip(cases, replies, strict=True) if r.failed}}
    rows: list[Sequence[str]] = []
    if judge is not None:
        metrics, rows = _judged(judge, of, cases, replies, boot, values)
    else:
        metrics = ("AUC", "F1", "HL") if of.kind == "labels" else ("accuracy",)
        score = {"labels": _labels, "choice": _choice, "options": _options}[of.kind]
        for row, given in ((who.id, replies), ("coin (chance)", coins)):
            rows += score(Answered(row, of, cases, given, boot), values)
    for row, figures in of.published.items():
        rows.append([f"{row}, published", "paper", *(f"{figures[m]:g}" if m in figures else "–" for m in metrics)])
    title = f"{of.title}: {len(cases)} of {of.size} published items" + (f", a sample of {whole}" if len(cases) < whole else "")
    lower = " (lower is better)" if "HL" in metrics else ""
    tables = [Table(title + lower, (*HEAD, *metrics), rows)]
    notes = [
        _NOTE,
        *([f"{len(values['failed'])} items have no reply, {_first(values['failed'])}."] if values["failed"] else []),
    ]
    return Study(tables, len(cases), len(cases), data_hash, notes, values), who.id


def answer(who: Subject, of: Subset, cases: Sequence[Case], path: Path, key: str, progress: bool) -> list[Reply]:
    """One reply per case; those that are in `path` under `key` are not asked for again."""
    from rich.progress import track

    done = _read(path, key)
    write_text(path, "".join([json.dumps({"key": key}) + "\n", *(_line(name, reply) for name, reply in done.items())]))
    with open(path, "a", encoding="utf-8") as file:
        for case in track(cases, of.title, disable=not progress):
            if case.id not in done:
                done[case.id] = who.reply(case, of)
                file.write(_line(case.id, done[case.id]))
                file.flush()
    return [done[case.id] for case in cases]


def _line(name: str, reply: Reply) -> str:
    return json.dumps({"id": name, **asdict(reply)}) + "\n"


def _read(path: Path, key: str) -> dict[str, Reply]:
    found: dict[str, Reply] = {}
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        try:
            if json.loads(lines[0])["key"] != key:
                return {}
            for row in map(json.loads, lines[1:]):
                found[row["id"]] = Reply(tuple(row["texts"]), row["probability"], row["failed"])
        except (ValueError, KeyError, IndexError, TypeError):
            pass  # the line a crash cut short
    return found


def label_rows(row: str, paper: Scores, strict: Scores) -> list[Sequence[str]]:
    """Two rows of a table of AUC, F1, HL, in percent."""
    kind = "strict, AUC ranks probabilities" if strict.ranked else "strict"
    return [[row, name, *(percent(v) for v in (s.auc, s.f1, s.hl))] for name, s in (("paper", paper), (kind, strict))]


@dataclass(frozen=True)
class Answered:
    """The cases of a subset with one subject's replies; row: what the subject is called."""

    row: str
    of: Subset
    cases: Sequence[Case]
    replies: Sequence[Reply]
    boot: Bootstrap


def _labels(a: Answered, values: dict[str, Any]) -> list[Sequence[str]]:
    gold = [str(case.gold[0]) for case in a.cases]
    paper = paper_scores([paper_gold(g, a.of) for g in gold], [paper_labels(r.texts[0], a.of) for r in a.replies], a.boot)
    found = [strict_labels(r.texts[0], a.of) for r in a.replies]
    chance = np.array([[r.probability.get(label, np.nan) for label in a.of.labels] for r in a.replies], dtype=np.float64)
    strict = strict_scores([strict_labels(g, a.of) for g in gold], found, a.boot, a.of.labels, chance)
    values[a.row] = {"paper": paper.to_dict(), "strict": strict.to_dict() | {"no_answer": sum(not one for one in found)}}
    return label_rows(a.row, paper, strict)


def _choice(a: Answered, values: dict[str, Any]) -> list[Sequence[str]]:
    chosen = PaperChoice(a.of.letters)
    paper = [chosen(reply.texts[0]) == gold_letter(case) for case, reply in zip(a.cases, a.replies, strict=True)]
    strict_said = [
        strict_choice(reply.texts[0], read_options(case.questions[0]), a.of.letters)
        for case, reply in zip(a.cases, a.replies, strict=True)
    ]
    strict = [said == gold_letter(case) for case, said in zip(a.cases, strict_said, strict=True)]
    found = a.boot.mean(paper)
    values[a.row] = {
        "paper": found.to_dict() | {"guessed": chosen.guessed, "skipped": len(a.cases) != a.of.size},
        "strict": a.boot.mean(strict).to_dict() | {"no_answer": strict_said.count(None)},
    }
    whole = (
        percent(found) if len(a.cases) == a.of.size else f"({percent(found)}; the released script skips files of another length)"
    )
    return [
        [a.row, f"paper, {chosen.guessed} guessed", whole],
        [a.row, f"strict, {strict_said.count(None)} without answer", percent(a.boot.mean(strict))],
    ]


def gold_letter(case: Case) -> str:
    """The letter of the reference: its first character."""
    return str(case.gold[0]).strip()[:1]


def _options(a: Answered, values: dict[str, Any]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    values[a.row] = {}
    scorers: dict[str, Callable[..., bool]] = {"paper": paper_correct, "strict": strict_correct}
    for name, rule in scorers.items():
        found = a.boot.mean([rule(c.questions[0], r.texts[0], c.gold[0]) for c, r in zip(a.cases, a.replies, strict=True)])
        values[a.row][name] = found.to_dict()
        rows.append([a.row, name, percent(found)])
    return rows


def _judged(
    judge: Any,
    of: Subset,
    cases: Sequence[Case],
    replies: Sequence[Reply],
    boot: Bootstrap,
    values: dict[str, Any],
) -> tuple[tuple[str, ...], list[Sequence[str]]]:
    names = REPORT if of.kind == "report" else ARENA
    numbers = []
    for case, reply in zip(cases, replies, strict=True):
        if reply.failed:
            numbers.append(dict.fromkeys(names, 0))
        elif of.kind == "report":
            numbers.append(judge_report(judge, reply.texts[0], str(case.gold[0])))
        else:
            numbers.append(judge_arena(judge, case.questions, reply.texts, [str(g) for g in case.gold]))
    values["judge"] = {"model": judge.model, "items": {c.id: n for c, n in zip(cases, numbers, strict=True)}}
    main = "report score" if of.kind == "report" else "arena score"
    cells = [
        percent(boot.mean([overall(n) / 100 for n in numbers])),
        *(percent(boot.mean([n[name] / 10 for n in numbers])) for name in names),
    ]
    return (main, *names), [["ours", f"judged by {judge.model}", *cells]]


def _first(failed: dict[str, str]) -> str:
    name = next(iter(failed))
    return f"the first, {name}: {failed[name]}"
