"""Items by rule: four families in four forms and dialogues, from a seed alone. Wording: wording.yaml.

An answer says no more than the seed: statements that were made or are really false (`seed.deniable`), and measured values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.config import read_yaml
from ecglm.corpus.instruct.even import OPTIONS, Even
from ecglm.corpus.instruct.phrases import (
    FEATURES,
    RANGE,
    finding_keys,
    findings,
    found_text,
    normal,
    report_text,
    rhythm_name,
    rhythm_phrase,
    state_of,
    summary,
)  # fmt: skip
from ecglm.corpus.instruct.seed import PLURAL, Seed, name, sentence, shown
from ecglm.knowledge.ranges import normal_range

FAMILIES = ("feature", "rhythm", "morphology", "report")
FORMS = ("closed", "open", "fill", "mcq")
#: How a value is called that is too large or too small.
_TOO = {"heart_rate": ("high", "low")}
_TOO_LONG = ("long", "short")
#: What a blank stands for, where exactly one of its statements is made.
NOUNS = {
    "conduction disturbance": (
        "sub_class:LAFB/LPFB",
        "sub_class:CRBBB",
        "sub_class:WPW",
        "sub_class:AVB",
        "sub_class:CLBBB",
        "sub_class:ILBBB",
        "sub_class:IRBBB",
        "sub_class:IVCD",
    ),
    "infarct pattern": ("sub_class:AMI", "sub_class:IMI", "sub_class:LMI", "sub_class:PMI"),
    "chamber enlargement": ("sub_class:LVH", "sub_class:RVH", "sub_class:LAO/LAE", "sub_class:RAO/RAE", "sub_class:SEHYP"),
    "ST segment finding": ("form:STD", "form:STE", "form:NST"),
    "T wave finding": ("form:INVT", "form:LOWT", "form:NT", "form:NDT"),
    "kind of premature beat": ("form:PAC", "form:PVC"),
}


@dataclass(frozen=True)
class Draft:
    """An item before it is checked. turns: (question, answer) pairs; options: of a choice, as offered."""

    family: str
    form: str
    turns: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All that is said."""
        return spoken(self.turns)


def spoken(turns: Sequence[Sequence[str]]) -> str:
    """Questions and answers in one line."""
    return " ".join(part for turn in turns for part in turn)


@lru_cache(maxsize=1)
def _wording() -> dict[str, dict[str, list[str]]]:
    return read_yaml(Path(__file__).with_name("wording.yaml"))


def template(seed: Seed, family: str, form: str, rng: np.random.Generator, even: Even | None = None) -> Draft | None:
    """An item of a family and form ("dialogue" for several turns), or None where the seed has nothing for it. even: of all
    seeds of the set, which closed questions and choices are drawn by."""
    even = Even() if even is None else even
    if seed.asked:
        return _asked(seed, family, rng, even) if form == "closed" else None
    if form == "dialogue":
        return _dialogue(seed, rng)
    make: Callable[[Seed, str, np.random.Generator, Even], Draft | None] = {
        "feature": _feature,
        "rhythm": _rhythm,
        "morphology": _morphology,
        "report": _report,
    }[family]
    return make(seed, form, rng, even)


def _asked(seed: Seed, family: str, rng: np.random.Generator, even: Even) -> Draft | None:
    """A question that a data set of questions brings itself."""
    fitting = [a for a in seed.asked if a[0] == family]
    if not fitting:
        return None
    found = _pick(fitting, rng)
    if found[2] in ("yes", "no"):
        drawn = even.answer(seed, family, rng)
        if drawn is None:
            return None
        found = next(a for a in fitting if a[1] == drawn[0] and a[2] == ("yes" if drawn[1] else "no"))
    return Draft(family, "closed", ((found[1], found[2]),), found[3])


def _pick(options: Sequence[Any], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]


def _ask(family: str, form: str, rng: np.random.Generator, **words: str) -> str:
    text = str(_pick(_wording()[family][form], rng)).format(**words)
    return text[:1].upper() + text[1:]


def _choice(
    seed: Seed,
    table: str,
    rng: np.random.Generator,
    even: Even,
    words: Callable[[str], str],
    **asked: str,
) -> Draft | None:
    """The true statement and the first seven false ones. words: of a statement, as an option."""
    drawn = even.choice(seed, table, rng)
    family = "feature" if table in FEATURES else table
    if drawn is None:
        return None
    right = words(drawn[0])
    wrong = [w for w in dict.fromkeys(map(words, drawn[1])) if w.lower() != right.lower()]
    if len(wrong) < OPTIONS - 1:
        return None
    offered = [right, *wrong[: OPTIONS - 1]]
    offered = [offered[i] for i in rng.permutation(OPTIONS)]
    lines = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCDEFGH", offered, strict=True))
    answer = f"{'ABCDEFGH'[offered.index(right)]}. {right}"
    return Draft(family, "mcq", ((f"{_ask(family, 'mcq', rng, **asked)}\n{lines}", answer),), tuple(offered))


