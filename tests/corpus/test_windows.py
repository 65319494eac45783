"""Windows before an onset hold nothing of it, people stay on one side, and what is left out is counted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecglm.cli import main
from ecglm.corpus.windows import CLASSES, ForecastItem, Rules, select
from ecglm.corpus.windows import build as building
from ecglm.corpus.windows.build import build, split_of
from ecglm.corpus.windows.layouts import LAYOUTS, find_records
from ecglm.corpus.windows.load import load
from ecglm.corpus.windows.rhythms import RhythmError, rhythms
from ecglm.errors import ReadError, UsageError
from ecglm.records.annotations import Annotations

wfdb = pytest.importorskip("wfdb")
FS, GRID = 50, {"windows": (10, 30, 120), "horizons": (60, 180)}
EVENT = {"AFIB": "af", "AFL": "aflutter"}


def write(folder: Path, name: str, codes: list[tuple[int, str]], samples: int, *, absent: tuple[tuple[int, int], ...] = (),
          comments: list[str] | None = None, beats: bool = True) -> None:
    """A record of one lead with rhythm marks at samples; absent: stretches without signal."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.sin(np.arange(samples) / 7)[:, None] + np.random.default_rng(samples).normal(0, 0.1, (samples, 1))
    for start, stop in absent:
        signal[start:stop] = np.nan
    wfdb.wrsamp(name, fs=FS, units=["mV"], sig_name=["II"], p_signal=signal, fmt=["16"], write_dir=str(folder),
                comments=comments)
    marks = [(at, "+", f"({code}" if code != ")" else code) for at, code in codes]
    marks += [(at, "N", "") for at in range(30, samples - 30, 40)] if beats else []
    marks.sort(key=lambda mark: mark[0])
    at, symbols, notes = (list(column) for column in zip(*marks, strict=True))
    wfdb.wrann(name, "atr", np.array(at), symbol=symbols, aux_note=notes, write_dir=str(folder))


def schedule(rng: np.random.Generator, samples: int) -> list[tuple[int, str]]:
    """Rhythms of random length, fibrillation and flutter among them."""
    at, codes = int(rng.integers(0, 20)), []
    while at < samples - 1:
        code = str(rng.choice(["N", "N", "SBR", "B", "AFIB", "AFL"]))
        codes.append((at, code))
        at += int(rng.exponential(200 if code in EVENT else 900) * FS / 5) + FS
    return codes


