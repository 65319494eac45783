"""What is known of a recording besides its samples, as short texts: comments of a CSV, metadata of a Parquet schema.

Keys: fs (Hz), unit, start (ISO 8601), age (years), sex (female or male), device, limb_scale_shared (1).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ecglm.errors import ReadError
from ecglm.records.channels import clean
from ecglm.records.patient import patient
from ecglm.records.record import Record, RecordMeta

#: Spellings -> key.
_KEYS = {
    "fs": "fs", "sampling_rate": "fs", "unit": "unit", "units": "unit", "start": "start", "age": "age", "sex": "sex",
    "device": "device", "limb_scale_shared": "limb_scale_shared",
}  # fmt: skip
_STATEMENT = re.compile(r"\b(fs|sampling_rate|units?)\s*[=:]\s*([^\s,;]+)", re.IGNORECASE)
#: What only a line of its own states: a remark such as "sex: see the list" says nothing.
_OWN_LINE = re.compile(r"#\s*(start|age|sex|device|limb_scale_shared)\s*=\s*(.*\S)", re.IGNORECASE)


class Stated(NamedTuple):
    """The statements of a file, None or empty where it makes none."""

    fs: float | None = None
    unit: str | None = None
    start: datetime | None = None
    meta: RecordMeta = RecordMeta()
    limb_scale_shared: bool = False


def statements_of(record: Record) -> dict[str, str]:
    """What `stated` needs to give the same rate, unit, start and typed facts back."""
    about: dict[str, object | None] = {
        "fs": repr(record.fs),
        "unit": record.unit,
        "start": None if record.start is None else record.start.isoformat(),
        **vars(record.meta),
        "limb_scale_shared": 1 if record.limb_scale_shared else None,
    }
    return {key: " ".join(str(value).split()) for key, value in about.items() if value is not None}


def statements_in(comments: str) -> dict[str, str]:
    """The statements in the first lines that begin with ``#``."""
    found: dict[str, str] = {}
    for line in comments.splitlines()[:200]:
        text = line.strip()
        if text.startswith("#"):
            own = _OWN_LINE.match(text)
            for key, value in [own.groups()] if own else _STATEMENT.findall(text):
                found[key.lower()] = value
    return found


def stated(found: Mapping[str, str], path: str) -> Stated:
    """The typed form. Raises ReadError for a rate that is not a number; other unusable values are as if absent."""
    known = {_KEYS[key.lower()]: value for key, value in found.items() if key.lower() in _KEYS}
    fs: float | None = None
    if "fs" in known:
        try:
            fs = float(known["fs"].lower().removesuffix("hz"))
        except ValueError:
            raise ReadError(
                path, f"it says fs={clean(known['fs'], 20)}, which is not a number", "write the rate in Hz, such as fs=500"
            ) from None
    start: datetime | None = None
    with contextlib.suppress(ValueError):
        start = datetime.fromisoformat(known.get("start", ""))
    age = known.get("age", "")
    years = int(age) if re.fullmatch(r"\d{1,3}", age, re.ASCII) else None
    meta = patient(age=years, sex=known.get("sex", ""), device=known.get("device", ""))
    return Stated(fs, known.get("unit"), start, meta, known.get("limb_scale_shared") == "1")
