"""Folders in the published form of sets that are not at hand: headers, leads and marks as their pages and headers have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecglm.corpus.windows import Rules
from ecglm.corpus.windows.build import build
from ecglm.corpus.windows.load import load

wfdb = pytest.importorskip("wfdb")
RULES = Rules(windows=(60,), horizons=(60,), negatives=1, clear_s=60)


def write(folder: Path, name: str, fs: int, seconds: int, header: str, marks: list[tuple[float, str, str]]) -> None:
    """Noise in format 212 under that header, and marks (s, symbol, note)."""
    folder.mkdir(parents=True, exist_ok=True)
    leads = header.count(".dat")
    signal = np.random.default_rng(seconds).integers(-500, 500, (fs * seconds, leads))
    wfdb.wrsamp(name, fs=fs, units=["mV"] * leads, sig_name=[f"x{i}" for i in range(leads)], d_signal=signal, fmt=["212"] * leads,
                adc_gain=[200.0] * leads, baseline=[0] * leads, write_dir=str(folder))
    (folder / f"{name}.hea").write_text(header.format(name=name, n=fs * seconds))
    annotate(folder, name, fs, marks)


def annotate(folder: Path, name: str, fs: int, marks: list[tuple[float, str, str]]) -> None:
    times, symbols, notes = zip(*sorted(marks), strict=True)
    wfdb.wrann(name, "atr", (np.array(times) * fs).round().astype(int), symbol=list(symbols), aux_note=list(notes), fs=fs,
               write_dir=str(folder))


def told(folder: Path) -> list[tuple[str, str, str, float, float | None]]:
    return [(one.record, one.subject, one.label, one.start_s, one.onset_s) for one in load(folder).items if one.kind == "onset"]


def test_afdb_has_rhythm_marks_alone_and_two_records_without_signals(tmp_path: Path) -> None:
    """Gains of 0 (not calibrated), ECG1 and ECG2, a time of day; 00735 says that it has no signals."""
    source = tmp_path / "files"
    header = "{name} 2 250 {n}  9:00:00\n{name}.dat 212 0 12 0 -55 -27172 0 ECG1\n{name}.dat 212 0 12 0 -42 -28460 0 ECG2\n"
    write(source, "04015", 250, 700, header, [(0.1, "+", "(N"), (300, "+", "(AFIB"), (340, "+", "(N"), (600, "+", "(AFL"),
                                              (640, "+", "(AFIB")])
    write(source, "04043", 250, 400, header, [(0.1, "+", "(AFIB"), (100, "+", "(J"), (250, "+", "(AFIB")])
    (source / "00735.hea").write_text("00735 0 250 0\n")
    annotate(source, "00735", 250, [(0.1, "+", "(N"), (300, "+", "(AFIB")])
    build(f"afdb:{source}", tmp_path / "set", RULES)
    assert told(tmp_path / "set") == [("04015", "04015", "af", 180.0, 300.0), ("04015", "04015", "aflutter", 480.0, 600.0),
                                      ("04043", "04043", "af", 130.0, 250.0)]
    items = {(one.record, one.onset_s): one for one in load(tmp_path / "set").items}
    assert items["04043", 250.0].purity == 0  # junctional rhythm is the one of the three that is not fibrillation
    (skipped,) = (json.loads(line) for line in (tmp_path / "set" / "skipped.jsonl").read_text().splitlines())
    assert (skipped["record"], skipped["skipped"].split(":")[0]) == ("00735", "unreadable")
    record = load(tmp_path / "set").signal(items["04015", 300.0])
    assert record.duration_s == 60
    assert len(record.leads) == 2


def test_ltafdb_has_two_leads_of_one_name_and_marks_among_its_beats(tmp_path: Path) -> None:
    """Both leads are called ECG; notes such as MISSB are no rhythm; (AB and (T are neither sinus rhythm nor fibrillation."""
    source = tmp_path / "files"
    header = "{name} 2 128 {n}\n{name}.dat 212 200 12 0 0 0 0 ECG\n{name}.dat 212 200 12 0 0 0 0 ECG\n"
    beats = [(float(at), "N", "") for at in range(1, 690)]
    noted = [(50.5, '"', "MISSB"), (0.2, "+", "(N"), (200.5, "+", "(T"), (215.5, "+", "(SBR"), (300.5, "+", "(AFIB"),
             (350.5, "+", "(N")]
    write(source, "00", 128, 690, header, beats + noted)
    write(source, "100", 128, 400, header, [(0.2, "+", "(AFIB"), *beats[:390]])
    (source / "00.qrs").write_bytes((source / "00.atr").read_bytes())  # the detector's, which are not read
    build(f"ltafdb:{source}", tmp_path / "set", RULES)
    assert told(tmp_path / "set") == [("00", "00", "af", 180.5, 300.5)]
    made = load(tmp_path / "set")
    (onset,) = (one for one in made.items if one.kind == "onset")
    assert onset.purity == pytest.approx(45 / 60, abs=0.01)
    assert made.signal(onset).n_samples == 60 * 128
    (row,) = (json.loads(line) for line in (tmp_path / "set" / "records.jsonl").read_text().splitlines())
    assert len(row["leads"]) == 2
    assert set(row["sha256"]) == {"00.atr", "00.dat", "00.hea"}
