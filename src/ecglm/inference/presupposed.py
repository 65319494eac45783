"""What a question takes for granted: "Where is the ST elevation?" that there is one, "Why is the QRS wide?" that it is wide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ecglm.inference.groups import ANY_OF
from ecglm.inference.topics import named_spans, topics
from ecglm.knowledge.statements import BY_KEY

_SO = r"^(?:(?:and|but|so|ok|okay|well|then|please|hi|hello|doctor|now|tell me|can you tell me|could you tell me|explain)[, ]+)*"
#: Forms of question that take a finding for granted, by what they ask of it. The first that fits counts.
_FORMS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(_SO + pattern)
    for name, pattern in {
        "where": r"(?:where\b|(?:in|on|at|from) (?:which|what) (?:of the )?(?:leads?|part|region|wall)|(?:which|"
                 r"what) (?:of the )?leads?\b|"
        r"(?:show|point)(?: me)?(?: out| to)? (?:where |the |this |that |his |her )|(?:can|could|would) you (?:please )?"
        r"(?:show|point|mark|locate)|locate (?:the|this|his|her)|mark (?:the|this|his|her))",
        "since": r"(?:since when|for how long|how long (?:has|have|had|is|was|did|does|will)|when (?:did|was|has|have|"
                 r"will|does|is)|how old is|"
        r"how (?:recent|new|fresh) (?:is|are|was))",
        "cause": r"(?:why\b|how come|what(?:'s| is| was| are| were)? (?:the |likely |probably |"
                 r"most likely )*(?:caus\w+|reasons?|explanation|"
        r"trigger\w*|behind)|what (?:has |could |might |may |can |would |did |do |does )?(?:have |be |you think )?(?:caus\w+|"
        r"explain\w*|trigger\w*|led to|leads to|brought|produc\w+)|due to what|(?:where does|where did) .* come from|"
        r"how did (?:the|this|he|she|his|her) .* (?:get|develop|arise|come))",
        "degree": r"(?:how (?:severe|bad|marked|serious|extensive|advanced|pronounced|large|big|deep|high|wide|long|"
                  r"fast|slow|frequent|many|"
        r"much|often|significant|widespread|prominent|dangerous|stable|acute|urgent)\b|"
        r"what(?:'s| is) the (?:size|extent|severity|degree|depth|height|magnitude|rate|ventricular rate|frequency|number|age|"
        r"burden|significance|prognosis|location|localisation|localization|site|origin) (?:of|in|during)\b)",
        "kind": r"(?:(?:what|which) (?:kind|type|form|sort|degree|grade|variant|stage|pattern|"
                r"class)s? of (?!extra ?systoles? (?:does|can|are)|"
        r"ectopic|disease|extra beats)|"
        r"(?:describe|characteri[sz]e|classify|grade|comment on|quantify|tell me (?:more )?about|what about|what do you make of|"
        r"what does) (?:the|this|that|these|those|his|her|their)\b)",
        "change": r"(?:(?:is|are|was|were|has|have|does|did|do|will|would|could|can) (?:the|this|that|these|those|his|"
                  r"her|their) .*"
        r"\b(?:new|old|acute|chronic|recent|severe|mild|moderate|stable|unstable|better|worse|worsen\w*|improv\w*|resolv\w*|"
        r"intermittent|permanent|paroxysmal|persistent|progress\w*|reversible|disappear\w*|spread\w*|getting|due to|caused by|"
        r"explain\w*|significant|longstanding|long-standing|benign)\b)",
        "treat": r"(?:(?:how|what|which|should|can|could|must|do|does|is|are)\b.*\b(?:treat\w*|therap\w*|manag\w*|"
                 r"medic\w*|drugs?|"
        r"ablat\w*|cardiover\w*|anticoag\w*|do about|done about|correct\w*)\b)",
    }.items()
}
#: A question about this recording, not about ECG in general.
_HERE = re.compile(
    r"\b(?:the|this|that|these|those|there|here|his|her|their|he|she|they|it|patient|seen|visible|present|show\w*|we|"
    r"you|st|t waves?|is|are)\b"
)
_GENERAL = re.compile(
    r"\b(?:criteri\w+|definition|in general|usually|typically|normally|commonly|differential|signs of|symptoms of|"
    r"mean|means|if)\b|\bcauses of\b|^what (?:can |may )?causes? (?!the|this|that|his|her|their)|"
    r"^(?:how|why|what) (?:is|are|does|do) (?:an? )?(?!the|this|that|his|her|their|there|st\b|t\b|qrs|pr\b|qt|he\b|she\b|"
    r"it\b|you\b|we\b)\S+ (?!.*\b(?:here|this|patient|seen)\b)"
)
_NOT = re.compile(r"\b(?:no|not|without|neither|absent|absence|lack\w*)\b|n't\b")
#: A determiner before a finding, and words that ask whether it is there after all; names that need not mean a finding.
_KNOWN = re.compile(
    r"(?:\b(?:the|his|her|their|its)|(?<!\bis )(?<!\bwas )(?<!\bare )\b(?:this|that|these|those)|(?<!it)'s)(?: (?:new|"
    r"old|acute|known|obvious|marked|slight|severe|mild|"
    r"chronic|underlying|intermittent|apparent|described|mentioned|same))? $"
)
_WHETHER = re.compile(
    r"\b(?:present|visible|there (?:is|are)|is there|are there|real|confirmed?|true|likely|probable|probability|certain|sure|"
    r"if|whether|diagnos\w+|or)\b"
)
_NO_FINDING = frozenset(
    {
        "conduction",
        "left ventricle",
        "left atrium",
        "right atrium",
        "left atrial",
        "right atrial",
        "repolarisation",
        "repolarization",
        "st segment",
        "normal",
        "sinus",
        "healthy",
        "intraventricular conduction",
        "pacing",
        "abnormal",
        "premature complexes",
    }
)
_RATE = r"(?:heart ?rate|ventricular rate|rate|pulse|heart|heartbeat)"
#: Values taken to be too high or low: measurement, words, and the adjectives by side.
_VALUES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("qrs", r"qrs(?: complex(?:es)?| duration| interval)?",
     {"high": "wide|broad|prolonged|long|widened|broadened|too wide", "narrow": "narrow|thin"}),
    ("pr", r"pr(?: interval| time| conduction)?", {"high": "long|prolonged|lengthened|increased", "low": "short|shortened"}),
    (
        "qtc_bazett",
        r"qtc?(?: interval| time)?|corrected qt(?: interval)?",
        {"high": "long|prolonged|lengthened|increased", "low": "short|shortened"},
    ),
    (
        "heart_rate",
        _RATE,
        {"high": "fast|high|rapid|elevated|quick|racing|increased|beating so fast", "low": "slow|low|reduced|decreased"},
    ),
)
_WORDS = {
    ("heart_rate", "high"): "fast",
    ("heart_rate", "low"): "slow",
    ("qrs", "high"): "wide",
    ("qrs", "narrow"): "narrow",
    ("pr", "high"): "long",
    ("pr", "low"): "short",
    ("qtc_bazett", "high"): "long",
    ("qtc_bazett", "low"): "short",
}
_BRADY, _TACHY = (re.compile(rf"\b(?<!sinus ){word}\w*\b") for word in ("bradycardi", "tachycardi"))
_AXIS = re.compile(r"\b(?P<side>left|right|extreme)(?:ward)?[ -]axis|\baxis\b.*\b(?P<to>left|right|extreme)")
#: Rhythms and blocks that are not judged themselves, but that a sinus rhythm, a narrow QRS or a normal PR interval excludes.
_EXCLUDED: Mapping[str, re.Pattern[str]] = {
    "ventricular tachycardia": re.compile(r"\bventricular tachycardia|\bvt\b"),
    "ventricular fibrillation": re.compile(r"\bventricular fibrillation|\bv-?fib\b|\bvf\b"),
    "ventricular flutter": re.compile(r"\bventricular flutter"),
    "torsade de pointes": re.compile(r"\btorsades?"),
    "asystole": re.compile(r"\basystole"),
    "cardiac arrest": re.compile(r"\bcardiac arrest"),
    "a junctional tachycardia": re.compile(r"\bjunctional tachycardia"),
    "a junctional rhythm": re.compile(r"\bjunctional"),
    "an idioventricular rhythm": re.compile(r"\bidioventricular"),
    "atrial tachycardia": re.compile(r"\b(?<!supra)atrial tachycardia"),
    "AV nodal re-entrant tachycardia": re.compile(r"\bavnrt\b|\bav[ -]nodal re-?entr\w*"),
    "AV re-entrant tachycardia": re.compile(r"\bavrt\b|\bav re-?entr\w*"),
}
#: What answers call the values.
VALUE_NAMES = {"qrs": "QRS", "pr": "PR interval", "qtc_bazett": "QTc", "heart_rate": "heart rate"}


class Premise(NamedTuple):
    """What a question takes for granted, by name, and what it asks of it, a key of `_FORMS`."""

    form: str
    name: str
    keys: tuple[str, ...] = ()
    group: str | None = None
    measure: str | None = None
    side: str | None = None  #: high or low, of the QRS narrow too, or of the axis left, right or extreme
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
            if re.search(rf"\b(?:{words})\b.*\b(?:{adjectives})\b|\b(?:{adjectives})\b(?: \w+)? (?:{words})\b", low) and (
                form not in ("degree", "where") or re.search(rf"\b(?:{adjectives}) (?:{words})\b", low)
            ):
                return Premise(form, f"{_WORDS[measure, side]} {VALUE_NAMES[measure]}", measure=measure, side=side)
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
