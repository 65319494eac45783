"""Every file that cannot be read gives one line: file, problem, remedy. Nothing else escapes, nothing hangs."""

from __future__ import annotations

import os
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.errors import ReadError, UsageError
from ecglm.records import STANDARD_12, read

from .encoders import edf, header, simple

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
HEA = header("r", ["r.dat 16 200(10)/mV 16 0 0 0 0 I", "r.dat 16 200(10)/mV 16 0 0 0 0 II"], 500, 1000)


def fails(path: Path | str, **kwargs: object) -> str:
    with pytest.raises(ReadError) as caught:
        read(path, **kwargs)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert "; " in text, f"no remedy: {text}"
    return text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.hea", b"", "the file is empty (0 bytes)"),
        ("x.csv", b"\n\n# nothing\n", "only blank or comment lines"),
        ("page.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "it is not an image that can be decoded"),
        ("page.dat", b"\xff\xd8\xff\xe0" + bytes(50), "it is not an image that can be decoded"),
        ("x.tif", b"II*\0" + bytes(50), "it "),
        ("x.webp", b"RIFF\x10\0\0\0WEBP" + bytes(50), "it "),
        ("x.xml", b"<?xml version='1.0'?><AnnotatedECG/>", "it holds no rhythm waveforms"),
        ("x.xml", b"<?xml version='1.0'?><note/>", "XML files with outermost element <note> are not read"),
        ("x.svg", b"<!-- a --><svg xmlns='http://www.w3.org/2000/svg'/>", "it is a drawing (SVG), which is not read"),
        ("x.htm", b"<!DOCTYPE html>\n<HTML>", "it is a web page (HTML), which is not read"),
        (
            "x.scp",
            b"\x12\x34\x56\0\0\0" + bytes(10) + b"SCPECG" + bytes(50),
            "it has 72 bytes where its header promises 86",
        ),
        ("x.ecg", b"ISHNE1.0" + bytes(600), "its header claims 0 leads"),
        ("x.mat", b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(100), "without its HDF5 part"),
        ("x.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "it is not a usable HDF5 file"),
        ("x.parquet", b"PAR1" + bytes(100), "it is not a usable Parquet file"),
        ("x.gz", b"\x1f\x8b\x08\0" + bytes(20), "decompress it first"),
        ("x.docx", b"PK\x03\x04" + bytes(100), "ZIP archive"),
        ("x.json", b'{"signal": [1, 2]}', "JSON files are not read"),
        ("x.dat", b"\x00\x01\x02\x03" * 50, "its format is not known (first bytes 00 01 02 03"),
        ("x.bin", b"fLaC" + bytes(60), "the signal file of a WFDB record without its header"),
        ("x.txt", b"Dear colleague,\nplease find enclosed the ECG.\n", "expected"),
        ("x.dcm", bytes(128) + b"DICM" + b"\xff" * 40, "DICOM"),
        ("x.edf", b"0       " + b"x" * 160 + b"01.01.7712.00.00" + b"y" * 72, "is not a number"),
        ("x.npy", b"\x93NUMPY\x01\0\x10\0{'descr': '<f4',", "NPY header"),
        ("x.npz", b"PK\x03\x04" + b"\0" * 26 + b"signal.npy", "ZIP archive is damaged"),
        (
            "x.mat",
            b"MATLAB 5.0 MAT-file" + b" " * 105 + b"\0\1IM" + b"\x0f\0\0\0\xff\xff\xff\x7f" + bytes(30),
            "MATLAB file",
        ),
        (
            "x.mat",
            b"\0\0\0\0\xff\xff\0\0\xff\xff\0\0\0\0\0\0\4\0\0\0val\0" + bytes(70_000),
            "val of shape (65535, 65535) has 70000 bytes of data",
        ),
    ],
)
def test_files_that_are_no_record(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    text = fails(tmp_path / name)
    assert message in text
    assert str(tmp_path / name) in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEA.replace("r.dat", "../r.dat"), "which is not a plain file name"),
        (HEA.replace("r.dat", "/etc/passwd"), "which is not a plain file name"),
        (HEA.replace("r.dat", "..\\r.dat"), "which is not a plain file name"),
        (HEA.replace("r.dat", ".."), "which is not a plain file name"),
        (HEA.replace("r.dat", "r\0.dat"), ""),
        (HEA.replace("r.dat", "none.dat"), "its signal file none.dat is missing; put it beside the header"),
        (HEA.replace("r.dat", "folder"), "folder is not a regular file"),
        (HEA.replace("r.dat", "pipe"), "pipe is not a regular file"),
        (HEA.replace("r.dat", "link.dat"), "link.dat is a link that leaves the folder"),
        (HEA.replace("500 1000", "500 1000000000000"), "24 hours"),
        (HEA.replace("500 1000", "500 2000"), "has 4000 bytes where the header promises 8000; it was cut short"),
        (HEA.replace("500 1000", "500 99999999999999999999999"), "absurd"),
        (HEA.replace("r 2 500", "r 1000000 500"), "claims 1000000 signals"),
        (HEA.replace("r 2 500", "r 3 500"), "promises 3 signals and describes 2"),
        (HEA.replace("r 2 500", "r 0 500"), "describes no signal"),
        (HEA.replace("r 2 500", "r/900000000 2 500"), "claims 900000000 segments"),
        (HEA.replace("r 2 500", "r/1 2 500"), "segment"),
        (HEA.replace(" 500 1000", " 1e12 1000"), "1e+12 Hz is outside"),
        (HEA.replace(" 500 1000", " nan 1000"), "nan Hz is outside"),
        (HEA.replace(" 500 1000", " 0.001 1000"), "0.001 Hz is outside"),
        (HEA.replace("200(10)", "nan(10)"), "is not a finite number; correct the gain"),
        (HEA.replace("200(10)", "1e999(10)"), "is not a finite number"),
        (HEA.replace("200(10)", "1e5000000"), "is not a finite number"),
        (HEA.replace("200(10)", "loud"), "its gain 'loud/mV' is not a number"),
        (HEA.replace("dat 16", "dat 17"), "its storage format 17 is not a WFDB format"),
        (HEA.replace("dat 16", "dat 16x0"), "claims 0 samples per frame"),
        (HEA.replace("dat 16", "dat 16x99999999"), "samples per frame"),
        (HEA.replace("dat 16", "dat 16:99999999"), "skew of 99999999 samples"),
        (HEA.replace("dat 16", "dat 16+99999999"), "has 4000 bytes where the header promises"),
        (HEA.replace("dat 16", "dat 516"), "FLAC"),
        (HEA.replace("dat 16", "dat 8x2"), "format 8"),
        (
            HEA.replace("/mV", "/mmHg").replace(" I\n", " ABP\n").replace(" II\n", " Temp\n"),
            "none of its channels is an ECG lead",
        ),
        ("hello there\n", "not that of a WFDB header"),
    ],
)
def test_hostile_wfdb_headers(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "in").mkdir()
    for place in (tmp_path, tmp_path / "in"):
        (place / "r.dat").write_bytes(bytes(4000))
    (tmp_path / "in" / "folder").mkdir()
    os.mkfifo(tmp_path / "in" / "pipe")
    (tmp_path / "in" / "link.dat").symlink_to(tmp_path / "r.dat")
    (tmp_path / "in" / "x.hea").write_text(text)
    tracemalloc.start()
    begin = time.process_time()
    assert message in fails(tmp_path / "in" / "x.hea")
    assert time.process_time() - begin < 2
    assert tracemalloc.get_traced_memory()[1] < 5 << 20  # nothing was allocated on the header's word
    tracemalloc.stop()


