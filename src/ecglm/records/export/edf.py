"""`Record` → EDF+C, with pyedflib.

Standard: https://www.edfplus.info/specs/edfplus.html. Every lead is 16-bit microvolts. EDF has no value for a
missing sample and no place for a signal without a voltage; both are refused. It holds whole data records: the last
one is filled up with the last sample where no length of them divides the recording, and the header says how many count.
"""

from __future__ import annotations

import math
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np

from ecglm.atomic import replacing
from ecglm.errors import UsageError
from ecglm.records.edf import AGE_FIELD, SAMPLES_FIELD
from ecglm.records.export.steps import LIMIT, Stored, stored
from ecglm.records.leads import canonical_lead
from ecglm.records.record import Record

_RECORD_BYTES = 61_440  # the standard's limit of a data record
_SHORTEST_S, _LONGEST_S = 0.001, 60.0  # what pyedflib writes
_YEARS = range(1985, 2085)  # two digits of a year in the header
_UNKNOWN = datetime(1985, 1, 1)  # the standard's date of a recording without one, beside "Startdate X"


def write_edf(record: Record, target: str) -> None:
    """Write EDF+. Age becomes a field after the patient's name, which is left open; a birth date is not made up."""
    if record.unit != "mV":
        raise UsageError(f"{target}: EDF needs a voltage and this record has none; save it as .hea, .csv or .npz")
    gaps = {lead: n for lead, n in record.missing.items() if n}
    if gaps:
        raise UsageError(
            f"{target}: EDF has no value for missing samples ({', '.join(f'{lead}: {n}' for lead, n in gaps.items())}); "
            "save as .hea, .dcm, .csv or .npz, or a part without them"
        )
    if record.start is not None and record.start.year not in _YEARS:
        raise UsageError(f"{target}: EDF holds years {_YEARS[0]} to {_YEARS[-1]}, the start is {record.start:%Y-%m-%d}")
    labels = [f"ECG {lead}" if canonical_lead(lead) else lead for lead in record.leads]
    wrong = [label for label in labels if len(label) > 16 or not label.isascii() or label.endswith("Annotations")]
    if wrong:
        raise UsageError(f"{target}: EDF holds lead names of 16 ASCII characters; rename {wrong[0]}")
    per_record, seconds = _data_records(record, target)
    padding = -record.n_samples % per_record
    length = f"{SAMPLES_FIELD}{record.n_samples}" if padding else ""
    room = 39 - len(length) if length else 40  # else pyedflib drops the additional field
    leads = stored(record, target)
    channels = [_channel(label, row, per_record / seconds, target) for label, row in zip(labels, leads, strict=True)]
    import pyedflib

    with replacing(target) as temporary:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every data record that does not last a second
            with pyedflib.EdfWriter(str(temporary), len(leads), file_type=pyedflib.FILETYPE_EDFPLUS) as writer:
                writer.setSignalHeaders(channels)
                writer.setDatarecordDuration(seconds)
                writer.setStartdatetime(_tenths(record.start or _UNKNOWN))
                writer.setSex({"female": 0, "male": 1, None: None}[record.meta.sex])
                writer.setPatientAdditional("" if record.meta.age is None else f"{AGE_FIELD}{record.meta.age}")
                writer.setEquipment(_ascii(record.meta.device)[:room])
                writer.setRecordingAdditional(length)
                writer.writeSamples([np.pad(row.samples, (0, padding), "edge").astype(np.int32) for row in leads], digital=True)
        if record.start is None:
            _forget_start(temporary)


def _data_records(record: Record, target: str) -> tuple[int, float]:
    """Samples per lead and seconds of a data record that gives the exact rate, as close to one second as may be.

    One that divides the recording goes first, unless it is so short that the annotations would outweigh the samples.
    """
    largest = max((_RECORD_BYTES // 2 - 60) // len(record.leads), 1)  # annotations take the place of 60 samples
    fitting = []
    for per_record in range(1, min(largest, round(_LONGEST_S * record.fs)) + 1):
        seconds = round(per_record / record.fs, 5)  # pyedflib counts in steps of 10 us, and cuts what lies between
        whole = int(seconds * 1e5) == round(seconds * 1e5)
        if whole and _SHORTEST_S <= seconds <= _LONGEST_S and per_record / seconds == record.fs:
            fitting.append((per_record, seconds))
    if not fitting:
        raise UsageError(f"{target}: EDF cannot hold {record.fs:.9g} Hz exactly; save as .hea, .csv or .npz")
    n = record.n_samples
    even = [found for found in fitting if n % found[0] == 0 and (found[1] >= 0.1 or n // found[0] <= 1000)]
    within = [found for found in fitting if found[0] <= n]
    return min(even or within or fitting[:1], key=lambda found: abs(found[1] - 1.0))


def _channel(label: str, row: Stored, fs: float, target: str) -> dict[str, object]:
    low, high = ((limit - row.zero) * row.step * 1000 for limit in (-LIMIT, LIMIT))
    if any(len(f"{limit:.12g}") > 8 for limit in (low, high)):
        raise UsageError(f"{target}: {label} lies between {low:.9g} and {high:.9g} uV, more digits than EDF holds; save as .npz")
    return {
        "label": label, "dimension": "uV", "sample_frequency": fs,
        "physical_min": _printed(low), "physical_max": _printed(high), "digital_min": -LIMIT, "digital_max": LIMIT,
    }  # fmt: skip


def _printed(limit: float) -> float:
    """The limit as the header shall show it: pyedflib cuts digits instead of rounding, so that -17112.1 would become -17112.0."""
    short = float(f"{limit:.12g}")
    return math.nextafter(short, math.copysign(math.inf, short))


def _ascii(device: str | None) -> str:
    return (device or "").encode("ascii", "ignore").decode()


def _tenths(start: datetime) -> datetime:
    """pyedflib 0.1.42 multiplies microseconds by 100 for a library that counts in 100 ns: a tenth of them comes out right."""
    return start.replace(tzinfo=None, microsecond=start.microsecond // 10)


def _forget_start(path: Path) -> None:
    """What pyedflib cannot write: ``Startdate X``, after the 88 bytes of version and patient."""
    with open(path, "r+b") as stream:
        stream.seek(88)
        recording = stream.read(80)
        stream.seek(88)
        stream.write(recording.replace(b"Startdate 01-JAN-1985", b"Startdate X").ljust(80))
