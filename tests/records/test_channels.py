"""Which channels become leads, under which name and unit: the same policy for every format."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.errors import UsageError
from ecglm.records import read, write_npz

from .encoders import edf, simple

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
T = np.arange(5000) / 500
WAVE = np.sin(2 * np.pi * 1.3 * T)


def test_non_ecg_channels_go_and_unknown_voltage_channels_stay(tmp_path: Path) -> None:
    path = simple(tmp_path, leads=("II", "ABP", "RESP", "PLETH", "Chan 7"))
    path.write_text(
        path.read_text().replace("200(10)/mV 16 0 ", "100/mmHg 16 0 ", 2).replace("100/mmHg", "200(10)/mV", 1)
    )
    record = read(path)
    assert record.leads == ("II", "Chan 7")
    assert record.notes[0].startswith("not an ECG lead, left out: ABP (mmHg), RESP")
    assert "Chan 7" in record.notes[1]


def test_repeated_leads(tmp_path: Path) -> None:
    path = simple(tmp_path, leads=("II", "MLII", "V1", "ECG", "ECG"))
    record = read(path)
    assert record.leads == ("II", "V1", "ECG", "ECG#2")
    assert "lead II is stored twice with different samples: the first is kept" in record.notes
    often = read(simple(tmp_path, leads=("II",) * 5)).notes
    assert often == ("lead II is stored twice with different samples: the first is kept",)  # once, not once a copy
    path = simple(tmp_path, leads=("II", "MLII", "V1", "ECG", "ECG"))
    data = np.fromfile(tmp_path / "r.dat", "<i2").reshape(-1, 5)
    data[:, 1] = data[:, 0]
    data.tofile(tmp_path / "r.dat")
    assert "lead II is stored twice with the same samples: one copy left out" in read(path).notes


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1.0), ("uV", 1e-3), ("nV", 1e-6), ("V", 1e3)])
def test_wfdb_voltage_units(tmp_path: Path, unit: str, factor: float) -> None:
    want = read(simple(tmp_path, "a")).signal * factor
    np.testing.assert_allclose(read(simple(tmp_path, "b", gain=f"200(10)/{unit}")).signal, want, rtol=1e-6)


@pytest.mark.parametrize("unit", ["adu", "NU"])
def test_a_unit_that_is_no_voltage_makes_a_normalized_record(tmp_path: Path, unit: str) -> None:
    record = read(simple(tmp_path, gain=f"200(10)/{unit}"))
    assert record.unit == "normalized"
    assert f"the amplitude unit is {unit}, not a voltage" in record.notes[0]


def test_gain_zero_gives_no_millivolts_and_a_note(tmp_path: Path) -> None:
    record = read(simple(tmp_path, gain="0(10)/mV"))
    np.testing.assert_array_equal(record.signal, read(simple(tmp_path, "b")).signal)
    assert record.unit == "normalized"
    assert any("its millivolts are not known" in note for note in record.notes)


def test_all_missing_lead_is_kept_and_counted(tmp_path: Path) -> None:
    path = simple(tmp_path)
    data = np.fromfile(tmp_path / "r.dat", "<i2").reshape(-1, 3)
    data[:, 1] = -32768
    data.tofile(tmp_path / "r.dat")
    record = read(path)
    assert record.missing == {"I": 0, "II": 1000, "V1": 0}
    assert "II: all samples are missing" in record.notes


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    shutil.copy(DICOM, tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").format == "dicom"
    write_npz(read(DICOM), tmp_path / "b.npz")
    (tmp_path / "b.npz").rename(tmp_path / "b.dcm")
    assert read(tmp_path / "b.dcm").format == "npz"
    edf(tmp_path / "c.edf", [("I", "mV", 500, WAVE)])
    (tmp_path / "c.edf").rename(tmp_path / "c.mat")
    assert read(tmp_path / "c.mat").format == "edf"


def test_overrides_are_for_files_that_lack_them() -> None:
    with pytest.raises(UsageError, match="fs= is for files that do not state it"):
        read(DICOM, fs=500)


def test_importing_records_loads_no_format_library() -> None:
    code = (
        "import sys, ecglm.records; "
        "print([m for m in ('pydicom', 'pyedflib', 'soundfile', 'scipy', 'torch', 'wfdb') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
