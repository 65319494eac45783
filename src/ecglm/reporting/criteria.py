"""Measured criteria of findings: what guidelines ask of an ECG, held against what was measured.

They do not decide: the findings come from the model, and a criterion that is not met is shown as such beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ecglm.knowledge.ranges import normal_range
from ecglm.knowledge.st_elevation import st_limit
from ecglm.reporting.report import Report
from ecglm.schema import Finding, LeadValues

Relation = Literal["≥", ">", "≤", "<"]

_THYGESEN = "Thygesen et al., Fourth universal definition of myocardial infarction, 2018, 10.1161/CIR.0000000000000617"
_HANCOCK = "Hancock et al., AHA/ACCF/HRS part V, 2009, 10.1161/CIRCULATIONAHA.108.191097"
_SURAWICZ = "Surawicz et al., AHA/ACCF/HRS part III, 2009, 10.1161/CIRCULATIONAHA.108.191095"
_AF = "ESC atrial fibrillation guideline 2024, 10.1093/eurheartj/ehae176"
_PAGE = "Page et al., ACC/AHA/HRS supraventricular tachycardia guideline, 2015, 10.1161/CIR.0000000000000311"


@dataclass(frozen=True)
class Criterion:
    """One criterion of a finding, and how it came out.

    what: field of `Measurements`, or of `Texts` for waves of single leads. leads: those that meet a criterion that asks
    for two neighbours, with their values. met: None when it could not be measured.
    """

    what: str
    relation: Relation
    limit: float
    unit: str
    source: str
    value: float | None = None
    leads: tuple[tuple[str, float], ...] = ()
    of_leads: bool = False
    met: bool | None = None


def criteria(finding: Finding, report: Report) -> tuple[Criterion, ...]:
    """The criteria of this finding; none where the table has none or nothing was measured."""
    if report.measurements is None:
        return ()
    return tuple(made for make in _OF.get(finding.code, ()) if (made := make(report)) is not None)


_Make = Callable[[Report], Criterion | None]


def _value(name: str, relation: Relation, limit: float | None = None, source: str = "") -> _Make:
    """A criterion on one measurement; without a limit that of its normal range, with its source."""

    def make(report: Report) -> Criterion | None:
        assert report.measurements is not None
        measured = getattr(report.measurements, name)
        usual = normal_range(name, report.record.meta.sex)
        at, cited = limit, source
        if at is None and usual is not None:
            at, cited = usual.low if relation == "<" else usual.high, usual.source
        if at is None:
            return None
        value = None if measured.value is None else round(measured.value, 2 if measured.unit == "mV" else 0)
        met = None if value is None else holds(value, relation, at)
        return Criterion(name, relation, at, measured.unit, cited, value, met=met)

    return make


def holds(value: float, relation: Relation, limit: float) -> bool:
    """Whether value stands in relation to limit."""
    return {"≥": value >= limit, ">": value > limit, "≤": value <= limit, "<": value < limit}[relation]


_LIMB = ("aVL", "I", "II", "aVF", "III")
_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
_NEIGHBOURS = (*pairwise(_LIMB), *pairwise(_CHEST))


def _neighbours(what: str, limit: float, source: str, height: Callable[[LeadValues], float | None],
                leads: tuple[str, ...] = (*_LIMB, *_CHEST), by_lead: Callable[[str, Report], float] | None = None) -> _Make:
    """A criterion that two neighbouring leads must meet; height: what is held against the limit, in mV."""

    def make(report: Report) -> Criterion | None:
        assert report.measurements is not None
        seen = {lead: value for lead in leads if lead in report.measurements.by_lead
                and (value := height(report.measurements.by_lead[lead])) is not None}
        plain = Criterion(what, "≥", limit, "mV", source, of_leads=True)
        if len(seen) < 2:
            return plain
        there = [lead for lead, value in seen.items() if round(value, 2) >= (by_lead(lead, report) if by_lead else limit)]
        paired = {lead for pair in _NEIGHBOURS if set(pair) <= set(there) for lead in pair}
        shown = tuple((lead, round(seen[lead], 2)) for lead in leads if lead in paired)
        return Criterion(what, "≥", limit, "mV", source, leads=shown, of_leads=True, met=bool(shown))

    return make


def _st_up(values: LeadValues) -> float | None:
    return values.st_j.value


def _st_down(values: LeadValues) -> float | None:
    return None if values.st_j.value is None else -values.st_j.value


def _t_depth(values: LeadValues) -> float | None:
    """How deep the T wave is; a biphasic one counts by its larger phase."""
    return None if values.t.value is None else -values.t.value


def _q_depth(values: LeadValues) -> float | None:
    """The depth of Q waves of 30 ms and more; others count as none."""
    if values.q.value is None or values.q_duration.value is None:
        return 0.0 if values.r.value is not None else None
    return -values.q.value if values.q_duration.value >= 30 else 0.0


def _st_limit(lead: str, report: Report) -> float:
    return st_limit(lead, report.record.meta.sex, report.record.meta.age)


def _p_height(leads: tuple[str, ...]) -> _Make:
    def make(report: Report) -> Criterion | None:
        assert report.measurements is not None
        known = {lead: value for lead in leads if lead in report.measurements.by_lead
                 and (value := report.measurements.by_lead[lead].p.value) is not None}
        if not known:
            return Criterion("p_high", ">", 0.25, "mV", _HANCOCK)
        value = round(max(known.values()), 2)
        return Criterion("p_high", ">", 0.25, "mV", _HANCOCK, value, met=value > 0.25)

    return make


def _r_v1(report: Report) -> Criterion | None:
    assert report.measurements is not None
    lead = report.measurements.by_lead.get("V1")
    value = None if lead is None or lead.r.value is None else round(lead.r.value, 2)
    return Criterion("r_v1", ">", 0.6, "mV", _HANCOCK, value, met=None if value is None else value > 0.6)


def _no_p(report: Report) -> Criterion | None:
    assert report.measurements is not None
    pr = report.measurements.pr
    looked = (pr.reason or "").startswith("no consistent P wave")  # not where nobody could look, or some are there
    met = False if pr.value is not None else True if looked else None
    return Criterion("no_p_wave", "<", 0.0, "", _AF, met=met)


_ST_UP = _neighbours("st_up", 0.1, _THYGESEN, _st_up, by_lead=_st_limit)
_ST_DOWN = _neighbours("st_down", 0.05, _THYGESEN, _st_down)
_T_DOWN = _neighbours("t_inverted", 0.1, _THYGESEN, _t_depth)
_INFERIOR, _LATERAL, _ANTERIOR = ("II", "aVF", "III"), ("aVL", "I", "V5", "V6"), ("V1", "V2", "V3", "V4", "V5")


def _q(leads: tuple[str, ...] = (*_LIMB, *_CHEST)) -> _Make:
    return _neighbours("q_wave", 0.1, _THYGESEN, _q_depth, leads)


#: What each code asks for.
_OF: dict[str, tuple[_Make, ...]] = {
    "AFIB": (_no_p,), "SBRAD": (_value("heart_rate", "<"),), "STACH": (_value("heart_rate", ">"),),
    "SVTAC": (_value("heart_rate", ">", 100, _PAGE),), "PSVT": (_value("heart_rate", ">", 100, _PAGE),),
    "LPR": (_value("pr", ">"),), "AVB": (_value("pr", ">"),),
    "WPW": (_value("pr", "<"), _value("qrs", ">", 110, _SURAWICZ)),
    "CLBBB": (_value("qrs", "≥", 120, _SURAWICZ),), "CRBBB": (_value("qrs", "≥", 120, _SURAWICZ),),
    "ILBBB": (_value("qrs", "≥", 110, _SURAWICZ), _value("qrs", "<", 120, _SURAWICZ)),
    "IRBBB": (_value("qrs", "≥", 110, _SURAWICZ), _value("qrs", "<", 120, _SURAWICZ)),
    "IVCD": (_value("qrs", ">", 110, _SURAWICZ),), "LAFB/LPFB": (_value("qrs", "<", 120, _SURAWICZ),),
    "LNGQT": (_value("qtc_bazett", "≥"), _value("qtc_fridericia", "≥")),
    "LVH": (_value("sokolow_lyon", "≥"), _value("cornell", ">")), "VCLVH": (_value("sokolow_lyon", "≥"), _value("cornell", ">")),
    "RVH": (_r_v1, _value("axis", ">")), "LAO/LAE": (_value("p_duration", "≥"),), "RAO/RAE": (_p_height(("II", "III", "aVF")),),
    "STE": (_ST_UP,), "STD": (_ST_DOWN,), "INVT": (_T_DOWN,), "QWAVE": (_q(),), "MI": (_q(), _ST_UP),
    "IMI": (_q(_INFERIOR),), "AMI": (_q(_ANTERIOR),), "LMI": (_q(_LATERAL),), "ISC": (_ST_DOWN, _T_DOWN),
    "ISCI": (_neighbours("st_down", 0.05, _THYGESEN, _st_down, _INFERIOR),),
    "ISCA": (_neighbours("st_down", 0.05, _THYGESEN, _st_down, _ANTERIOR),),
}

#: Everything that is cited by these criteria themselves.
SOURCES = (_THYGESEN, _HANCOCK, _SURAWICZ, _AF, _PAGE)
