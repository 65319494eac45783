"""Delineation and intervals against LUDB's cardiologists, beside NeuroKit2 where it is installed, in one run.

Our waves come from cross-validated networks: none saw the record it is scored on.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.fiducials import Floats, Matched, match, pooled
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.ludb import PEAKS, Marked, marked_records
from ecglm.signal import detect_beats, measure, prepare
from ecglm.signal.delineation import Delineation, delineate, waves_of
from ecglm.signal.wave_network import FS, fold_weights

POINTS = ("onset", "peak", "offset")
#: Fields of `Measurements` that are not called as their interval is.
_FIELDS = {"p": "p_duration"}
#: Waves by name, one array [wave, 3] per lead, NaN for a point that was not found.
Waves = dict[str, tuple[Floats, ...]]


@dataclass
class _Method:
    """One way to delineate: its waves of every record, and the seconds it took."""

    name: str
    find: Callable[[Marked], Waves]
    seconds: float = 0.0
    #: (wave, point) -> per record, the leads' matches.
    parts: dict[tuple[str, str], list[list[Matched]]] = field(default_factory=dict)

    def add(self, one: Marked) -> None:
        start = time.process_time()
        found = self.find(one)
        self.seconds += time.process_time() - start
        for wave in PEAKS:
            for column, point in enumerate(POINTS):
                self.parts.setdefault((wave, point), []).append([
                    _match_lead(one.marks, found, wave, lead, column) for lead in range(len(one.record.leads))])


def run(seed: int, draws: int, progress: bool) -> Study:
    """All records, all methods."""
    from rich.progress import track

    records = list(marked_records())
    weights = fold_weights()
    methods = [_Method("ecglm (cross-validated)", partial(_ours, weights))]
    if importlib.util.find_spec("neurokit2"):
        methods += [_Method(f"NeuroKit2 {how}", partial(_neurokit, how)) for how in ("prominence", "dwt")]
    intervals: dict[str, list[float]] = {}
    measuring = 0.0
    for one in track(records, "Delineation", disable=not progress):
        for method in methods:
            method.add(one)
        start = time.process_time()
        measure(one.record)
        measuring += time.process_time() - start
        for name, error in _interval_errors(one, delineate(one.record, weights[one.name])):
            intervals.setdefault(name, []).append(error)
    boot = Bootstrap([one.name for one in records], draws, seed)
    tables = [_points_table(methods, boot), _interval_table(intervals), _speed_table(methods, measuring, len(records))]
    values = {method.name: {f"{wave} {point}": pooled([m for leads in parts for m in leads])
                            for (wave, point), parts in method.parts.items()} for method in methods}
    notes = ("Leads pooled, 150 ms; a false wave counts where a lead is annotated. Intervals are medians over beats, held "
             "against the annotators' median lead, and against their earliest onset and latest offset over leads.",)
    return Study(tables, len(records), len(records), digest([[one.name, *_marks(one)] for one in records]), notes, values)


def _match_lead(marks: Waves, found: Waves, wave: str, lead: int, column: int) -> Matched:
    every = [marks[name][lead] for name in PEAKS if len(marks[name][lead])]
    if not every:
        return Matched(np.empty(0), 0, 0)
    stretch = (min(m[:, 0].min() for m in every), max(m[:, 2].max() for m in every))
    times = found[wave][lead][:, column]
    return match(marks[wave][lead][:, column], np.sort(times[np.isfinite(times)]), stretch)


def _ours(weights: dict[str, dict[str, NDArray[np.float32]]], one: Marked) -> Waves:
    return waves_of(one.record.leads, prepare(one.record, FS).signal, weights[one.name]).by_lead


def _neurokit(how: str, one: Marked) -> Waves:
    """One lead after the other, with our beats, which are the better ones (LUDB's R peaks: docs/measure.md)."""
    import neurokit2

    columns = {"p": ("ECG_P_Onsets", "ECG_P_Peaks", "ECG_P_Offsets"), "qrs": ("ECG_R_Onsets", "ECG_R_Peaks", "ECG_R_Offsets"),
               "t": ("ECG_T_Onsets", "ECG_T_Peaks", "ECG_T_Offsets")}
    beats = detect_beats(one.record.signal, one.record.fs).samples
    out: dict[str, list[Floats]] = {wave: [] for wave in columns}
    for row in one.record.signal:
        clean = neurokit2.ecg_clean(row.astype(float), one.record.fs)
        try:
            _, found = neurokit2.ecg_delineate(clean, beats, one.record.fs, method=how)
        except Exception:  # it raises all kinds of errors on short or noisy leads, and then has found nothing
            found = {}
        found["ECG_R_Peaks"] = beats
        for wave, names in columns.items():
            parts = [np.asarray(found.get(name, []), float) / one.record.fs for name in names]
            longest = max(len(part) for part in parts)  # it may know an onset where it knows no peak: each point counts alone
            out[wave].append(np.stack([np.pad(part, (0, longest - len(part)), constant_values=np.nan) for part in parts], axis=1))
    return {wave: tuple(leads) for wave, leads in out.items()}


def _marks(one: Marked) -> Iterable[list[list[float]]]:
    return (np.round(lead, 4).tolist() for wave in PEAKS for lead in one.marks[wave])


def _interval_errors(one: Marked, found: Delineation) -> list[tuple[str, float]]:
    """Error (ms) of each interval, by name, of the waves over all leads and of `measure`, against the annotators' median lead
    and against their earliest onset and latest offset over leads."""
    measured = measure(one.record, found).named()
    overall = _beside(found.overall["p"], found.overall["qrs"], found.overall["t"])
    marked = {"median lead": over_leads(one.marks, np.median, np.median), "all leads": over_leads(one.marks, np.min, np.max)}
    out = []
    for rule, truth in marked.items():
        for name, true in truth.items():
            for method, value in (("delineate", overall[name]), ("measure", measured[_FIELDS.get(name, name)].value)):
                if value is not None and np.isfinite(value) and np.isfinite(true):
                    out.append((f"{name.upper()}, {rule}, {method}", float(value - true)))
    return out


def over_leads(waves: Waves, first: Callable[[Floats], Any], last: Callable[[Floats], Any]) -> dict[str, float]:
    """Intervals of the beats seen in at least half of the leads; first and last choose among the leads' onsets and offsets."""
    leads = waves["qrs"]
    r = np.sort(np.concatenate([lead[:, 1] for lead in leads])) if leads else np.empty(0)
    groups = np.split(r, np.flatnonzero(np.diff(r) > 0.15) + 1)
    beats = np.array([np.median(group) for group in groups if len(group) >= len(leads) / 2])

    def joined(wave: str, low: float, high: float) -> Floats:
        out = np.full((len(beats), 3), np.nan)
        for number, beat in enumerate(beats):
            near = np.concatenate([lead[(lead[:, 1] > beat + low) & (lead[:, 1] < beat + high)] for lead in waves[wave]])
            if len(near):
                out[number] = first(near[:, 0]), np.median(near[:, 1]), last(near[:, 2])
        return out

    return _intervals(joined("p", -0.4, 0.0), joined("qrs", -0.12, 0.12), joined("t", 0.0, 0.6))


def _beside(p: Floats, qrs: Floats, t: Floats) -> dict[str, float]:
    """Intervals from waves over all leads."""
    def near_beat(waves: Floats, low: float, high: float) -> Floats:
        out = np.full((len(qrs), 3), np.nan)
        for number, beat in enumerate(qrs[:, 1]):
            near = waves[(waves[:, 1] > beat + low) & (waves[:, 1] < beat + high)]
            if len(near):
                out[number] = near[-1 if low < 0 else 0]
        return out

    return _intervals(near_beat(p, -0.4, 0.0), qrs, near_beat(t, 0.0, 0.6))


def _intervals(p_B3: Floats, qrs_B3: Floats, t_B3: Floats) -> dict[str, float]:
    def middle(values: Floats) -> float:
        known = values[np.isfinite(values)]
        return 1000 * float(np.median(known)) if len(known) >= max(1, 0.3 * len(values)) else float("nan")

    return {"p": middle(p_B3[:, 2] - p_B3[:, 0]), "pr": middle(qrs_B3[:, 0] - p_B3[:, 0]),
            "qrs": middle(qrs_B3[:, 2] - qrs_B3[:, 0]), "qt": middle(t_B3[:, 2] - qrs_B3[:, 0])}


def _points_table(methods: list[_Method], boot: Bootstrap) -> Table:
    rows = []
    for wave in PEAKS:
        for point in POINTS:
            for method in methods:
                parts = method.parts[wave, point]
                flat = pooled([m for leads in parts for m in leads])
                rows.append([f"{wave.upper() if wave != 'qrs' else 'QRS'} {point}", method.name,
                             *(_share(flat[key], _interval(parts, boot, key)) for key in ("sensitivity", "ppv")),
                             f"{flat['mean_ms']:+.1f} ± {flat['sd_ms']:.1f}"])
    return Table("Waves in every lead", ("point", "method", "sensitivity", "PPV", "error ms, mean ± SD"), rows)


def _interval(parts: list[list[Matched]], boot: Bootstrap, key: str) -> tuple[float, float]:
    """95 % interval over recordings."""
    right = np.array([sum(len(m.errors) for m in leads) for leads in parts], float)
    wrong = np.array([sum(m.missed if key == "sensitivity" else m.false for m in leads) for leads in parts], float)
    sums = boot.sums(np.stack([right, right + wrong], axis=1))
    low, high = np.percentile(sums[:, 0] / sums[:, 1], (2.5, 97.5))
    return float(low), float(high)


def _share(value: float, bounds: tuple[float, float]) -> str:
    return f"{value:.4f} [{bounds[0]:.4f}, {bounds[1]:.4f}]"


def _interval_table(errors: dict[str, list[float]]) -> Table:
    rows = [[name, str(len(values)), f"{np.mean(values):+.1f} ± {np.std(values):.1f}", f"{np.median(np.abs(values)):.1f}"]
            for name, values in sorted(errors.items())]
    return Table("Intervals over all leads", ("interval", "recordings", "error ms, mean ± SD", "median absolute error ms"), rows)


def _speed_table(methods: list[_Method], measuring: float, count: int) -> Table:
    """measuring: seconds that `measure` took, waves included."""
    times = [(methods[0].name, methods[0].seconds), ("ecglm, all measurements", measuring)]
    times += [(m.name, m.seconds) for m in methods[1:]]
    rows = [[name, f"{1000 * seconds / count:.0f}", f"{seconds / times[0][1]:.1f}", f"{seconds / measuring:.1f}"]
            for name, seconds in times]
    return Table("CPU time of 12 leads, 10 s", ("method", "ms per recording", "times waves", "times measurements"), rows)
