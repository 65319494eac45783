"""A day of ECG: time and memory of `ecglm.holter` beside peers, and its counts on annotated recordings.

    python benchmarks/holter.py [--hours 24] [--no-peers]    a simulated 2-lead, 250 Hz WFDB file in a temporary folder
    python benchmarks/holter.py --validate                   MIT-BIH and CPSC2021 from $ECGLM_DATA or ../shared/data

Every reading runs in a process of its own, one thread, so that its peak memory is its own. Peers only find R peaks, in one
lead, after reading the file with wfdb; `ecglm.holter` finds and names beats in two and does all the rest. --validate prints
the tables of docs/holter.md; what is annotated is counted by the same code as what is found.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ECGLM_DATA") or ROOT.parent / "shared" / "data")
FS, LEADS, PIECE_S = 250, ("II", "V1"), 1800
#: What the half hours of the two days hold, in turn.
DAYS = {
    "mixed": ("normal", "premature_ventricular", "sinus_arrhythmia", "premature_atrial", "normal", "sinus_tachycardia",
              "atrial_fibrillation", "bigeminy"),
    "fibrillation": ("atrial_fibrillation",),
}
PEERS = {
    "NeuroKit2": "import neurokit2 as n; found = n.ecg_peaks(n.ecg_clean(x, 250), 250)[1]['ECG_R_Peaks']",
    "wfdb xqrs": "from wfdb.processing import xqrs_detect; found = xqrs_detect(x, 250, verbose=False)",
    "sleepecg": "from sleepecg import detect_heartbeats; found = detect_heartbeats(x, 250)",
}
READ = "import wfdb; x = wfdb.rdrecord({path!r}).p_signal[:, 0].copy(); "
OURS = "import ecglm; found = range(ecglm.holter({path!r} + '.hea').overall.total)"


def write_day(path: Path, day: str, hours: float) -> None:
    """The signal file piece by piece, and its header."""
    from ecglm.signal.simulate import simulate_one

    pieces = round(hours * 3600 / PIECE_S)
    with open(path.with_suffix(".dat"), "wb") as stream:
        for number in range(pieces):
            what = DAYS[day][number % len(DAYS[day])]
            made = simulate_one(what, fs=FS, duration_s=PIECE_S, leads=LEADS, seed=number)
            stream.write(np.clip(made.record.signal.T * 1000, -32000, 32000).astype("<i2").tobytes())
    rows = "".join(f"{path.name}.dat 16 1000(0)/mV 16 0 0 0 0 {lead}\n" for lead in LEADS)
    path.with_suffix(".hea").write_text(f"{path.name} {len(LEADS)} {FS} {pieces * PIECE_S * FS}\n{rows}")


def child(code: str) -> None:
    """Run the code; print beats, wall and CPU seconds and peak memory."""
    begin = time.perf_counter()
    names: dict[str, object] = {}
    exec(code, names)
    used = resource.getrusage(resource.RUSAGE_SELF)
    wall = time.perf_counter() - begin
    print(len(names["found"]), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)  # type: ignore[arg-type]


def measured(code: str) -> tuple[float, ...]:
    """Beats, wall and CPU seconds, peak MB of the code in a process of its own."""
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    shown = subprocess.run([sys.executable, __file__, "--child", code], check=True, capture_output=True, text=True, env=one_thread)
    return tuple(float(word) for word in shown.stdout.split()[-4:])


def timings(hours: float, peers: bool) -> None:
    print(f"{f'{hours:g} h, 2 leads, {FS} Hz':<34}{'beats':>9}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'CPU ratio':>11}")
    with tempfile.TemporaryDirectory() as place:
        for day in DAYS:
            path = Path(place) / day
            write_day(path, day, hours)
            codes = {"ecglm.holter": OURS.format(path=str(path))}
            if peers and day == "mixed":
                codes |= {name: READ.format(path=str(path)) + code for name, code in PEERS.items()
                          if importlib.util.find_spec(name.split()[0].lower())}
            ours = 0.0
            for name, code in codes.items():
                beats, wall, cpu, peak = measured(code)
                ours = ours or cpu
                print(f"{f'{day}: {name}':<34}{beats:>9.0f}{wall:>9.1f}{cpu:>9.1f}{peak:>9.0f}{cpu / ours:>10.2f}x", flush=True)
            path.with_suffix(".dat").unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
    else:
        timings(given.hours, not given.no_peers)


if __name__ == "__main__":
    main()
