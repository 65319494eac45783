"""CSV and TSV: dialects, rates, units, names, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.errors import ReadError
from ecglm.records import STANDARD_12, read

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
T = np.arange(5000) / 500
WAVE = np.sin(2 * np.pi * 1.3 * T)


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def rows(fmt: str = "{:.4f},{:.4f}", n: int = 800) -> str:
    return "\n".join(fmt.format(WAVE[i], -WAVE[i]) for i in range(n)) + "\n"


def test_csv_with_time_column_and_units_in_names(tmp_path: Path) -> None:
    text = "time (ms),Lead I (uV),V1 [mV]\n" + "".join(
        f"{i * 2},{1000 * WAVE[i]:.1f},{WAVE[i]:.4f}\n" for i in range(1000)
    )
    record = read(csv(tmp_path / "x.csv", text))
    assert (record.fs, record.leads, record.notes) == (500.0, ("I", "V1"), ())
    np.testing.assert_allclose(record.signal[0], record.signal[1], atol=1e-3)


def test_csv_comments_give_rate_and_unit(tmp_path: Path) -> None:
    record = read(csv(tmp_path / "x.csv", "# fs=360, unit=uV\nI,II\n" + rows()))
    assert (record.fs, record.unit) == (360.0, "mV")
    np.testing.assert_allclose(record.signal[0], WAVE[:800] / 1000, atol=1e-6)
    assert read(csv(tmp_path / "z.csv", "# fs=360\n# unit=normalized\nI,II\n" + rows())).unit == "normalized"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("semicolon.csv", "I;II\n" + rows("{:.4f};{:.4f}")),
        ("comma-decimal.csv", "I;II\n" + rows("{:.4f};{:.4f}").replace(".", ",")),
        ("tab.tsv", "I\tII\n" + rows("{:.4f}\t{:.4f}")),
        ("blank.txt", "I II\n" + rows("{:.4f} {:.4f}")),
        ("quoted.csv", '"I","II"\n' + rows('"{:.4f}","{:.4f}"')),
        ("windows.csv", ("\ufeffI,II\n" + rows()).replace("\n", "\r\n")),
        ("index.csv", ",I,II\n" + "".join(f"{i},{WAVE[i]:.4f},{-WAVE[i]:.4f}\n" for i in range(800))),
    ],
)
def test_tables_of_every_dialect_give_the_same_record(tmp_path: Path, name: str, text: str) -> None:
    record = read(csv(tmp_path / name, text), fs=500, unit="mV")
    assert record.leads == ("I", "II")
    np.testing.assert_allclose(record.signal, [WAVE[:800], -WAVE[:800]], atol=6e-5)


def test_a_data_frames_column_numbers_are_not_a_sample(tmp_path: Path) -> None:
    text = "0,1\n" + rows()
    record = read(csv(tmp_path / "x.csv", text), fs=500, unit="mV", leads=["I", "II"])
    np.testing.assert_allclose(record.signal[0], WAVE[:800], atol=6e-5)
    assert "the first row numbers the columns and is left out" in record.notes


@pytest.mark.parametrize("line", ["# fs=250", "# fs: 250 Hz", "#sampling_rate = 250Hz, unit=uV", "# unit=uV fs=250"])
def test_ways_to_write_the_rate(tmp_path: Path, line: str) -> None:
    assert read(csv(tmp_path / "x.csv", line + "\nI,II\n" + rows())).fs == 250.0


def test_csv_empty_cells_are_missing(tmp_path: Path) -> None:
    record = read(csv(tmp_path / "x.csv", "I,II\n0.1,\n,0.2\n0.3,NaN\n"), fs=500, unit="mV")
    assert record.missing == {"I": 1, "II": 2}
    np.testing.assert_array_equal(record.signal[0], np.float32([0.1, np.nan, 0.3]))


def test_twelve_unnamed_columns_are_the_standard_order_with_a_note(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x.csv", np.tile(WAVE[:600, None], 12) * np.arange(12), delimiter=",")
    record = read(tmp_path / "x.csv", fs=500)
    assert record.leads == STANDARD_12
    assert any("standard order" in note for note in record.notes)
    assert any("millivolts are assumed" in note for note in record.notes)


@pytest.mark.parametrize(
    ("text", "kwargs", "message"),
    [
        ("I,II\n1,2\n3,4\n", {}, r"does not state its sampling rate; pass fs="),
        ("I,II\n1,2\n3\n", {"fs": 500}, r"line 3 has 1 columns where 2 are expected"),
        ("I,II\n1,2\n3,high\n", {"fs": 500}, r"line 3 has 'high' where a number is expected"),
        ("I,II\n", {"fs": 500}, r"a header and no rows"),
        ("1,2,3\n4,5,6\n", {"fs": 500}, r"3 leads without names; name them in the file, or pass leads="),
        ("time,I\n0,1\n0.002,1\n0.4,2\n", {}, r"not evenly spaced"),
        ("# fs=fast\nI\n1\n2\n", {}, r"fs=fast, which is not a number"),
        ("# fs=500\n# unit=parsec\nI\n1\n2\n", {}, r"unit 'parsec' is not known"),
        ("# fs=500\nI\n" + "1200\n-900\n" * 50, {}, r"cannot be millivolts; pass unit='uV'"),
        ("# fs=1e9\nI\n1\n2\n", {}, r"1e\+09 Hz is outside"),
        ("ABP (mmHg),Resp\n1,2\n3,4\n", {"fs": 500}, r"none of its channels is an ECG lead"),
    ],
)
def test_tables_that_cannot_be_used_say_what_to_do(
    tmp_path: Path, text: str, kwargs: dict[str, float], message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        read(csv(tmp_path / "x.csv", text), **kwargs)  # type: ignore[arg-type]
