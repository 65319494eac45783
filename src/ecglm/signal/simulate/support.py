"""Where waves begin and end, made exact: every shape is moved and stretched until its onset and end are where the heart
model says they are. Times of the truth then follow from the model and need no delineation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.kernels import AT, LEFT, LOCAL, RIGHT, VECTOR

#: Share of a wave's largest height (root mean square over the eight leads) at which it begins and ends.
P_SHARE, QRS_SHARE, T_SHARE = 0.07, 0.006, 0.045


_UNIT = np.linspace(0, 1, 120)


class Support(NamedTuple):
    """Onset, peak and end of a wave in the unit of its kernels' centres."""

    on: float
    peak: float
    off: float


def lead_heights(kernels: FloatArray, field_83: FloatArray) -> FloatArray:
    """Height of every kernel in the eight independent leads ``[kernel, 8]`` (mV)."""
    return np.asarray(kernels[:, VECTOR] @ field_83.T + kernels[:, LOCAL])


def shape_on(grid_G: FloatArray, kernels: FloatArray, heights_K8: FloatArray) -> FloatArray:
    """The wave in the eight leads on a grid of times, ``[grid, 8]``."""
    z = grid_G[:, None] - kernels[:, AT]
    z /= np.where(z < 0, kernels[:, LEFT], kernels[:, RIGHT])
    return np.asarray(np.exp(-0.5 * z * z) @ heights_K8)


def support(kernels: FloatArray, field_83: FloatArray, share: float) -> Support:
    """Where the wave rises above and falls below `share` of its largest height; the whole span for a flat wave."""
    low = float((kernels[:, AT] - 3.2 * kernels[:, LEFT]).min())
    high = float((kernels[:, AT] + 3.2 * kernels[:, RIGHT]).max())
    grid = low + (high - low) * _UNIT
    wave = shape_on(grid, kernels, lead_heights(kernels, field_83))
    power = np.einsum("gl,gl->g", wave, wave)
    above = np.flatnonzero(power > share**2 * power.max())
    if not len(above):
        return Support(low, 0.5 * (low + high), high)
    return Support(float(grid[above[0]]), float(grid[power.argmax()]), float(grid[above[-1]]))


def fitted(kernels: FloatArray, field_83: FloatArray, share: float) -> tuple[FloatArray, float]:
    """Kernels stretched to begin at 0 and end at 1, and the place of the peak between them."""
    found = support(kernels, field_83, share)
    length = max(found.off - found.on, 1e-6)
    out = kernels.copy()
    out[:, AT] = (kernels[:, AT] - found.on) / length
    out[:, LEFT:RIGHT + 1] /= length
    return out, (found.peak - found.on) / length


def ended(kernels: FloatArray, field_83: FloatArray, share: float) -> tuple[FloatArray, Support]:
    """Kernels moved to end at 0, and their support."""
    found = support(kernels, field_83, share)
    out = kernels.copy()
    out[:, AT] -= found.off
    return out, Support(found.on - found.off, found.peak - found.off, 0.0)
