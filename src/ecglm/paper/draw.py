"""Drawing a `Record` as an ECG page: `render` for one page, `pages` for a long record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.paper import layout as sheet
from ecglm.paper import raster
from ecglm.paper.distort.apply import check
from ecglm.paper.distort.apply import distort as distorted
from ecglm.paper.header import PageHeader
from ecglm.paper.page import Page
from ecglm.paper.style import STYLES, Style
from ecglm.paper.truth import Box, LeadTruth, PageTruth, TextBox, TextKind, covered
from ecglm.records.record import Record, checked_record

SPEEDS, GAINS = (25.0, 50.0), (5.0, 10.0, 20.0)
DPI_RANGE = (50, 600)
NOTICE = "Research use only - not a medical device"
#: At 10 mm/mV one standard deviation of a normalised record is drawn 2.5 mm high, about its usual height.
SD_SHARE_OF_GAIN = 0.25
_LABEL_MM, _PRINT_MM = 3.0, 2.6


@dataclass(frozen=True)
class _Scale:
    """Millimetres to pixels for one page."""

    px: float
    dpi: int

    def x(self, grid_mm: float) -> float:
        return (sheet.GRID_MM[0] + grid_mm) * self.px

    def y(self, grid_mm: float) -> float:
        return (sheet.GRID_MM[1] + grid_mm) * self.px

    def line(self, mm: float) -> int:
        return max(1, round(mm * self.px))


def render(record: Record, *, layout: str = "3x4", rhythm: Sequence[str] | None = None, speed: float = 25.0,
           gain: float = 10.0, dpi: int = 200, seed: int = 0, distort: str = "none", header: PageHeader | None = None,
           style: str | Style = "red", start_s: float = 0.0) -> Page:
    """Draw the 250 mm of signal (10 s at 25 mm/s) from start_s on as an 11 x 8.5 in page, lower for fewer than four rows.

    layout: 3x4, 6x2, 12x1, or with rhythm strips 3x4+1R, 3x4+3R, 6x2+1R. rhythm: leads of
    the full-width strips; None gives the layout's own (II below 3x4). Columns show
    consecutive parts of the page's time; on a shorter record they stay within it. Leads
    the record lacks leave an empty labelled cell. speed: 25 or 50 mm/s. gain: 5, 10 or
    20 mm/mV. header: typed facts to print. start_s: seconds into the record.

    Each lead is centred on its median and otherwise drawn as it is, without a filter;
    the footer says so. A normalised record gets no calibration pulse and says why.
    The same arguments give the same pixels. Raises UsageError for what cannot be drawn.
    """
    return _draw(record, layout, rhythm, speed, gain, dpi, seed, distort, header, style, start_s, (1, 1))


def pages(record: Record, *, layout: str = "3x4", rhythm: Sequence[str] | None = None, speed: float = 25.0,
          gain: float = 10.0, dpi: int = 200, seed: int = 0, distort: str = "none", header: PageHeader | None = None,
          style: str | Style = "red") -> Iterator[Page]:
    """Draw the whole record, page after page (one at a time in memory). Arguments as for `render`."""
    _check(speed, gain, dpi, distort)
    page_s = sheet.TRACE_MM / speed
    count = max(1, math.ceil(record.duration_s / page_s - 1e-9))
    for i in range(count):
        yield _draw(record, layout, rhythm, speed, gain, dpi, seed, distort, header, style, i * page_s, (i + 1, count))


def _check(speed: float, gain: float, dpi: int, distort: str) -> None:
    check(distort)
    if speed not in SPEEDS:
        raise UsageError(f"speed {speed!r} mm/s is not a paper speed; use 25 or 50")
    if gain not in GAINS:
        raise UsageError(f"gain {gain!r} mm/mV is not a paper gain; use 5, 10 or 20")
    if not isinstance(dpi, int) or not DPI_RANGE[0] <= dpi <= DPI_RANGE[1]:
        raise UsageError(f"dpi {dpi!r} is outside {DPI_RANGE[0]}-{DPI_RANGE[1]}")


def _draw(record: Record, layout: str, rhythm: Sequence[str] | None, speed: float, gain: float, dpi: int, seed: int,
          distort: str, header: PageHeader | None, style: str | Style, start_s: float, page: tuple[int, int]) -> Page:
    _check(speed, gain, dpi, distort)
    checked_record(record)
    if isinstance(style, str) and style not in STYLES:
        raise UsageError(f"style {style!r} is unknown; use one of {', '.join(STYLES)}")
    if not 0 <= start_s < record.duration_s:
        raise UsageError(f"start_s {start_s!r} is outside the record, which lasts {record.duration_s:g} s")
    ink = STYLES[style] if isinstance(style, str) else style
    at = _Scale(dpi / 25.4, dpi)
    cells = sheet.plan(record.leads, layout, rhythm)
    unit_mm = gain if record.unit == "mV" else gain * SD_SHARE_OF_GAIN
    pieces, bases, grid_mm = _place(record, cells, at, start_s, speed, unit_mm, calibrated=record.unit == "mV")
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
    texts += _header(image, header, at, ink) + _footer(image, record, speed, gain, at, ink, bottom_mm)
    page_s = min(sheet.TRACE_MM / speed, record.duration_s - start_s)
    if record.duration_s > sheet.TRACE_MM / speed + 1 / record.fs:
        shown = f"{clock(start_s)} - {clock(start_s + page_s)} of {clock(record.duration_s)}"
        shown += f"   page {page[0]}/{page[1]}" if page[1] > 1 else ""
        texts.append(_right(image, "header", shown, sheet.GRID_MM[1] - 2.5, at, ink))
    truth = PageTruth(
        width=width, height=height, dpi=dpi, px_per_mm=at.px, layout=layout, style=ink.name, distort="none", seed=seed,
        speed=float(speed), gain=float(gain), unit=record.unit, mm_per_unit=float(unit_mm), fs=record.fs,
        start_s=float(start_s), duration_s=float(page_s), grid=grid, calibration=tuple(pulses), texts=tuple(texts),
        pieces=tuple(pieces), page=page)
    clean = Page(image, truth)
    return clean if distort == "none" else distorted(clean, distort, seed=seed, style=ink)


def _place(record: Record, cells: Sequence[sheet.Cell], at: _Scale, start_s: float, speed: float, unit_mm: float,
           calibrated: bool) -> tuple[list[LeadTruth], list[float], float]:
    """Sample positions of every cell, the height of every row's baseline (pixels), and that of the ruled area (mm)."""
    fs, total = record.fs, record.n_samples
    page_first = round(start_s * fs)
    page_last = min(total, page_first + round(sheet.TRACE_MM / speed * fs))
    wanted = {cell.lead for cell in cells} & set(record.leads)
    offsets = {lead: _median(record.lead(lead)[page_first:page_last]) for lead in wanted}
    spans, values = [], []
    reach = [(unit_mm if calibrated else 2.0, 2.0)] * (cells[-1].row + 1)
    for cell in cells:
        length = round((cell.stop - cell.start) * sheet.TRACE_MM / speed * fs)
        first = page_first + round(cell.start * sheet.TRACE_MM / speed * fs)
        first = max(page_first, min(first, page_last - length))
        last = min(page_last, first + length) if cell.lead in record.leads else first
        mm = np.empty(0)
        if last > first:
            mm = (record.lead(cell.lead)[first:last].astype(np.float64) - offsets[cell.lead]) * unit_mm
        known = mm[np.isfinite(mm)]
        if known.size:
            up, down = reach[cell.row]
            reach[cell.row] = (max(up, min(45.0, float(known.max()))), max(down, min(45.0, -float(known.min()))))
        spans.append((first, last))
        values.append(mm)
    base_mm = sheet.baselines(reach)
    grid_mm = sheet.ruled_mm(reach)
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(base_mm)), grid_mm]
    pieces = []
    for cell, (first, last), mm in zip(cells, spans, values, strict=True):
        left = sheet.CALIBRATION_MM + cell.start * sheet.TRACE_MM
        base = at.y(base_mm[cell.row])
        box = Box(at.x(left), at.y(edges[cell.row]), at.x(sheet.CALIBRATION_MM + cell.stop * sheet.TRACE_MM),
                  at.y(edges[cell.row + 1]))
        x = at.x(left) + np.arange(last - first) / fs * speed * at.px
        y = np.clip(base - mm * at.px, -1e6, 1e6)
        outside = bool(np.any((y < at.y(0)) | (y > at.y(grid_mm))))
        pieces.append(LeadTruth(cell.lead, cell.role, box, (first, last), base, offsets.get(cell.lead, 0.0),
                                np.asarray(x, np.float32), np.asarray(y, np.float32), outside))
    return pieces, [at.y(mm) for mm in base_mm], grid_mm


