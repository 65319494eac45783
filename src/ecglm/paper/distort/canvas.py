"""The page while it is being distorted, and how what was collected is put on it in as few passes as possible.

Tints and shades are collected at a half or a quarter of the resolution and multiplied into the picture once; geometry is
collected as steps and done by one remap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper import raster
from ecglm.paper.mask import edge
from ecglm.paper.style import Style
from ecglm.paper.truth import PageTruth, TextBox
from ecglm.paper.warp import Projective, Step, Warp, joined

Field = NDArray[np.float32]
#: Fields of tint and light have one value for 4 x 4 pixels, those of folds and wrinkles one for 2 x 2.
TINT, RELIEF = 4, 2
#: A gain of one when it is stored in 8 bits.
_ONE = 200.0


@dataclass
class Canvas:
    """image: uint8 ``[height, width, 3]``. px: pixels per millimetre of the clean page. style: colours it was drawn with.

    fade: share of the ink that is missing, ``[h/4, w/4]``. tint ``[h/4, w/4, 3]`` and relief ``[h/2, w/2]``: what the paper
    lets through. light ``[H/4, W/4, 3]``: what falls on the picture. exposure: how bright the camera makes its lighter parts.
    shape: geometry, clean page to picture. size: of the picture. table: what the page lies on, or one colour. margin: share
    of the frame that must stay free. crop: shares cut from left, top, right, bottom. close: cut to the ruled area and this share
    of its width around it. resized: by which the picture shrank.
    """

    image: raster.Image
    truth: PageTruth
    style: Style
    fade: Field | None = None
    tint: Field | None = None
    relief: Field | None = None
    light: Field | None = None
    exposure: float = 1.0
    shape: list[Step] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    table: raster.Image | None = None
    margin: float = 0.0
    crop: tuple[float, float, float, float] | None = None
    close: float | None = None
    resized: float = 1.0
    texts: list[TextBox] = field(default_factory=list)
    warp: Warp | None = None

    def __post_init__(self) -> None:
        self.size = (self.image.shape[1], self.image.shape[0])
        self.source = self.size
        self.px = self.truth.px_per_mm

    def small(self, shrink: int) -> tuple[int, int]:
        """(height, width) of a field of the picture or, before the remap, of the page."""
        return -(-self.size[1] // shrink), -(-self.size[0] // shrink)

    def tinted(self, gain: Field) -> None:
        """Multiply the paper's colour, ``[h/4, w/4, 3]`` or ``[3]``."""
        if self.tint is None:
            self.tint = np.ones((*self.small(TINT), 3), np.float32)
        self.tint *= gain

    def shaded(self, gain: Field) -> None:
        """Multiply the paper's brightness, ``[h/2, w/2]``."""
        self.relief = gain if self.relief is None else self.relief * gain

    def lit(self, gain: Field) -> None:
        """Multiply the light on the picture, ``[H/4, W/4]``, with 3 colours or without."""
        if self.light is None:
            self.light = np.ones((*self.small(TINT), 3), np.float32)
        self.light *= gain if gain.ndim != 2 else gain[..., None]

    def faded(self, share: Field) -> None:
        """Take a share of the ink away, ``[h/4, w/4]``."""
        self.fade = share if self.fade is None else np.maximum(self.fade, share)

    def empty_page(self) -> raster.Image:
        """The ruled sheet before anything was drawn on it."""
        box = self.truth.grid
        return raster.ruled_sheet(*self.source, box, self.px, self.style)


def put_fade(canvas: Canvas) -> None:
    """Let the paper shine through the ink where it faded."""
    if canvas.fade is None:
        return
    width, height = canvas.source
    share = cv2.resize(np.clip(canvas.fade * 255, 0, 255).astype(np.uint8), (width, height))
    lost = cv2.multiply(cv2.subtract(canvas.empty_page(), canvas.image), cv2.merge([share] * 3), scale=1 / 255)
    canvas.image = cv2.add(canvas.image, lost)
    canvas.fade = None


def put_shape(canvas: Canvas) -> None:
    """Lay the page in the picture: one remap of the pixels and one of each field. Sets `canvas.warp`."""
    if not canvas.shape and canvas.table is None and not canvas.crop and canvas.close is None:
        return
    canvas.shape.append(_framed(canvas))
    if canvas.close is not None:
        canvas.shape.append(_closer(canvas, canvas.close))
    if canvas.crop:
        canvas.shape.append(_cropped(canvas))
    warp = Warp(canvas.source, canvas.size, canvas.px, joined(canvas.shape))
    map_x, map_y = warp.maps()
    table = canvas.table
    if table is None:
        sheet = tuple(float(v) for v in canvas.style.sheet)
        image = cv2.remap(canvas.image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=sheet)
    else:  # only what the page covers is written on the table
        image = np.empty((canvas.size[1], canvas.size[0], 3), np.uint8)
        image[:] = table[:image.shape[0], :image.shape[1]]
        cv2.remap(canvas.image, map_x, map_y, cv2.INTER_LINEAR, image, cv2.BORDER_TRANSPARENT)
        _shadow_on_table(canvas, warp)
    canvas.image, canvas.warp = image, warp
    for name, shrink in (("tint", TINT), ("relief", RELIEF)):
        values = getattr(canvas, name)
        if values is not None:
            small_x, small_y = (np.ascontiguousarray(m) for m in warp.maps(shrink))
            border = cv2.BORDER_CONSTANT if table is not None else cv2.BORDER_REFLECT  # beyond the page the sheet goes on
            setattr(canvas, name, cv2.remap(values, small_x, small_y, cv2.INTER_LINEAR, borderMode=border,
                                            borderValue=(1.0, 1.0, 1.0)))


