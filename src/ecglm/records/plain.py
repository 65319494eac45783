"""Arrays without a description → Record: the defaults that CSV, NPY, NPZ and MAT share.

The shorter axis holds the leads; 12 unnamed leads are the standard order; a missing unit
is millivolts if the amplitudes can be; a missing rate is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, argument
from ecglm.records.channels import build_record, choose, is_relative, unit_per_mv
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request

#: An ECG reaches some 5 mV; drift and pacing spikes more. Beyond this, millivolts cannot be meant.
PLAUSIBLE_MV = 20.0


def build(
    request: Request,
    data: NDArray[Any],
    format_name: str,
    *,
    fs: float | None,
    names: Sequence[str] | None,
    units: Sequence[str] | str | None = None,
    lead_major: bool | None = None,
    start: datetime | None = None,
    meta: RecordMeta | None = None,
    limb_scale_shared: bool = False,
    notes: Sequence[str] = (),
) -> Record:
    """A Record of a 1-D or 2-D array (which may be a memory map) and what the file says about it.

    lead_major None means: the shorter axis is the leads. request.fs and request.unit
    override the file's; request.leads names the rows when nothing else does.
    """
    path = request.path
    said = list(notes)
    if data.ndim == 1:
        data = data[None, :]
        lead_major = True
    if data.ndim != 2 or data.dtype.kind not in "iuf" or 0 in data.shape:
        raise ReadError(
            path,
            f"its array has shape {data.shape} and type {str(data.dtype)[:20]}",
            "a record is a non-empty 2-D array of numbers, [lead, time] or [time, lead]",
        )
    if lead_major is None:
        lead_major = data.shape[0] <= data.shape[1]
        if names is not None and len(names) in data.shape and data.shape[0] != data.shape[1]:
            lead_major = data.shape[0] == len(names)
    data_LT = data if lead_major else data.T
    n_leads, n_samples = data_LT.shape
    if n_leads > MAX_CHANNELS:
        raise ReadError(
            path,
            f"it has {n_leads} leads, more than the limit of {MAX_CHANNELS}",
            "pass an array of shape [lead, time]",
        )
    rate = request.fs if request.fs is not None else fs
    if rate is None:
        raise ReadError(path, "it does not state its sampling rate", f"pass {argument('fs')}, in Hz")
    if request.fs is not None and fs is not None and request.fs != fs:
        said.append(f"a rate of {request.fs:g} Hz was given, the file says {fs:g} Hz")
    request.check_rate(rate)
    request, names = _named(request, n_leads, names, said)
    units_list = _units(request, n_leads, units)
    assumed = units_list is None
    selection = choose(request, names, units_list or ["mV"] * n_leads)
    first, count = request.window(rate, n_samples, len(selection.rows))
    signal = np.empty((len(selection.rows), count), np.float32)
    for place, (row, factor) in enumerate(zip(selection.rows, selection.per_mv, strict=True)):
        stored_N = data_LT[row, first : first + count]
        with np.errstate(over="ignore", invalid="ignore"):
            signal[place] = stored_N if factor == 1.0 else stored_N / factor
    if assumed:
        said.append("no amplitude unit is stated: millivolts are assumed")
        swing = float(np.nanmax([0.0, *(_swing(row) for row in signal)]))
        if swing > PLAUSIBLE_MV:
            raise ReadError(
                path,
                f"it states no amplitude unit and its values, swinging by {swing:.4g}, cannot be millivolts",
                f"pass {argument('unit', 'uV')}, mV, V or normalized",
            )
    return build_record(
        request,
        signal,
        selection,
        said,
        fs=rate,
        first=first,
        start=start,
        meta=meta or RecordMeta(),
        format_name=format_name,
        limb_scale_shared=limb_scale_shared,
    )


def _swing(row: NDArray[np.float32]) -> float:
    """Distance from the median that 1 % of the samples pass."""
    good = row[np.isfinite(row)]
    if not len(good):
        return 0.0
    good = good[:: max(1, len(good) // 20_000)]
    return float(np.quantile(np.abs(good - np.median(good)), 0.99))


def _named(
    request: Request, n_leads: int, names: Sequence[str] | None, said: list[str]
) -> tuple[Request, Sequence[str]]:
    if names is not None:
        if len(names) != n_leads:
            raise ReadError(
                request.path, f"it has {len(names)} lead names for {n_leads} leads", "give one name per lead"
            )
        return request, names
    if n_leads == 12:
        said.append("12 leads without names: the standard order I, II, III, aVR, aVL, aVF, V1-V6 is assumed")
        return request, STANDARD_12
    if request.leads is not None and len(request.leads) == n_leads:
        said.append(f"leads are named as given: {', '.join(request.leads)}")
        return request, request.leads
    if n_leads == 1:
        said.append("one lead without a name: it is called ECG")
        return request, ("ECG",)
    raise ReadError(
        request.path,
        f"it has {n_leads} leads without names",
        f"name them in the file, or pass {argument('leads')} with one name per lead in the file's order",
    )


def _units(request: Request, n_leads: int, units: Sequence[str] | str | None) -> list[str] | None:
    """One unit per lead, or None when nothing states it."""
    if request.unit is not None:
        units = request.unit
    if units is None:
        return None
    listed = [units] * n_leads if isinstance(units, str) else list(units)
    for unit in listed:
        if isinstance(units, str) and unit_per_mv(unit) is None and not (is_relative(unit) and unit):
            raise ReadError(request.path, f"its unit {unit[:20]!r} is not known", "use mV, uV, nV, V or normalized")
    return listed
