"""Official ECG-QA files: read as published, refused when they are something else."""

from __future__ import annotations

import gzip
import json

import pytest

from ecglm.corpus.ecgqa_official import official_items, read_questions
from ecglm.errors import ReadError

ITEM = {"template_id": 1, "question_id": 2, "sample_id": 3, "question_type": "single-verify", "attribute_type": "scp_code",
        "question": "Does this ECG show atrial fibrillation?", "answer": ["no"], "ecg_id": [9],
        "attribute": ["atrial fibrillation"]}


@pytest.mark.parametrize("packed", [False, True])
def test_plain_and_packed_files_are_read(tmp_path, packed):
    path = tmp_path / ("q.json.gz" if packed else "q.json")
    raw = json.dumps([ITEM]).encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert read_questions(path) == [ITEM]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"question": "x"}]', b"null"])
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "q.json"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"q\.json: not an ECG-QA question file"):
        read_questions(path)


def test_official_questions_are_from_one_fold(data_dir):
    from ecglm.corpus import ptbxl

    items = official_items(9)
    data = ptbxl.load()
    fold = dict(zip(data.ecg_id.astype(str), data.fold, strict=True))
    assert len(items) > 50
    assert {int(fold[i.record_key]) for i in items} == {9}
    assert all(i.answer in i.meta["valid"] for i in items if i.qtype == "verify")
