"""Drawing a `Record` as an ECG page: `render` for one page, `pages` for a long record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ecglm.errors import UsageError
from ecglm.paper import layout as sheet
from ecglm.paper import raster
from ecglm.paper.distort.apply import check
from ecglm.paper.distort.apply import distort as distorted
from ecglm.paper.header import PageHeader
from ecglm.paper.page import Page
from ecglm.paper.place import Scale, place
from ecglm.paper.printed import Printer, print_footer, print_header
from ecglm.paper.style import STYLES, Style
from ecglm.paper.truth import Box, LeadTruth, PageTruth, TextBox, covered
from ecglm.records.record import Record, checked_record

SPEEDS, GAINS = (25.0, 50.0), (5.0, 10.0, 20.0)
DPI_RANGE = (50, 600)
#: At 10 mm/mV one standard deviation of a normalised record is drawn 2.5 mm high, about its usual height.
SD_SHARE_OF_GAIN = 0.25
_LABEL_MM = 3.0


@dataclass(frozen=True)
class _Look:
    """How pages of a record are to look: the arguments of `render` that every page shares."""

    layout: str
    rhythm: Sequence[str] | None
    order: str
    leads: Sequence[str] | None
    speed: float
    gain: float
    dpi: int
    seed: int
    distort: str
    header: PageHeader | None
    style: str | Style

    def __post_init__(self) -> None:
        check(self.distort, self.seed)
        if self.speed not in SPEEDS:
            raise UsageError(f"speed {self.speed!r} mm/s is not a paper speed; use 25 or 50")
        if self.gain not in GAINS:
            raise UsageError(f"gain {self.gain!r} mm/mV is not a paper gain; use 5, 10 or 20")
        if not isinstance(self.dpi, int) or not DPI_RANGE[0] <= self.dpi <= DPI_RANGE[1]:
            raise UsageError(f"dpi {self.dpi!r} is outside {DPI_RANGE[0]}-{DPI_RANGE[1]}")
        if isinstance(self.style, str) and self.style not in STYLES:
            raise UsageError(f"style {self.style!r} is unknown; use one of {', '.join(STYLES)}")


def render(record: Record, *, layout: str = "3x4", rhythm: Sequence[str] | None = None, order: str = "standard",
           leads: Sequence[str] | None = None, speed: float = 25.0, gain: float = 10.0, dpi: int = 200, seed: int = 0,
           distort: str = "none", header: PageHeader | None = None, style: str | Style = "red", start_s: float = 0.0) -> Page:
    """Draw the 250 mm of signal (10 s at 25 mm/s) from start_s on as an 11 x 8.5 in page, lower for fewer than four rows.

    layout: 3x4, 6x2, 12x1, or with rhythm strips 3x4+1R, 3x4+3R, 6x2+1R. rhythm: leads of
    the full-width strips; None gives the layout's own (II below 3x4). order: "cabrera" for
    aVL I -aVR II aVF III. leads: show these only, filled into the layout's columns.
    Columns show consecutive parts of the page's time; on a shorter record they stay within
    it. Leads the record lacks leave an empty labelled cell. speed: 25 or 50 mm/s. gain: 5,
    10 or 20 mm/mV. header: what to print above. start_s: seconds into the record. distort:
    a preset or names of distortions (`ecglm.paper.distort`), drawn with seed.

    Each lead is centred on its median and otherwise drawn as it is, without a filter;
    the footer says so. A normalised record gets no calibration pulse and says why.
    The same arguments give the same pixels. Raises UsageError for what cannot be drawn.
    """
    look = _Look(layout, rhythm, order, leads, speed, gain, dpi, seed, distort, header, style)
    return _draw(record, look, start_s, (1, 1))


def pages(record: Record, *, layout: str = "3x4", rhythm: Sequence[str] | None = None, order: str = "standard",
          leads: Sequence[str] | None = None, speed: float = 25.0, gain: float = 10.0, dpi: int = 200, seed: int = 0,
          distort: str = "none", header: PageHeader | None = None, style: str | Style = "red") -> Iterator[Page]:
    """Draw the whole record, page after page (one at a time in memory). Arguments as for `render`."""
    look = _Look(layout, rhythm, order, leads, speed, gain, dpi, seed, distort, header, style)
    page_s = sheet.TRACE_MM / speed
    count = max(1, math.ceil(record.duration_s / page_s - 1e-9))
    for i in range(count):
        yield _draw(record, look, i * page_s, (i + 1, count))


def _draw(record: Record, look: _Look, start_s: float, page: tuple[int, int]) -> Page:
    checked_record(record)
    if not 0 <= start_s < record.duration_s:
        raise UsageError(f"start_s {start_s!r} is outside the record, which lasts {record.duration_s:g} s")
    speed, gain, style = look.speed, look.gain, look.style
    ink = STYLES[style] if isinstance(style, str) else style
    at = Scale(look.dpi / 25.4)
    cells = sheet.plan(record.leads, look.layout, look.rhythm, look.order, look.leads)
    unit_mm = gain if record.unit == "mV" else gain * SD_SHARE_OF_GAIN
    pieces, bases, grid_mm = place(record, cells, at, start_s, speed, unit_mm, calibrated=record.unit == "mV")
    bottom_mm = sheet.GRID_MM[1] + grid_mm
    width, height = round(sheet.SHEET_MM[0] * at.px), round((bottom_mm + sheet.SHEET_MM[1] - sheet.GRID_MM[3]) * at.px)
    left, top, right, bottom = (mm * at.px for mm in (*sheet.GRID_MM[:3], bottom_mm))
    grid = Box(left, top, right, bottom)

    image = raster.ruled_sheet(width, height, grid, at.px, ink).copy()
    for first, second in pairwise(pieces):
        if first.baseline_y == second.baseline_y:
            _divider(image, second.box.left, second.baseline_y, pieces, at, ink)
    for piece in pieces:
        raster.trace(image, piece.x.astype(np.float64), piece.y.astype(np.float64), ink.trace, at.line(raster.TRACE_MM), grid)
    pulses = [_pulse(image, base, speed, gain, at, ink) for base in bases] if record.unit == "mV" else []
    texts = _lead_names(image, pieces, at, ink)
    printer = Printer(image, at.px, ink)
    texts += (print_header(printer, look.header) if look.header else []) + print_footer(printer, record, speed, gain, bottom_mm)
    page_s = min(sheet.TRACE_MM / speed, record.duration_s - start_s)
    if record.duration_s > sheet.TRACE_MM / speed + 1 / record.fs:
        shown = f"{clock(start_s)} - {clock(start_s + page_s)} of {clock(record.duration_s)}"
        shown += f"   page {page[0]}/{page[1]}" if page[1] > 1 else ""
        texts.append(printer.right("header", shown, sheet.GRID_MM[1] - 2.5))
    truth = PageTruth(
        width=width, height=height, dpi=look.dpi, px_per_mm=at.px, layout=look.layout, style=ink.name, distort="none",
        seed=look.seed, speed=float(speed), gain=float(gain), unit=record.unit, mm_per_unit=float(unit_mm), fs=record.fs,
        start_s=float(start_s), duration_s=float(page_s), grid=grid, calibration=tuple(pulses), texts=tuple(texts),
        pieces=tuple(pieces), page=page)
    clean = Page(image, truth)
    return clean if look.distort == "none" else distorted(clean, look.distort, seed=look.seed, style=ink)


def _pulse(image: raster.Image, base: float, speed: float, gain: float, at: Scale, ink: Style) -> Box:
    """The 1 mV, 200 ms calibration pulse at the start of a row; returns the box around its path."""
    wide = 0.2 * speed
    left = (sheet.CALIBRATION_MM - wide) / 2
    mm = np.array([left - 2.0, left, left, left + wide, left + wide, left + wide + 2.0])
    top = base - gain * at.px
    y = np.array([base, base, top, top, base, base])
    x = at.x(0) + mm * at.px
    raster.trace(image, x, y, ink.trace, at.line(raster.TRACE_MM), Box(0, 0, image.shape[1] - 1, image.shape[0] - 1))
    return Box(float(x[1]), top, float(x[3]), base)


def _divider(image: raster.Image, x: float, base: float, pieces: Sequence[LeadTruth], at: Scale, ink: Style) -> None:
    """Two short strokes that part neighbouring leads of a row, beside the traces where they are free."""
    reach = 1.0 * at.px
    for side in (-1.0, 1.0):
        for near in (4.0, 7.0, 10.0, 13.0, 16.0):
            y0, y1 = sorted((base + side * near * at.px, base + side * (near + 2.0) * at.px))
            if not covered(Box(x - reach, y0 - reach, x + reach, y1 + reach), pieces):
                cv2.line(image, (round(x), round(y0)), (round(x), round(y1)), ink.text, at.line(0.2))
                break


def _lead_names(image: raster.Image, pieces: Sequence[LeadTruth], at: Scale, ink: Style) -> list[TextBox]:
    """Print each lead's name near the start of its piece, where no trace and no other name is."""
    out: list[TextBox] = []
    for piece in pieces:
        name = raster.printable(piece.lead, 12)
        _, wide, tall, deep = raster.text_size(name, _LABEL_MM * at.px, bold=True)
        margin = 0.6 * at.px
        best, least = (piece.box.left + at.px, piece.baseline_y - 7 * at.px), math.inf
        rises = sorted(np.arange(-25.0, 26.0, 0.5), key=lambda mm: (abs(mm - 7.0), mm))
        for along in (1.0, 4.0, 8.0, 12.0, 18.0, 25.0, 35.0):
            for rise in rises:
                left, base = piece.box.left + along * at.px, piece.baseline_y - rise * at.px
                box = Box(left - margin, base - tall - margin, left + wide + margin, base + deep + margin)
                if box.top < piece.box.top or box.bottom > piece.box.bottom or box.right > piece.box.right:
                    continue
                crossed = math.inf if any(box.overlaps(text.box) for text in out) else covered(box, pieces)
                if crossed < least:
                    best, least = (left, base), crossed
                if least == 0:
                    break
            if least == 0:
                break
        out.append(TextBox("lead", name, raster.write(image, name, *best, _LABEL_MM * at.px, ink.text, bold=True)))
    return out


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
