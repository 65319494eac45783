"""Measured criteria of findings: what guidelines ask of an ECG, held against what was measured.

They do not decide: the findings come from the model, and a criterion that is not met is shown as such beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ecglm.answers import Finding
from ecglm.knowledge.lead_criteria import (
    CHEST,
    CONTIGUOUS,
    DEPRESSED_MV,
    INFERIOR,
    INVERTED_MV,
    LATERAL_LIMB,
    Q_MV,
    q_counts,
    st_depressed,
    t_inverted,
)
from ecglm.knowledge.ranges import normal_range
from ecglm.knowledge.st_elevation import ELEVATED_MV, st_limit
from ecglm.schema import LeadValues, Measurements

Relation = Literal["≥", ">", "≤", "<"]

_THYGESEN = "Thygesen et al., Fourth universal definition of myocardial infarction, 2018, 10.1161/CIR.0000000000000617"
_HANCOCK = "Hancock et al., AHA/ACCF/HRS part V, 2009, 10.1161/CIRCULATIONAHA.108.191097"
_SURAWICZ = "Surawicz et al., AHA/ACCF/HRS part III, 2009, 10.1161/CIRCULATIONAHA.108.191095"
_AF = "ESC atrial fibrillation guideline 2024, 10.1093/eurheartj/ehae176"
_PAGE = "Page et al., ACC/AHA/HRS supraventricular tachycardia guideline, 2015, 10.1161/CIR.0000000000000311"


class Measured(Protocol):
    """What criteria are held against: a `Report`, or a reading before there is one."""

    @property
    def measurements(self) -> Measurements | None: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...

    @property
    def record(self) -> Any: ...


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


def criteria(finding: Finding, report: Measured) -> tuple[Criterion, ...]:
    """The criteria of this finding; none where the table has none or nothing was measured."""
    if report.measurements is None:
        return ()
    return tuple(made for make in _OF.get(finding.code, ()) if (made := make(report)) is not None)


_Make = Callable[[Measured], Criterion | None]


def _value(name: str, relation: Relation, limit: float | None = None, source: str = "") -> _Make:
    """A criterion on one measurement; without a limit that of its normal range, with its source."""

    def make(report: Measured) -> Criterion | None:
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


_ALL = (*LATERAL_LIMB, *INFERIOR, *CHEST)
#: Whether a lead counts, and the height that is shown of it, in mV; None where it was not measured.
_Judge = Callable[[str, LeadValues, Measured], tuple[bool | None, float | None]]


def _neighbours(what: str, relation: Relation, limit: float, judge: _Judge, leads: tuple[str, ...] = _ALL) -> _Make:
    """A criterion that two neighbouring leads must meet."""

    def make(report: Measured) -> Criterion | None:
        assert report.measurements is not None
        seen = {lead: judge(lead, report.measurements.by_lead[lead], report) for lead in leads
                if lead in report.measurements.by_lead}
        known = {lead: (there, height) for lead, (there, height) in seen.items() if there is not None}
        if len(known) < 2:
            return Criterion(what, relation, limit, "mV", _THYGESEN, of_leads=True)
        there = {lead for lead, (counts, _) in known.items() if counts}
        paired = {lead for pair in CONTIGUOUS if pair <= there for lead in pair}
        shown = tuple((lead, round(known[lead][1] or 0.0, 2)) for lead in leads if lead in paired)
        return Criterion(what, relation, limit, "mV", _THYGESEN, leads=shown, of_leads=True, met=bool(shown))

    return make


def _st_up(lead: str, values: LeadValues, report: Measured) -> tuple[bool | None, float | None]:
    meta, height = report.record.meta, values.st_j.value
    return None if height is None else round(height, 2) >= st_limit(lead, meta.sex, meta.age), height


def _st_down(lead: str, values: LeadValues, report: Measured) -> tuple[bool | None, float | None]:
    return st_depressed(values), None if values.st_j.value is None else -values.st_j.value


def _t_down(lead: str, values: LeadValues, report: Measured) -> tuple[bool | None, float | None]:
    return t_inverted(values), None if values.t.value is None else -values.t.value


def _q_wave(lead: str, values: LeadValues, report: Measured) -> tuple[bool | None, float | None]:
    return q_counts(lead, values), None if values.q.value is None else -values.q.value


def _p_height(leads: tuple[str, ...]) -> _Make:
    def make(report: Measured) -> Criterion | None:
        assert report.measurements is not None
        known = {lead: value for lead in leads if lead in report.measurements.by_lead
                 and (value := report.measurements.by_lead[lead].p.value) is not None}
        if not known:
            return Criterion("p_high", ">", 0.25, "mV", _HANCOCK)
        value = round(max(known.values()), 2)
        return Criterion("p_high", ">", 0.25, "mV", _HANCOCK, value, met=value > 0.25)

    return make


def _r_v1(report: Measured) -> Criterion | None:
    assert report.measurements is not None
    lead = report.measurements.by_lead.get("V1")
    value = None if lead is None or lead.r.value is None else round(lead.r.value, 2)
    return Criterion("r_v1", ">", 0.6, "mV", _HANCOCK, value, met=None if value is None else value > 0.6)


def _no_p(report: Measured) -> Criterion | None:
    assert report.measurements is not None
    pr = report.measurements.pr
    looked = (pr.reason or "").startswith("no consistent P wave")  # not where nobody could look, or some are there
    met = False if pr.value is not None else True if looked else None
    return Criterion("no_p_wave", "<", 0.0, "", _AF, met=met)


def _narrow(report: Measured) -> Criterion | None:
    """QRS of a fascicular block alone; beside a complete right bundle branch block it is wide and says nothing."""
    both = any(f.present and f.code == "CRBBB" for f in report.findings)
    return None if both else _value("qrs", "<", 120, _SURAWICZ)(report)


_LATERAL, _ANTERIOR = (*LATERAL_LIMB, "V5", "V6"), CHEST[:5]
_ST_UP = _neighbours("st_up", "≥", ELEVATED_MV, _st_up)
_T_DOWN = _neighbours("t_inverted", ">", INVERTED_MV, _t_down)


def _st(leads: tuple[str, ...] = _ALL) -> _Make:
    return _neighbours("st_down", "≥", -DEPRESSED_MV, _st_down, leads)


def _q(leads: tuple[str, ...] = _ALL) -> _Make:
    return _neighbours("q_wave", "≥", Q_MV, _q_wave, leads)


#: What each code asks for.
_OF: dict[str, tuple[_Make, ...]] = {
    "AFIB": (_no_p,), "SBRAD": (_value("heart_rate", "<"),), "STACH": (_value("heart_rate", ">"),),
    "SVTAC": (_value("heart_rate", ">", 100, _PAGE),), "PSVT": (_value("heart_rate", ">", 100, _PAGE),),
    "LPR": (_value("pr", ">"),), "AVB": (_value("pr", ">"),),
    "WPW": (_value("pr", "<"), _value("qrs", ">", 120, _SURAWICZ)),
    "CLBBB": (_value("qrs", "≥", 120, _SURAWICZ),), "CRBBB": (_value("qrs", "≥", 120, _SURAWICZ),),
    "ILBBB": (_value("qrs", "≥", 110, _SURAWICZ), _value("qrs", "<", 120, _SURAWICZ)),
    "IRBBB": (_value("qrs", "≥", 110, _SURAWICZ), _value("qrs", "<", 120, _SURAWICZ)),
    "IVCD": (_value("qrs", ">", 110, _SURAWICZ),), "LAFB/LPFB": (_narrow,),
    "LNGQT": (_value("qtc_bazett", "≥"), _value("qtc_fridericia", "≥")),
    "LVH": (_value("sokolow_lyon", "≥"), _value("cornell", ">")), "VCLVH": (_value("sokolow_lyon", "≥"), _value("cornell", ">")),
    "RVH": (_r_v1, _value("axis", ">")), "LAO/LAE": (_value("p_duration", "≥"),), "RAO/RAE": (_p_height(("II", "III", "aVF")),),
    "STE": (_ST_UP,), "STD": (_st(),), "INVT": (_T_DOWN,), "QWAVE": (_q(),), "MI": (_q(), _ST_UP),
    "IMI": (_q(INFERIOR),), "AMI": (_q(_ANTERIOR),), "LMI": (_q(_LATERAL),), "ISC": (_st(), _T_DOWN),
    "ISCI": (_st(INFERIOR),),
    "ISCA": (_st(_ANTERIOR),),
}

#: Everything that is cited by these criteria themselves.
SOURCES = (_THYGESEN, _HANCOCK, _SURAWICZ, _AF, _PAGE)
