"""Data sets with annotated rhythms that can be cut: how their records are named, whose they are, what their marks mean.

Facts are those of the sets' PhysioNet pages; they were checked on files for mitdb, afpdb and cpsc2021.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecglm.corpus.folder import data_folder
from ecglm.corpus.windows.rhythms import UNKNOWN
from ecglm.errors import UsageError

#: Sets of afpdb whose signals repeat those of others: p37 equals p01 and p38 overlaps p02 (found by comparing samples).
AFPDB_REPEATED = frozenset({"p37", "p38"})
#: Numbers of sets p of afpdb whose median beats are alike (r > .994), so probably of one person; p19 repeats p01.
_AFPDB_SAME = {19: 1, 24: 8, 25: 15}


@dataclass(frozen=True)
class Layout:
    """A data set. pattern: names of its records, with a group `subject`. annotator: suffix of the marks. fact: what its marks
    mean and what is known of it. subject: from the matched name; first: the rhythm before the first mark, from the text of the
    header. marked: False where the event is known by the record's name instead (afpdb)."""

    name: str
    pattern: str
    licence: str
    attribution: str
    fact: str
    annotator: str = "atr"
    subject: Callable[[str], str] = str
    first: Callable[[str], str] = lambda header: UNKNOWN
    marked: bool = True

    def subject_of(self, stem: str) -> str | None:
        """Whose record this is; None for a file that is no record of the set."""
        match = re.fullmatch(self.pattern, stem)
        return None if match is None else self.subject(match["subject"])


def _afpdb_subject(name: str) -> str:
    """The group of a set, as PhysioNet says that 50 sets are of 48 people and does not say which."""
    if name[0] == "t":
        return name
    number = (int(name[1:]) + 1) // 2
    return f"{name[0]}{_AFPDB_SAME.get(number, number) if name[0] == 'p' else number:02d}"


def _cpsc_first(header: str) -> str:
    """Records of other than persistent fibrillation begin with another rhythm, which bears no mark."""
    return "N" if re.search(r"#\s*(non atrial fibrillation|paroxysmal)", header) else UNKNOWN


_ODC = "Contains information from the {0}, PhysioNet), made available under the ODC Attribution License."
LAYOUTS: Mapping[str, Layout] = {one.name: one for one in (
    Layout(
        "icentia11k", r"(?P<subject>p\d{5})_s\d{2}", "CC BY-NC-SA 4.0",
        "Contains data from Icentia11k, Tan S et al. (PhysioNet, doi:10.13026/kk0v-r952), CC BY-NC-SA 4.0.",
        "11,000 people, one chest lead at 250 Hz, p00/p00000/p00000_s00: up to 50 segments of about 70 minutes "
        "each, whose distance in time is not known, so that no window spans two. (N, (AFIB and (AFL each end with "
        "); between them rhythm is unknown."),
    Layout(
        "ltafdb", r"(?P<subject>\d{2,3})", "ODC-By 1.0", _ODC.format("Long-Term AF Database (Petrutiu S et al."),
        "84 people with paroxysmal or sustained fibrillation, two leads at 128 Hz for about 24 hours. Rhythms (N, "
        "(AFIB, (SBR, (AB, (B, (T, (VT, (SVTA, (IVR; no (AFL: flutter is not told from fibrillation."),
    Layout(
        "afdb", r"(?P<subject>\d{5})", "ODC-By 1.0", _ODC.format("MIT-BIH Atrial Fibrillation Database (Moody GB, Mark RG"),
        "25 people, two leads at 250 Hz for 10 hours; 00735 and 03665 have no signals. Rhythms (AFIB, (AFL, (J and"
        " (N, which is every other rhythm: purity is that of not being one of the three. atr has no beats."),
    Layout(
        "mitdb", r"(?P<subject>\d{3})", "ODC-By 1.0", _ODC.format("MIT-BIH Arrhythmia Database (Moody GB, Mark RG"),
        "47 people, two leads at 360 Hz for 30 minutes; 201 and 202 are one man. (N and (SBR are sinus rhythm.",
        subject=lambda name: "201" if name == "202" else name),
    Layout(
        "cpsc2021", r"data_(?P<subject>\d+)_\d+", "CC BY 4.0",
        "Contains data from CPSC2021 (Wang X et al., PhysioNet), CC BY 4.0.",
        "Leads I and II at 200 Hz, pieces of Holter recordings of seconds to hours. (AFIB or (AFL begins an "
        "episode and (N ends it; before the first mark the rhythm is not fibrillation (header: paroxysmal, non "
        "atrial fibrillation), which need not be sinus.",
        first=_cpsc_first),
    Layout(
        "afpdb", r"(?P<subject>[np]\d{2}|t\d{2,3})c?", "ODC-By 1.0",
        _ODC.format("PAF Prediction Challenge Database (Moody GB et al."),
        "100 records of 30 minutes, two leads at 128 Hz, without rhythms. In sets p the even record ends right "
        "before fibrillation, which begins in its continuation (p02c) at a time that is not given: onset_s is the "
        "end of the record, the earliest it can be. The odd record is 45 minutes or more away from any. Sets n "
        "have none. Answers of t01 to t100 are not in the set.",
        annotator="qrs", subject=_afpdb_subject, marked=False),
)}  # fmt: skip


def open_source(source: str) -> tuple[Layout, Path]:
    """The layout and folder of "mitdb" (in the data folder) or of "icentia11k:DIR". Raises UsageError or ReadError."""
    name, colon, folder = source.partition(":")
    if name not in LAYOUTS:
        raise UsageError(f"{source}: the layout is not known; give one of {', '.join(LAYOUTS)}, or LAYOUT:DIR for a folder of it")
    root = Path(folder) if colon else data_folder(name)
    if not root.is_dir():
        raise UsageError(f"{root}: is no folder; give {name}:DIR with the folder of the records")
    return LAYOUTS[name], root


def find_records(layout: Layout, root: Path) -> dict[str, list[str]]:
    """Records by subject, as paths below the root without suffix, in order. Raises UsageError when there is none."""
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.hea")):
        subject = layout.subject_of(path.stem)
        if subject is not None:
            found.setdefault(subject, []).append(path.relative_to(root).with_suffix("").as_posix())
    if not found:
        raise UsageError(f"{root}: has no record of {layout.name} (names as {layout.pattern}); name the folder of its records")
    return dict(sorted(found.items()))
