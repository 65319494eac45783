"""One recording as the model reads it: findings, measurements, facts text; computed once per recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecglm.answers import Finding
from ecglm.inference.guard import decline_record
from ecglm.inference.look import seen_alone, weighed
from ecglm.models.elm import EcgLanguageModel, Encoded
from ecglm.models.processor import EcgInputs
from ecglm.records.reading import PageLooked
from ecglm.records.record import Record
from ecglm.schema import UNITS, Measurement, Measurements
from ecglm.signal import USABLE, measure


@dataclass(frozen=True)
class Reading:
    """A recording with everything the ECG side derived from it. declined: why nothing may be said, or None."""

    record: Record
    measurements: Measurements
    declined: str | None
    inputs: EcgInputs | None = None
    encoded: Encoded | None = None
    findings: tuple[Finding, ...] = ()
    facts: str = ""
    unusable: tuple[str, ...] = ()  #: leads whose signal cannot be read
    seconds: float = 0.0            #: how much of the recording, from its start, was judged
    lead_drop: dict[str, Any] = field(default_factory=dict)  #: statement key to {lead: loss of log-odds}, filled on demand


def read_recording(model: EcgLanguageModel, record: Record) -> Reading:
    """Measure, judge and encode one recording. Never raises for a bad signal: it declines."""
    if isinstance(record.reading, PageLooked):
        return looked_only(model, record, record.reading)
    part = record if record.duration_s <= model.processor.config.max_s else record.crop(0.0, model.processor.config.max_s)
    measurements = measure(part)
    declined = decline_record(part, measurements.quality)
    if declined is None and not any(lead in model.processor.config.leads for lead in record.leads):
        declined = f"none of its leads ({', '.join(record.leads)}) is one of the 12 standard leads"
    if declined is not None:
        return Reading(record, measurements, declined)
    inputs = model.processor(part, measurements)
    encoded = model.encode(inputs)
    if record.reading is not None:
        encoded = weighed(model, encoded, record.reading)
    findings = model.findings(encoded.prob_C)
    facts = model.facts(encoded.prob_C, measurements, record.meta.sex, record.meta.age)
    unusable = tuple(lead for lead, q in measurements.quality.items() if q < USABLE)
    return Reading(record, measurements, None, inputs, encoded, findings, facts, unusable, part.duration_s)


def looked_only(model: EcgLanguageModel, record: Record, page: PageLooked) -> Reading:
    """A page that could not be read back: findings by looking at it, and no measurements, each with the reason."""
    encoded = seen_alone(model, page)
    reason = f"the page could not be read back ({page.why}), only looked at"
    values: dict[str, Any] = {name: Measurement(None, unit, reason=reason) for name, unit in UNITS.items()}
    nothing = Measurements(**values, rhythm=None)
    return Reading(record, nothing, None, None, encoded, model.findings(encoded.prob_C), model.facts(encoded.prob_C, nothing),
                   seconds=record.duration_s)


def lead_evidence(model: EcgLanguageModel, reading: Reading, key: str) -> dict[str, float]:
    """How much the log-odds of a statement fall when one lead is hidden, by lead (occlusion)."""
    several = len(reading.record.leads) > 1
    if not reading.lead_drop and several and reading.inputs is not None and reading.encoded is not None:
        leads = [lead for lead, there in zip(model.processor.config.leads, reading.inputs.mask_L, strict=True) if there]
        masks = []
        for lead in leads:
            mask = reading.inputs.mask_L.copy()
            mask[model.processor.config.leads.index(lead)] = 0.0
            masks.append(mask)
        hidden = model.encode_masks(reading.inputs, masks)
        base = reading.encoded.logits_C
        for index, label in enumerate(model.config.labels):
            reading.lead_drop[label] = {lead: float(base[index] - e.logits_C[index])
                                        for lead, e in zip(leads, hidden, strict=True)}
    return dict(reading.lead_drop.get(key, {}))


def strongest_leads(drop: dict[str, float], count: int = 3, least: float = 0.15) -> tuple[str, ...]:
    """The leads whose absence weakens a statement most, at least `least` log-odds each."""
    ranked = sorted(drop.items(), key=lambda item: -item[1])
    return tuple(lead for lead, value in ranked[:count] if value >= least and np.isfinite(value))
