"""When ST depression, an inverted T wave or a Q wave of a lead counts, and which leads are neighbours.

One definition for reports and answers (Thygesen et al. 2018, 10.1161/CIR.0000000000000617); ST elevation: `st_elevation`.
"""

from __future__ import annotations

from itertools import pairwise

from ecglm.schema import LeadValues

#: ST depression at the J point, mV; depth of a T wave that is exceeded, mV.
DEPRESSED_MV, INVERTED_MV = -0.05, 0.1
#: A Q wave that counts, ms and mV; in V2 and V3 one longer than that many ms, of any depth.
Q_MS, Q_MV, Q_V2_V3_MS = 30.0, 0.1, 20.0
#: Limb leads in the order of their angles: aVR stands between I and II, which are no neighbours.
LATERAL_LIMB, INFERIOR = ("aVL", "I"), ("II", "aVF", "III")
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
#: Pairs of neighbouring leads; all inferior ones are neighbours of one another.
CONTIGUOUS = frozenset(map(frozenset, (*pairwise(LATERAL_LIMB), *pairwise(INFERIOR), ("II", "III"), *pairwise(CHEST))))


def st_depressed(values: LeadValues) -> bool | None:
    """Whether ST is depressed at the J point; None where it was not measured."""
    return None if values.st_j.value is None else round(values.st_j.value, 2) <= DEPRESSED_MV


def t_inverted(values: LeadValues) -> bool | None:
    """Whether the T wave is inverted by more than 0.1 mV where R is larger than S; a biphasic T counts by its larger phase. None
    where T was not measured."""
    if values.t.value is None:
        return None
    r = values.r.value or 0.0
    return r > abs(values.s.value or 0.0) and -round(values.t.value, 2) > INVERTED_MV


def q_counts(lead: str, values: LeadValues) -> bool | None:
    """Whether a Q wave is long and deep enough, or a QS complex; None where it was not measured."""
    depth, length = values.q, values.q_duration
    if depth.value is None or length.value is None:
        return False if depth.reason is not None and depth.reason.startswith("no Q wave") else None
    if values.r.value is None:
        return True
    if lead in ("V2", "V3"):
        return length.value > Q_V2_V3_MS
    return length.value >= Q_MS and abs(depth.value) >= Q_MV
