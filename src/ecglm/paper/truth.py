"""What is exactly true of a drawn page: where every lead, sample, text and grid line lies.

Pixel coordinates are floats with pixel centres on whole numbers: x to the right, y down,
(0, 0) the centre of the top left pixel. Boxes are (left, top, right, bottom). On a distorted
page they are those of the picture; `PageTruth.warp` leads back to the clean page.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing, write_text
from ecglm.errors import ReadError
from ecglm.paper.warp import Warp

FloatArray = NDArray[np.float32]
TextKind = Literal["lead", "header", "footer", "notice", "caption", "handwriting", "stamp"]
Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels; of something that a distortion turned or bent the smallest one around it.

    corners: where its top left, top right, bottom right and bottom left corners went, None where it is upright.
    """

    left: float
    top: float
    right: float
    bottom: float
    corners: Corners | None = None

    @property
    def quad(self) -> Corners:
        """The four corners (x, y): top left, top right, bottom right, bottom left."""
        upright = (self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)
        return self.corners or upright

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        out: dict[str, Any] = {"left": self.left, "top": self.top, "right": self.right, "bottom": self.bottom}
        return out if self.corners is None else out | {"corners": [list(point) for point in self.corners]}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Box:
        """The inverse of `to_dict`."""
        if data.get("corners") is None:
            return Box(data["left"], data["top"], data["right"], data["bottom"])
        a, b, c, d = ((x, y) for x, y in data["corners"])
        return Box(data["left"], data["top"], data["right"], data["bottom"], (a, b, c, d))

    def overlaps(self, other: Box) -> bool:
        """Whether the two rectangles share any area."""
        return (self.left < other.right and other.left < self.right
                and self.top < other.bottom and other.top < self.bottom)


@dataclass(frozen=True)
class TextBox:
    """A printed text: what it says, what it is for, and the box around its glyphs."""

    kind: TextKind
    text: str
    box: Box


@dataclass(frozen=True)
class Applied:
    """One distortion of a page: its name, the values that were drawn for it, and the seed of its texture."""

    name: str
    values: Mapping[str, float]
    seed: int


