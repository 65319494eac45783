"""Damaged files of every format: only EcglmError escapes, and then nothing is written; what is written is clean."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from ecglm.errors import EcglmError
from ecglm.records.deidentify import Key, deidentify

from .. import seeds
from ..mutants import Grammar, binary, fields, values
from .planted import NAME, assert_clean
from .test_edf import planted as planted_edf
from .test_wfdb import planted as planted_wfdb
from .test_xml import planted as planted_xml


def xml(kind: str, folder: Path) -> Path:
    path = seeds.SEEDS[kind][0].make(folder)
    path.write_text(planted_xml(path.read_text()))
    return path


def dicom(folder: Path) -> Path:
    """A short form of pydicom's sample file, whose patient is Anonymous."""
    dataset = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    group = dataset.WaveformSequence[0]
    group.NumberOfWaveformSamples, group.WaveformData = 200, group.WaveformData[:4800]
    dataset.WaveformSequence = pydicom.Sequence([group])
    dataset.save_as(folder / "f.dcm")
    raw = (folder / "f.dcm").read_bytes().replace(b"Anonymous ", b"Quillfeat\0"[:10]).replace(b"Anonymous", NAME[:9].encode())
    (folder / "f.dcm").write_bytes(raw)
    return folder / "f.dcm"


MUTANTS = 150
def who(data: bytes, rng: random.Random) -> bytes:
    """The first fields of EDF and the labels. Where its sizes change, texts may become samples, which are all kept."""
    place = rng.choice((slice(8, 184), slice(256, 256 + 64)))
    return data[: place.start] + fields(data[place], rng) + data[place.stop :]


GRAMMARS: dict[str, Grammar] = {"wfdb": binary, "dicom": binary, "edf": who}
XML = ("aecg", "muse", "cardiology", "sierra")
SEEDS: dict[str, Callable[[Path], Path]] = {
    "wfdb": planted_wfdb,
    "edf": planted_edf,
    "dicom": dicom,
    **{kind: partial(xml, kind) for kind in XML},
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_damaged_file_gives_an_error_and_nothing_else_or_a_clean_output(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").mkdir()
    source = SEEDS[kind](tmp_path / "in")
    seed, rng, key = source.read_bytes(), random.Random(f"deidentify {kind}"), Key(bytes(32))
    written = 0
    for _ in range(MUTANTS):
        source.write_bytes(GRAMMARS.get(kind, values)(seed, rng))
        out = tmp_path / "out"
        refusal = ""
        try:
            deidentify(source, out, key=key)
        except EcglmError as problem:
            refusal = str(problem)
        assert "signal would not be the same" not in refusal
        if refusal:
            assert not out.exists() or not list(out.iterdir())
            continue
        written += 1
        assert_clean(out)
        shutil.rmtree(out)
    assert written > 0.1 * MUTANTS
