"""Several questions in one: "What are the rate and the rhythm?" becomes two, each answered by itself.

Only plain enumerations are taken apart, and what joins something judged to something that is not ("AF or the Riverside sign?"):
the one is answered, the other named as not answered. What names two things and is none of these is declined, since one half
would be lost.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ecglm.inference.guard import beyond
from ecglm.inference.topics import Topics, topics
from ecglm.inference.unjudged import enumerated

ONE_AT_A_TIME = "this asks for several things at once; ask one at a time"
_OPEN_LEAD = r"what(?:'s| is| are| were| was)|how (?:is|are)|give(?: me)?|tell me|name|list|describe|show(?: me)?|report|measure"
_POLAR_LEAD = (r"(?:is|are) there(?: any)?(?: (?:signs?|evidence) of)?|do(?:es)? (?:this|the|it|she|he)(?: \w+)? (?:show|have)"
               r"(?: (?:signs?|symptoms|evidence) of)?|(?:can|do|could) you see|any|do you see|"
               r"has (?:the|this|she|he)(?: patient)?(?: got)?|is (?:it|this)")
_WHETHER = (r"(?:(?:can|could|would) you )?(?:please )?(?:tell me|say|check|see) (?:if|whether) "
            r"(?:there (?:is|are)(?: any)?|(?:this|it)(?: ecg)? (?:is|shows|has))")
_LEAD = re.compile(rf"(?P<lead>(?P<polar>{_WHETHER})|{_OPEN_LEAD}|{_POLAR_LEAD}) ")
_POLAR = re.compile(r"(?:is|are|does|do|can|could|has|have|was|any)\b")
_FULL = re.compile(r"(?:what|which|how|why|is|are|does|do|can|could|has|have|should|would|will|give|name|list|describe)\b"
                   r"(?! than\b)")
_ARTICLE = re.compile(r"^(?:the|an?|any|his|her|its|also|both) ")
_JOINT = re.compile(r",? and (?:also )?|, | as well as ")
#: "Are the PR and the QT normal?" says one thing of both.
_SHARED = re.compile(r"(?:is|are) (?P<list>.+?) (?P<end>(?:both )?(?:normal|abnormal|prolonged|too long|regular|present|visible|"
                     r"within (?:the )?normal (?:limits|range)))")
#: One of a pair of words that share what follows: "left and right bundle branch block".
_SIDE = r"(?:left|right|inferior|anterior|lateral|posterior|atrial|ventricular|complete|incomplete)"
_PAIRED = re.compile(rf"\b{_SIDE},? and {_SIDE}\b")
_NOT_JOINED = re.compile(r"n't\b|\b(?:no|not|without|between|difference|or|than|from|range|correspond|relation|ratio|both|if|"
                         r"when|because)\b|\d and ")
#: The words of a question for one measured value.
_VALUE = {"heart_rate": "heart rate", "rr": "RR interval", "pr": "PR interval", "qrs": "QRS duration", "qt": "QT interval",
          "qtc_bazett": "QTc"}


class Part(NamedTuple):
    """One thing that a question asks for, as a question of its own; judged: whether it is among what is judged at all."""

    name: str
    question: str
    judged: bool = True


class _Frame(NamedTuple):
    """What stands before, within and after an enumeration; is_open: whether it asks for more than yes or no."""

    before: str
    body: str
    after: str
    is_open: bool


def parts(question: str) -> tuple[Part, ...]:
    """What a question that asks for several things asks for; empty for a single question."""
    return _judged(question) or _partly(question)


def _frame(low: str) -> _Frame:
    """Of a question on one line without its end mark."""
    shared, lead = _SHARED.fullmatch(low.lower()), _LEAD.match(low.lower())
    if shared is not None and not re.search(r"\band (?:is|are)\b", shared["list"]):
        return _Frame("is the ", low[shared.start("list"):shared.end("list")], f" {shared['end'].removeprefix('both ')}", False)
    before = "" if lead is None else low[:lead.end()]
    is_open = lead is not None and lead["polar"] is None and re.match(_OPEN_LEAD, lead["lead"]) is not None
    return _Frame(before, low[len(before):], "", is_open)


def _judged(question: str) -> tuple[Part, ...]:
    """Parts of an enumeration of things that are judged."""
    low = re.sub(r"\? (?:and )?", " and ", " ".join(question.rstrip("?!. ").split()), flags=re.I)
    if not re.search(r"\band\b|\bas well as\b", low, re.I) or _NOT_JOINED.search(low.lower()):
        return ()
    before, body, after, is_open = _frame(low)
    names = [_ARTICLE.sub("", item.strip()) for item in _JOINT.split(body)]
    of = [_findings(topics(n)) if before and not after and not is_open and not _FULL.match(n.lower()) else _named(topics(n))
          for n in names]
    full = {_FULL.match(name.lower()) is not None for name in names}
    if len(names) < 2 or not all(of) or len(set(of)) < len(of) or (not before and len(full) > 1):
        return ()
    return tuple(Part(name, _question(name, before, after, is_open)) for name in names)


def _partly(question: str) -> tuple[Part, ...]:
    """Parts of a question that joins something judged to something that is not. What is judged and joined by "or" stays one
    question."""
    low = " ".join(question.rstrip("?!. ").split())
    before, body, after, is_open = _frame(low)
    items = enumerated(body, lambda text: bool(_named(topics(text)) if is_open or after else _alone(topics(text))))
    if not items or (not before and not items[0].judged and _FULL.match(items[0].text.lower()) and beyond(items[0].text) is None):
        return ()  # "Does Mr Smith or his wife have AF?"
    given = [(_ARTICLE.sub("", item.text), item.judged) for item in items]
    if items[0].either:
        either = [name for name, judged in given if judged]
        given = [(" or ".join(either) if judged else name, judged) for name, judged in given if name not in either[1:]]
    usual = "Is there " if _POLAR.match(low.lower()) else "What is the "
    return tuple(Part(name, _question(name, before or ("" if number == 0 else usual), after, is_open), judged)
                 for number, (name, judged) in enumerate(given))


def several(question: str) -> bool:
    """Whether a question that `parts` does not take apart joins two things by "and"."""
    low = question.lower()
    if _PAIRED.search(low):
        return True
    if parts(question) or " and " not in low or _NOT_JOINED.search(low):
        return False
    first, second = ((*_findings(about), *about.measures) for about in map(topics, low.split(" and ", 1)))
    return bool(first and second and first != second)


def _named(about: Topics) -> tuple[object, ...]:
    """What a part of an enumeration is about: empty when nothing that is judged is named."""
    groups = tuple(group for group in about.groups if group in ("rhythm", "axis", "sub_class"))
    found = (about.statements, about.anyof, about.measures, groups)
    return found if any(found) else ()


def _alone(about: Topics) -> tuple[object, ...]:
    """What a part of a yes/no question is about."""
    return (*about.statements, *about.anyof, *about.measures, *(("axis",) if "axis" in about.groups else ()))


def _findings(about: Topics) -> tuple[str, ...]:
    """The findings that a text names; "normal" alone is none."""
    axis = ("axis",) if "axis" in about.groups else ()
    return (*(k for k in about.statements if k != "super_class:NORM"), *about.anyof, *axis)


def _question(name: str, before: str, after: str, is_open: bool) -> str:
    """One part as a question of its own."""
    if _FULL.match(name.lower()) and not after:
        return f"{name[0].upper()}{name[1:]}?"
    about = topics(name)
    value = _VALUE.get(about.measures[0]) if len(about.measures) == 1 and not about.statements else None
    if value and (is_open or after) and beyond(name) is None:
        return f"What is the {value}?" if is_open else f"Is the {value}{after}?"
    if is_open and about.groups and about.groups[0] in ("rhythm", "axis"):
        return f"What is the {'rhythm' if about.groups[0] == 'rhythm' else 'heart axis'}?"
    text = f"{before}{'the ' if is_open else ''}{name}{after}?"
    return text[0].upper() + text[1:]