def per_sample(codes: list[tuple[int, str]], samples: int) -> np.ndarray:
    """The rhythm of every sample, in the plainest way."""
    out = np.full(samples, "?", "U5")
    for at, code in codes:
        out[at:] = code
    return out


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Twenty records of random rhythms: folder, rhythm and absence of every sample."""
    folder, rhythm, absent = tmp_path_factory.mktemp("mit"), {}, {}
    rng = np.random.default_rng(3)
    for number in range(200, 220):
        samples = int(rng.integers(600, 1800)) * FS
        codes = schedule(rng, samples)
        start = int(rng.integers(0, samples - 100 * FS))
        write(folder / "records", str(number), codes, samples, absent=((start, start + 40 * FS),))
        rhythm[f"records/{number}"] = per_sample(codes, samples)
        absent[f"records/{number}"] = np.isin(np.arange(samples), np.arange(start, start + 40 * FS))
    return folder, rhythm, absent


@pytest.fixture(scope="module")
def made(drawn: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "set"
    build(f"mitdb:{drawn[0]}", out, Rules(**GRID, controls=1, clear_s=200, seed=2))
    return out


def lines(folder: Path, name: str = "manifest") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def test_no_window_holds_a_sample_of_the_horizon_or_of_an_event(made: Path, drawn: Any) -> None:
    found = load(made)
    kinds = {item.kind: 0 for item in found.items}
    for item in found.items:
        rhythm = drawn[1][item.record]
        record = found.signal(item)
        start = round(item.start_s * FS)
        stop = start + record.n_samples  # what was really read
        assert record.n_samples == round(item.window_s * FS)
        assert not np.isin(rhythm[start:stop], list(EVENT)).any()
        kinds[item.kind] += 1
        if item.onset_s is not None:
            onset = round(item.onset_s * FS)
            assert stop + round(item.horizon_s * FS) <= onset
            assert EVENT[rhythm[onset]] == item.label
            assert not np.isin(rhythm[start:onset], list(EVENT)).any()  # this one is the first that follows
        else:
            assert item.label == "sinus"
            until = stop + round(item.horizon_s * FS)
            assert rhythm[min(until, len(rhythm) - 1)] in ("N", "SBR")
            assert not np.isin(rhythm[start:until + 200 * FS - 1], list(EVENT)).any()
    assert min(kinds.values()) > 5
    assert set(kinds) >= {"onset", "matched"}


def test_purity_is_the_share_of_samples_in_sinus_rhythm(made: Path, drawn: Any) -> None:
    mixed = 0
    for line in lines(made):
        part = drawn[1][line["record"]][round(line["start_s"] * FS):round(line["stop_s"] * FS)]
        assert line["purity"] == pytest.approx(np.isin(part, ["N", "SBR"]).mean(), abs=2 / len(part))
        assert sum(line["rhythms"].values()) == pytest.approx(1, abs=1e-3)
        mixed += 0 < line["purity"] < 1
    assert mixed > 3


def test_purity_selects_on_building_and_on_loading(made: Path, drawn: Any, tmp_path: Path) -> None:
    build(f"mitdb:{drawn[0]}", tmp_path / "pure", Rules(**GRID, controls=1, clear_s=200, seed=2, purity=0.9))
    pure = load(tmp_path / "pure").items
    assert pure
    assert min(item.purity for item in pure) >= 0.9
    onsets = [item for item in load(made).items if item.kind == "onset"]
    assert [item for item in pure if item.kind == "onset"] == select(onsets, purity=0.9) != onsets


def test_windows_without_signal_are_left_out(made: Path, drawn: Any) -> None:
    for item in load(made).items:
        absent = drawn[2][item.record][round(item.start_s * FS):round(item.stop_s * FS)]
        assert absent.mean() < 0.05 + 1.5 / item.window_s  # judged by the second
    assert json.loads((made / "card.json").read_text())["left_out"]["signal missing"] > 0


def test_windows_without_event_are_matched_by_person_and_cell_and_do_not_overlap(made: Path) -> None:
    items = load(made).items
    for kind in ("onset", "matched"):
        assert {item.subject for item in items if item.kind == kind} <= {item.subject for item in items if item.kind == "onset"}
    cells: dict[tuple[Any, ...], list[ForecastItem]] = {}
    for item in items:
        cells.setdefault((item.kind, item.subject, item.window_s, item.horizon_s), []).append(item)
    for (kind, *cell), here in cells.items():
        if kind == "matched":
            assert len(here) <= len(cells["onset", *cell])
            for a in here:
                assert not any(a is not b and a.record == b.record and abs(a.start_s - b.start_s) < a.window_s for b in here)


def test_people_stay_on_one_side_in_every_set(made: Path, drawn: Any, tmp_path: Path) -> None:
    build(f"mitdb:{drawn[0]}", tmp_path / "other", Rules(windows=(30,), horizons=(60,), seed=9))
    sides: dict[str, set[str]] = {}
    for line in [*lines(made), *lines(tmp_path / "other"), *lines(made, "records")]:
        sides.setdefault(line["subject"], set()).add(line["split"])
        assert line["split"] == split_of("mitdb", line["subject"])
    assert all(len(split) == 1 for split in sides.values())
    assert len(set().union(*sides.values())) > 1
    records = find_records(LAYOUTS["mitdb"], drawn[0])
    assert records["201"] == ["records/201", "records/202"]
    assert "202" not in records
    shares = [split_of("icentia11k", f"p{n:05d}") for n in range(4000)]
    assert shares.count("train") / 4000 == pytest.approx(0.7, abs=0.03)
    assert shares.count("test") / 4000 == pytest.approx(0.15, abs=0.03)


def test_the_manifest_names_the_very_files(made: Path, drawn: Any) -> None:
    rows = lines(made, "records")
    assert {row["record"] for row in rows} == {line["record"] for line in lines(made)}
    for row in rows:
        assert set(row["sha256"]) == {f"{Path(row['record']).name}{end}" for end in (".hea", ".dat", ".atr")}
        for name, digest in row["sha256"].items():
            assert hashlib.sha256((drawn[0] / "records" / name).read_bytes()).hexdigest() == digest
    card = json.loads((made / "card.json").read_text())
    assert (card["licence"], card["rules"]["seed"]) == ("ODC-By 1.0", 2)
    assert card["items"]["all"] == len(lines(made)) == sum(cell[label] for cell in card["cells"] for label in CLASSES)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_interrupted_build_ends_with_the_same_files(made: Path, drawn: Any, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    out, rules, source = tmp_path / "set", Rules(**GRID, controls=1, clear_s=200, seed=2), f"mitdb:{drawn[0]}"
    real, done = building._subject, []

    def dies(*args: Any) -> Any:
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(args)
        return real(*args)

    monkeypatch.setattr(building, "_subject", dies)
    with pytest.raises(KeyboardInterrupt):
        build(source, out, rules)
    monkeypatch.undo()
    assert not (out / "card.json").exists()
    with pytest.raises(UsageError, match="--resume"):
        build(source, out, rules)
    with pytest.raises(UsageError, match=r"another request \(rules;"):
        build(source, out, Rules(**GRID, controls=1, clear_s=200, seed=3), resume=True)
    with pytest.raises(ReadError, match="no finished forecasting set"):
        load(out)
    assert build(source, out, rules, resume=True)["new"] == 12
    assert contents(out) == contents(made)
    assert build(source, out, rules, resume=True)["new"] == 0
    (out / "manifest.jsonl").write_text("{}\n")
    with pytest.raises(ReadError, match="not the file of its card"):
        load(out)


def test_another_seed_moves_the_windows_without_event_only(made: Path, drawn: Any, tmp_path: Path) -> None:
    build(f"mitdb:{drawn[0]}", tmp_path / "set", Rules(**GRID, controls=1, clear_s=200, seed=3))
    one, other = load(made).items, load(tmp_path / "set").items
    assert select(one, kinds=["onset"]) == select(other, kinds=["onset"])
    assert select(one, kinds=["matched", "control"]) != select(other, kinds=["matched", "control"])


def skipped(folder: Path) -> dict[str, str]:
    return {row["record"]: row["skipped"] for row in lines(folder, "skipped")}


def test_records_that_cannot_be_cut_are_skipped_with_the_reason(tmp_path: Path) -> None:
    source, long = tmp_path / "mit", 400 * FS
    good = [(0, "N"), (300 * FS, "AFIB")]
    write(source, "100", good, long)
    write(source, "101", good, long)
    (source / "101.atr").unlink()
    write(source, "102", [], long)
    write(source, "103", good, long)
    data = (source / "103.dat").read_bytes()
    (source / "103.dat").write_bytes(data[:len(data) // 2])
    write(source, "104", [*good, (500 * FS, "N")], long, beats=False)
    write(source, "105", good, long)
    (source / "105.atr").write_bytes((source / "105.atr").read_bytes()[:-40])
    (source / "106.hea").write_text("106 1 fast\n")
    write(source, "107", good, long)
    (source / "107.dat").unlink()
    write(source, "108", [(0, "N"), (20 * FS, "AFIB")], 40 * FS)  # shorter than any window and horizon
    write(source, "109", [(0, "AFIB"), (200 * FS, "N")], long)  # there from the beginning
    write(source, "110", [(0, "N"), (200 * FS, "AFL"), (210 * FS, "AFIB")], long)  # one onset, of flutter
    card = build(f"mitdb:{source}", tmp_path / "set", Rules(windows=(30,), horizons=(60,), clear_s=0))
    why = skipped(tmp_path / "set")
    assert {name: reason.split(":")[0] for name, reason in why.items()} == {
        "101": "no annotations", "102": "no rhythm is annotated", "103": "unreadable", "104": "clock", "105": "unreadable",
        "106": "unreadable", "107": "unreadable"}
    assert "500.0 s in a record of 400.0 s" in why["104"]
    items = select(load(tmp_path / "set").items, kinds=["onset"])
    assert [(item.record, item.label, item.start_s, item.stop_s, item.onset_s) for item in items] == [
        ("100", "af", 210.0, 240.0, 300.0), ("110", "aflutter", 110.0, 140.0, 200.0)]
    assert card["left_out"]["the window begins before the record"] == 1
    assert (card["records"]["found"], card["records"]["used"]) == (11, 2)


def test_an_event_in_the_gap_or_unannotated_rhythm_is_not_before_an_onset(tmp_path: Path) -> None:
    source, long = tmp_path / "mit", 600 * FS
    write(source, "100", [(0, "N"), (480 * FS, "AFIB"), (485 * FS, "N"), (500 * FS, "AFIB")], long)
    write(source, "101", [(0, "N"), (200 * FS, ")"), (320 * FS, "N"), (400 * FS, "AFIB")], long)
    write(source, "102", [(0, "N"), (390 * FS, ")"), (400 * FS, "AFIB")], long)  # what came before is not known
    build(f"mitdb:{source}", tmp_path / "set", Rules(windows=(30,), horizons=(60,), negatives=0))
    assert [(item.record, item.onset_s) for item in load(tmp_path / "set").items] == [("100", 480.0)]
    assert json.loads((tmp_path / "set" / "card.json").read_text())["left_out"] == {
        "fibrillation or flutter between window and onset": 1, "rhythm not annotated": 1}


def test_segments_of_icentia_end_their_rhythms_and_people_have_many_records(tmp_path: Path) -> None:
    source, long = tmp_path / "icentia", 600 * FS
    for segment, codes in enumerate(([(0, "N"), (250 * FS, ")"), (250 * FS, "AFIB"), (300 * FS, ")"), (300 * FS, "N")],
                                     [(0, "N"), (590 * FS, ")")],
                                     [(0, "N"), (100 * FS, ")"), (160 * FS, "AFL"), (200 * FS, ")")])):
        write(source / "p00" / "p00007", f"p00007_s{segment:02d}", codes, long)
    build(f"icentia11k:{source}", tmp_path / "set", Rules(windows=(60,), horizons=(60,)))
    items = load(tmp_path / "set").items
    assert {item.subject for item in items} == {"p00007"}
    assert [(item.record, item.label, item.start_s) for item in items if item.kind == "onset"] == [
        ("p00/p00007/p00007_s00", "af", 130.0)]
    assert [item.record for item in items if item.kind == "matched"] in (
        [["p00/p00007/p00007_s00"], ["p00/p00007/p00007_s01"]])


def test_records_of_cpsc2021_begin_with_another_rhythm_unless_the_header_says_otherwise(tmp_path: Path) -> None:
    source, long = tmp_path / "cpsc", 300 * FS
    write(source, "data_5_1", [(200 * FS, "AFIB"), (250 * FS, "N")], long, comments=["paroxysmal atrial fibrillation"])
    write(source, "data_5_2", [], long, comments=["non atrial fibrillation"])
    write(source, "data_6_1", [(200 * FS, "AFIB")], long, comments=["persistent atrial fibrillation"])
    build(f"cpsc2021:{source}", tmp_path / "set", Rules(windows=(30,), horizons=(60,)))
    items = load(tmp_path / "set").items
    assert (items[0].subject, items[0].kind, items[0].record[:8]) == ("5", "onset", "data_5_1")
    assert [item.kind for item in items] == ["onset", "matched"]


def test_records_of_afpdb_are_known_by_name(tmp_path: Path) -> None:
    source = tmp_path / "paf"
    for name in ("p03", "p03c", "p04", "p04c", "p37", "p38", "n05", "t01"):
        write(source, name, [], 400 * FS)
    build(f"afpdb:{source}", tmp_path / "set", Rules(windows=(300,), horizons=(60, 180)))
    found = [(i.record, i.subject, i.kind, i.label, i.start_s, i.onset_s) for i in load(tmp_path / "set").items]
    assert found == [("n05", "n03", "none", "sinus", 40.0, None), ("p03", "p02", "distant", "sinus", 40.0, None),
                     ("p04", "p02", "imminent", "af", 40.0, 400.0)]
    assert [line["onset_exact"] for line in lines(tmp_path / "set")] == [None, None, False]
    assert {name: why.split(":")[0] for name, why in skipped(tmp_path / "set").items()} == {
        "p03c": "continuation", "p04c": "continuation", "p37": "repeats the signal of p01 or p02",
        "p38": "repeats the signal of p01 or p02", "t01": "no answer"}
    with pytest.raises(UsageError, match="no rhythm is annotated in afpdb"):
        build(f"afpdb:{source}", tmp_path / "pure", Rules(purity=0.5))


@pytest.mark.parametrize(("marks", "what"), [
    (Annotations(np.array([-5, 9]), ("+", "N"), ("(N", "")), "clock: marks from"),
    (Annotations(np.array([9, 5]), ("N", "N"), ("(N", "")), "beats go back in time"),
    (Annotations(np.array([5]), ("N",), ("None",)), "no rhythm is annotated"),
])
def test_marks_that_cannot_be_right_are_refused(marks: Annotations, what: str) -> None:
    with pytest.raises(RhythmError, match=what):
        rhythms(marks, 1.0, 100.0)


def test_the_command_tells_what_it_made_and_refuses_what_it_cannot(drawn: Any, tmp_path: Path, capsys: Any) -> None:
    command = ["data", "build", "forecast", f"mitdb:{drawn[0]}", "-o", str(tmp_path / "set"), "--windows", "30,60",
               "--horizons", "60", "--clear", "100", "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rules"]["windows"] == [30, 60]
    assert told["items"]["all"] == len(load(tmp_path / "set").items) > 0
    assert main(command) == 2
    assert "not empty" in capsys.readouterr().err
    for change in (["--windows", "30,x"], ["--horizons", "0"], ["--purity", "2"]):
        assert main([*command[:5], str(tmp_path / "x"), *change]) == 2
    assert main([*command[:3], "nosuch:/", "-o", str(tmp_path / "x")]) == 2
    assert main([*command[:3], f"mitdb:{tmp_path / 'set'}", "-o", str(tmp_path / "x")]) == 2
    assert "has no record of mitdb" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["mitdb", "cpsc2021", "afpdb"])
def test_the_public_sets(name: str, data_dir: Path, tmp_path: Path) -> None:
    if not (data_dir / name).is_dir():
        pytest.skip(f"{name} is not in {data_dir}")
    marked = LAYOUTS[name].marked
    rules = Rules(windows=(30, 300), horizons=(60,))
    card = build(f"{name}:{data_dir / name}", tmp_path / "set", rules)
    found = load(tmp_path / "set")
    for item in found.items[::7]:
        assert found.signal(item).duration_s == item.window_s
        if marked:
            marks = wfdb.rdann(str(data_dir / name / item.record), "atr")
            fs = wfdb.rdheader(str(data_dir / name / item.record)).fs
            notes = {int(at): note.strip("\0") for at, note in zip(marks.sample, marks.aux_note, strict=True) if note[:1] == "("}
            inside = [note for at, note in notes.items() if item.start_s * fs <= at < (item.onset_s or item.stop_s) * fs]
            assert not {"(AFIB", "(AFL"} & set(inside)
            if item.onset_s is not None:
                assert notes[round(item.onset_s * fs)] in ("(AFIB", "(AFL")
    if name == "afpdb":
        rows = (data_dir / name / "index.csv").read_text().splitlines()[1:]
        index = {row.split(",")[0]: row.split(",")[2] for row in rows}
        assert {Path(item.record).name: item.subject for item in found.items}.items() <= index.items()
        assert card["subjects"]["with_items"] == 37
        assert card["items"]["by_kind"] == {"distant": 38, "imminent": 38, "none": 80}
    else:
        assert card["onsets"] == {"mitdb": 76, "cpsc2021": 4}[name]