@dataclass(frozen=True, eq=False)
class LeadTruth:
    """One piece of one lead as drawn, or an empty labelled cell (``drawn`` is False).

    samples: (first, last) of the record, last excluded. x, y: float32 ``[last - first]``
    pixel coordinates of each sample, NaN where the sample is missing. offset: the
    baseline in the record's unit that was drawn on ``baseline_y`` (on a distorted page:
    its height in the middle of the piece). clipped: some samples lie outside the grid and
    are not on the page.
    """

    lead: str
    role: Literal["cell", "rhythm"]
    box: Box
    samples: tuple[int, int]
    baseline_y: float
    offset: float
    x: FloatArray
    y: FloatArray
    clipped: bool = False

    @property
    def drawn(self) -> bool:
        """Whether the record had anything to draw here."""
        return self.samples[1] > self.samples[0]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; coordinates to 1/100 pixel, missing samples null."""
        out = {key: value for key, value in vars(self).items() if key not in ("x", "y", "box")}
        return out | {"samples": list(self.samples), "box": self.box.to_dict(),
                      "x": _numbers(self.x), "y": _numbers(self.y)}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> LeadTruth:
        """The inverse of `to_dict`."""
        return LeadTruth(**{**data, "box": Box.from_dict(data["box"]), "samples": tuple(data["samples"]),
                            "x": _floats(data["x"]), "y": _floats(data["y"])})


@dataclass(frozen=True, eq=False)
class PageTruth:
    """Everything that is true of one page.

    width, height: pixels. px_per_mm: grid pitch, the same both ways; on a distorted page
    that in its middle (`pitch` has it elsewhere). speed: mm/s.
    gain: mm/mV. mm_per_unit: paper millimetres per unit of the record (the gain for mV;
    per standard deviation for a normalised record). fs: Hz. grid: the ruled area; a
    5 mm line runs along each of its edges. calibration: one box per calibration pulse
    (empty for a normalised record). pieces: what is drawn of each lead. page: (this, of).
    distort: what was asked for; distortions: what was done, in order; warp: where points of
    the clean page went, None where they stayed.
    """

    width: int
    height: int
    dpi: int
    px_per_mm: float
    layout: str
    style: str
    distort: str
    seed: int
    speed: float
    gain: float
    unit: str
    mm_per_unit: float
    fs: float
    start_s: float
    duration_s: float
    grid: Box
    calibration: tuple[Box, ...]
    texts: tuple[TextBox, ...]
    pieces: tuple[LeadTruth, ...]
    page: tuple[int, int] = (1, 1)
    distortions: tuple[Applied, ...] = ()
    warp: Warp | None = None

    @property
    def leads(self) -> tuple[str, ...]:
        """Names of the leads that are really drawn, in page order, each once."""
        return tuple(dict.fromkeys(piece.lead for piece in self.pieces if piece.drawn))

    def piece(self, lead: str, role: Literal["cell", "rhythm"] = "cell") -> LeadTruth:
        """The piece of a lead in its cell or in a rhythm strip. Raises KeyError when not on the page."""
        for piece in self.pieces:
            if piece.lead == lead and piece.role == role:
                return piece
        raise KeyError(f"lead {lead} has no {role} on this page")

    def to_page(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the picture ``[N, 2]`` as points of the clean page, where 1 mm is ``warp.px_per_mm`` pixels."""
        return np.asarray(xy, np.float64) if self.warp is None else self.warp.inverse(xy)

    def to_picture(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the clean page ``[N, 2]`` as points of the picture; some may lie outside it."""
        return np.asarray(xy, np.float64) if self.warp is None else self.warp.forward(xy)

    def pitch(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels per millimetre of paper at points of the picture ``[N, 2]``, mean over directions, ``[N]``."""
        if self.warp is None:
            return np.full(len(xy), self.px_per_mm)
        return self.warp.px_per_mm * self.warp.scale(self.warp.inverse(xy))

    def mask(self, lead: str, role: Literal["cell", "rhythm"] | None = None) -> NDArray[np.uint8]:
        """Which pixels a lead's trace covers, uint8 ``[height, width]`` from 0 to 255; every piece of it unless a role is
        given. Raises KeyError when the lead is not drawn."""
        from ecglm.paper.mask import trace_mask

        return trace_mask(self, lead, role)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionary; `from_dict` is its inverse."""
        out = {key: value for key, value in vars(self).items() if not isinstance(value, Box | tuple | Warp)}
        return out | {
            "grid": self.grid.to_dict(), "calibration": [box.to_dict() for box in self.calibration],
            "texts": [{"kind": text.kind, "text": text.text, "box": text.box.to_dict()} for text in self.texts],
            "pieces": [piece.to_dict() for piece in self.pieces], "page": list(self.page),
            "distortions": [{"name": done.name, "values": dict(done.values), "seed": done.seed} for done in self.distortions],
            "warp": None if self.warp is None else self.warp.to_dict(),
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> PageTruth:
        """The inverse of `to_dict`."""
        return PageTruth(**{
            **data, "grid": Box.from_dict(data["grid"]), "calibration": tuple(Box.from_dict(box) for box in data["calibration"]),
            "texts": tuple(TextBox(**{**text, "box": Box.from_dict(text["box"])}) for text in data["texts"]),
            "pieces": tuple(LeadTruth.from_dict(piece) for piece in data["pieces"]), "page": tuple(data["page"]),
            "distortions": tuple(Applied(**done) for done in data.get("distortions", ())),
            "warp": None if data.get("warp") is None else Warp.from_dict(data["warp"]),
        })

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the truth as JSON, compressed where the name ends in .gz; the file appears whole or not at all."""
        text = json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)
        if os.fspath(path).endswith(".gz"):
            with replacing(path) as temporary:
                temporary.write_bytes(gzip.compress(text.encode(), 3, mtime=0))
        else:
            write_text(path, text)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> PageTruth:
        """Read what `save` wrote. Raises ReadError for anything else."""
        try:
            data = Path(path).read_bytes()
            return PageTruth.from_dict(json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
        except OSError as error:
            raise ReadError(path, error.strerror or "cannot be read") from error
        except (ValueError, TypeError, KeyError, AttributeError, EOFError, zlib.error) as error:
            raise ReadError(path, "is not a page truth", "pass a file written by truth.save") from error


def covered(box: Box, pieces: Sequence[LeadTruth]) -> int:
    """How many samples' line segments cross the box."""
    count = 0
    for piece in pieces:
        if not piece.drawn or piece.x[0] > box.right or piece.x[-1] < box.left:
            continue
        first = max(0, int(np.searchsorted(piece.x, box.left)) - 1)
        y = piece.y[first:int(np.searchsorted(piece.x, box.right)) + 1]
        upper, lower = np.fmin(y[:-1], y[1:]), np.fmax(y[:-1], y[1:])
        count += int(np.count_nonzero((lower > box.top) & (upper < box.bottom)))
    return count


def _numbers(values: FloatArray) -> list[float | None]:
    rounded = np.round(values.astype(np.float64), 2)
    return [None if value != value else value for value in rounded.tolist()]


def _floats(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)
