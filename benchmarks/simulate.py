"""How fast records are simulated, as CPU time of one thread. `python benchmarks/simulate.py`

NeuroKit2's 12-lead simulator is timed beside it when it is installed; it is not needed.
"""

from __future__ import annotations

import importlib.util
import time

import numpy as np

from ecglm.signal.simulate import CONDITIONS, simulate


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


if __name__ == "__main__":
    n = len(CONDITIONS)
    print(f"yardstick: {yardstick():.0f} million exp/s")
    print(f"12 leads x 10 s x 500 Hz, all {n} conditions in turn: {per_second(lambda: simulate(None, n), n):.0f} records/s")
    print(f"the same without noise: {per_second(lambda: simulate(None, n, noise=False), n):.0f} records/s")
    print(f"12 leads x 10 s x 250 Hz: {per_second(lambda: simulate(None, n, fs=250), n):.0f} records/s")
    hour = per_second(lambda: simulate("atrial_fibrillation_onset", 1, duration_s=3600, fs=250, leads=("II", "V1")), 1, 2)
    print(f"2 leads x 1 h x 250 Hz: {1000 / hour:.0f} ms a record")
    if importlib.util.find_spec("neurokit2"):
        import neurokit2 as nk

        peer = per_second(lambda: nk.ecg_simulate(duration=10, sampling_rate=500, method="multileads"), 1, 3)
        print(f"NeuroKit2 multileads, 12 leads x 10 s x 500 Hz: {peer:.1f} records/s")
