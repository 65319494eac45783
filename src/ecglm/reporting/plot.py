"""`plot`: a recording with its waves, intervals, kinds of beats and findings marked, as a page (.png) or to explore (.html)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecglm.answers import Finding, percent
from ecglm.atomic import write_output
from ecglm.errors import RecordError, UsageError
from ecglm.paper import Marks, Page, PageHeader, mark, render
from ecglm.paper.draw import clock
from ecglm.paper.layout import LAYOUT_NAMES
from ecglm.records.record import Record, checked_record
from ecglm.reporting.plot_beats import calipers, contradictions, odd_beats
from ecglm.schema import LABELS, Cause, Measurements, Rhythm
from ecglm.signal import measure
from ecglm.signal.delineation import Delineation, delineate
from ecglm.signal.rhythm_name import rhythm

FORMATS = (".png", ".html")
#: Without a duration so much is analysed and shown (s); no more than the second is at once.
USUAL_S, MOST_S = 60.0, 300.0
#: What a page holds at 25 mm/s, and what findings look at (as the embedded model does).
PAGE_S, FINDINGS_S = 10.0, 60.0
#: So many findings are named on a page.
MAX_FINDINGS = 6
#: A problem of a lead in a word or two, beside its name.
SHORT: MappingProxyType[Cause, str] = MappingProxyType({
    "flat": "flat", "missing": "gaps", "saturated": "clipped", "disconnected": "electrode off", "mains": "hum",
    "baseline": "wander", "emg": "noise", "gain": "gain?", "mislabelled": "label?", "limb_reversal": "reversed?",
    "chest_swap": "swapped?"})


class FindingModel(Protocol):
    """What gives findings: `ecglm.load()` does."""

    @property
    def id(self) -> str: ...

    def findings(self, record: Record) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, eq=False)
class Plot:
    """One stretch of a recording and all that is marked on it.

    record: the stretch. begins_s, total_s: where it lies in the recording and how long that is (None: not known). times
    of delineation and measurements count from its start. findings: None when not asked for; finding_note: why there are
    none, or of how much of the stretch they are.
    """

    record: Record
    layout: str
    begins_s: float
    total_s: float | None
    measurements: Measurements
    delineation: Delineation
    rhythm: Rhythm
    findings: tuple[Finding, ...] | None = None
    finding_note: str = ""
    model: str | None = None

    @cached_property
    def page(self) -> Page:
        """The first ten seconds as an ECG page with the marks on it."""
        drawn = render(self.record.crop(0.0, PAGE_S), layout=self.layout, header=PageHeader.of(self.record, self.measurements))
        until = min(PAGE_S, self.record.duration_s)
        laid = calipers(self.delineation, self.measurements, until)
        return mark(drawn, Marks(
            waves=self.spans, calipers=laid, leads=self.lead_words, lines=self.lines,
            beats=tuple((second, name) for second, name, _ in self.beats),
            legend=tuple(dict.fromkeys(f"{name} {meaning}" for second, name, meaning in self.beats if second < until))))

    def html(self) -> str:
        """The stretch as one file to explore in a browser."""
        from ecglm.reporting.plot_html import to_html

        return to_html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write .png or .html; the file appears whole or not at all. Raises UsageError for other extensions."""
        if check_format(path) == ".png":
            self.page.save(path)
        else:
            write_output(path, self.html().encode())

    @cached_property
    def spans(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Onset and offset ``[wave, 2]`` (s) by name of the wave and lead."""
        leads = self.delineation.leads
        return {name: {lead: waves[:, [0, 2]] for lead, waves in zip(leads, by_lead, strict=True)} if by_lead else {}
                for name, by_lead in self.delineation.by_lead.items()}

    @cached_property
    def beats(self) -> list[tuple[float, str, str]]:
        """Time (s), name and meaning of every beat that is not normal."""
        return odd_beats(self.delineation)

    @property
    def lead_words(self) -> dict[str, str]:
        """What is wrong with each lead, in a word or two."""
        out: dict[str, list[str]] = {}
        for problem in self.measurements.problems:
            for lead in problem.leads:
                out.setdefault(lead, []).append(SHORT[problem.cause])
        return {lead: ", ".join(dict.fromkeys(words)) for lead, words in out.items()}

    def span(self, most_s: float = math.inf) -> str:
        """Which part of the recording the stretch, or so much of it, is; empty when it is all of the recording."""
        length = min(most_s, self.record.duration_s)
        if self.total_s is not None and length >= self.total_s - 1 / self.record.fs:
            return ""
        times = [self.begins_s, self.begins_s + length, *([] if self.total_s is None else [self.total_s])]
        if times[-1] < 60 or not self.begins_s.is_integer():
            start, stop, *total = (f"{round(time, 2):g} s" for time in times)
        else:
            start, stop, *total = map(clock, times)
        return f"{start} - {stop}" + "".join(f" of {text}" for text in total)

    def shown(self, path: str | os.PathLike[str]) -> str:
        """Which part of the recording a file of this name shows, in words; empty when all of it."""
        return self.span(PAGE_S if check_format(path) == ".png" else math.inf)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is said above the page: rhythm, what was not measured and why, problems, findings, which part this is."""
        m = self.measurements
        reasons: dict[str, list[str]] = {}
        for name, value in m.named().items():
            if value.reason is not None:
                reasons.setdefault(value.reason, []).append(LABELS[name].removesuffix(" interval").removesuffix(" duration"))
        if len(reasons) == 1 and len(next(iter(reasons.values()))) == len(m.named()):
            reasons = {reason: ["anything"] for reason in reasons}
        out = []
        if self.span(PAGE_S):
            longer = self.record.duration_s > PAGE_S + 1 / self.record.fs
            out.append(f"Shown: {self.span(PAGE_S)}" + f"; measured: {self.span() or 'all of it'}" * longer)
        if self.rhythm.name:
            out.append(f"Rhythm: {self.rhythm.text}")
        if reasons:
            out.append("Not measured: " + "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items()))
        if (apart := contradictions(self.delineation, m)):
            out.append("Look again: " + "; ".join(apart))
        if self.delineation.reason is not None and self.delineation.reason not in reasons:
            out.append(f"No waves marked: {self.delineation.reason}")
        if m.problems:
            out.append("Leads: " + "; ".join(problem.text for problem in m.problems))
        if self.findings is not None:
            shown = [f"{f.name} {percent(f.probability)}" + ("" if f.present else " (possible)") for f in self.findings]
            note = f" ({self.finding_note})" * bool(self.finding_note)
            out.append(f"Findings{note}: " + (", ".join(shown[:MAX_FINDINGS]) or "none"))
        return tuple(out)


def plot(record: Record, *, layout: str = "3x4", start_s: float = 0.0, duration_s: float | None = None,
         leads: Sequence[str] | None = None, model: FindingModel | None = None, begins_s: float | None = None) -> Plot:
    """Measure, delineate and mark a stretch of a record; ``.save("out.png")`` or ``.save("out.html")`` writes it.

    start_s, duration_s: the stretch, seconds; left out, the first 60 s, and at most 300 s. A page shows the first ten of
    them. layout: as for `render`. leads: only these, in this order. model: gives findings too, as `ecglm.load()` does; without
    one torch is not imported. begins_s: where the record begins in the recording that it is a part of; added to times that
    are shown. Raises UsageError for a stretch outside the record or an unknown layout.
    """
    whole = checked_record(record)
    if layout not in LAYOUT_NAMES:
        raise UsageError(f"layout {layout!r} is unknown; use one of {', '.join(LAYOUT_NAMES)}")
    wanted = min(USUAL_S, whole.duration_s) if duration_s is None else duration_s
    if not (math.isfinite(start_s) and math.isfinite(wanted)) or not 0 <= start_s < whole.duration_s or wanted <= 0:
        raise UsageError(f"a stretch of {wanted:g} s from {start_s:g} s is not in the record, which lasts {whole.duration_s:g} s")
    if min(wanted, whole.duration_s - start_s) > MOST_S:
        raise UsageError(f"{wanted:g} s are more than is shown at once; choose a duration of at most {MOST_S:g} s")
    part = (whole if leads is None else whole.select(leads)).crop(start_s, wanted)
    findings, note = (None, "") if model is None else _findings(model, part)
    total = whole.duration_s if begins_s is None else None
    waves = delineate(part)
    return Plot(part, layout, float((begins_s or 0.0) + start_s), total, measure(part, waves), waves, rhythm(part, waves),
                findings, note, None if model is None else model.id)


def _findings(model: FindingModel, part: Record) -> tuple[tuple[Finding, ...], str]:
    """Findings, most probable first, and what must be said of them."""
    try:
        found = model.findings(replace(part.crop(0.0, FINDINGS_S), source=""))  # its path is nobody's business
    except RecordError as error:
        return (), str(error)
    short = part.duration_s > FINDINGS_S + 1 / part.fs
    return tuple(sorted(found, key=lambda f: (not f.present, -f.probability))), f"of the first {FINDINGS_S:g} s" * short


def check_format(path: str | os.PathLike[str]) -> str:
    """".png" or ".html" by the name of a file. Raises UsageError for other extensions."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"{os.fspath(path)}: a plot is saved as .png or .html; change the extension")
    return suffix
