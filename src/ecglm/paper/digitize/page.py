"""The page as it left the cart: flat, upright, and at a known number of pixels per millimetre."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from ecglm.paper.digitize.grid import Floats, Lattice

#: Pixels per mm of the flat page: close to the image's own, within these bounds.
RANGE_PX = (5.0, 10.0)
#: Points of the ruling less clear than this are not believed.
CLEAR = 0.25
BORDER = 0.5


@dataclass(frozen=True)
class FlatPage:
    """image: uint8 ``[y, x, 3]``, of whole 5 mm boxes. px: pixels per mm, a multiple of 1/5. x, y: float32, where in the
    original image each pixel lies, and inside: whether it does. spread_mm: how far the ruling lies off the map, in the
    middle."""

    image: NDArray[np.uint8]
    px: float
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    inside: NDArray[np.bool_]
    spread_mm: float


def flatten(image: NDArray[np.uint8], lattice: Lattice) -> FlatPage | None:
    """The ruled part of the image (and a centimetre around it) without perspective, curl and rotation; None when the
    ruling does not form one sheet."""
    good = lattice.weight > CLEAR
    if good.sum() < 30:
        return None
    sheet = _Sheet.fit(lattice.paper_mm[good], lattice.pixels[good], lattice.weight[good])
    if sheet is None:
        return None
    off_mm = np.hypot(*((sheet.pixels(lattice.paper_mm[good]) - lattice.pixels[good]) / lattice.pitch).T)
    kept = off_mm < 2.2
    if kept.mean() < 0.5:
        return None
    # Half as clear as elsewhere the ruling is at its border; nothing is read outside.
    ruled = lattice.paper_mm[good][kept & (lattice.weight[good] > BORDER)]
    if len(ruled) < 30:
        return None
    low, high = np.percentile(ruled, 0.5, axis=0) - 4.0, np.percentile(ruled, 99.5, axis=0) + 4.0
    low = 5.0 * np.floor(low / 5.0)  # whole boxes
    if np.any(high - low > 700.0) or np.any(high - low < 20.0):
        return None
    px = round(5 * float(np.clip(np.sqrt(lattice.pitch[0] * lattice.pitch[1]), *RANGE_PX))) / 5
    width, height = (np.ceil((high - low) / 5.0) * round(5 * px)).astype(int)
    # The map is smooth: it is worked out on a coarse net and interpolated.
    net_x, net_y = (np.linspace(0, n - 1, max(2, int(n / (2 * px)))) for n in (width, height))
    at = np.stack(np.meshgrid(low[0] + net_x / px, low[1] + net_y / px), axis=-1)
    where = sheet.pixels(at.reshape(-1, 2)).reshape(*at.shape)
    where = where + _local(lattice.paper_mm[good][kept], (lattice.pixels[good] - sheet.pixels(lattice.paper_mm[good]))[kept],
                           lattice.weight[good][kept], low, high, net_x / px, net_y / px)
    map_x, map_y = (RectBivariateSpline(net_y, net_x, where[..., k])(np.arange(height), np.arange(width)).astype(np.float32)
                    for k in (0, 1))
    native = np.sqrt(lattice.pitch[0] * lattice.pitch[1])
    source = cv2.GaussianBlur(image, (0, 0), 0.4 * native / px) if native > 1.4 * px else image
    flat = cv2.remap(source, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = (map_x > -1) & (map_y > -1) & (map_x < image.shape[1]) & (map_y < image.shape[0])
    return FlatPage(flat, px, map_x, map_y, inside, float(np.median(off_mm)))


def _local(paper: Floats, off: Floats, weight: Floats, low: Floats, high: Floats, net_x: Floats, net_y: Floats) -> Floats:
    """What folds and wrinkles move, in pixels, at the points of a net (mm from low): the points' own distance ``off`` from
    the smooth sheet, averaged over a box or two."""
    columns, rows = (np.ceil((high - low) / 5.0)).astype(int) + 1
    place = (paper - low) / 5.0
    cell = np.clip(np.rint(place).astype(int), 0, (columns - 1, rows - 1))
    sums = np.zeros((rows, columns, 3))
    np.add.at(sums, (cell[:, 1], cell[:, 0]), np.stack([weight * off[:, 0], weight * off[:, 1], weight], axis=1))
    sums = cv2.GaussianBlur(sums, (0, 0), 0.8, borderType=cv2.BORDER_CONSTANT)
    field = sums[..., :2] / (sums[..., 2:] + 0.03 * np.percentile(sums[..., 2], 90) + 1e-9)
    y, x = np.clip(net_y / 5.0, 0, rows - 1), np.clip(net_x / 5.0, 0, columns - 1)
    return np.stack([RectBivariateSpline(np.arange(rows), np.arange(columns), field[..., k], kx=min(3, rows - 1),
                                         ky=min(3, columns - 1))(y, x) for k in (0, 1)], axis=-1)


@dataclass(frozen=True)
class _Sheet:
    """Paper mm to image pixels: a projective map and a low polynomial for what bends."""

    projective: Floats
    centre: Floats
    size: float
    bend: Floats

    @staticmethod
    def fit(paper: Floats, pixels: Floats, weight: Floats) -> _Sheet | None:
        projective, kept = cv2.findHomography(paper, pixels, cv2.RANSAC, float(np.ptp(pixels[:, 0])) / 60)
        if projective is None:
            return None
        centre, size = paper.mean(axis=0), float(np.ptp(paper, axis=0).max() / 2)
        bend = np.zeros((21, 2))
        sheet = _Sheet(projective, centre, size, bend)
        w = weight * (kept.ravel() > 0)
        terms = sheet._terms(paper)
        hold = np.diag(np.r_[np.full(6, 1e-4), np.full(4, 3e-3), np.full(11, 3e-2)]) * len(paper)
        for _ in range(10):
            left = pixels - sheet._projected(paper)
            a = terms * w[:, None]
            bend = np.linalg.solve(a.T @ terms + hold * 0.1, a.T @ left)
            sheet = _Sheet(projective, centre, size, bend)
            off = np.hypot(*(sheet.pixels(paper) - pixels).T)
            w = weight / (1 + (off / (3 * np.median(off) + 0.3)) ** 2)
        return sheet

    def _projected(self, paper: Floats) -> Floats:
        out: Floats = cv2.perspectiveTransform(paper[None].astype(np.float64), self.projective)[0]
        return out

    def _terms(self, paper: Floats) -> Floats:
        u, v = ((paper - self.centre) / self.size).T
        # Beyond the ruling that was seen the polynomial is not continued.
        u, v = np.clip(u, -1.05, 1.05), np.clip(v, -1.05, 1.05)
        return np.stack([u ** (n - k) * v ** k for n in range(6) for k in range(n + 1)], axis=1)

    def pixels(self, paper: Floats) -> Floats:
        """Image pixels (x, y) of paper mm ``[n, 2]``."""
        out: Floats = self._projected(paper) + self._terms(paper) @ self.bend
        return out
