"""The page of a `Plot` for a browser: every lead as SVG with its waves, a small script for zoom and values; one file.

Geometry: x in seconds, scaled by the zoom; y in pixels, 4 to the millimetre.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ecglm.paper.draw import SD_SHARE_OF_GAIN
from ecglm.records.leads import display_order
from ecglm.reporting.plot import Plot
from ecglm.reporting.plot_beats import INTERVALS, beat_intervals, contradictions
from ecglm.reporting.render import html_templates
from ecglm.reporting.report import Report
from ecglm.reporting.view import view
from ecglm.signal.delineation import WAVES
from ecglm.signal.resample import resample

PX_PER_MM, MM_PER_S, MM_PER_MV = 4, 25, 10
#: Pixels per second at the start, where 25 mm/s is 100.
ZOOM = PX_PER_MM * MM_PER_S
#: Highest rates (Hz) at which up to so many seconds are drawn, so that a file stays small.
RATES = ((20.0, 500.0), (np.inf, 250.0))
#: A row reaches at least and at most so far above, and below, its baseline (mm).
REACH_MM = (5, 40)
#: Heights of the lanes above the leads: clock, kinds of beats, RR, PR and QRS, QT.
CLOCK_PX, LANE_PX = 18, 16
#: Width of a digit, for words that are left out where they would touch.
CHAR_PX = 6.6

Floats = NDArray[np.float64]


def to_html(plot: Plot) -> str:
    """One self-contained page; its own script is the only one that its policy lets run."""
    templates = html_templates()
    assert templates.loader is not None
    script = templates.loader.get_source(templates, "plot.js")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    report = Report.of(plot.record, measurements=plot.measurements, findings=plot.findings or (), model=plot.model)
    return templates.get_template("plot.html.j2").render(
        view(report) | {"rhythm": plot.rhythm} | _figure(plot),
        script=Markup(script), script_hash=digest, part=plot.span(),
        asked=plot.findings is not None, finding_note=plot.finding_note, unmarked=plot.delineation.reason,
        doubts=contradictions(plot.delineation, plot.measurements), counted=_counted(plot))


def _counted(plot: Plot) -> list[tuple[str, str, int]]:
    """Name, meaning and number of the beats that are not normal."""
    kinds = [(name, meaning) for _, name, meaning in plot.beats]
    return [(*kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]


def _figure(plot: Plot) -> dict[str, Any]:
    """What the template draws."""
    record = plot.record
    fs = min(record.fs, next(rate for most_s, rate in RATES if record.duration_s <= most_s))
    drawn = dict(zip(record.leads, resample(record.signal, record.fs, fs), strict=True))
    step = PX_PER_MM * MM_PER_MV * (1.0 if record.unit == "mV" else SD_SHARE_OF_GAIN)
    top = CLOCK_PX + 4 * LANE_PX
    words, qrs = plot.lead_words, plot.delineation.overall["qrs"]
    rows = []
    for lead in display_order(record.leads):
        known = np.isfinite(drawn[lead])
        centre = float(np.median(drawn[lead][known])) if known.any() else 0.0
        values = drawn[lead] - centre
        up, down = (_reach(values[known] * side * step / PX_PER_MM) for side in (1, -1))
        base = top + up * PX_PER_MM
        rows.append({
            "lead": lead, "top": top, "base": base, "height": (up + down) * PX_PER_MM, "word": words.get(lead, ""),
            "centre": round(1000 * centre), "trace": _path(values),
            "waves": [wave for name in WAVES for wave in _waves(name, plot.spans[name].get(lead), values, fs, step)]})
        top += (up + down) * PX_PER_MM
    return {
        "traces": rows, "height": top, "width": round(record.duration_s * ZOOM), "zoom": ZOOM, "seconds": record.duration_s,
        "drawn_fs": fs, "file_fs": record.fs, "step": step, "unit_name": "mV" if record.unit == "mV" else "SD",
        "begins": plot.begins_s, "lanes_top": CLOCK_PX, "lane": LANE_PX,
        "bars": list(_bars(plot)), "words": [*_ticks(plot), *_words(plot)],
        "odd": [{"x": round(float(on) - 0.03, 3), "width": round(float(off - on) + 0.06, 3)}
                for (on, _, off), kind in zip(qrs, plot.delineation.types or "N" * len(qrs), strict=True) if kind != "N"],
    }


def _reach(mm: Floats) -> int:
    """How far a row reaches to one side: whole boxes of 5 mm."""
    return int(np.clip(5 * np.ceil((mm.max(initial=0.0) + 1.0) / 5), *REACH_MM))


def _path(values: Floats) -> str:
    """The trace in samples and thousandths of the unit, each point relative to the one before; broken where it is missing."""
    whole = np.round(1000 * values)
    out = []
    edges = np.flatnonzero(np.diff(np.r_[False, np.isfinite(whole), False].astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        steps = " ".join(f"1{d:+d}" if d < 0 else f"1 {d}" for d in np.diff(whole[first:last]).astype(int).tolist())
        out.append(f"M{first} {int(whole[first])}" + f"l{steps}" * bool(steps))
    return "".join(out)


def _waves(name: str, spans_S2: Floats | None, values: Floats, fs: float, step: float) -> Iterator[dict[str, Any]]:
    """A box around each wave of a lead: x and width in seconds, y and height in pixels from the baseline."""
    for on, off in () if spans_S2 is None else spans_S2:
        part = values[int(on * fs): int(off * fs) + 2] * step
        part = part[np.isfinite(part)]
        if len(part):
            high, low = float(part.max()) + PX_PER_MM, float(part.min()) - PX_PER_MM
            yield {"name": name, "x": round(float(on), 3), "width": round(float(off - on), 3), "y": round(-high),
                   "height": round(high - low)}


def _bars(plot: Plot) -> Iterator[dict[str, Any]]:
    """PR, QRS and QT of every beat as bars in their lanes."""
    for on, each in zip(plot.delineation.overall["qrs"][:, 0], beat_intervals(plot.delineation), strict=True):
        for name, long in zip(INTERVALS, each, strict=True):
            if not np.isnan(long):
                yield {"name": name, "x": round(float(on - long * (name == "pr")), 3), "width": round(float(long), 3),
                       "lane": 3 if name == "qt" else 2, "title": f"{name.upper()} {1000 * long:.0f} ms"}


def _ticks(plot: Plot) -> Iterator[dict[str, Any]]:
    """The clock, a word every second; those of whole five seconds stay when there is less room."""
    first = int(np.ceil(plot.begins_s))
    for second in range(first, int(plot.begins_s + plot.record.duration_s) + 1):
        text = f"{second // 3600}:{second // 60 % 60:02d}:{second % 60:02d}" if second >= 60 else f"{second} s"
        room = 60 if second % 60 == 0 else 10 if second % 10 == 0 else 5 if second % 5 == 0 else 1
        yield _word("tick", second - plot.begins_s, text, -1, room, "start")


def _words(plot: Plot) -> Iterator[dict[str, Any]]:
    """Kinds of beats, and RR, PR, QRS and QT in numbers beside or over their bars."""
    waves = plot.delineation.overall["qrs"]
    rr = dict(enumerate(np.diff(waves[:, 1]), start=1))
    for second, name, meaning in plot.beats:
        yield _word("odd", second, name, 0, 0.4, "middle", meaning)
    for k, long in rr.items():
        yield _word("rr", waves[k, 1] - long / 2, f"{1000 * long:.0f}", 1, long, "middle")
    for k, (pr, qrs, qt) in enumerate(beat_intervals(plot.delineation)):
        on, _, off = waves[k]
        room = min(rr.get(k, np.inf), rr.get(k + 1, np.inf))
        if not np.isnan(pr):
            yield _word("pr", on - pr - 0.03, f"{1000 * pr:.0f}", 2, room / 2, "end")
        yield _word("qrs", off + 0.03, f"{1000 * qrs:.0f}", 2, room / 2, "start")
        if not np.isnan(qt):
            yield _word("qt", on + qt + 0.03, f"{1000 * qt:.0f}", 3, room - qt, "start")


def _word(kind: str, second: float, text: str, lane: int, room_s: float, anchor: str, title: str = "") -> dict[str, Any]:
    """A word at a time; left out while it has less room than it needs."""
    need = CHAR_PX * len(text) + 4
    return {"kind": kind, "t": round(float(second), 3), "x": round(float(second) * ZOOM, 1), "text": text, "lane": lane,
            "room": round(float(min(room_s, 99)), 3), "need": round(need), "off": room_s * ZOOM < need, "anchor": anchor,
            "title": title}
