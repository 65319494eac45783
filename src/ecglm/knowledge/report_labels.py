"""Text of an ECG report, English or German -> statements it makes, denies or calls possible.

Phrases and cues are in report_labels.yaml. They match whole words, the longest first, never parts of words. Scopes of cues follow
NegEx (Chapman et al. 2001, 10.1006/jbin.2001.1029): a cue reaches the next phrase of its sentence, and further ones that "or",
"and" join to it; a cue after a phrase reaches back to that one. Reports without punctuation, as PTB-XL's German ones, are
why a cue does not reach the whole sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ecglm.config import read_yaml
from ecglm.knowledge.statements import BY_KEY, STATEMENTS

Status = Literal["present", "possible", "absent"]

#: So many words may stand between a cue and the phrase it speaks of: before it, and behind it.
BEFORE, BEHIND = 6, 4
_ENDING = "(?:e|er|en|es|em|s|n|ern)?"
_STOPS = frozenset(".;:")
#: Words that deny from within a phrase; normality alone is said by denying ("no definite pathology").
_DENIALS = frozenset({"not", "no", "nicht", "kein", "keine", "keinen", "without", "ohne", "never"})
#: Abbreviations whose points end no sentence, and what is read for them.
_POINTED = {
    r"\bv\.\s?a\.": "va", r"\bz\.\s?n\.": "zn", r"\bd\.\s?d\.": "dd", r"\bwahrsch\.": "wahrscheinlich",
    r"\b(unbest|moegl|unvollst|vollst|intraventr|supraventr|ventr|inkompl|kompl|fragl|evtl|bzw|neg|ca)\.": r"\1",
    r"(?<=\d)\.\s?(?=grad)": " ", r"(?<=\d)\.(?=\d)": ""}
_SPELLING = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "-": " ", "/": " ", "–": " "})


@dataclass(frozen=True)
class Mention:
    """A phrase of a text: the keys it stands for ("form:STE"), the phrase as read, and whether it is affirmed."""

    keys: tuple[str, ...]
    text: str
    status: Status


def words(text: str) -> list[str]:
    """Lower-case words of a report and its points, commas, colons, in reading order, in the spelling of the phrase table."""
    plain = re.sub(r"\((s|n|en|t)\)", "", text.lower().translate(_SPELLING))
    for pointed, read in _POINTED.items():
        plain = re.sub(pointed, read, plain)
    plain = re.sub(r"[\n!()\[\]]", " . ", plain)
    return re.findall(r"[^\W_]+(?:'t)?|[.,;:?]", plain)


def mentions(text: str) -> list[Mention]:
    """Every phrase of the table in reading order, with its status."""
    tokens = words(text)
    phrases = _longest(_table().phrases, tokens)
    within = {place for phrase in phrases for place in range(phrase.start, phrase.stop)}
    cues = [cue for cue in _longest(_table().cues, tokens) if not within.intersection(range(cue.start, cue.stop))]
    status: dict[int, Status] = {}
    for kind, start, stop in ((cue.name, cue.start, cue.stop) for cue in cues):
        said: Status = "absent" if kind.startswith("absent") else "possible"
        if kind.endswith("before"):
            reached = _forward(phrases, tokens, start, stop, cues)
        elif kind.endswith("after"):
            reached = _backward(phrases, tokens, start, stop)
        else:
            continue
        if not reached and kind == "possible_before":  # "possible" stands on either side
            reached = _backward(phrases, tokens, start, stop)
        for number in reached:  # "cannot be excluded" after "no" still is no denial
            if said == "possible" or number not in status:
                status[number] = said
    for number, phrase in enumerate(phrases):
        if "sub_class:NORM" not in phrase.name and _DENIALS & set(tokens[phrase.start:phrase.stop]):
            status.setdefault(number, "absent")
    return [Mention(_keys(p.name), " ".join(tokens[p.start:p.stop]), status.get(n, "present"))
            for n, p in enumerate(phrases) if _keys(p.name)]


def labels(text: str) -> dict[str, Status]:
    """Status by key: present when any mention affirms it, else possible, else absent. Keys that are not mentioned are missing."""
    rank: dict[Status, int] = {"absent": 0, "possible": 1, "present": 2}
    out: dict[str, Status] = {}
    for mention in mentions(text):
        for key in mention.keys:
            if key not in out or rank[mention.status] > rank[out[key]]:
                out[key] = mention.status
    return out


@dataclass(frozen=True)
class _Match:
    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class _Table:
    phrases: tuple[tuple[str, re.Pattern[str]], ...]
    cues: tuple[tuple[str, re.Pattern[str]], ...]
    end: frozenset[str]
    join: frozenset[str]


def _keys(name: str) -> tuple[str, ...]:
    return () if name.startswith("none") else tuple(name.split("+"))


@lru_cache(maxsize=1)
def _table() -> _Table:
    data: dict[str, Any] = read_yaml(Path(__file__).with_suffix(".yaml"))
    phrases: dict[str, list[str]] = {name: list(patterns) for name, patterns in data["phrases"].items()}
    for statement in STATEMENTS:  # our own names, word for word, whatever else the table says of them
        own = " ".join(word for word in words(statement.name) if word not in _STOPS)
        name = next((n for n in phrases if statement.key in n.split("+") and own in phrases[n]), None)
        if name is None:
            group = [n for n in phrases if statement.key in n.split("+")]
            phrases.setdefault(min(group, key=len) if group else statement.key, []).append(own)
    for line in (line for lines in phrases.values() for line in lines):
        if re.fullmatch(_phrase(line), ""):
            raise ValueError(f"report_labels.yaml: {line!r} matches no word at all")
    unknown = {key for name in phrases for key in _keys(name)} - set(BY_KEY)
    if unknown:
        raise ValueError(f"report_labels.yaml: {sorted(unknown)} are no statements")
    cues = {name: data["cues"][name] for name in ("none", "absent_before", "absent_after", "possible_before", "possible_after")}
    return _Table(tuple((name, re.compile(_phrase(line))) for name, lines in phrases.items() for line in lines),
                  tuple((name, re.compile(_phrase(line))) for name, lines in cues.items() for line in lines),
                  frozenset(data["cues"]["end"]), frozenset(data["cues"]["join"]))


def _phrase(line: str) -> str:
    """The expression for a phrase in the table's notation, over words joined by single blanks, a blank behind each."""
    out = r"(?<!\S)"
    for token in line.split():
        if token == "*":
            out += r"(?:[^\s.,;:?]+ ){0,4}?"
            continue
        optional = token.endswith("?")
        either = "|".join(re.escape(word.removesuffix("~")) + (_ENDING if word.endswith("~") else "")
                          for word in token.removesuffix("?").split("|"))
        out += f"(?:(?:{either}) )" + ("?" if optional else "")
    return out


