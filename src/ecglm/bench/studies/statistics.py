"""Statistics of a recording as numbers: what `measure` gives and what a model answers when asked, against cardiologists' marks.

CAMEL's statistics grounding (arXiv 2602.15677): root mean square error of RR, rate, PR, QRS, QTc and QRS amplitude. Marks and
recordings are LUDB's. `measure` runs on waves of cross-validated networks, none of which saw the recording; a model that is
asked uses the shipped network, which learned from LUDB, and is therefore also held against `measure` itself: whether it says
what was measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ecglm.answers import Answer
from ecglm.bench.stats import Bootstrap
from ecglm.bench.studies.delineation import over_leads
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.ludb import Marked, marked_records
from ecglm.records.record import Record
from ecglm.schema import Measurements
from ecglm.signal import measure
from ecglm.signal.delineation import delineate
from ecglm.signal.wave_network import fold_weights

#: So many recordings are also asked about without their signal: a model says the same of any zeros.
SILENT = 5
#: Lead whose QRS amplitude is asked for: LUDB's limb leads contradict one another (Einthoven's law), so that their heights are
#: not given.
LEAD = "V5"


@dataclass(frozen=True)
class Quantity:
    """What is asked for: its title with the unit, the question, how it is found among measurements (None: not measured)."""

    title: str
    question: str
    of: Callable[[Measurements], float | None]


def _amplitude(found: Measurements) -> float | None:
    """Height of the QRS from its lowest to its highest point in LEAD (mV)."""
    return found.by_lead[LEAD].qrs_height.value if LEAD in found.by_lead else None


QUANTITIES: Mapping[str, Quantity] = {
    "rr": Quantity("RR, ms", "What is the RR interval?", lambda m: m.rr.value),
    "heart_rate": Quantity("rate, 1/min", "What is the heart rate?", lambda m: m.heart_rate.value),
    "pr": Quantity("PR, ms", "What is the PR interval?", lambda m: m.pr.value),
    "qrs": Quantity("QRS, ms", "What is the QRS duration?", lambda m: m.qrs.value),
    "qtc": Quantity("QTc (Bazett), ms", "What is the QTc by Bazett?", lambda m: m.qtc_bazett.value),
    "amplitude": Quantity(f"QRS amplitude in {LEAD}, mV", f"What is the QRS amplitude in lead {LEAD}?", _amplitude),
}
_NUMBER = re.compile(r"(?<![\w.])[-\N{MINUS SIGN}]?\d+(?:\.\d+)?")


class Asks(Protocol):
    """What answers questions, such as `ecglm.load()`."""

    def ask(self, record: Record, question: str) -> Answer:
        """The answer to one question."""
        ...


@dataclass
class Errors:
    """Of one way to find one quantity: errors by recording, NaN where it gave nothing."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float | None, true: float) -> None:
        """Count one recording whose true value is known."""
        self.values.append(float("nan") if value is None else value - true)

    def cells(self, draws: int, seed: int) -> list[str]:
        """RMSE with interval, median absolute error, share that is given."""
        errors = np.array(self.values)
        known = np.isfinite(errors)
        if not known.any():
            return ["–", "–", f"0 of {len(errors)}"]
        sums = Bootstrap([str(i) for i in range(len(errors))], draws, seed).sums(
            np.stack([np.where(known, errors, 0) ** 2, known], axis=1))
        low, high = np.percentile(np.sqrt(sums[:, 0] / np.maximum(sums[:, 1], 1)), (2.5, 97.5))
        rmse = float(np.sqrt(np.mean(errors[known] ** 2)))
        digits = 2 if rmse < 1 else 1
        return [f"{rmse:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]", f"{np.median(np.abs(errors[known])):.{digits}f}",
                f"{int(known.sum())} of {len(errors)}"]


