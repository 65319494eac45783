"""Lines in LLaVA's form name pictures that are there: the pages of `ecglm data build pages`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("datasketch", reason="instruction sets need ecglm[instruct]")

from ecglm.cli import main
from ecglm.corpus.instruct.drawn import with_pages
from ecglm.corpus.instruct.seed import Seed
from ecglm.errors import EcglmError
from ecglm.records.arrays import write_npz
from ecglm.signal.simulate import simulate
from ecglm.training.vision.lessons import from_llava

EXAMS = "exam_id,age,is_male,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,trace_file,normal_ecg\n"


def test_two_commands_make_a_set_that_can_be_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, records, corpus, out = (tmp_path / name for name in ("table", "records", "corpus", "set.jsonl"))
    table.mkdir()
    records.mkdir()
    flags = [",".join("True" if i % 6 == k else "False" for k in range(6)) for i in range(30)]
    rows = [f"{1000 + i},50,True,{found},{i},x.hdf5,False" for i, found in enumerate(flags)]
    (table / "exams.csv").write_text(EXAMS + "\n".join(rows) + "\n")
    for i, made in enumerate(simulate("normal", 2, seed=1)):
        write_npz(made.record, records / f"{1000 + i}.npz")
    assert main(["data", "build", "pages", str(records), "-o", str(corpus), "--n", "4", "--dpi", "60", "--workers", "1"]) == 0
    asked = ["data", "build", "instructions", f"code15:{table}", "-o", str(out), "--n", "6", "--pages", str(corpus)]
    assert main(asked) == 2
    assert "--llava" in capsys.readouterr().err
    assert main([*asked, "--llava"]) == 0
    items = [json.loads(line) for line in out.read_text().splitlines()]
    assert {item["record"] for item in items} <= {"code15:1000", "code15:1001"}  # the others have no page
    drawn = {row["image"]: row["record"] for row in map(json.loads, (corpus / "manifest.jsonl").read_text().splitlines())}
    assert all(drawn[item["image"]] == item["record"].split(":")[1] + ".npz" for item in items)
    lessons = from_llava(out, corpus)
    assert len(lessons) == len(items) > 0
    assert lessons[0].image().ndim == 3


def test_recordings_are_known_by_their_number(tmp_path: Path) -> None:
    rows = [
        {"source": "ptbxl", "record": "8035", "image": "a.jpg"},
        {"source": "ptbxl", "record": "8035", "image": "again.jpg"},
        {"source": "/data", "record": "records500/00000/00017_hr.hea", "image": "b.jpg"},
        {"source": "ludb", "record": "data/1", "image": "c.jpg"},
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    seeds = [Seed(f"ptbxl:{i}", "p", "ptbxl", f"ptbxl/{i}.png") for i in (8035, 17, 1, 9)]
    assert [(s.id, s.image) for s in with_pages(seeds, tmp_path)] == [("ptbxl:8035", "a.jpg"), ("ptbxl:17", "b.jpg")]
    with pytest.raises(EcglmError, match="no page"):
        with_pages(seeds[2:], tmp_path)
    with pytest.raises(EcglmError, match="no such manifest"):
        with_pages(seeds, tmp_path / "none")
    (tmp_path / "manifest.jsonl").write_text('{"source": "ptbxl"}\n')
    with pytest.raises(EcglmError, match="line 1"):
        with_pages(seeds, tmp_path)
