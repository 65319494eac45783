"""Channels of a DICOM multiplex group: names, units, calibration and stored samples (PS3.3 C.10.9.1)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.channels import clean
from ecglm.records.leads import SCP_LEADS

#: Channel source codes: the number after "2:" of MDC and after "5.6.3-9-" of SCPECG (PS3.16 CID 3001).
_CODE = re.compile(r"(?:2:|5\.6\.3-9-)(\d{1,3})$")
UNSPECIFIED_LEAD = "Unspecified lead"  #: meaning of code 0: the label is all there is
_UNITS = {"uV": "uV", "mV": "mV", "V": "V", "nV": "nV"}
_DTYPES = {("SB", 8): "i1", ("UB", 8): "u1", ("SS", 16): "i2", ("US", 16): "u2", ("SL", 32): "i4", ("UL", 32): "u4"}


def stored_samples(group: Any, n_channels: int, total: int, path: str, big_endian: bool) -> NDArray[Any]:
    """The group's samples ``[time, channel]``, a view of its bytes."""
    bits, kind = int(group.WaveformBitsAllocated), str(group.get("WaveformSampleInterpretation"))
    dtype = _DTYPES.get((kind, bits))
    if dtype is None:
        raise ReadError(
            path, f"its samples are {bits}-bit {clean(kind, 8)}, which is not read", "export it as 16-bit SS"
        )
    data = group.WaveformData
    need = n_channels * total * bits // 8
    if total <= 0 or not isinstance(data, bytes) or len(data) < need:
        have = len(data) if isinstance(data, bytes) else 0
        raise ReadError(
            path, f"its waveform has {have} bytes where its header promises {need}", "it was cut short; get it again"
        )
    return np.frombuffer(data, (">" if big_endian else "<") + dtype, n_channels * total).reshape(total, n_channels)


def is_big_endian(dataset: Any) -> bool:
    return dataset.original_encoding[1] is False


def channel_name(channel: Any) -> str:
    """Code first (it has no spelling), then its meaning, then the label."""
    source = channel.get("ChannelSourceSequence")
    if source:
        code = _CODE.match(str(source[0].get("CodeValue") or ""))
        if code and int(code[1]) in SCP_LEADS:
            return SCP_LEADS[int(code[1])]
        meaning = str(source[0].get("CodeMeaning") or "")
        if meaning and meaning != UNSPECIFIED_LEAD:
            return meaning
    return str(channel.get("ChannelLabel") or "")


def channel_unit(channel: Any) -> str:
    """The UCUM code of the sensitivity unit; blank when the channel has no sensitivity."""
    units = channel.get("ChannelSensitivityUnitsSequence")
    if channel.get("ChannelSensitivity") is None:
        return ""
    if not units:
        return "uncalibrated"
    code = str(units[0].get("CodeValue") or "")
    return _UNITS.get(code, code or "")


def calibration(channel: Any, path: str, lead: str) -> tuple[float, float]:
    sensitivity = number_of(channel, "ChannelSensitivity", 1.0)
    scale = sensitivity * number_of(channel, "ChannelSensitivityCorrectionFactor", 1.0)
    base = number_of(channel, "ChannelBaseline", 0.0)
    if not (np.isfinite(scale) and np.isfinite(base) and scale != 0):
        raise ReadError(
            path, f"the sensitivity of lead {lead} is {scale:g} with baseline {base:g}", "export the ECG again"
        )
    return scale, base


def padding_value(group: Any, dtype: np.dtype[Any]) -> int | None:
    """The value that stands for no data: Waveform Padding Value, one sample's bytes."""
    value = group.get("WaveformPaddingValue")
    if isinstance(value, int):
        return value
    if isinstance(value, bytes) and len(value) >= dtype.itemsize:
        return int(np.frombuffer(value, dtype, 1)[0])
    return None


def number_of(item: Any, key: str, default: float) -> float:
    value = item.get(key)
    return default if value is None or value == "" else float(value)
