"""How good and how fast ecglm.signal is: LUDB figures, false alarms, timings. `python benchmarks/measure.py`

Prints the table of docs/measure.md. Reads the public sets from $ECGLM_DATA or ../shared/data. NeuroKit2 is timed
beside it when it is installed; it is not needed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecglm.records.leads import STANDARD_12  # noqa: E402
from ecglm.records.record import Record  # noqa: E402
from ecglm.signal import detect_beats, lead_quality, measure, prepare, rhythm_features, unreadable  # noqa: E402
from ecglm.signal.delineation import delineate  # noqa: E402
from ecglm.signal.wave_network import fold_weights  # noqa: E402
from tests.signal.ludb import annotated, matched, reference_intervals  # noqa: E402
from tests.signal.synthetic import synthetic_ecg  # noqa: E402

DATA = Path(os.environ.get("ECGLM_DATA") or ROOT.parent / "shared" / "data")


def milliseconds(call, repeats: int = 10) -> float:
    """Median CPU time of a call (one thread; not disturbed by what else the machine does)."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def ludb_table() -> None:
    """Beats, rate and intervals against LUDB, record by record, waves by networks that had not seen it."""
    unseen = fold_weights()
    counts, rates, alarms = np.zeros(3, int), [], 0
    errors: dict[tuple[str, str], list[float]] = {}
    for one in annotated():
        found = measure(one.record, delineate(one.record, unseen[one.name]))
        ours = np.array(found.r_peaks_s)
        if found.heart_rate.value is None:
            alarms += 1
            continue
        counts += matched(one.r_ii, ours)
        inner = ours[(ours > one.r_ii[0] - 0.15) & (ours < one.r_ii[-1] + 0.15)]
        rates.append(abs(60 / np.diff(one.r_ii).mean() - 60 / np.diff(inner).mean()))
        for how in ("median", "global"):
            for name, value in reference_intervals(one, ours, how).items():
                mine = found.named()[name].value
                if mine is not None and np.isfinite(value):
                    errors.setdefault((how, name), []).append(mine - value)
    tp, fn, fp = counts
    print(f"LUDB, {len(rates) + alarms} records: {alarms} called unreadable")
    print(f"R peaks (lead II, 150 ms)  Se {tp / (tp + fn):.4f}  PPV {tp / (tp + fp):.4f}")
    print(f"heart rate MAE {np.mean(rates):.3f} bpm, largest {np.max(rates):.2f}")
    for (how, name), values in errors.items():
        v = np.array(values)
        print(f"{name.upper():10s} against {how:6s} of leads: {v.mean():+6.1f} ± {v.std():4.1f} ms, "
              f"median |error| {np.median(np.abs(v)):4.1f} (n = {len(v)})")


def false_alarms() -> None:
    """How many PTB-XL records (folds 1-8) are refused, and how good their leads are."""
    z = np.load(DATA / "ptbxl" / "signals_250hz.npz")
    x = z["hi"].astype(np.int16)
    x <<= 8
    x += z["lo"]
    x -= 128
    for _ in range(2):
        np.cumsum(x, axis=2, dtype=np.int16, out=x)
    chosen = np.flatnonzero(z["strat_fold"] <= 8)
    refused, quality = 0, []
    for row in chosen:
        record = Record(x[row] / np.float32(1000), 250, STANDARD_12, unit="normalized")
        quality += lead_quality(record).values()
        refused += unreadable(record) is not None
    print(f"PTB-XL folds 1-8: {refused} of {len(chosen)} called unreadable; "
          f"leads above 0.7: {np.mean(np.array(quality) > 0.7):.3f}")


def timings() -> None:
    """CPU time of each call on a simulated record."""
    record, _ = synthetic_ecg()
    half_hour, _ = synthetic_ecg(fs=360, duration=1800, leads=("II", "V5"))
    print(f"12 leads x 10 s x 500 Hz: prepare {milliseconds(lambda: prepare(record)):.1f} ms, "
          f"detect_beats {milliseconds(lambda: detect_beats(record.signal, 500)):.1f} ms, "
          f"quality {milliseconds(lambda: lead_quality(record)):.1f} ms, "
          f"features {milliseconds(lambda: rhythm_features(record)):.1f} ms, "
          f"delineate {milliseconds(lambda: delineate(record)):.1f} ms, "
          f"measure {milliseconds(lambda: measure(record)):.1f} ms")
    print(f"2 leads x 30 min x 360 Hz: detect_beats {milliseconds(lambda: detect_beats(half_hour.signal, 360), 3):.0f} "
          f"ms, measure {milliseconds(lambda: measure(half_hour), 3):.0f} ms")
    if importlib.util.find_spec("neurokit2"):
        import neurokit2 as nk

        leads = record.signal.astype(float)
        peaks = detect_beats(leads, 500).samples

        def every_lead() -> None:
            for lead in leads:
                nk.ecg_delineate(lead, peaks, 500, method="dwt")

        print(f"NeuroKit2, 12 leads: delineate dwt {milliseconds(every_lead, 5):.0f} ms")


if __name__ == "__main__":
    timings()
    if (DATA / "ludb").is_dir():
        ludb_table()
    if (DATA / "ptbxl").is_dir():
        false_alarms()
