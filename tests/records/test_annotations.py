"""WFDB annotation files: equal to wfdb, and damaged files are refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.errors import ReadError
from ecglm.records.annotations import Annotations, read_annotations, rhythm_marks


def write(folder: Path, samples: list[int], symbols: list[str], notes: list[str]) -> Path:
    wfdb.wrann("r", "atr", np.array(samples), symbols, aux_note=notes, write_dir=str(folder))
    return folder / "r.atr"


def test_marks_notes_and_long_gaps_are_those_that_wfdb_reads(tmp_path):
    samples = [0, 5, 1028, 1029, 900_000, 900_001]  # a step above 1023 needs a skip, 900,000 both of its words
    path = write(tmp_path, samples, ["+", "N", "V", "A", "N", "+"], ["(AFIB", "", "", "note", "", "(N"])
    theirs, ours = wfdb.rdann(str(tmp_path / "r"), "atr"), read_annotations(path)
    assert ours.samples.tolist() == samples == theirs.sample.tolist()
    assert list(ours.symbols) == theirs.symbol
    assert ours.notes == ("(AFIB", "", "", "note", "", "(N")


def test_rhythms_begin_where_they_are_marked_and_end_at_a_bracket():
    marks = Annotations(np.array([5, 0, 9, 7, 12]), ("+", "+", "N", "+", "+"), ("(AFIB)", " (N ", "note", ")", "("))
    assert rhythm_marks(marks) == [(0, "N"), (5, "AFIB"), (7, ""), (12, "")]


@pytest.mark.parametrize("set_name", ["mitdb/records/*.atr", "ludb/data/*.v1", "afpdb/**/*.qrs", "cpsc2021/**/*.atr"])
def test_real_files_are_read_as_wfdb_reads_them(data_dir, set_name):
    for path in sorted(data_dir.glob(set_name))[:12]:
        theirs, ours = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:]), read_annotations(path)
        assert np.array_equal(theirs.sample, ours.samples), path
        assert theirs.symbol == list(ours.symbols), path
        assert [note.split("\0")[0] for note in theirs.aux_note] == list(ours.notes), path


def test_a_file_cut_short_is_refused(tmp_path):
    path = write(tmp_path, [10, 900_000], ["N", "N"], ["", "note"])
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ReadError, match="no end mark"):
            read_annotations(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ReadError, match=r"no\.atr: it cannot be read"):
        read_annotations(tmp_path / "no.atr")


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_marks_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "f.atr"
    path.write_bytes(data)
    try:
        found = read_annotations(path)
    except ReadError:
        return
    assert len(found.samples) == len(found.symbols) == len(found.notes)
