"""`Record` → WFDB: a header and a signal file of format 16 beside it.

Standard: WFDB Applications Guide, header(5) and signal(5).
"""

from __future__ import annotations

import os
import re

import numpy as np

from ecglm.atomic import replacing
from ecglm.errors import UsageError
from ecglm.records.export.steps import stored
from ecglm.records.record import Record
from ecglm.records.wfdb_header import SHARED_SCALE


def write_wfdb(record: Record, target: str) -> None:
    """Write target (``NAME.hea``) and ``NAME.dat``. Age and sex become comments; a device has no place."""
    name = os.path.basename(target)[: -len(".hea")]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UsageError(f"{target}: a WFDB record is named with letters, digits, '_' and '-' only; choose such a name")
    data = target[: -len(".hea")] + ".dat"
    if os.path.exists(data) and not os.path.exists(target):
        raise UsageError(f"{data} is there and belongs to another record; choose another name")
    leads = stored(record, target)
    start = "" if record.start is None else f" {record.start:%H:%M:%S.%f %d/%m/}{record.start.year:04d}"
    lines = [f"{name} {len(leads)} {_plain(record.fs)} {record.n_samples}{start}"]
    for lead, row in zip(record.leads, leads, strict=True):
        checksum = int(row.samples.sum(dtype=np.int64)) & 0xFFFF
        checksum -= (checksum & 0x8000) << 1
        lines.append(f"{name}.dat 16 {_plain(row.per_mv)}({row.zero})/{record.unit} 16 0 {row.samples[0]} {checksum} 0 {lead}")
    about = {"age": record.meta.age, "sex": record.meta.sex}
    lines += [f"# {key}: {value}" for key, value in about.items() if value is not None]
    if record.limb_scale_shared:
        lines.append(f"# {SHARED_SCALE}")
    with replacing(target) as header, replacing(data) as signal:
        header.write_text("\n".join(lines) + "\n", encoding="utf-8")
        np.stack([row.samples for row in leads], axis=1).astype("<i2").tofile(signal)


def _plain(number: float) -> str:
    """Digits that give the same float, without an exponent."""
    return np.format_float_positional(number, trim="-")
