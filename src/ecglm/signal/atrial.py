"""Atrial activity: are there P waves that belong to the beats, and is there fibrillation or flutter between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.stack import BeatStack, correlation, cut
from ecglm.signal.waves import Waves, level, p_search

#: P waves are called present above this score.
P_PRESENT = 0.5
#: A flutter wave comes again after so long (s; Brugada 2020, 10.1093/eurheartj/ehz467: 200 to 350 a minute), of the same shape in
#: all leads (correlation of slopes) and about as high. Sinus P waves stay under 0.66 in 250 recordings of PTB-XL folds 1-8;
#: of simulated flutter in which P waves are marked three quarters lie above.
REPEAT_S, REPEAT_ALIKE, REPEAT_HEIGHT = (0.17, 0.27), 0.75, (0.6, 1.6)
#: From the end of one QRS to the next (s): where less, as in sinus tachycardia, the T wave lies where a P wave would repeat.
REPEAT_ROOM_S = 0.45
#: Half of the stretch around the P wave that is compared (s), and how close to the QRS it and the earlier one may come.
_AROUND_S, _APART_S = 0.06, (0.01, 0.02)


@dataclass(frozen=True)
class PWaves:
    """Evidence of P waves before the QRS.

    coherence_L: share of PR-segment power ``[lead]`` that repeats from beat to beat (0 noise, 1 identical).
    fraction: share of beats whose PR segment looks like that of the others. size: P height over QRS height in the
    best leads. lag_sd_s: beat-to-beat SD of the P wave's time before the QRS. score: 0..1. mean_LW: mean PR segment.
    """

    score: float
    fraction: float
    size: float
    lag_sd_s: float
    beats: int
    coherence_L: FloatArray
    mean_LW: FloatArray


def p_waves(signal_LT: FloatArray, stack: BeatStack, waves: Waves, rr_s: float) -> PWaves | None:
    """Look for P waves before the usual beats of ``[lead, time]``; None with fewer than two such beats or no QRS."""
    if np.isnan(waves.qrs_on):
        return None
    fs = stack.fs
    start, stop = p_search(waves.qrs_on, stack.r, fs, rr_s)
    at = stack.samples_B[stack.usual_B]
    at = at[at >= stack.r - start]
    if len(at) < 2 or stop - start < 0.06 * fs:
        return None
    before, after = stack.r - start, stop + 1 - stack.r
    p_BLW = level(gaussian_filter1d(cut(signal_LT, at, before, after), max(0.4, 0.008 * fs), axis=2))
    mean = p_BLW.mean(axis=0)
    noise = ((p_BLW - mean) ** 2).sum(axis=0).mean(axis=1) / (len(p_BLW) - 1)
    power = np.maximum((mean**2).mean(axis=1) - noise / len(p_BLW), 0)
    coherence = np.divide(power, power + noise, out=np.zeros_like(power), where=power + noise > 1e-12)
    best = np.argsort(coherence)[-4:]
    size = np.ptp(mean, axis=1) / (np.ptp(stack.median_LW, axis=1) + 1e-9)
    height = float(size[best].mean())
    fraction, lag = _agreement(p_BLW[:, best], fs)
    clear = _ramp(float(coherence[best].mean()), 0.35, 0.85) * _ramp(height, 0.01, 0.04) * _ramp(fraction, 0.2, 0.6)
    return PWaves(clear, fraction, height, lag, len(at), coherence, mean)


def repeated_after(signal_LT: FloatArray, fs: float, p_B2: FloatArray, qrs_on_B: FloatArray, earlier_off_B: FloatArray,
                   ) -> float | None:
    """Seconds after which the same wave as the P waves comes, over and over, None where nothing like them comes before them.

    p_B2: onset and offset of the P wave of each beat (s, NaN without), qrs_on_B: of its QRS, earlier_off_B: where the QRS
    before that ended.
    """
    known = np.isfinite(p_B2).all(axis=1) & np.isfinite(qrs_on_B) & np.isfinite(earlier_off_B)
    if known.sum() < 3 or np.median((qrs_on_B - earlier_off_B)[known]) < REPEAT_ROOM_S:
        return None
    slope = np.diff(gaussian_filter1d(signal_LT, max(0.4, 0.008 * fs), axis=1), axis=1)
    reach = round(_AROUND_S * fs)
    middle = np.minimum(np.round(p_B2[known].mean(axis=1) * fs), np.floor((qrs_on_B[known] - _APART_S[0]) * fs) - reach)
    first = np.maximum(0, np.ceil((earlier_off_B[known] + _APART_S[1]) * fs)) + reach
    around, last, most = np.arange(-reach, reach + 1), slope.shape[1] - 1, REPEAT_ALIKE
    found: float | None = None
    for lag in range(round(REPEAT_S[0] * fs), round(REPEAT_S[1] * fs) + 1):
        at = middle[(middle - lag >= first) & (middle + reach <= last)].astype(int)
        if len(at) >= 3:
            wave, earlier = slope[:, at[:, None] + around], slope[:, at[:, None] + around - lag]
            both, own = float((wave * earlier).sum()), float((wave**2).sum()) + 1e-12
            alike = both / np.sqrt(own * (float((earlier**2).sum()) + 1e-12))
            if alike > most and REPEAT_HEIGHT[0] <= both / own <= REPEAT_HEIGHT[1]:
                most, found = alike, lag / fs
    return found


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))


def _agreement(p_BLW: FloatArray, fs: float) -> tuple[float, float]:
    flat = p_BLW.reshape(len(p_BLW), -1)
    others = (flat.sum(axis=0) - flat) / (len(flat) - 1)
    norm = np.sqrt((flat**2).sum(axis=1) * (others**2).sum(axis=1)) + 1e-12
    own = (flat * others).sum(axis=1) / norm
    reach = max(1, round(0.03 * fs))
    core = p_BLW.mean(axis=0)[:, reach:-reach]
    if core.shape[1] < 3:
        return float(np.mean(own > 0.4)), 0.0
    shifted = np.lib.stride_tricks.sliding_window_view(p_BLW, core.shape[1], axis=2)
    best = np.einsum("blsw,lw->bs", shifted, core, optimize=True).argmax(axis=1)
    return float(np.mean(own > 0.4)), float(np.std(best) / fs)


def polarity(mean_LW: FloatArray, row: int) -> float:
    """-1 (inverted) .. 1 (upright): how much the mean PR segment of a lead looks like one dome."""
    dome = np.hanning(mean_LW.shape[1] + 2)[1:-1]
    return float(correlation(mean_LW[[row]], dome)[0])


@dataclass(frozen=True)
class AtrialSpectrum:
    """What remains between the QRS complexes once the median beat is taken away, 3-12 Hz.

    peak_hz: strongest frequency; peak_share: power within 0.4 Hz of it; flutter_share 4-6 Hz, fibrillation_share
    6-10 Hz; level: its root mean square over that of the signal.
    """

    peak_hz: float
    peak_share: float
    flutter_share: float
    fibrillation_share: float
    level: float


def atrial_spectrum(signal_LT: FloatArray, stack: BeatStack, beats: IntArray) -> AtrialSpectrum | None:
    """Spectrum of QRST-cancelled ``[lead, time]`` with QRS peaks at samples ``beats``, at most the first 60 s;
    None with fewer than two beats."""
    if len(beats) < 2:
        return None
    fs, half = stack.fs, round(0.07 * stack.fs)
    signal = signal_LT[:, : round(60 * fs)]
    n = signal.shape[1]
    template = stack.median_LW[:, stack.r - half: stack.r + round(0.45 * fs)].copy()
    fade = round(0.1 * fs)
    template[:, -fade:] *= np.linspace(1, 0, fade)
    model, keep = np.zeros_like(signal), np.ones(n)
    for at in beats[beats < n]:
        lo, hi = max(0, at - half), min(n, at - half + template.shape[1])
        model[:, lo:hi] = template[:, lo - at + half: hi - at + half]
        keep[lo: at + half] = 0
    rest = (signal - model) * keep
    power = (np.abs(np.fft.rfft(rest * np.hanning(n), 2 * n, axis=1)) ** 2).sum(axis=0)
    hz = np.fft.rfftfreq(2 * n, 1 / fs)
    band = (hz >= 3) & (hz <= 12)
    if not band.any() or power[band].sum() <= 1e-12:
        return None
    total, peak = power[band].sum(), float(hz[band][power[band].argmax()])

    def share(low: float, high: float) -> float:
        return float(power[band & (hz >= low) & (hz < high)].sum() / total)

    spread = float(np.sqrt((rest**2).sum() / max(1.0, keep.sum() * len(rest))))
    return AtrialSpectrum(peak, share(peak - 0.4, peak + 0.4), share(4, 6), share(6, 10),
                          spread / (float(signal.std()) + 1e-9))
