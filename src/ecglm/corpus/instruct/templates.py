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
    rhythms,
    state_of,
    summary,
)  # fmt: skip
from ecglm.corpus.instruct.seed import PLURAL, Seed, listed, name, sentence, shown
from ecglm.knowledge.ranges import normal_range

FAMILIES = ("feature", "rhythm", "morphology", "report")
FORMS = ("closed", "open", "fill", "mcq")
OPTIONS = 8
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


def template(seed: Seed, family: str, form: str, rng: np.random.Generator) -> Draft | None:
    """An item of a family and form ("dialogue" for several turns), or None where the seed has nothing for it."""
    if seed.asked:  # a data set of questions brings its own
        fitting = [a for a in seed.asked if a[0] == family]
        if form != "closed" or not fitting:
            return None
        _, question, answer, options = fitting[int(rng.integers(len(fitting)))]
        return Draft(family, form, ((question, answer),), options)
    if form == "dialogue":
        return _dialogue(seed, rng)
    make: Callable[[Seed, str, np.random.Generator], Draft | None] = {
        "feature": _feature,
        "rhythm": _rhythm,
        "morphology": _morphology,
        "report": _report,
    }[family]
    return make(seed, form, rng)


def _pick(options: Sequence[Any], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]


def _ask(family: str, form: str, rng: np.random.Generator, **words: str) -> str:
    text = str(_pick(_wording()[family][form], rng)).format(**words)
    return text[:1].upper() + text[1:]


def _choice(family: str, question: str, right: str, wrong: Sequence[str], rng: np.random.Generator) -> Draft | None:
    others = [w for w in dict.fromkeys(wrong) if w.lower() != right.lower()]
    if len(others) < OPTIONS - 1:
        return None
    offered = [right, *(others[i] for i in rng.permutation(len(others))[: OPTIONS - 1])]
    offered = [offered[i] for i in rng.permutation(OPTIONS)]
    lines = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCDEFGH", offered, strict=True))
    answer = f"{'ABCDEFGH'[offered.index(right)]}. {right}"
    return Draft(family, "mcq", ((f"{question}\n{lines}", answer),), tuple(offered))


def _feature(seed: Seed, form: str, rng: np.random.Generator) -> Draft | None:
    known = [f for f in FEATURES if state_of(seed, f)]
    if not known:
        return None
    which = str(_pick(known, rng))
    words, unit, width = FEATURES[which]
    value = round(seed.values[which])
    state = str(state_of(seed, which))
    stated = f"the {words} is {value} {unit}"
    where = f"{RANGE[state]} the normal range ({normal_range(which, seed.sex)} {unit})"
    if form == "closed":
        kind = str(_pick(("normal", "high", "low") if state == "normal" else ("normal", state), rng))
        if kind == "low" and getattr(normal_range(which, seed.sex), "low", None) is None:
            kind = "normal"
        said = "Yes" if kind == state else "No"
        more, less = _TOO.get(which, _TOO_LONG)
        question = _ask("feature", f"closed_{kind}", rng, x=words, more=more, less=less)
        return Draft("feature", form, ((question, f"{said}, {stated}, {where}."),))
    if form == "open":
        return Draft("feature", form, ((_ask("feature", "open", rng, x=words), sentence(f"{stated}, which is {where}")),))
    if form == "fill":
        if rng.random() < 0.35:
            return Draft("feature", form, ((_ask("feature", "fill_range", rng, x=words), RANGE[state]),))
        return Draft("feature", form, ((_ask("feature", "fill", rng, x=words, unit=unit), str(value)),))
    start = value // width * width

    def span(low: int) -> str:
        return f"{low} to {low + width - 1} {unit}"

    wrong = [span(start + step * width) for step in range(-6, 9) if step and start + step * width > 0]
    return _choice("feature", _ask("feature", "mcq", rng, x=words), span(start), wrong, rng)


