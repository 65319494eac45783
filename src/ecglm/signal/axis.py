"""Frontal axes of P, QRS and T from any two or more limb leads (Einthoven 1913, Goldberger 1942)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ecglm.signal.missing import FloatArray

#: Direction (degrees) and sensitivity of each limb lead to a frontal vector; augmented leads measure cos(30°) of it.
LIMB_DIRECTIONS: dict[str, tuple[float, float]] = {
    "I": (0.0, 1.0), "II": (60.0, 1.0), "III": (120.0, 1.0),
    "aVR": (-150.0, np.sqrt(3) / 2), "aVL": (-30.0, np.sqrt(3) / 2), "aVF": (90.0, np.sqrt(3) / 2),
}

#: Limb leads that differ from one frontal vector by more than this share give no axis. Challenge 2021 and PTB-XL stay
#: under 0.04; LUDB, whose leads were scaled one by one, lies above 0.09.
MAX_DISAGREEMENT = 0.08
#: The same for leads whose ratios were first fitted to Einthoven's law: LUDB stays under it in 144 of 150.
MAX_RECOVERED = 0.05


def axis_deg(i: float, avf: float) -> float | None:
    """Axis in degrees (-180, 180] from the net QRS of leads I and aVF in the same unit; None when both are zero.

    The augmented lead is enlarged by 2/√3 so that both measure the same vector.
    """
    if not np.isfinite([i, avf]).all() or (i == 0 and avf == 0):
        return None
    return _wrapped(np.degrees(np.arctan2(avf * 2 / np.sqrt(3), i)))


def axis_from_leads(net: dict[str, float]) -> float | None:
    """Least-squares axis in degrees from the net QRS of at least two limb leads, all in one unit; None otherwise."""
    known = [lead for lead in LIMB_DIRECTIONS if lead in net and np.isfinite(net[lead])]
    if len(known) < 2:
        return None
    design = _design(tuple(known))
    values = np.array([net[lead] for lead in known])
    vector = np.linalg.lstsq(design, values, rcond=None)[0]
    if not np.hypot(*vector) > 1e-12:
        return None
    return _wrapped(np.degrees(np.arctan2(vector[1], vector[0])))


def limb_disagreement(limb_LW: FloatArray, leads: tuple[str, ...]) -> float:
    """How far limb leads ``[lead, time]`` are from being views of one frontal vector: residual RMS over RMS.

    0 by Einthoven's and Goldberger's laws; large when gains differ between leads or electrodes were swapped in
    software. Two leads always agree. All leads must be in LIMB_DIRECTIONS.
    """
    design = _design(leads)
    level = limb_LW - limb_LW[:, :1]
    rest = level - design @ np.linalg.lstsq(design, level, rcond=None)[0]
    return float(np.sqrt((rest**2).sum() / max(float((level**2).sum()), 1e-12)))


def frontal_beat(limb_LW: FloatArray, leads: tuple[str, ...], scaled: bool) -> FloatArray | str:
    """The frontal vector ``[2, window]`` behind the limb leads ``[lead, window]`` of a beat, or why there is none.

    scaled: the leads share one scale. Where they do not, the ratios of I, II and III are those that fulfil Einthoven's law
    (I - II + III = 0), which leaves nothing open but the size.
    """
    if len(leads) < 2:
        return "two readable limb leads are needed"
    if scaled:
        return _inverse(leads) @ limb_LW
    if not {"I", "II", "III"} <= set(leads):
        return "the limb leads do not share one amplitude scale; leads I, II and III are needed to find it"
    rows = limb_LW[[leads.index(lead) for lead in ("I", "II", "III")]]
    u, s, _ = np.linalg.svd(rows - rows.mean(axis=1, keepdims=True), full_matrices=False)
    gain = u[:, 2] / (u[0, 2] or 1e-12) * [1.0, -1.0, 1.0]
    if s[2] > MAX_RECOVERED * np.sqrt((s**2).sum()) or (gain <= 0).any():
        return "the limb leads contradict one another (Einthoven's law) at any scale"
    return _inverse(("I", "II", "III")) @ (rows * gain[:, None])


def frontal_view(limb_LW: FloatArray, leads: tuple[str, ...], lead: str) -> FloatArray:
    """What a limb lead ``[time]`` would show, judged by others ``[lead, time]`` on one scale."""
    return np.asarray((_design((lead,)) @ _inverse(leads) @ limb_LW)[0], dtype=np.float64)


@lru_cache(maxsize=64)
def _inverse(leads: tuple[str, ...]) -> FloatArray:
    return np.asarray(np.linalg.pinv(_design(leads)), dtype=np.float64)


def _design(leads: tuple[str, ...]) -> FloatArray:
    """What each limb lead sees of a frontal vector, ``[lead, 2]``."""
    angle = np.radians([LIMB_DIRECTIONS[lead][0] for lead in leads])
    gain = np.array([LIMB_DIRECTIONS[lead][1] for lead in leads])
    return np.asarray(gain[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), dtype=np.float64)


def net_qrs_area(beats_BLW: FloatArray, on: float, off: float) -> FloatArray:
    """Net area ``[..., lead]`` of the QRS above the level before it, less what belongs to a raised ST segment: its level at the
    end of the QRS, reached with the cube of time.

    Taken above the line that joins both ends ST elevation turns the axis away from itself, by 35 degrees in simulated inferior
    infarction; taken above the level before it, towards itself, by 23; like this, away by 4 (docs/log.md).
    """
    part = beats_BLW[..., round(on): round(off) + 1]
    part = part - part[..., :1]
    return np.asarray((part - part[..., -1:] * np.linspace(0, 1, part.shape[-1]) ** 3).sum(axis=-1), dtype=np.float64)


def net_area(beats_BLW: FloatArray, on: float, off: float) -> FloatArray:
    """Net area ``[..., lead]`` (unit times samples) of a wave of beats ``[..., lead, window]`` between its onset and offset,
    above the line that joins both."""
    part = beats_BLW[..., round(on): round(off) + 1]
    ramp = np.linspace(0, 1, part.shape[-1])
    return np.asarray((part - part[..., :1] * (1 - ramp) - part[..., -1:] * ramp).sum(axis=-1), dtype=np.float64)


def axes_of(net_L: FloatArray, leads: tuple[str, ...]) -> FloatArray:
    """Least-squares axes ``[...]`` in degrees from -180 to 180 of net areas ``[..., lead]``; NaN where all are zero."""
    vector = net_L @ _inverse(leads).T
    angle = np.degrees(np.arctan2(vector[..., 1], vector[..., 0]))
    return np.asarray(np.where(np.hypot(vector[..., 0], vector[..., 1]) > 1e-12, angle, np.nan), dtype=np.float64)


def _wrapped(degrees: float) -> float:
    return float(180.0 - (180.0 - degrees) % 360.0)
