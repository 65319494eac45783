"""A day of ECG on `ecglm monitor`: time and memory of every step.

    python benchmarks/monitor.py [--hours 24] [--leads II,V1] [--fs 250] [--model DIR | --no-forecast]

Half an hour is simulated for each of five rhythms and streamed over and over, so no file is read: what is measured is the
watching. One process; "needed" is the time that a live stream leaves.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.inference.monitor import Stream, watch
from ecglm.inference.monitor.session import forecaster
from ecglm.signal.simulate import simulate_one

RHYTHMS = ("normal", "premature_ventricular", "atrial_fibrillation", "sinus_arrhythmia", "premature_atrial")
STEP_S, PIECE_S = 30.0, 1800.0


def blocks(pieces: list[NDArray[np.float32]], length: int, count: int) -> Iterator[NDArray[np.float32]]:
    """So many blocks, piece after piece."""
    made = (piece[:, at:at + length] for piece in itertools.cycle(pieces) for at in range(0, piece.shape[1], length))
    yield from itertools.islice(made, count)


def peak_mb() -> float:
    """Peak memory of this process."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--leads", default="II,V1")
    parser.add_argument("--fs", type=float, default=250.0)
    parser.add_argument("--model")
    parser.add_argument("--no-forecast", action="store_true")
    given = parser.parse_args()
    leads = tuple(given.leads.split(","))
    pieces = [simulate_one(name, fs=given.fs, duration_s=PIECE_S, leads=leads, seed=number).record.signal
              for number, name in enumerate(RHYTHMS)]
    length, count = round(STEP_S * given.fs), round(given.hours * 3600 / STEP_S)
    asked = None if given.no_forecast else forecaster("any", 300.0, 600.0, None, given.model)
    begin, cpu = time.perf_counter(), time.process_time()
    slowest, early_mb, told = 0.0, 0.0, 0
    last = begin
    for told, _ in enumerate(watch(Stream("simulated", leads, given.fs, length, blocks(pieces, length, count)), asked), 1):
        now = time.perf_counter()
        slowest, last = max(slowest, now - last), now
        if told == min(count, 60):
            early_mb = peak_mb()
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    what = f"{given.hours:g} h, {len(leads)} leads, {given.fs:g} Hz, {told} steps of {STEP_S:g} s"
    print(f"{what}{'' if asked else ', no forecast'}")
    print(f"wall {wall:.1f} s, CPU {cpu:.1f} s; a step {1000 * cpu / told:.0f} ms of CPU, the slowest {1000 * slowest:.0f} ms by the "
          f"clock (needed: {1000 * STEP_S:.0f} ms); a day would take {cpu * 24 / given.hours / 60:.1f} min of CPU")
    print(f"peak memory {peak_mb():.0f} MB, after the first half hour {early_mb:.0f} MB")


if __name__ == "__main__":
    main()
