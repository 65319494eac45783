"""Is a finding there? By the findings of the encoder where they are judged, else by what excludes it or is measured."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from ecglm.inference.caveats import WIDE_MS
from ecglm.inference.comparison import share_inside
from ecglm.inference.computed import LEAST_PREVALENCE
from ecglm.inference.contradiction import beyond_possible, even_odds
from ecglm.inference.evidence import measurement_evidence
from ecglm.inference.groups import ANY_OF, NORMAL, called
from ecglm.inference.guard import unsupported
from ecglm.inference.lead_conditions import leads_showing
from ecglm.inference.reading import Reading
from ecglm.inference.waves import LEAST_SPREAD_MV
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, below
from ecglm.knowledge.ranges import ADULT_YEARS, flag, normal_range
from ecglm.knowledge.st_elevation import st_limit
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import HIDDEN, axis_name
from ecglm.schema import Finding

State = Literal["absent", "possible", "present", "unknown"]
SINUS = ("rhythm:SR", "rhythm:SBRAD", "rhythm:STACH", "rhythm:SARRH")
#: What a sinus rhythm excludes of the statements that are too rare to be judged.
_NOT_SINUS = frozenset({"rhythm:AFLT", "rhythm:SVTAC", "rhythm:PSVT", "rhythm:PACE"})
_NOT_FIBRILLATION = frozenset({"rhythm:AFLT", "rhythm:SVTAC", "rhythm:PSVT"})
_ECTOPY = ("form:PVC", "form:PAC")
#: A PR interval from this on and a QRS up to this speak against pre-excitation (Surawicz et al. 2009,
#: 10.1161/CIRCULATIONAHA.108.191095), ms.
_PR_MS, _QRS_MS = 120, 110
_SECTORS = {"left": (-90.0, -30.0), "right": (90.0, 180.0), "extreme": (-180.0, -90.0)}


class Verdict(NamedTuple):
    """state of something; why: what shows it, or why it cannot be told; keys of the findings that it rests on."""

    state: State
    why: str
    confidence: float = 0.0
    keys: tuple[str, ...] = ()


def finding_verdict(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement. Below "possible", and below its share among the training recordings, it is absent: what is less likely than
    before the recording was seen has nothing here that speaks for it."""
    readable = [lead for lead in reading.record.leads if lead not in reading.unusable]
    if key == "form:STE" and reading.record.unit == "mV" and (measured := measured_elevation(reading)) is not None:
        return measured
    if (reason := unsupported(key, readable)) is not None:
        return Verdict("unknown", reason)
    prevalence = dict(zip(model.config.labels, model.findings_calibration.prevalence, strict=True))[key]
    if prevalence < LEAST_PREVALENCE or key in HIDDEN:
        return _excluded(model, reading, key)
    beyond = beyond_possible(reading, model.findings_calibration)[key]
    finding = _by_key(reading)[key]
    if key == "rhythm:SBRAD" and (by_rate := _bradycardia(reading)) is not None:
        return by_rate
    share = f"probability {100 * finding.probability:.0f} %"
    if finding.present:
        less = "" if finding.probability >= 0.5 else "less likely than not, "
        return Verdict("present", less + share, min(MOST_SURE, even_odds(abs(beyond))), (key,))
    gained = _log_odds(finding.probability) - _log_odds(prevalence)
    if beyond >= 0 and gained >= 0:
        return Verdict("possible", f"{share}, {100 * prevalence:.0f} % of the training recordings", 0.5, (key,))
    if beyond >= 0:
        why = f"nothing here speaks for it, {share}, less than the {_percent(prevalence)} of the training recordings"
        return Verdict("absent", why, min(MOST_SURE, even_odds(-gained)), (key,))
    instead = _rhythm(reading) if key.startswith("rhythm:") else None
    why = f"{share}" + (f"; the rhythm is called {instead}" if instead else "")
    return Verdict("absent", why, min(MOST_SURE, even_odds(-beyond)), (key,))


