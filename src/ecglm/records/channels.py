"""Which channels of a file are ECG leads, under which name and in which unit.

Every reader hands over names and units and gets rows back; the policy is here and only
here. Non-ECG channels are dropped, unknown voltage channels keep their own name, each
decision is a note.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.leads import canonical_lead
from ecglm.records.record import FloatArray, Record, RecordMeta, Unit
from ecglm.records.request import Request

if TYPE_CHECKING:
    from ecglm.records.cart import CartReading

#: Units of one millivolt, by lower-case spelling (µ is U+00B5 or U+03BC, both become u).
PER_MV: dict[str, float] = {
    "mv": 1.0,
    "millivolt": 1.0,
    "millivolts": 1.0,
    "uv": 1e3,
    "microvolt": 1e3,
    "microvolts": 1e3,
    "uvolt": 1e3,
    "uvolts": 1e3,
    "nv": 1e6,
    "nanovolt": 1e6,
    "nanovolts": 1e6,
    "v": 1e-3,
    "volt": 1e-3,
    "volts": 1e-3,
}
#: Spellings that say: the amplitude has no physical unit ("" is a field left blank).
NO_GAIN = "no gain"  # of a channel whose file does not say how its numbers relate to volts, which has a note of its own
RELATIVE_UNITS = frozenset(
    {
        "",
        NO_GAIN,
        "adu",
        "nu",
        "n.u.",
        "normalized",
        "normalised",
        "au",
        "a.u.",
        "a.u",
        "arb",
        "sd",
        "z",
        "1",
        "none",
        "unitless",
        "n/a",
        "lsb",
        "count",
        "counts",
    }
)

#: Signals that are recorded beside an ECG and are none, by the start of their name.
NOT_ECG = re.compile(
    r"(?:a?bp\b|art\b|ao\b|cvp|pap\b|icp|nibp|lap\b|rap\b|uap|uvp|fem|p[0-9]\b|resp|airflow|flow|nasal|chest|thor|rip\b|"
    r"pleth|ppg|spo2|sao2|so2|o2|et?co2|co2|eeg|eog|emg|erp|meg|mcg|temp|acc|gyro|mark|event|status|stim|trig|annot|"
    r"edf annot|bdf annot|pulse|hr\b|rr\b|qrs|rate|gsr|eda|scr|pcg|sound|snor|pos(?:ition)?\b|light|batt|time|sv\b|"
    r"co\b|bis\b|st\b|imp|pace|qual)",
    re.IGNORECASE,
)


class Selection(NamedTuple):
    """Rows to decode, their lead names, stored units per mV of each, and the record's unit."""

    rows: tuple[int, ...]
    leads: tuple[str, ...]
    per_mv: tuple[float, ...]
    unit: Unit
    notes: tuple[str, ...]


def unit_per_mv(unit: str) -> float | None:
    """How many of this unit make one millivolt, or None when it is not a voltage."""
    return PER_MV.get(unit.strip().lower().replace("µ", "u").replace("μ", "u"))


def is_relative(unit: str) -> bool:
    """Whether the unit says that amplitudes have no physical meaning."""
    return unit.strip().lower() in RELATIVE_UNITS


