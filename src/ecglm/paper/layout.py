"""Where things go on the sheet, in millimetres from its top left corner.

The sheet is US letter, landscape (11 x 8.5 in), as in ecg-image-kit, and lower for fewer than four
rows. The ruled area is 270 x 180 mm, whole 5 mm boxes; traces run over 250 mm of it (10 s at 25 mm/s), left of
them 15 mm hold the calibration pulse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from types import MappingProxyType
from typing import Literal

from ecglm.errors import UsageError
from ecglm.records.leads import STANDARD_12, canonical_lead, display_order

SHEET_MM = (279.4, 215.9)
GRID_MM = (4.7, 26.0, 274.7, 206.0)
CALIBRATION_MM = 15.0
TRACE_MM = 250.0
MAX_ROWS = 16

#: The orders in which the twelve leads are shown. Cabrera's goes round the frontal plane in steps of 30 degrees; a name with a
#: minus is that lead turned over.
ORDERS = MappingProxyType({
    "standard": STANDARD_12,
    "cabrera": ("aVL", "I", "-aVR", "II", "aVF", "III", *STANDARD_12[6:]),
})
#: How many columns a named layout has.
LAYOUTS = MappingProxyType({"3x4": 4, "6x2": 2, "12x1": 1})
#: The rhythm strips a layout has when none are asked for.
_STRIPS = {"3x4": ("II",), "3x4+1R": ("II",), "3x4+3R": ("V1", "II", "V5"), "6x2+1R": ("II",)}
LAYOUT_NAMES = (*LAYOUTS, "3x4+1R", "3x4+3R", "6x2+1R")


@dataclass(frozen=True)
class Cell:
    """A place for one lead: its row and the share [start, stop) of the trace width it takes."""

    lead: str
    role: Literal["cell", "rhythm"]
    row: int
    start: float
    stop: float


def plan(leads: Sequence[str], layout: str, rhythm: Sequence[str] | None, order: str = "standard",
         shown: Sequence[str] | None = None) -> list[Cell]:
    """The cells of a page for a record with these leads.

    shown: the leads to show, filled into the layout's columns one after the other; None for the twelve in an order of
    `ORDERS`. Fewer than four get one full-width row per lead, whatever the layout, as does a record with fewer than four
    of the twelve. Raises UsageError for an unknown layout, order or lead.
    """
    if layout not in LAYOUT_NAMES:
        raise UsageError(f"layout {layout!r} is unknown; use one of {', '.join(LAYOUT_NAMES)}")
    if order not in ORDERS:
        raise UsageError(f"order {order!r} is unknown; use one of {', '.join(ORDERS)}")
    strips = _STRIPS.get(layout, ()) if rhythm is None else tuple(rhythm)
    unknown = [lead for lead in strips if lead not in leads and lead not in STANDARD_12]
    if unknown:
        raise UsageError(f"rhythm lead {unknown[0]!r} is not in this record, which has {', '.join(leads)}")
    columns = LAYOUTS[layout.split("+")[0]]
    if shown is not None:
        cells = _chosen(shown, leads)
        if rhythm is None:
            strips = tuple(lead for lead in strips if lead in cells) if len(cells) > 3 else ()
    elif sum(lead in STANDARD_12 for lead in leads) < 4:
        cells, strips, columns = display_order(leads), (), 1
    else:
        cells = list(ORDERS[order])
    count = -(-len(cells) // (columns if len(cells) > 3 else 1))
    if count + len(strips) > MAX_ROWS:
        raise UsageError(f"{count + len(strips)} rows do not fit on a page (at most {MAX_ROWS}); "
                         "choose leads with record.select([...])")
    wide = -(-len(cells) // count)
    placed = [Cell(lead, "cell", i % count, i // count / wide, (i // count + 1) / wide) for i, lead in enumerate(cells)]
    placed.sort(key=lambda cell: (cell.row, cell.start))
    return placed + [Cell(lead, "rhythm", count + i, 0.0, 1.0) for i, lead in enumerate(strips)]


def _chosen(shown: Sequence[str], leads: Sequence[str]) -> list[str]:
    """Names of leads that are to be shown, each once."""
    if isinstance(shown, str) or not shown:
        raise UsageError("leads to show are a list of names, such as ['II', 'V1', 'V5']")
    cells = list(dict.fromkeys(canonical_lead(lead) or lead for lead in shown))
    lacking = [lead for lead in cells if lead.removeprefix("-") not in leads and lead not in leads]
    if lacking:
        raise UsageError(f"lead {lacking[0]!r} is not in this record, which has {', '.join(leads)}")
    return cells


def ruled_mm(extents_mm: Sequence[tuple[float, float]]) -> float:
    """Height of the ruled area for rows that reach so far (above, below) their baselines: all of it from four rows on, as much
    as fewer need, so that no half of the sheet is empty."""
    whole, rows = GRID_MM[3] - GRID_MM[1], len(extents_mm)
    if rows > 3:
        return whole
    needed = sum(max(0.0, up) + max(0.0, down) for up, down in extents_mm) + 5.0 * (rows + 1)
    return min(whole, max(20.0 + 40.0 * rows, 5.0 * ceil(needed / 5.0)))


def baselines(extents_mm: Sequence[tuple[float, float]]) -> list[float]:
    """Heights of the rows' baselines below the top of the ruled area, on 1 mm lines.

    extents_mm: per row how far its traces reach (above, below) the baseline. Rows are
    evenly spaced where that keeps traces apart; otherwise the free space between
    neighbours is evened out, as carts with automatic baseline placement do.
    """
    height = ruled_mm(extents_mm)
    n = len(extents_mm)
    step = height / n
    even = [(round(step / 10) * 5.0 if step % 5 == 0 else step / 2) + i * step for i in range(n)]
    above = [max(0.0, up) for up, _ in extents_mm]
    below = [max(0.0, down) for _, down in extents_mm]
    clear = 1.0
    needs = [above[0], *(below[i] + above[i + 1] for i in range(n - 1)), below[-1]]
    places = [even[0], *(b - a for a, b in pairwise(even)), height - even[-1]]
    if all(place >= need + clear for need, place in zip(needs, places, strict=True)):
        return [float(round(y)) for y in even]
    if sum(needs) + clear * (n + 1) > height:
        # Overlap cannot be avoided: the outer rows stay on the page, neighbours share the rest by need.
        outer = min(1.0, 0.4 * height / max(needs[0] + needs[-1], 1e-9))
        first, last = needs[0] * outer + clear, needs[-1] * outer + clear
        room = height - first - last
        floor = 0.6 * room / max(1, n - 1)
        inner = max(sum(needs[1:-1]), 1e-9)
        needs = [first, *(floor + 0.4 * room * need / inner for need in needs[1:-1]), last]
    slack = (height - sum(needs)) / (n + 1)
    out, y = [], 0.0
    for need in needs[:n]:
        y += need + slack
        out.append(float(round(y)))
    return out
