"""Questions about the waves of single leads: "How high is the R wave in V5?", "In which leads is the ST segment elevated?".

They are answered from `Measurements.by_lead`, without the language model; a recording without millivolts gives the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ecglm.answers import Answer
from ecglm.inference.guard import NO_MILLIVOLTS, lead_missing
from ecglm.inference.lead_conditions import CONDITIONS, LeadsShowing, leads_showing
from ecglm.inference.reading import Reading
from ecglm.inference.topics import topics
from ecglm.knowledge.lead_criteria import DEPRESSED_MV, Q_MS, Q_MV, Q_V2_V3_MS
from ecglm.knowledge.precision import MOST_SURE, SAME_WITHIN, below, sure_of_value
from ecglm.knowledge.st_elevation import ELEVATED_MV, st_limit
from ecglm.models.elm import EcgLanguageModel
from ecglm.records.reading import PageLooked
from ecglm.schema import DECIMALS, LABELS, NO_CONFIDENCE, Evidence, Measurement

#: A small square of ECG paper, mV: the error of reading a height by eye. The least spread that beats are trusted to have.
SQUARE_MV, LEAST_SPREAD_MV = 0.1, 0.02
#: Part of the note of answers on heights: what their confidence is.
AGREEMENT = "the confidence is how well the beats agree"
_FIELDS = {"p": "p", "q": "q", "r": "r", "s": "s", "t": "t", "st": "st_j", "qrs": "qrs_height"}
_NAMES = {
    "p": "P wave",
    "q": "Q wave",
    "r": "R wave",
    "s": "S wave",
    "t": "T wave",
    "st_j": "ST at the J point",
    "qrs_height": "QRS complex",
    "q_duration": "Q duration",
    "r_duration": "R duration",
    "s_duration": "S duration",
}
_WAVE = re.compile(
    r"\b(?:(?P<w>[pqrst])(?:[ -]?waves?|[ -](?:amplitude|height|depth|voltage)s?)|(?P<st>st)(?:[ -](?:segment|level))?|"
    r"(?P<qrs>qrs)(?:[ -]complex(?:es)?)?(?:[ -](?:amplitude|height|voltage)s?)?|"
    r"(?P<bare>[pqrst])(?= (?:in|of) (?:lead )?(?:v[1-6]|i{1,3}\b|av[rlf])))\b"
)
_HEIGHT = re.compile(
    r"\bhow (?:high|tall|large|big|deep|much)\b|\bamplitudes?\b|\bheight\b|\bdepth\b|\bvoltage\b|\bmilli-?volts?\b|"
    r"\bmv\b|\b(?:st|j)[ -](?:level|point)\b"
)
_LENGTH = re.compile(r"\bhow (?:wide|long|broad)\b|\b(?:duration|width)\b")
_LEADS = re.compile(r"\b(?:which|what) (?:of the )?leads?\b|\bwhere\b")
_EXTREME = re.compile(r"\b(?P<most>tallest|highest|largest|biggest|deepest|greatest)\b|\b(?P<least>smallest|lowest|shortest)\b")
_OPEN = re.compile(r"\b(?:what|which|how|give|tell|show|list|name|measure|where)\b")
#: Measurements of the whole recording that have no wording elsewhere.
_PLAIN = {
    "p_duration": re.compile(r"\bp(?:[ -]wave)?s? (?:duration|width)|\bhow (?:long|wide|broad) (?:is|are) the p[ -]?waves?"),
    "qtc_fridericia": re.compile(r"\bfridericia\b"),
    "qtc_framingham": re.compile(r"\bframingham\b"),
    "qtc_hodges": re.compile(r"\bhodges\b"),
    "p_axis": re.compile(r"\bp(?:[ -]wave)? axis\b"),
    "t_axis": re.compile(r"\bt(?:[ -]wave)? axis\b"),
    "sokolow_lyon": re.compile(r"\bsokolow\b"),
    "cornell": re.compile(r"\bcornell\b"),
    "rr_sd": re.compile(r"\bsdnn\b|\brr (?:standard deviation|sd)\b"),
    "rmssd": re.compile(r"\brmssd\b"),
}


def wave_answer(model: EcgLanguageModel, question: str, reading: Reading) -> Answer | None:
    """The answer to a question about waves of leads or a measurement without another wording; None for other questions."""
    low = " ".join(question.lower().split())
    open_ = _OPEN.search(low) is not None or re.match(r"[pqrst]'?[ -]", low) is not None
    if open_ and (name := next((n for n, pattern in _PLAIN.items() if pattern.search(low)), None)) is not None:
        return _plain(model, name, reading)
    found, about = _WAVE.search(low), topics(question)
    if found is None or "form:LOWT" in about.statements:  # "low amplitude T waves" is a finding, not a height
        return None
    leads = about.leads
    condition = next((n for n, (pattern, _) in CONDITIONS.items() if pattern.search(low)), None)
    field = _FIELDS[found["w"] or found["st"] or found["bare"] or found["qrs"]]
    if field == "qrs_height" and (_LENGTH.search(low) or not _HEIGHT.search(low)):
        return None
    extreme = _EXTREME.search(low)
    if extreme is not None and open_:
        ask = "extreme"
    elif condition is not None and (_LEADS.search(low) or (leads and not open_)):
        ask = "condition"
    elif open_ and _HEIGHT.search(low):
        ask = "height"
    elif open_ and leads and _LENGTH.search(low) and field in "qrs":
        ask, field = "height", f"{field}_duration"
    else:
        return None
    if isinstance(reading.record.reading, PageLooked):
        return _no(model, str(reading.measurements.heart_rate.reason))
    if (reason := lead_missing(leads, reading.record, reading.unusable)) is not None:
        return _no(model, reason)
    if reading.record.unit == "normalized":
        return _no(model, NO_MILLIVOLTS)
    if ask == "condition" and condition is not None:
        return _of_condition(model, condition, leads, reading)
    values = {lead: getattr(v, field) for lead, v in reading.measurements.by_lead.items() if not leads or lead in leads}
    known = {lead: m for lead, m in values.items() if m.value is not None}
    if not known:
        return _no(model, _reasons({lead: str(m.reason) for lead, m in values.items()}))
    if extreme is not None:
        pick = max if extreme["most"] else min
        lead = pick(known, key=lambda name: abs(known[name].value or 0.0))
        return _measured(model, f"lead {lead}: {_shown(known[lead])}", field, {lead: known[lead]})
    text = _shown(next(iter(known.values()))) if len(leads) == 1 else ", ".join(f"{k} {_shown(m)}" for k, m in known.items())
    return _measured(model, text, field, known)


def _of_condition(model: EcgLanguageModel, condition: str, leads: tuple[str, ...], reading: Reading) -> Answer:
    """Which leads fulfil a condition, or whether those named do."""
    shown = leads_showing(condition, reading)
    name = CONDITIONS[condition][1]
    if leads:
        shown = LeadsShowing(*({k: v for k, v in part.items() if k in leads} for part in shown))  # type: ignore[arg-type]
    if not shown.found and not shown.others:
        return _no(model, _reasons(shown.unknown))
    usual = {"t_inverted": "; inverted in aVR is normal", "q_wide": "; in aVR they are normal"}.get(condition, "")
    usual = usual if "aVR" in shown.found else ""
    if leads:
        text = (
            "yes"
            if shown.found and not shown.others
            else "no"
            if not shown.found
            else f"in {', '.join(shown.found)}, not in {', '.join(shown.others)}"
        )
    else:
        text = ", ".join(shown.found) or f"no lead shows {name}"
    evidence = tuple(
        height_evidence("st_j" if condition.startswith("st_") else condition[0], lead, m)
        for lead, m in (shown.found or shown.others).items()
    )
    if shown.unknown:
        evidence = (*evidence, Evidence(f"not told in {', '.join(shown.unknown)}: {_reasons(shown.unknown)}"))
    return Answer(
        text,
        _agreement((shown.found | shown.others).values()),
        False,
        evidence,
        model.name,
        note=f"{_limits(condition, reading)}{usual}; {AGREEMENT}",
    )


def _limits(condition: str, reading: Reading) -> str:
    meta = reading.record.meta
    return {
        "st_elevated": f"at the J point, from {ELEVATED_MV:g} mV on, in V2 and V3 from {st_limit('V2', meta.sex, meta.age):g} mV",
        "st_depressed": f"at the J point, from {DEPRESSED_MV:g} mV on".replace("-", "\N{MINUS SIGN}"),
        "q_wide": f"Q waves of at least {Q_MS:g} ms and {Q_MV:g} mV (V2, V3: over {Q_V2_V3_MS:g} ms), and QS complexes",
    }.get(condition, "of the median beat")


def _plain(model: EcgLanguageModel, name: str, reading: Reading) -> Answer:
    m: Measurement = getattr(reading.measurements, name)
    if m.value is None:
        return _no(model, str(m.reason))
    value = _shown(m)
    evidence = Evidence(f"{LABELS[name]} {value}" + (f"; {m.beats} beats" if m.beats else ""), m.leads, m.value, m.unit)
    if name in SAME_WITHIN:
        return Answer(value, sure_of_value(name, m.spread), False, (evidence,), model.name)
    if m.unit == "mV":
        return replace(_measured(model, value, name, {}), confidence=_agreement([m]), evidence=(evidence,))
    return Answer(
        value, 0.5, False, (evidence,), model.name, note=f"{NO_CONFIDENCE[m.unit]}, so the confidence is no more than even"
    )


def _measured(model: EcgLanguageModel, text: str, field: str, values: Mapping[str, Measurement]) -> Answer:
    return Answer(
        text,
        _agreement(values.values()),
        False,
        tuple(height_evidence(field, lead, m) for lead, m in values.items()),
        model.name,
        note=f"median beat; no annotated amplitudes to compare with: {AGREEMENT}",
    )


def height_evidence(field: str, lead: str, m: Measurement) -> Evidence:
    """Text such as "R wave in V5 1.93 mV; 10 beats vary by 0.07 mV". field: of `LeadValues`."""
    if m.value is None:
        return Evidence(f"{_NAMES[field]} in {lead}: {m.reason}", (lead,))
    vary = f"; {m.beats} beats" + (f" vary by {m.spread:.{DECIMALS.get(m.unit, 0)}f} {m.unit}" if m.spread is not None else "")
    return Evidence(f"{_NAMES[field]} in {lead} {_shown(m)}{vary}", (lead,), round(m.value, 3), m.unit)


def _agreement(values: object) -> float:
    """Probability that a single beat lies within a small square of the value, of the lead where beats vary most."""
    spreads = [m.spread or 0.0 for m in values if m.value is not None and m.unit == "mV"]  # type: ignore[attr-defined]
    return min(MOST_SURE, 2 * below(SQUARE_MV / max([LEAST_SPREAD_MV, *spreads])) - 1)


def _shown(m: Measurement) -> str:
    return f"{m.value:.{DECIMALS.get(m.unit, 0)}f} {'°' if m.unit == 'deg' else m.unit}".replace(" °", "°")


def _reasons(by_lead: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(by_lead.values())) or "no lead was measured"


def _no(model: EcgLanguageModel, reason: str) -> Answer:
    return Answer("", 0.0, True, (), model.name, reason)
