"""Can this recording be read? Quality 0..1 per lead, and the reason in words when the whole record cannot.

Only shape is used, never millivolts, so normalized signals are judged as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecglm.records.record import Record
from ecglm.signal.beats import Beats, detect_beats, qrs_band, qrs_energy
from ecglm.signal.filters import bandpass, remove_baseline
from ecglm.signal.missing import BoolArray, FloatArray, as_leads, fill_missing
from ecglm.signal.parts import recorded_parts
from ecglm.signal.resample import resample
from ecglm.signal.stack import cut

#: Quality is judged at this rate (Hz), on at most this much signal (s), taken from the start.
QUALITY_FS, QUALITY_S = 250.0, 60.0
#: Shorter than this (s) nothing can be said about a heart rhythm.
MIN_DURATION_S = 2.0
#: A lead below this quality is not used for measurements.
USABLE = 0.3
#: Spatial QRS activity between beats over that within them (noise near 0.9, an ECG near 0.15), and how alike the QRS
#: complexes must be above each value: a fast rhythm of wide QRS reaches 0.7 with nearly identical beats.
MIN_LIKENESS: tuple[tuple[float, float], ...] = ((0.80, 2.0), (0.60, 0.90), (0.44, 0.75))
#: Share of the spread of the signal that lies in the QRS band (5-30 Hz): hum and slow waves are below.
MIN_QRS_BAND = 0.12
#: A level change across the "QRS" over its height together with its largest change from one sample to the next:
#: 1 and 1 for a square wave or sawtooth.
MAX_STEP, MAX_JUMP = 0.30, 0.60


@dataclass(frozen=True)
class LeadSigns:
    """What the quality of each lead ``[lead]`` is made of.

    held, clipped, gaps: shares of samples that stand still, lie at an extreme, are missing. height: QRS height, in the
    unit of the record. contrast: height over that of as long a stretch between beats. noise: deviation above 20 Hz
    between beats, and wander: deviation below 0.5 Hz, over height. detail_LT: what is above 20 Hz, at QUALITY_FS.
    Without beats all from height on are NaN or empty.
    """

    held: FloatArray
    clipped: FloatArray
    gaps: FloatArray
    height: FloatArray
    contrast: FloatArray
    noise: FloatArray
    wander: FloatArray
    detail_LT: FloatArray


@dataclass(frozen=True)
class Assessment:
    """Quality per lead, the verdict (None: readable), the beats, at QUALITY_FS, that both rest on, and the signs of each
    lead, in the order of the record (None when there is too little signal to judge). clean_LT: the whole record at
    QUALITY_FS after `bandpass`; None where samples are missing, or when not all of it was looked at."""

    quality: dict[str, float]
    verdict: str | None
    beats: Beats
    signs: LeadSigns | None = None
    clean_LT: FloatArray | None = None


def lead_quality(record: Record) -> dict[str, float]:
    """Quality of every lead, 0 (unusable) .. 1 (clean)."""
    return assess(record).quality


def unreadable(record: Record, quality: Mapping[str, float] | None = None) -> str | None:
    """Why nothing may be concluded from this record, in words, or None when it is readable.

    quality: what `lead_quality` gave, when it is known; leads under USABLE are then left out of the judgement.
    """
    if parts := recorded_parts(record):
        reasons = [assess(part.of(record), quality).verdict for part in parts]
        return None if None in reasons else reasons[0]
    return assess(record, quality).verdict


def assess(record: Record, quality: Mapping[str, float] | None = None) -> Assessment:
    """Judge every lead, then the record."""
    empty = Beats(np.empty(0, np.int64), QUALITY_FS, np.empty(0))
    zero = dict.fromkeys(record.leads, 0.0)
    signal = as_leads(record.signal[:, : round(QUALITY_S * record.fs)])
    gaps = np.isnan(signal).mean(axis=1)
    if np.isnan(record.signal).all():
        return Assessment(zero, "all samples are missing", empty)
    if record.duration_s < MIN_DURATION_S:
        return Assessment(zero, f"the recording lasts {record.duration_s:.2g} s, too short: "
                          f"at least {MIN_DURATION_S:g} s are needed", empty)
    if (gaps > 0.8).all():
        return Assessment(zero, "more than 80 % of the samples are missing", empty)
    held = held_fraction(signal)
    live = (held < 0.8) & (gaps < 0.8)
    clipped = clipped_fraction(signal)
    signs = _no_beats(held, clipped, gaps)
    if not live.any():
        moving = np.nan_to_num(np.ptp(np.nan_to_num(signal), axis=1)) > 1e-3
        return Assessment(zero, "constant stretches in every lead: not an ECG" if moving.all() and (held < 1).all()
                          else "flat line in every lead", empty, signs)
    raw, _ = fill_missing(resample(signal, record.fs, QUALITY_FS))
    band = qrs_band(raw, QUALITY_FS)
    beats = detect_beats(raw, QUALITY_FS, live.astype(float), band)
    clean, steady = bandpass(raw, QUALITY_FS), remove_baseline(raw, QUALITY_FS)
    scores, signs = _lead_scores(raw, clean, steady, beats, live, signs)
    scores = scores * np.clip(1 - 1.2 * gaps, 0, 1)
    scores *= np.clip(1 - 2 * np.maximum(clipped - 0.01, 0) / 0.1, 0, 1)
    scores *= np.clip(1.2 - 1.2 * held, 0, 1)
    found = {lead: round(float(score), 3) for lead, score in zip(record.leads, scores, strict=True)}
    used = live if quality is None else live & np.array([quality.get(lead, 0.0) >= USABLE for lead in record.leads])
    verdict = no_qrs_reason(raw[rows := used if used.any() else live], clean[rows], steady[rows], band[rows], beats)
    if verdict is not None:
        found = {lead: min(score, 0.25) for lead, score in found.items()}
    elif max(found.values()) < 0.15:
        verdict = "noise in every lead"
    whole = signal.shape == record.signal.shape and not gaps.any()
    return Assessment(found, verdict, beats, signs, clean if whole else None)


def held_fraction(signal_LT: FloatArray) -> FloatArray:
    """Share of samples ``[lead]`` inside a run of at least 10 equal ones (flat line, lead off); what is missing counts as 0."""
    filled = np.nan_to_num(signal_LT)
    still = np.abs(np.diff(filled, axis=1)) <= 1e-7 + 1e-6 * np.abs(filled).max(axis=1, keepdims=True)
    return _in_runs(still, 10)


def clipped_fraction(signal_LT: FloatArray) -> FloatArray:
    """Share of samples ``[lead]`` that stay at the lead's highest or lowest value for 4 or more in a row."""
    filled = np.nan_to_num(signal_LT)
    span = np.ptp(filled, axis=1, keepdims=True) * 1e-4
    high = filled >= filled.max(axis=1, keepdims=True) - span
    low = filled <= filled.min(axis=1, keepdims=True) + span
    return _in_runs(high, 4) + _in_runs(low, 4)


