"""Which leads show ST elevation, an inverted T wave, a wide Q wave: from the measured heights of the median beat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ecglm.inference.reading import Reading
from ecglm.knowledge.lead_criteria import CONTIGUOUS, q_counts, st_depressed
from ecglm.knowledge.st_elevation import st_limit
from ecglm.schema import LeadValues, Measurement

#: What may be asked of a lead: words, and the name that answers give it.
CONDITIONS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "st_elevated": (re.compile(r"\bst\b.*\belevat\w*|\belevat\w* st\b"), "ST elevation"),
    "st_depressed": (re.compile(r"\bst\b.*\bdepress\w*|\bdepress\w* st\b"), "ST depression"),
    "t_inverted": (re.compile(r"\bt\b.*\b(?:invert\w*|inversions?|negative)\b|\b(?:inverted|negative) t\b"), "T inversion"),
    "t_flat": (re.compile(r"\bt\b.*\bflat\w*|\bflat\w* t\b"), "a flat T wave"),
    "t_biphasic": (re.compile(r"\bt\b.*\bbiphasic\b|\bbiphasic t\b"), "a biphasic T wave"),
    "q_wide": (re.compile(r"\bq[ -]waves?\b"), "a Q wave of at least 30 ms and 0.1 mV"),
}


class LeadsShowing(NamedTuple):
    """Leads that fulfil a condition with the value behind each, those that do not, and why others cannot tell."""

    found: dict[str, Measurement]
    others: dict[str, Measurement]
    unknown: dict[str, str]

    @property
    def contiguous(self) -> bool:
        """Whether two neighbouring leads are among those found."""
        return any(pair <= self.found.keys() for pair in CONTIGUOUS)


def leads_showing(condition: str, reading: Reading) -> LeadsShowing:
    """Which leads fulfil a key of `CONDITIONS`."""
    found: dict[str, Measurement] = {}
    others: dict[str, Measurement] = {}
    unknown: dict[str, str] = {}
    for lead, values in reading.measurements.by_lead.items():
        m, holds = _holds(condition, lead, values, reading)
        if holds is None:
            unknown[lead] = str(m.reason)
        else:
            (found if holds else others)[lead] = m
    return LeadsShowing(found, others, unknown)


def _holds(condition: str, lead: str, values: LeadValues, reading: Reading) -> tuple[Measurement, bool | None]:
    """The value behind a condition in a lead, and whether it holds; None where that cannot be told."""
    meta = reading.record.meta
    if condition.startswith("st_"):
        m = values.st_j
        if m.value is None:
            return m, None
        elevated = round(m.value, 2) >= st_limit(lead, meta.sex, meta.age)
        return m, elevated if condition == "st_elevated" else st_depressed(values)
    if condition.startswith("t_"):
        m = values.t
        if values.t_shape is None:
            return m, (None if m.reason is None or not m.reason.startswith("no T wave") else condition == "t_flat")
        return m, values.t_shape == condition.removeprefix("t_")
    return values.q, q_counts(lead, values)
