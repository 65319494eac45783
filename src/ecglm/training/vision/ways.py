"""Pages as benchmarks draw them, judged in every way: from the signal, read back, and looked at. Kept page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.bench.task import digest
from ecglm.corpus import ptbxl
from ecglm.errors import PageError
from ecglm.knowledge.statements import keys
from ecglm.models.elm import EcgLanguageModel
from ecglm.paper import PageHeader, render
from ecglm.paper.digitize import digitize
from ecglm.paper.look import SIZE, picture_of
from ecglm.records.reading import PageLooked
from ecglm.records.record import Record
from ecglm.training.vision.weigh import Pages

Floats = NDArray[np.float32]


class Seen(NamedTuple):
    """A page: log-odds of reading back (None: refused, with the reason), its confidence, and the picture to look at."""

    read_C: Floats | None
    confidence: float
    reason: str
    picture: NDArray[np.uint8]


def seed_of(ecg_id: str) -> int:
    """The seed with which benchmarks draw the page of a recording (`ecglm.corpus.external`)."""
    return int(digest(ecg_id), 16) % 2**31


def read_logits(elm: EcgLanguageModel, record: Record) -> Floats | None:
    """Log-odds of a recording by the encoder alone, without looking; None where it is declined."""
    from ecglm.inference.reading import read_recording

    if isinstance(record.reading, PageLooked):
        return None  # nothing of it was read
    plain = record if record.reading is None else replace(record, reading=replace(record.reading, picture=None))
    found = read_recording(elm, plain)
    return None if found.encoded is None else found.encoded.logits_C


def seen(elm: EcgLanguageModel, row: int, preset: str, header: PageHeader | None = None) -> Seen:
    """One page, drawn 3x4 with a strip."""
    data = ptbxl.load()
    page = render(data.record(row), layout="3x4+1R", seed=seed_of(str(data.ecg_id[row])), distort=preset, header=header)
    try:
        record = digitize(page.image)
    except PageError as refused:
        return Seen(None, 0.0, refused.reason, picture_of(page.image))
    assert record.reading is not None
    picture = picture_of(page.image)
    logits = read_logits(elm, record)
    return Seen(logits, record.reading.overall, "" if logits is not None else "declined", picture)


def all_seen(elm: EcgLanguageModel, wanted: Sequence[tuple[int, str]], folder: Path, progress: bool = True, part: str = "",
             headers: Sequence[PageHeader | None] | None = None) -> list[Seen]:
    """Every page of (row, preset). Each is kept in the folder, so that an interrupted call goes on. part and headers: see `seen`;
    part names the headers for the cache."""
    from rich.progress import track

    folder.mkdir(parents=True, exist_ok=True)
    model = hashlib.sha256(json.dumps(elm.run.get("sha256", {})).encode()).hexdigest()[:16]
    out = []
    for number, (row, preset) in enumerate(track(wanted, "Reading pages back", disable=not progress)):
        file = folder / f"{model}-{preset}-{row}{'-' + part if part else ''}.npz"
        if not file.is_file():
            one = seen(elm, row, preset, None if headers is None else headers[number])
            logits = np.full(len(keys()), np.nan, np.float32) if one.read_C is None else one.read_C
            with replacing(file) as temporary, open(temporary, "wb") as handle:
                np.savez_compressed(handle, read=logits, confidence=one.confidence, reason=one.reason, picture=one.picture)
        with np.load(file) as kept:
            logits = kept["read"]
            out.append(Seen(None if np.isnan(logits).any() else logits, float(kept["confidence"]), str(kept["reason"]),
                            kept["picture"]))
    return out


def as_pages(found: Sequence[Seen], rows: Sequence[int], seen_NC: Floats) -> Pages:
    """For `weigh`: these pages of these rows, and what the network said of their pictures."""
    data: Any = ptbxl.load()
    none = np.full(len(keys()), np.nan, np.float32)
    return Pages(np.stack([none if one.read_C is None else one.read_C for one in found]), seen_NC,
                 np.array([one.confidence for one in found], np.float32), data.labels_NC[list(rows)].astype(np.float32),
                 data.patient[list(rows)])


def stacked(found: Sequence[Seen]) -> NDArray[np.uint8]:
    """Pictures ``[N, *SIZE]``."""
    return np.stack([one.picture for one in found]) if found else np.zeros((0, *SIZE), np.uint8)