def clean(text: str, limit: int = 40) -> str:
    """Text of a file made harmless for one-line messages: printable, single-spaced, short."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())[:limit]


def choose(request: Request, names: Sequence[str], units: Sequence[str]) -> Selection:
    """Pick the ECG leads among a file's channels. Raises ReadError when there is none."""
    leads = tuple(map(canonical_lead, names))
    if request.leads is None and None not in leads and len(set(leads)) == len(leads) and set(units) == {"mV"}:
        return Selection(tuple(range(len(leads))), leads, (1.0,) * len(leads), "mV", ())  # type: ignore[arg-type]
    known: list[tuple[int, str, float | None]] = []
    dropped: list[str] = []
    own_name: list[str] = []
    for row, (name, lead, unit) in enumerate(zip(names, leads, units, strict=True)):
        factor = unit_per_mv(unit)
        shown = clean(name) or f"ch{row + 1}"
        if lead is not None and (factor is not None or is_relative(unit)):
            known.append((row, lead, factor))
        elif lead is None and (factor is not None or unit == NO_GAIN) and not NOT_ECG.match(name.strip()):
            known.append((row, shown, factor))
            own_name.append(shown)
        else:
            dropped.append(f"{shown} ({clean(unit, 12)})" if unit.strip() else shown)
    notes: list[str] = []
    if any(factor is not None for _, _, factor in known):
        dropped += [f"{lead} (no voltage unit)" for _, lead, factor in known if factor is None]
        known = [item for item in known if item[2] is not None]
        unit_out: Unit = "mV"
    else:
        unit_out = "normalized"
        if known and units[known[0][0]] != NO_GAIN:
            shown = clean(units[known[0][0]], 12) or "blank"
            notes.append(f"the amplitude unit is {shown}, not a voltage: values are as stored, unit is 'normalized'")
    if not known:
        listed = ", ".join(clean(name) or "(no name)" for name in names[:12]) + (", ..." if len(names) > 12 else "")
        raise ReadError(
            request.path,
            f"none of its channels is an ECG lead with a voltage unit (it has {listed})",
            "name the ECG channels I, II, V1, ... and give their unit",
        )
    if request.leads is not None:
        have = [lead for _, lead, _ in known]
        absent = [lead for lead in request.leads if lead not in have]
        if absent:
            raise ReadError(
                request.path,
                f"it has no lead {', '.join(clean(lead) for lead in absent)}",
                f"its leads are {', '.join(dict.fromkeys(have))}",
            )
        known = [item for item in known if item[1] in request.leads]
    if dropped:
        notes.append(f"not an ECG lead, left out: {_few(dropped)}")
    kept = [name for name in dict.fromkeys(own_name) if any(lead == name for _, lead, _ in known)]
    if kept:
        notes.append(f"not a known lead name, kept as it is: {_few(kept)}")
    return Selection(
        tuple(row for row, _, _ in known),
        tuple(lead for _, lead, _ in known),
        tuple(1.0 if factor is None else factor for _, _, factor in known),
        unit_out,
        tuple(notes),
    )


def _few(names: Sequence[str], limit: int = 8) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def finish(
    request: Request, signal_LT: FloatArray, selection: Selection, notes: Sequence[str] = ()
) -> tuple[FloatArray, tuple[str, ...], tuple[str, ...]]:
    """Signal, leads and notes with one row per lead, in the order that was asked for.

    A lead stored twice with the same samples loses the copy; a known lead stored twice
    with different samples keeps the first; channels that share a name which is no lead
    (``ECG``, ``ECG``) are numbered.
    """
    leads, stated = list(selection.leads), list(selection.leads)
    said = [*selection.notes, *notes]
    if len(set(leads)) < len(leads):
        keep: list[int] = []
        first: dict[str, list[int]] = {}
        for row, lead in enumerate(selection.leads):
            earlier = first.setdefault(lead, [])
            if any(np.array_equal(signal_LT[row], signal_LT[old], equal_nan=True) for old in earlier):
                said.append(f"lead {lead} is stored twice with the same samples: one copy left out")
                continue
            if earlier and canonical_lead(lead) is not None:
                said.append(f"lead {lead} is stored twice with different samples: the first is kept")
                continue
            earlier.append(row)
            if len(earlier) > 1:
                leads[row] = f"{lead}#{len(earlier)}"
                said.append(f"a further channel named {lead} is kept as {leads[row]}")
            keep.append(row)
        signal_LT = signal_LT[keep]
        leads = [leads[row] for row in keep]
        stated = [stated[row] for row in keep]
    if request.leads is not None:
        wanted = {lead: place for place, lead in enumerate(request.leads)}
        order = sorted(range(len(leads)), key=lambda row: wanted[stated[row]])
        if order != list(range(len(leads))):
            signal_LT = signal_LT[order]
            leads = [leads[row] for row in order]
    if math.isnan(signal_LT.max()):  # a maximum is NaN when anything is; only then is it worth counting
        missing = np.isnan(signal_LT).sum(axis=1)
        n_samples = signal_LT.shape[1]
        said += [
            f"{lead}: " + ("all samples are missing" if n == n_samples else f"{n} of {n_samples} samples are missing")
            for lead, n in zip(leads, missing, strict=True)
            if n
        ]
    return signal_LT, tuple(leads), tuple(dict.fromkeys(said))


def build_record(
    request: Request,
    signal_LT: FloatArray,
    selection: Selection,
    notes: Sequence[str],
    *,
    fs: float,
    first: int,
    start: datetime | None,
    meta: RecordMeta,
    format_name: str,
    limb_scale_shared: bool = False,
    cart: CartReading | None = None,
) -> Record:
    """The record of decoded channels whose column 0 is sample `first` of the file; start is the time of the file's sample 0."""
    signal, leads, said = finish(request, signal_LT, selection, notes)
    if start is not None and first:
        start += timedelta(seconds=first / fs)
    return Record(
        signal,
        fs,
        leads,
        unit=selection.unit,
        limb_scale_shared=limb_scale_shared and selection.unit != "mV",
        start=start,
        meta=meta,
        source=request.path,
        format=format_name,
        notes=said,
        cart=cart,
    )
