"""Report texts, English and German, as text towers read them: abbreviations written out, negations kept.

Abbreviations are replaced as whole words only (``abbreviations.yaml``): replacing parts of words turns "limits" into nonsense.
Statements of `ecglm.knowledge.statements` are said in the words of ``wording.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from ecglm.config import read_yaml
from ecglm.knowledge.report_language import WORD, Language, abbreviated_in
from ecglm.knowledge.statements import BY_KEY
from ecglm.schema import Measurements

_FOLDER = Path(__file__).parent
#: What carts append: version of their program, "unconfirmed report" in any length the field was cut to.
_VERSION = re.compile(r"\s+4\.\d+\s*(u.*)?$", re.S)
_UNCONFIRMED = "unbestätigter bericht"
#: Whole sentences that say nothing of the ECG.
_EMPTY = frozenset({"trace only requested", "edit", "ekg", "ecg"})
#: Umlauts and their spelled-out forms are one: "überdrehter" and "ueberdrehter".
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa"})
#: Fields of `Measurements` that waveform text gives, with their names in it (ECG-Chat's RR, PR, QRS, QT/QTc).
_WAVEFORM = (("RR", "rr"), ("PR", "pr"), ("QRS", "qrs"), ("QT", "qt"), ("QTc", "qtc_bazett"))


@lru_cache(maxsize=1)
def _table() -> dict[Language, dict[str, str]]:
    read = read_yaml(_FOLDER / "abbreviations.yaml")
    both = read["both"]
    english: dict[str, str] = {**{key: words[0] for key, words in both.items()}, **read["en"]}
    german: dict[str, str] = {**{key: words[1] for key, words in both.items()}, **read["de"]}
    return {"en": english, "de": german}


def expand(text: str, lang: Language | None = None) -> str:
    """Lower-case text with abbreviations written out, whole words only. lang None: as `abbreviated_in` finds it."""
    table = _table()[lang or abbreviated_in(text)]

    def said(match: re.Match[str]) -> str:
        word = match.group()
        if word in table:
            return table[word]
        bare = word.removesuffix(".")
        return table[bare] + word[len(bare):] if bare in table else word

    return WORD.sub(said, text.lower())


def clean_report(text: str) -> str:
    """A report in lower case with single spaces, without what carts append and with abbreviations written out; "" when it says
    nothing. Words such as "no", "not", "nicht", "kein" stay where they are."""
    text = text.lower().rstrip()
    found = _VERSION.search(text)
    if found and (not found.group(1) or _UNCONFIRMED.startswith(" ".join(found.group(1).split()))):
        text = text[:found.start()]
    text = " ".join(text.split()).removeprefix("edit:").removesuffix(_UNCONFIRMED).strip()
    return "" if text.strip(" .") in _EMPTY else expand(text)


def folded(text: str) -> str:
    """What is compared and tokenised: lower case, umlauts spelled out, single spaces, no full stop at the end."""
    return " ".join(text.lower().translate(_FOLD).split()).rstrip(" .")


@lru_cache(maxsize=1)
def _wording() -> dict[str, dict[str, list[str]]]:
    return {key: dict(forms) for key, forms in read_yaml(_FOLDER / "wording.yaml").items()}


def said(key: str, lang: Language = "en") -> str:
    """A statement ("form:STD") in a report's words."""
    return _wording()[key]["said"][0 if lang == "en" else 1]


def prompts(key: str) -> tuple[str, ...]:
    """Other wordings of a statement, for zero-shot classification: none of them is in a rendered report."""
    return tuple(_wording()[key]["prompts"])


def render_statements(keys: Iterable[str], lang: Language = "en") -> str:
    """Sentences of statements, rhythm first, each said once. Superclasses are left out but for "normal": subclasses say more."""
    told = [key for key in keys if BY_KEY[key].group != "super_class" or key == "super_class:NORM"]
    return _sentences(told, ("rhythm",), lambda key: said(key, lang))


def name_statements(keys: Iterable[str]) -> str:
    """The same in English by our own names: rhythm, then diagnosis, then form; a normal ECG is said once, superclasses and the
    diagnosis of non-specific ST changes, which a form repeats, never. "" without any."""
    told = [key for key in keys if BY_KEY[key].group != "super_class" and key != "sub_class:NST"]
    return _sentences(told, ("rhythm", "sub_class", "form"), _own_name)


def _sentences(keys: Iterable[str], groups: Sequence[str], word: Callable[[str], str]) -> str:
    """A sentence for every statement, in the order of these groups, those of others last."""
    place = {group: number for number, group in enumerate(groups)}
    ordered = sorted(keys, key=lambda key: place.get(BY_KEY[key].group, len(place)))
    return " ".join(f"{sentence}." for sentence in dict.fromkeys(map(word, ordered)))


def _own_name(key: str) -> str:
    name = BY_KEY["super_class:NORM" if key == "sub_class:NORM" else key].name
    return name[0].upper() + name[1:]


def waveform_text(measured: Measurements) -> str:
    """The record's own numbers, as ECG-Chat's waveform data enhancement appends them: "RR: 812 PR: 160 ...". What could not be
    measured is left out, where ECG-Chat writes zeros. Text with it tells records apart, so it makes retrieval far easier."""
    values = [(name, getattr(measured, field).value) for name, field in _WAVEFORM]
    return " ".join(f"{name}: {value:.0f}" for name, value in values if value is not None)


def with_waveform(text: str, measured: Measurements) -> str:
    """A report and the numbers of its record."""
    return f"{text} {waveform_text(measured)}".strip()


def distinct(texts: Sequence[str]) -> list[int]:
    """Number of the group of each text; texts that are equal once `folded` share one."""
    seen: dict[str, int] = {}
    return [seen.setdefault(folded(text), len(seen)) for text in texts]
