"""`ecglm measure` on every kind of file: a value with its unit, or the reason why not; never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglm.cli import main
from ecglm.schema import LABELS

#: Files of the data folder, one of each format and source.
FILES = [
    "vendor/aecg_hl7/ecg_hl7.xml", "vendor/dicom/waveform_ecg.dcm", "vendor/ge_cardiologyxml/example-XML1.xml",
    "vendor/mat_wfdb/03700181.hea", "vendor/mat_wfdb/a103l.mat", "vendor/muse_xml/example1.xml", "vendor/scp/Example.scp",
    "vendor/sierra_xml/129DYPRG.XML", "vendor/sierra_xml/repbeats_example.xml", "afpdb/records/n33c.hea",
    "cpsc2021/data_35_10.hea", "cpsc2021/data_92_12.hea", "challenge2021/records/E07500.mat", "challenge2021/records/JS20008.hea",
    "ludb/data/1.hea", "ludb/data/66.dat",
]


def table(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, list[str]]:
    assert main(["measure", *argv]) == 0
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return {cells[0]: cells[1:] for cells in (line.split("\t") for line in shown.out.splitlines()) if len(cells) > 1}


def without_reason(values: dict[str, Any], reasons: dict[str, str]) -> list[str]:
    """Names of null values for which no reason is given; a key is the name with its unit."""
    missing = [key.rpartition("_")[0] for key, value in values.items()
               if value is None and key.rpartition("_")[2] in ("ms", "bpm", "deg", "mv")]
    return [name for name in missing if not {name, f"{name}_duration"} & set(reasons)]


def check(found: dict[str, Any], rows: dict[str, list[str]]) -> None:
    assert not without_reason(found, found["reasons"])
    assert not [name for name, value in found["qtc_ms"].items() if value is None and f"qtc_{name}" not in found["reasons"]]
    assert all(not without_reason(lead, lead["reasons"]) for lead in found["by_lead"].values())
    assert found["rhythm_name"]["name"] or found["rhythm_name"]["reason"]
    for label in LABELS.values():
        value, spread, sure, origin = rows[label]
        if value == "not given":
            assert (spread, sure) == ("", "")
            assert len(origin) > 5
        else:
            unit = value.split()[1]
            assert unit in ("bpm", "ms", "deg", "mV")
            assert sure == "not known" or sure.endswith(f" {unit}")
            assert "beats, " in origin


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file(data_dir: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    if not (data_dir / name).is_file():
        pytest.skip(f"{data_dir / name} is not there")
    rows = table(capsys, str(data_dir / name))
    assert main(["measure", str(data_dir / name), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    check(found, rows)
    assert float(rows["Heart rate"][0].split()[0]) == pytest.approx(found["heart_rate_bpm"], abs=0.6)


@pytest.mark.parametrize("signal", [np.zeros((5000, 2)), np.random.default_rng(0).normal(size=(5000, 2)),
                                    np.tile(np.sin(np.arange(5000) / 8)[:, None], 2), np.zeros((300, 2))],
                         ids=["flat", "noise", "wave", "short"])
def test_what_is_no_ecg_gets_a_reason_for_everything(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], signal: Any) -> None:
    monkeypatch.chdir(tmp_path)
    np.savetxt("a.csv", signal, delimiter=",", header="I,II", comments="")
    rows = table(capsys, "a.csv", "--fs", "500", "--unit", "mV")
    assert main(["measure", "a.csv", "--fs", "500", "--unit", "mV", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    check(found, rows)
    assert {rows[label][0] for label in LABELS.values()} == {"not given"}


def test_the_waves_are_a_table_with_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.data import get_testdata_file

    rows = table(capsys, str(get_testdata_file("waveform_ecg.dcm")))
    assert rows["mV"] == ["P", "Q", "R", "S", "R'", "T", "T wave", "ST J", "J+60", "J+80"]
    assert [lead for lead in rows if lead in ("I", "aVR", "V1", "V6")] == ["I", "aVR", "V1", "V6"]
    assert float(rows["V5"][2]) > 1.5
    assert rows["V1"][6] == "inverted"


def test_several_files_are_measured_and_bad_ones_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.data import get_testdata_file

    good = str(get_testdata_file("waveform_ecg.dcm"))
    monkeypatch.chdir(tmp_path)
    Path("bad.dcm").write_bytes(b"DICM")
    assert main(["measure", good, "bad.dcm", good]) == 2
    shown = capsys.readouterr()
    assert [line for line in shown.out.splitlines() if line.endswith(":")] == [f"{good}:", f"{good}:"]
    assert shown.out.count("Heart rate\t61 bpm") == 2
    assert shown.err.startswith("ecglm: bad.dcm")
    assert len(shown.err.splitlines()) == 1

    assert main(["measure", good, "bad.dcm", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [(one["path"], one["qrs_ms"] > 60) for one in found["recordings"]] == [(good, True)]
    assert [one["path"] for one in found["failed"]] == ["bad.dcm"]
    assert found["failed"][0]["reason"]

    assert main(["measure", good, good, "--waves", "w.csv"]) == 2
    assert "one by one" in capsys.readouterr().err
    assert not Path("w.csv").exists()


def test_no_interval_is_shown_with_two_values(capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.data import get_testdata_file

    assert main(["measure", str(get_testdata_file("waveform_ecg.dcm"))]) == 0
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if "QRS" in line and " ms" in line]) == 1
    assert len([line for line in out.splitlines() if "PR " in line and " ms" in line]) == 1
