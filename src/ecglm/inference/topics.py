"""What a question is about: the statements and measurements its words name.

Used to choose evidence and to decline what this recording cannot answer. It never decides
an answer; the model does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ecglm.inference.groups import ANY_OF
from ecglm.knowledge.statements import BY_KEY, STATEMENTS
from ecglm.records.leads import canonical_lead


def _atrium(side: str) -> tuple[str, ...]:
    """Names of the overload of an atrium, of which its statement has two."""
    atrial = ("enlargement", "overload", "hypertrophy", "dilatation", "dilation", "abnormality")
    return (*(f"{side} atrial {what}" for what in atrial),
            *(form for what in ("enlarged", "dilated", "overloaded")
              for form in (f"{side} atrium {what}", f"{what} {side} atrium")))


#: Words by which people name a statement, beside its own name (lower case).
_ALIASES: dict[str, tuple[str, ...]] = {
    "rhythm:AFIB": ("af", "afib", "a-fib", "atrial fib"), "rhythm:AFLT": ("flutter",),
    "rhythm:STACH": ("tachycardia", "tachycardic", "fast rhythm"), "rhythm:SBRAD": ("bradycardia", "bradycardic", "slow rhythm"),
    "rhythm:SR": ("sinus", "sr", "nsr"), "rhythm:PACE": ("pacemaker", "paced", "pacing"), "rhythm:SARRH": ("sinus arrhythmia",),
    "rhythm:BIGU": ("bigeminy",), "rhythm:TRIGU": ("trigeminy",), "rhythm:SVTAC": ("svt",),
    "sub_class:CLBBB": ("lbbb", "left bundle branch block", "clbbb"),
    "sub_class:CRBBB": ("rbbb", "right bundle branch block", "crbbb"),
    "sub_class:ILBBB": ("incomplete lbbb",), "sub_class:IRBBB": ("incomplete rbbb", "irbbb"),
    "sub_class:LAFB/LPFB": ("fascicular", "lafb", "lpfb", "hemiblock"),
    "sub_class:AVB": ("av block", "atrioventricular block", "heart block"),
    "sub_class:LVH": ("lvh", "left ventricle enlarged", "enlarged left ventricle", "left ventricle hypertrophied"),
    "sub_class:RVH": ("rvh", "right ventricle enlarged", "enlarged right ventricle", "right ventricle hypertrophied"),
    "sub_class:IVCD": ("ivcd", "intraventricular conduction"),
    "sub_class:WPW": ("wpw", "preexcitation", "pre-excitation", "delta wave"),
    "sub_class:AMI": ("anterior infarct", "anterior infarction", "anterior mi"),
    "sub_class:IMI": ("inferior infarct", "inferior infarction", "inferior mi"),
    "sub_class:LMI": ("lateral infarct", "lateral infarction", "lateral mi"),
    "sub_class:PMI": ("posterior infarct", "posterior infarction", "posterior mi"),
    "sub_class:LAO/LAE": _atrium("left"), "sub_class:RAO/RAE": _atrium("right"),
    "super_class:MI": ("heart attack", "mi", "infarct", "infarction"), "super_class:CD": ("conduction",),
    "super_class:STTC": ("st-t", "repolarisation", "repolarization", "st segment"), "super_class:HYP": ("hypertrophy",),
    "super_class:NORM": ("normal", "healthy", "no abnormality"), "sub_class:ISC": ("non-specific ischaemia",),
    "sub_class:ISCI": ("inferior ischaemia",), "sub_class:ISCA": ("anterior ischaemia",),
    "form:PVC": ("pvc", "pvcs", "vpc", "ventricular extrasystole", "ventricular extra systole", "ventricular ectopy",
                 "ventricular ectopic", "ventricular ectopic beat", "ventricular premature beat", "premature ventricular beat",
                 "premature ventricular contraction", "premature ventricular complex"),
    "form:PAC": ("pac", "pacs", "supraventricular extrasystole", "supraventricular extra systole", "atrial ectopy",
                 "atrial ectopic", "atrial ectopic beat", "atrial premature beat", "premature atrial beat",
                 "premature atrial contraction", "premature atrial complex", "atrial extrasystole"),
    "form:STD": ("st-depression", "st segment depression", "st depressed", "st segment depressed", "depressed st"),
    "form:STE": ("stemi", "acute infarct", "acute myocardial infarction",
                 "st-elevation", "st segment elevation", "st segment elevated", "st elevated", "elevated st"),
    "form:QWAVE": ("q wave",), "form:INVT": ("t wave inversion", "t-wave inversion", "t inversion", "inverted t",
                  "inverted t wave", "t wave inverted",
                  "t-wave inverted", "t waves inverted", "t-waves inverted", "negative t wave"),
    "form:LVOLT": ("low voltage",), "form:HVOLT": ("high voltage",),
    "form:LNGQT": ("long qt", "qt prolongation", "qtc prolongation", "prolonged qt", "prolonged qtc"),
    "form:LPR": ("long pr", "pr prolongation", "pr interval prolongation", "prolonged pr"), "form:DIG": ("digitalis", "digoxin"),
}
#: Measurement field by the words that ask for it.
_MEASURES: dict[str, tuple[str, ...]] = {
    "heart_rate": ("rate", "bpm", "beats per minute", "pulse", "how fast", "tachycardia", "bradycardia"),
    "rr": ("rr", "r-r"), "rr_sd": ("regular", "irregular", "regularly", "variability", "sdnn"), "rmssd": ("rmssd",),
    "pr": ("pr interval", "pr", "av block", "av conduction"), "qrs": ("qrs", "bundle branch"),
    "qt": ("qt", "qt interval"), "qtc_bazett": ("qtc", "corrected qt", "long qt"),
    "axis": ("axis",),
}
#: Measurements that bear on a statement.
SUPPORT: dict[str, tuple[str, ...]] = {
    "rhythm:AFIB": ("heart_rate", "rr_sd"), "rhythm:AFLT": ("heart_rate", "rr_sd"), "rhythm:STACH": ("heart_rate",),
    "rhythm:SBRAD": ("heart_rate",), "rhythm:SR": ("heart_rate", "pr"), "rhythm:SARRH": ("rr_sd",),
    "rhythm:SVTAC": ("heart_rate",), "rhythm:PSVT": ("heart_rate",), "rhythm:SVARR": ("heart_rate", "rr_sd"),
    "sub_class:CLBBB": ("qrs",), "sub_class:CRBBB": ("qrs",), "sub_class:ILBBB": ("qrs",), "sub_class:IRBBB": ("qrs",),
    "sub_class:IVCD": ("qrs",), "sub_class:AVB": ("pr",), "sub_class:LAFB/LPFB": ("axis",), "sub_class:WPW": ("pr", "qrs"),
    "form:LPR": ("pr",), "form:LNGQT": ("qtc_bazett",), "form:ABQRS": ("qrs",), "super_class:CD": ("qrs", "pr"),
    "super_class:NORM": ("heart_rate", "pr", "qrs", "qtc_bazett"),
}
#: Sites of an ischaemia that are statements of their own.
_SITES = ((r"\binferior", "sub_class:ISCI"), (r"\bantero|\banterior", "sub_class:ISCA"))
_GROUP_WORDS = {
    "rhythm": ("rhythm", "arrhythmia", "regular"),
    "super_class": ("superclass", "class of disease"),
    "sub_class": ("diagnos", "interpret", "finding", "wrong", "abnormal", "disease", "condition", "summar",
                  "describe", "overview"),
    "form": ("form", "forms", "form-related", "morpholog", "wave", "extra systole", "extrasystole", "ectop", "premature"),
    "axis": ("axis",),
}
_GENERAL = ("ecg", "ekg", "electrocardiogra", "heart", "cardiac", "beat", "lead", "signal", "recording", "tracing", "quality",
            "interval", "complex", "voltage", "amplitude", "millivolt", "segment", "pause", "atrial", "atrium", "ventric",
            "noise", "artefact", "artifact", "electrode", r"st\b", r"mv\b")


@dataclass(frozen=True)
class Topics:
    """What a text names: statement keys, measurement fields, groups, leads; related is whether it is about an ECG at all.
    anyof: names that stand for several statements, keys of `ANY_OF`."""

    statements: tuple[str, ...]
    measures: tuple[str, ...]
    groups: tuple[str, ...]
    leads: tuple[str, ...]
    related: bool
    anyof: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str], int]]:
    """(key of a statement or of `ANY_OF`, pattern, length of the phrase), longest phrase first, so that "incomplete LBBB" is
    not also "LBBB"."""
    phrases = [(s.key, phrase) for s in STATEMENTS for phrase in (s.name, *_ALIASES.get(s.key, ()))]
    phrases += [(name, phrase) for name, group in ANY_OF.items() for phrase in group.phrases]
    return sorted(((key, re.compile(rf"(?<![\w-]){re.escape(phrase)}s?(?![\w-])"), len(phrase)) for key, phrase in phrases),
                  key=lambda item: -item[2])


def medical_phrases() -> tuple[str, ...]:
    """Names and aliases of statements, groups of them and measurements."""
    named = (phrase for s in STATEMENTS for phrase in (s.name, *_ALIASES.get(s.key, ())))
    return (*named, *(p for group in ANY_OF.values() for p in group.phrases), *(p for words in _MEASURES.values() for p in words))


def named_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Where names of statements and of groups of them stand in a text, as (start, stop)."""
    low = text.lower()
    return tuple(found.span() for _, pattern, _ in _patterns() for found in pattern.finditer(low))


