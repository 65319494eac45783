"""ECG-QA's own question files (Oh et al. 2023; v1.0.2 layout), for those who have them.

Only single-recording questions whose recording is here are taken; comparison questions need
two recordings and belong to a later task.
"""

from __future__ import annotations

import csv
import gzip
import json
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecglm.bench.task import BenchItem
from ecglm.corpus import ptbxl
from ecglm.corpus.ecgqa import waveform_hash
from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError

#: Largest question file read, bytes after unpacking; the official files hold 10,000 questions in about 4 MB.
MAX_BYTES = 64_000_000


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The questions of one official file (.json or .json.gz). Raises ReadError when it is not one."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ReadError(path, "larger than any ECG-QA file", "give the official JSON")
        questions = json.loads(raw)
        for item in questions:
            item["question"], item["answer"], item["ecg_id"], item["template_id"], item["question_type"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ReadError(path, f"not an ECG-QA question file ({type(error).__name__})", "give the official JSON") from error
    return list(questions)


def template_answers(folder: Path) -> dict[int, tuple[str, ...]]:
    """Valid answers of every template, from ``answers_for_each_template.csv``."""
    with open(folder / "answers_for_each_template.csv", encoding="utf8", newline="") as handle:
        return {int(row["template_id"]): tuple(literal_eval(row["classes"])) for row in csv.DictReader(handle)}


def _files(folder: Path, wording: str) -> Iterator[Path]:
    for pattern in ("*/*.json", "*/*.json.gz"):
        yield from sorted((folder / wording).glob(pattern))


def all_questions(wording: str = "paraphrased") -> list[dict[str, Any]]:
    """Questions of every official file in the data folder, whatever the split."""
    return [question for path in _files(data_folder("ecgqa") / "ptbxl", wording) for question in read_questions(path)]


def official_items(fold: int = 9, wording: str = "paraphrased") -> list[BenchItem]:
    """Single-recording questions on PTB-XL records of one fold, from whatever official files are in the data folder.

    ECG-QA's own train/valid/test split is by another list; the fold keeps patients apart from our training.
    """
    folder = data_folder("ecgqa") / "ptbxl"
    valid = template_answers(folder)
    data = ptbxl.load()
    row_of = {int(data.ecg_id[row]): int(row) for row in data.rows((fold,))}
    items: dict[tuple[int, str], BenchItem] = {}
    for path in _files(folder, wording):
        for q in read_questions(path):
            if not q["question_type"].startswith("single-") or len(q["ecg_id"]) != 1 or q["ecg_id"][0] not in row_of:
                continue
            row = row_of[q["ecg_id"][0]]
            items.setdefault((row, q["question"]), BenchItem(
                id=f"{path.name.split('.')[0]}-{q['template_id']}-{q.get('sample_id', len(items))}",
                patient=str(data.patient[row]), record_key=str(data.ecg_id[row]),
                question=q["question"], answer=", ".join(q["answer"]),
                qtype=q["question_type"].removeprefix("single-"), template=str(q["template_id"]),
                attribute=", ".join(q.get("attribute") or ()),
                meta={"hash": waveform_hash(data, row), "valid": list(valid.get(q["template_id"], ())), "wording": wording}))
    return list(items.values())