def test_links_that_stay_in_the_folder_are_read(tmp_path: Path) -> None:
    path = simple(tmp_path)
    (tmp_path / "r.dat").rename(tmp_path / "blob")
    (tmp_path / "r.dat").symlink_to("blob")
    assert read(path).n_samples == 1000


def test_segment_of_a_segment_and_segments_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "m.hea").write_text("m/1 2 500 1000\nm 1000\n")
    assert "segments of its own" in fails(tmp_path / "m.hea")
    (tmp_path / "m.hea").write_text("m/1 2 500 1000\n../r 1000\n")
    assert "is not a name and a length" in fails(tmp_path / "m.hea")
    (tmp_path / "m.hea").write_text("m/2 2 500 2000\nr 1000\nr 500\n")
    assert "promises 2000 samples and its segments add up to 1500" in fails(tmp_path / "m.hea")


@pytest.mark.parametrize(("path", "problem"), [
    ("/no/such/folder/x.hea", "the folder /no/such/folder does not exist either"), ("nothing-here.dcm", "there is no such file"),
    ("nul\0byte.hea", "this is not a usable path"), ("", "the name of the file is empty")])
def test_paths_that_lead_nowhere(path: str, problem: str) -> None:
    assert problem in fails(path)


def test_a_link_to_nothing_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "ecg.dcm").symlink_to(tmp_path / "moved.dcm")
    assert "ecg.dcm: it is a link to a file that does not exist; correct it" in fails(tmp_path / "ecg.dcm")


