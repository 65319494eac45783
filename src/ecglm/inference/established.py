"""Is a finding there? By the findings of the encoder where they are judged, else by what excludes it or is measured."""

from __future__ import annotations

import math

from ecglm.answers import Finding, percent
from ecglm.inference.caveats import WIDE_MS
from ecglm.inference.coherence import CLASS_OF, MEMBERS
from ecglm.inference.comparison import share_inside
from ecglm.inference.computed import LEAST_PREVALENCE
from ecglm.inference.contradiction import beyond_possible, even_odds
from ecglm.inference.groups import ANY_OF, NORMAL, called
from ecglm.inference.guard import unsupported
from ecglm.inference.hypertrophy import UNEXCLUDED, voltages
from ecglm.inference.measured_leads import measured_in_leads
from ecglm.inference.measured_verdicts import Verdict, measured_elevation, too_slow, value_verdict
from ecglm.inference.reading import Reading
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import HIDDEN

SINUS = ("rhythm:SR", "rhythm:SBRAD", "rhythm:STACH", "rhythm:SARRH")
#: What a sinus rhythm excludes of the statements that are too rare to be judged.
_NOT_SINUS = frozenset({"rhythm:AFLT", "rhythm:SVTAC", "rhythm:PSVT", "rhythm:PACE"})
_NOT_FIBRILLATION = frozenset({"rhythm:AFLT", "rhythm:SVTAC", "rhythm:PSVT"})
_TACHYCARDIAS = frozenset({"rhythm:SVTAC", "rhythm:PSVT"})
_ECTOPY = ("form:PVC", "form:PAC")
#: A PR interval from this on and a QRS up to this speak against pre-excitation (Surawicz et al. 2009,
#: 10.1161/CIRCULATIONAHA.108.191095), ms.
_PR_MS, _QRS_MS = 120, 110


