"""Seeded mutants of a valid file of every format: only EcglmError escapes, and nothing hangs.

As many of each as fit into BOX_S seconds; ECGLM_FUZZ=200000 (make fuzz) makes that many of each, however long it takes.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import wfdb
from pydicom.data import get_testdata_file

from ecglm.errors import EcglmError
from ecglm.records import read, write_npz

from .carts import LEADS_8, aecg, cardiology, ishne, muse, sierra, waves
from .encoders import edf, simple
from .gdf_writer import gdf
from .many import code_file, parquet_file
from .mfer_writer import mfer
from .scp_writer import scp

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))


def small_dicom(folder: Path) -> Path:
    import pydicom

    dataset = pydicom.dcmread(DICOM)
    group = dataset.WaveformSequence[0]
    group.NumberOfWaveformSamples = 200
    group.WaveformData = group.WaveformData[:4800]
    dataset.WaveformSequence = pydicom.Sequence([group])
    dataset.save_as(folder / "f.dcm")
    return folder / "f.dcm"


def small_csv(folder: Path) -> Path:
    rows = "".join(f"{i * 2},{i % 7 / 9:.3f},\n" for i in range(60))
    (folder / "f.csv").write_text("# unit=mV\ntime_ms,I,II\n" + rows)
    return folder / "f.csv"


def small_npz(folder: Path) -> Path:
    write_npz(read(DICOM, duration_s=0.1), folder / "f.npz")
    return folder / "f.npz"


def small_npy(folder: Path) -> Path:
    np.save(folder / "f.npy", read(DICOM, duration_s=0.1).signal)
    return folder / "f.npy"


def small_mat(folder: Path, version: str, packed: bool = False) -> Path:
    scipy.io.savemat(
        folder / "f.mat",
        {
            "val": read(DICOM, duration_s=0.1).signal,
            "fs": 1000.0,
            "units": "mV",
            "names": np.array(["I"] * 12, object) if version == "5" else "x",
        },
        format=version,
        do_compression=packed,
    )
    return folder / "f.mat"


def small_wfdb(folder: Path, fmt: str, fuzzed: str) -> Path:
    signal = np.random.default_rng(0).normal(0, 0.3, (300, 2))
    wfdb.wrsamp(
        "f",
        250,
        ["mV"] * 2,
        ["I", "V2"],
        signal,
        fmt=[fmt] * 2,
        adc_gain=[200.0, 100.0],
        baseline=[0, 3],
        comments=["Age: 50"],
        write_dir=str(folder),
    )
    return folder / f"f.{fuzzed}"


def small_segments(folder: Path) -> Path:
    simple(folder, "s1", 50, ("I", "II"), 250)
    (folder / "f.hea").write_text("f/3 2 250 130\ns1 50\n~ 30\ns1 50\n")
    return folder / "f.hea"


def text_file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def small_aecg(folder: Path) -> Path:
    return text_file(folder, "f.xml", aecg(waves(8, 40), LEADS_8, beat=waves(8, 20)))


def small_muse(folder: Path) -> Path:
    return text_file(folder, "f.xml", muse(waves(8, 40), beat=waves(8, 30)))


def small_cardiology(folder: Path) -> Path:
    return text_file(folder, "f.xml", cardiology(waves(8, 40), LEADS_8, 40, beat=waves(8, 20), disclosure=waves(8, 40)))


def small_sierra(folder: Path) -> Path:
    return text_file(folder, "f.xml", sierra(waves(12, 50), beat=waves(12, 30)))


def small_scp(folder: Path, **kwargs: object) -> Path:
    data = scp(waves(4, 60), ("I", "II", "V1", "V2"), **kwargs)  # type: ignore[arg-type]
    (folder / "f.scp").write_bytes(data)
    return folder / "f.scp"


def small_scp_beats(folder: Path) -> Path:
    return small_scp(folder, coding="tables", beat=waves(4, 20), qrs=((0, 5, 10, 22), (0, 30, 40, 55)), fiducial=5)


def small_ishne(folder: Path) -> Path:
    (folder / "f.ecg").write_bytes(ishne(waves(3, 100)))
    return folder / "f.ecg"


def small_gdf(folder: Path, version: str) -> Path:
    rows = waves(3, 80).clip(-30000, 30000)
    signals = [(name, "uV", 20, row) for name, row in zip(("I", "II", "EOG"), rows, strict=True)]
    (folder / "f.gdf").write_bytes(gdf(signals, version))
    return folder / "f.gdf"


def small_mfer(folder: Path) -> Path:
    (folder / "f.mwf").write_bytes(mfer(waves(3, 60), ("I", "II", "V1"), block=20, beat=waves(3, 40)))
    return folder / "f.mwf"


SEEDS: dict[str, tuple[Callable[[Path], Path], int]] = {
    "wfdb-header": (lambda p: small_wfdb(p, "16", "hea"), 2500),
    "wfdb-flac-header": (lambda p: small_wfdb(p, "516", "hea"), 1000),
    "wfdb-flac": (lambda p: small_wfdb(p, "516", "dat"), 1500),
    "wfdb-segments": (small_segments, 1500),
    "dicom": (small_dicom, 1000),
    "edf": (lambda p: edf(p / "f.edf", [("I", "mV", 50, np.zeros(500)), ("II", "mV", 50, np.ones(500))], 2), 2000),
    "bdf": (lambda p: edf(p / "f.bdf", [("I", "mV", 50, np.zeros(500))], 2, bdf=True), 1000),
    "csv": (small_csv, 2000),
    "npz": (small_npz, 1500),
    "npy": (small_npy, 1500),
    "mat4": (lambda p: small_mat(p, "4"), 1500),
    "mat5": (lambda p: small_mat(p, "5"), 1500),
    "aecg": (small_aecg, 600),
    "muse": (small_muse, 600),
    "cardiology": (small_cardiology, 600),
    "sierra": (small_sierra, 600),
    "scp": (small_scp, 700),
    "scp-beats": (small_scp_beats, 700),
    "ishne": (small_ishne, 600),
    "gdf1": (lambda p: small_gdf(p, "1.25"), 500),
    "gdf2": (lambda p: small_gdf(p, "2.20"), 500),
    "mfer": (small_mfer, 700),
    "hdf5": (lambda p: code_file(p / "f.h5", 1, padding=10, samples=60), 1000),
    "hdf5-chunks": (lambda p: code_file(p / "f.h5", 1, padding=10, samples=60, compression="gzip", shuffle=True), 1000),
    "parquet": (lambda p: parquet_file(p / "f.parquet", 60), 1500),
    "mat5-compressed": (lambda p: small_mat(p, "5", packed=True), 1000),
}


BOX_S = 20.0


def rounds(count: int) -> Iterator[int]:
    """Numbers of mutants from 1: count of them within the time box, or ECGLM_FUZZ without one."""
    asked = os.environ.get("ECGLM_FUZZ")
    end = time.monotonic() + BOX_S
    for done in range(1, 1 + (int(asked) if asked else count)):
        if not asked and time.monotonic() > end:
            return
        yield done


def mutate(data: bytes, rng: random.Random, head: int) -> bytes:
    """One to six random edits, mostly in the first `head` bytes, where formats keep their sizes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(min(head, len(out)) if rng.random() < 0.8 else len(out)) if out else 0
        match rng.randrange(8):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                out[at : at + 1] = bytes([out[at] ^ 1 << rng.randrange(8)]) if out else b""
            case 2:
                del out[at : at + rng.choice((1, 2, 8, 100))]
            case 3:
                out[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
            case 4:
                out[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80"))
            case 5:
                out[at : at + 1] = rng.choice(
                    (b"9999999999", b"-1", b"nan", b"1e999", b"\n", b" ", b"\0", b"../", b"x", b"0")
                )
            case 6:
                out = out[:at] if rng.random() < 0.3 else out
            case 7:
                other = rng.randrange(len(out)) if out else 0
                out[at : at + 16] = out[other : other + 16]
    return bytes(out)


#: Formats whose mutants must be well-formed to get past the XML parser: single values are replaced.
VALUES: dict[str, Callable[[Path], Path]] = {
    "aecg": small_aecg,
    "muse": small_muse,
    "cardiology": small_cardiology,
    "sierra": small_sierra,
}
_VALUE = re.compile(r'(?<=[">])[^"<>]+(?=["<])')
_WORTH = ("", "-1", "0", "nan", "1e999", "1e-300", "99999999999999999999", "x", "\u00e9", "-32768", "1 2", "0x10", "A" * 999)


def mutate_values(text: str, rng: random.Random) -> str:
    """One to six values of attributes or elements replaced by others of the file or by absurd ones."""
    spots = [spot.span() for spot in _VALUE.finditer(text)]
    for first, last in sorted(rng.sample(spots, rng.choice((1, 1, 2, 3, 6))), reverse=True):
        other = text[slice(*rng.choice(spots))] if rng.random() < 0.3 else rng.choice(_WORTH)
        text = text[:first] + other + text[last:]
    if rng.random() < 0.3:  # an element less
        name = rng.choice(re.findall(r"<(\w+)", text))
        text = re.sub(rf"<{name}(?:\s[^<>]*)?(?:/>|>.*?</{name}>)", "", text, count=1, flags=re.DOTALL)
    return text


@pytest.mark.parametrize("kind", VALUES)
def test_well_formed_mutants_raise_only_ecglm_errors(tmp_path: Path, kind: str) -> None:
    target = VALUES[kind](tmp_path)
    seed, rng = target.read_text(), random.Random(f"ecglm values {kind}")
    survived = done = 0
    for done in rounds(500):  # noqa: B007
        target.write_text(mutate_values(seed, rng))
        begin = time.process_time()
        try:
            record = read(target)
        except EcglmError:
            pass
        else:
            survived += 1
            assert record.signal.dtype == np.float32
            assert not np.isinf(record.signal).any()
        assert time.process_time() - begin < 2
    assert survived > 0.1 * done  # the mutants do get past the parser


@pytest.mark.parametrize("kind", SEEDS)
def test_mutants_raise_only_ecglm_errors(tmp_path: Path, kind: str) -> None:
    make, count = SEEDS[kind]
    target = make(tmp_path)
    seed = target.read_bytes()
    head = len(seed) if kind.startswith(("hdf5", "parquet")) else 1500  # which keep their sizes anywhere
    keep = tmp_path / "keep"
    shutil.copytree(tmp_path, keep, ignore=shutil.ignore_patterns("keep"))
    rng = random.Random(f"ecglm {kind}")
    overrides = {"fs": 1000.0, "unit": "mV"} if kind in ("npy", "mat4") else {}
    read(target if target.suffix != ".dat" else target.with_suffix(".hea"), **overrides)  # type: ignore[arg-type]
    refused = slowest = 0.0
    done = 0
    for done in rounds(count):  # noqa: B007
        target.write_bytes(mutate(seed, rng, head))
        begin = time.process_time()
        try:
            record = read(target if target.suffix != ".dat" else target.with_suffix(".hea"), **overrides)  # type: ignore[arg-type]
        except EcglmError as problem:
            refused += 1
            said = str(problem)
            if "\n" in said or str(tmp_path) not in said:
                pytest.fail(f"not one line about the file: {said}")
        else:
            assert record.signal.dtype == np.float32
            assert not np.isinf(record.signal).any()
        slowest = max(slowest, time.process_time() - begin)
    assert slowest < 2, f"{slowest:.1f} s for one mutant"
    assert 0.02 * done < refused  # the mutations do reach the parser's checks
