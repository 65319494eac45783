"""The numbers that a report may say, by what they are of: a measurement, a wave of single leads, a finding, or the record.

A limit of a criterion or of a normal range is no measured value: it may stand only as a limit ("> 110 ms", "120 to 200").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ecglm.answers import Finding, percent
from ecglm.knowledge.ranges import normal_range
from ecglm.reporting.changes import changes
from ecglm.reporting.criteria import criteria
from ecglm.reporting.language import Language
from ecglm.reporting.report import POSSIBLE, Report
from ecglm.reporting.rhythm_line import rhythm_line
from ecglm.reporting.view import seconds_missing
from ecglm.schema import DECIMALS, Measurement

Pair = tuple[float, str]
#: Numbers of the fixed texts: "below 50 %", "(95 %)".
_FIXED = ((50.0, "%"), (95.0, "%"))
#: Other names of measurements, in any language; only a number with the measurement's unit is read after them.
_ALIASES = {"QRS": ("qrs",), "PR": ("pr",), "PQ": ("pr",), "RR": ("rr", "rr_sd"), "QT": ("qt",), "rate": ("heart_rate",),
            "axis": ("axis",), "QTc": ("qtc_bazett", "qtc_fridericia", "qtc_framingham", "qtc_hodges")}
#: Waves of single leads by the text that names their criterion: what of `LeadValues` is shown there.
_WAVES = {"st_up": "st_j", "st_down": "st_j", "t_inverted": "t", "q_wave": "q", "p_high": "p", "r_v1": "r"}
_BEFORE_LIMIT = re.compile(r"(?:[<>≤≥]|\b(?:to|below|above|over|under|than|within|least|most|bis|unter|über|mindestens)|"
                           r"至|超过|低于|高于|至少|最多)\s*$", re.IGNORECASE)
_AFTER_LIMIT = re.compile(r"\s*(?:to|bis|至)\s*[<≤]?\s*[-−+]?\d", re.IGNORECASE)


@dataclass
class Named:
    """Numbers of one thing. stated: its values; limits: what it is held against; unit: its own. alias: whether its name is a
    short one, after which unitless numbers are not its."""

    unit: str
    stated: set[Pair] = field(default_factory=set)
    limits: set[Pair] = field(default_factory=set)
    alias: bool = False


@dataclass(frozen=True)
class KnownNumbers:
    """values: numbers that belong to the record as a whole, or to any measurement where none is named. named: by name, longest
    first. shares: percentages of a finding by its names. compared: what rows of a comparison may say more, by name."""

    values: frozenset[Pair]
    named: tuple[tuple[re.Pattern[str], Named], ...]
    shares: tuple[tuple[re.Pattern[str], frozenset[Pair]], ...]
    compared: tuple[tuple[re.Pattern[str], frozenset[Pair]], ...]
    comparison: re.Pattern[str]

    def grounds(self, value: float, unit: str, line: str, at: tuple[int, int], strict: bool = False) -> bool:
        """Whether a number of a line, written from at[0] to at[1], is known: of what is named last before it in its sentence.
        strict: whether something must be named before a number with a unit of measurement."""
        if unit == "%":
            share = next((pairs for pattern, pairs in self.shares if pattern.match(line)), None)
            return _has(value, unit, self.values if share is None else share)
        if self.comparison.search(line):
            row = next((pairs for pattern, pairs in self.compared if pattern.match(line)), frozenset())
            return _has(value, unit, row)
        name = self._name(line, at[0])
        if strict and unit in ("ms", "mV", "/min", "°") and (name is None or unit != name.unit):
            return False
        if name is None or (unit and unit != name.unit) or (not unit and name.alias):
            return _has(value, unit, self.values)
        limit = _BEFORE_LIMIT.search(line[:at[0]]) or _AFTER_LIMIT.match(line, at[1])
        return _has(value, unit, name.stated | name.limits if limit else name.stated)

    def _name(self, line: str, position: int) -> Named | None:
        """What is named last before a position, within its sentence."""
        begin = max((m.end() for m in re.finditer(r"(?<=[^\d\s])[.;。；](?:\s|$)", line[:position])), default=0)
        taken: list[tuple[int, int, Named]] = []
        for pattern, named in self.named:
            for found in pattern.finditer(line, begin, position):
                if all(found.end() <= start or found.start() >= stop for start, stop, _ in taken):
                    taken.append((found.start(), found.end(), named))
        return max(taken, key=lambda one: one[1])[2] if taken else None

    def masked(self, line: str) -> str:
        """The line with names blanked, letter by letter, that hold numbers themselves ("Q from 30 ms on")."""
        for pattern, _ in self.named:
            line = pattern.sub(lambda found: " " * len(found[0]) if re.search(r"\d", found[0]) else found[0], line)
        return line


def known_numbers(report: Report, spoken: Language, names: Iterable[tuple[str, frozenset[str]]]) -> KnownNumbers:
    """What this report may say. names: statements' names with their keys."""
    labels = spoken.texts.measurements
    named: dict[str, Named] = {}
    for key, m in ({} if report.measurements is None else report.measurements.named()).items():
        one = named[labels[key]] = Named(unit_of(m.unit), set(_rounded(m)))
        usual = normal_range(key, report.record.meta.sex)
        for limit in () if usual is None else (usual.low, usual.high):
            if limit is not None:
                one.limits |= {(float(limit), ""), (float(limit), one.unit)}
    values = {pair for one in named.values() for pair in one.stated}
    waves = {key: Named("mV", set(_wave(report, _WAVES[key]))) for key in _WAVES}
    for finding in report.findings:
        for made in criteria(finding, report):
            target = waves.get(made.what) or named.get(labels.get(made.what, ""))
            if target is not None:
                target.limits.add((float(made.limit), unit_of(made.unit)))
    for key, wave in waves.items():
        named[str(getattr(spoken.texts, key))] = wave
        values |= wave.stated
    for alias, keys in _ALIASES.items():
        parts = [named[labels[key]] for key in keys if labels[key] in named]
        if parts:
            named.setdefault(alias, Named(parts[0].unit, set().union(*(p.stated for p in parts)),
                                          set().union(*(p.limits for p in parts)), alias=True))
    values |= set(_FIXED) | set(_facts(report))
    ranked = sorted(named.items(), key=lambda item: -len(item[0]))
    words = "|".join(re.escape(word) for word in (spoken.texts.beyond, spoken.texts.within))
    return KnownNumbers(frozenset(values), tuple((_pattern(name, spoken), one) for name, one in ranked),
                        tuple(_shares(report, spoken, names)), tuple(_compared(report, spoken)),
                        re.compile(rf"\|\s*(?:{words})\s*$"))


