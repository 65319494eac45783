"""Image of an ECG page → `Record`, step by step, with what is known of how sure each step was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import PageError, UsageError, argument
from ecglm.paper.digitize.calibrate import Span, span_of
from ecglm.paper.digitize.confidence import CUT_STRIP, LEAST, clearness, cut_share, lead_by_lead, lead_confidence, no_ecg
from ecglm.paper.digitize.grid import Lattice, find_lattice
from ecglm.paper.digitize.ink import ink_of
from ecglm.paper.digitize.layout import Plan, plan
from ecglm.paper.digitize.load import Picture, load_picture
from ecglm.paper.digitize.orientation import lies
from ecglm.paper.digitize.page import FlatPage, flatten
from ecglm.paper.digitize.runs import Floats, levels_of, runs_of
from ecglm.paper.digitize.scale import DOUBTED, Scale, doubt, scale_of
from ecglm.paper.digitize.text import installed, printed, with_names
from ecglm.paper.digitize.trace import Trace, follow
from ecglm.paper.digitize.turned import avr_is_turned
from ecglm.paper.digitize.words import find_words
from ecglm.paper.look import picture_of
from ecglm.records.leads import display_order
from ecglm.records.reading import PageReading
from ecglm.records.record import Record

#: Rate of the records that are read off pages, Hz.
FS = 500.0
#: Fewest pixels per mm at which a QRS complex still has a shape.
LEAST_PX = 1.8
#: Shorter gaps (s) in a trace are bridged by straight lines, longer ones are missing.
BRIDGED_S = 0.06
#: So much (mm) is not read beside a bound between two leads of a row, where their ink meets: the trace is held there, and at
#: the ends of a row, over at most so many mm.
_BOUND_MM, _HELD_MM = 0.3, 0.5
#: Twelve leads below one another and three strips, and one row too many.
_MOST_ROWS = 16
_IMAGE = "pass a scan or photo of an ECG on ruled paper"


@dataclass(frozen=True, eq=False)
class ReadPage:
    """A page and what was read off it: the picture, the flat page, its rows and pieces, and the record."""

    picture: Picture
    flat: FlatPage
    traces: tuple[Trace, ...]
    plan: Plan
    record: Record

    @property
    def text(self) -> str:
        """For people: what was read and how surely."""
        reading = self.record.reading
        assert reading is not None
        leads = "  ".join(f"{lead} {value:.2f}" for lead, value in reading.confidence.items())
        return f"{reading.text}\nconfidence of each lead: {leads}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: rate, length, leads and how they were read."""
        reading = self.record.reading
        assert reading is not None
        return {"leads": list(self.record.leads), "fs": self.record.fs, "duration_s": round(self.record.duration_s, 3),
                "reading": reading.to_dict()}


def digitize(image: str | os.PathLike[str] | bytes | NDArray[Any], *, leads: Sequence[str] | None = None,
             speed: float | None = None, gain: float | None = None, page: int = 1, text: bool | None = None) -> Record:
    """Read an ECG off an image of its page: a file, its bytes, or an array ``[y, x, 3]``.

    leads: names in the order of the page (rows from above, each from left to right, then rhythm strips), or one for each
    row, "-aVR" for aVR turned over; None reads them or takes the usual ones. speed: mm/s; None takes it from the printed text,
    the width of the calibration pulse, or 25. gain: mm/mV; None takes it from the calibration pulse, the text, or 10. page: of
    a file with several. text: whether printed text is read (None: where rapidocr is installed). `record.reading` says what was
    assumed.

    Returns a Record at 500 Hz that begins where the traces begin, in mV; with unit "normalized" where the gain was assumed:
    then nobody knows what a millivolt is. What is not drawn of a lead is NaN: of a 3x4 page
    each lead has its own 2.5 s, the rhythm strip all 10 s. `record.quality` is how surely each lead was read, 0..1, and
    `record.reading` how. Raises PageError, with the reason, for what is no ECG page or cannot be read surely.
    """
    return read_page(image, leads=leads, speed=speed, gain=gain, page=page, text=text).record


def read_page(image: str | os.PathLike[str] | bytes | NDArray[Any], *, leads: Sequence[str] | None = None,
              speed: float | None = None, gain: float | None = None, page: int = 1, text: bool | None = None) -> ReadPage:
    """The same, with everything that was found on the way. Raises PageError."""
    if not (speed is None or speed > 0) or not (gain is None or gain > 0):
        raise UsageError(f"speed={speed!r} and gain={gain!r} must be positive; usual are 25 or 50 mm/s and 5, 10 or 20 mm/mV")
    picture = load_picture(image, page)
    try:
        return _read(picture, leads, speed, gain, text)
    except PageError as refused:
        if picture.pages == 1:
            raise
        other = page + 1 if page < picture.pages else 1
        raise PageError(refused.path, refused.reason, str(refused).removeprefix(f"{refused.path}: "),
                        f"this is page {page} of {picture.pages}; try {argument('page', other)}", refused.twelve) from None


