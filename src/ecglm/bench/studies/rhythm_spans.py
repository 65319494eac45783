"""Spans of fibrillation and flutter in long recordings, second by second.

MIT-BIH by models that never saw the person, CPSC2021 by the one that ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.mitdb import TRAIN
from ecglm.corpus.rhythms import CLASSES, Rhythms, cpsc2021_rhythms, mitdb_rhythms
from ecglm.records.windows import Windows, open_windows
from ecglm.signal.conduction import disorder
from ecglm.signal.delineation import delineate
from ecglm.signal.holter.minutes import FS
from ecglm.signal.holter.stream import gather
from ecglm.signal.rhythm_name import rhythm
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.find import RhythmSpan, beat_rhythms, spans_of
from ecglm.signal.spans.model import SpanModel, fold_models, shipped_model

#: Rhythms are compared this often (s).
GRID_S = 0.1
#: Onsets by how long the annotated episode lasts (s), and found when told within so long (s) of it.
LENGTHS, FOUND_S = ((30.0, np.inf), (10.0, 30.0), (0.0, 10.0)), 10.0
#: The rule that `holter` had before: half minutes of which `rhythm` says so, whose intervals between other than ventricular
#: beats are as irregular, and two of three in a row.
HALF_S, LEAST_RR, LEAST_DISORDER = 30.0, 10, 0.08
AF, FLUTTER = 1, 2


@dataclass
class _Method:
    """One way to find spans: seconds ``[annotated, told]`` by record, onset errors by length, and who."""

    name: str
    seconds: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    onsets: list[tuple[str, float, float]] = field(default_factory=list)  #: subject, length, error (s)

    def add(self, one: Rhythms, spans: Sequence[RhythmSpan]) -> None:
        at = np.arange(GRID_S / 2, one.duration_s, GRID_S)
        told = np.zeros(len(at), np.int64)
        for span in spans:
            told[(at >= span.start_s) & (at < span.stop_s)] = CLASSES.index(span.name)
        self.seconds[one.name] = np.bincount(3 * one.at(at) + told, minlength=9).reshape(3, 3).astype(np.float64) * GRID_S
        begins = np.array([span.start_s for span in spans if span.name == "af"])
        for (begin, stop), kind in zip(one.spans, one.classes, strict=True):
            if kind == AF and begin > 1.0:  # one that is there from the first second on has no onset
                error = float(begins[abs(begins - begin).argmin()] - begin) if len(begins) else np.inf
                self.onsets.append((one.subject, stop - begin, error))


def run(seed: int, draws: int, progress: bool) -> Study:
    """All of both sets, two leads and each alone."""
    from rich.progress import track

    models = fold_models()
    mit, cpsc = list(mitdb_rhythms()), list(cpsc2021_rhythms())
    tables: list[Table] = []
    methods: dict[str, list[_Method]] = {}
    for title, records in (("MIT-BIH", mit), ("CPSC2021", cpsc)):
        ours = [_Method(name) for name in ("both leads", "first lead", "second lead")]
        rule = _Method("half-minute rule, both leads")
        for one in track(records, title, disable=not progress):
            model = models[one.name] if title == "MIT-BIH" else shipped_model()
            names = open_windows(one.path).first.leads
            for method, leads in zip(ours, (None, names[:1], names[1:2]), strict=True):
                windows = open_windows(one.path, leads=leads)
                method.add(one, found_spans(windows, model))
            rule.add(one, half_minutes(open_windows(one.path)))
        methods[title] = [*ours, rule]
    tables.append(_scores(methods, mit, cpsc, draws, seed))
    tables.append(_onsets(methods["MIT-BIH"]))
    tables.append(_by_record(methods["MIT-BIH"], mit))
    notes = ("MIT-BIH: each record by trees that learned from none of its person (201 and 202 are one), in four parts. "
             "The kinds of beats that features rest on learned from "
             f"{sum(one.name in TRAIN for one in mit)} of these records. F1 of seconds, strictly as annotated: what lies between "
             "two stretches of fibrillation under another name counts against it. Intervals from people drawn anew; only four "
             "have fibrillation. An onset is found when one is told within 10 s; the first second of a record has none. "
             "CPSC2021: three people, by the model that ships.",)
    values = {title: {method.name: {"seconds": {name: np.round(table, 1).tolist() for name, table in method.seconds.items()},
                                    "onsets": [[who, round(length, 2), round(error, 2) if np.isfinite(error) else None]
                                               for who, length, error in method.onsets]}
                      for method in some} for title, some in methods.items()}
    return Study(tables, len(mit) + len(cpsc), len({one.subject for one in mit + cpsc}),
                 digest([[one.name, np.round(one.spans, 3).tolist(), one.classes.tolist()] for one in mit + cpsc]), notes, values)


def found_spans(windows: Windows, model: SpanModel) -> list[RhythmSpan]:
    """Spans of a recording by a model, of which `holter` uses the one that ships."""
    seen, _ = gather(windows)
    times, gaps, kinds = np.concatenate(seen.times) / FS, np.concatenate(seen.gaps) / FS, np.concatenate(seen.types)
    classes, prob = beat_rhythms(times, kinds, np.concatenate(seen.p), gaps, Evidence.joined(seen.evidence), model)
    return spans_of(times, gaps, classes, prob, windows.duration_s)


def half_minutes(windows: Windows) -> list[RhythmSpan]:
    """Spans of fibrillation by the rule that was before."""
    edges = np.linspace(0, windows.duration_s, max(1, round(windows.duration_s / HALF_S)) + 1)
    said = np.zeros(len(edges) - 1, bool)
    for number, (begin, stop) in enumerate(pairwise(edges)):
        record = windows.read(float(begin), float(stop - begin))
        found = delineate(record)
        usual = np.array(found.types) != "V"
        rr = np.diff(found.overall["qrs"][:, 1])
        rr = rr[usual[1:] & usual[:-1]] if len(usual) == len(rr) + 1 else np.empty(0)
        if len(rr) >= LEAST_RR and disorder(rr) >= LEAST_DISORDER:
            said[number] = rhythm(record, found).name == "atrial fibrillation"
    said = median_filter(said.astype(int), size=3, mode="nearest") > 0
    return [RhythmSpan(float(a), float(b), "af", 1.0) for (a, b), yes in zip(pairwise(edges), said, strict=True) if yes]


def _scores(methods: dict[str, list[_Method]], mit: Sequence[Rhythms], cpsc: Sequence[Rhythms], draws: int, seed: int,
            ) -> Table:
    rows = []
    for title, records in (("MIT-BIH", mit), ("CPSC2021", cpsc)):
        free = [one for one in records if not one.classes.any()]
        hours = sum(one.duration_s for one in free) / 3600
        for method in methods[title]:
            table_R33 = np.stack([method.seconds[one.name] for one in records])
            boot = Bootstrap([one.subject for one in records], draws, seed)
            cells = [_f1(table_R33, kind, boot) for kind in (AF, FLUTTER, 0)]
            false = sum(method.seconds[one.name][:, AF].sum() for one in free) / 60
            rows.append([title, method.name, *cells, f"{false / hours:.2f}"])
    return Table("Seconds", ("data", "method", "F1 AF %", "F1 flutter %", "F1 other %", "AF told in people without, min/h"), rows)


def _f1(table_R33: NDArray[np.float64], kind: int, boot: Bootstrap) -> str:
    """Cell of a class: right twice over annotated and told."""
    parts = np.stack([2 * table_R33[:, kind, kind], table_R33[:, kind].sum(axis=1) + table_R33[:, :, kind].sum(axis=1)], axis=1)
    total = parts.sum(axis=0)
    if not total[1]:
        return "–"
    sums = boot.sums(parts)
    low, high = np.nanpercentile(100 * sums[:, 0] / np.maximum(sums[:, 1], 1e-9), (2.5, 97.5))
    return f"{100 * total[0] / total[1]:.1f} [{low:.1f}, {high:.1f}]"


def _onsets(methods: Sequence[_Method]) -> Table:
    rows = []
    for method in methods:
        for low, high in LENGTHS:
            errors = np.array([error for _, length, error in method.onsets if low <= length < high])
            people = len({who for who, length, _ in method.onsets if low <= length < high})
            known = abs(errors[np.isfinite(errors)])
            long = f"{low:g} s and longer" if high == np.inf else f"{low:g} to {high:g} s"
            rows.append([method.name, long, str(len(errors)), str(people), f"{int((abs(errors) <= FOUND_S).sum())}",
                         "–" if not len(known) else f"{np.median(known):.1f}"])
    return Table("Onsets of fibrillation, MIT-BIH", ("method", "episode", "onsets", "people", "within 10 s", "median error s"),
                 rows)


def _by_record(methods: Sequence[_Method], records: Sequence[Rhythms]) -> Table:
    """Records in which there is, or is told, any."""
    def minutes(value: float) -> str:
        return f"{value / 60:.1f}"

    rows = []
    both, rule = methods[0], methods[-1]
    for one in records:
        table, old = both.seconds[one.name], rule.seconds[one.name]
        if table[1:].sum() + table[:, 1:].sum() + old[:, 1:].sum() >= 3:
            values = (table[AF].sum(), table[:, AF].sum(), table[AF, AF], old[:, AF].sum(), old[AF, AF], table[FLUTTER].sum(),
                      table[:, FLUTTER].sum(), table[FLUTTER, FLUTTER])
            rows.append([one.name, *map(minutes, values)])
    head = ("record", "AF", "told", "both", "by the rule", "both", "flutter", "told", "both")
    return Table("By record, both leads, minutes", head, rows)
