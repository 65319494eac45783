"""MIT-BIH Arrhythmia Database: two leads for half an hour with every beat marked (Moody & Mark 2001, 10.1109/51.932724)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.corpus.rhythms import SAME_SUBJECT
from ecglm.records import read
from ecglm.records.annotations import BEATS, read_annotations
from ecglm.records.record import Record

#: Records that may train (the first half of de Chazal et al. 2004, 10.1109/TBME.2004.827359, and 202, who is 201).
TRAIN = ("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "202", "203", "205", "207",
         "208", "209", "215", "220", "223", "230")
#: Their pacemakers leave them out of beat typing (ANSI/AAMI EC57).
PACED = ("102", "104", "107", "217")
#: Beat symbols by AAMI class: normal, supraventricular, ventricular, fusion, unclassifiable or paced.
CLASSES = {"N": "NLRejB", "S": "AaJS", "V": "VEr", "F": "Fn", "Q": "/fQ?"}


@dataclass(frozen=True, eq=False)
class Beats:
    """A record and its beats: times (s) and AAMI classes ``[beat]``; fibrillation: stretches ``[n, 2]`` (s) of
    ventricular flutter, which have no beats to find."""

    name: str
    record: Record
    times_s: NDArray[np.float64]
    classes: NDArray[np.str_]
    fibrillation: NDArray[np.float64]


def beat_records(train: bool) -> Iterator[Beats]:
    """The records that may train, or the others. Raises EcglmError without the data."""
    for path in sorted((data_folder("mitdb") / "records").glob("*.hea")):
        if (path.stem in TRAIN) == train:
            record = read(path)
            at, symbols, _ = read_annotations(path.with_suffix(".atr"))
            kind = np.array(symbols)
            beat = np.isin(kind, list(BEATS))
            names = {symbol: name for name, members in CLASSES.items() for symbol in members}
            ends = [at[kind == mark] / record.fs for mark in "[]"]
            yield Beats(path.stem, record, at[beat] / record.fs, np.array([names[symbol] for symbol in kind[beat]]),
                        np.stack(ends, axis=1))


@dataclass(frozen=True, eq=False)
class Minute:
    """A minute of a record that is of one kind throughout, and whose it is."""

    name: str
    person: str
    start_s: float
    kind: str
    record: Record


#: Ventricular beats that a minute of "ventricular ectopy" has at least.
_MANY = 6
#: A rhythm that is noted this soon after the beginning of a minute holds from its beginning (s).
_SOON_S = 1.0


def minutes(each: int) -> list[Minute]:
    """At most so many minutes of each kind from each person, evenly spaced: "atrial fibrillation" and "paced" throughout,
    "ventricular ectopy" in sinus rhythm, "normal" (sinus rhythm of usual beats). Raises EcglmError without the data."""
    found: dict[tuple[str, str], list[Minute]] = {}
    for path in sorted((data_folder("mitdb") / "records").glob("*.hea")):
        record = read(path)
        marks = read_annotations(path.with_suffix(".atr"))
        person = SAME_SUBJECT.get(path.stem, path.stem)
        for number, kind in enumerate(kinds_of_minutes(marks.samples / record.fs, marks.symbols, marks.notes, record.duration_s)):
            if kind:
                found.setdefault((person, kind), []).append(
                    Minute(path.stem, person, 60.0 * number, kind, record.crop(60.0 * number, 60.0)))
    return [have[place] for have in found.values()
            for place in sorted({round(k * (len(have) - 1) / max(each - 1, 1)) for k in range(each)})]


def kinds_of_minutes(at_s: NDArray[np.float64], symbols: Sequence[str], notes: Sequence[str], duration_s: float) -> list[str]:
    """The kind of each whole minute, "" for a minute of none, from marks at these times, their symbols and notes."""
    changes = [(t, note) for t, symbol, note in zip(at_s.tolist(), symbols, notes, strict=True) if symbol == "+"]
    kind = np.array(symbols)
    out = []
    for start in range(0, int(duration_s // 60) * 60, 60):
        first = start + _SOON_S
        rhythms = {([note for t, note in changes if t <= first] or [""])[-1], *(n for t, n in changes if first < t < start + 60)}
        beats = kind[(at_s >= start) & (at_s < start + 60) & np.isin(kind, list(BEATS))].tolist()
        wide = sum(beat in CLASSES["V"] for beat in beats)
        if not beats:
            out.append("")
        elif rhythms == {"(AFIB"}:
            out.append("atrial fibrillation")
        elif beats.count("/") >= 0.95 * len(beats):
            out.append("paced")
        elif rhythms <= {"(N", "(B", "(T"} and wide >= _MANY:
            out.append("ventricular ectopy")
        else:
            out.append("normal" if rhythms == {"(N"} and set(beats) == {"N"} else "")
    return out