def _in_runs(mask_LT: BoolArray, shortest: int) -> FloatArray:
    """Share of each row that lies in a run of True of at least this length."""
    leads, total = mask_LT.shape
    edged = np.zeros((leads, total + 2), bool)
    edged[:, 1:-1] = mask_LT
    change = np.flatnonzero(edged.ravel()[1:] != edged.ravel()[:-1])
    lengths = change[1::2] - change[::2]
    long = lengths >= shortest
    inside: FloatArray = np.bincount(change[::2][long] // (total + 2), lengths[long], minlength=leads) / total
    return inside


def _ramp(value: FloatArray, good: float, bad: float) -> FloatArray:
    return np.clip((value - bad) / (good - bad), 0.0, 1.0)


def _no_beats(held: FloatArray, clipped: FloatArray, gaps: FloatArray) -> LeadSigns:
    unknown = np.full(len(held), np.nan)
    return LeadSigns(held, clipped, gaps, unknown, unknown, unknown, unknown, np.zeros((len(held), 0)))


def _lead_scores(raw: FloatArray, clean: FloatArray, steady: FloatArray, beats: Beats, live: BoolArray, signs: LeadSigns,
                 ) -> tuple[FloatArray, LeadSigns]:
    if len(beats) < 1:
        return np.where(live, 0.1, 0.0), signs
    half = round(0.08 * QUALITY_FS)
    at = beats.samples[(beats.samples >= half) & (beats.samples < raw.shape[1] - half)]
    if not len(at):
        return np.where(live, 0.1, 0.0), signs
    qrs = cut(clean, at, half, half)
    height = np.median(np.ptp(qrs, axis=2), axis=0) + 1e-9
    alike = lead_likeness(qrs)
    if len(at) < 4:  # an ectopic beat among two or three is no sign of noise
        alike = np.maximum(alike, 0.6)
    detail = bandpass(raw, QUALITY_FS, 20.0, np.inf, order=2)
    quiet = np.ones(raw.shape[1], dtype=bool)
    for sample in beats.samples:
        quiet[max(0, sample - half): sample + half] = False
    rough = detail[:, quiet] if quiet.sum() > 10 else detail
    # Zero-phase residue around the QRS is not noise: take the median of magnitudes, scaled to a standard deviation.
    noise = 1.48 * np.median(np.abs(rough), axis=1) / height
    wander = (raw - steady).std(axis=1) / height
    score = _ramp(alike, 0.9, 0.3) * _ramp(noise, 0.03, 0.25) * (0.4 + 0.6 * _ramp(wander, 0.5, 3.0))
    between = beats.samples[:-1] + (0.7 * np.diff(beats.samples)).astype(np.int64)
    rest = np.median(np.ptp(cut(clean, between, half, half), axis=2), axis=0) if len(between) else np.zeros(len(clean))
    signs = replace(signs, height=height, contrast=height / (rest + 1e-9), noise=noise, wander=wander, detail_LT=detail)
    return np.where(live, score, 0.0), signs


def lead_likeness(qrs_BLW: FloatArray) -> FloatArray:
    """How alike the QRS complexes of each lead are, ``[lead]``: the usual (median) beat's upper-quartile correlation
    with the others, so that two alternating shapes are alike too. One beat: 0.7, nothing known."""
    if len(qrs_BLW) < 2:
        return np.full(qrs_BLW.shape[1], 0.7)
    some = qrs_BLW[:: max(1, len(qrs_BLW) // 40)].transpose(1, 0, 2)
    b = some - some.mean(axis=2, keepdims=True)
    b = b / (np.sqrt((b**2).sum(axis=2, keepdims=True)) + 1e-12)
    alike = b @ b.transpose(0, 2, 1)
    n = alike.shape[1]
    others = alike[:, ~np.eye(n, dtype=bool)].reshape(len(alike), n, n - 1)
    return np.asarray(np.median(np.percentile(others, 75, axis=2), axis=1), dtype=np.float64)


@dataclass(frozen=True)
class QrsEvidence:
    """What tells QRS complexes from noise, hum and test waves; MIN_LIKENESS, MIN_QRS_BAND and MAX_STEP say how."""

    likeness: float
    between: float
    band: float
    step: float
    jump: float


def qrs_evidence(raw_LT: FloatArray, clean_LT: FloatArray, steady_LT: FloatArray, band_LT: FloatArray, beats: Beats,
                 ) -> QrsEvidence:
    """Evidence from leads at QUALITY_FS as they are (raw), after `bandpass` (clean), after `remove_baseline` (steady) and
    after `qrs_band` (band). Needs at least one beat."""
    half = round(0.08 * QUALITY_FS)
    wide = cut(clean_LT, beats.samples, 2 * half, 2 * half)
    likeness = float(np.sort(lead_likeness(wide[:, :, half:-half]))[-3:].mean())
    energy = qrs_energy(clean_LT, QUALITY_FS)
    outside = np.ones(clean_LT.shape[1], dtype=bool)
    for sample in beats.samples:
        outside[max(0, sample - half): sample + half] = False
    between = 1.0
    if outside.sum() > half:
        between = float(np.sqrt(np.mean(energy[outside] ** 2) / (np.mean(energy[~outside] ** 2) + 1e-12)))
    band = float(np.median(band_LT.std(axis=1) / (steady_LT.std(axis=1) + 1e-12)))
    near = cut(raw_LT, beats.samples, half, half)
    height = np.ptp(near, axis=2) + 1e-9
    edge = round(0.03 * QUALITY_FS)
    step = float(np.median(np.abs(near[..., -edge:].mean(axis=2) - near[..., :edge].mean(axis=2)) / height))
    jump = float(np.percentile(np.abs(np.diff(near, axis=2)).max(axis=2) / height, 75))
    return QrsEvidence(likeness, between, band, step, jump)


def no_qrs_reason(raw_LT: FloatArray, clean_LT: FloatArray, steady_LT: FloatArray, band_LT: FloatArray, beats: Beats,
                  ) -> str | None:
    """Why the leads ``[lead, time]`` hold no QRS complexes, or None when they do."""
    if len(beats) < max(1, raw_LT.shape[1] / QUALITY_FS / 8):
        return "no QRS complexes found"
    seen = qrs_evidence(raw_LT, clean_LT, steady_LT, band_LT, beats)
    if seen.band < MIN_QRS_BAND:
        return "hum or slow waves without QRS complexes"
    if any(seen.between > between and seen.likeness < likeness for between, likeness in MIN_LIKENESS):
        return "noise without recognisable QRS complexes"
    if seen.step > MAX_STEP and seen.jump > MAX_JUMP:
        return "steps instead of QRS complexes: not an ECG"
    return None