def run(seed: int, draws: int, progress: bool, ask: int = 0) -> Study:
    """All of LUDB for `measure`; the shipped model is asked about the first `ask` recordings of a random order."""
    from rich.progress import track

    weights = fold_weights()
    ways: dict[tuple[str, str], Errors] = {}
    truths: dict[str, dict[str, float]] = {}
    measured: dict[str, dict[str, float | None]] = {}
    records = list(marked_records())
    asked = set(np.random.default_rng(seed).permutation([one.name for one in records])[:ask].tolist())
    model = _model() if ask else None
    for one in track(records, "Statistics", disable=not progress):
        truths[one.name] = true_values(one)
        found = measure(one.record, delineate(one.record, weights[one.name]))
        measured[one.name] = {key: quantity.of(found) for key, quantity in QUANTITIES.items()}
    for key in QUANTITIES:
        known = [one for one in records if np.isfinite(truths[one.name][key])]
        middle = float(np.median([truths[one.name][key] for one in known]))
        for one in known:
            true = truths[one.name][key]
            ways.setdefault((key, "measure, against marks"), Errors()).add(measured[one.name][key], true)
            ways.setdefault((key, "the median of all, against marks"), Errors()).add(middle, true)
    if model is not None:
        _ask(model, [one for one in track(records, "Asked", disable=not progress) if one.name in asked], truths, ways)
    order = list(QUANTITIES)
    rows = [[QUANTITIES[key].title, way, *errors.cells(draws, seed)]
            for (key, way), errors in sorted(ways.items(), key=lambda item: order.index(item[0][0]))]
    notes = ("Marks: medians over beats of the annotators' median lead; rate and RR from their R peaks; amplitude between the "
             f"marks of lead {LEAD}. Root mean square error with 95 % interval over recordings, median absolute error, how often "
             "a number is given. The model was shipped with waves learned from LUDB, so its errors against marks are optimistic. "
             "Without signal: the same questions with a recording of zeros. The median of all is the best that a guess without "
             "looking can do.",)
    told = [[name, {key: None if v != v else round(v, 4) for key, v in values.items()}] for name, values in truths.items()]
    return Study([Table("Statistics of LUDB", ("quantity", "by", "RMSE", "median |error|", "given"), rows)], len(records),
                 len(records), digest(told), notes,
                 {f"{key}: {way}": [None if error != error else round(error, 4) for error in errors.values]
                  for (key, way), errors in ways.items()})


def _ask(model: Asks, records: list[Marked], truths: dict[str, dict[str, float]], ways: dict[tuple[str, str], Errors]) -> None:
    """What the model says of these recordings and of the first of them without signal, against marks and against what it
    measured."""
    for place, one in enumerate(records):
        own = measure(one.record)
        empty = replace(one.record, signal=np.zeros_like(one.record.signal))
        for key, quantity in QUANTITIES.items():
            said = number(model.ask(one.record, quantity.question))
            true, value = truths[one.name][key], quantity.of(own)
            if np.isfinite(true):
                ways.setdefault((key, "ask, against marks"), Errors()).add(said, true)
            if np.isfinite(true) and place < SILENT:
                ways.setdefault((key, "ask without signal, against marks"), Errors()).add(
                    number(model.ask(empty, quantity.question)), true)
            if value is not None:
                ways.setdefault((key, "ask, against measure"), Errors()).add(said, value)


def _model() -> Asks:
    import ecglm

    return ecglm.load()


def number(answer: Answer) -> float | None:
    """The first number of an answer; None where it declines or gives none."""
    found = None if answer.abstained else _NUMBER.search(answer.text)
    return None if found is None else float(found.group().replace("\N{MINUS SIGN}", "-"))


def true_values(one: Marked) -> dict[str, float]:
    """By key in QUANTITIES, from the marks of one recording; NaN where they do not tell."""
    known = over_leads(one.marks, np.median, np.median)
    peaks = [lead[:, 1] for lead in one.marks["qrs"] if len(lead) > 2]
    rr = float(np.median([np.mean(np.diff(at)) for at in peaks])) if peaks else float("nan")
    row = one.record.lead(LEAD)
    fs, marks = one.record.fs, one.marks["qrs"][one.record.leads.index(LEAD)]
    heights = [float(np.ptp(row[round(on * fs): round(off * fs) + 1])) for on, _, off in marks]
    return {"rr": 1000 * rr, "heart_rate": 60 / rr, "pr": known["pr"], "qrs": known["qrs"],
            "qtc": known["qt"] / float(np.sqrt(rr)), "amplitude": float(np.median(heights)) if heights else float("nan")}
