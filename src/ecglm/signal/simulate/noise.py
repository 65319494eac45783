"""What the recorder adds: wander, muscle, mains, moving electrodes, its filters and its steps.

Noise arises at electrodes and reaches the leads through Einthoven's and Wilson's sums, so a bad left arm spoils I, III
and all chest leads, as it does on the ward. Levels were set so that the spectra resemble those of PTB-XL and LUDB
(docs/simulate.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.heart import Heart
from ecglm.signal.simulate.kernels import Float32
from ecglm.signal.simulate.torso import ELECTRODES, FROM_ELECTRODES_89

#: Noise of longer records is made in blocks of this length that fade into one another over FADE_S (s).
BLOCK_S, FADE_S = 60.0, 2.0
#: Arms and legs move and tremble more than the chest; which of the two each electrode is on.
_TREMOR_21, _PART_OF_BODY = np.array([[1.4], [0.45]]), [0] * 3 + [1] * 6
#: Low-pass, high-pass, step and mains of twenty recorders each.
_DEVICES = ((150.0,) * 12 + (100.0,) * 6 + (40.0,) * 2, (0.05,) * 12 + (0.15,) * 4 + (0.5,) * 4,
            (0.001, 0.0025, 0.00488, 0.005) * 5, (50.0,) * 7 + (60.0,) * 5 + (0.0,) * 8)
_MIX_89 = FROM_ELECTRODES_89.astype(np.float32)


@dataclass(frozen=True)
class Device:
    """A recorder. lowpass_hz and highpass_hz: its corners; step_mv: one count; mains_hz: 50, 60 or 0 behind a notch."""

    lowpass_hz: float
    highpass_hz: float
    step_mv: float
    mains_hz: float

    def blur_s(self, fs: float) -> float:
        """Width (s) of the bell that the low-pass makes of an impulse, never below what the rate can show."""
        return max(0.1325 / self.lowpass_hz, 0.42 / fs)


def draw_device(rng: np.random.Generator) -> Device:
    """One of the recorders in use: diagnostic band mostly, monitor band at times."""
    return Device(*[kind[pick] for kind, pick in zip(_DEVICES, rng.integers(20, size=4).tolist(), strict=True)])


def recorder_noise(heart: Heart, device: Device, n: int, fs: float, rng: np.random.Generator) -> Float32:
    """Noise of the eight independent leads ``[8, time]`` in mV."""
    level = np.exp(rng.normal(0, 0.55, 3))
    each_89 = _MIX_89 * np.exp(rng.normal(0, 0.45, len(ELECTRODES))).astype(np.float32)
    block = round(BLOCK_S * fs)
    if n <= block:
        out = _block(device, level, each_89, n, fs, rng)
    else:
        out = np.zeros((len(_MIX_89), n), np.float32)
        fade = round(FADE_S * fs)
        rise = np.sin(np.linspace(0, np.pi / 2, fade)).astype(np.float32)
        for start in range(0, n, block - fade):
            part = _block(device, level, each_89, min(block, n - start), fs, rng)
            if start:
                part[:, :fade] *= rise[: part.shape[1]]
            if start + block < n:
                part[:, -fade:] *= rise[::-1]
            out[:, start: start + part.shape[1]] += part
    t = np.arange(n, dtype=np.float32) / np.float32(fs)
    # Waves with one cause, and how much each electrode has of them.
    waves: list[Float32] = [float(0.05 * level[0]) * np.sin(2 * np.pi * heart.breath_hz * t + np.float32(heart.breath_phase))]
    shares = [rng.standard_normal(len(ELECTRODES)).astype(np.float32) * np.float32(device_share(device, heart.breath_hz))]
    if device.mains_hz and device.mains_hz < 0.5 * fs:
        hum = float(0.0025 * np.exp(rng.normal(0, 0.9)))
        shares.append(hum * rng.standard_normal(len(ELECTRODES)).astype(np.float32))
        waves.append(np.sin(2 * np.pi * device.mains_hz * t + np.float32(rng.uniform(0, 6.28))))
    if rng.random() < 0.15:
        shift, touched = _movement(device, n, fs, rng)
        waves.append(shift)
        shares.append(np.eye(1, len(ELECTRODES), touched, np.float32)[0])
    out += (_MIX_89 @ np.stack(shares, axis=1)) @ np.stack(waves)
    return out


def device_share(device: Device, hz: float) -> float:
    """How much of a slow wave the recorder's high-pass lets through (second order, zero phase)."""
    return float(1 / (1 + (device.highpass_hz / hz) ** 4))