def group_verdict(model: EcgLanguageModel, reading: Reading, group: str) -> Verdict:
    """Of a name that stands for several statements: the best of its members that can be judged."""
    present = {f"{f.group}:{f.code}": f.probability for f in reading.findings if f.present}
    if group == "abnormality" and NORMAL in present and not called(group, present):
        return Verdict(
            "absent", f"the ECG is called normal, {100 * present[NORMAL]:.0f} %", min(MOST_SURE, present[NORMAL]), (NORMAL,)
        )
    members = called(group, present) or ANY_OF[group].members
    of = [(key, finding_verdict(model, reading, key)) for key in members if key not in HIDDEN]
    for state in ("present", "possible", "absent"):
        some = [(key, v) for key, v in of if v.state == state]
        if some:
            named = some if state != "absent" else sorted(some, key=lambda item: item[1].confidence)[:1]
            why = ", ".join(f"{BY_KEY[key].name} {v.why.removeprefix('probability ')}" for key, v in named[:4])
            best = named[0][1]
            return Verdict(
                best.state,
                ("the likeliest is " if state == "absent" else "") + why,
                best.confidence,
                tuple(key for key, _ in named[:4]),
            )
    return of[0][1] if of else Verdict("unknown", "nothing of it is judged")


def value_verdict(reading: Reading, measure: str, side: str) -> Verdict:
    """Of a measured value that is taken to be too high or too low."""
    measured, meta = getattr(reading.measurements, measure), reading.record.meta
    shown = measurement_evidence(measure, measured, meta)
    limits = normal_range(measure, meta.sex)
    if shown is None or limits is None:
        return Verdict("unknown", str(measured.reason))
    state = flag(measure, measured.value, meta.sex, meta.age)
    if state is None:
        return Verdict("unknown", f"normal ranges are for adults from {ADULT_YEARS} years on; the patient is {meta.age}")
    low, high = {"low": (-math.inf, limits.low), "narrow": (-math.inf, WIDE_MS - 0.5)}.get(side, (limits.high, math.inf))
    if low is None or high is None:
        return Verdict("unknown", f"there is no limit on that side; measured: {shown.text}")
    inside = share_inside(measured.value, low, high, ERROR_SD[measure])
    there = round(measured.value) < WIDE_MS if side == "narrow" else state == side
    return Verdict("present" if there else "absent", shown.text, min(MOST_SURE, max(0.5, inside if there else 1.0 - inside)))


def axis_verdict(reading: Reading, side: str) -> Verdict:
    """Of an axis deviation to one side."""
    axis = reading.measurements.axis
    if axis.value is None:
        return Verdict("unknown", str(axis.reason))
    low, high = _SECTORS[side]
    there = axis_name(axis.value).startswith(side)
    inside = share_inside(axis.value, low, high, ERROR_SD["axis"])
    return Verdict(
        "present" if there else "absent",
        f"the axis is {axis.value:.0f}°, {axis_name(axis.value)}",
        min(MOST_SURE, max(0.5, inside if there else 1.0 - inside)),
    )


def sinus_verdict(reading: Reading) -> Verdict:
    """Of a rhythm that is not judged: a sinus rhythm with a QRS that is not wide excludes it."""
    of = _by_key(reading)
    sinus = max((of[key] for key in SINUS if of[key].present), key=lambda f: f.probability, default=None)
    qrs = reading.measurements.qrs.value
    if sinus is None or qrs is None or round(qrs) >= WIDE_MS:
        return Verdict("unknown", "it is not among the findings that are judged")
    return Verdict(
        "absent",
        f"the rhythm is called {sinus.name}, {100 * sinus.probability:.0f} %, and the QRS lasts {qrs:.0f} ms",
        min(MOST_SURE, sinus.probability),
        (f"rhythm:{sinus.code}",),
    )


