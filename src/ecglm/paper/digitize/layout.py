"""Which piece of which row shows which lead: columns by the printed names, leads by the usual order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ecglm.paper.digitize.calibrate import Span
from ecglm.paper.digitize.names import CABRERA, USUAL_STRIPS, names_of
from ecglm.paper.digitize.runs import Floats
from ecglm.paper.digitize.trace import Trace
from ecglm.paper.digitize.words import Word

#: Trace of the usual page: 10 s at 25 mm/s, and how far a page's may be from it (mm).
USUAL_MM, USUAL_OFF = 250.0, 9.0
#: A strip is a lead of whose piece it repeats so much; within so much of the best, leads are equally likely.
_SAME, _CLOSE = 0.5, 0.2
#: What a name beside it counts for a lead: less than being usual, for names are misread.
_NAMED = 0.15
#: A row that repeats less than this of any lead is no rhythm strip.
_NOTHING = 0.15
#: Rows show one lead each where so many begin with a word, and so few have one where a further lead of theirs would begin.
_BEGUN, _WITHIN = 0.6, 0.1
#: Fewer leads than these are no page of the twelve on which some were missed.
_TWELVE = 8


@dataclass(frozen=True)
class Piece:
    """Columns [first, last) of a row that show one lead. strip: the row shows nothing else."""

    lead: str
    row: int
    first: float
    last: float
    strip: bool


@dataclass(frozen=True)
class Plan:
    """What is where, where time begins (column), and what was assumed. sure: whether the names were read on the page. turned:
    leads that the user says are printed turned over; cabrera: whether the order is Cabrera's, which prints -aVR. twelve: whether
    a page that has a problem may be one of the twelve leads."""

    pieces: tuple[Piece, ...]
    start: float
    stop: float
    sure: bool
    notes: tuple[str, ...]
    problem: str = ""
    turned: tuple[str, ...] = ()
    cabrera: bool = False
    twelve: bool = True


def plan(traces: Sequence[Trace], spans: Sequence[Span], words: Sequence[Word], px: float,
         leads: Sequence[str] | None) -> Plan:
    """The pieces of the page; `problem` says why there are none. leads: names given by the user, row by row from left to
    right."""
    start, stop = _time_span(spans, px)
    notes: list[str] = []
    rows = len(traces)
    wide = stop - start
    usual = abs(wide / px - USUAL_MM) <= USUAL_OFF
    if usual:
        stop = start + USUAL_MM * px
    by_row = _labels(traces, words, px)
    columns, cells, bounds = _columns(by_row, start, stop, px, rows, usual, notes)
    if leads is not None:
        return _as_given(leads, rows, columns, cells, bounds, start, stop, notes)
    names, sure = names_of(by_row, cells, columns, bounds, px, notes)
    if names is None:
        return Plan((), start, stop, False, tuple(notes),
                    f"{rows} rows in {columns} columns are not a layout whose leads are known" if len(cells) * columns != 12 else
                    f"the names that were read on it are not those of {rows} rows in {columns} columns",
                    twelve=len(cells) * columns >= _TWELVE)
    if not sure and columns > 1 and not usual and np.allclose(np.diff(bounds), (stop - start) / columns):
        return Plan((), start, stop, False, tuple(notes),
                    f"its traces are {wide / px:.0f} mm long, not 250, and no names are read that say where each lead begins")
    pieces = [Piece(names[i][j], row, bounds[j], bounds[j + 1], False) for i, row in enumerate(cells) for j in range(columns)]
    strips = [row for row in range(rows) if row not in cells]
    pieces += [Piece(lead, row, start, stop, True) for row, lead in
               zip(strips, _strips(strips, pieces, traces, by_row, notes), strict=True) if lead]
    return Plan(tuple(pieces), start, stop, sure, tuple(notes), cabrera=len(cells) * columns == 12 and names[0][0] == CABRERA[0])


def _time_span(spans: Sequence[Span], px: float) -> tuple[float, float]:
    """First and last column of the traces; rows whose pulse was seen know best where theirs begins."""
    left = [s.first for s in spans if any(p.last < s.first + px for p in s.pulses)] or [s.first for s in spans]
    right = [s.last for s in spans]
    return float(np.median(left)), float(np.median(right))


def _labels(traces: Sequence[Trace], words: Sequence[Word], px: float) -> list[list[Word]]:
    """Words of each row: within its territory, nearest to its level."""
    levels = np.array([trace.level for trace in traces])
    out: list[list[Word]] = [[] for _ in traces]
    for word in words:
        base = word.bottom
        # Names stand above their trace at most 22 mm, or just below it.
        distance = np.where(base <= levels, (levels - base) / 22.0, (base - levels) / 9.0) / px
        near = int(distance.argmin())
        if distance[near] <= 1.0:
            out[near].append(word)
    return out


def _columns(by_row: list[list[Word]], start: float, stop: float, px: float, rows: int, usual: bool, notes: list[str],
             ) -> tuple[int, list[int], Floats]:
    """Number of columns, the rows that are divided into them, and their bounds."""
    width = stop - start

    def hits(columns: int) -> Floats:
        """Share of rows with a word just after each inner bound ``[row, column]``."""
        out = np.zeros((rows, columns))
        for row, words in enumerate(by_row):
            for k in range(columns):
                bound = start + k * width / columns
                out[row, k] = any(_near(word, bound, px) for word in words)
        return out

    four = hits(4)
    inner = four[:, 1:]
    quarter, half = inner[:, [0, 2]].mean(axis=1), inner[:, 1]
    divided = [row for row in range(rows) if inner[row].sum() >= 2]
    named = any(word.lead not in (None, "I") for words in by_row for word in words if _near(word, start, px))
    alone = four[:, 0].mean() > _BEGUN and inner.mean() < _WITHIN if named else four[:, 0].all() and not inner.any()
    if 3 <= rows <= 7 and alone:
        columns, cells = 1, list(range(rows))
    elif 3 <= rows <= 7 and len(divided) >= 2 and quarter[divided].mean() > 0.5:
        columns, cells = 4, list(range(3))
    elif rows in (6, 7, 8) and half.mean() > 0.5 and quarter.mean() < 0.35:
        columns, cells = 2, list(range(6))
    elif rows in (3, 4, 5) and half.mean() > 0.5 and quarter.mean() < 0.35:
        columns, cells = (2, list(range(rows))) if not quarter.any() else (1, list(range(rows)))
    elif rows in (3, 4, 5):
        columns, cells = 4, list(range(3))
        notes.append(f"{rows} rows are taken for 3x4 leads" + " and rhythm strips" * (rows > 3))
    elif rows == 6:
        columns, cells = 4, [0, 1, 2]
        notes.append("6 rows are taken for 3x4 leads and three rhythm strips")
    elif rows == 7:
        columns, cells = 2, list(range(6))
        notes.append("7 rows are taken for 6x2 leads and a rhythm strip")
    else:
        columns, cells = 1, list(range(rows))
    bounds = np.linspace(start, stop, columns + 1)
    if not usual and columns > 1:
        seen = _bounds_by_words([by_row[row] for row in cells], bounds, px)
        if seen is not None:
            bounds = seen
        else:
            notes.append(f"the traces are {width / px:.0f} mm long, not 250: where one lead ends and the next begins is assumed")
    return columns, cells, bounds


def _near(word: Word, bound: float, px: float) -> bool:
    """Whether a word stands where the name of a lead that begins at this column would."""
    return -2.5 * px < word.left - bound < 9.0 * px


def _bounds_by_words(by_row: list[list[Word]], bounds: Floats, px: float) -> Floats | None:
    """Bounds of a page that is not all there, from where the names stand: evenly spaced, in as many rows as possible."""
    lefts = np.array([word.left for words in by_row for word in words])
    if len(lefts) > 80:  # specks, not words
        return None
    columns = len(bounds) - 1
    best, found = 0.0, None
    for step in np.arange(55.0, 70.0, 0.5) * px:  # 2.5 s at 25 mm/s, near enough
        for first in lefts[lefts < bounds[0] + 0.6 * step]:
            places = first + step * np.arange(columns)
            near = np.abs(lefts[:, None] - places[None, :]) < 2.0 * px
            score = float(near.any(axis=0).sum() * 10 + near.sum() - 0.05 * abs(step / px - 62.5))
            if score > best:
                best, found = score, places
    if found is None or best < 10 * columns:
        return None
    out = found - 1.5 * px
    return np.append(np.maximum(out, bounds[0]), min(bounds[-1], out[-1] + (out[1] - out[0])))


def _as_given(leads: Sequence[str], rows: int, columns: int, cells: list[int], bounds: Floats, start: float, stop: float,
              notes: list[str]) -> Plan:
    """The plan with the user's own names: one for each piece, or one for each row; "-aVR" is aVR turned over."""
    turned = tuple(lead[1:] for lead in leads if lead.startswith("-"))
    leads = [lead.removeprefix("-") for lead in leads]
    strips = [row for row in range(rows) if row not in cells]
    if len(leads) == rows:
        pieces = [Piece(lead, row, start, stop, True) for row, lead in enumerate(leads)]
    elif len(leads) == len(cells) * columns + len(strips):
        pieces = [Piece(leads[i * columns + j], row, bounds[j], bounds[j + 1], False)
                  for i, row in enumerate(cells) for j in range(columns)]
        pieces += [Piece(leads[len(cells) * columns + k], row, start, stop, True) for k, row in enumerate(strips)]
    else:
        return Plan((), start, stop, True, tuple(notes), f"{len(leads)} lead names are given, and the page shows {rows} rows"
                    + f" in {columns} columns" * (columns > 1))
    return Plan(tuple(pieces), start, stop, True, tuple(notes), turned=turned)


