"""Waves as sums of bell-shaped deflections of the heart vector, and their rendering.

A kernel is one row of 14 numbers: its centre, its widths (standard deviations) before and after the centre, the heart
vector at its height (Frank's axes: x left, y down, z back; mV), and what each of the eight independent leads sees
beyond that vector (mV). What the first column counts from is the wave's business (`heart`). The dynamic model of
McSharry et al. 2003 (10.1109/TBME.2003.808805) is such a sum for one lead, that of Sameni et al. 2007
(10.1155/2007/43407) for the vector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.missing import FloatArray

Float32 = NDArray[np.float32]

#: Columns of a kernel table ``[kernel, 14]``.
AT, LEFT, RIGHT, VECTOR, LOCAL = 0, 1, 2, slice(3, 6), slice(6, 14)
#: The independent leads, in the order of the columns LOCAL; III and the augmented leads follow from I and II.
INDEPENDENT: tuple[str, ...] = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
#: Beats rendered at once: bounds the memory of hour-long records.
CHUNK = 256


def table(*rows: Sequence[float]) -> FloatArray:
    """Kernels ``[kernel, 14]`` from rows (centre, width, x, y, z) or (centre, left, right, x, y, z)."""
    out = np.zeros((len(rows), 14))
    for kernel, row in zip(out, rows, strict=True):
        kernel[:6] = row if len(row) == 6 else (row[0], row[1], *row[1:])
    return out


def local(leads: dict[str, float], at: float, left: float, right: float) -> FloatArray:
    """One kernel seen by these leads only (mV), such as the right precordial ones in Brugada's syndrome."""
    out = table((at, left, right, 0.0, 0.0, 0.0))
    for lead, height in leads.items():
        out[0, LOCAL.start + INDEPENDENT.index(lead)] = height
    return out


def stacked(tables: Sequence[FloatArray]) -> FloatArray:
    """Tables of several shapes as one array ``[shape, kernel, 14]``; shorter ones get kernels of no height."""
    if len(tables) == 1:
        return tables[0][None]
    out = np.zeros((len(tables), max(map(len, tables)), 14))
    out[:, :, LEFT] = out[:, :, RIGHT] = 0.02
    for place, kernels in zip(out, tables, strict=True):
        place[: len(kernels)] = kernels
    return out


def turned(kernels: FloatArray, frontal_deg: float = 0.0, horizontal_deg: float = 0.0) -> FloatArray:
    """Kernels with their vectors turned: frontal_deg clockwise as the observer sees it (towards larger axis angles),
    horizontal_deg towards the back."""
    out = kernels.copy()
    x, y, z = kernels[:, VECTOR].T
    if frontal_deg:
        c, s = math.cos(math.radians(frontal_deg)), math.sin(math.radians(frontal_deg))
        x, y = c * x - s * y, s * x + c * y
    if horizontal_deg:
        c, s = math.cos(math.radians(horizontal_deg)), math.sin(math.radians(horizontal_deg))
        x, z = c * x - s * z, s * x + c * z
    out[:, 3], out[:, 4], out[:, 5] = x, y, z
    return out


def grown(kernels: FloatArray, gain: float) -> FloatArray:
    """Kernels of the same shape, gain times as high."""
    out = kernels.copy()
    out[:, 3:] *= gain
    return out


def net_vector(kernels: FloatArray) -> FloatArray:
    """The area under all kernels as a vector ``[3]``."""
    area: FloatArray = (kernels[:, LEFT] + kernels[:, RIGHT]) @ kernels[:, VECTOR]
    return area


def drawn(
    centre_BK: FloatArray, left_BK: FloatArray, right_BK: FloatArray, coef_BKC: FloatArray, anchor_B: FloatArray,
    window_s: tuple[float, float], fs: float, blur_s: float, out_CT: Float32,
) -> None:
    """Add waves to ``out_CT [lead, time]``.

    centre_BK, left_BK, right_BK: seconds per beat and kernel. coef_BKC: height per lead (mV). A beat is drawn from
    window_s[0] before to window_s[1] after anchor_B only. blur_s: width of the recorder's low-pass, a bell too, so
    that it adds to the kernels' widths. The first sample of ``out_CT`` is time 0; samples outside are left out.
    """
    first_B = np.ceil((anchor_B - window_s[0]) * fs).astype(np.int64)
    width = int(np.ceil((window_s[0] + window_s[1]) * fs))
    offset_W = (np.arange(width) / fs).astype(np.float32)
    # exp(-(z / width)^2 / 2), widths as factors so that the inner loop only multiplies.
    scale_left = (np.sqrt(0.5) / np.hypot(left_BK, blur_s)).astype(np.float32)[:, :, None]
    scale_right = (np.sqrt(0.5) / np.hypot(right_BK, blur_s)).astype(np.float32)[:, :, None]
    coef_BCK = np.ascontiguousarray(coef_BKC.transpose(0, 2, 1), np.float32)
    start_BK = (first_B[:, None] / fs - centre_BK).astype(np.float32)
    for b in range(0, len(anchor_B), CHUNK):
        part = slice(b, b + CHUNK)
        z = start_BK[part, :, None] + offset_W
        z *= np.where(z < 0, scale_left[part], scale_right[part])
        np.multiply(z, -z, out=z)
        np.maximum(z, -30.0, out=z)  # smaller powers would be denormal numbers, which are slow
        np.exp(z, out=z)
        for start, wave in zip(first_B[part].tolist(), coef_BCK[part] @ z, strict=True):
            low, high = max(0, -start), min(width, out_CT.shape[1] - start)
            if low < high:
                there = out_CT[:, start + low: start + high]
                np.add(there, wave[:, low:high], out=there)
