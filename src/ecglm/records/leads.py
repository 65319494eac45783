"""Canonical lead names and the synonyms under which they appear in files.

Leads are addressed by name everywhere in ecglm, never by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

#: The standard 12 leads in the order used for display and for model input.
STANDARD_12: tuple[str, ...] = (
    "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
)
LIMB_LEADS: tuple[str, ...] = STANDARD_12[:6]
CHEST_LEADS: tuple[str, ...] = STANDARD_12[6:]
#: Further named leads that are kept as they are: right/posterior chest, Frank, monitor leads.
OTHER_LEADS: tuple[str, ...] = (
    "V3R", "V4R", "V5R", "V6R", "V7", "V8", "V9", "X", "Y", "Z", "CM5", "ML5", "MCL1",
)

_CANONICAL = {name.upper(): name for name in (*STANDARD_12, *OTHER_LEADS)}

#: Names that mean a standard lead in one format or another. MLII and its relatives are
#: modified (torso) placements; they stand in for the nearest standard lead, as CAMEL does.
SYNONYMS: dict[str, str] = {
    "DI": "I", "DII": "II", "DIII": "III", "D1": "I", "D2": "II", "D3": "III",
    "L1": "I", "L2": "II", "L3": "III", "1": "I", "2": "II", "3": "III",
    "MLI": "I", "MLII": "II", "MLIII": "III",
    "AVR": "aVR", "AVL": "aVL", "AVF": "aVF",
    "C1": "V1", "C2": "V2", "C3": "V3", "C4": "V4", "C5": "V5", "C6": "V6",
    "MV1": "V1", "MV2": "V2", "MV3": "V3", "MV4": "V4", "MV5": "V5", "MV6": "V6",
}

#: Lead codes of SCP-ECG (EN 1064, table 5), which DICOM and MDC share: those with a name here.
SCP_LEADS: dict[int, str] = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
    11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 16: "X", 17: "Y", 18: "Z", 20: "CM5",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 66: "V8", 67: "V9",
}

_PREFIXES = ("MDC_ECG_LEAD_", "MDC_ECG_", "LEAD_", "LEAD ", "LEAD-", "ECG_LEAD_", "ECG ", "ECG_", "EKG ")


@lru_cache(maxsize=4096)  # a record has a dozen names, the same ones every time
def canonical_lead(name: str) -> str | None:
    """Return the canonical name of a lead, or None when the name is not one we know.

    Case, surrounding blanks, a trailing ``(Einthoven)``-like remark and prefixes such as
    ``Lead``, ``ECG`` and ``MDC_ECG_LEAD_`` do not matter.
    """
    text = name.split("(")[0].strip().upper()
    for prefix in _PREFIXES:
        if text.startswith(prefix) and len(text) > len(prefix):
            text = text[len(prefix):].strip()
    if text in SYNONYMS:
        return SYNONYMS[text]
    return _CANONICAL.get(text)


def display_order(leads: Iterable[str]) -> list[str]:
    """Sort lead names: the standard 12 in their usual order, then the others as given."""
    given = list(leads)
    standard = [lead for lead in STANDARD_12 if lead in given]
    return standard + [lead for lead in given if lead not in STANDARD_12]


def of_leads(leads: Sequence[str]) -> str:
    """ "lead II" or "leads II, V1"."""
    return f"lead{'s' if len(leads) > 1 else ''} {', '.join(leads)}"