def _strips(strips: list[int], pieces: list[Piece], traces: Sequence[Trace], by_row: list[list[Word]], notes: list[str],
            ) -> list[str]:
    """The lead of each rhythm strip, each another one: whose own piece it repeats (the usual one or the name beside it, where
    several are as close), or the name beside it, or the usual one."""
    usual = dict(zip(strips, USUAL_STRIPS.get(len(strips), ()), strict=False))
    named = {row: [word.lead for word in by_row[row] if word.lead not in (None, "I")] for row in strips}
    alike = {row: {piece.lead: _alike(traces[row], traces[piece.row], piece) for piece in pieces} for row in strips}
    likely = [[value + (_CLOSE if lead == usual.get(row) else _NAMED if lead in named[row] else 0.0)
               for lead, value in alike[row].items()] for row in strips]
    best = {row: max(values, key=lambda lead: values[lead], default="") for row, values in alike.items()}
    same = [row for row in strips if alike[row].get(best[row], 0.0) > _SAME]
    taken: dict[int, str] = {}
    if pieces and strips:
        for k, column in zip(*linear_sum_assignment(-np.array(likely)), strict=True):
            row, lead = strips[k], list(alike[strips[k]])[column]
            if row in same and alike[row][lead] > alike[row][best[row]] - _CLOSE:
                taken[row] = lead
    for row in strips:
        if row in taken:
            continue
        name = next((str(lead) for lead in named[row] if lead not in taken.values()), "")
        if row in same:
            notes.append(f"a row below the others was left out: it is most like lead {best[row]}, whose strip is another one")
        elif name:
            taken[row] = name
        elif alike[row].get(best[row], 0.0) < _NOTHING or usual.get(row, "") in ("", *taken.values()):
            notes.append("a row below the others was left out: it repeats none of the leads")
        else:
            taken[row] = usual[row]
            notes.append(f"a rhythm strip is taken for lead {usual[row]}, the usual one; neither its name nor its shape says so")
    return [taken.get(row, "") for row in strips]


def _alike(strip: Trace, cell: Trace, piece: Piece) -> float:
    """How much of the cell's shape (its variance) the strip repeats at the same time, in the better of a few small shifts."""
    a, b = round(piece.first), round(piece.last)
    best = -1.0
    for shift in range(-6, 7):
        x, y = strip.y[max(0, a + shift):b + shift], cell.y[max(0, a):b]
        n = min(len(x), len(y))
        both = np.isfinite(x[:n]) & np.isfinite(y[:n])
        if both.sum() > 0.5 * n and n > 10:
            x, y = x[:n][both], y[:n][both]
            x, y = x - np.median(x), y - np.median(y)
            best = max(best, 1.0 - float(np.sum((x - y) ** 2) / (max(np.sum(x ** 2), np.sum(y ** 2)) + 1e-9)))
    return best
