"""From how many mV on ST elevation at the J point counts (Thygesen et al. 2018, 10.1161/CIR.0000000000000617)."""

from __future__ import annotations

#: In most leads; in V2 and V3 of women, of men from 40 years on, and below.
ELEVATED_MV, WOMEN_MV, MEN_MV, YOUNG_MEN_MV = 0.1, 0.15, 0.2, 0.25


def st_limit(lead: str, sex: str | None, age: int | None) -> float:
    """From how many mV on ST elevation counts in a lead. Men's limit where the sex is not known, that from 40 years on where the
    age is not."""
    if lead not in ("V2", "V3"):
        return ELEVATED_MV
    return WOMEN_MV if sex == "female" else YOUNG_MEN_MV if age is not None and age < 40 else MEN_MV
