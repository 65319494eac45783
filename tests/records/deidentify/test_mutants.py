"""Damaged files of every format: only EcglmError escapes, and then nothing is written; what is written is clean."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ecglm.errors import EcglmError
from ecglm.records.deidentify import Key, deidentify

from ..test_fuzz import VALUES, mutate, mutate_values, rounds, small_dicom
from .planted import NAME, assert_clean
from .test_edf import planted as planted_edf
from .test_wfdb import planted as planted_wfdb
from .test_xml import planted as planted_xml


def xml(make: Callable[[Path], Path], folder: Path) -> Path:
    path = make(folder)
    path.write_text(planted_xml(path.read_text()))
    return path


def dicom(folder: Path) -> Path:
    path = small_dicom(folder)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"Anonymous ", b"Quillfeat\0"[:10]).replace(b"Anonymous", NAME[:9].encode()))
    return path


SEEDS: dict[str, Callable[[Path], Path]] = {
    "wfdb": planted_wfdb,
    "edf": planted_edf,
    "dicom": dicom,
    **{kind: lambda folder, make=make: xml(make, folder) for kind, make in VALUES.items()},  # type: ignore[misc]
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_damaged_file_gives_an_error_and_nothing_else_or_a_clean_output(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").mkdir()
    source = SEEDS[kind](tmp_path / "in")
    seed, rng, key = source.read_bytes(), random.Random(f"deidentify {kind}"), Key(bytes(32))
    written = done = 0
    for done in rounds(150):  # noqa: B007
        source.write_bytes(mutate_values(seed.decode(), rng).encode() if kind in VALUES else mutate(seed, rng, 1500))
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
    assert written > 0.1 * done
