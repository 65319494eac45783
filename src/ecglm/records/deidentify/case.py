"""One recording on its way: what may be written of it, and account of everything that is not.

Texts reach an output only through `Case`: as fixed words, as numbers, as samples, or as
values made from the key. Whatever else the source holds is `drop`ped, which remembers it
for the report (by name) and for the last check (by content).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from ecglm.records.channels import NOT_ECG, is_relative, unit_per_mv
from ecglm.records.deidentify.key import Key
from ecglm.records.deidentify.leak import left_in, needles, spelled
from ecglm.records.leads import canonical_lead
from ecglm.records.record import Record

#: HIPAA safe harbour, 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category.
OLDEST = 90
#: Names that say nothing but that it is one.
_OTHER = re.compile(r"(?:ECG|EKG|V|Ch|Chan|Channel)[ _]?\d{0,3}", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:(\d{1,20})\.?\d{0,15}|\.\d{1,15})(?:[eE][-+]?\d{1,2})?", re.ASCII)
COUNT = 9  #: digits of a number of samples or bytes
#: Units of signals that are recorded beside an ECG.
_UNITS = (
    "mmHg", "cmH2O", "kPa", "bpm", "%", "degC", "l/min", "l/s", "ml", "pm", "ohm", "g", "m/s2", "s", "ms", "Hz", "nu", "pleth",
)  # fmt: skip


class Written(NamedTuple):
    """What a writer has put into its folder: the file to `read`, all bytes but samples, the length where parts can be read."""

    main: str
    text: bytes
    seconds: float | None = None


@dataclass
class Case:
    """The typed facts of one recording (`record`, read by ecglm), whose it is, and what was written and removed.

    patient and name (of the output) are pseudonyms; start is shifted; age is capped.
    """

    path: str
    record: Record
    key: Key
    patient: str
    name: str
    removed: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)  #: removed too, under names that the file's author chose
    shifted: Counter[str] = field(default_factory=Counter)
    kept: set[str] = field(default_factory=lambda: {"rate, leads, units and scales"})
    _secrets: set[str] = field(default_factory=set)
    _said: set[str] = field(default_factory=set)
    _numbers: set[str] = field(default_factory=set)

    @cached_property
    def start(self) -> datetime | None:
        """The start of the recording after the shift."""
        return self.moved(self.record.start, "start")

    @property
    def age(self) -> int | None:
        """Years, at most OLDEST."""
        age = self.record.meta.age
        if age is not None:
            self.kept.add("age")
        return age if age is None else min(age, OLDEST)

    @property
    def sex(self) -> str | None:
        """female, male or None."""
        if self.record.meta.sex is not None:
            self.kept.add("sex")
        return self.record.meta.sex

    def moved(self, when: datetime | None, what: str) -> datetime | None:
        """A time after the patient's shift, which the report counts under `what`."""
        late = self.key.moved(when, self.patient)
        if when is not None:
            self._secrets.update(spelled(when.date()), (f"{when:%Y%m%d%H%M%S}",))
            if late is None:
                self.removed[what] += 1
            else:
                self.shifted[what] += 1
                self._said.update(spelled(late.date()))
                self._said.update(f"{late:{form}}" for form in ("%H:%M:%S", "%H%M%S", "%H.%M.%S"))  # the time of day stays
        return late

    def say(self, text: str) -> str:
        """A word of the format or of an allow-list, to be written as it is."""
        self._said.add(text.casefold())
        return text

    def number(self, text: str, digits: int = 5) -> str | None:
        """A number in plain digits, or None when it is none or has more digits before its point than such a number needs."""
        shown = text.strip()
        match = _NUMBER.fullmatch(shown)
        if match is None or len(match[1] or "") > digits:
            return None
        self._numbers.update(part for part in re.findall(r"\d+", shown) if len(part) < 6)
        return shown

    def label(self, name: str, place: int) -> str:
        """A channel's name: the canonical lead, the kind of another signal, or its number (place counts from 1)."""
        lead = canonical_lead(name)
        if lead is not None:
            return self.say(lead)
        other = NOT_ECG.match(name.strip()) or _OTHER.fullmatch(name.strip())
        shown = other[0] if other is not None and other[0].isascii() else f"Chan {place}"
        if name.strip() != shown:
            self.drop("channel name", name)
        return self.say(shown)

    def unit(self, text: str) -> str:
        """A channel's unit: a voltage, none, or one of a list; ``unknown`` is neither, as the text was."""
        shown = text.strip().replace("µ", "u").replace("μ", "u")
        if shown.isascii() and (unit_per_mv(shown) is not None or is_relative(shown)):
            return self.say(shown)
        known = {unit.lower(): unit for unit in _UNITS}.get(shown.lower())
        if known is None:
            self.drop("unit", shown)
        return self.say(known or "unknown")

    def reading(self) -> tuple[dict[str, float], tuple[str, ...]]:
        """What the cart measured, and its statements: lines of nothing but words of ECG reports."""
        cart = self.record.cart
        if cart is None:
            return {}, ()
        if cart.withheld:
            self.removed["statement with other words"] += cart.withheld
        if cart.statements:
            self.kept.add("cart's statements")
        return self.measured(), tuple(self.say(text) for text in cart.statements)

    def measured(self) -> dict[str, float]:
        """What the cart measured."""
        measured = self.record.cart.measured() if self.record.cart is not None else {}
        if measured:
            self.kept.add("cart's measurements")
        return measured

    def drop(self, what: str, *texts: str, authored: bool = False) -> None:
        """Remember that a field was removed, and its texts, which must not be found again.

        authored: the field's name is the file's own, not one that a standard or ecglm gave it.
        """
        (self.unnamed if authored else self.removed)[what] += 1
        self.hide(*texts)

    def hide(self, *texts: str) -> None:
        """Texts that must not be found in the output."""
        for text in texts:
            self._secrets.update(needles(text))

    def leaks(self, written: bytes) -> list[str]:
        """The removed texts that are in what was written (without samples)."""
        return left_in(written.replace(self.patient.encode(), b" "), self._hidden() - self._numbers)

    def account(self) -> dict[str, int]:
        """The removed fields by name, and how many; authored names only where they are plain and hold nothing removed."""
        hidden = {text for text in self._hidden() if not text.isdigit()}
        shown = Counter(self.removed)
        for name, count in self.unnamed.items():
            plain = re.fullmatch(r"[A-Za-z][A-Za-z_.:@/-]{0,59}", name) and not left_in(name.encode(), hidden)
            shown[name if plain else "(other)"] += count
        return dict(sorted(shown.items()))

    def _hidden(self) -> set[str]:
        """The removed texts that are not also words of the output."""
        said = "\n".join(self._said)
        return {text for text in self._secrets if text not in said}