def unit_of(unit: str) -> str:
    """A unit as reports write it."""
    return {"bpm": "/min", "deg": "°"}.get(unit, unit)


def in_text(text: str | None) -> Iterator[Pair]:
    """Numbers of a sentence that another part of ecglm made, with their units and without."""
    for found in re.finditer(r"(?<![\w.])(-?\d+(?:\.\d+)?)(?:[\s-]?(%|ms|mV|s|Hz|bpm|/min|°))?(?!\w)", text or ""):
        yield float(found[1]), unit_of(found[2] or "")
        yield float(found[1]), ""


def _has(value: float, unit: str, allowed: Iterable[Pair]) -> bool:
    if unit in ("ms", "mV", "/min", "°", "%"):
        return (value, unit) in allowed
    return any(value == v and (unit in ("", u) or (unit == "s" and u == "s")) for v, u in allowed)


def _pattern(name: str, spoken: Language) -> re.Pattern[str]:
    bounded = re.escape(name) if re.search(r"[\u4e00-\u9fff]", name) else rf"(?<!\w){re.escape(name)}(?!\w)"
    return re.compile(bounded, 0 if name.isupper() or name == "QTc" else re.IGNORECASE)


def _rounded(m: Measurement) -> Iterator[Pair]:
    digits = DECIMALS.get(m.unit, 0)
    if m.value is not None:
        yield round(m.value, digits) + 0.0, unit_of(m.unit)
    if m.spread is not None:
        yield round(m.spread, digits) + 0.0, ""
    yield float(m.beats), ""
    yield float(len(m.leads)), ""
    yield from in_text(m.reason)


