"""R peaks and kinds of beats, on recordings that trained nothing, beside sleepecg, NeuroKit2 and wfdb in one run."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ecglm.bench.fiducials import Floats, Matched, match, pooled
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.cpsc2019 import peak_records
from ecglm.corpus.mitdb import PACED, Beats, beat_records
from ecglm.records.record import Record
from ecglm.signal import detect_beats
from ecglm.signal.delineation import Delineation, delineate

#: Classes that are scored one against the rest (ANSI/AAMI EC57).
SCORED = {"V": "ventricular", "S": "supraventricular"}


@dataclass
class _Detector:
    """One way to find beats: its matches by data set, and the seconds it took."""

    name: str
    find: Callable[[Record], Floats]
    parts: dict[str, list[Matched]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, data: str, record: Record, times_s: Floats, without: Floats) -> None:
        start = time.process_time()
        found = self.find(record)
        self.seconds += time.process_time() - start
        for first, last in without:
            times_s, found = (t[(t < first) | (t > last)] for t in (times_s, found))
        self.parts.setdefault(data, []).append(match(times_s, found))


def run(seed: int, draws: int, progress: bool) -> Study:
    """MIT-BIH records outside `corpus.mitdb.TRAIN`, and all of CPSC2019 here."""
    from rich.progress import track

    detectors = [_Detector("ecglm delineate", _network), _Detector("ecglm detect_beats", _rules), *_peers()]
    mit, cpsc = list(beat_records(train=False)), list(peak_records())
    typed: dict[str, list[tuple[int, int, int]]] = {name: [] for name in SCORED}
    for one in track(mit, "MIT-BIH", disable=not progress):
        for detector in detectors:
            detector.add("MIT-BIH", one.record, one.times_s, one.fibrillation)
        if one.name not in PACED:
            found = delineate(one.record)
            for name in SCORED:
                typed[name].append(_type_counts(one, found, name))
    for record, times in track(cpsc, "CPSC2019", disable=not progress):
        for detector in detectors:
            detector.add("CPSC2019", record, times, np.empty((0, 2)))
    tables = [_peak_table(detectors, draws, seed), _type_table(typed, draws, seed)]
    values = {d.name: {data: pooled(parts) for data, parts in d.parts.items()} for d in detectors}
    notes = ("150 ms matching, whole records, ventricular flutter left out (ANSI/AAMI EC57). CPU time of all recordings. "
             "Beat kinds without the paced records; a beat that was not found counts as missed, a false beat that is called "
             "ventricular as false, a fusion beat as neither.",)
    data = digest([[one.name, np.round(one.times_s, 4).tolist()] for one in mit] + [np.round(t, 4).tolist() for _, t in cpsc])
    return Study(tables, len(mit) + len(cpsc), len(mit) + len(cpsc), data, notes, values)


def _network(record: Record) -> Floats:
    return delineate(record).overall["qrs"][:, 1]


def _rules(record: Record) -> Floats:
    return detect_beats(record.signal, record.fs).times_s


def _peers() -> list[_Detector]:
    """Detectors of one lead, on the record's first."""
    import sleepecg

    def first(record: Record, call: Callable[[Floats, float], object]) -> Floats:
        row = np.nan_to_num(record.signal[0].astype(float))
        return np.asarray(call(row, record.fs), float) / record.fs

    known: dict[str, Callable[[Floats, float], object]] = {"sleepecg": sleepecg.detect_heartbeats}
    if importlib.util.find_spec("neurokit2"):
        import neurokit2

        known["NeuroKit2"] = lambda row, fs: neurokit2.ecg_peaks(neurokit2.ecg_clean(row, fs), fs)[1]["ECG_R_Peaks"]
    if importlib.util.find_spec("wfdb"):
        from wfdb import processing

        known["wfdb xqrs"] = lambda row, fs: processing.xqrs_detect(row, fs, verbose=False)
    return [_Detector(name, partial(first, call=call)) for name, call in known.items()]


def _type_counts(one: Beats, found: Delineation, name: str) -> tuple[int, int, int]:
    """Right, missed and false beats of a class."""
    times = found.overall["qrs"][:, 1]
    mine = times[np.array(found.types) == name]
    truth, others = one.times_s[one.classes == name], one.times_s[np.isin(one.classes, ["F", "Q"])]
    paired = match(truth, mine)
    wrong = paired.false - len(match(others, np.setdiff1d(mine, _paired(truth, mine))).errors)
    return len(paired.errors), paired.missed, max(0, wrong)


def _paired(truth: Floats, mine: Floats) -> Floats:
    """Detections with a mark nearby."""
    place = np.searchsorted(truth, mine).clip(1, max(1, len(truth) - 1))
    if not len(truth):
        return np.empty(0)
    near = np.minimum(abs(mine - truth[place - 1]), abs(mine - truth[np.minimum(place, len(truth) - 1)])) <= 0.15
    out: Floats = mine[near]
    return out


def _peak_table(detectors: list[_Detector], draws: int, seed: int) -> Table:
    rows = []
    for data in detectors[0].parts:
        for detector in detectors:
            parts = detector.parts[data]
            score = pooled(parts)
            right, missed, false = np.array([(len(m.errors), m.missed, m.false) for m in parts], float).T
            boot = Bootstrap([str(k) for k in range(len(parts))], draws, seed)
            sums = boot.sums(np.stack([2 * right, 2 * right + missed + false], axis=1))
            low, high = np.percentile(100 * sums[:, 0] / sums[:, 1], (2.5, 97.5))
            rows.append([data, detector.name, f"{100 * score['sensitivity']:.2f}", f"{100 * score['ppv']:.2f}",
                         f"{100 * score['f1']:.2f} [{low:.2f}, {high:.2f}]", f"{detector.seconds:.1f}"])
    return Table("R peaks", ("data", "method", "sensitivity %", "PPV %", "F1 %", "CPU s"), rows)


def _type_table(typed: dict[str, list[tuple[int, int, int]]], draws: int, seed: int) -> Table:
    rows = []
    for name, counts in typed.items():
        table = np.array(counts, float)
        boot = Bootstrap([str(k) for k in range(len(table))], draws, seed)
        cells = []
        for wrong in (1, 2):
            sums = boot.sums(np.stack([table[:, 0], table[:, 0] + table[:, wrong]], axis=1))
            low, high = np.nanpercentile(100 * sums[:, 0] / np.maximum(sums[:, 1], 1), (2.5, 97.5))
            value = 100 * table[:, 0].sum() / max(1.0, table[:, 0].sum() + table[:, wrong].sum())
            cells.append(f"{value:.1f} [{low:.1f}, {high:.1f}]")
        rows.append([SCORED[name], str(int(table[:, :2].sum())), *cells])
    return Table("Kinds of beats, MIT-BIH", ("kind", "beats", "sensitivity %", "PPV %"), rows)
