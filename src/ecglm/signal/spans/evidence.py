"""What each beat tells about the atria beside its P wave: what comes again before every beat, P waves where none belongs, waves
of flutter or fibrillation.

Shapes: B beats, L prepared leads, T samples at FS, C wave classes, W samples of a beat, H frames, Q frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.stack import cut
from ecglm.signal.wave_network import CLASSES, FS

#: The stretch before a QRS peak (s) whose shape is compared.
SHAPE_S = (-0.30, -0.07)
#: What is closer to a QRS peak (s, after the earlier one, before the next) belongs to its T or its P wave.
BETWEEN_S = (0.26, 0.34)
#: Beats on either side that make the usual beat which is taken away, and the stretch (s) in which it is.
AROUND, BEAT_S, QRS_S, WIDE_S = 12, (-0.07, 0.45), (-0.07, 0.07), (-0.12, 0.40)
#: Frames (samples at a fifth of FS, and how far apart), padded to; the band (Hz); frames averaged for the long spectrum.
SLOWER, FRAME, HOP, PADDED, BAND, LONG = 5, 300, 75, 512, (3.0, 12.0), 13
#: Flutter and fibrillation (Hz); half of the width (Hz) of a peak.
FLUTTER_HZ, FIBRILLATION_HZ, PEAK_HZ = (3.6, 6.0), (6.0, 10.0), 0.4


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of each beat ``[B]`` of a stretch or a recording, beside its P wave (`holter.atrial.p_before`).

    alike: how much what is before it looks like that before its neighbours, -1..1; between: largest probability of a P wave
    where none belongs. Of what remains between QRS complexes without the usual beat, in 6 s and in 24 s: hz, strongest frequency
    of 3-12 Hz; peak, share of power around it; flutter, fibrillation, shares in their bands; level, its size over the signal's.
    """

    alike: FloatArray
    between: FloatArray
    hz: FloatArray
    peak: FloatArray
    flutter: FloatArray
    fibrillation: FloatArray
    level: FloatArray
    hz_long: FloatArray
    peak_long: FloatArray
    flutter_long: FloatArray

    def __len__(self) -> int:
        return len(self.alike)

    def at(self, where: NDArray[np.generic] | slice) -> Evidence:
        """That of some beats."""
        return Evidence(*(getattr(self, one.name)[where] for one in fields(self)))

    @classmethod
    def joined(cls, parts: list[Evidence]) -> Evidence:
        """Of the beats of several stretches, in order."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts] or [np.empty(0)]) for one in fields(cls)))


def beat_evidence(scaled_LT: NDArray[np.floating], prob_LCT: NDArray[np.floating], samples: IntArray, kinds_B: NDArray[np.str_],
                  ) -> Evidence:
    """Evidence of QRS peaks at samples of prepared leads at FS, 0 where a lead cannot be read, with their probabilities of waves
    (`wave_probabilities`) and AAMI classes."""
    if not len(samples):
        return Evidence(*(np.empty(0) for _ in fields(Evidence)))
    signal = np.asarray(scaled_LT, np.float32)
    usable = np.maximum((prob_LCT.max(axis=1) > 0).sum(axis=0), 1)
    p_T = prob_LCT[:, CLASSES.index("p")].sum(axis=0) / usable
    return Evidence(_alike(signal, samples), _between(p_T, samples), *_atrial(signal, samples, kinds_B))


def _alike(signal_LT: NDArray[np.float32], samples: IntArray) -> FloatArray:
    """Correlation of what precedes each beat with the mean of that before its neighbours, itself left out."""
    parts = cut(gaussian_filter1d(signal_LT, 2.0, axis=1), samples, round(-SHAPE_S[0] * FS), round(SHAPE_S[1] * FS))
    slope = np.arange(parts.shape[2]) - (parts.shape[2] - 1) / 2
    parts = parts - parts.mean(axis=2, keepdims=True)
    parts = parts - (parts @ slope / (slope @ slope))[..., None] * slope  # what wanders is no P wave
    flat = parts.reshape(len(parts), -1)
    norm = np.sqrt((flat**2).sum(axis=1, keepdims=True)) + 1e-6
    unit = flat / norm
    others = _window_sum(unit, AROUND) - unit
    out: FloatArray = (unit * others).sum(axis=1) / (np.sqrt((others**2).sum(axis=1)) + 1e-6)
    return out


def _window_sum(values_BW: FloatArray, around: int) -> FloatArray:
    """Sum over as many rows on either side of each, fewer at the ends."""
    total = np.concatenate([np.zeros((1, values_BW.shape[1])), np.cumsum(values_BW, axis=0, dtype=np.float64)])
    at = np.arange(len(values_BW))
    out: FloatArray = total[np.minimum(at + around + 1, len(at))] - total[np.maximum(at - around, 0)]
    return out


def _between(p_T: NDArray[np.floating], samples: IntArray) -> FloatArray:
    """Largest probability of a P wave between the T wave of the beat before and the P wave of this one; 0 where there is no
    room."""
    first = np.r_[samples[0], samples[:-1] + round(BETWEEN_S[0] * FS)]
    last = samples - round(BETWEEN_S[1] * FS)
    room = last > first
    edges = np.stack([first, last], axis=1)[room].clip(0, len(p_T) - 1).ravel()
    out = np.zeros(len(samples))
    if len(edges):
        out[room] = np.maximum.reduceat(p_T, edges)[::2]
    return out


def _atrial(signal_LT: NDArray[np.float32], samples: IntArray, kinds_B: NDArray[np.str_]) -> list[FloatArray]:
    """The spectral values of `Evidence`."""
    rest = _without_beats(signal_LT, samples, np.isin(kinds_B, ("V", "F")))
    count = rest.shape[1] // SLOWER
    frames_LHF = _frames(rest, count)
    hz = np.fft.rfftfreq(PADDED, SLOWER / FS)
    band = (hz >= BAND[0]) & (hz <= BAND[1])
    window = np.hanning(FRAME).astype(np.float32)
    power_HQ = sum((np.abs(np.fft.rfft(one * window, PADDED, axis=1)[:, band]) ** 2) for one in frames_LHF)
    long_HQ = uniform_filter1d(power_HQ / (power_HQ.sum(axis=1, keepdims=True) + 1e-6), LONG, axis=0, mode="nearest")
    size = np.sqrt((frames_LHF**2).mean(axis=(0, 2)))
    all_size = np.sqrt((_frames(signal_LT, count) ** 2).mean(axis=(0, 2)))
    short = _measures(power_HQ, hz[band])
    frame = np.minimum(np.round(samples / (SLOWER * HOP)).astype(np.int64), len(power_HQ) - 1)
    values = [*short, size / (all_size + 1e-6), *_measures(long_HQ, hz[band])[:3]]
    return [np.asarray(value, float)[frame] for value in values]


def _frames(signal_LT: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Frames ``[L, H, FRAME]`` of `count` samples at the slower rate, around every HOP."""
    slow = uniform_filter1d(signal_LT, SLOWER, axis=1)[:, SLOWER // 2::SLOWER][:, :count]
    padded = np.pad(slow, ((0, 0), (FRAME // 2, FRAME)))
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME, axis=1)[:, :max(1, count):HOP]


def _without_beats(signal_LT: NDArray[np.float32], samples: IntArray, wide_B: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The signal less the mean of each beat's neighbours, with zeros in the QRS and where a wide beat is."""
    total = signal_LT.shape[1]
    before, after = round(-BEAT_S[0] * FS), round(BEAT_S[1] * FS)
    usual = samples[~wide_B]
    rest, keep = signal_LT.copy(), np.ones(total, np.float32)
    if len(usual):
        beats = cut(signal_LT, usual, before, after).astype(np.float32)
        flat = beats.reshape(len(beats), -1)
        number = _window_sum(np.ones((len(flat), 1)), AROUND)
        mean = (_window_sum(flat, AROUND) / number).reshape(beats.shape).astype(np.float32)
        mean -= mean[:, :, -5:].mean(axis=2, keepdims=True)
        fade = round(0.1 * FS)
        mean[:, :, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        following = np.r_[usual[1:], total] - before
        for one, at, stop in zip(mean, usual, following, strict=True):
            low, high = max(0, at - before), min(total, at + after, max(stop, at))
            rest[:, low:high] -= one[:, low - at + before: high - at + before]
    for at, wide in zip(samples, wide_B, strict=True):
        low, high = WIDE_S if wide else QRS_S
        keep[max(0, at + round(low * FS)): at + round(high * FS)] = 0
    return rest * keep


def _measures(power_HQ: NDArray[np.floating], hz_Q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Strongest frequency (Hz), shares of power around it and in the bands of flutter and fibrillation."""
    total = power_HQ.sum(axis=1) + 1e-6
    hz = hz_Q[power_HQ.argmax(axis=1)]
    near = abs(hz_Q - hz[:, None]) <= PEAK_HZ

    def share(mask: NDArray[np.bool_]) -> FloatArray:
        out: FloatArray = np.where(mask, power_HQ, 0.0).sum(axis=1) / total
        return out

    return (hz, share(near), share(np.broadcast_to((hz_Q >= FLUTTER_HZ[0]) & (hz_Q < FLUTTER_HZ[1]), power_HQ.shape)),
            share(np.broadcast_to((hz_Q >= FIBRILLATION_HZ[0]) & (hz_Q < FIBRILLATION_HZ[1]), power_HQ.shape)))