def _feature(seed: Seed, form: str, rng: np.random.Generator, even: Even) -> Draft | None:
    known = [f for f in FEATURES if state_of(seed, f)]
    if not known:
        return None
    which = str(_pick(known, rng))
    if form == "mcq":
        return _choice(seed, which, rng, even, str, x=FEATURES[which][0])
    if form == "closed":
        drawn = even.answer(seed, "feature", rng)
        if drawn is None:
            return None
        which, kind = drawn[0].split(":")
    words, unit, _ = FEATURES[which]
    value = round(seed.values[which])
    state = str(state_of(seed, which))
    stated = f"the {words} is {value} {unit}"
    where = f"{RANGE[state]} the normal range ({normal_range(which, seed.sex)} {unit})"
    if form == "closed":
        more, less = _TOO.get(which, _TOO_LONG)
        question = _ask("feature", f"closed_{kind}", rng, x=words, more=more, less=less)
        return Draft("feature", form, ((question, f"{'Yes' if kind == state else 'No'}, {stated}, {where}."),))
    if form == "open":
        return Draft("feature", form, ((_ask("feature", "open", rng, x=words), sentence(f"{stated}, which is {where}")),))
    if rng.random() < 0.35:
        return Draft("feature", form, ((_ask("feature", "fill_range", rng, x=words), RANGE[state]),))
    return Draft("feature", form, ((_ask("feature", "fill", rng, x=words, unit=unit), str(value)),))


def _verify(seed: Seed, family: str, rng: np.random.Generator, even: Even) -> Draft | None:
    """A yes or a no, each statement as often with the one as with the other."""
    drawn = even.answer(seed, family, rng)
    if drawn is None:
        return None
    key, asked_yes = drawn
    be = "are" if key in PLURAL else "is"
    wording = "closed_diagnosis" if key.startswith("sub_class:") and rng.random() < 0.3 else "closed"
    question = _ask(family, wording, rng, x=shown(key), be=be)
    if asked_yes:
        said = str(_pick((f"Yes, this ECG shows {shown(key)}.", f"Yes, {shown(key)} {be} present."), rng))
        return Draft(family, "closed", ((question, said),))
    tail = (
        f" The rhythm is {rhythm_name(seed)}."
        if family == "rhythm" and rhythm_name(seed)
        else f" It shows {found_text(seed)}."
        if family != "rhythm" and finding_keys(seed)
        else " The ECG is normal."
        if normal(seed)
        else ""
    )
    said = str(_pick((f"No, there {be} no {name(key)}.", f"No, this ECG does not show {shown(key)}."), rng))
    return Draft(family, "closed", ((question, said + tail),))


def _rhythm(seed: Seed, form: str, rng: np.random.Generator, even: Even) -> Draft | None:
    if form == "closed":
        return _verify(seed, "rhythm", rng, even)
    if not rhythm_name(seed):
        return None
    if form == "open":
        return Draft("rhythm", form, ((_ask("rhythm", form, rng), sentence(f"the rhythm is {rhythm_phrase(seed)}")),))
    if form == "fill":
        return Draft("rhythm", form, ((_ask("rhythm", form, rng), rhythm_name(seed)),))
    return _choice(seed, "rhythm", rng, even, name)


def _morphology(seed: Seed, form: str, rng: np.random.Generator, even: Even) -> Draft | None:
    if form == "closed":
        return _verify(seed, "morphology", rng, even)
    found = findings(seed)
    if form == "open":
        said = f"it shows {found_text(seed)}" if found else "the waveforms are normal" if normal(seed) else ""
        return Draft("morphology", form, ((_ask("morphology", form, rng), sentence(said)),)) if said else None
    if form == "fill":
        fitting = [(noun, hits[0]) for noun, keys in NOUNS.items() if len(hits := sorted(seed.present & set(keys))) == 1]
        if not fitting:
            return None
        noun, key = _pick(fitting, rng)
        return Draft("morphology", form, ((_ask("morphology", form, rng, noun=noun), name(key)),))
    return _choice(seed, "morphology", rng, even, name)


def _report(seed: Seed, form: str, rng: np.random.Generator, even: Even) -> Draft | None:
    whole = summary(seed)
    if not whole:
        return None
    if form == "open":
        return Draft("report", form, ((_ask("report", form, rng), report_text(seed)),))
    if form == "fill":
        if not findings(seed):
            return None
        rhythm = rhythm_name(seed)
        question = _ask("report", form, rng, x=rhythm[:1].upper() + rhythm[1:], joint="and" if " with " in rhythm else "with")
        return Draft("report", form, ((question, found_text(seed)),))
    if form == "mcq":
        return _choice(seed, "report", rng, even, str)
    drawn = even.answer(seed, "report", rng)
    if drawn is None:
        return None
    said = "Yes, that agrees with the tracing." if drawn[1] else f"No. A fitting reading is: {sentence(whole)}"
    return Draft("report", form, ((_ask("report", form, rng, x=drawn[0]), said),))


def _dialogue(seed: Seed, rng: np.random.Generator) -> Draft | None:
    """Basics, rhythm, findings, a thing to rule out, and the sum: three to five turns."""
    if not report_text(seed):
        return None
    turns: list[tuple[str, str]] = []
    first = _feature(seed, "open", rng, Even())
    if first is not None:
        words = next(w for w, _, _ in FEATURES.values() if f"the {w} is".lower() in first.turns[0][1].lower())
        turns.append((_ask("dialogue", "feature", rng, x=words), first.turns[0][1]))
    turns.append((_ask("dialogue", "rhythm", rng), sentence(f"it is {rhythm_phrase(seed)}")))
    found = findings(seed)
    turns.append((_ask("dialogue", "morphology", rng), sentence(f"it shows {found_text(seed)}" if found else "nothing abnormal")))
    no = sorted(k for k in seed.absent if k.startswith(("sub_class:", "form:")))
    if no and rng.random() < 0.6:
        key = str(_pick(no, rng))
        be = "are" if key in PLURAL else "is"
        turns.append((_ask("dialogue", "check", rng, x=shown(key), be=be), f"No, there {be} no {name(key)}."))
    if len(turns) < 3 or rng.random() < 0.6:
        turns.append((_ask("dialogue", "close", rng), sentence(summary(seed))))
    return Draft("report", "dialogue", tuple(turns))