def _median(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 0.0


def _pulse(image: raster.Image, base: float, speed: float, gain: float, at: _Scale, ink: Style) -> Box:
    """The 1 mV, 200 ms calibration pulse at the start of a row; returns the box around its path."""
    wide = 0.2 * speed
    left = (sheet.CALIBRATION_MM - wide) / 2
    mm = np.array([left - 2.0, left, left, left + wide, left + wide, left + wide + 2.0])
    top = base - gain * at.px
    y = np.array([base, base, top, top, base, base])
    x = at.x(0) + mm * at.px
    raster.trace(image, x, y, ink.trace, at.line(raster.TRACE_MM), Box(0, 0, image.shape[1] - 1, image.shape[0] - 1))
    return Box(float(x[1]), top, float(x[3]), base)


def _divider(image: raster.Image, x: float, base: float, pieces: Sequence[LeadTruth], at: _Scale, ink: Style) -> None:
    """Two short strokes that part neighbouring leads of a row, beside the traces where they are free."""
    reach = 1.0 * at.px
    for side in (-1.0, 1.0):
        for near in (4.0, 7.0, 10.0, 13.0, 16.0):
            y0, y1 = sorted((base + side * near * at.px, base + side * (near + 2.0) * at.px))
            if not covered(Box(x - reach, y0 - reach, x + reach, y1 + reach), pieces):
                cv2.line(image, (round(x), round(y0)), (round(x), round(y1)), ink.text, at.line(0.2))
                break


def _lead_names(image: raster.Image, pieces: Sequence[LeadTruth], at: _Scale, ink: Style) -> list[TextBox]:
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


def _header(image: raster.Image, header: PageHeader | None, at: _Scale, ink: Style) -> list[TextBox]:
    texts = []
    for i, column in enumerate(header.columns() if header else []):
        for j, (label, value) in enumerate(column):
            left, base = sheet.GRID_MM[0] + 1 + 42 * i, 8.0 + 4.6 * j
            for text, indent in ((label, 0.0), (value, 12.0)):
                box = raster.write(image, text, (left + indent) * at.px, base * at.px, _PRINT_MM * at.px, ink.text)
                texts.append(TextBox("header", text, box))
    return texts


def _footer(image: raster.Image, record: Record, speed: float, gain: float, at: _Scale, ink: Style, bottom_mm: float,
            ) -> list[TextBox]:
    scale = f"{gain:g} mm/mV" if record.unit == "mV" else "amplitude normalised (no mV scale)"
    text = f"{speed:g} mm/s    {scale}    {record.fs:g} Hz, unfiltered, centred on median"
    base_mm = bottom_mm + 5.2
    box = raster.write(image, text, (sheet.GRID_MM[0] + 1) * at.px, base_mm * at.px, _PRINT_MM * at.px, ink.text)
    return [TextBox("footer", text, box), _right(image, "notice", NOTICE, base_mm, at, ink)]


def _right(image: raster.Image, kind: TextKind, text: str, base_mm: float, at: _Scale, ink: Style) -> TextBox:
    _, wide, _, _ = raster.text_size(text, _PRINT_MM * at.px)
    left = (sheet.GRID_MM[2] - 1) * at.px - wide
    return TextBox(kind, text, raster.write(image, text, left, base_mm * at.px, _PRINT_MM * at.px, ink.text))


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
