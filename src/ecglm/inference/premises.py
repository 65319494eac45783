"""Questions that take something for granted: "Where is the ST elevation?", "Why is the QRS wide?", "How long has he had this AF?".

What is taken for granted is looked at before anything else (`ecglm.inference.established`). When it is not there the answer
says so, with the evidence; nothing that follows from a false premise is answered. What is there is said to be there, with what
one recording can tell of the rest. Without the language model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ecglm.inference.established import SINUS, Verdict, axis_verdict, finding_verdict, group_verdict, sinus_verdict, value_verdict
from ecglm.inference.evidence import evidence_for
from ecglm.inference.groups import ANY_OF
from ecglm.inference.reading import Reading, lead_evidence, strongest_leads
from ecglm.inference.topics import SUPPORT, named_spans, topics
from ecglm.inference.waves import wave_answer
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel
from ecglm.schema import Answer, Evidence

_SO = r"^(?:(?:and|but|so|ok|okay|well|then|please|hi|hello|doctor|now|tell me|can you tell me|could you tell me|explain)[, ]+)*"
#: Forms of question that take a finding for granted, by what they ask of it. The first that fits counts.
_FORMS: Mapping[str, re.Pattern[str]] = {name: re.compile(_SO + pattern) for name, pattern in {
    "where": r"(?:where\b|(?:in|on|at|from) (?:which|what) (?:of the )?(?:leads?|part|region|wall)|(?:which|what) (?:of the )?leads?\b|"
             r"(?:show|point)(?: me)?(?: out| to)? (?:where |the |this |that |his |her )|(?:can|could|would) you (?:please )?"
             r"(?:show|point|mark|locate)|locate (?:the|this|his|her)|mark (?:the|this|his|her))",
    "since": r"(?:since when|for how long|how long (?:has|have|had|is|was|did|does|will)|when (?:did|was|has|have|will|does|is)|how old is|"
             r"how (?:recent|new|fresh) (?:is|are|was))",
    "cause": r"(?:why\b|how come|what(?:'s| is| was| are| were)? (?:the |likely |probably |most likely )*(?:caus\w+|reasons?|explanation|"
             r"trigger\w*|behind)|what (?:has |could |might |may |can |would |did |do |does )?(?:have |be |you think )?(?:caus\w+|"
             r"explain\w*|trigger\w*|led to|leads to|brought|produc\w+)|due to what|(?:where does|where did) .* come from|"
             r"how did (?:the|this|he|she|his|her) .* (?:get|develop|arise|come))",
    "degree": r"(?:how (?:severe|bad|marked|serious|extensive|advanced|pronounced|large|big|deep|high|wide|long|fast|slow|frequent|many|"
              r"much|often|significant|widespread|prominent|dangerous|stable|acute|urgent)\b|"
              r"what(?:'s| is) the (?:size|extent|severity|degree|depth|height|magnitude|rate|ventricular rate|frequency|number|age|"
              r"burden|significance|prognosis|location|localisation|localization|site|origin) (?:of|in|during)\b)",
    "kind": r"(?:(?:what|which) (?:kind|type|form|sort|degree|grade|variant|stage|pattern|class)s? of (?!extra ?systoles? (?:does|can|are)|"
            r"ectopic|disease|extra beats)|"
            r"(?:describe|characteri[sz]e|classify|grade|comment on|quantify|tell me (?:more )?about|what about|what do you make of|"
            r"what does) (?:the|this|that|these|those|his|her|their)\b)",
    "change": r"(?:(?:is|are|was|were|has|have|does|did|do|will|would|could|can) (?:the|this|that|these|those|his|her|their) .*"
              r"\b(?:new|old|acute|chronic|recent|severe|mild|moderate|stable|unstable|better|worse|worsen\w*|improv\w*|resolv\w*|"
              r"intermittent|permanent|paroxysmal|persistent|progress\w*|reversible|disappear\w*|spread\w*|getting|due to|caused by|"
              r"explain\w*|significant|longstanding|long-standing|benign)\b)",
    "treat": r"(?:(?:how|what|which|should|can|could|must|do|does|is|are)\b.*\b(?:treat\w*|therap\w*|manag\w*|medic\w*|drugs?|"
             r"ablat\w*|cardiover\w*|anticoag\w*|do about|done about|correct\w*)\b)"}.items()}
#: A question about this recording, not about ECG in general.
_HERE = re.compile(r"\b(?:the|this|that|these|those|there|here|his|her|their|he|she|they|it|patient|seen|visible|present|show\w*|we|"
                   r"you|st|t waves?|is|are)\b")
_GENERAL = re.compile(r"\b(?:criteri\w+|definition|in general|usually|typically|normally|commonly|differential|signs of|symptoms of|"
                      r"mean|means|if)\b|\bcauses of\b|^what (?:can |may )?causes? (?!the|this|that|his|her|their)|"
                      r"^(?:how|why|what) (?:is|are|does|do) (?:an? )?(?!the|this|that|his|her|their|there|st\b|t\b|qrs|pr\b|qt|he\b|she\b|"
                      r"it\b|you\b|we\b)\S+ (?!.*\b(?:here|this|patient|seen)\b)")
_NOT = re.compile(r"\b(?:no|not|without|neither|absent|absence|lack\w*)\b|n't\b")
#: A determiner before a finding, and words that ask whether it is there after all; names that need not mean a finding.
_KNOWN = re.compile(r"(?:\b(?:the|his|her|their|its)|(?<!\bis )(?<!\bwas )(?<!\bare )\b(?:this|that|these|those)|(?<!it)'s)(?: (?:new|old|acute|known|obvious|marked|slight|severe|mild|"
                    r"chronic|underlying|intermittent|apparent|described|mentioned|same))? $")
_WHETHER = re.compile(r"\b(?:present|visible|there (?:is|are)|is there|are there|real|confirmed?|true|likely|probable|probability|certain|sure|"
                      r"if|whether|diagnos\w+|or)\b")
_NO_FINDING = frozenset({"conduction", "left ventricle", "left atrium", "right atrium", "left atrial", "right atrial", "repolarisation",
                         "repolarization", "st segment", "normal", "sinus", "healthy", "intraventricular conduction", "pacing",
                         "abnormal", "premature complexes"})
_RATE = r"(?:heart ?rate|ventricular rate|rate|pulse|heart|heartbeat)"
#: Values taken to be too high or low: measurement, words, and the adjectives by side.
_VALUES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("qrs", r"qrs(?: complex(?:es)?| duration| interval)?", {"high": "wide|broad|prolonged|long|widened|broadened|too wide"}),
    ("pr", r"pr(?: interval| time| conduction)?", {"high": "long|prolonged|lengthened|increased", "low": "short|shortened"}),
    ("qtc_bazett", r"qtc?(?: interval| time)?|corrected qt(?: interval)?",
     {"high": "long|prolonged|lengthened|increased", "low": "short|shortened"}),
    ("heart_rate", _RATE, {"high": "fast|high|rapid|elevated|quick|racing|increased|beating so fast", "low": "slow|low|reduced|decreased"}),
)
_WORDS = {("heart_rate", "high"): "fast", ("heart_rate", "low"): "slow", ("qrs", "high"): "wide", ("pr", "high"): "long",
          ("pr", "low"): "short", ("qtc_bazett", "high"): "long", ("qtc_bazett", "low"): "short"}
_LABEL = {"qrs": "QRS", "pr": "PR interval", "qtc_bazett": "QTc", "heart_rate": "heart rate"}
_BRADY, _TACHY = (re.compile(rf"\b(?<!sinus ){word}\w*\b") for word in ("bradycardi", "tachycardi"))
_AXIS = re.compile(r"\b(?P<side>left|right|extreme)(?:ward)?[ -]axis|\baxis\b.*\b(?P<to>left|right|extreme)")
#: Rhythms and blocks that are not judged themselves, but that a sinus rhythm, a narrow QRS or a normal PR interval excludes.
_EXCLUDED: Mapping[str, re.Pattern[str]] = {
    "ventricular tachycardia": re.compile(r"\bventricular tachycardia|\bvt\b"),
    "ventricular fibrillation": re.compile(r"\bventricular (?:fibrillation|flutter)|\bv-?fib\b|\bvf\b"),
    "torsade de pointes": re.compile(r"\btorsades?"), "asystole": re.compile(r"\basystole|\bcardiac arrest"),
    "a junctional rhythm": re.compile(r"\bjunctional"), "an idioventricular rhythm": re.compile(r"\bidioventricular"),
    "atrial tachycardia": re.compile(r"\b(?<!supra)atrial tachycardia"), "AV nodal re-entry": re.compile(r"\bavn?rt\b"),
}
_PLURAL = re.compile(r"(?:waves|systoles|changes|abnormalities|complexes|criteria)$")
#: What one recording cannot tell, or what is not judged, of something that is there, by what is asked of it.
UNTOLD = {"since": "since when, one recording cannot tell", "cause": "what causes it, one recording cannot tell",
         "degree": "how marked it is, is not judged", "kind": "its kind is not judged",
         "change": "whether it is new or has changed, one recording cannot tell", "other": "more of it is not judged"}


class Premise(NamedTuple):
    """What a question takes for granted, by name, and what it asks of it, a key of `_FORMS`."""

    form: str
    name: str
    keys: tuple[str, ...] = ()
    group: str | None = None
    measure: str | None = None
    side: str | None = None  #: high or low, or of the axis left, right or extreme
    excluded: bool = False


def premise(question: str) -> Premise | None:
    """The premise of a question; None when it takes nothing for granted that can be looked at."""
    low = " ".join(question.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()).rstrip("?!. ")
    form = next((name for name, pattern in _FORMS.items() if pattern.match(low)), "other" if _definite(low) else None)
    if form is None or _NOT.search(low) or _GENERAL.search(low) or not _HERE.search(low):
        return None
    for name, pattern in _EXCLUDED.items():
        if pattern.search(low):
            return Premise(form, name, excluded=True)
    for measure, words, sides in _VALUES:
        for side, adjectives in sides.items():
            if re.search(rf"\b(?:{words})\b.*\b(?:{adjectives})\b|\b(?:{adjectives})\b(?: \w+)? (?:{words})\b", low) \
                    and (form not in ("degree", "where") or re.search(rf"\b(?:{adjectives}) (?:{words})\b", low)):
                return Premise(form, f"{_WORDS[measure, side]} {_LABEL[measure]}", measure=measure, side=side)
    if (found := _AXIS.search(low)) is not None:
        return Premise(form, f"{found['side'] or found['to']} axis deviation", measure="axis", side=found["side"] or found["to"])
    about = topics(low)
    keys = tuple(k for k in about.statements if k not in ("super_class:NORM", "rhythm:SR"))
    if keys in (("rhythm:STACH",), ("rhythm:SBRAD",)) and (_TACHY.search(low) or _BRADY.search(low)):
        side = "high" if keys[0] == "rhythm:STACH" else "low"
        return Premise(form, f"{_WORDS['heart_rate', side]} heart rate", measure="heart_rate", side=side)
    if len(keys) < len(about.statements) and re.search(r"\bor\b", low):
        return None  # "AF or sinus rhythm?"
    if len(keys) == 1 and not about.anyof:
        return Premise(form, "delta wave" if "delta" in low else BY_KEY[keys[0]].name, keys)
    if not keys and len(about.anyof) == 1 and (about.anyof[0] in ANY_OF):
        return Premise(form, about.anyof[0], group=about.anyof[0])
    return None


def _definite(low: str) -> bool:
    """Whether a finding is spoken of as something known: "the LBBB", "his AF", but not "is the LBBB present?"."""
    if _WHETHER.search(low):
        return False
    return any(_KNOWN.search(low[:start]) is not None and low[start:stop] not in _NO_FINDING for start, stop in named_spans(low))


def established(model: EcgLanguageModel, asked: Premise, reading: Reading) -> Verdict:
    """Whether what a question takes for granted is there."""
    if asked.excluded:
        return sinus_verdict(reading)
    if asked.measure == "axis" and asked.side is not None:
        return axis_verdict(reading, asked.side)
    if asked.measure is not None and asked.side is not None:
        return value_verdict(reading, asked.measure, asked.side)
    if asked.group is not None:
        return group_verdict(model, reading, asked.group)
    return finding_verdict(model, reading, asked.keys[0])


def premise_answer(model: EcgLanguageModel, question: str, reading: Reading) -> Answer | None:
    """The answer to a question with a premise; None for others, and where a true premise leaves it to others to answer."""
    asked = premise(question)
    if asked is None or reading.declined is not None or reading.encoded is None:
        return None
    found = established(model, asked, reading)
    if found.state == "unknown":
        wanted = f"whether there is {asked.name} cannot be told here: {found.why}"
        return None if asked.excluded or asked.form == "treat" else Answer("", 0.0, True, (), model.name, wanted)
    evidence = _evidence(model, question, asked, found, reading)
    if found.state == "absent":
        name = _bare(asked.name)
        said = f"The {_LABEL[asked.measure]} is not {asked.name.split()[0]}" if asked.measure in _LABEL else \
            f"There {'are' if _PLURAL.search(name) else 'is'} no {_written(name)}"
        return Answer(f"{said}: {found.why}", found.confidence, False, evidence, model.name)
    if found.state == "possible":
        return Answer(f"{_first(asked.name)} {_is(asked.name)} not called present, only possible: {found.why}", found.confidence, False,
                      evidence, model.name)
    if asked.form == "treat":
        return None  # an ECG cannot tell; the usual reason is given
    if asked.form in ("degree", "where") and (waves := wave_answer(model, question, reading)) is not None and not waves.abstained:
        return waves
    there = f"{_first(asked.name)} {_is(asked.name)} called present: {found.why}" if asked.measure is None else _first(found.why)
    return Answer(f"{there}; {_rest(model, asked, found, reading)}", found.confidence, False, evidence, model.name)


def _rest(model: EcgLanguageModel, asked: Premise, found: Verdict, reading: Reading) -> str:
    """What can be said of the thing asked of what is there."""
    if asked.form == "where":
        key = found.keys[0] if found.keys else None
        leads = strongest_leads(lead_evidence(model, reading, key)) if key is not None and reading.inputs is not None else ()
        return f"it rests most on lead {', '.join(leads)}" if leads else "it is judged on all leads together"
    if asked.form == "cause" and asked.measure is not None:
        named = [f for f in reading.findings if f.present and asked.measure in SUPPORT.get(f"{f.group}:{f.code}", ())
                 and f.code not in ("NORM", "SR", "CD")]
        if named:
            return "called present besides: " + ", ".join(f"{f.name} {100 * f.probability:.0f} %" for f in named)
    return UNTOLD[asked.form]


def _evidence(model: EcgLanguageModel, question: str, asked: Premise, found: Verdict, reading: Reading) -> tuple[Evidence, ...]:
    about = topics(question)
    keys = found.keys or asked.keys
    fields = (asked.measure,) if asked.measure else ("heart_rate", "pr", "qrs") if asked.excluded else about.measures
    shown = replace(about, statements=keys[:4], anyof=(), groups=(), measures=tuple(fields))
    others = () if not asked.excluded else tuple(k for k in SINUS if any(f"{f.group}:{f.code}" == k and f.present for f in reading.findings))
    return evidence_for(model, reading, replace(shown, statements=(*shown.statements, *others)), "")


def _bare(name: str) -> str:
    return re.sub(r"^an? ", "", name)


def _written(name: str) -> str:
    return re.sub(r"\b(?:st|av|pr|qt|qrs|ecg|t(?=[ -]wave)|q(?= wave))\b", lambda found: found[0].upper(), name)


def _first(text: str) -> str:
    text = _written(text)
    return text[0].upper() + text[1:]


def _is(name: str) -> str:
    return "are" if _PLURAL.search(name) else "is"
