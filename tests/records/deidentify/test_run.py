"""Folders, names, keys, failures and interruptions: what stands under OUT is always whole and clean."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.cli import main
from ecglm.errors import EcglmError, UsageError
from ecglm.records import read
from ecglm.records.deidentify import Key, deidentify, dicom, dicom_parts, run

from ..carts import LEADS_8, muse, sierra, waves
from ..encoders import simple
from .planted import ALL, FIRST, MRN, NAME, assert_clean
from .test_edf import planted as planted_edf
from .test_wfdb import planted as planted_wfdb

SAMPLE = str(get_testdata_file("waveform_ecg.dcm"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings of one patient in four formats, in folders named after people, with other files among them."""
    inner = tmp_path / "in" / f"{NAME}, {FIRST}"
    inner.mkdir(parents=True)
    planted_wfdb(inner, name="w")
    planted_edf(inner)
    (inner / "m.xml").write_text(muse(waves(8), LEADS_8).replace("9876", MRN).replace("Doe", NAME))
    dataset = pydicom.dcmread(SAMPLE)
    dataset.PatientID, dataset.PatientName = MRN, NAME
    dataset.save_as(inner / f"{MRN}.dcm")
    (inner / "letter.txt").write_text(f"Dear {NAME}\n{ALL}\n")
    (inner / "list.csv").write_text(f"path,patient,name\nw,{MRN},{NAME}\n")
    (inner / "scan.pdf").write_bytes(b"%PDF " + ALL.encode())
    return tmp_path / "in"


def test_a_folder_keeps_one_patient_together_over_formats(folder: Path, tmp_path: Path) -> None:
    report = ecglm.deidentify(folder, tmp_path / "out", key=Key(bytes(32)))
    assert sorted(one.format for one in report.files) == ["dicom", "edf", "muse", "wfdb"]
    assert not report.failed
    assert_clean(tmp_path / "out")
    assert len({one.patient for one in report.files}) == 1
    sources = {Path(source).name: target for source, target, _ in report.mapping}
    shifts = {(read(target).start - read(folder / f"{NAME}, {FIRST}" / name).start).days for name, target in sources.items()}  # type: ignore[operator]
    assert len(shifts) == 1
    assert sorted(Path(name).name for name in report.left_out) == ["letter.txt", "list.csv", "scan.pdf", "w.atr"]
    assert report.to_dict()["left_out"] == {".atr": 1, ".csv": 1, ".pdf": 1, ".txt": 1}
    assert NAME not in str(report.to_dict())
    assert NAME not in repr(report)


def test_the_same_key_gives_the_same_files_and_done_ones_are_not_done_again(folder: Path, tmp_path: Path) -> None:
    first = deidentify(folder, tmp_path / "a", key=tmp_path / "key")
    second = deidentify(folder, tmp_path / "b", key=tmp_path / "key")
    for one, two in zip(sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir()), strict=True):
        assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())
    assert len(second.files) == 4
    Path(first.files[0].target).unlink()
    again = deidentify(folder, tmp_path / "a", key=tmp_path / "key")
    assert (len(again.files), len(again.skipped)) == (1, 3)
    assert sorted(again.mapping) == sorted(first.mapping)
    other = deidentify(folder, tmp_path / "c")
    assert not {path.name for path in (tmp_path / "c").iterdir()} & {path.name for path in (tmp_path / "a").iterdir()}
    assert (first.key_kept, other.key_kept) == (True, False)


def test_a_recording_that_is_there_twice_is_written_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.dcm", "b.dcm"):
        shutil.copy(SAMPLE, tmp_path / "in" / name)
    report = deidentify(tmp_path / "in", tmp_path / "out")
    assert (len(report.files), len(report.skipped), len(list((tmp_path / "out").iterdir()))) == (1, 1, 1)


def test_patients_that_files_do_not_name(tmp_path: Path) -> None:
    (tmp_path / "in" / "one").mkdir(parents=True)
    for number, name in enumerate(("a", "b")):
        simple(tmp_path / "in" / "one", name, seed=number)
    apart = deidentify(tmp_path / "in", tmp_path / "apart", key=Key(bytes(32)))
    assert len({one.patient for one in apart.files}) == 2
    (tmp_path / "whose.csv").write_text(f"path,patient\none/a.hea,{MRN}\none/b,{MRN}\n")
    together = deidentify(tmp_path / "in", tmp_path / "out", patients=tmp_path / "whose.csv", key=Key(bytes(32)))
    assert {one.patient for one in together.files} == {Key(bytes(32)).pseudonym("p", MRN.lower())}
    assert {one.patient for one in deidentify(tmp_path / "in", tmp_path / "p", patients={"one/a": "x1", "one/b": "x1"}).files}
    (tmp_path / "whose.csv").write_text("file,patient\na,b\n")
    with pytest.raises(UsageError, match="path,patient"):
        deidentify(tmp_path / "in", tmp_path / "q", patients=tmp_path / "whose.csv")


def test_one_failure_does_not_stop_the_others(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.dcm").write_bytes(Path(SAMPLE).read_bytes()[:5000])
    (folder / "short.hea").write_text("short 1 500 9999\nshort.dat 16 200/mV 16 0 0 0 0 I\n")
    (folder / "short.dat").write_bytes(bytes(100))
    (folder / "x.npy").write_bytes(b"\x93NUMPY")
    assert main(["deidentify", str(folder), str(tmp_path / "out"), "--json"]) == 2
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert len(report["files"]) == 4
    assert len(report["failed"]) == 3
    assert any("convert it" in reason for reason in report["failed"])
    assert err.count("\n") == 1
    assert "3 of 7 recordings were not written" in err
    assert_clean(tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError, OSError])
