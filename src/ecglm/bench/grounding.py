"""Numbers of a report against the recording: every number with a unit is read out of the finished text and looked for in a fresh
measurement of the record. Knows nothing of how the text was made."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ecglm.records.record import Record
from ecglm.schema import LABELS, Measurements

#: Units as written -> ours. Percentages are probabilities of the model, not measurements, and are not read.
UNITS = {"/min": "bpm", "bpm": "bpm", "beats per minute": "bpm", "ms": "ms", "msec": "ms", "s": "s", "sec": "s", "seconds": "s",
         "mv": "mV", "°": "deg", "deg": "deg", "degrees": "deg", "hz": "Hz", "years": "years"}
#: Words for quantities -> field of `Measurements`; the longest that stands before a number in its clause names it.
QUANTITIES = {label.lower(): name for name, label in LABELS.items()} | {
    "rate": "heart_rate", "rr": "rr", "sdnn": "rr_sd", "rr standard deviation": "rr_sd",
    "pr": "pr", "qrs": "qrs", "qt": "qt", "qtc": "qtc_bazett",
    "frontal qrs axis": "axis", "axis": "axis", "qtc (bazett)": "qtc_bazett", "qtc (fridericia)": "qtc_fridericia"}
#: A variation is no value of the quantity that it is of ("its axis varies by 48° from beat to beat").
_SPREAD = re.compile(r"\b(?:var(?:y|ies)|differs?|spreads?) (?:by|of)\s*$")
#: So many letters may stand between the word and the number.
NEAR = 24
_NUMBER = re.compile(r"(?<![\w.@/(\-−+])([-−+]?\d+(?:\.\d+)?) ?(beats per minute|/min|bpm|msec|ms|mv|"
                     r"seconds|sec|s|°|degrees|deg|hz|years)(?![\w/])", re.IGNORECASE)
_LIMIT = re.compile(r"(?:[<>≤≥±]|\bto|\bfrom|\babove|\bbelow|\bover|\bunder|\bthan|\bup to|\bleast|\bmost)\s*$")
_OR_MORE = re.compile(r" or (?:more|less|longer|shorter|higher|lower|deeper)\b")
_NAME = re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(n) for n in sorted(QUANTITIES, key=len, reverse=True)) + r")(?![a-z])")


@dataclass(frozen=True)
class Stated:
    """A number as stated. quantity: field of `Measurements`, or None where the text names none. limit: stated as a bound
    ("> 200 ms", "± 5 ms", "30 ms or more"), not as a value of the record. half: half a unit of its last digit."""

    quantity: str | None
    value: float
    unit: str
    half: float
    limit: bool
    text: str


def numbers(text: str) -> list[Stated]:
    """Every number with a unit of measurement in plain text or Markdown, in reading order."""
    out = []
    for line in html.unescape(text.replace("\\", "")).splitlines():
        for clause in re.split(r"[;:](?=\s)|\. |\((?=[a-z])", line):
            for hit in _NUMBER.finditer(clause):
                before = clause[:hit.start()]
                names = list(_NAME.finditer(before.lower().replace("**", "")))
                near = [n for n in names if len(before) - n.end() <= NEAR]
                limit = bool(_LIMIT.search(before) or _OR_MORE.match(clause, hit.end()))
                digits = hit[1].partition(".")[2]
                out.append(Stated(None if limit or not near or _SPREAD.search(before) else QUANTITIES[near[-1][0]],
                                  float(hit[1].replace("−", "-")), UNITS[hit[2].lower()], 0.5 * 10.0 ** -len(digits),
                                  limit, clause.strip()))
    return out


def error(stated: Stated, measured: Measurements) -> float | None:
    """Stated minus measured value of the named quantity; None where it names none of its unit; inf where it was not measured."""
    if stated.quantity is None or getattr(measured, stated.quantity).unit != stated.unit:
        return None
    value = getattr(measured, stated.quantity).value
    return math.inf if value is None else stated.value - value


def grounded(stated: Stated, measured: Measurements, record: Record) -> bool:
    """Whether the number is what was measured, as far as its digits go: of its own quantity where the text names one, else of any
    value, spread or fact of the record in that unit."""
    off = error(stated, measured)
    if off is not None:
        return abs(off) <= stated.half + 1e-6 or _any(stated, _spreads(measured, stated))
    return _any(stated, _known(measured, record, stated.unit))


def _any(stated: Stated, values: Iterable[float | None]) -> bool:
    return any(value is not None and abs(stated.value - value) <= stated.half + 1e-6 for value in values)


def _spreads(measured: Measurements, stated: Stated) -> list[float | None]:
    """A spread may stand behind the name of its quantity."""
    return [getattr(measured, stated.quantity or "").spread]


def _known(measured: Measurements, record: Record, unit: str) -> list[float | None]:
    every = [*measured.named().values(), *(m for lead in measured.by_lead.values() for m in lead.named().values())]
    values: list[float | None] = [v for m in every if m.unit == unit for v in (m.value, m.spread)]
    for reason in (m.reason for m in every if m.reason):  # why there is no value: "its axis varies by 48° from beat to beat"
        values += [one.value for one in numbers(reason) if one.unit == unit]
    if unit == "s":
        values += [record.duration_s, *measured.r_peaks_s,
                   *(m.value / 1000 for m in every if m.unit == "ms" and m.value is not None)]
    facts: dict[str, list[float | None]] = {"Hz": [record.fs], "years": [record.meta.age]}
    return values + facts.get(unit, [])
