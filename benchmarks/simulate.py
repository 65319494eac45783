"""How fast records are simulated, as CPU time of one thread. `python benchmarks/simulate.py`

NeuroKit2's 12-lead simulator is timed beside it when it is installed; it is not needed.
"""

from __future__ import annotations

import importlib.util
import time

import numpy as np

from ecglm.signal.simulate import CONDITIONS, simulate, stream


def per_second(call, count: int, repeats: int = 7) -> float:
    """Records per second of CPU time, the best of some repeats: the others were disturbed."""
    call()
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return count / best


def yardstick() -> float:
    """Millions of float32 exponentials per second of CPU time: what the machine gives us at the moment."""
    x = -np.random.default_rng(0).random((256, 4096), dtype=np.float32)
    return per_second(lambda: np.exp(x), x.size) / 1e6


#: Rhythms that differ in how much there is to draw.
KINDS = ("normal", "lbbb", "stemi_inferior", "premature_ventricular", "paced_dual", "atrial_fibrillation", "atrial_flutter_2",
         "supraventricular_tachycardia", "ventricular_tachycardia", "ventricular_fibrillation")


def each_best(names, repeats: int = 20, **how) -> float:
    """Records per second: the sum of the shortest time of each record, so that a pause elsewhere spoils one record only."""
    best = np.full(len(names), np.inf)
    for _ in range(repeats):
        records = stream(names, len(names), **how)
        for i in range(len(names)):
            start = time.process_time()
            next(records)
            best[i] = min(best[i], time.process_time() - start)
    return len(names) / best.sum()


if __name__ == "__main__":
    every = list(CONDITIONS)
    print(f"yardstick: {yardstick():.0f} million exp/s")
    for fs in (500, 250, 100):
        print(f"12 leads x 10 s x {fs} Hz, all {len(every)} conditions: {each_best(every, fs=fs):.0f} records/s, "
              f"without noise {each_best(every, fs=fs, noise=False):.0f}")
    for name in KINDS:
        print(f"  {name}: {each_best([name] * 20, fs=500):.0f} records/s, at 100 Hz {each_best([name] * 20, fs=100):.0f}")
    hour = per_second(lambda: simulate("atrial_fibrillation_onset", 1, duration_s=3600, fs=250, leads=("II", "V1")), 1, 2)
    print(f"2 leads x 1 h x 250 Hz: {1000 / hour:.0f} ms a record")
    if importlib.util.find_spec("neurokit2"):
        import neurokit2 as nk

        peer = per_second(lambda: nk.ecg_simulate(duration=10, sampling_rate=500, method="multileads"), 1, 3)
        print(f"NeuroKit2 multileads, 12 leads x 10 s x 500 Hz: {peer:.1f} records/s")
