"""Answers that need no language model: comparisons of values, groups of findings, options in words, facts of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecglm.answers import Answer, percent
from ecglm.inference.comparison import compare
from ecglm.inference.contradiction import beyond_possible, even_odds
from ecglm.inference.evidence import evidence_for
from ecglm.inference.groups import ANY_OF, NORMAL, asked_group, called
from ecglm.inference.guard import unsupported
from ecglm.inference.measured_options import either, measured_option
from ecglm.inference.measured_states import state_answer
from ecglm.inference.reading import Reading
from ecglm.inference.regularity import regularity
from ecglm.inference.topics import Topics, topics
from ecglm.knowledge.precision import MOST_SURE
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.calibration import FindingCalibration, log_odds
from ecglm.models.elm import EcgLanguageModel
from ecglm.records.reading import PageLooked
from ecglm.records.record import Record
from ecglm.schema import Evidence

#: A statement needs this share of training cases to be judged (10 of 1,442).
LEAST_PREVALENCE = 0.0069
#: Statements named in a remark; more would hide the answer.
MOST_NAMED = 4
_STRIP = r"(?:recording|ecg|ekg|strip|tracing|signal|file)"
_THERE = rf"(?:(?:are|were) (?:there|recorded|present|available|included)|does (?:this|the|it) ?{_STRIP}? (?:have|contain))"
#: Questions about the recording as a file: sampling rate, length, number and names of leads.
_FILE = {
    "fs": re.compile(r"(?:(?:what|which|how|at what|give|with).*|(?:the )?)\bsampl(?:ing|e) (?:rate|frequency)\b.*|"
                     r"(?:at |with )?(?:what|which) (?:rate|frequency) .*\bsampled\b"),
    "duration": re.compile(rf"how long (?:is|was|does) (?:the|this) {_STRIP}\b(?: last)?|"
                           rf"what(?:'s| is) the (?:duration|length) of (?:the|this) {_STRIP}|"
                           rf"(?:what(?:'s| is) the )?{_STRIP} (?:duration|length)|how many seconds .*{_STRIP}.*"),
    "count": re.compile(rf"how many leads(?: {_THERE})?(?: (?:in|on) (?:this|the) {_STRIP})?"),
    "leads": re.compile(rf"(?:what|which) leads {_THERE}(?: (?:in|on) (?:this|the) {_STRIP})?"),
}
#: What is normal unless a class of disease is there, and whether that is asked for or its fault.
_PARTS = (r"(?P<CD>(?:av |a-v |atrioventricular |intraventricular |ventricular |cardiac |electrical )*conduction(?: system)?)|"
          r"(?P<STTC>repolari[sz]ation|st[ -]?segments?|st-?t)")
_SOUND = re.compile(rf"(?:is|are) (?:the |his |her |patient's )*(?:{_PARTS}) (?:normal|intact|undisturbed|healthy|ok)\W*")
_FAULT = re.compile(rf"is (?:there )?(?:anything|something) (?:wrong|abnormal) with (?:the |his |her )?(?:{_PARTS})\W*")
#: Options that ask for the verdict on the whole ECG.
_WHOLE = re.compile(r"(?P<ab>ab)?normal(?: ecg| ekg)?")


def computed(model: EcgLanguageModel, question: str, reading: Reading, options: Sequence[str] | None = None) -> Answer | None:
    """The answer that measurements, findings or the file alone give, or None where the language model is to be asked."""
    fact = of_file(question, reading.record)
    if fact is not None:
        return declined(model, f"this is read from the file, {fact}; ask without options") if options else \
            Answer(fact, 1.0, False, (Evidence("read from the file, not from the signal"),), model.name)
    about = topics(question)
    chosen = regularity(model, question, reading, about, options)
    if chosen is None:
        chosen = either(model, question, reading, about) if options is None else \
            measured_option(model, reading, about, options) or _whole(model, reading, about, options)
    if chosen is not None:
        return chosen
    said = {option.lower(): option for option in options or ("yes", "no")}
    if not {"yes", "no"} <= said.keys():
        return None
    if (of_part := _of_part(model, question, reading, about, said)) is not None:
        return of_part
    if (of_value := state_answer(model, question, reading, about, said)) is not None:
        return of_value
    result = compare(question, reading.measurements)
    if result is None:
        group = asked_group(question, about)
        return None if group is None else _any_of(model, reading, about, group, said)
    if result.reason is not None:
        return declined(model, result.reason)
    text = said["yes" if result.holds else "no"]
    return Answer(text, result.confidence, False, evidence_for(model, reading, about, text), model.name)


def declined(model: EcgLanguageModel, reason: str) -> Answer:
    """No answer, and why."""
    return Answer("", 0.0, True, (), model.name, reason)


def rare(model: EcgLanguageModel, keys: Sequence[str]) -> tuple[str, ...]:
    """Those statements that next to no training recording showed, so that they cannot be judged."""
    prevalence = dict(zip(model.config.labels, model.findings_calibration.prevalence, strict=True))
    return tuple(key for key in keys if prevalence[key] < LEAST_PREVALENCE)


def of_file(question: str, record: Record) -> str | None:
    """The answer to a question about the file, such as "1000 Hz", or None when it is about something else."""
    low = " ".join(question.lower().split()).rstrip("?!. ")
    what = next((name for name, pattern in _FILE.items() if pattern.fullmatch(low)), None)
    if what is None or isinstance(record.reading, PageLooked):  # what stands for a page that was not read is no file's
        return None
    return {"fs": f"{record.fs:g} Hz", "duration": f"{record.duration_s:g} s", "count": str(len(record.leads)),
            "leads": ", ".join(record.leads)}[what]


def _any_of(model: EcgLanguageModel, reading: Reading, about: Topics, group: str, said: dict[str, str]) -> Answer:
    """Yes if a member of the group is called present; members that cannot be judged here are named."""
    readable = [lead for lead in reading.record.leads if lead not in reading.unusable]
    members = ANY_OF[group].members
    beyond_leads = {key: reason for key in members if (reason := unsupported(key, readable)) is not None}
    unjudged = [*beyond_leads, *(key for key in rare(model, members) if key not in beyond_leads)]
    judged = [key for key in members if key not in unjudged]
    if not judged:
        return declined(model, next(iter(beyond_leads.values()), "too few training recordings showed it to judge it"))
    calibration = model.findings_calibration
    beyond = beyond_possible(reading, calibration)
    present = {f"{f.group}:{f.code}": f.probability for f in reading.findings if f.present}
    there = sorted((key for key in called(group, present) if key in judged), key=lambda key: -beyond[key])
    maybe = sorted((key for key in judged if beyond[key] >= 0 and key not in present), key=lambda key: -beyond[key])
    named = there or maybe or [max(judged, key=lambda key: beyond[key])]
    whole = group == "abnormality"
    sure = 1.0 - _sure(reading, calibration, [NORMAL]) if whole else _sure(reading, calibration, judged)
    text = said["yes" if there else "no"]
    shown = replace(about, statements=(*named[:MOST_NAMED - 1 if whole else MOST_NAMED], *((NORMAL,) if whole else ())))
    evidence = evidence_for(model, reading, shown, text)
    if unjudged:
        names = _listed([BY_KEY[key].name for key in unjudged], 6)
        evidence = (*evidence, Evidence(f"not judged here, for want of leads or of training recordings: {names}"))
    confidence = min(MOST_SURE, max(0.5, sure if there else 1.0 - sure))
    return Answer(text, confidence, False, evidence, model.name, note=_members(reading, there, maybe))


def _of_part(model: EcgLanguageModel, question: str, reading: Reading, about: Topics, said: dict[str, str]) -> Answer | None:
    """"Is the conduction normal?", by the class of disease that it would be; None for other questions."""
    low = " ".join(question.lower().split())
    found = _SOUND.fullmatch(low) or _FAULT.fullmatch(low)
    code = found and next((code for code, words in found.groupdict().items() if words), None)
    if found is None or code is None or reading.encoded is None:
        return None
    key = f"super_class:{code}"
    reason = unsupported(key, [lead for lead in reading.record.leads if lead not in reading.unusable])
    if reason is not None:
        return declined(model, reason)
    there = next(f for f in reading.findings if f"{f.group}:{f.code}" == key).present
    text = said["yes" if there == (found.re is _FAULT) else "no"]
    confidence = min(MOST_SURE, even_odds(abs(beyond_possible(reading, model.findings_calibration)[key])))
    evidence = evidence_for(model, reading, replace(about, statements=(key,), anyof=()), "yes" if there else "no")
    return Answer(text, confidence, False, evidence, model.name)


def _whole(model: EcgLanguageModel, reading: Reading, about: Topics, options: Sequence[str]) -> Answer | None:
    """"normal" or "abnormal", where these are the options and the whole ECG is asked about; None elsewhere."""
    found = {match["ab"] is not None: option for option in options if (match := _WHOLE.fullmatch(option.lower()))}
    narrower = about.measures or about.leads or set(about.groups) - {"sub_class"} or set(about.statements) - {NORMAL}
    if len(found) != 2 or len(options) != 2 or narrower or set(about.anyof) - {"abnormality"}:
        return None
    reason = unsupported(NORMAL, [lead for lead in reading.record.leads if lead not in reading.unusable])
    return _any_of(model, reading, about, "abnormality", {"yes": found[True], "no": found[False]}) if reason is None \
        else declined(model, reason)


def _members(reading: Reading, there: Sequence[str], maybe: Sequence[str]) -> str | None:
    """Which members of a group are called present, or else which are possible."""
    probability = {f"{f.group}:{f.code}": f.probability for f in reading.findings}
    text = _listed([f"{BY_KEY[key].name} {percent(probability[key])}" for key in there or maybe], MOST_NAMED)
    return None if not text else text if there else f"possible, not called present: {text}"


def _listed(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _sure(reading: Reading, calibration: FindingCalibration, keys: Sequence[str]) -> float:
    """Probability that any of these statements holds, if that were as common as not: their joint odds against those in the
    training recordings, as though they were independent. Of the whole ECG: that it is not normal."""
    columns = [i for i, f in enumerate(reading.findings) if f"{f.group}:{f.code}" in keys]
    assert reading.encoded is not None
    shares = (reading.encoded.prob_C[columns], np.array(calibration.prevalence, np.float32)[columns])
    here, usual = log_odds(np.array([1 - np.prod(1 - p) for p in shares], np.float32))
    return even_odds(float(here - usual))
