"""An index from a table of recordings and texts, or from one's own copy of PTB-XL."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecglm.errors import EcglmError, UsageError
from ecglm.inference.model import Model
from ecglm.inference.retrieval.index import Index
from ecglm.knowledge.report_text import clean_report
from ecglm.records.record import Record

#: Rows and bytes of a table that are read.
MAX_ROWS, MAX_BYTES = 5_000_000, 2_000_000_000


class Row(NamedTuple):
    """One entry to be: its id, how to read its recording (None: it has none), its text ("" for none)."""

    id: str
    open: Callable[[], Record] | None
    text: str


def build(model: Model, table: str | Path, read: Callable[[str], Record], progress: bool = False) -> tuple[Index, list[str]]:
    """The index and what was left out, one line each. Raises UsageError when nothing is left or the table is none."""
    from rich.progress import track

    rows = ptbxl_rows() if str(table) == "ptbxl" else table_rows(Path(table), read)
    retriever = model.retriever
    width = retriever.model.config.embed
    problems: list[str] = []
    kept: list[tuple[Row, np.ndarray | None]] = []
    for row in track(rows, "Reading recordings", disable=not progress):
        try:
            emb = None if row.open is None else retriever.embed_ecg(model.answerer.reading(row.open()))
        except (EcglmError, OSError) as error:
            problems.append(str(error) if row.id in str(error) else f"{row.id}: {error}")
            continue
        kept.append((row, emb))
    if not kept:
        raise UsageError(f"{table}: none of its {len(rows)} rows can be used; {problems[0] if problems else 'it is empty'}")
    texts = [row.text for row, _ in kept]
    told = [i for i, text in enumerate(texts) if clean_report(text)]  # "trace only" says nothing
    reports = None
    if told:
        reports = np.zeros((len(kept), width), np.float32)
        reports[told] = retriever.embed_texts([texts[i] for i in told])
    recordings = None
    if any(emb is not None for _, emb in kept):
        recordings = np.stack([np.zeros(width, np.float32) if emb is None else emb for _, emb in kept])
    return Index.build([row.id for row, _ in kept], texts, retriever.name, reports, recordings), problems


def table_rows(path: Path, read: Callable[[str], Record]) -> list[Row]:
    """Rows of a CSV file (UTF-8) with columns path, text or both, and perhaps id. Raises UsageError that names what is wrong."""
    if not path.is_file():
        raise UsageError(f"{path}: no such table; give a CSV file with columns path and text")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES / 1e9:g} GB; split it")
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            columns = [name.strip().lower() for name in reader.fieldnames or ()]
            if "path" not in columns and "text" not in columns:
                raise UsageError(f"{path}: its columns are {', '.join(columns) or 'none'}; it needs path, text or both")
            reader.fieldnames = columns
            table = [{key: (row.get(key) or "").strip() for key in columns} for row in islice(reader, MAX_ROWS + 1)]
        if len(table) > MAX_ROWS:
            raise UsageError(f"{path}: more than {MAX_ROWS:,} rows; split it into several tables")
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: not a CSV file in UTF-8 ({error}); save it as CSV UTF-8") from error
    return [_row(path, number, row, read) for number, row in enumerate(table, 2) if row.get("path") or row.get("text")]


def _row(path: Path, line: int, row: dict[str, str], read: Callable[[str], Record]) -> Row:
    place = row.get("path", "")
    name = row.get("id") or place or f"line {line}"
    return Row(name, (lambda: read(str(path.parent / place))) if place else None, row.get("text", ""))


def ptbxl_rows() -> Sequence[Row]:
    """Every recording of one's copy of PTB-XL with its report, and every report without a recording there."""
    from ecglm.corpus import ptbxl, reports

    data, table = ptbxl.load(), reports.load()
    row_of = {int(ecg_id): row for row, ecg_id in enumerate(data.ecg_id)}

    def opened(ecg_id: int) -> Callable[[], Record] | None:
        return (lambda: data.record(row_of[ecg_id])) if ecg_id in row_of else None

    return [Row(f"ptbxl:{ecg_id}", opened(ecg_id), text) for ecg_id, text in zip(table.ecg_id.tolist(), table.text, strict=True)
            if text or ecg_id in row_of]
