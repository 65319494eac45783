"""Marking a drawn page: where waves lie in each lead, calipers on a rhythm strip, kinds of beats, words about leads.

What is marked comes in as `Marks`; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper import layout as sheet
from ecglm.paper import raster
from ecglm.paper.page import Page, undistorted
from ecglm.paper.style import Colour
from ecglm.paper.truth import Box, LeadTruth, TextBox, covered

#: Tint of the paper and colour of the edges of each wave; black ink stays legible on the tint.
WAVE_COLOURS: MappingProxyType[str, tuple[Colour, Colour]] = MappingProxyType({
    "p": ((176, 230, 182), (22, 120, 50)), "qrs": ((255, 214, 120), (176, 96, 0)), "t": ((176, 208, 255), (30, 84, 190))})
TEXT_INK, CALIPER_INK, BEAT_INK, PROBLEM_INK = (24, 24, 30), (92, 24, 122), (178, 0, 60), (150, 60, 0)
_SMALL_MM, _BEAT_MM, _LINE_MM = 2.1, 2.4, 2.1
#: So far around its QRS (s) the trace must stay below the name of a beat.
_BEAT_S = 0.08
#: Room above the grid for lines of text: left edge, first writing line, step, number of lines, writing line of the legend (mm).
_LINES_LEFT_MM, _LINES_TOP_MM, _LINES_STEP_MM, MAX_LINES, _LEGEND_MM = 92.0, 4.8, 3.1, 6, 23.8


@dataclass(frozen=True)
class Caliper:
    """A measured interval and where it is shown, in seconds of the drawn record."""

    text: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, eq=False)
class Marks:
    """What to mark; times in seconds of the drawn record.

    waves: by name of the wave ("p", "qrs", "t") and lead, spans ``[wave, 2]``. calipers: PR, QRS, QT or fewer, around one
    beat. beats: time of the QRS and what to call it. legend: what those names mean. leads: a word or two on a lead.
    lines: said above the grid, wrapped; the first are the last to be cut.
    """

    waves: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    calipers: tuple[Caliper, ...] = ()
    beats: tuple[tuple[float, str], ...] = ()
    legend: tuple[str, ...] = ()
    leads: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def mark(page: Page, marks: Marks) -> Page:
    """A copy of the page with the marks on it; their words are texts of its truth."""
    undistorted(page)
    image = page.image.copy()
    ink = _Ink(page, image, list(page.truth.texts))
    for piece in page.truth.pieces:
        if piece.drawn:
            ink.waves(piece, marks.waves)
    strip = rhythm_piece(page)
    if strip is not None:
        ink.beats(strip, marks.beats)
        ink.calipers(strip, marks.calipers)
    ink.lead_words(marks.leads)
    ink.lines(marks.lines)
    ink.legend([name for name in marks.waves if any(len(spans) for spans in marks.waves[name].values())], marks.legend)
    return Page(image, replace(page.truth, texts=tuple(ink.texts)))


def rhythm_piece(page: Page) -> LeadTruth | None:
    """Where beats are named and calipers drawn: a rhythm strip, else the longest piece; lead II where there is a choice."""
    drawn = [piece for piece in page.truth.pieces if piece.drawn]
    return max(drawn, key=lambda p: (p.role == "rhythm", p.samples[1] - p.samples[0], p.lead == "II"), default=None)


@dataclass(frozen=True, eq=False)
class _Ink:
    """The page being marked: its pixels, the texts on it so far, and where it is tinted."""

    page: Page
    image: raster.Image
    texts: list[TextBox]
    tints: list[Box] = field(default_factory=list)

    @property
    def px(self) -> float:
        return self.page.truth.px_per_mm

    def x(self, piece: LeadTruth, second: float) -> float:
        truth = self.page.truth
        return float(piece.x[0]) + (second * truth.fs - piece.samples[0]) / truth.fs * truth.speed * truth.px_per_mm

    def shows(self, piece: LeadTruth, second: float) -> bool:
        return piece.samples[0] <= second * self.page.truth.fs <= piece.samples[1] - 1

    def crowding(self, box: Box) -> float:
        """How much lies in the box: 0 for bare paper, infinite for text or what lies beyond the grid."""
        grid = self.page.truth.grid
        if box.left < grid.left or box.right > grid.right or box.top < grid.top or box.bottom > grid.bottom:
            return np.inf
        if any(box.overlaps(text.box) for text in self.texts):
            return np.inf
        return covered(box, self.page.truth.pieces) + sum(box.overlaps(tint) for tint in self.tints)

    def write(self, text: str, left: float, base: float, height_mm: float, colour: Colour, bold: bool = False) -> Box:
        box = raster.write(self.image, text, left, base, height_mm * self.px, colour, bold)
        self.texts.append(TextBox("caption", text, box))
        return box

    def tint(self, x0: int, x1: int, y0: int, y1: int, colour: Colour) -> None:
        """Tint a part of the page as it was before; where tints overlap none gets darker."""
        here = np.s_[y0:y1 + 1, x0:x1 + 1]
        self.image[here] = np.minimum(self.image[here], raster.tinted(self.page.image[here], colour))

    def waves(self, piece: LeadTruth, waves: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
        """A tint around each wave from onset to offset, with an edge at both."""
        fs = self.page.truth.fs
        for name, by_lead in waves.items():
            tint, edge = WAVE_COLOURS[name]
            for on, off in by_lead.get(piece.lead, np.empty((0, 2))):
                first, last = max(on * fs, piece.samples[0]), min(off * fs, piece.samples[1] - 1)
                if last <= first:
                    continue
                y = piece.y[int(first) - piece.samples[0]: int(last) - piece.samples[0] + 2]
                if not np.isfinite(y).any():
                    continue
                high, low = float(np.nanmin(y)), float(np.nanmax(y))
                half = max(1.0 * self.px, 2.0 * self.px - (low - high) / 2)
                grid = self.page.truth.grid
                top, bottom = max(grid.top, high - half), min(grid.bottom, low + half)
                x0, x1, y0, y1 = (round(float(v)) for v in (self.x(piece, first / fs), self.x(piece, last / fs), top, bottom))
                self.tint(x0, x1, y0, y1, tint)
                self.tints.append(Box(x0, y0, x1, y1))
                for second, x in ((on, x0), (off, x1)):
                    if self.shows(piece, second):
                        cv2.line(self.image, (x, y0), (x, y1), edge, max(1, round(0.12 * self.px)), cv2.LINE_AA)

    def beats(self, strip: LeadTruth, beats: Sequence[tuple[float, str]]) -> None:
        """The name of each beat above its QRS, or where else on the strip there is room."""
        for second, text in beats:
            if not self.shows(strip, second):
                continue
            at, reach = round(second * self.page.truth.fs) - strip.samples[0], round(_BEAT_S * self.page.truth.fs)
            near = strip.y[max(0, at - reach): at + reach + 1]
            top = float(np.nanmin(near)) if np.isfinite(near).any() else strip.baseline_y
            _, wide, tall, deep = raster.text_size(text, _BEAT_MM * self.px, bold=True)
            x = float(np.clip(self.x(strip, second) - wide / 2, strip.box.left, strip.box.right - wide))
            lanes = [top - (1.8 + 0.5 * k) * self.px for k in range(40)]
            base = min(lanes, key=lambda y: self.crowding(Box(x, y - tall, x + wide, y + deep)))
            self.write(text, x, base, _BEAT_MM, BEAT_INK, bold=True)

    def calipers(self, strip: LeadTruth, calipers: Sequence[Caliper]) -> None:
        """PR and QRS side by side on one line, QT on the next, each with its value beside it, where the trace is not."""
        shown = [c for c in calipers if self.shows(strip, c.start_s) and self.shows(strip, c.stop_s)]
        if not shown:
            return
        step, gap = 3.6 * self.px, 0.8 * self.px
        placed = []
        for caliper in shown:
            _, wide, tall, _ = raster.text_size(caliper.text, _SMALL_MM * self.px)
            x0, x1 = self.x(strip, caliper.start_s), self.x(strip, caliper.stop_s)
            before = caliper is shown[0] and len(shown) > 2
            row = 1 if len(shown) > 1 and caliper is shown[-1] else 0
            placed.append((caliper.text, x0, x1, x0 - gap - wide if before else x1 + gap, row, wide, tall))
        left, right = min(min(p[1], p[3]) for p in placed), max(max(p[2], p[3] + p[5]) for p in placed)
        tall = max(p[6] for p in placed)
        lanes = [strip.baseline_y + side * k * 0.5 * self.px for k in range(6, 60) for side in (1, -1)]

        def crowd(y: float) -> float:
            outside = y - tall < strip.box.top or y + step + tall > strip.box.bottom
            return self.crowding(Box(left, y - tall, right, y + step + tall)) + 20.0 * outside

        base = min(lanes, key=crowd)
        for text, x0, x1, at, row, _, tall in placed:
            y, thick = base + row * step, max(1, round(0.25 * self.px))
            cv2.line(self.image, (round(x0), round(y)), (round(x1), round(y)), CALIPER_INK, thick, cv2.LINE_AA)
            for x in (x0, x1):
                ends = (round(x), round(y - 1.0 * self.px)), (round(x), round(y + 1.0 * self.px))
                cv2.line(self.image, *ends, CALIPER_INK, thick, cv2.LINE_AA)
            self.write(text, at, y + tall / 2, _SMALL_MM, CALIPER_INK)

    def lead_words(self, words: Mapping[str, str]) -> None:
        """A word beside the name of each lead that something is wrong with; left out where there is no room."""
        for name in [text for text in self.texts if text.kind == "lead" and text.text in words]:
            text = raster.printable(words[name.text], 24)
            _, wide, tall, deep = raster.text_size(text, _SMALL_MM * self.px)
            beside = [(name.box.right + mm * self.px, name.box.bottom) for mm in (0.8, 3.0, 6.0)]
            places = [*beside, (name.box.left, name.box.bottom + 3.4 * self.px), (name.box.left, name.box.top - 1.2 * self.px)]
            spots = [p for p in places if self.crowding(Box(p[0], p[1] - tall, p[0] + wide, p[1] + deep)) == 0]
            if spots:
                self.write(text, *spots[0], _SMALL_MM, PROBLEM_INK)

    def lines(self, lines: Sequence[str]) -> None:
        """Lines above the grid beside the header, wrapped; the longest from the end are cut when they do not all fit."""
        width = (sheet.GRID_MM[2] - _LINES_LEFT_MM) * self.px
        wrapped = [_wrapped(raster.printable(line.replace("→", "->"), 600), width, _LINE_MM * self.px) for line in lines]
        while sum(map(len, wrapped)) > MAX_LINES:
            last = max(range(len(wrapped)), key=lambda k: (len(wrapped[k]) > 1, k))
            rest = wrapped[last][:-1]
            wrapped[last:last + 1] = [[*rest[:-1], rest[-1].rstrip(" ,;.") + " ..."]] if rest else []
        for k, text in enumerate(line for part in wrapped for line in part):
            self.write(text, _LINES_LEFT_MM * self.px, (_LINES_TOP_MM + k * _LINES_STEP_MM) * self.px, _LINE_MM, TEXT_INK)

    def legend(self, waves: Sequence[str], words: Sequence[str]) -> None:
        """What the tints and the names of beats mean."""
        x, base = _LINES_LEFT_MM * self.px, _LEGEND_MM * self.px
        for name in waves:
            tint, edge = WAVE_COLOURS[name]
            x0, x1, y0, y1 = round(x), round(x + 4 * self.px), round(base - 2.4 * self.px), round(base + 0.2 * self.px)
            self.tint(x0, x1, y0, y1, tint)
            for side in (x0, x1):
                cv2.line(self.image, (side, y0), (side, y1), edge, max(1, round(0.12 * self.px)))
            x = self.write(name.upper(), x1 + 1.2 * self.px, base, _LINE_MM, TEXT_INK).right + 4 * self.px
        for text in words:
            x = self.write(text, x, base, _LINE_MM, BEAT_INK).right + 4 * self.px


def _wrapped(text: str, width: float, height_px: float) -> list[str]:
    """The text in lines no wider than width pixels."""
    out: list[str] = []
    for word in text.split():
        if out and raster.text_size(f"{out[-1]} {word}", height_px)[1] <= width:
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out
