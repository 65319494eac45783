"""Showing evidence on a page: a light band over the lead and time it was seen in."""

from __future__ import annotations

from collections.abc import Sequence

from ecglm.paper import raster
from ecglm.paper.page import Page, undistorted
from ecglm.paper.style import Colour
from ecglm.paper.truth import Box, LeadTruth, TextBox
from ecglm.schema import Evidence

#: Tints that keep black ink legible; evidence takes them in turn.
TINTS: tuple[Colour, ...] = ((255, 240, 176), (205, 230, 255), (214, 243, 206), (240, 216, 250))
_CAPTION_MM = 2.2


def annotate(page: Page, evidence: Sequence[Evidence], *, caption: bool = True) -> Page:
    """A copy of the page with each piece of evidence as a tinted band and a short caption.

    A band covers ``span_s`` (seconds of the record) in the evidence's leads, wherever
    they are drawn at that time; without leads in every rhythm strip, or everywhere when
    there is none; without a span the whole piece. Evidence with neither is not drawn.
    Captions are numbered by the position in `evidence`, from 1.
    """
    undistorted(page)
    image = page.image.copy()
    px = page.truth.px_per_mm
    texts = list(page.truth.texts)
    for number, item in enumerate(evidence, start=1):
        tint = TINTS[(number - 1) % len(TINTS)]
        named = False
        for piece in _where(page, item):
            band = _band(page, piece, item.span_s)
            if band is None:
                continue
            x0, x1 = round(max(0.0, band.left)), round(band.right) + 1
            y0, y1 = round(band.top), round(band.bottom) + 1
            image[y0:y1, x0:x1] = raster.tinted(image[y0:y1, x0:x1], tint)
            if caption and not named:
                texts.append(_caption(image, number, item.text, band, px, texts, page.truth.grid))
                named = True
    truth = page.truth
    return Page(image, type(truth)(**{**vars(truth), "texts": tuple(texts)}))


def _where(page: Page, item: Evidence) -> list[LeadTruth]:
    drawn = [piece for piece in page.truth.pieces if piece.drawn]
    if item.leads:
        return [piece for piece in drawn if piece.lead in item.leads]
    if item.span_s is None:
        return []
    return [piece for piece in drawn if piece.role == "rhythm"] or drawn


def _band(page: Page, piece: LeadTruth, span_s: tuple[float, float] | None) -> Box | None:
    """The part of a piece's box that shows span_s, at least 1 mm wide; None when it shows another time."""
    truth = page.truth
    if span_s is None:
        return piece.box
    first, last = (second * truth.fs for second in span_s)
    if last < piece.samples[0] or first > piece.samples[1]:
        return None
    per_sample = truth.speed * truth.px_per_mm / truth.fs
    left = max(piece.box.left, piece.box.left + (first - piece.samples[0]) * per_sample)
    right = min(piece.box.right, piece.box.left + (last - piece.samples[0]) * per_sample)
    lack = max(0.0, truth.px_per_mm - (right - left)) / 2
    return Box(left - lack, piece.box.top, right + lack, piece.box.bottom)


def _caption(image: raster.Image, number: int, text: str, band: Box, px: float, texts: Sequence[TextBox],
             grid: Box) -> TextBox:
    words = raster.printable(f"{number} {text}", 36)
    _, wide, tall, deep = raster.text_size(words, _CAPTION_MM * px)
    left = min(max(grid.left + px, band.left + 0.4 * px), grid.right - wide - px)
    for step in range(8):
        base = band.top + tall + (0.6 + 3.2 * step) * px
        box = Box(left, base - tall, left + wide, base + deep)
        if not any(box.overlaps(other.box) for other in texts):
            break
    return TextBox("caption", words, raster.write(image, words, left, base, _CAPTION_MM * px, (70, 50, 0)))