@lru_cache(maxsize=16)
def _spectra(lowpass_hz: float, highpass_hz: float, n: int, fs: float) -> tuple[int, FloatArray, FloatArray]:
    """Length of the transform; densities of muscle ``[limb or chest, bin]`` and wander ``[bin]`` at level 1 (mV per root Hz)."""
    size = int(next_fast_len(n + 8, real=True))
    hz = np.fft.rfftfreq(size, 1 / fs)
    hz = hz[: int(np.searchsorted(hz, 2.0 * lowpass_hz))]  # nothing passes above
    f = np.maximum(hz, hz[1])
    muscle = 0.00024 * _TREMOR_21 * (f / (f + 12.0)) * np.exp(-0.5 * (hz / lowpass_hz / 0.85) ** 2)
    wander = 0.0150 / (1 + (f / 0.8) ** 1.7) / (1 + (highpass_hz / f) ** 4) + 0.0012 / (1 + f / 3.0)
    return size, muscle, wander


def _block(device: Device, level: FloatArray, mix_89: Float32, n: int, fs: float, rng: np.random.Generator) -> Float32:
    """Muscle and wander of the eight leads ``[8, time]``: random spectra of the wanted shape, mixed, back to time."""
    size, muscle_21, wander_1 = _spectra(device.lowpass_hz, device.highpass_hz, n, fs)
    # Even numbers will do: each sample is a sum of thousands of them. Their deviation is 2**16 / sqrt(12).
    scale = np.sqrt(12) / 2**16 * np.sqrt(fs * size / 2) / np.sqrt(2)
    muscle, wander = (scale * level[1]) * muscle_21, (scale * level[2]) * wander_1
    raw = _even(rng, len(wander))
    bursts = rng.random() < 0.3
    density = muscle if bursts else np.sqrt(muscle**2 + wander**2)
    out = _in_time(raw, density.astype(np.float32)[_PART_OF_BODY], mix_89, size)
    if bursts:  # a muscle that tightens now and then
        knots = np.arange(0, n / fs + 1.5, 0.5)
        height = np.exp(rng.normal(0, 0.6, len(knots)))
        out[:, :n] *= np.interp(np.arange(n) / fs, knots, height).astype(np.float32)
        slow = min(len(wander), int(25 * size / fs) + 1)
        out += _in_time(_even(rng, slow), wander[:slow].astype(np.float32), mix_89, size)
    return out[:, :n]


def _in_time(raw_29F: NDArray[np.int16], density: Float32, mix_89: Float32, size: int) -> Float32:
    """Real and imaginary parts of the electrodes' spectra, shaped and mixed to leads, as a signal ``[8, size]``."""
    spectrum = np.empty(raw_29F.shape[1:], np.complex64)
    np.multiply(raw_29F[0], density, out=spectrum.real)
    np.multiply(raw_29F[1], density, out=spectrum.imag)
    out: Float32 = irfft((mix_89 @ spectrum.view(np.float32)).view(np.complex64), size, axis=1)
    return out


def _even(rng: np.random.Generator, bins: int) -> NDArray[np.int16]:
    """Evenly distributed whole numbers for real and imaginary parts ``[2, electrode, bin]``, from -2**15 to 2**15 - 1."""
    n = 2 * len(ELECTRODES) * bins
    words = rng.bit_generator.random_raw(-(-n // 4))
    return words.astype("<u8", copy=False).view("<i2")[:n].reshape(2, len(ELECTRODES), bins)


def _movement(device: Device, n: int, fs: float, rng: np.random.Generator) -> tuple[Float32, int]:
    """One electrode that was touched: a quick shift ``[time]`` that decays with the recorder's time constant, and which."""
    start = int(rng.integers(n))
    decay = 0.16 / max(device.highpass_hz, 0.15)
    t = np.arange(n - start) / fs
    out = np.zeros(n, np.float32)
    out[start:] = (1 - np.exp(-t / 0.05)) * np.exp(-t / decay) * float(rng.normal(0, 0.18))
    return out, int(rng.integers(len(ELECTRODES)))
