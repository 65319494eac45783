"""The ruled lines of ECG paper: how far apart they are, and where each of them lies.

Lines 5 mm apart (and the fainter ones 1 mm apart) make sharp peaks in the spectrum of every tile of the
page. Their direction and pitch, tile by tile, give a first map of the paper; demodulating the page with it
gives the phase of the ruling everywhere, so that perspective, curl and shear are undone alike.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2

from ecglm.paper.digitize.pitch import MIN_COMB, Wave, agreed, candidates, tiles_of, window

Floats = NDArray[np.float64]
#: Longest side (pixels) at which the ruling is looked for.
SIDE = 1600


@dataclass(frozen=True)
class Lattice:
    """Where the 5 mm lines are: points ``[n, 2]`` of the image (x, y, pixels), their place on the paper in mm, and how
    clearly the ruling is seen at each (weight, 0..1). pitch: pixels per mm in the middle, along x and y. comb: how far
    the ruling stands above the background of the spectrum. fit_mm: spread of the points about a smooth sheet."""

    pixels: Floats
    paper_mm: Floats
    weight: Floats
    pitch: tuple[float, float]
    comb: float


def ruling(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The page ``[y, x]`` with only what is as fine as lines: dark is positive, lighting is gone, dark ink is capped."""
    wide = max(image.shape[:2]) / 45.0
    brush = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * int(wide / 2.5) + 1,) * 2)

    def thin(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What is darker than all around, and thin: no shading, no edge of a sheet, no dark table."""
        smooth = cv2.GaussianBlur(picture, (0, 0), 0.6)
        return np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, brush), np.float32)

    fine = thin(image.min(axis=2))  # coloured lines are darkest in one channel
    black = thin(image.max(axis=2))  # ink is dark in every channel, darker than the lines: it is left out, with its edges
    ink = (black > 1.5 * np.percentile(fine, 90)) & (black > 0.6 * np.percentile(black, 99.5))
    fine = fine - _blurred(fine, wide)
    scale = np.sqrt(_blurred(np.clip(fine, -60.0, 60.0) ** 2, 2 * wide)) + 2.0
    fine = np.clip(fine / scale, -1.5, 1.5)
    fine[cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0.0
    return np.asarray(fine, np.float32)


def _blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A wide Gaussian blur, on a coarser picture, as nothing fine is left of it."""
    step = max(1, int(sigma / 4))
    height, width = picture.shape
    coarse = cv2.resize(picture, (max(2, width // step), max(2, height // step)), interpolation=cv2.INTER_AREA)
    blurred: NDArray[np.float32] = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), sigma / step), (width, height))
    return blurred


def find_lattice(image: NDArray[np.uint8]) -> Lattice | None:
    """The ruling of a page uint8 ``[y, x, 3]``, or None when none is seen."""
    shrink = min(1.0, SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
    fine = ruling(small)
    tiles, centres, size = tiles_of(fine)
    spectra = np.abs(fft2(tiles * window(size), s=(2 * size, 2 * size)))
    # Spectra of tiles that show ruling stand out; each counts by its own background, so that a table or a dark edge does not.
    spectra /= np.median(spectra, axis=(1, 2), keepdims=True) + 1e-6
    mean = np.sqrt((spectra ** 2).mean(axis=0))
    axes = agreed(*(candidates(mirrored, max(fine.shape)) for mirrored in (mean, mean.T)))
    if axes is None or min(wave.comb for wave in axes) < MIN_COMB:
        return None
    waves = [_local_waves(spectra if axis == 0 else spectra.transpose(0, 2, 1), axes[axis]) for axis in (0, 1)]
    phases, weights = [], []
    rows, columns = _grid_of(fine.shape, axes)
    for axis in (0, 1):
        slopes = waves[axis][:, [1, 0, 2]] if axis == 1 else waves[axis]
        carrier = _smooth_carrier(slopes, centres)
        if carrier is None:
            return None
        phase, strength = _demodulate(fine, carrier, rows, columns, 1.0 / axes[axis].length)
        phases.append(phase)
        weights.append(strength)
    weight = np.sqrt(weights[0] * weights[1])
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) / shrink
    paper = 5.0 * np.stack([p.ravel() for p in phases], axis=1)
    pitch = (0.2 / axes[0].length / shrink, 0.2 / axes[1].length / shrink)
    return Lattice(points, paper, weight.ravel(), pitch, min(wave.comb for wave in axes))


def _local_waves(spectra: Floats, wave: Wave) -> Floats:
    """Each tile's own fundamental ``[tile, 3]``: cycles/pixel along and across, and how clear (0: not seen)."""
    n = spectra.shape[1]
    out = np.zeros((len(spectra), 3))
    centre = np.array([wave.along, wave.across]) * n
    reach = int(np.ceil(0.22 * wave.length * n)) + 1
    span = np.arange(-reach, reach + 0.25, 0.25)
    for i, spectrum in enumerate(spectra):
        total = np.zeros((len(span), len(span)))
        for h in (1, 2, 3, 4, 5):
            x, y = h * (centre[0] + span[None, :]), h * (centre[1] + span[:, None])
            if x.max() >= n // 2 - 2:
                break
            at_x, at_y = np.broadcast_arrays(x % n, y % n)
            sampled = cv2.remap(spectrum.astype(np.float32), at_x.astype(np.float32), at_y.astype(np.float32),
                                cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            total += np.minimum(sampled, 25.0)
        k = np.unravel_index(total.argmax(), total.shape)
        out[i, 0], out[i, 1] = (centre[0] + span[k[1]]) / n, (centre[1] + span[k[0]]) / n
        out[i, 2] = max(0.0, float(total[k] / (np.median(total) + 1e-6)) - 1.0)
    return out


def _smooth_carrier(waves: Floats, centres: Floats) -> Floats | None:
    """Phase (cycles) as a quadratic of x and y whose slopes are the tiles' waves: coefficients of x, y, x², xy, y²."""
    weight = np.minimum(waves[:, 2], 3.0)
    if (weight > 0.3).sum() < 1:
        return None
    x, y = centres[:, 0], centres[:, 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([one, zero, 2 * x, y, zero], 1), np.stack([zero, one, zero, x, 2 * y], 1)])
    wanted = np.concatenate([waves[:, 0], waves[:, 1]])
    size = max(x.max(), y.max(), 1.0)
    scale = np.array([1.0, 1.0, 1 / size, 1 / size, 1 / size])
    # With few tiles the quadratic part is not known: it is held near zero, within what paper held by hand does.
    hold = np.diag([0.0, 0.0, 0.03, 0.03, 0.03]) * max(1.0, weight.sum())
    coefficients = np.zeros(5)
    for _ in range(8):
        w = np.concatenate([weight, weight])
        a = rows * scale
        coefficients = scale * np.linalg.solve((a * w[:, None]).T @ a + hold, (a * w[:, None]).T @ wanted)
        off = np.abs(rows @ coefficients - wanted).reshape(2, -1).max(axis=0)
        typical = np.median(off) + 0.004 * np.abs(wanted).max()
        weight = np.minimum(waves[:, 2], 3.0) / (1 + (off / (2 * typical)) ** 2)
    return coefficients


def _grid_of(shape: tuple[int, ...], axes: tuple[Wave, Wave]) -> tuple[Floats, Floats]:
    """Rows and columns of the points at which the phase is read, about one per 5 mm box."""
    def places(n: int, period: float) -> Floats:
        count = int(np.clip(round(n / period), 12, 90))
        return (np.arange(count) + 0.5) * n / count - 0.5
    return places(shape[0], 1 / axes[1].length), places(shape[1], 1 / axes[0].length)


def _demodulate(fine: NDArray[np.float32], carrier: Floats, rows: Floats, columns: Floats, period: float,
                ) -> tuple[Floats, Floats]:
    """Phase (cycles of the 5 mm lines) and clearness (0..1) at ``[row, column]``."""
    height, width = fine.shape
    a, b, c, d, e = carrier

    def turns(y: Floats, x: Floats) -> Floats:
        turned: Floats = a * x + b * y + c * x * x + d * x * y + e * y * y
        return turned

    cycles = turns(np.arange(height, dtype=float)[:, None], np.arange(width, dtype=float)[None, :])
    # After a turn by the carrier all is slow, and a coarser picture is enough.
    step = max(1, int(period / 5))
    coarse = (max(2, width // step), max(2, height // step))
    known: NDArray[np.float32] = np.zeros((len(rows), len(columns)), np.float32)
    power = cv2.resize(fine * fine, coarse, interpolation=cv2.INTER_AREA)
    known_strength = np.zeros(known.shape)
    # First the 5 mm lines in wide windows, then narrower ones following what was found, then the finer overtones of the ruling.
    for reach, overtone in ((2.2, 1), (1.3, 1), (1.1, 1), (1.1, 2), (1.0, 5)):
        shift = cv2.resize(known, (width, height), interpolation=cv2.INTER_CUBIC)
        angle = (-2 * np.pi * overtone * (cycles + shift)).astype(np.float32)
        parts = [cv2.GaussianBlur(cv2.resize(fine * turn, coarse, interpolation=cv2.INTER_AREA), (0, 0), reach * period / step)
                 for turn in (np.cos(angle), np.sin(angle))]
        level = cv2.GaussianBlur(power, (0, 0), reach * period / step)
        field = _read(parts[0], rows, columns, fine.shape) + 1j * _read(parts[1], rows, columns, fine.shape)
        strength = np.abs(field) / (np.sqrt(_read(level, rows, columns, fine.shape)) + 1e-6)
        if overtone == 1:
            known = (known + _unwrapped(np.angle(field) / (2 * np.pi), strength)).astype(np.float32)
            known_strength = strength
        elif np.median(strength) > 0.6 * np.median(known_strength):
            known = (known + np.angle(field) / (2 * np.pi * overtone) * (strength > 0.5 * known_strength)).astype(np.float32)
    phase = turns(rows[:, None], columns[None, :]) + known
    clear = np.clip(known_strength / (np.percentile(known_strength, 90) + 1e-9), 0.0, 1.0)
    return phase, clear


def _read(coarse: NDArray[np.float32], rows: Floats, columns: Floats, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values at pixels of a picture of which this is a coarser one."""
    y, x = ((at + 0.5) * have / full - 0.5 for at, have, full in zip((rows, columns), coarse.shape, shape, strict=True))
    at = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    read: NDArray[np.float32] = cv2.remap(coarse, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return read


def _unwrapped(phase: Floats, strength: Floats) -> Floats:
    """Phase (cycles) without jumps, spread from the clearest point to its clearest neighbours first."""
    out = np.full(phase.shape, np.nan)
    start = np.unravel_index(cv2.GaussianBlur(strength, (0, 0), 2.0).argmax(), phase.shape)
    out[start] = phase[start]
    queue = [(-strength[start], int(start[0]), int(start[1]))]
    height, width = phase.shape
    while queue:
        _, i, j = heapq.heappop(queue)
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < height and 0 <= m < width and np.isnan(out[k, m]):
                out[k, m] = phase[k, m] + np.round(out[i, j] - phase[k, m])
                heapq.heappush(queue, (-strength[k, m], k, m))
    return out
