"""WFDB: a new header, the samples' bytes and no others, names changed everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import wfdb as oracle

from ecglm.errors import EcglmError, ReadError
from ecglm.records import read
from ecglm.records.deidentify import deidentify, find

from ..encoders import RANGES, encode, encode_differences
from .planted import ALL, BORN, KEY, MRN, NAME, PHONE, SEEN, SITE, assert_clean, assert_same_signal

STARTED = f"10:11:12.5 {SEEN:%d/%m/%Y}"
COMMENTS = (
    f"# <age>: 93 <sex>: M <diagnoses>: {ALL}\n# Sex: M\n# Patient ID: {MRN}\n#Born {BORN:%d.%m.%Y}\n # {PHONE} {SITE}\n#{NAME}\n"
)


def planted(
    folder: Path, fmt: str = "16", name: str = MRN, prolog: bytes = b"", length: str = "900", started: str = STARTED
) -> Path:
    """A record whose header, file names and bytes around the samples hold planted texts."""
    top = min(RANGES[fmt], 2000) if fmt != "8" else 2000
    rng = np.random.default_rng(5)
    data = rng.integers(-top, top, (900, 2))
    if fmt == "8":
        data = rng.integers(-60, 60, (900, 2)).cumsum(axis=0)
        raw = encode_differences(data, [int(data[0, 0]), int(data[0, 1])])
    else:
        raw = encode(fmt, data.ravel())
    (folder / f"{name}.dat").write_bytes(prolog + raw + ALL.encode() * (length != ""))
    offset = f"+{len(prolog)}" if prolog else ""
    lines = [
        f"{name}.dat {fmt}{offset} 200(10)/mV 12 0 {data[0, place]} {place} 0 {lead}"
        for place, lead in enumerate(("II (Einthoven)", f"lead of {NAME}"))
    ]
    text = "\n".join([f"{name} 2 500/500.0(0) {length} {started}", *lines])
    (folder / f"{name}.hea").write_text(f"{COMMENTS}{text}\n{COMMENTS}")
    (folder / f"{name}.atr").write_bytes(ALL.encode())
    return folder / f"{name}.hea"


@pytest.mark.parametrize("fmt", [*RANGES])
def test_nothing_planted_survives_in_any_storage_format(tmp_path: Path, fmt: str) -> None:
    source = planted(tmp_path, fmt, prolog=ALL.encode()[:40])
    report = deidentify(source, tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out", "Einthoven", "lead of")
    old, new = read(source), read(report.target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert (new.leads, new.meta.age, new.meta.sex) == (("II", "Chan 2"), 90, "male")
    assert (new.start.time(), new.start.date() != SEEN) == (old.start.time(), True)  # type: ignore[union-attr]
    stored = Path(report.target).with_suffix(".dat").read_bytes()
    assert stored == source.with_suffix(".dat").read_bytes()[40:-len(ALL)]
    assert report.removed["bytes before the samples"] == 40
    assert report.removed["bytes after the samples"] == len(ALL)
    assert report.removed["comment"] == 12
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".dat", ".hea"]


def test_wfdb_reads_the_output(tmp_path: Path) -> None:
    report = deidentify(planted(tmp_path, "212"), tmp_path / "out", key=KEY).files[0]
    theirs = oracle.rdrecord(str(Path(report.target).with_suffix("")), physical=False)
    np.testing.assert_array_equal(theirs.d_signal, oracle.rdrecord(str(tmp_path / MRN), physical=False).d_signal)
    assert theirs.base_time is not None
    assert theirs.comments == ["Age: 90", "Sex: Male"]


@pytest.mark.parametrize("given", [f"{MRN}.hea", f"{MRN}.dat", MRN])
def test_a_record_may_be_named_as_for_reading(tmp_path: Path, given: str) -> None:
    planted(tmp_path)
    assert deidentify(tmp_path / given, tmp_path / "out", key=KEY).files[0].format == "wfdb"


def test_a_length_that_is_not_stated_is_that_of_the_file(tmp_path: Path) -> None:
    source = planted(tmp_path, length="", started="")
    _, new = (read(source), read(deidentify(source, tmp_path / "out", key=KEY).files[0].target))
    assert new.n_samples == 900
    assert_clean(tmp_path / "out")


def test_tags_of_a_flac_signal_file_do_not_survive(tmp_path: Path) -> None:
    data = np.random.default_rng(1).integers(-3000, 3000, (5000, 2)).astype(np.int16)
    with soundfile.SoundFile(tmp_path / "f.dat", "w", 250, 2, "PCM_16", format="FLAC") as stream:
        stream.artist, stream.comment = NAME, ALL
        stream.write(data)
    with open(tmp_path / "f.dat", "ab") as stream:
        stream.write(ALL.encode())
    (tmp_path / "f.hea").write_text(f"f 2 250 4000\nf.dat 516+7 200/mV 16 0 0 0 0 I\nf.dat 516+7 200/mV 16 0 0 0 0 II\n#{NAME}\n")
    assert NAME.encode() in (tmp_path / "f.dat").read_bytes()
    _, new = assert_same_signal(tmp_path / "f.hea", deidentify(tmp_path / "f.hea", tmp_path / "out", key=KEY).files[0].target)
    assert_clean(tmp_path / "out")
    np.testing.assert_array_equal((new.signal.T * 200).round(), data[7:4007])


@pytest.mark.parametrize("variable", [False, True])
def test_segments_are_renamed_and_cleaned_with_their_record(tmp_path: Path, variable: bool) -> None:
    for part in ("a", "b"):
        planted(tmp_path, name=f"{NAME}{part}", length="900")
    lines = [f"{NAME}a 900", "~ 100", f"{NAME}b 900"]
    if variable:
        (tmp_path / f"{NAME}l.hea").write_text(
            f"{NAME}l 2 500 0\n~ 0 200(10)/mV 12 0 0 0 0 II (Einthoven)\n~ 0 200(10)/mV 12 0 0 0 0 lead of {NAME}\n#{ALL}\n"
        )
        lines = [f"{NAME}l 0", *lines]
    (tmp_path / "multi.hea").write_text(f"multi/{len(lines)} 2 500 1900 {STARTED}\n" + "\n".join(lines) + "\n" + COMMENTS)
    report = deidentify(tmp_path, tmp_path.parent / f"{tmp_path.name}_out")
    assert len(report.files) == 1
    assert not report.failed
    out = Path(report.files[0].target).parent
    assert_clean(out)
    old, new = read(tmp_path / "multi.hea"), read(report.files[0].target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert len(list(out.iterdir())) == (6 if variable else 5)
    assert len(report.left_out) == 2  # the annotation files


def test_a_record_of_hours_is_compared_in_parts(tmp_path: Path) -> None:
    data = (np.arange(2 * 3600 * 20) % 1999).astype("<i2")
    (tmp_path / "long.dat").write_bytes(data.tobytes())
    (tmp_path / "long.hea").write_text(f"long 1 20 {len(data)}\nlong.dat 16 200/mV 16 0 0 0 0 V5\n")
    assert_same_signal(tmp_path / "long.hea", deidentify(tmp_path / "long.hea", tmp_path / "out", key=KEY).files[0].target)


def test_a_header_that_leads_elsewhere_or_promises_too_much_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.hea").write_text("x 1 500 100\n../secret.dat 16 200/mV 16 0 0 0 0 I\n")
    with pytest.raises(EcglmError, match="plain file name"):
        deidentify(tmp_path / "x.hea", tmp_path / "out", key=KEY)
    planted(tmp_path, length="9000")
    with pytest.raises(EcglmError, match="cut short"):
        deidentify(tmp_path / f"{MRN}.hea", tmp_path / "out", key=KEY)
    assert not list((tmp_path / "out").rglob("*"))


def test_a_file_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: str) -> str:
        raise OSError(5, "Input/output error")

    source = planted(tmp_path)
    monkeypatch.setattr(find, "kind_of", broken)  # as on a failing disk; missing permissions do not stop root
    with pytest.raises(ReadError, match="cannot be read"):
        deidentify(source, tmp_path / "out")
