"""When not to answer: unusable questions are errors, unusable signals and unanswerable questions are abstentions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecglm.errors import UsageError, argument
from ecglm.inference.language import is_foreign
from ecglm.inference.topics import Topics
from ecglm.models.prompt import clean_question
from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS, of_leads
from ecglm.records.record import Record
from ecglm.signal import unreadable

MAX_QUESTION = 2_000
MAX_OPTIONS = 40
MIN_SECONDS = 2.0
MIN_FS = 50.0

UNRELATED = 'the question does not seem to be about this ECG; ask in English, as in "What is the rhythm?"'
_PERSONAL = "personal details such as age or name"
#: What an electrocardiogram cannot tell, and how people ask for it.
_NOT_ON_ECG: tuple[tuple[str, str], ...] = (
    (r"blood pressure|systolic|diastolic pressure|hypertensi", "blood pressure"),
    (r"cholesterol|glucose|blood sugar|ha?emoglobin|creatinine|troponin|blood test|lab(oratory)? value", "a blood test"),
    (r"\bpump(s|ing)?\b|contractil|\bsqueez|\b(ventricles?|atrium|atria) (is |are )?(normal|healthy|ok|fine|working|function)|"
     r"ejection fraction|wall motion|valve (area|gradient)|stroke volume|cardiac output", "an imaging measurement"),
    (r"\b(address|birthday|date of birth|phone|insurance|hospital|nationality|religion)\b", _PERSONAL),
    (r"\b(patient'?s?|his|her|their|doctor'?s?) name\b|\bname of the (patient|doctor)|\bwho is\b", _PERSONAL),
    (r"\b(how old|what age|age of|patient'?s age|gender|which sex|male or female|height|weight|bmi)\b", _PERSONAL),
    (r"\b(how long .*live|life expectancy|survive|prognosis|when will .* die|mortality)\b", "a prognosis"),
    (r"oxygen saturation|spo2|body temperature|respiratory infection|\bstroke\b|covid|pneumonia|cancer|tumou?r|pregnan",
     "this condition"),
    (r"\b(coronary angiogra|stenosis of|which artery|calcium score)\b", "coronary anatomy"),
    (r"\b(medications?|medicines?|dose|dosage|which drugs?|prescri\w*|should .* (take|get|have|receive)|treat(ed|ment|ments)?|"
     r"therap(y|ies)|cardioversion|cardiovert\w*|ablation|defibrillat\w*|anticoagula\w*|beta[ -]?blockers?|surgery|stent|"
     r"needs? (a |an )?(pacemaker|icd|drugs?))\b", "which treatment is right; a clinician decides on it"),
)
NO_MILLIVOLTS = "this recording has no millivolt scale (its source was normalised), so voltages are unknown"
_MILLIVOLT = re.compile(r"milli-?volts?|\bmv\b|\bmm of st\b|how (high|tall|large|deep) (is|are) (the |an? )?"
                        r"([rstpq]\b|[rstpq][ -]?wave|st\b|qrs voltage)|"
                        r"amplitude (of|in)|voltage (of|in)|\bvoltage criteria\b")
_SIZE = r"tall|high|deep|large|peaked|giant|amplitude"
_WAVE = r"[pqrstu][ -]?waves?|qrs( complex(es)?)?"
_TALL = re.compile(rf"\b({_SIZE})\b.*\b({_WAVE})\b|\b({_WAVE})\b.*\b({_SIZE})\b")
_UNJUDGED = re.compile(
    r"\bventricular (tachycardia|fibrillation|flutter)|\bv[tf]\b|\bvfib\b|torsade|(hyper|hypo)-?(k|calc)|electrolyte|"
    r"potassium|calcium|hypotherm|osborn|takotsubo|myocarditis|tamponade|amyloid|sarcoid|intoxication|toxicity|overdose|"
    r"brugada|pericarditis|pericardial|short qt|\basystole|cardiac arrest|"
    r"early repol|pulmonary embol|mobitz|wenckebach|(second|third|2nd|3rd)[ -]degree|complete (av|heart) block|junctional|"
    r"normal variant|transition(al)? zone|"
    r"\batrial tachycardia|atrial rhythm|avn?rt\b|"
    r"heart failure|cardiomyopath|enlarged heart|heart enlarged|going to (have|die|get)|will .* (have|get) a|"
    r"\bp[ -]waves?\b(?!.*(sinus|rhythm))|\bu[ -]waves?\b")
#: Said of names that nothing here stands for, too.
NOT_JUDGED = "this is not among the findings and values that are judged; `ecglm report` lists them"
_NEGATION = re.compile(
    r"\b(is|are|was|has|have|sees?|there|got) no\b|\bshows? no\b(?! abnormality\b)|"
    r"\bnot\b(?! (?:below|under|above|over|less than|more than)\b)|\bno signs? of\b|"
    r"n't\b|\b(?:is|are|does|do|has|have|was)nt\b|^no |\bwithout\b|\babsen(t|ce)\b|\bfree of\b|\bnegative for\b|\bnever\b|"
    r"\bneither\b|\black(s|ing)?\b")
#: What turns nothing round: "This is AF, isn't it?", and what asks nothing more: "... or not?".
_TAG = re.compile(r",? (?:is|are|does|do|has|have|was)(?:n't|nt| not) (?:it|there|he|she|they|this|that)\W*$|\bnot sure\b")
_OR_NOT = re.compile(r",? or not\W*$", re.I)
#: Questions that name nothing: they ask what the ECG shows.
_BARE = re.compile(r"(?:so |and |ok |well )*(?:what (?:does|do) (?:it|this|that) (?:show|say|tell (?:us|me))|"
                   r"what(?: is|'s) (?:this|it|shown|seen|visible|there to see)|what (?:do|can) you (?:see|find|tell me)|"
                   r"which (?:one |of (?:these|them) )?is it|what(?: is|'s) (?:abnormal|wrong|not normal|not right)|"
                   r"(?:please )?(?:give (?:me |us )?)?(?:an? |the |your )?(?:summary|summari[sz]e|interpret|interpretation|"
                   r"impression|overview|describe|assessment))(?: (?:here|(?:(?:in|on|from|about|of|with) )?"
                   r"(?:it|(?:the|this|that)(?: (?:ecg|ekg|tracing|recording))?)))?\W*", re.I)
_WHICH_BUNDLE = re.compile(r"which bundle(?: branch)? is blocked\W*", re.I)
_EITHER_BUNDLE = re.compile(r"\b(left|right) or (left|right) bundle[ -]branch[ -]block", re.I)
_QTCF = re.compile(r"\bqtcf\b", re.I)
#: Forms of question that were never trained and would be misread, with what to do instead.
_NOT_A_FORM: tuple[tuple[str, str], ...] = (
    (r"\bhow many (?!beats per minute|degrees|milli|ms\b|mv\b)", "counts are not given; `ecglm measure` lists the beats"),
    (r"\b(which|what) leads?\b|\bwhere\b(?!.*do you see)", "findings are judged on all leads together, not lead by lead"),
    (r"^(how|are you) (sure|certain|confident)\b", "ask whether it is there; the answer comes with its confidence"),
    (r"\bn?stemi\b|acute coronary",
     'that is a diagnosis with symptoms and blood tests; of the ECG ask "Is there ST elevation?" or "Is there ST depression?"'),
    (r"\b(describe|tell me (more )?about|characteri[sz]e)\b.*\b([pqrstu][ -]?waves?|st[ -]segments?)\b|"
     r"\b(what|how) (is|are|do|does)\b.*\b([pqrstu][ -]?waves?|st[ -]segments?)\b.*\b(like|look)",
     'waves are told lead by lead; ask "How high is T in V1?", "In which leads is T inverted?" or "Is ST elevated in V2?"'),
    (r"\brul(e|es|ed|ing) out\b|\bexclud", "ask whether it is present instead"),
    (r"\bcompar|\bsimilar to\b|\b(last|previous|earlier|prior|other) (ecg|recording|tracing|one)\b|\bany change\b|"
     r"was there a change|\b(what|has|have|had)\b.*\b(changed|improved|worsened)\b|\bdid\b.*\bchange\b|"
     r"\bdiffer\w*\b.*\b(ecgs|recordings|tracings|them|these|two)\b|"
     r"\b(both|these|the two|these two) (ecgs|recordings|tracings)\b.*\bdiffer|"
     r"yesterday|tomorrow|\becg \d+\b.*\becg \d+|\bwhich (ecg|recording)\b|"
     r"\bwhich one (has|is|shows) (?!present)|\bwhich of (them|these|the)",
     "recordings are judged one at a time, not compared; ask about each"),
    (r"\b(urgent|urgency|emergency|dangerous|serious|severe enough|go home|discharge)\b", "urgency is not judged"),
    (r"respirat\w* rate|breathing rate|pulse pressure|variability|sdnn|"
     r"\b(pr|tp) segment|qt dispersion|fridericia|framingham|hodges|\b[tp][ -](wave )?axis",
     "answers give rate, RR, PR, QRS, QT, QTc and axes; `ecglm measure` and `ecglm info` list more"),
    (r"\bworr(y|ied)\b(?! about)|\bshould (i|we|he|she|they)\b(?! worry about)|\bwhat (should|to do)\b|\bnext step",
     "what to do is not judged; a clinician decides on it"),
    (r"\b(what|which) (machine|device|cart|manufacturer)\b|\bwhen was (it|this|the)\b|\brecording date\b",
     "`ecglm info` says what is in the file"),
    (r"\b(poem|joke|story|song|recipe)\b", UNRELATED),
    (r"\bsampl(e|es|ed|ing)\b|\bsignal quality\b|quality of the (signal|recording|tracing|ecg)|"
     r"\b(good|bad|poor) (signal|recording|quality)|"
     r"\b(file|recording) format\b|how long (is|was|does) (the|this) (recording|ecg|strip|tracing)|number of leads",
     "`ecglm info` says what is in the file: leads, sampling rate, length and the quality of each lead"),
)
_NOISE = re.compile(r"\bnois[ey]|baseline (drift|wander)|artefact|artifact|\belectrodes?\b|interference")
#: Statements that need millivolts, by key.
_NEEDS_MV = frozenset({"form:LVOLT", "form:HVOLT", "form:VCLVH"})
#: Statements that need more than a rhythm strip: what is missing, and the leads any of which suffices per group.
_NEEDS_CHEST = frozenset({"sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB", "sub_class:AMI",
                          "sub_class:LVH", "sub_class:RVH", "sub_class:PMI", "sub_class:ISCA", "form:VCLVH"})
_NEEDS_LIMB = frozenset({"sub_class:LAFB/LPFB", "sub_class:IMI", "sub_class:ISCI"})
_NEEDS_MANY = frozenset({"super_class:MI", "super_class:HYP", "super_class:STTC", "super_class:NORM", "sub_class:LMI",
                         "sub_class:ISC", "form:STD", "form:STE", "form:INVT", "form:NDT"})

#: Beats out of turn show in every lead.
_ANY_LEAD = frozenset({"form:PVC", "form:PAC"})


def check_question(question: str) -> str:
    """The question on one line. Raises UsageError when it is empty or far too long."""
    if not isinstance(question, str):
        raise UsageError("the question must be text")
    if len(question) > MAX_QUESTION:
        raise UsageError(f"the question has {len(question):,} characters; ask in at most {MAX_QUESTION:,}")
    text = _OR_NOT.sub("?", clean_question(question))
    if not any(c.isalnum() for c in text):
        raise UsageError('the question is empty; ask something, such as "What is the heart rate?"')
    return text


def spelt(question: str) -> str:
    """The question in the form that is understood: "What does this ECG show?" for one that names nothing, such as "What do you
    see?" (in a dialogue that is known only when "it" has been looked up), and what "left or right bundle branch block" is short
    for."""
    if _BARE.fullmatch(question):
        return "What does this ECG show?"
    if _WHICH_BUNDLE.fullmatch(question):
        return "Is there left bundle branch block or right bundle branch block?"
    return _QTCF.sub("Fridericia QTc", _EITHER_BUNDLE.sub(r"\1 bundle branch block or \2 bundle branch block", question))


def check_options(options: Sequence[str] | None) -> tuple[str, ...] | None:
    """Answers to choose from, each on one line; None for a free answer. Raises UsageError where there is nothing to choose."""
    if options is None:
        return None
    if isinstance(options, str):
        raise UsageError(f"the options must be a list of answers, as in {argument('options', ['yes', 'no'])}")
    cleaned = tuple(clean_question(str(option)) for option in options)
    if len(cleaned) < 2 or len({c.lower() for c in cleaned}) != len(cleaned) or not all(cleaned) or len(cleaned) > MAX_OPTIONS:
        raise UsageError(f"the options must be 2 to {MAX_OPTIONS} different, non-empty answers, as in "
                         f"{argument('options', ['yes', 'no'])}")
    return cleaned


def negated(question: str) -> bool:
    """Whether a question asks for what is not there, so that yes and no are unclear."""
    return _NEGATION.search(_TAG.sub("", _plain(question))) is not None


def decline_record(record: Record, quality: dict[str, float]) -> str | None:
    """Why nothing should be said about this recording, or None."""
    if record.duration_s < MIN_SECONDS - 1e-6:
        return f"the recording lasts {record.duration_s:.2g} s; at least {MIN_SECONDS:g} s are needed"
    if record.fs < MIN_FS:
        return f"it is sampled at {record.fs:g} Hz; at least {MIN_FS:g} Hz are needed to see waves"
    return unreadable(record, quality)


def beyond(text: str) -> str | None:
    """Why words ask for what no answer is ever given to, whatever the recording, or None."""
    low = _plain(text)
    return _not_on_ecg(low) or (NOT_JUDGED if _UNJUDGED.search(low) else None) or _not_a_form(low)


def _plain(question: str) -> str:
    return question.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _not_on_ecg(low: str) -> str | None:
    return next((f"an ECG cannot tell {what}" for pattern, what in _NOT_ON_ECG if re.search(pattern, low)), None)


def _not_a_form(low: str) -> str | None:
    return next((what for pattern, what in _NOT_A_FORM if re.search(pattern, low)), None)


def decline_question(question: str, about: Topics, record: Record, unusable: Sequence[str] = ()) -> str | None:
    """Why this question cannot be answered from this recording, or None. unusable: leads too poor to be read."""
    low = _plain(question)
    if (never := _not_on_ecg(low)) is not None:
        return never
    form = _not_a_form(low)
    if is_foreign(question):
        return form or UNRELATED
    if _UNJUDGED.search(low):
        return NOT_JUDGED
    if form is not None or not about.related:
        return form or UNRELATED
    if negated(question):
        return "ask without the negation, so that yes and no are clear"
    if _NOISE.search(low) and not about.statements and not about.measures:
        return "noise is not judged in answers; `ecglm info` names what disturbs which lead"
    if (missing := lead_missing(about.leads, record, unusable)) is not None:
        return missing
    if about.leads and ([name for name in about.anyof if name != "arrhythmia"]
                        or any(not key.startswith("rhythm:") for key in about.statements)):
        return "findings are judged on all leads together, not lead by lead"
    if record.unit == "normalized" and re.search(r"\bby voltage", low):
        return NO_MILLIVOLTS
    tall = _TALL.search(low) is not None and "form:LOWT" not in about.statements
    if tall or _MILLIVOLT.search(low) or _NEEDS_MV & set(about.statements):
        if record.unit == "normalized":
            return NO_MILLIVOLTS
        return 'heights of waves are measured lead by lead; ask "How high is R in V5?" or "In which leads is ST elevated?"'
    return _missing_leads(about, record, [lead for lead in record.leads if lead not in unusable])


def lead_missing(leads: Sequence[str], record: Record, unusable: Sequence[str]) -> str | None:
    """Why these leads of a question cannot be looked at, or None."""
    absent = [lead for lead in leads if lead not in record.leads]
    if absent:
        return f"{_are(absent)} not in this recording, which has {', '.join(record.leads)}"
    poor = [lead for lead in leads if lead in unusable]
    return f"{_are(poor)} flat, missing or too noisy to be read" if poor else None


def _are(leads: Sequence[str]) -> str:
    return f"{of_leads(leads)} {'is' if len(leads) == 1 else 'are'}"


def _missing_leads(about: Topics, record: Record, readable: Sequence[str]) -> str | None:
    wanted = set(about.statements)
    if about.measures or len(wanted) > 1:
        wanted.discard("super_class:NORM")  # "is the rate normal", "a normal sinus rhythm"
    if "axis" in about.groups:
        if sum(lead in LIMB_LEADS for lead in readable) < 2:
            return f"this needs at least two limb leads, and only {', '.join(readable)} can be read"
        if not record.axis_known:
            return "the limb leads of this recording do not share one amplitude scale, so the axis is unknown"
    named = about.statements or about.measures or "rhythm" in about.groups
    if not named and {"super_class", "sub_class"} & set(about.groups):
        wanted.add("super_class:NORM")  # an open question for diagnoses needs what the whole ECG needs
    return next((reason for key in sorted(wanted) if (reason := unsupported(key, readable)) is not None), None)


def unsupported(key: str, readable: Sequence[str]) -> str | None:
    """Why a statement cannot be judged on these leads, or None."""
    chest, limb = (sum(lead in group for lead in readable) for group in (CHEST_LEADS, LIMB_LEADS))
    have = f"and only {', '.join(readable)} can be read"
    if key in _NEEDS_LIMB and limb < 2:
        return f"this needs at least two limb leads, {have}"
    if key in _NEEDS_CHEST and not chest:
        return f"this needs chest leads, {have}"
    if key in _NEEDS_MANY and len(readable) < 3:
        return f"this needs several leads, {have}"
    if not key.startswith("rhythm:") and key not in _ANY_LEAD and not limb and chest < len(CHEST_LEADS):
        return f"this needs a limb lead or all chest leads, {have}"  # docs/log.md: some chest leads alone mislead
    return None