def _excluded(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement that next to no training recording showed."""
    of = _by_key(reading)
    pr, qrs = (m.value for m in (reading.measurements.pr, reading.measurements.qrs))
    if key in _NOT_SINUS and (found := sinus_verdict(reading)).state == "absent":
        return found
    if key in _NOT_FIBRILLATION and of["rhythm:AFIB"].present:
        return Verdict(
            "absent", f"the rhythm is called {_rhythm(reading)}", min(MOST_SURE, of["rhythm:AFIB"].probability), ("rhythm:AFIB",)
        )
    if key in ("rhythm:BIGU", "rhythm:TRIGU"):
        beats = [finding_verdict(model, reading, other) for other in _ECTOPY]
        if all(v.state == "absent" for v in beats):
            return Verdict("absent", "there are no premature beats", min(v.confidence for v in beats), _ECTOPY)
        if not any(v.state == "present" for v in beats):
            return Verdict("possible", "no premature beats are called present", 0.5, _ECTOPY)
    if key == "form:LNGQT":
        return value_verdict(reading, "qtc_bazett", "high")
    if key == "sub_class:ILBBB" and qrs is not None and round(qrs) < _QRS_MS:
        return Verdict("absent", f"the QRS lasts {qrs:.0f} ms", min(MOST_SURE, share_inside(qrs, 0.0, _QRS_MS, ERROR_SD["qrs"])))
    if key == "sub_class:WPW" and pr is not None and qrs is not None and round(pr) >= _PR_MS and round(qrs) <= _QRS_MS:
        return Verdict(
            "absent",
            f"PR interval {pr:.0f} ms and QRS duration {qrs:.0f} ms show no pre-excitation",
            min(MOST_SURE, share_inside(pr, _PR_MS, float("inf"), ERROR_SD["pr"])),
        )
    if not key.startswith("rhythm:") and of[NORMAL].present:
        return Verdict(
            "absent",
            f"the ECG is called normal, {100 * of[NORMAL].probability:.0f} %",
            min(MOST_SURE, of[NORMAL].probability),
            (NORMAL,),
        )
    return Verdict("unknown", f"too few training recordings showed {BY_KEY[key].name} to judge it")


def measured_elevation(reading: Reading) -> Verdict | None:
    """ST elevation as measured; None when too few leads tell. One lead alone does not count."""
    shown = leads_showing("st_elevated", reading)
    if len(shown.found) + len(shown.others) < 6 and not shown.contiguous:
        return None
    values = shown.found or shown.others
    lead = max(values, key=lambda name: values[name].value or 0.0)
    most = f"{lead} {values[lead].value:.2f} mV"
    limit = st_limit(lead, reading.record.meta.sex, reading.record.meta.age)
    sure = min(MOST_SURE, below(abs((values[lead].value or 0.0) - limit) / max(LEAST_SPREAD_MV, values[lead].spread or 0.0)))
    if not shown.found:
        return Verdict("absent", f"no lead has it at the J point, the most is {most}", sure)
    if not shown.contiguous:
        return Verdict("absent", f"at the J point no two neighbouring leads reach the limit, only {most}", sure)
    return Verdict("present", f"at the J point in {', '.join(shown.found)}, most in {most}", sure, ("form:STE",))


def _bradycardia(reading: Reading) -> Verdict | None:
    """Of sinus bradycardia: where the rhythm is called a sinus rhythm, the rate decides as it is shown. None elsewhere."""
    of = _by_key(reading)
    sinus = max((of[key] for key in SINUS if of[key].present), key=lambda f: f.probability, default=None)
    if sinus is None or reading.measurements.heart_rate.value is None:
        return None
    rate = value_verdict(reading, "heart_rate", "low")
    if rate.state not in ("present", "absent"):
        return None
    why = f"{rate.why.split(';')[0]}; the rhythm is called {sinus.name}, {100 * sinus.probability:.0f} %"
    return Verdict(rate.state, why, rate.confidence, ("rhythm:SBRAD",) if rate.state == "present" else ())


def _log_odds(share: float) -> float:
    return math.log(max(share, 1e-6)) - math.log(max(1.0 - share, 1e-6))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def _rhythm(reading: Reading) -> str | None:
    """The likeliest rhythm that is called present."""
    there = [f for f in reading.findings if f.present and f.group == "rhythm"]
    best = max(there, key=lambda f: f.probability, default=None)
    return None if best is None else f"{best.name}, {100 * best.probability:.0f} %"


def _by_key(reading: Reading) -> dict[str, Finding]:
    return {f"{f.group}:{f.code}": f for f in reading.findings}
