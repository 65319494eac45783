"""Several questions in one: "What are the rate and the rhythm?" becomes two, each answered by itself.

Only plain enumerations are taken apart; what names two things and is none of these is declined, since one half would be lost.
"""

from __future__ import annotations

import re

from ecglm.inference.topics import Topics, topics

ONE_AT_A_TIME = "this asks for several things at once; ask one at a time"
_OPEN_LEAD = r"what(?:'s| is| are| were| was)|how (?:is|are)|give(?: me)?|tell me|name|list|describe|show(?: me)?|report|measure"
_POLAR_LEAD = (r"(?:is|are) there(?: any)?(?: (?:signs?|evidence) of)?|do(?:es)? (?:this|the|it|she|he)(?: \w+)? (?:show|have)"
               r"(?: (?:signs?|symptoms|evidence) of)?|(?:can|do|could) you see|any|do you see|"
               r"has (?:the|this|she|he)(?: patient)?(?: got)?|is (?:it|this)")
_LEAD = re.compile(rf"(?P<lead>{_OPEN_LEAD}|{_POLAR_LEAD}) ")
_FULL = re.compile(r"(?:what|which|how|why|is|are|does|do|can|could|has|have|give|name|list|describe)\b(?! than\b)")
_ARTICLE = re.compile(r"^(?:the|an?|any|his|her|its|also|both) ")
_JOINT = re.compile(r",? and (?:also )?|, | as well as ")
#: "Are the PR and the QT normal?" says one thing of both.
_SHARED = re.compile(r"(?:is|are) (?P<list>.+?) (?P<end>(?:both )?(?:normal|abnormal|prolonged|too long|regular|"
                     r"within (?:the )?normal (?:limits|range)))")
#: One of a pair of words that share what follows: "left and right bundle branch block".
_SIDE = r"(?:left|right|inferior|anterior|lateral|posterior|atrial|ventricular|complete|incomplete)"
_PAIRED = re.compile(rf"\b{_SIDE},? and {_SIDE}\b")
_NOT_JOINED = re.compile(r"n't\b|\b(?:no|not|without|between|difference|or|than|from|range|correspond|relation|ratio|both|if|"
                         r"when|because)\b|\d and ")
#: The words of a question for one measured value.
_VALUE = {"heart_rate": "heart rate", "rr": "RR interval", "pr": "PR interval", "qrs": "QRS duration", "qt": "QT interval",
          "qtc_bazett": "QTc"}


def parts(question: str) -> tuple[tuple[str, str], ...]:
    """(name, question) of each part of an enumeration; empty for a single question."""
    low = " ".join(question.rstrip("?!. ").split())
    if not re.search(r"\band\b|\bas well as\b", low, re.I) or _NOT_JOINED.search(low.lower()):
        return ()
    shared, lead = _SHARED.fullmatch(low.lower()), _LEAD.match(low.lower())
    if shared is not None and not re.search(r"\band (?:is|are)\b", shared["list"]):
        before, body, after = "is the ", low[shared.start("list"):shared.end("list")], f" {shared['end'].removeprefix('both ')}"
    else:
        before, after = ("" if lead is None else low[:lead.end()]), ""
        body = low[len(before):]
    names = [_ARTICLE.sub("", item.strip()) for item in _JOINT.split(body)]
    is_open = not after and lead is not None and re.match(_OPEN_LEAD, lead["lead"]) is not None
    of = [_findings(topics(n)) if before and not after and not is_open and not _FULL.match(n.lower()) else _named(topics(n))
          for n in names]
    full = {_FULL.match(name.lower()) is not None for name in names}
    if len(names) < 2 or not all(of) or len(set(of)) < len(of) or (not before and len(full) > 1):
        return ()
    return tuple((name, _question(name, before, after, is_open)) for name in names)


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
    if value and (is_open or after):
        return f"What is the {value}?" if is_open else f"Is the {value}{after}?"
    if is_open and about.groups and about.groups[0] in ("rhythm", "axis"):
        return f"What is the {'rhythm' if about.groups[0] == 'rhythm' else 'heart axis'}?"
    text = f"{before}{'the ' if is_open else ''}{name}{after}?"
    return text[0].upper() + text[1:]