#: Those aliases that mean one statement wherever they stand.
_ABBREVIATED = ("af", "afib", "a-fib", "lbbb", "clbbb", "rbbb", "crbbb", "pvc", "pac", "lvh", "rvh", "ivcd", "lafb", "lpfb", "sr",
                "nsr")
_ABBREVIATIONS = {alias: key for key, aliases in _ALIASES.items() for alias in aliases if alias in _ABBREVIATED}
_ABBREVIATION = re.compile(rf"(?<![\w-])({'|'.join(_ABBREVIATIONS)})s?(?![\w-])", re.I)
_INCOMPLETE = re.compile(r"\bincomplete complete ", re.I)


def spelled_out(question: str) -> str:
    """The question with abbreviations as the names that the language model learned."""
    full = _ABBREVIATION.sub(lambda found: BY_KEY[_ABBREVIATIONS[found[1].lower()]].name, question)
    return _INCOMPLETE.sub("incomplete ", full)


def learned_name(option: str) -> str:
    """An answer that is offered, in the words that the language model learned where it is another name for them."""
    low = " ".join(spelled_out(option).lower().split())
    return {"sinus": "sinus rhythm", "normal axis": "normal heart axis", "left axis": "left axis deviation",
            "right axis": "right axis deviation"}.get(low, low)