def put_light(canvas: Canvas) -> None:
    """Multiply all tints, shades and light into the picture. The camera exposes for the lighter parts of what it sees."""
    size = (canvas.image.shape[1], canvas.image.shape[0])
    if canvas.light is not None:
        canvas.light *= np.float32(canvas.exposure / max(0.25, float(np.percentile(canvas.light[::8, ::8], 90))))
    fields = [values for values in (canvas.tint, canvas.light) if values is not None]
    canvas.tint = canvas.light = None
    if fields:
        gain = fields[0] if len(fields) == 1 else fields[0] * fields[1]
        if canvas.relief is not None:
            shade = canvas.relief
            gain = cv2.resize(gain, (shade.shape[1], shade.shape[0])) * shade[..., None]
    elif canvas.relief is not None:
        gain = cv2.merge([canvas.relief] * 3)
    else:
        return
    canvas.relief = None
    dither = np.resize(unit_noise(), gain.size).reshape(gain.shape)  # or slow gradients would show steps
    small = cv2.addWeighted(gain, _ONE, dither, 0.3, 0.0, dtype=cv2.CV_8U)
    canvas.image = cv2.multiply(canvas.image, cv2.resize(small, size), scale=1 / _ONE)


@lru_cache(maxsize=1)
def unit_noise() -> Field:
    """Four million normal deviates, always the same: noise takes its rows from random places in them."""
    return np.random.default_rng(20261129).standard_normal(1 << 22).astype(np.float32)


def smooth(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float]) -> Field:
    """A smooth random field ``[height, width]`` about 0 with deviation about 1, with so many (rows, columns) of hills: a sum of
    plane waves in all directions, as one product of matrices."""
    n = 16
    turn, size = rng.uniform(0, 2 * np.pi, n), np.pi * rng.uniform(0.5, 1.3, n)
    ky, kx, phase = size * cells[0] * np.sin(turn), size * cells[1] * np.cos(turn), rng.uniform(0, 2 * np.pi, n)
    down, across = np.linspace(0, 1, shape[0])[:, None] * ky, np.linspace(0, 1, shape[1])[:, None] * kx + phase
    left = np.concatenate([np.cos(down), -np.sin(down)], axis=1).astype(np.float32)
    right = np.concatenate([np.cos(across), np.sin(across)], axis=1).astype(np.float32)
    return np.asarray(left @ right.T * np.float32(np.sqrt(2 / n)), np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> Field:
    """The same from independent random knots, for many small hills."""
    knots = rng.standard_normal((cells[0] + 3, cells[1] + 3), np.float32)
    return np.asarray(cv2.resize(knots, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def page_edge(warp: Warp) -> NDArray[np.float64]:
    """The outline of the page in the picture, ``[N, 2]``."""
    right, bottom = warp.source[0] - 0.5, warp.source[1] - 0.5
    corners = [np.array(point) for point in ((-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom))]
    return warp.forward(edge(*corners))


def _framed(canvas: Canvas) -> Projective:
    """Shrink and move what leaves the frame back into it."""
    outline = page_edge(Warp(canvas.source, canvas.size, canvas.px, tuple(canvas.shape)))
    width, height = canvas.size
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
    edge_x, edge_y = canvas.margin * width, canvas.margin * height
    room_x, room_y = width - 2 * edge_x, height - 2 * edge_y
    scale = min(1.0, room_x / (x1 - x0), room_y / (y1 - y0))
    shift = []
    for low, high, first, room in ((x0, x1, edge_x - 0.5, room_x), (y0, y1, edge_y - 0.5, room_y)):
        size = (high - low) * scale
        middle = (low + high) / 2
        start = min(max(middle - size / 2, first), first + room - size)
        shift.append(start - low * scale)
    return Projective.of(np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1.0]]))


def _closer(canvas: Canvas, margin: float) -> Projective:
    """The part of the frame around the ruled area."""
    warp = Warp(canvas.source, canvas.size, canvas.px, tuple(canvas.shape))
    grid = warp.forward(edge(*np.array(canvas.truth.grid.quad)))
    room = margin * float(np.ptp(grid[:, 0]))
    (left, top), (right, bottom) = np.floor(grid.min(axis=0) - room), np.ceil(grid.max(axis=0) + room)
    left, top = max(0, int(left)), max(0, int(top))
    canvas.size = (min(canvas.size[0], int(right) + 1) - left, min(canvas.size[1], int(bottom) + 1) - top)
    if canvas.table is not None and canvas.table.shape[:2] != (1, 1):
        canvas.table = canvas.table[top:top + canvas.size[1], left:left + canvas.size[0]]
    return Projective.of(np.array([[1.0, 0, -left], [0, 1.0, -top], [0, 0, 1.0]]))


def _cropped(canvas: Canvas) -> Projective:
    assert canvas.crop is not None
    width, height = canvas.size
    cut = zip(canvas.crop, (width, height, width, height), strict=True)
    left, top, right, bottom = (round(share * side) for share, side in cut)
    canvas.size = (width - left - right, height - top - bottom)
    return Projective.of(np.array([[1.0, 0, -left], [0, 1.0, -top], [0, 0, 1.0]]))


def _shadow_on_table(canvas: Canvas, warp: Warp) -> None:
    """The page does not lie flat everywhere: it throws a narrow shadow around itself."""
    page = np.zeros(canvas.small(TINT), np.uint8)
    cv2.fillPoly(page, [np.rint(((page_edge(warp) + 0.5) / TINT - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    near = cv2.GaussianBlur(page, (0, 0), max(1.0, 1.2 * canvas.px / TINT)).astype(np.float32) / 255
    canvas.lit(np.asarray(1.0 - 0.5 * near * (1.0 - page.astype(np.float32) / 255), np.float32))