def _longest(table: tuple[tuple[str, re.Pattern[str]], ...], tokens: list[str]) -> list[_Match]:
    """Matches that do not overlap, the longest kept, in reading order."""
    line = " ".join(tokens) + " "
    number_at, place = {}, 0
    for number, token in enumerate([*tokens, ""]):
        number_at[place] = number
        place += len(token) + 1
    found = [_Match(name, number_at[hit.start()], number_at[hit.end()])
             for name, pattern in table for hit in pattern.finditer(line)]
    kept: list[_Match] = []
    taken: set[int] = set()
    for match in sorted(found, key=lambda m: (m.start - m.stop, m.name[:4] != "none", -m.name.count("+"), m.start)):
        if not taken.intersection(range(match.start, match.stop)):
            kept.append(match)
            taken.update(range(match.start, match.stop))
    return sorted(kept, key=lambda m: m.start)


def _forward(phrases: list[_Match], tokens: list[str], start: int, stop: int, cues: list[_Match]) -> list[int]:
    """Phrases that a cue before them reaches: the next one, and those that are joined to it."""
    reached: list[int] = []
    place = stop
    for number, phrase in enumerate(phrases):
        if phrase.stop <= stop:
            continue
        between = tokens[place:max(place, phrase.start)]
        if _STOPS & set(between) or set(between) & _table().end or any(
                place <= cue.start < phrase.start and cue.name != "none" for cue in cues if cue.start != start):
            break
        if not reached:
            if len(between) > BEFORE or "," in between:
                break
        elif not _joined(tokens, place, phrase.start):
            break
        reached.append(number)
        place = phrase.stop
    return reached


def _joined(tokens: list[str], start: int, stop: int) -> bool:
    """Whether what stands between two phrases joins them: "or", "and", or a comma of a list that ends in "or"."""
    join = _table().join
    between = tokens[start:stop]
    if len([word for word in between if word not in (",", *join)]) > 3:
        return False
    if set(between) & join:
        return True
    if between and "," in between:
        rest = tokens[stop:]
        ends = next((n for n, word in enumerate(rest) if word in _STOPS), len(rest))
        return bool({"or", "nor", "oder", "noch"} & set(rest[:ends]))
    return False


def _backward(phrases: list[_Match], tokens: list[str], start: int, stop: int) -> list[int]:
    """The phrase that a cue behind it speaks of, and those that "or", "and" join to it; none when the cue leads on."""
    reached: list[int] = []
    place = start
    for number in range(len(phrases) - 1, -1, -1):
        phrase = phrases[number]
        if phrase.stop > place:
            continue
        between = tokens[phrase.stop:place]
        if set(between) & (_STOPS | _table().end):
            break
        if not reached:
            if len(between) > BEHIND or "," in between:
                break
        elif not (len(between) == 1 and between[0] in _table().join):
            break
        reached.append(number)
        place = phrase.start
    return reached