@lru_cache(maxsize=1024)
def topics(text: str) -> Topics:
    """The topics of a question or an answer."""
    rest = " ".join(text.lower().split())
    low = rest
    statements: list[str] = []
    anyof: list[str] = []
    for key, pattern, _ in _patterns():
        if pattern.search(rest):
            (anyof if key in ANY_OF else statements).append(key)
            rest = pattern.sub(" ", rest)
    if "ischaemia" in anyof and (site := next((key for word, key in _SITES if re.search(word, rest)), None)) is not None:
        anyof.remove("ischaemia")  # "signs of ischaemia in the inferior leads"
        statements.append(site)
    measures = [field for field, words in _MEASURES.items() if any(re.search(rf"\b{re.escape(w)}\b", low) for w in words)]
    if "qtc_bazett" in measures and not re.search(r"\bqt\b", low.replace("corrected qt", "")):
        measures = [m for m in measures if m != "qt"]
    groups = [group for group, words in _GROUP_WORDS.items()
              if any(re.search(rf"\b{re.escape(word)}" + (r"\b" if word == "form" else ""), low) for word in words)]
    # A bare "I" is a pronoun; it is the lead only after "lead" or "leads".
    named = re.findall(r"\b(?:leads?\s+)(I)\b", text) + re.findall(r"\b(II|III)\b", text) \
        + re.findall(r"\b(av[rlf]|v[1-6]r?|v[789])\b", text, re.I)
    leads = [lead for word in named if (lead := canonical_lead(word))]
    related = bool(statements or anyof or measures or groups or leads) or any(re.search(rf"\b{word}", low) for word in _GENERAL)
    return Topics(tuple(statements), tuple(measures), tuple(groups), tuple(dict.fromkeys(leads)), related,
                  tuple(dict.fromkeys(anyof)))
