"""`ecglm synth`: a folder that can be continued, read back and trusted."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import ecglm
from ecglm.cli import main
from ecglm.records import STANDARD_12
from ecglm.signal.simulate import CONDITIONS, simulate, simulate_onset
from ecglm.signal.simulate.telling import LEADS, telling


def test_folder_is_continued_not_begun_again(tmp_path, capsys):
    out = tmp_path / "records"
    arguments = ["synth", "-o", str(out), "--seed", "4", "--condition", "lbbb", "--condition", "atrial_fibrillation+rbbb"]
    assert main([*arguments, "--n", "3"]) == 0
    kept = out / "000000-lbbb.npz"
    before = kept.stat().st_mtime_ns
    with open(out / "truth.jsonl", "a", encoding="utf-8") as file:
        file.write('{"file": "000003-')  # a crash
    (out / "000002-lbbb.npz").unlink()
    assert main([*arguments, "--n", "4"]) == 0
    assert "wrote 2 records" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before
    rows = [json.loads(line) for line in (out / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["index"] for row in rows) == [0, 1, 2, 3]
    for row in rows:
        read = ecglm.read(out / row["file"])
        fresh = simulate(["lbbb", "atrial_fibrillation+rbbb"], 4, seed=4)[row["index"]]
        assert np.array_equal(read.signal, fresh.record.signal)
        assert row["labels"] == list(fresh.truth.labels)
        assert len(row["beats"]["r_peak"]) == len(fresh.truth.r_peak)
    assert main([*arguments, "--n", "4", "--fs", "250"]) == 2
    assert "another request" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    (["--condition", "lbb", "-o", "x"], "did you mean 'lbbb'"), ([], "nothing to do"), (["-o", "taken"], "is not empty"),
    (["--gallery", "sheet.bmp", "--condition", "normal"], ".png"), (["-o", "x", "--fs", "0"], "--fs 0.0 Hz is outside"),
    (["-o", "x", "--duration", "0"], "--duration 0.0 s is outside"),
    (["--gallery", "sheet.png", "--condition", "normal", "--fs", "0"], "--fs 0.0 Hz is outside"),
])
def test_bad_requests_write_nothing(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    assert main(["synth", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["notes.txt", "taken"]


def test_records_before_an_onset_are_written_and_continued(tmp_path, capsys):
    out = tmp_path / "before"
    arguments = ["synth", "-o", str(out), "--onset", "af", "--mechanism", "rising_ectopy", "--duration", "90", "--onset-s", "60",
                 "--fs", "100", "--leads", "II,V1,V5", "--json"]
    assert main([*arguments, "--n", "1"]) == 0
    assert main([*arguments, "--n", "2"]) == 0
    assert json.loads(capsys.readouterr().out.split("}\n")[1] + "}")["new"] == 1
    rows = [json.loads(line) for line in (out / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["onset"]["onset_s"] for row in rows] == [60.0, 60.0]
    for row in rows:
        read = ecglm.read(out / row["file"])
        fresh = simulate_onset("af", "rising_ectopy", 2, fs=100, duration_s=90, onset_s=60, leads="II,V1,V5")[row["index"]]
        assert read.leads == ("II", "V1", "V5")
        assert np.array_equal(read.signal, fresh.record.signal)
        assert row["onset"] == fresh.truth.onset.to_dict()
    assert main([*arguments, "--n", "2", "--lasts", "9"]) == 2
    assert "another request" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    (["--mechanism", "none"], "--onset"), (["--onset", "vt"], "--onset vt is unknown"),
    (["--onset", "sinus", "--mechanism", "p_prolongation"], "no onset"),
    (["--onset", "af", "--onset-s", "1439"], "--onset-s 1439"),
    (["--onset", "af", "--condition", "lbbb"], "leave out the conditions"),
])
def test_onsets_that_cannot_be_made(tmp_path, capsys, arguments, said):
    assert main(["synth", "-o", str(tmp_path / "none"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_list_and_gallery(tmp_path, capsys):
    assert main(["synth", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["conditions"]
    assert [c["name"] for c in listed] == list(CONDITIONS)
    assert len(listed) >= 40
    assert all(c["criterion"] and c["source"] for c in listed)
    sheet = tmp_path / "sheet.png"
    assert main(["synth", "--gallery", str(sheet), "--condition", "normal", "--condition", "lbbb"]) == 0
    image = cv2.imread(str(sheet))
    dark = (image.max(axis=2) < 60).any(axis=0)
    assert dark[: len(dark) // 2].mean() > 0.5
    assert dark[len(dark) // 2:].mean() > 0.5


def test_the_gallery_shows_what_a_condition_is_named_after():
    assert set(LEADS) <= set(CONDITIONS)
    assert {lead for leads in LEADS.values() for lead in leads} <= set(STANDARD_12)
    begun = simulate("atrial_fibrillation_onset", seed=2)[0]
    shown, leads = telling(begun, 4.5)
    onset = begun.truth.events[0].start_s
    assert leads == ("II", "V1", "V5")
    assert (shown.signal == begun.record.crop(min(onset - 2.0, 5.5), 4.5).signal).all()
    assert 3.0 < onset < 10.0  # later than what a strip from the beginning would show
    made = simulate("av_block_2_2", seed=2)[0]  # the pause, and the beat after it
    shown, _ = telling(made, 4.5)
    begin = next(t for t in np.arange(0, 5.501, 1 / 500) if (made.record.crop(t, 4.5).signal == shown.signal).all())
    inside = made.truth.r_peak[(made.truth.r_peak > begin) & (made.truth.r_peak < begin + 4.5)]
    assert np.diff(inside).max() == np.diff(made.truth.r_peak).max()
    assert telling(simulate("normal+lafb", seed=1)[0], 4.5)[1] == ("aVL", "II", "V1")
    assert telling(simulate("normal", duration_s=3, seed=1)[0], 4.5)[0].duration_s == 3
