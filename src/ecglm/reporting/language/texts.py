"""What is said in fixed words, and the names of things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    """Fixed texts of one language. Braces hold what is filled in. measurements, statements: names by field of `Measurements`
    and by statement key; words: what single words of data are called (sex, groups, flags, shapes)."""

    code: str
    title: str
    notice: str
    disclaimer: str
    separator: str
    colon: str
    patient: str
    history: str
    analysis: str
    pathology: str
    diagnosis: str
    answers: str
    recommendations: str
    comparison: str
    name: str
    age: str
    years: str
    sex: str
    file: str
    format: str
    recorded: str
    device: str
    leads: str
    leads_value: str
    all_leads: str
    length: str
    length_value: str
    amplitude: str
    millivolts: str
    normalized: str
    missing: str
    missing_value: str
    none: str
    not_given: str
    mind: str
    reader: str
    signal: str
    history_none: str
    history_given: str
    rhythm: str
    not_measured_all: str
    not_measured: str
    head_measurement: str
    head_value: str
    head_spread: str
    head_normal: str
    head_flag: str
    head_leads: str
    head_beats: str
    spread_note: str
    adults: str
    sex_unknown: str
    child: str
    sources: str
    page_note: str
    page_scale: str
    page_normalized: str
    page_marked: str
    head_finding: str
    head_decision: str
    head_probability: str
    head_evidence: str
    present: str
    possible: str
    evidence_none: str
    criterion: str
    criterion_leads: str
    criterion_best: str
    criterion_unknown: str
    met: str
    unmet: str
    no_p_wave: str
    st_up: str
    st_down: str
    t_inverted: str
    q_wave: str
    p_high: str
    r_v1: str
    examined: str
    rare: str
    no_rhythm: str
    narrative: str
    narrative_none: str
    narrative_plain: str
    none_found: str
    not_computed: str
    diagnosis_item: str
    diagnosis_none: str
    diagnosis_uncomputed: str
    no_answer: str
    no_reason: str
    confidence: str
    answers_note: str
    two_figures: str
    taught: str
    taught_answer: str
    taught_none: str
    step_for: str
    steps_note: str
    steps_none: str
    original: str
    quote: str
    upto: str
    compared_with: str
    compared_note: str
    same_id: str
    other_id: str
    other_sex: str
    other_age: str
    same_unknown: str
    head_before: str
    head_now: str
    head_change: str
    head_limit: str
    beyond: str
    within: str
    appeared: str
    gone: str
    findings_same: str
    footer: str
    no_model: str
    checked: str
    removed: str
    no_glyph: str
    alternative: str
    measurements: Mapping[str, str]
    words: Mapping[str, str]
    statements: Mapping[str, str]
