"""Names of the leads of a page: those that are printed where leads begin, and those of the usual order that fit them."""

from __future__ import annotations

import numpy as np

from ecglm.paper.digitize.runs import Floats
from ecglm.paper.digitize.words import Word
from ecglm.records.leads import STANDARD_12

#: The other order in which carts print the twelve leads.
CABRERA = ("aVL", "I", "aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6")
#: Rhythm strips that carts print when nothing says otherwise, by their number.
USUAL_STRIPS = {1: ("II",), 2: ("II", "V1"), 3: ("V1", "II", "V5")}
#: An upright stroke is no wider than this share of its height.
_SLENDER = 0.5


def names_of(by_row: list[list[Word]], cells: list[int], columns: int, bounds: Floats, px: float, notes: list[str],
             ) -> tuple[list[list[str]] | None, bool]:
    """Lead names ``[row][column]`` of the divided rows, None where they are not known, and whether enough of them were read on
    the page. notes: gets what was assumed."""
    read: dict[tuple[int, int], str] = {}
    others: set[tuple[int, int]] = set()
    for i, row in enumerate(cells):
        for word in by_row[row]:
            if word.lead not in (None, "I"):  # any upright stroke looks like an I
                j = int(np.clip(np.searchsorted(bounds, word.left + 2.5 * px, side="right") - 1, 0, columns - 1))
                if read.setdefault((i, j), str(word.lead)) != word.lead:
                    others.add((i, j))
    shape = (len(cells), columns)
    orders = {"usual": STANDARD_12, "Cabrera": CABRERA}
    if len(cells) * columns == 12:
        tables = {name: [[order[j * shape[0] + i] for j in range(columns)] for i in range(shape[0])]
                  for name, order in orders.items()}
        agree = {name: sum(table[i][j] == lead for (i, j), lead in read.items()) for name, table in tables.items()}
        best = max(agree, key=lambda name: (agree[name], name == "usual"))
        sure = agree[best] >= 3 and agree[best] > 0.6 * len(read)
        if not sure and len(read) - agree[best] >= 3:
            return None, False
        if not sure:
            best = "usual"
            notes.append("lead names are by the usual order of the layout; they could not be read on the page")
        return tables[best], sure
    if others:  # what has two names is two leads
        return None, False
    flat = _whole([read.get((i, j), "") for j in range(columns) for i in range(shape[0])],
                  [j == 0 and _stroke(by_row[cells[i]]) for j in range(columns) for i in range(shape[0])])
    if flat is None:
        return None, False
    sure = set(flat) <= {"I", *read.values()}
    if not sure:
        notes.append("some lead names are by the usual order; they could not be read on the page")
    return [[flat[j * shape[0] + i] for j in range(columns)] for i in range(shape[0])], sure


def _stroke(words: list[Word]) -> bool:
    """Whether the first word of a row is an upright stroke, as an I is."""
    first = min(words, key=lambda word: word.left, default=None)
    return first is not None and first.right - first.left < _SLENDER * (first.bottom - first.top)


def _whole(read: list[str], stroke: list[bool]) -> list[str] | None:
    """Different names of leads, one below the other and column by column: as they were read ("": not), I where a stroke is the
    only one without a name, and the rest where most fit the usual order. None where they stay unknown."""
    names = [name if read.count(name) == 1 else "" for name in read]  # of two of a name one was misread
    if names.count("") == 1 < len(names) and "I" not in names and stroke[names.index("")]:
        names[names.index("")] = "I"
    if all(names):
        return names
    count = len(names)
    known = [name or "I" * likely for name, likely in zip(names, stroke, strict=True)]
    orders = [order[k:k + count] for order in (STANDARD_12, CABRERA) for k in range(13 - count)]
    orders.append(USUAL_STRIPS.get(count, ()))
    fit = {order for order in orders if len(order) == count and all(a in ("", b) for a, b in zip(known, order, strict=True))}
    return list(fit.pop()) if len(fit) == 1 and 2 * known.count("") <= count and any(names) else None