def test_an_interruption_leaves_whole_files_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    """Stopped while the last check of the third recording runs; a second run with the key goes on from there."""
    calls = []

    def verify(*given: object) -> None:
        calls.append(given)
        if len(calls) == 3:
            raise stop
        checked(*given)  # type: ignore[arg-type]

    checked = run._verify
    monkeypatch.setattr(run, "_verify", verify)
    if stop is OSError:
        assert len(deidentify(folder, tmp_path / "out", key=tmp_path / "k").failed) == 1
    else:
        with pytest.raises(stop):
            deidentify(folder, tmp_path / "out", key=tmp_path / "k")
    assert_clean(tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        if path.suffix != ".dat":
            read(path)
    monkeypatch.setattr(run, "_verify", checked)
    assert len(deidentify(folder, tmp_path / "out", key=tmp_path / "k").mapping) == 4
    assert_clean(tmp_path / "out")


def test_an_output_with_something_left_in_it_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "METHOD", "by Galliera")  # as a mistake in a writer would
    monkeypatch.setattr(run.Case, "say", lambda self, text: text)
    with pytest.raises(EcglmError, match="would still be in the output"):
        deidentify(SAMPLE, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_an_output_with_another_signal_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_parts, "_CHANNEL_NUMBERS", ("WaveformChannelNumber", "ChannelSensitivity", "WaveformBitsStored"))
    dataset = pydicom.dcmread(SAMPLE)
    dataset.WaveformSequence[0].ChannelDefinitionSequence[3].ChannelBaseline = 7
    dataset.save_as(tmp_path / "b.dcm")
    with pytest.raises(EcglmError, match="signal would not be the same"):
        deidentify(tmp_path / "b.dcm", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_places_that_cannot_be_meant(folder: Path, tmp_path: Path) -> None:
    inner = folder / f"{NAME}, {FIRST}"
    for target in (folder, inner / "out", tmp_path):
        with pytest.raises(UsageError, match="outside"):
            deidentify(folder, target)
    before = (inner / "m.xml").read_bytes()
    with pytest.raises(UsageError, match="itself"):
        deidentify(inner / "m.xml", inner / "m.xml", overwrite=True)
    with pytest.raises(UsageError, match="itself"):
        deidentify(inner / "m.xml", inner, keep_names=True, overwrite=True)
    assert (inner / "m.xml").read_bytes() == before
    with pytest.raises(UsageError, match="stays in its format"):
        deidentify(inner / "m.xml", tmp_path / "m.dcm")
    with pytest.raises(UsageError, match="holds something that was removed"):
        deidentify(inner / "m.xml", tmp_path / f"{MRN}.xml")
    for option in ("key", "mapping"):
        with pytest.raises(UsageError, match="among them"):
            deidentify(inner / "m.xml", tmp_path / "o", **{option: tmp_path / "o" / "k"})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no such file"):
        deidentify(tmp_path / "none.dcm", tmp_path / "o")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no recording"):
        deidentify(tmp_path / "empty", tmp_path / "o")


def test_outputs_are_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "mine.dcm"
    target.write_text("precious")
    with pytest.raises(UsageError, match="it exists"):
        deidentify(SAMPLE, target)
    assert target.read_text() == "precious"
    assert deidentify(SAMPLE, target, overwrite=True).files[0].target == str(target)
    assert read(target).n_samples == 10_000
    simple(tmp_path, "r")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "n.dat").write_text("precious")  # the signal file of another record
    with pytest.raises(UsageError, match="it exists"):
        deidentify(tmp_path / "r.hea", tmp_path / "out" / "n.hea")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["n.dat"]


def test_names_are_kept_when_asked(tmp_path: Path) -> None:
    (tmp_path / "in" / "ward").mkdir(parents=True)
    simple(tmp_path / "in" / "ward", "r001")
    (tmp_path / "in" / "s.xml").write_text(sierra(waves()))
    report = deidentify(tmp_path / "in", tmp_path / "out", keep_names=True)
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert names == ["s.xml", "ward/r001.dat", "ward/r001.hea"]
    assert not report.failed


def test_the_command_prints_names_of_fields_and_never_values(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder / f"{NAME}, {FIRST}" / f"{MRN}.dcm"
    assert main(["deidentify", str(source), str(tmp_path / "out"), "--mapping", str(tmp_path / "map.csv")]) == 0
    shown = capsys.readouterr().out
    assert "PatientID\t1" in shown
    assert "pass --key FILE" in shown
    assert not any(text.lower() in shown.lower().replace(str(tmp_path).lower(), "") for text in (NAME, MRN, FIRST))
    rows = list(csv.DictReader((tmp_path / "map.csv").open()))
    assert [row["source"] for row in rows] == [str(source)]
    assert Path(rows[0]["target"]).is_file()
    assert main(["deidentify", str(source), str(tmp_path / "out"), "--key", str(tmp_path / "k")]) == 0
    assert "PatientID" in capsys.readouterr().out
    assert main(["deidentify", str(source), str(tmp_path / "out"), "--key", str(tmp_path / "k")]) == 0
    assert "1 were there already" in capsys.readouterr().out


def test_a_signal_file_left_by_an_interruption_does_not_stop_the_next_run(tmp_path: Path) -> None:
    source = simple(tmp_path, "r")
    target = Path(deidentify(source, tmp_path / "out", key=tmp_path / "k").files[0].target)
    target.unlink()
    assert deidentify(source, tmp_path / "out", key=tmp_path / "k").files[0].target == str(target)


def test_no_key_is_made_for_a_recording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        deidentify(tmp_path / "none.dcm", tmp_path / "out", key=tmp_path / "k")
    assert not (tmp_path / "k").exists()
    with pytest.raises(UsageError, match="no key can be written"):
        deidentify(SAMPLE, tmp_path / "out", key=tmp_path / "missing" / "k")
