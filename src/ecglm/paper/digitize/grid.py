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
from scipy.fft import fft2, next_fast_len

Floats = NDArray[np.float64]
#: Longest side (pixels) at which the ruling is looked for.
SIDE = 1600
#: The ruling may be turned by so much (tangent), from upright.
TILT = 0.36
#: A comb of lines: mean over its first harmonics of height over the background. Noise and pictures stay below.
MIN_COMB = 1.45


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
    # Coloured lines are darkest in one channel; ink is dark in all of them and is capped below.
    dark = image.min(axis=2).astype(np.float32)
    wide = max(image.shape[:2]) / 45.0
    flat = cv2.GaussianBlur(dark, (0, 0), wide)
    fine = flat - dark
    scale = np.sqrt(cv2.GaussianBlur(np.minimum(fine, 60.0) ** 2, (0, 0), 2 * wide)) + 2.0
    return np.asarray(np.clip(fine / scale, -1.5, 1.5), np.float32)


def find_lattice(image: NDArray[np.uint8]) -> Lattice | None:
    """The ruling of a page uint8 ``[y, x, 3]``, or None when none is seen."""
    shrink = min(1.0, SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
    fine = ruling(small)
    tiles, centres, size = _tiles(fine)
    spectra = np.abs(fft2(tiles * _window(size), s=(2 * size, 2 * size)))
    # Spectra of tiles that show ruling stand out; each counts by its own background, so that a table or a dark edge does not.
    spectra /= np.median(spectra, axis=(1, 2), keepdims=True) + 1e-6
    mean = np.sqrt((spectra ** 2).mean(axis=0))
    axes = []
    for mirrored in (mean, mean.T):
        found = _comb(mirrored, size)
        if found is None:
            return None
        axes.append(found)
    axes = _agree(axes, (mean, mean.T), size)
    comb = min(found[2] for found in axes)
    waves = [_local_waves(spectra if axis == 0 else spectra.transpose(0, 2, 1), axes[axis], size) for axis in (0, 1)]
    phases, weights = [], []
    rows, columns = _grid_of(fine.shape, axes, size)
    for axis in (0, 1):
        slopes = waves[axis][:, [1, 0, 2]] if axis == 1 else waves[axis]
        carrier = _smooth_carrier(slopes, centres)
        if carrier is None:
            return None
        phase, strength = _demodulate(fine, carrier, rows, columns, 1.0 / axes[axis][1], axes[axis][3])
        phases.append(phase)
        weights.append(strength)
    weight = np.sqrt(weights[0] * weights[1])
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) / shrink
    paper = 5.0 * np.stack([p.ravel() for p in phases], axis=1)
    pitch = tuple(1.0 / axes[axis][1] / 5.0 / shrink for axis in (0, 1))
    return Lattice(points, paper, weight.ravel(), pitch, comb)


