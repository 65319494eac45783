"""A day of ECG: time and memory of `ecglm.holter` beside peers, and its counts on annotated recordings.

    python benchmarks/holter.py [--hours 24] [--no-peers]    a simulated 2-lead, 250 Hz WFDB file in a temporary folder
    python benchmarks/holter.py --validate                   MIT-BIH and CPSC2021 from $ECGLM_DATA or ../shared/data

Every reading runs in a process of its own, so that its peak memory is its own, with libraries kept to one thread. Peers only
find R peaks, in one lead, after reading the file with wfdb; `ecglm.holter` finds and names beats in two and does all the rest,
in two threads of its own. --validate prints
the tables of docs/holter.md; what is annotated is counted by the same code as what is found.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
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
READ = "import wfdb; x = wfdb.rdrecord({path!r}).p_signal[:, 0].copy(); "
PEERS = {
    "ecglm.detect_beats": "import ecglm; from ecglm.signal import detect_beats; "
                          "found = detect_beats(ecglm.read({path!r} + '.hea', leads='II').signal, 250)",
    "NeuroKit2": READ + "import neurokit2 as n; found = n.ecg_peaks(n.ecg_clean(x, 250), 250)[1]['ECG_R_Peaks']",
    "wfdb xqrs": READ + "from wfdb.processing import xqrs_detect; found = xqrs_detect(x, 250, verbose=False)",
    "sleepecg": READ + "from sleepecg import detect_heartbeats; found = detect_heartbeats(x, 250)",
}
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
    wall, cpu = time.perf_counter() - begin, time.process_time()
    # Not by getrusage, which counts the memory of the parent before the new program starts.
    peak_kb = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    print(len(names["found"]), wall, cpu, int(peak_kb) / 1024)  # type: ignore[arg-type]


def measured(code: str) -> tuple[float, ...]:
    """Beats, wall and CPU seconds, peak MB of the code in a process of its own."""
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    call = [sys.executable, __file__, "--child", code]
    shown = subprocess.run(call, check=True, capture_output=True, text=True, env=one_thread).stdout
    return tuple(float(word) for word in shown.split()[-4:])


def timings(hours: float, peers: bool) -> None:
    print(f"{f'{hours:g} h, 2 leads, {FS} Hz':<34}{'beats':>9}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'CPU ratio':>11}")
    with tempfile.TemporaryDirectory() as place:
        for day in DAYS:
            path = Path(place) / day
            write_day(path, day, hours)
            codes = {"ecglm.holter": OURS.format(path=str(path))}
            if peers and day == "mixed":
                codes |= {name: code.format(path=str(path)) for name, code in PEERS.items()
                          if importlib.util.find_spec(name.split()[0].split(".")[0].lower())}
            ours = 0.0
            for name, code in codes.items():
                beats, wall, cpu, peak = measured(code)
                ours = ours or cpu
                print(f"{f'{day}: {name}':<34}{beats:>9.0f}{wall:>9.1f}{cpu:>9.1f}{peak:>9.0f}{cpu / ours:>10.2f}x", flush=True)
            path.with_suffix(".dat").unlink()


def validate() -> None:
    """Found beside annotated, record by record."""
    from ecglm.corpus.mitdb import PACED, TRAIN

    head = "| record | beats | missed | false | ventricular | missed | false | couplets | runs | pauses | AF | both | unusable |"
    print(head + "\n" + "|---" * head.count(" | ") + "|---|")
    parts: dict[str, list[np.ndarray]] = {}
    for path in [*sorted((DATA / "mitdb" / "records").glob("*.hea")), *sorted((DATA / "cpsc2021").glob("*.hea"))]:
        counts = one_record(path)
        name = path.stem
        kind = "CPSC2021" if name.startswith("data") else "paced" if name in PACED else "taught" if name in TRAIN else "unseen"
        parts.setdefault(kind, []).append(counts)
        print(row(f"{name}{' (taught)' * (kind == 'taught')}{' (paced)' * (kind == 'paced')}", counts))
    for kind, rows in parts.items():
        total = np.sum(rows, axis=0)
        print(row(f"**{kind}, {len(rows)}**", total))
        beats, missed, false, v, _, v_missed, v_false = total[:7]
        right, v_right = beats - missed, v - v_missed
        print(f"{kind}: sensitivity / PPV of beats {100 * right / beats:.2f} / {100 * right / (right + false):.2f} %, of "
              f"ventricular ones {100 * v_right / max(v, 1):.1f} / {100 * v_right / max(v_right + v_false, 1):.1f} %")


def row(name: str, c: np.ndarray) -> str:
    """A line of the table of `validate`; "annotated / found" where a column has both."""
    return (f"| {name} | {c[0]:.0f} | {c[1]:.0f} | {c[2]:.0f} | {c[3]:.0f} / {c[4]:.0f} | {c[5]:.0f} | {c[6]:.0f} | "
            f"{c[7]:.0f} / {c[8]:.0f} | {c[9]:.0f} / {c[10]:.0f} | {c[11]:.0f} / {c[12]:.0f} | {c[13]:.1f} / {c[14]:.1f} | "
            f"{c[15]:.1f} | {c[16]:.1f} |")


def one_record(path: Path) -> np.ndarray:
    """The numbers of `row`."""
    import ecglm
    from ecglm.bench.fiducials import match
    from ecglm.corpus.mitdb import CLASSES
    from ecglm.records.annotations import BEATS, read_annotations
    from ecglm.records.windows import open_windows
    from ecglm.signal.holter import minutes, summary

    windows = open_windows(path)
    found = ecglm.holter(windows)
    at, symbols, notes = read_annotations(path.with_suffix(".atr"))
    at = at / windows.first.fs
    names = {symbol: name for name, members in CLASSES.items() for symbol in members}
    beat = np.isin(symbols, list(BEATS))
    times, kinds = at[beat], np.array([names[s] for s, is_beat in zip(symbols, beat, strict=True) if is_beat])
    seen = summary.Seen(found.duration_s, [np.round(times * minutes.FS).astype(int)], [kinds],
                        [np.full((len(times), 3), np.nan, np.float32)], [np.empty((0, 2), int)])
    known, mine = summary.summarise(seen, windows).overall, found.overall
    rhythms = [(t, n.strip("\0 ")) for t, n in zip(at, notes, strict=True) if n.startswith("(")]
    ends = [*[t for t, _ in rhythms[1:]], *[found.duration_s] * bool(rhythms)]
    af = [(t, end) for (t, n), end in zip(rhythms, ends, strict=True) if n.startswith("(AFIB")]
    both = sum(max(0.0, min(end, e.stop_s) - max(t, e.start_s)) for t, end in af for e in found.af) / 60
    every, ventricular = match(times, found.times_s), match(times[kinds == "V"], found.times_s[found.types == "V"])
    return np.array([
        len(times), every.missed, every.false, known.beats["V"], mine.beats["V"], ventricular.missed, ventricular.false,
        known.couplets, mine.couplets, known.runs, mine.runs, known.pauses, mine.pauses,
        sum(end - t for t, end in af) / 60, mine.af_min, both, mine.unusable_min])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
    elif given.validate:
        validate()
    else:
        timings(given.hours, not given.no_peers)


if __name__ == "__main__":
    main()