def _read(picture: Picture, leads: Sequence[str] | None, speed: float | None, gain: float | None, text: bool | None) -> ReadPage:
    lattice, flat = _flat(picture)
    ink, contrast = ink_of(flat)
    runs = runs_of(ink, flat.px)
    levels = levels_of(runs, flat.px, ink.shape[0]) if len(runs.top) else []
    traces, spans = _rows(picture, follow(runs, levels, flat.px) if levels else [], flat.px)
    words = find_words(ink, traces, flat.px)
    lines = printed(picture.image) if text or (text is None and installed()) else []
    found = plan(traces, spans, with_names(words, lines, flat), flat.px, leads)
    if not found.sure and (how := lies(ink, words, flat.px)) is not None:
        raise PageError(picture.name, "turned", f"it lies {how}", "turn it so that its text can be read")
    if found.problem:
        _check_ecg(picture, traces, spans, flat.px)
        raise PageError(picture.name, "layout", found.problem, "name the leads row by row with leads=[...] (--leads II,V1)",
                        twelve=found.twelve)
    scale = scale_of(speed, gain, [pulse for span in spans for pulse in span.pulses], flat.px, lines)
    return _assembled(picture, lattice, flat, traces, found, contrast, scale)


def _flat(picture: Picture) -> tuple[Lattice, FlatPage]:
    lattice = find_lattice(picture.image)
    if lattice is None:
        raise PageError(picture.name, "grid", "no ruled ECG paper is seen on it, so it has no scale", _IMAGE)
    if min(lattice.pitch) < LEAST_PX:
        raise PageError(picture.name, "size", f"it shows {min(lattice.pitch):.1f} pixels per mm, too few for the shape of a QRS",
                        "scan it at 100 dpi or more")
    flat = flatten(picture.image, lattice)
    if flat is None:
        raise PageError(picture.name, "grid", "its lines do not form one sheet of ruled ECG paper", _IMAGE)
    return lattice, flat


def _rows(picture: Picture, traces: Sequence[Trace], px: float) -> tuple[list[Trace], list[Span]]:
    spans = [span_of(trace, px) for trace in traces]
    kept = [(trace, span) for trace, span in zip(traces, spans, strict=True) if span is not None]
    if kept:  # a row much shorter than the others is text or a remnant
        longest = max(span.last - span.first for _, span in kept)
        kept = [(trace, span) for trace, span in kept if span.last - span.first > 0.5 * longest]
    while len(kept) > 1 and (beyond := _beyond(kept, px)) is not None:
        kept.pop(beyond)
    if not kept:
        raise PageError(picture.name, "traces", "no traces are seen on it", _IMAGE)
    return [trace for trace, _ in kept], [span for _, span in kept]


def _check_ecg(picture: Picture, traces: Sequence[Trace], spans: Sequence[Span], px: float) -> None:
    """Raises PageError where rows whose leads are not known are no ECG either, at the usual speed and gain: what is refused for
    its layout alone may still be looked at."""
    if len(traces) > _MOST_ROWS:
        raise PageError(picture.name, "traces", f"its {len(traces)} lines are more rows than an ECG page has", _IMAGE)
    per_s, start = 25.0 * px, min(span.first for span in spans)
    columns = start + np.arange(max(1, round((max(span.last for span in spans) - start) / per_s * FS))) / FS * per_s
    reason, _ = no_ecg(np.stack([_millivolts(trace, columns, 10.0 * px, per_s) for trace in traces]), FS)
    if reason is not None:
        raise PageError(picture.name, "traces", f"the lines on it are no ECG: {reason}", _IMAGE)


def _beyond(kept: list[tuple[Trace, Span]], px: float) -> int | None:
    """The first or last row if it is the edge of the sheet or print: without a pulse where the others have one, and ending where
    they do not (a row whose pulse was not recognised begins too early, and ends with the others)."""
    pulsed = [span for _, span in kept if span.pulses]
    if len(pulsed) <= 0.5 * len(kept):
        return None
    start, stop = np.median([span.first for span in pulsed]), np.median([span.last for span in pulsed])
    for k in (len(kept) - 1, 0):
        span = kept[k][1]
        if not span.pulses and (abs(span.last - stop) > 5.0 * px or span.first - start > 5.0 * px):
            return k
    return None


