"""Waveform annotations of a DICOM ECG → the cart's measurements and statements.

Standard: DICOM PS3.3 C.10.10. Carts code the same concept by SCP-ECG, MDC or codes of their
own; the meaning beside the code is what they share.
"""

from __future__ import annotations

from typing import Any

from ecglm.records.cart import CartReading, MedianBeat, cart_reading

MAX_ANNOTATIONS = 10_000
_MEASURED = {
    "ventricular heart rate": "heart_rate_bpm",
    "ventricular rate": "heart_rate_bpm",
    "heart rate": "heart_rate_bpm",
    "rr interval": "rr_ms",
    "p duration": "p_ms",
    "pr interval": "pr_ms",
    "qrs duration": "qrs_ms",
    "qt interval": "qt_ms",
    "qtc interval": "qtc_ms",
    "p axis": "p_axis_deg",
    "qrs axis": "qrs_axis_deg",
    "t axis": "t_axis_deg",
}
_PER_MS = {"ms": 1.0, "s": 1e3, "us": 1e-3}


def annotations_of(dataset: Any, median: MedianBeat | None) -> CartReading | None:
    """What the annotations of the whole recording say; those of single points, beats and channels are not read."""
    sizes = [int(group.get("NumberOfWaveformChannels") or 0) for group in dataset.get("WaveformSequence") or []]
    measured: dict[str, float | None] = {}
    said: list[str] = []
    for annotation in list(dataset.get("WaveformAnnotationSequence") or [])[:MAX_ANNOTATIONS]:
        if annotation.get("ReferencedSamplePositions") is not None:
            continue
        if not _of_all_channels(annotation.get("ReferencedWaveformChannels"), sizes):
            continue  # a duration in one lead is not the global one
        concepts = annotation.get("ConceptNameCodeSequence")
        name = str(concepts[0].get("CodeMeaning") or "").strip().lower() if concepts else ""
        value, field = annotation.get("NumericValue"), _MEASURED.get(name)
        if value is not None and field is not None and field not in measured:
            units = annotation.get("MeasurementUnitsCodeSequence")
            unit = str(units[0].get("CodeValue") or "") if units else ""
            scale = _PER_MS.get(unit) if field.endswith("_ms") else 1.0
            first = value[0] if isinstance(value, (list, tuple)) or hasattr(value, "__getitem__") else value
            measured[field] = None if scale is None else float(first) * scale
        text = annotation.get("UnformattedTextValue")
        if text:
            said += str(text).splitlines()
    return cart_reading(measured, said, median)


def _of_all_channels(referenced: Any, sizes: list[int]) -> bool:
    """Whether pairs of group and channel, each from 1, name nothing or whole groups; channel 0 is the whole group."""
    if referenced is None:
        return True
    values = [int(value) for value in referenced]
    named: dict[int, set[int]] = {}
    for group, channel in zip(values[::2], values[1::2], strict=False):
        named.setdefault(group, set()).add(channel)
    return all(
        0 in channels or (0 < group <= len(sizes) and len(channels) >= sizes[group - 1] > 0)
        for group, channels in named.items()
    )
