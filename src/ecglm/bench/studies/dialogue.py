"""False premises: questions that take a finding for granted which the labels deny, beside the same questions where they grant it,
so that always refuting is worth no more than chance. Asked of the shipped model as `ecglm ask` and `ecglm chat` answer them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import ecglm
from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.studies.premises import KEYS, NAMES, OUTCOMES, Asked, asked_of, outcome
from ecglm.bench.study import Study, Table
from ecglm.bench.task import BenchItem, digest
from ecglm.corpus.ecgqa import findings_items
from ecglm.corpus.external import bench_record, ludb_items
from ecglm.knowledge.statements import BY_KEY

_TITLES = {"ptbxl": "PTB-XL fold 9", "ludb": "LUDB"}


def run(seed: int, draws: int, progress: bool, fold: int = 9, each: int = 12, sets: Sequence[str] = ("ptbxl", "ludb")) -> Study:
    """fold: develop on 1 to 8 only."""
    model = ecglm.load()
    tables, values, hashed, count = [], {}, [], 0
    people: set[str] = set()
    for name in sets:
        items = findings_items(fold) if name == "ptbxl" else ludb_items()
        asked = asked_of(items, seed, each)
        title = _TITLES[name] if fold == 9 or name == "ludb" else f"PTB-XL fold {fold}"
        given = _answers(model, asked, items, seed, progress, title)
        tables += [_table(title, asked, given, draws, seed), _by_finding(title, asked, given["full"])]
        values[name] = [
            {**vars(one), "full": full, "other patient": other, "no signal": none}
            for one, full, other, none in zip(asked, given["full"], given["other patient"], given["no signal"], strict=True)
        ]
        hashed += [[one.question, one.record, one.true] for one in asked]
        people |= {one.patient for one in asked}
        count += len(asked)
    notes = (
        "Refuted: the reply begins by saying that the finding is not there, or, of hypertrophy, that the ECG shows no sign of "
        "it, which does not exclude it; outright: the former only. Doubted: that it is only possible. "
        "Declined: no answer, with a reason. Accepted: that it is there, or its values. Other: none of these wordings. "
        "Always refuting scores 50 in the last column.",
        "Other patient: the same questions asked about the recording of another patient, with the labels of the first. "
        "No signal: the recording replaced by zeros. Where no recording of a set has a finding, only false premises are asked.",
        "Rules and wordings have the same authors; the new wordings were written before the first run and the rules not "
        "changed for them. Labels follow clinical reports, which do not name everything that is there.",
    )
    return Study(tables, count, len(people), digest(hashed), notes, {"answers": values})


def _answers(
    model: Any,
    asked: Sequence[Asked],
    items: Sequence[BenchItem],
    seed: int,
    progress: bool,
    title: str,
) -> dict[str, list[str]]:
    """What became of each premise, by condition."""
    from rich.progress import track

    rng = np.random.default_rng(seed)
    patient_of = {item.record_key: item.patient for item in items}
    records = sorted(patient_of)
    place: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for number, one in enumerate(asked):
        place[one.record].append(("full", number))
        others = [r for r in rng.permutation(records)[:8].tolist() if patient_of[r] != one.patient]
        place[others[0]].append(("other patient", number))
    out = {condition: [""] * len(asked) for condition in ("full", "other patient", "no signal")}
    for key, wanted in track(list(place.items()), title, disable=not progress):
        record = bench_record(key)
        replies = model.ask_batch([(record, asked[number].question) for _, number in wanted])
        for (condition, number), reply in zip(wanted, replies, strict=True):
            out[condition][number] = outcome(reply.text, reply.abstained)
    flat = replace(bench_record(records[0]), signal=np.zeros_like(bench_record(records[0]).signal))
    replies = model.ask_batch([(flat, one.question) for one in asked])
    out["no signal"] = [outcome(reply.text, reply.abstained) for reply in replies]
    return out


def _table(title: str, asked: Sequence[Asked], given: Mapping[str, Sequence[str]], draws: int, seed: int) -> Table:
    rows = []
    for name, condition, keep in (
        ("all", "full", lambda _: True),
        ("known wordings", "full", lambda a: a.wording == "known"),
        ("new wordings", "full", lambda a: a.wording == "new"),
        ("control: other patient", "other patient", lambda _: True),
        ("control: no signal", "no signal", lambda _: True),
    ):
        rows.append([name, *_cells([(a, o) for a, o in zip(asked, given[condition], strict=True) if keep(a)], draws, seed)])
    rows.append(["always refuting (chance)", "100.0", "100.0", "100.0", "0.0", "100.0", "100.0", "0.0", "50.0"])
    return Table(
        f"{title}: {len(asked)} questions, {sum(a.true for a in asked)} of them with a true premise; %",
        (
            "",
            "false: refuted outright",
            "false: refuted",
            "false: refuted or doubted",
            "true: accepted",
            "true: refuted outright",
            "true: refuted",
            "other wording",
            "mean of false refuted or doubted and true accepted",
        ),
        rows,
    )


def _cells(pairs: Sequence[tuple[Asked, str]], draws: int, seed: int) -> Iterable[str]:
    boot = Bootstrap([a.patient for a, _ in pairs], draws, seed)
    true = np.array([a.true for a, _ in pairs])
    made: Callable[..., np.ndarray[Any, Any]] = lambda *names: np.array([o in names for _, o in pairs])  # noqa: E731

    def share(of: np.ndarray[Any, Any], said: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        sums = boot.sums(np.stack([of & said, of], axis=1).astype(float))
        return 100 * float((of & said).sum() / max(1, of.sum())), 100 * sums[:, 0] / np.maximum(sums[:, 1], 1)

    outright, no = share(~true, made("refuted")), share(~true, made("refuted", "no sign"))
    unsure = share(~true, made("refuted", "no sign", "doubted"))
    yes, denied, wrong = share(true, made("accepted")), share(true, made("refuted")), share(true, made("refuted", "no sign"))
    both = ((unsure[0] + yes[0]) / 2, (unsure[1] + yes[1]) / 2)
    unknown = share(np.ones(len(pairs), bool), made("other"))
    for value, drawn in (outright, no, unsure, yes, denied, wrong, unknown, both):
        found = interval(value, drawn)
        yield f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]"


def _by_finding(title: str, asked: Sequence[Asked], given: Sequence[str]) -> Table:
    rows = []
    for key in KEYS:
        of = {true: [o for a, o in zip(asked, given, strict=True) if a.key == key and a.true is true] for true in (False, True)}
        if of[False] or of[True]:
            counts = (" / ".join(str(of[true].count(o)) for o in OUTCOMES) for true in (False, True))
            rows.append([NAMES.get(key, BY_KEY[key].name), *counts])
    title = f"{title}: by finding, counts of {' / '.join(OUTCOMES)}"
    return Table(title, ("finding", "false premise", "true premise"), rows)
