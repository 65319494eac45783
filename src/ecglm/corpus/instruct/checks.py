"""What every item must hold, by rule: looks at an ECG and not at a report, says what labels and measurements bear out, offers
the answer once. The judge model of `remote` comes on top; rules are always on.
"""

from __future__ import annotations

import re

from ecglm.bench.grounding import numbers
from ecglm.corpus.instruct.even import OPTIONS
from ecglm.corpus.instruct.seed import Seed, also
from ecglm.corpus.instruct.templates import Draft
from ecglm.knowledge.report_labels import labels as read_labels

#: A report or metadata that the model is told about; "write a report" is a task and none.
_GIVEN = re.compile(
    r"\b(?:the|this|that|given|provided|original|machine|above|following|cart's)\s+(?:\w+\s+)?(?:report|text|description|metadata|labels?)\b"
    r"|\breport(?:ed|s)?\s+(?:states?|says?|mentions?|indicates?|notes?|describes?|findings?|that)\b|\bas reported\b"
    r"|\baccording to (?:the )?(?:report|labels?)",
    re.IGNORECASE,
)
_WRITE = re.compile(r"\b(?:write|give|compose|prepare|draft|provide|produce|generate)\b[^.?!]{0,40}\breport\b", re.IGNORECASE)
_UNITS = {"bpm": ("heart_rate",), "ms": ("pr", "qrs", "qt", "qtc_bazett", "rr")}
MAX_LETTERS = 4000


def problem(draft: Draft, seed: Seed) -> str | None:
    """The first rule that an item breaks, in a few words, or None."""
    if not draft.turns or any(not q.strip() or not a.strip() for q, a in draft.turns):
        return "empty"
    if sum(len(q) + len(a) for q, a in draft.turns) > MAX_LETTERS:
        return "too long"
    for question, answer in draft.turns:
        if re.search(r"\breport", answer, re.IGNORECASE) or _GIVEN.search(_WRITE.sub("", question)):
            return "speaks of a report"
        if "<image>" in question + answer:
            return "holds a placeholder"
    if draft.form == "fill" and draft.turns[0][0].count("____") != 1:
        return "not one blank"
    found = _form_problem(draft, seed)
    if found or seed.asked:  # questions of a data set rest on its own labels
        return found
    for question, answer in draft.turns:
        if reason := _unsupported(question, answer, draft, seed):
            return reason
    return None


def _form_problem(draft: Draft, seed: Seed) -> str | None:
    answer = draft.turns[0][1]
    if draft.form == "mcq":
        said = re.sub(r"^[A-H]\. ", "", answer).lower()
        offered = [o.lower() for o in draft.options]
        if len(offered) != OPTIONS or len(set(offered)) != OPTIONS:
            return "options are not eight different ones"
        if offered.count(said) != 1:
            return "options do not hold the answer once"
        if not answer.startswith("ABCDEFGH"[offered.index(said)] + ". "):
            return "the letter is not the answer's"
        for other in draft.options:
            if other.lower() != said and (true := _present(other) & seed.present):
                right = _present(re.sub(r"^[A-H]\. ", "", answer))
                if true and _present(other) <= seed.present and not _present(other) <= right:
                    return "another option is true as well"
    elif draft.form == "closed" and not seed.asked and not re.match(r"(?:yes|no)\b", answer, re.IGNORECASE):
        return "a closed answer begins with neither yes nor no"
    elif draft.form == "dialogue" and len(draft.turns) < 2:
        return "a dialogue of one turn"
    return None


def _present(text: str) -> frozenset[str]:
    return frozenset(key for key, status in read_labels(text).items() if status == "present")


def _unsupported(question: str, answer: str, draft: Draft, seed: Seed) -> str | None:
    allowed = also(seed.present)
    lead = re.match(r"\W*(yes|no)\b[.,]?\s*(.*)", answer, re.IGNORECASE | re.DOTALL)
    if draft.form == "closed" and lead and draft.family != "feature" and '"' not in question:
        asked = frozenset(read_labels(question))
        if lead[1].lower() == "yes" and asked and not asked & allowed:
            return "says yes to what the labels have not"
        if lead[1].lower() == "no" and asked & seed.present:
            return "says no to what the labels have"
    status = read_labels(answer if lead is None else lead[2])
    if draft.family != "feature":  # "within the normal range" is not "normal ECG"
        made = {k for k, s in status.items() if s == "present" and not k.endswith((":NORM", ":PRC(S)", ":TAB"))}
        strange = {k for k in made if k not in allowed and not k.startswith("super_class:")}
        if strange:
            return "states what the labels have not"
        if {k for k, s in status.items() if s == "absent"} & seed.present:
            return "denies what the labels have"
    return _wrong_number(answer, seed)


def _wrong_number(answer: str, seed: Seed) -> str | None:
    for stated in numbers(answer):
        if stated.limit or stated.unit not in _UNITS:
            continue
        near = (
            [seed.values[stated.quantity]]
            if stated.quantity is not None and stated.quantity in seed.values
            else [seed.values[f] for f in _UNITS[stated.unit] if f in seed.values and stated.quantity is None]
        )
        if not any(abs(stated.value - value) <= stated.half + 1e-6 for value in near):
            return "a number is not what was measured"
    return None
