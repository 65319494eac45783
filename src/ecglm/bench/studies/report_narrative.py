"""`report-narrative`: what the language model writes of recordings of a fold with and without the diagnosis-driven prompt, how
much of it traces to the recording, and which of PTB-XL's statements it makes before and after the check."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ecglm.bench.clinical import GROUPS, efficacy, labelled, said
from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.studies.report import check_patients, diagnosis_text
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.corpus.ptbxl import load
from ecglm.corpus.reports import report_rows
from ecglm.reporting.narrative import Narrative

_WITH, _WITHOUT = "with the diagnosis-driven prompt", "without"


def run(seed: int, draws: int, progress: bool, fold: int = 9, recordings: int = 50) -> Study:
    """So many recordings of the fold, drawn by `seed`. Greedy; the base model of the default checkpoint, on this machine."""
    from rich.progress import track

    import ecglm

    data, known, model = load(), report_rows(), ecglm.load()
    rows = [int(row) for row in data.rows((fold,))]
    check_patients(data, rows, [])
    rows = sorted(random.Random(seed).sample(rows, min(recordings, len(rows))))
    reports = [model.report(data.record(row)) for row in track(rows, "Reports", disable=not progress)]
    told = {name: model.narrate(reports, driven) for name, driven in ((_WITHOUT, False), (_WITH, True))}
    here = [known[int(data.ecg_id[row])] for row in rows]
    boot = Bootstrap([str(row.patient) for row in here], draws, seed)
    texts = {"forms only (default)": [diagnosis_text(report) for report in reports],
             "the diagnosis-driven prompt itself": [one.prompt.splitlines()[-1] for one in told[_WITH]]}
    for name, narratives in told.items():
        texts[f"written {name}"] = [one.written for one in narratives]
        texts[f"kept of it, {name}"] = [" ".join(one.kept) for one in narratives]
    cells, values = [], dict[str, Any]()
    for system, written in texts.items():
        scores = {group: efficacy(said(written, group), labelled([row.labels for row in here], group), boot) for group in GROUPS}
        cells.append([system, *(percent(scores[group].micro_f1) for group in GROUPS)])
        values[system] = {group: score.to_dict() for group, score in scores.items()}
    tables = [_traced(told, boot),
              Table(f"Statements against PTB-XL's labels ({len(rows)} recordings), micro F1, %",
                    ("text", *GROUPS), cells)]
    return Study(tables, len(rows), len({row.patient for row in here}), digest([[r.ecg_id, dict(r.labels)] for r in here]),
                 _NOTES, {"efficacy": values,
                          "narratives": {name: [one.to_dict() for one in ones] for name, ones in told.items()}})


def _traced(told: dict[str, list[Narrative]], boot: Bootstrap) -> Table:
    rows = []
    for name, narratives in told.items():
        removed = np.array([len(one.removed) for one in narratives], float)
        whole = removed + np.array([len(one.kept) for one in narratives], float)
        sums = boot.sums(np.stack([removed, whole], axis=1))
        share = interval(float(removed.sum() / max(1.0, whole.sum())), sums[:, 0] / np.maximum(sums[:, 1], 1))
        nothing = boot.mean([not one.kept for one in narratives])
        rows.append([name, str(int(whole.sum())), percent(share), percent(nothing)])
    head = ("prompt", "sentences", "removed, %", "texts of which nothing is kept, %")
    return Table("Sentences of the language model", head, rows)


_NOTES = (
    "The text is the base model's (SmolLM2-135M-Instruct, 4-bit weights, greedy, without the adapter, which teaches it answers "
    "of a few words), so it sees the recording only through its facts: measurements, and with the prompt of ECG-Chat the "
    "statements held present and the likeliest rhythm as \"The {label} is present.\" Without it, it is told measurements only.",
    "Removed: sentences with a number, statement, qualifier or denial that does not trace to the recording, or with nothing "
    "that could (`ecglm.reporting.narrative`). What is kept fits our findings; that makes it neither good prose nor right.",
    "Possible counts as said, as in report-ptbxl. ECG-Chat published for its 13-billion-parameter model on other data, "
    "without and with the prompt: diagnosis 1.8 and 22.3, form 1.0 and 17.4, rhythm 13.0 and 43.4.",
)
