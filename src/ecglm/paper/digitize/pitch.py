"""How far apart the ruled lines are, and how they run: combs of peaks in the spectrum of the page.

Lines 5 mm apart and the fainter ones 1 mm apart make peaks at whole multiples of one wave. Which multiple the strongest
peak is, the peaks between tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.ndimage import median_filter

Floats = NDArray[np.float64]
#: How many 5 mm boxes the longer side of a picture may show.
MIN_BOXES, MAX_BOXES = 14, 80
#: Peaks of the spectrum that may be the ruling's; pairs with so much of the best pair's clearness are as clear.
_PEAKS, _AS_CLEAR = 4, 0.3
#: The ruling may be turned by so much (tangent), from upright.
TILT = 0.36
#: A comb of lines: mean over its first harmonics of height over the background. Noise and pictures stay below.
MIN_COMB = 1.45


def tiles_of(fine: NDArray[np.float32]) -> tuple[NDArray[np.float32], Floats, int]:
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


def window(size: int) -> NDArray[np.float32]:
    one = np.hanning(size).astype(np.float32)
    return one[:, None] * one[None, :]


@dataclass(frozen=True)
class Wave:
    """A candidate for the fundamental of the 5 mm lines: cycles/pixel along and across, height of its comb over the
    background, and how well its lines are all there (1: just as they must be)."""

    along: float
    across: float
    comb: float
    whole: float

    @property
    def length(self) -> float:
        return float(np.hypot(self.along, self.across))


def candidates(spectrum: Floats, longest: float) -> list[Wave]:
    """Candidates along x from the mean spectrum ``[fy, fx]`` of the tiles; longest: the picture's longer side, pixels."""
    n = len(spectrum)
    white = _whitened(spectrum)
    top = np.fft.fftshift(white, axes=0)  # fy from -n/2
    ridge = np.zeros(n // 2)
    slope = np.zeros(n // 2)
    for fx in range(6, n // 5):
        reach = int(TILT * fx)
        column = top[n // 2 - reach: n // 2 + reach + 1, fx]
        ridge[fx], slope[fx] = column.max(), (column.argmax() - reach) / fx
    # The edge of a sheet makes a broad hill along an axis, ruling makes peaks.
    ridge /= np.maximum(median_filter(ridge, size=41, mode="nearest"), 1.0)
    peak = cv2.dilate(top.astype(np.float32), np.ones((3, 3), np.uint8))
    out: list[Wave] = []
    left = ridge.copy()
    for _ in range(_PEAKS):
        strongest = int(left.argmax())
        if left[strongest] < MIN_COMB:
            break
        left[max(0, int(0.9 * strongest) - 1): int(1.1 * strongest) + 2] = 0.0
        out += _with_overtones(peak, strongest, float(slope[strongest]), longest)
    return out


def _with_overtones(peak: NDArray[np.float32], strongest: int, slope: float, longest: float) -> list[Wave]:
    """Candidates of which a peak of the spectrum is the first to fifth overtone."""
    n = len(peak)

    def height(h: float, f: float) -> float:
        x, y = round(h * f), round(h * f * slope)
        return float(peak[n // 2 + y, x]) - 1.0 if x < n // 2 - 1 and abs(y) < n // 2 - 1 else np.nan

    out = []
    for k, least in ((1, 0.0), (2, 0.4), (3, 0.4), (4, 0.4), (5, 0.15)):
        f = strongest / k
        lines = longest * f / n
        if not MIN_BOXES <= lines <= MAX_BOXES and not (k == 5 and lines > MIN_BOXES):
            continue
        known = [h for h in range(1, 2 * k) if h % (2 if k == 4 else k) and np.isfinite(height(h, f))]
        whole = 1.0
        if k > 1:
            whole = 0.0
            if known:
                there = float(np.mean([height(h, f) for h in known]))
                between = float(np.nanmean([height(h + 0.5, f) for h in range(1, 2 * k)]))
                whole = min(there / (height(k, f) + 1e-9) / least, there / (between + 0.5) / 1.8)
        comb = float(np.exp(np.mean([np.log(max(1.0, 1 + height(h, f))) for h in (k, 2 * k) if np.isfinite(height(h, f))])))
        out.append(Wave(f / n, f * slope / n, comb, whole))
    return out


def _whitened(spectrum: Floats) -> Floats:
    """Height over the usual height at the same distance from the origin."""
    n = len(spectrum)
    f = np.fft.fftfreq(n) * n
    radius = np.round(np.hypot(f[:, None], f[None, :]) / 3).astype(int)
    order = np.argsort(radius.ravel(), kind="stable")
    bounds = np.flatnonzero(np.diff(radius.ravel()[order], prepend=-1, append=radius.max() + 1))
    usual = np.array([np.median(spectrum.ravel()[order[a:b]]) for a, b in pairwise(bounds)])
    white: Floats = spectrum / (usual[radius] + 1e-9)
    return white


def agreed(along: list[Wave], across: list[Wave]) -> tuple[Wave, Wave] | None:
    """Paper is ruled alike both ways: of the pairs of about one pitch and whole combs the clearest, and of those about as
    clear the one of the longest period."""
    pairs = [(a, b) for a in along for b in across if 0.75 < a.length / b.length < 1.33]
    if not pairs:
        return None
    whole = [pair for pair in pairs if min(wave.whole for wave in pair) >= 1.0]
    if not whole:
        return max(pairs, key=lambda pair: min(wave.whole for wave in pair))
    best = max(a.comb * b.comb for a, b in whole)
    return min((pair for pair in whole if pair[0].comb * pair[1].comb > _AS_CLEAR * best),
               key=lambda pair: pair[0].length + pair[1].length)
