"""What a seed says, in words: its rhythm, its findings, its intervals, and a report of all of them."""

from __future__ import annotations

from ecglm.corpus.instruct.seed import Seed, listed, name, sentence, shown
from ecglm.knowledge.ranges import flag

#: Field of `Measurements` -> what it is called, unit as written, width of a range in a choice.
FEATURES = {
    "heart_rate": ("heart rate", "beats per minute", 10),
    "pr": ("PR interval", "ms", 20),
    "qrs": ("QRS duration", "ms", 10),
    "qtc_bazett": ("QTc interval", "ms", 20),
    "rr": ("RR interval", "ms", 100),
}
#: Rhythms without a PR interval of their own, whatever was measured.
_NO_PR = frozenset(f"rhythm:{code}" for code in ("AFIB", "AFLT", "SVTAC", "PSVT", "PACE"))
RANGE = {"low": "below", "normal": "within", "high": "above"}


def state_of(seed: Seed, which: str) -> str | None:
    """Where a measurement lies ("low", "normal", "high"); None where there is none, or the rhythm has no such interval."""
    if which == "pr" and _NO_PR & seed.present:
        return None
    return flag(which, seed.values.get(which), seed.sex, seed.age)


def rhythm_phrase(seed: Seed) -> str:
    """ "sinus rhythm with sinus arrhythmia at 72 beats per minute"; "" where no rhythm is stated."""
    rate = seed.values.get("heart_rate")
    named = rhythm_name(seed)
    return named + (f" at {round(rate)} beats per minute" if rate is not None and named else "")


def rhythm_name(seed: Seed) -> str:
    """The rhythm and what goes with it: "sinus rhythm with a bigeminal pattern"; "" where none is stated."""
    first, *others = rhythm_keys(seed) or [""]
    return "" if not first else name(first) + (f" with {listed(map(shown, others))}" if others else "")


def rhythm_keys(seed: Seed) -> list[str]:
    """Rhythms stated, the basic one first, sinus rhythm left out where a kind of it is stated."""
    keys = sorted(k for k in seed.present if k.startswith("rhythm:"))
    if {"rhythm:SBRAD", "rhythm:STACH", "rhythm:SARRH"} & set(keys):
        keys = [k for k in keys if k != "rhythm:SR"]
    return sorted(keys, key=lambda k: k not in ("rhythm:SR", "rhythm:AFIB", "rhythm:AFLT", "rhythm:SBRAD", "rhythm:STACH"))


def rhythms(seed: Seed) -> list[str]:
    """Names of the rhythms stated."""
    return [name(k) for k in rhythm_keys(seed)]


def finding_keys(seed: Seed) -> list[str]:
    """Diagnoses and waveform findings stated."""
    from ecglm.models.facts import UNSPOKEN

    return [k for g in ("sub_class", "form") for k in sorted(seed.present) if k.startswith(g + ":") and k not in UNSPOKEN]


def findings(seed: Seed) -> list[str]:
    """Names of diagnoses and waveform findings stated."""
    return [name(k) for k in finding_keys(seed)]


def found_text(seed: Seed) -> str:
    """The same in a sentence: "a long QT interval and Q waves"."""
    return listed(map(shown, finding_keys(seed)))


def normal(seed: Seed) -> bool:
    """Whether the recording is called normal, and no interval is outside its range."""
    called = bool({"super_class:NORM", "sub_class:NORM"} & seed.present) and not findings(seed)
    return called and all(state_of(seed, which) in (None, "normal") for which in ("pr", "qrs", "qtc_bazett"))


def summary(seed: Seed) -> str:
    """One sentence on rhythm and findings; "" where too little is known."""
    rhythm, found = rhythm_name(seed), found_text(seed)
    tail = f"{';' if ' with ' in rhythm else ' with'} {found}" if found else ", otherwise normal" if normal(seed) else ""
    return (rhythm + tail)[:1].upper() + (rhythm + tail)[1:] if rhythm and tail else ""


def report_text(seed: Seed) -> str:
    """A report of a few sentences: rhythm and rate, intervals, findings, conclusion; "" where too little is known."""
    if not summary(seed):
        return ""
    parts = [f"the rhythm is {rhythm_phrase(seed)}"]
    for which in ("pr", "qrs", "qtc_bazett"):
        state = state_of(seed, which)
        if state:
            words, unit, _ = FEATURES[which]
            parts.append(f"the {words} is {round(seed.values[which])} {unit}, {RANGE[state]} the normal range")
    found = findings(seed)
    parts.append(
        f"findings: {found_text(seed)}" if found else "no abnormality of conduction or waveform is seen; the ECG is normal"
    )
    return " ".join(map(sentence, parts))