def _tiles(fine: NDArray[np.float32]) -> tuple[NDArray[np.float32], Floats, int]:
    """Half-overlapping square tiles ``[tile, y, x]`` and their centres (x, y)."""
    height, width = fine.shape
    size = min(next_fast_len(2 * int(max(width, height) / 6.5)), min(width, height) // 2 * 2)
    def starts(n: int) -> NDArray[np.int64]:
        count = max(1, int(np.ceil((n - size) / (size / 2))) + 1)
        return np.linspace(0, n - size, count).astype(np.int64)
    corners = [(y, x) for y in starts(height) for x in starts(width)]
    tiles = np.stack([fine[y:y + size, x:x + size] for y, x in corners])
    tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    return tiles, np.array([(x + size / 2, y + size / 2) for y, x in corners], float), size


def _window(size: int) -> NDArray[np.float32]:
    one = np.hanning(size).astype(np.float32)
    return one[:, None] * one[None, :]


def _comb(spectrum: Floats, size: int) -> tuple[Floats, float, float, int] | None:
    """The fundamental of the 5 mm lines along x: its wave (cycles/pixel, x and y), |wave|, comb score, best harmonic.

    spectrum: magnitude ``[fy, fx]`` of tiles padded to twice their size.
    """
    n = 2 * size
    white = _whitened(spectrum)
    score = _scores(white, size)
    if not score:
        return None
    # Of the waves with a good comb the longest: lines 1 mm apart have a comb of their own.
    best = max(value for value, _, _ in score)
    if best < MIN_COMB:
        return None
    good = [item for item in score if item[0] > max(MIN_COMB, 0.62 * best)]
    lowest = min(np.hypot(fx, fy) for _, fx, fy in good)
    near = [item for item in good if np.hypot(item[1], item[2]) < 1.3 * lowest]
    value, fx, fy = max(near)
    return np.array([fx / n, fy / n]), float(np.hypot(fx, fy) / n), value, _strongest(white, fx, fy)


def _whitened(spectrum: Floats) -> Floats:
    """Height over the usual height at the same distance from the origin, in the half plane of positive fx."""
    n = len(spectrum)
    f = np.fft.fftfreq(n) * n
    radius = np.round(np.hypot(f[:, None], f[None, :]) / 3).astype(int)
    order = np.argsort(radius.ravel(), kind="stable")
    bounds = np.flatnonzero(np.diff(radius.ravel()[order], prepend=-1, append=radius.max() + 1))
    usual = np.array([np.median(spectrum.ravel()[order[a:b]]) for a, b in zip(bounds[:-1], bounds[1:], strict=True)])
    white: Floats = spectrum / (usual[radius] + 1e-9)
    return white


def _scores(white: Floats, size: int) -> list[tuple[float, float, float]]:
    """(score, fx, fy) of the candidate fundamentals, in bins of the padded spectrum."""
    n = len(white)
    top = np.fft.fftshift(cv2.dilate(white.astype(np.float32), np.ones((3, 3), np.uint8)), axes=0)  # fy: -n/2 .. n/2
    capped = np.minimum(top, 12.0)
    out = []
    lowest, highest = 2 * 3, n // 8  # at least three lines in a tile, at least eight pixels apart
    fxs = np.arange(lowest, highest)
    for fx in fxs:
        reach = int(TILT * fx)
        fys = np.arange(-reach, reach + 1)
        total = np.zeros(len(fys))
        count = 0
        first = np.zeros(len(fys))
        for h in range(1, 6):
            if h * fx >= n // 2 - 1:
                break
            rows = n // 2 + h * fys
            inside = (rows >= 0) & (rows < n)
            level = np.where(inside, capped[np.clip(rows, 0, n - 1), h * fx], 1.0)
            total += np.log(np.maximum(level, 0.5))
            count += 1
            if h == 1:
                first = level
        value = total / count
        value[first < 1.6] = -1.0
        k = int(value.argmax())
        if value[k] > 0:
            out.append((float(np.exp(value[k])), float(fx), float(fys[k])))
    return out


def _strongest(white: Floats, fx: float, fy: float) -> int:
    """Which of the harmonics 1 and 5 stands out more."""
    n = len(white)
    def at(h: int) -> float:
        x, y = round(h * fx), round(h * fy)
        return float(white[np.ix_(np.arange(y - 2, y + 3) % n, np.arange(x - 2, x + 3) % n)].max()) if x < n // 2 - 3 else 0.0
    return 1 if at(1) * 2 >= at(5) else 5


def _agree(axes: list[tuple[Floats, float, float, int]], spectra: tuple[Floats, Floats], size: int,
           ) -> list[tuple[Floats, float, float, int]]:
    """Paper is ruled alike both ways: where one pitch is a multiple of the other, the clearer comb decides."""
    ratio = axes[0][1] / axes[1][1]
    if 0.75 < ratio < 1.33:
        return axes
    sure, other = (0, 1) if axes[0][2] >= axes[1][2] else (1, 0)
    out = list(axes)
    white = _whitened(spectra[other])
    near = [item for item in _scores(white, size) if 0.8 < np.hypot(item[1], item[2]) / (2 * size) / axes[sure][1] < 1.25]
    if near:
        value, fx, fy = max(near)
        n = 2 * size
        out[other] = (np.array([fx / n, fy / n]), float(np.hypot(fx, fy) / n), value, _strongest(white, fx, fy))
    return out


def _local_waves(spectra: Floats, axis: tuple[Floats, float, float, int], size: int) -> Floats:
    """Each tile's own fundamental ``[tile, 3]``: cycles/pixel along and across, and how clear (0: not seen)."""
    wave, length, _, harmonic = axis
    n = spectra.shape[1]
    out = np.zeros((len(spectra), 3))
    centre = wave * n
    reach = int(np.ceil(0.22 * length * n)) + 1
    span = np.arange(-reach, reach + 0.25, 0.25)
    for i, spectrum in enumerate(spectra):
        total = np.zeros((len(span), len(span)))
        for h in (1, 2, 3, 4, 5):
            x, y = h * (centre[0] + span[None, :]), h * (centre[1] + span[:, None])
            if x.max() >= n // 2 - 2:
                break
            sampled = cv2.remap(spectrum.astype(np.float32), (x % n + 0 * y).astype(np.float32), (y % n + 0 * x).astype(np.float32),
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


def _grid_of(shape: tuple[int, ...], axes: list[tuple[Floats, float, float, int]], size: int) -> tuple[Floats, Floats]:
    """Rows and columns of the points at which the phase is read, about one per 5 mm box."""
    def places(n: int, period: float) -> Floats:
        count = int(np.clip(round(n / period), 12, 90))
        return (np.arange(count) + 0.5) * n / count
    return places(shape[0], 1 / axes[1][1]), places(shape[1], 1 / axes[0][1])


def _demodulate(fine: NDArray[np.float32], carrier: Floats, rows: Floats, columns: Floats, period: float, harmonic: int,
                ) -> tuple[Floats, Floats]:
    """Phase (cycles of the 5 mm lines) and clearness (0..1) at ``[row, column]``."""
    height, width = fine.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    a, b, c, d, e = carrier
    cycles = (a * x + b * y + c * x * x + d * x * y + e * y * y).astype(np.float64)
    # After a turn by the carrier all is slow, and a coarser picture is enough.
    step = max(1, int(period / 5))
    coarse = (max(2, width // step), max(2, height // step))
    known: NDArray[np.float32] = np.zeros((len(rows), len(columns)), np.float32)
    power = cv2.resize(fine * fine, coarse, interpolation=cv2.INTER_AREA)
    for reach in (2.2, 1.3):  # first with wide windows, then with narrower ones, following what was found
        shift = cv2.resize(known, (width, height), interpolation=cv2.INTER_LINEAR)
        angle = (-2 * np.pi * (cycles + shift)).astype(np.float32)
        parts = [cv2.GaussianBlur(cv2.resize(fine * turn, coarse, interpolation=cv2.INTER_AREA), (0, 0), reach * period / step)
                 for turn in (np.cos(angle), np.sin(angle))]
        level = cv2.GaussianBlur(power, (0, 0), reach * period / step)
        at = np.ix_(np.minimum(rows / step, coarse[1] - 1).astype(int), np.minimum(columns / step, coarse[0] - 1).astype(int))
        field = parts[0][at] + 1j * parts[1][at]
        strength = np.abs(field) / (np.sqrt(level[at]) + 1e-6)
        known = (known + _unwrapped(np.angle(field) / (2 * np.pi), strength)).astype(np.float32)
    phase = cycles[np.ix_(rows.astype(int), columns.astype(int))] + known
    clear = np.clip(strength / (np.percentile(strength, 90) + 1e-9), 0.0, 1.0)
    return phase, clear


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