def _assembled(picture: Picture, lattice: Lattice, flat: FlatPage, traces: list[Trace], found: Plan, contrast: float,
               scale: Scale) -> ReadPage:
    """The record of the pieces. Raises PageError when the traces are no ECG or too unsure."""
    per_s = scale.speed * flat.px
    n = max(1, round((found.stop - found.start) / per_s * FS))
    columns = found.start + np.arange(n) / FS * per_s
    rows = np.stack([_millivolts(trace, columns, flat.px * scale.gain, per_s) for trace in traces])
    reason, row_quality = no_ecg(rows, FS)
    if reason is not None:
        raise PageError(picture.name, "traces", f"the lines on it are no ECG: {reason}", _IMAGE)
    signals: dict[str, Floats] = {}
    confidence: dict[str, float] = {}
    clear: dict[str, float] = {}
    cuts: dict[str, float] = {}
    left: list[str] = []
    for piece in sorted(found.pieces, key=lambda piece: piece.strip):
        bound = 0.0 if piece.strip else _BOUND_MM * flat.px
        inside = (columns >= piece.first + bound * (piece.first > found.start)) \
            & (columns < piece.last - bound * (piece.last < found.stop))
        values = _held(np.where(inside, rows[piece.row], np.nan), (columns >= piece.first) & (columns < piece.last),
                       round(_HELD_MM * flat.px / per_s * FS))
        if np.isfinite(values).any():
            values = values - np.nanmedian(values)
        sure = lead_confidence(traces[piece.row], piece, flat, min(lattice.pitch), row_quality[piece.row], found.sure)
        before, cut = signals.get(piece.lead), cut_share(traces[piece.row], piece, flat.px)
        if before is not None:  # the strip of a lead that also has a cell: whole, and the cell only where the strip is missing
            if cut > max(CUT_STRIP, cuts[piece.lead]):
                left.append(f"the rhythm strip of lead {piece.lead} crosses other rows and was left for its own piece")
                continue
            values, sure = np.where(np.isfinite(values), values, before), max(sure, confidence[piece.lead])
        signals[piece.lead], confidence[piece.lead], cuts[piece.lead] = values, sure, cut
        clear[piece.lead] = clearness(traces[piece.row], piece, flat.px)
    turned = found.turned or ("aVR",) * (found.cabrera and avr_is_turned(signals))
    for lead in turned:
        signals[lead] = -signals[lead]
    drawn = [lead for lead in display_order(signals) if np.isfinite(signals[lead]).any()]
    confidence = lead_by_lead({lead: confidence[lead] for lead in drawn}, {lead: clear[lead] for lead in drawn})
    if not drawn or float(np.median(list(confidence.values()))) < LEAST:
        raise PageError(picture.name, "unsure", "its traces cannot be followed surely enough"
                        + (f" (confidence {np.median(list(confidence.values())):.2f})" if drawn else ""),
                        "scan it flat, at 200 dpi or more, with the whole page in view")
    samples = np.stack([signals[lead] for lead in drawn]).astype(np.float32)
    upside_down = [f"{lead} is printed turned over and was turned back" for lead in turned]
    notes = [*picture.notes, *found.notes, *left, *upside_down, *scale.notes]
    if scale.speed_from == "assumed" and (why := doubt(Record(samples, FS, tuple(drawn)), scale.speed)):
        notes.append(why)
        confidence = {lead: DOUBTED * sure for lead, sure in confidence.items()}
    reading = PageReading(confidence, scale.speed, scale.gain, scale.gain_seen, _layout_name(found),
                          float(min(lattice.pitch)), tuple(notes), scale.speed_from, scale.gain_from,
                          picture_of(picture.image))
    known = scale.gain_from != "assumed"  # leads of a page share one gain, whatever it is
    record = Record(samples, FS, tuple(drawn), unit="mV" if known else "normalized", limb_scale_shared=not known,
                    source=picture.name, format="image", notes=(reading.text,), reading=reading)
    return ReadPage(picture, flat, tuple(traces), found, record)


def _millivolts(trace: Trace, columns: Floats, px_per_mv: float, per_s: float) -> Floats:
    """Height of a row's trace at fractional columns, up is positive; short gaps are bridged."""
    known = np.flatnonzero(np.isfinite(trace.y))
    values = -np.interp(columns, known, trace.y[known]) / px_per_mv
    before = known[np.clip(np.searchsorted(known, columns, side="right") - 1, 0, len(known) - 1)]
    after = known[np.clip(np.searchsorted(known, columns), 0, len(known) - 1)]
    far = (after - before > BRIDGED_S * per_s) | (columns < known[0] - 1) | (columns > known[-1] + 1)
    return np.where(far, np.nan, values)


def _held(values: Floats, own: NDArray[np.bool_], most: int) -> Floats:
    """A piece's first and last known value held to its bounds, over so many samples at most; own: the samples of the piece."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values
    out, at = values.copy(), np.flatnonzero(own)
    before, after = at[(at < known[0]) & (at >= known[0] - most)], at[(at > known[-1]) & (at <= known[-1] + most)]
    out[before], out[after] = values[known[0]], values[known[-1]]
    return out


def _layout_name(found: Plan) -> str:
    cells = [piece for piece in found.pieces if not piece.strip]
    strips = len(found.pieces) - len(cells)
    rows = len({piece.row for piece in cells})
    if not cells:
        return f"{strips}x1"
    return f"{rows}x{len(cells) // rows}" + f"+{strips}R" * (strips > 0)