def _verify(
    seed: Seed, family: str, prefixes: tuple[str, ...], rng: np.random.Generator, template: str
) -> tuple[str, str] | None:
    """A yes or a no, evenly where both can be had."""
    from ecglm.models.facts import UNSPOKEN

    yes = sorted(k for k in seed.present if k.startswith(prefixes) and k not in UNSPOKEN)
    no = sorted(k for k in seed.absent if k.startswith(prefixes))
    if not yes and not no:
        return None
    asked_yes = bool(yes) and (not no or rng.random() < 0.5)
    key = str(_pick(yes if asked_yes else no, rng))
    be = "are" if key in PLURAL else "is"
    if key.startswith("sub_class:") and rng.random() < 0.3:
        template = "closed_diagnosis"
    question = _ask(family, template, rng, x=shown(key), be=be)
    if asked_yes:
        return question, _pick((f"Yes, this ECG shows {shown(key)}.", f"Yes, {shown(key)} {be} present."), rng)
    tail = (
        f" The rhythm is {rhythm_name(seed)}."
        if family == "rhythm" and rhythm_name(seed)
        else f" It shows {found_text(seed)}."
        if family != "rhythm" and finding_keys(seed)
        else " The ECG is normal."
        if normal(seed)
        else ""
    )
    return question, _pick((f"No, there {be} no {name(key)}.", f"No, this ECG does not show {shown(key)}."), rng) + tail


def _rhythm(seed: Seed, form: str, rng: np.random.Generator) -> Draft | None:
    if form == "closed":
        pair = _verify(seed, "rhythm", ("rhythm:",), rng, "closed")
        return None if pair is None else Draft("rhythm", form, (pair,))
    named = rhythms(seed)
    if not named:
        return None
    if form == "open":
        return Draft("rhythm", form, ((_ask("rhythm", form, rng), sentence(f"the rhythm is {rhythm_phrase(seed)}")),))
    if form == "fill":
        return Draft("rhythm", form, ((_ask("rhythm", form, rng), rhythm_name(seed)),))
    wrong = [name(k) for k in sorted(seed.absent) if k.startswith("rhythm:")]
    return _choice("rhythm", _ask("rhythm", form, rng), str(_pick(named, rng)), wrong, rng)


def _morphology(seed: Seed, form: str, rng: np.random.Generator) -> Draft | None:
    prefixes = ("sub_class:", "form:")
    if form == "closed":
        pair = _verify(seed, "morphology", prefixes, rng, "closed")
        return None if pair is None else Draft("morphology", form, (pair,))
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
    if not found:
        return None
    wrong = [name(k) for k in sorted(seed.absent) if k.startswith(prefixes)]
    return _choice("morphology", _ask("morphology", form, rng), str(_pick(found, rng)), wrong, rng)


def _report(seed: Seed, form: str, rng: np.random.Generator) -> Draft | None:
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
    absent = [k for k in sorted(seed.absent) if k.startswith(("sub_class:", "form:"))]
    others = [k for k in sorted(seed.absent) if k.startswith("rhythm:")]
    wrong: list[str] = []
    for _ in range(3 * OPTIONS):
        if len(absent) < 2 or not others:
            break
        rhythm = str(_pick([*rhythms(seed), name(str(_pick(others, rng)))], rng))
        keys = [absent[i] for i in rng.permutation(len(absent))[: int(rng.integers(1, 3))]]
        wrong.append(f"{rhythm[:1].upper()}{rhythm[1:]} with {listed(map(shown, keys))}")
    if form == "mcq":
        return _choice("report", _ask("report", form, rng), whole, wrong, rng)
    if not wrong or rng.random() < 0.5:
        return Draft("report", form, ((_ask("report", form, rng, x=whole), "Yes, that agrees with the tracing."),))
    return Draft("report", form, ((_ask("report", form, rng, x=wrong[0]), f"No. A fitting reading is: {sentence(whole)}"),))


def _dialogue(seed: Seed, rng: np.random.Generator) -> Draft | None:
    """Basics, rhythm, findings, a thing to rule out, and the sum: three to five turns."""
    if not report_text(seed):
        return None
    turns: list[tuple[str, str]] = []
    first = _feature(seed, "open", rng)
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
