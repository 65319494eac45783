"""Time `ecglm.read` against `wfdb.rdrecord`: a 12-lead, 10-second, 500 Hz record in every common storage format.

    python benchmarks/read_wfdb.py [--rounds 200]

The records are simulated and written by wfdb itself into a temporary folder. The two
readers take turns of ten calls, so that whatever else the machine does hits both alike;
the ratio is of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb

from ecglm.records import STANDARD_12, read

FS = 500


def simulate(seconds: float, n_leads: int, seed: int = 0) -> np.ndarray:
    """A beat-like signal ``[time, lead]`` in mV with noise, so that no format compresses it unfairly."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * FS)) / FS
    beat = np.exp(-((((t % 0.8) - 0.4) / 0.012) ** 2))
    return beat[:, None] * rng.uniform(0.3, 1.5, n_leads) + rng.normal(0, 0.02, (len(t), n_leads))


def write(folder: Path, name: str, fmt: str, signal: np.ndarray) -> str:
    n = signal.shape[1]
    gain = {"80": 40.0}.get(fmt, 1000.0)
    wfdb.wrsamp(
        name,
        fs=FS,
        units=["mV"] * n,
        sig_name=list(STANDARD_12[:n]),
        p_signal=signal.copy(),
        fmt=[fmt] * n,
        adc_gain=[gain] * n,
        baseline=[0] * n,
        write_dir=str(folder),
    )
    return str(folder / name)


def interleave(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds per call of both, taken in turns of a few calls each."""
    times: tuple[list[float], list[float]] = ([], [])
    calls = 10 if rounds >= 50 else 1
    for _ in range(max(3, rounds // calls)):
        for call, spent in ((ours, times[0]), (theirs, times[1])):
            begin = time.perf_counter()
            for _ in range(calls):
                call()
            spent.append((time.perf_counter() - begin) / calls)
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print(f"{'record':<44}{'ecglm':>10}{'wfdb':>10}{'ratio':>8}")
        signal = simulate(10, 12)
        for fmt in ("16", "212", "24", "32", "80", "516"):
            path = write(folder, f"r{fmt}", fmt, signal)
            ours, theirs = interleave(lambda p=path: read(p + ".hea"), lambda p=path: wfdb.rdrecord(p), rounds)
            name = f"12 leads x 10 s, format {fmt}"
            print(f"{name:<44}{ours * 1e6:>7.0f} us{theirs * 1e6:>7.0f} us{theirs / ours:>7.1f}x")
        hours = 2
        for fmt in ("16", "212", "516"):
            path = write(folder, f"h{fmt}", fmt, simulate(3600 * hours, 2))
            ours, theirs = interleave(
                lambda p=path: read(p + ".hea", start_s=3600, duration_s=600),
                lambda p=path: wfdb.rdrecord(p, sampfrom=3600 * FS, sampto=4200 * FS),
                max(3, rounds // 20),
            )
            print(
                f"{f'10 min of {hours} h, 2 leads, format {fmt}':<44}{ours * 1e3:>7.1f} ms{theirs * 1e3:>7.1f} ms"
                f"{theirs / ours:>7.1f}x"
            )


if __name__ == "__main__":
    main()
