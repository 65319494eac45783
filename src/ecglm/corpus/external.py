"""Native-millivolt sets with their own labels: LUDB and the PhysioNet/CinC Challenge 2021 sample.

Used to check that findings learnt on amplitude-normalised PTB-XL hold elsewhere. Only
statements that both label systems have are compared; nothing is trained on these sets.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from ecglm.bench.task import BenchItem, digest
from ecglm.corpus import ptbxl
from ecglm.corpus.folder import data_folder
from ecglm.corpus.onpaper import through_page
from ecglm.knowledge.statements import STATEMENTS
from ecglm.records import read
from ecglm.records.record import Record

#: Text that LUDB's tables use, lower case, for statements of ours.
LUDB_TERMS: dict[str, tuple[str, ...]] = {
    "rhythm:SR": ("sinus rhythm",), "rhythm:SBRAD": ("sinus bradycardia",), "rhythm:STACH": ("sinus tachycardia",),
    "rhythm:AFIB": ("atrial fibrillation",), "rhythm:SARRH": ("sinus arrhythmia", "irregular sinus rhythm"),
    "sub_class:IRBBB": ("incomplete right bundle branch block",), "sub_class:LAFB/LPFB": ("left anterior hemiblock",),
    "sub_class:AVB": ("i degree av block", "iii degree av-block"), "sub_class:LVH": ("left ventricular hypertrophy",),
    "sub_class:ILBBB": ("incomplete left bundle branch block",),
    "sub_class:CLBBB": ("complete left bundle branch block",), "sub_class:CRBBB": ("complete right bundle branch block",),
    "rhythm:AFLT": ("atrial flutter, typical",), "sub_class:RVH": ("right ventricular hypertrophy",),
    "form:PAC": ("atrial extrasystole",), "form:PVC": ("ventricular extrasystole",),
}
#: Challenge statements whose absence from a record's codes means little: only these are compared.
CHALLENGE_KEYS = ("rhythm:SR", "rhythm:STACH", "rhythm:SBRAD", "form:PAC", "form:PVC", "form:INVT", "sub_class:LAO/LAE",
                  "sub_class:LVH", "sub_class:IVCD", "sub_class:CRBBB")


def _item(key: str, labels: dict[str, int], source: str) -> BenchItem:
    grouped: dict[str, dict[str, int]] = {}
    for name, value in labels.items():
        group, code = name.split(":")
        grouped.setdefault(group, {})[code] = value
    return BenchItem(id=key, patient=key, record_key=key, question="", answer="", qtype="findings", template="", attribute="",
                     meta={"labels": grouped, "source": source})


def ludb_items() -> list[BenchItem]:
    """One item per LUDB record without a pacemaker."""
    with open(data_folder("ludb") / "ludb.csv", newline="", encoding="utf8") as handle:
        rows = list(csv.DictReader(handle))
    items = []
    for row in rows:
        said = [line.strip().lower().split(", type")[0].split(", localisation")[0].split(":")[0]
                for column, text in row.items() if column not in ("ID", "Sex", "Age") for line in (text or "").splitlines()]
        if row["Cardiac pacing"].strip():
            continue
        labels = {key: int(any(term in said for term in terms)) for key, terms in LUDB_TERMS.items()}
        items.append(_item(f"ludb/data/{row['ID']}.hea", labels, "ludb"))
    return items


def challenge_items() -> list[BenchItem]:
    """One item per Challenge 2021 record that is not from PTB-XL."""
    folder = data_folder("challenge2021")
    with open(folder / "index.csv", newline="", encoding="utf8") as handle:
        rows = list(csv.DictReader(handle))
    codes = {s.key: set(s.snomed) for s in STATEMENTS}
    items = []
    for row in rows:
        if row["record"].startswith("HR"):
            continue  # PTB-XL, where the encoder comes from
        said = set(row["snomed_dx"].split(","))
        labels = {key: int(bool(codes[key] & said)) for key in CHALLENGE_KEYS}
        items.append(_item(f"challenge2021/records/{row['record']}.hea", labels, "challenge2021"))
    return items


@lru_cache(maxsize=1)
def _row_of() -> dict[str, int]:
    return {str(ecg_id): row for row, ecg_id in enumerate(ptbxl.load().ecg_id)}


@lru_cache(maxsize=4096)
def bench_record(key: str) -> Record:
    """The record of a bench item's record_key: a PTB-XL ecg_id, a path of an item above, or either behind "page:<preset>/": drawn
    and read back. One object per record, so that its prefix is shared."""
    if key.startswith("page:"):
        preset, rest = key.removeprefix("page:").split("/", 1)
        return through_page(bench_record(rest), preset, seed=int(digest(rest), 16) % 2**31)
    if "/" not in key:
        return ptbxl.load().record(_row_of()[key])
    name, rest = key.split("/", 1)
    path: Path = data_folder(name) / rest
    return read(path)