def test_missing_file_suggests_a_neighbour_and_folders_a_file(tmp_path: Path) -> None:
    simple(tmp_path, "patient7")
    assert f"did you mean {tmp_path / 'patient7.hea'} or {tmp_path / 'patient7.dat'}?" in fails(tmp_path / "patient.hea")
    assert f"this is a folder; pass one of its files, such as {tmp_path / 'patient7.hea'}" in fails(tmp_path)
    for name in ("a.ECG", "a.gdf", "a.mwf", "a.mfer", "a.mfr", "a.scp", "a.xml"):
        folder = tmp_path / f"with {name}"
        folder.mkdir()
        (folder / name).touch()
        assert f"such as {folder / name}" in fails(folder)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in fails(tmp_path / "pipe")
    for thing in (None, 3, b"x.hea"):
        fails(thing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"start_s": -1},
        {"start_s": float("nan")},
        {"duration_s": 0},
        {"duration_s": float("inf")},
        {"start_s": "1"},
        {"leads": []},
        {"leads": [3]},
        {"fs": -5},
        {"unit": 3},
    ],
)
def test_unusable_arguments(kwargs: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="waveform_ecg"):
        read(DICOM, **kwargs)  # type: ignore[arg-type]


def test_windows_outside_the_record_say_how_long_it_is() -> None:
    assert "it lasts 10 s" in fails(DICOM, start_s=11)
    assert read(DICOM, start_s=9, duration_s=60).n_samples == 1000  # what is there


def test_half_a_gigabyte_is_the_limit(tmp_path: Path) -> None:
    n = 24 * 3600 * 500
    with open(tmp_path / "r.dat", "wb") as stream:
        stream.truncate(n * 2 * 12)
    names = STANDARD_12
    (tmp_path / "r.hea").write_text(header("r", [f"r.dat 16 200/mV 16 0 0 0 0 {name}" for name in names], 500, n))
    assert "more than the limit of 512 MB decoded; read a part of it with start_s=" in fails(tmp_path / "r.hea")
    assert read(tmp_path / "r.hea", start_s=80_000, duration_s=1).n_samples == 500


def test_deflated_dicom_bombs_are_not_inflated(tmp_path: Path) -> None:
    import pydicom

    dataset = pydicom.dcmread(DICOM)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.save_as(tmp_path / "x.dcm")
    bomb = (tmp_path / "x.dcm").read_bytes()[:500]
    (tmp_path / "x.dcm").write_bytes(bomb + zlib.compress(bytes(1 << 20), 9)[2:] * 700)  # would inflate to 700 MB
    assert "deflated" in fails(tmp_path / "x.dcm")


def test_a_dicom_value_of_four_gigabytes_is_not_asked_for(tmp_path: Path) -> None:
    data = DICOM.read_bytes()
    at = data.index(b"\x00\x54\x10\x10OW\0\0") + 8
    (tmp_path / "x.dcm").write_bytes(data[:at] + b"\xf0\xff\xff\xff" + data[at + 4 :])
    tracemalloc.start()
    fails(tmp_path / "x.dcm")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_messages_do_not_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_text(HEA.replace("r.dat", "r\x1b]0;x\x07.dat"))
    assert f"{tmp_path}/r.hea: its signal file r?]0;x?.dat is missing" in fails(tmp_path / "r.hea")


def test_truncated_files_name_byte_counts(tmp_path: Path) -> None:
    source = edf(tmp_path / "x.edf", [("I", "mV", 500, np.zeros(5000))])
    source.write_bytes(source.read_bytes()[:-100])
    assert "bytes where its header promises" in fails(source)
    np.save(tmp_path / "x.npy", np.zeros((12, 500)))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    assert "47992 bytes of data where its header promises 48000" in fails(tmp_path / "x.npy", fs=500)