def finding_verdict(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement, together with the class that it belongs to or its own diagnoses (`coherence`): a class is possible where
    one of its diagnoses is, and a diagnosis is absent with its class, whichever of the two is surer. What is absent of
    hypertrophy is not shown, which does not exclude it."""
    found = _alone(model, reading, key)
    if found.state == "absent" and key in MEMBERS:
        found = _by_members(model, reading, key) or found
    elif found.state in ("possible", "unknown") and key in CLASS_OF and (absent := _without_class(model, reading, key, found)):
        found = absent
    return found if found.state != "absent" or key not in UNEXCLUDED else _unshown(reading, key, found)


def _alone(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement by itself: by what neighbouring leads show of it where the encoder does not call it present, else by the
    encoder."""
    return measured_in_leads(reading, key) or _judged(model, reading, key)


def _judged(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement by the encoder. Below "possible", and below its share among the training recordings, it is absent: what is
    less likely than before the recording was seen has nothing here that speaks for it."""
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
    share = f"probability {percent(finding.probability)}"
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


def _by_members(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict | None:
    """Of a class that is absent by itself: possible where one of its diagnoses is called present, or is possible by more than the
    class is not."""
    whole, of = _margin(model, reading, key), _by_key(reading)
    judged = [member for member in MEMBERS[key]
              if member not in HIDDEN and _alone(model, reading, member).state in ("possible", "present")]
    some = [member for member in judged if of[member].present or _margin(model, reading, member) + whole >= 0]
    if not some:
        return None
    named = ", ".join(f"{of[member].name} {percent(of[member].probability)}" for member in some[:3])
    return Verdict("possible", f"probability {percent(of[key].probability)}, but of its kinds {named}", 0.5, (key, *some[:3]))


def _without_class(model: EcgLanguageModel, reading: Reading, key: str, found: Verdict) -> Verdict | None:
    """Of a diagnosis that is possible or not judged by itself: absent where its class is absent, by more than it is possible."""
    whole = CLASS_OF[key]
    of_class = finding_verdict(model, reading, whole)
    if of_class.state not in ("absent", "unshown"):
        return None
    if found.state == "possible" and _margin(model, reading, key) + _margin(model, reading, whole) >= 0:
        return None
    class_ = _by_key(reading)[whole]
    why = f"{class_.name}, of which it would be a kind, has a probability of {percent(class_.probability)}"
    return Verdict("absent", why, of_class.confidence, (whole, *(found.keys if found.state == "possible" else ())))


def _margin(model: EcgLanguageModel, reading: Reading, key: str) -> float:
    """By how much, in log-odds, a statement lies above both "possible" and its share among the training recordings."""
    share = dict(zip(model.config.labels, model.findings_calibration.prevalence, strict=True))[key]
    gained = _log_odds(_by_key(reading)[key].probability) - _log_odds(share)
    return min(gained, beyond_possible(reading, model.findings_calibration)[key])


def group_verdict(model: EcgLanguageModel, reading: Reading, group: str) -> Verdict:
    """Of a name that stands for several statements: the best of its members that can be judged."""
    present = {f"{f.group}:{f.code}": f.probability for f in reading.findings if f.present}
    if group == "abnormality" and NORMAL in present and not called(group, present):
        return Verdict(
            "absent", f"the ECG is called normal, {percent(present[NORMAL])}", min(MOST_SURE, present[NORMAL]), (NORMAL,)
        )
    members = called(group, present) or ANY_OF[group].members
    of = [(key, finding_verdict(model, reading, key)) for key in members if key not in HIDDEN]
    for state in ("present", "possible", "unshown", "absent"):
        some = [(key, v) for key, v in of if v.state == state]
        if some:
            named = some if state in ("present", "possible") else sorted(some, key=lambda item: item[1].confidence)[:1]
            why = ", ".join(f"{BY_KEY[key].name} {v.why.removeprefix('probability ')}" for key, v in named[:4])
            best = named[0][1]
            return Verdict(
                best.state,
                ("the likeliest is " if state not in ("present", "possible") else "") + why,
                best.confidence,
                tuple(key for key, _ in named[:4]),
            )
    return of[0][1] if of else Verdict("unknown", "nothing of it is judged")


def sinus_verdict(reading: Reading) -> Verdict:
    """Of a rhythm that is not judged: a sinus rhythm with a QRS that is not wide excludes it."""
    of = _by_key(reading)
    sinus = max((of[key] for key in SINUS if of[key].present), key=lambda f: f.probability, default=None)
    qrs = reading.measurements.qrs.value
    if sinus is None or qrs is None or round(qrs) >= WIDE_MS:
        return Verdict("unknown", "it is not among the findings that are judged")
    return Verdict(
        "absent",
        f"the rhythm is called {sinus.name}, {percent(sinus.probability)}, and the QRS lasts {qrs:.0f} ms",
        min(MOST_SURE, sinus.probability),
        (f"rhythm:{sinus.code}",),
    )


def excluded_verdict(reading: Reading, name: str) -> Verdict:
    """Of a rhythm that is not judged itself, by its name: a sinus rhythm or, of a tachycardia, a rate that is too slow."""
    found = sinus_verdict(reading)
    return (too_slow(reading) if found.state == "unknown" and name.endswith("tachycardia") else None) or found


def _excluded(model: EcgLanguageModel, reading: Reading, key: str) -> Verdict:
    """Of a statement that next to no training recording showed."""
    of = _by_key(reading)
    pr, qrs = (m.value for m in (reading.measurements.pr, reading.measurements.qrs))
    if key in _NOT_SINUS and (found := sinus_verdict(reading)).state == "absent":
        return found
    if key in _TACHYCARDIAS and (slow := too_slow(reading)) is not None:
        return slow
    if key == "rhythm:PACE" and of["rhythm:AFIB"].present and qrs is not None and round(qrs) < WIDE_MS:
        why = (f"the rhythm is called {_rhythm(reading)}, which leaves pacing of the ventricles only, and the QRS of "
               f"{qrs:.0f} ms is not that of a paced beat")
        return Verdict("absent", why, min(MOST_SURE, of["rhythm:AFIB"].probability), ("rhythm:AFIB",))
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
    if key == "sub_class:WPW" and pr is None and of["rhythm:AFIB"].present and qrs is not None and round(qrs) <= _QRS_MS:
        return Verdict("absent", f"QRS duration {qrs:.0f} ms shows no pre-excitation",
                       min(MOST_SURE, share_inside(qrs, 0.0, _QRS_MS, ERROR_SD["qrs"])))
    if key == "sub_class:WPW" and pr is not None and qrs is not None and round(pr) >= _PR_MS and round(qrs) <= _QRS_MS:
        return Verdict(
            "absent",
            f"PR interval {pr:.0f} ms and QRS duration {qrs:.0f} ms show no pre-excitation",
            min(MOST_SURE, share_inside(pr, _PR_MS, float("inf"), ERROR_SD["pr"])),
        )
    if not key.startswith("rhythm:") and of[NORMAL].present:
        return Verdict(
            "absent",
            f"the ECG is called normal, {percent(of[NORMAL].probability)}",
            min(MOST_SURE, of[NORMAL].probability),
            (NORMAL,),
        )
    return Verdict("unknown", f"too few training recordings showed {BY_KEY[key].name} to judge it")


def _bradycardia(reading: Reading) -> Verdict | None:
    """Of sinus bradycardia: where the rhythm is called a sinus rhythm, the rate decides as it is shown. None elsewhere."""
    of = _by_key(reading)
    sinus = max((of[key] for key in SINUS if of[key].present), key=lambda f: f.probability, default=None)
    if sinus is None or reading.measurements.heart_rate.value is None:
        return None
    rate = value_verdict(reading, "heart_rate", "low")
    if rate.state not in ("present", "absent"):
        return None
    why = f"{rate.why.split(';')[0]}; the rhythm is called {sinus.name}, {percent(sinus.probability)}"
    return Verdict(rate.state, why, rate.confidence, ("rhythm:SBRAD",) if rate.state == "present" else ())


def _unshown(reading: Reading, key: str, found: Verdict) -> Verdict:
    """What is absent of hypertrophy: not shown; only possible where a criterion of voltage is met."""
    seen = voltages(reading, key)
    if seen.met:
        return Verdict("possible", f"{seen.text}, though the model does not call it: {found.why}", 0.5, found.keys)
    why = f"{found.why}{'; ' + seen.text if seen.text else ''}; this does not exclude it"
    return Verdict("unshown", why, found.confidence, found.keys)


def _log_odds(share: float) -> float:
    return math.log(max(share, 1e-6)) - math.log(max(1.0 - share, 1e-6))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def _rhythm(reading: Reading) -> str | None:
    """The likeliest rhythm that is called present."""
    there = [f for f in reading.findings if f.present and f.group == "rhythm"]
    best = max(there, key=lambda f: f.probability, default=None)
    return None if best is None else f"{best.name}, {percent(best.probability)}"


def _by_key(reading: Reading) -> dict[str, Finding]:
    return {f"{f.group}:{f.code}": f for f in reading.findings}