def _wave(report: Report, part: str) -> Iterator[Pair]:
    """Heights of one wave in all leads, as they are shown."""
    for values in () if report.measurements is None else report.measurements.by_lead.values():
        m = values.named()[part]
        if m.value is not None and m.unit == "mV":
            yield abs(round(m.value, 2)) + 0.0, "mV"
            yield abs(round(m.value, 2)) + 0.0, ""


def _shares(report: Report, spoken: Language, names: Iterable[tuple[str, frozenset[str]]],
            ) -> Iterator[tuple[re.Pattern[str], frozenset[Pair]]]:
    """A finding's own percentages: its probability, and those of its evidence."""
    own: dict[str, set[Pair]] = {}
    for f in report.findings:
        own.setdefault(f"{f.group}:{f.code}", set()).update(in_text(percent(f.probability)), _of_evidence(f))
    for name, keys in names:
        if keys & own.keys():
            yield _pattern(name, spoken), frozenset(pair for key in keys & own.keys() for pair in own[key])


def _of_evidence(finding: Finding) -> Iterator[Pair]:
    for evidence in finding.evidence:
        yield from in_text(evidence.text)
        if evidence.value is not None:
            yield float(f"{evidence.value:g}"), unit_of(evidence.unit or "")


def _compared(report: Report, spoken: Language) -> Iterator[tuple[re.Pattern[str], frozenset[Pair]]]:
    if report.previous is None or report.previous.measurements is None or report.measurements is None:
        return
    for change in changes(report.previous.measurements, report.measurements):
        unit, digits = unit_of(change.unit), DECIMALS.get(change.unit, 0)
        both = {(round(value, digits) + 0.0, "") for value in (change.before, change.now)}
        yield (_pattern(spoken.texts.measurements[change.name], spoken),
               frozenset(both | {(round(change.difference, digits) + 0.0, unit), (change.limit, "")}))


def _facts(report: Report) -> Iterator[Pair]:
    record = report.record
    yield from ((float(record.meta.age or 0), ""), (float(len(record.leads)), ""), (round(record.duration_s, 1), "s"),
                (record.fs, "Hz"), (float(len(report.findings)), ""))
    yield from ((seconds_missing(n, record.fs), "s") for n in record.missing.values())
    for text in (percent(POSSIBLE), *(percent(f.probability) for f in report.findings),
                 *(percent(a.answer.confidence) for a in (*report.answers, *report.taught))):
        yield from in_text(text)
    for evidence in (*(e for f in report.findings for e in f.evidence), *(e for a in report.answers for e in a.answer.evidence)):
        yield from ((round(second, 2), "s") for second in evidence.span_s or ())
        yield from ((round(second, 2), "") for second in evidence.span_s or ())
        if evidence.value is not None:
            yield float(f"{evidence.value:g}"), unit_of(evidence.unit or "")
        yield from in_text(evidence.text)
    if report.narrative is not None:
        told = report.narrative
        yield from ((float(n), "") for n in (len(told.removed), len(told.kept) + len(told.removed)))
    if report.page is not None:
        truth = report.page.truth
        yield from ((round(truth.start_s, 1), ""), (round(truth.start_s + truth.duration_s, 1), "s"), (truth.speed, "mm/s"),
                    (truth.gain, "mm/mV"))
    measured = report.measurements
    shown = [] if measured is None else [rhythm_line(measured) or "", *(problem.text for problem in measured.problems)]
    for text in (*report.caveats, *shown):
        yield from in_text(text)
