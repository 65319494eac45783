"""What a message in a dialogue refers to: "and the QRS?", "is that normal?", "what about ECG 2?", "since when does he have it?".

Rules only, so that the same turns always mean the same. What cannot be resolved is asked back, with the choices. The resolved
question is a whole question of its own; nothing of earlier answers enters it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ecglm.inference.dialogue_words import (
    ABOUT,
    ADJECTIVES,
    EMPTY,
    FRAGMENT,
    IT,
    JUDGED,
    MARK,
    POLAR,
    QUESTION_LEAD,
    VALUES,
    WHOLE,
)
from ecglm.inference.topics import named_spans, topics
from ecglm.knowledge.statements import BY_KEY


class Turn(NamedTuple):
    """The whole question that a message means, and the recordings that it names (from 1, empty for none, `ALL` for every one)."""

    question: str
    named: tuple[int, ...] = ()
    resolved: bool = False  #: whether it differs from what was said


class AskBack(NamedTuple):
    """What to ask back, and the question that each choice stands for, by what may be answered."""

    text: str
    choices: Mapping[str, str]


def resolve(text: str, last: str | None) -> Turn | AskBack:
    """The question that a message without recordings means. last: the last question, whole."""
    said = QUESTION_LEAD.sub("", text.strip()) or text.strip()
    low = " ".join(said.lower().split()).rstrip("?!. ,")
    if EMPTY.fullmatch(text.strip()) or not low:
        return Turn(last, (), True) if last is not None else _what()
    judged = JUDGED.fullmatch(low)
    if judged is not None and (found := _judged(judged["adjective"].strip(), last)) is not None:
        return found
    bare = re.sub(r"^(?:in|for|at) (?=(?:the )?(?:leads? )?(?:v\d|i{1,3}\b|av[rlf]))", "", _stripped(low))
    fragment = FRAGMENT.fullmatch(bare)
    if fragment is not None and not WHOLE.match(bare) and (found := _framed(said, fragment["what"].strip(), last)) is not None:
        return found
    if last is not None and WHOLE.match(low) and MARK.search(low) and not _named(low):
        return _with_referent(said, low, last)
    if last is None and ((judged is not None and not _named(low)) or _refers(low)):
        return _what()
    if last is None and topics(bare).leads and not re.search(r"\w\s+\w", re.sub(r"\b(?:leads?|and|or)\b", " ", bare)):
        return AskBack(
            f"What do you want to know of {' and '.join(topics(bare).leads)}? Ask, for instance, "
            f'"How high is the R wave in {topics(bare).leads[0]}?"',
            {},
        )
    return Turn(said[0].upper() + said[1:] if said != text.strip() else text, (), False)


def _judged(adjective: str, last: str | None) -> Turn | AskBack | None:
    """ "Is it long?": of the value that was asked for last, or of the only one that can be; else asked back."""
    kind = next(((values, word) for pattern, values, word in ADJECTIVES if re.fullmatch(pattern, adjective)), None)
    if kind is None:
        return None
    values, word = kind
    about = topics(last) if last is not None else None
    of = [name for name in about.measures if name in values] if about is not None else []
    if about is not None and word in ("normal", "abnormal") and not about.measures and "rhythm" in about.groups:
        return Turn("Is the rhythm abnormal?", (), True)
    if about is not None and word in ("normal", "abnormal") and "axis" in about.groups:
        return Turn("Is the heart axis normal?", (), True)
    if len(of) == 1:
        return Turn(f"Is the {VALUES[of[0]]} {word}?", (), True)
    if not of and len(values) == 1:
        return Turn(f"Is the {VALUES[values[0]]} {word}?", (), True)
    choices = {VALUES[name]: f"Is the {VALUES[name]} {word}?" for name in of or values}
    if word in ("normal", "abnormal"):
        choices = {**choices, "the whole ECG": f"Is the ECG {word}?"}
    return AskBack(f"What do you mean: {_or(list(choices))}?", choices)


def _framed(said: str, low: str, last: str | None) -> Turn | None:
    """ "And the QRS?", "in V6?": what is named, asked as the last question was."""
    about, old = topics(said), topics(last) if last is not None else None
    if (
        about.leads
        and not about.statements
        and not about.measures
        and not about.anyof
        and last is not None
        and old is not None
        and not re.search(r"\b[pqrst][ -]waves?\b|\bst\b", low)
    ):
        if old.leads:
            return Turn(_swap_leads(last, about.leads), (), True)
        return Turn(f"{last.rstrip('?!. ')} in {' and '.join(about.leads)}?", (), True)
    wave = re.search(r"\b([pqrst])[ -]waves?\b|\bst\b(?: segment)?", low)
    if wave is not None and last is not None and not about.statements and re.search(r"\b(?:[pqrst][ -]wave|st)\b", last, re.I):
        new = f"{wave[1].upper()} wave" if wave[1] else "ST segment"
        question = re.sub(r"\b(?:[pqrst][ -]waves?|st(?: segment)?)\b", new, last, count=1, flags=re.I)
        return Turn(_swap_leads(question, about.leads) if about.leads else question, (), True)
    value = next((name for name in about.measures if name in VALUES), None)
    if value is not None and not about.statements:
        asked = re.fullmatch(
            r"(?P<q>is|was) the (?:[\w\- ]+?) (?P<a>normal|abnormal|prolonged|long|short|wide|high|low|too \w+)\??",
            (last or "").lower().strip(),
        )
        if asked is not None and old is not None and old.measures:
            return Turn(f"Is the {VALUES[value]} {asked['a'] if asked['a'] in ('normal', 'abnormal') else 'normal'}?", (), True)
        return Turn(f"What is the {VALUES[value]}?", (), True)
    if len(about.statements) + len(about.anyof) == 1:
        name = BY_KEY[about.statements[0]].name if about.statements else about.anyof[0]
        if (
            last is not None
            and old is not None
            and len(old.statements) + len(old.anyof) == 1
            and (span := _span(last)) is not None
        ):
            return Turn(f"{last[: span[0]]}{name}{last[span[1] :]}", (), True)
        return Turn(f"Is there {name}?", (), True)
    if "axis" in about.groups:
        return Turn("What is the heart axis?", (), True)
    if "rhythm" in about.groups and low in ("rhythm", "heart rhythm", "cardiac rhythm"):
        return Turn("What is the rhythm?", (), True)
    return None


def _with_referent(said: str, low: str, last: str) -> Turn | AskBack:
    """ "Where is it?": the one finding or value of the last question; asked back when it named several."""
    about = topics(last)
    names = [
        *(BY_KEY[key].name for key in about.statements if key != "super_class:NORM"),
        *about.anyof,
        *(VALUES[m] for m in about.measures if m in VALUES and not about.statements),
    ]
    if not names:
        return Turn(said)
    found = _last_mark(said)
    if found is None or (not POLAR.match(low) and re.search(r"\b(?:this|that|these|those) (?!too\b|then\b|here\b)\w+", low)):
        return Turn(said)
    start = said[:1].upper() + said[1:]
    questions = {name: _agreeing(f"{start[: found.start()]}the {name}{start[found.end() :]}", name) for name in names}
    if len(names) == 1:
        return Turn(next(iter(questions.values())), (), True)
    return AskBack(f'What do you mean by "{found[0]}": {_or(names)}?', questions)


def _agreeing(question: str, name: str) -> str:
    """The question with "are" for "is" where the name is a plural: "Are the q waves dangerous?"."""
    plural = re.search(r"(?:waves|changes|abnormalities|criteria|extrasystoles)$", name) is not None
    return re.sub(r"^Is (?=the )", "Are ", question) if plural else question


def _last_mark(text: str) -> re.Match[str] | None:
    found = list(MARK.finditer(text))
    return found[-1] if found else None


def _named(low: str) -> bool:
    about = topics(low)
    return bool(
        about.statements
        or about.measures
        or about.anyof
        or about.leads
        or {"rhythm", "axis", "sub_class", "form"} & set(about.groups)
        or re.search(r"\b(?:ecg|ekg|recording|tracing|strip|[pqrst] wave|st)\b", low)
    )


def _refers(low: str) -> bool:
    """Whether a message has nothing but a pronoun to tell what it is about."""
    return (
        re.fullmatch(rf"(?:where|why|how|what|which leads|since when|how \w+)?\b.*\b{IT}\b.*", low) is not None
        and not _named(low)
        and not topics(low).related
        and len(low.split()) <= 6
        and WHOLE.match(low) is not None
    )


def _what() -> AskBack:
    return AskBack(
        "What do you mean? Name a value or a finding, such as the heart rate, the PR interval, the QRS duration, the rhythm "
        "or atrial fibrillation.",
        {**{v: f"What is the {v}?" for v in VALUES.values()}, "rhythm": "What is the rhythm?"},
    )


def chosen(text: str, choices: Mapping[str, str]) -> str | None:
    """The question of the choice that a reply names, None when it names none or several."""
    low = re.sub(rf"^{ABOUT}(?:i mean |of )?(?:the |an? )?", "", " ".join(text.lower().split())).rstrip("?!. ")
    exact = [q for name, q in choices.items() if low == name.lower()]
    if exact:
        return exact[0]
    if not low or WHOLE.match(low):
        return None
    about = topics(low)
    near = [
        q
        for name, q in choices.items()
        if low in name.lower().split()
        or set(about.measures) & set(topics(name).measures)
        or set(about.statements) & set(topics(name).statements)
        or re.sub(r"^the ", "", name.lower()) == low
    ]
    return near[0] if len(near) == 1 else None


def _swap_leads(question: str, leads: tuple[str, ...]) -> str:
    pattern = r"\b(?:lead )?(?:III|II|I|av[rlf]|v[1-9]r?)\b(?:(?:,| and| or) (?:III|II|I|av[rlf]|v[1-9]r?)\b)*"
    return (
        re.sub(pattern, " and ".join(leads), question, count=1, flags=0 if "I" in question else re.I)
        if re.search(pattern, question)
        else re.sub(pattern, " and ".join(leads), question, count=1, flags=re.I)
    )


def _span(text: str) -> tuple[int, int] | None:
    spans = sorted(named_spans(text), key=lambda span: span[0] - span[1])
    return spans[0] if spans else None


def _stripped(low: str) -> str:
    return re.sub(rf"^{ABOUT}", "", low)


def _or(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]
