"""Evidence for an answer: the findings and measurements that its question and text are about."""

from __future__ import annotations

from ecglm.answers import percent
from ecglm.inference.caveats import distorted, formula, partial, wide_qt, widened, young
from ecglm.inference.guard import unsupported
from ecglm.inference.reading import Reading, lead_evidence, strongest_leads
from ecglm.inference.topics import SUPPORT, Topics, topics
from ecglm.knowledge.ranges import flag
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import HIDDEN, UNSPOKEN, axis_name
from ecglm.records.leads import of_leads
from ecglm.records.record import Record
from ecglm.schema import Evidence, Measurement

_LABEL = {"heart_rate": "heart rate", "rr": "RR interval", "rr_sd": "RR standard deviation", "rmssd": "RMSSD",
          "pr": "PR interval", "qrs": "QRS duration", "qt": "QT interval", "qtc_bazett": "QTc (Bazett)",
          "axis": "frontal QRS axis"}
_RANGE = {"low": "below normal", "high": "above normal", "normal": "normal"}
MOST = 6


def measurement_evidence(name: str, m: Measurement, record: Record) -> Evidence | None:
    """Text such as "PR interval 160 ms, normal; 9 beats vary by 2 ms, lead II"; None when it was not measured."""
    if m.value is None:
        return None
    if name == "axis":
        text = f"{_LABEL[name]} {m.value:.0f}°, {axis_name(m.value)}"
    else:
        word = _RANGE.get(flag(name, m.value, record.meta.sex, record.meta.age) or "")
        text = f"{_LABEL[name]} {m.value:.0f} {m.unit}" + (f", {word}" if word else "")
    where = []
    if m.beats:
        vary = m.spread is not None and name not in ("rr_sd", "rmssd", "axis")
        where.append(f"{m.beats} beats" + (f" vary by {m.spread:.0f} {m.unit}" if vary else ""))
    if m.leads:
        where.append("all leads" if 8 <= len(m.leads) == len(record.leads) else of_leads(m.leads))
    return Evidence(text + (f"; {', '.join(where)}" if where else ""), m.leads, round(m.value, 1), m.unit)


def finding_evidence(model: EcgLanguageModel, reading: Reading, key: str) -> Evidence:
    """Text such as "atrial fibrillation: probability 97 % (6 % of training recordings); strongest in leads II, V1"."""
    index = model.config.labels.index(key)
    assert reading.encoded is not None
    probability = float(reading.encoded.prob_C[index])
    prevalence = model.findings_calibration.prevalence[index]
    unsure = probability >= model.findings_calibration.possible[index] and not reading.findings[index].present
    text = (f"{BY_KEY[key].name}: {'possible, ' if unsure else ''}probability {percent(probability)} "
            f"({100 * prevalence:.0f} % of the training recordings)")
    leads: tuple[str, ...] = ()
    if probability >= model.findings_calibration.possible[index]:
        leads = strongest_leads(lead_evidence(model, reading, key))
        if leads:
            text += f"; strongest in {of_leads(leads)}"
    return Evidence(text, leads, round(probability, 4), "probability")


def _likeliest(model: EcgLanguageModel, reading: Reading, group: str) -> Evidence | None:
    """What "none" means when the rhythm was asked for, which every heart has, or the diagnoses, where one is possible."""
    least = dict(zip(model.config.labels, model.findings_calibration.possible, strict=True))
    shown = [f for f in reading.findings if f.group == group and (key := f"{group}:{f.code}") not in UNSPOKEN
             and _sayable(key, reading) and (group == "rhythm" or f.probability >= least[key])]
    if not shown:
        return None
    best = max(shown, key=lambda f: f.probability)
    noun = "rhythm statement" if group == "rhythm" else "diagnosis"
    return Evidence(f"no {noun} is sure enough; the likeliest is {best.name}, {percent(best.probability)}",
                    (), round(best.probability, 4), "probability")


def doubts(reading: Reading, about: Topics) -> list[Evidence]:
    """Electrodes that look exchanged, beside answers on what lies in certain leads; rate and rhythm are the same in all."""
    located = about.leads or set(about.groups) - {"rhythm"} or [s for s in about.statements if not s.startswith("rhythm:")]
    return [Evidence(problem.text, problem.leads) for problem in reading.measurements.problems
            if located and problem.cause in ("limb_reversal", "chest_swap") and problem.severity == "major"]


def evidence_for(model: EcgLanguageModel, reading: Reading, about: Topics, answer: str) -> tuple[Evidence, ...]:
    """At most `MOST` facts: statements named in question or answer, then measurements that bear on them."""
    said = topics(answer)
    keys = list(dict.fromkeys([*about.statements, *said.statements]))
    if "axis" in said.groups or "axis" in about.groups:  # "normal heart axis" is not a normal ECG
        keys = [key for key in keys if key != "super_class:NORM"]
    if not keys and about.groups:
        keys = [f"{f.group}:{f.code}" for f in reading.findings
                if f.group in about.groups and f.present and _sayable(f"{f.group}:{f.code}", reading)]
    fields = list(dict.fromkeys([*about.measures, *(m for key in keys for m in SUPPORT.get(key, ()))]))
    if "rhythm" in about.groups:
        fields = list(dict.fromkeys([*fields, "heart_rate", "rr_sd"]))
    if "axis" in about.groups:
        fields = ["axis", *(f for f in fields if f != "axis")]
    out = [finding_evidence(model, reading, key) for key in keys if key not in HIDDEN][:4]
    measured = [measurement_evidence(name, getattr(reading.measurements, name), reading.record) for name in fields]
    shown = [e for e in measured if e is not None]
    # A question for a number is answered by the measurement; otherwise findings come first.
    ordered = [*shown, *out] if about.measures and not about.statements else [*out, *shown]
    if not ordered:
        ordered = [finding_evidence(model, reading, f"{f.group}:{f.code}") for f in reading.findings
                   if f.present and _sayable(f"{f.group}:{f.code}", reading)]
        rate = measurement_evidence("heart_rate", reading.measurements.heart_rate, reading.record)
        ordered += [rate] if rate else []
    asked = next((group for group in ("rhythm", "sub_class") if group in about.groups), None)
    if answer == "none" and asked and (likeliest := _likeliest(model, reading, asked)) is not None:
        ordered.insert(0, likeliest)
    ordered = ordered[:MOST]
    ordered += doubts(reading, about)
    limits = (distorted(reading, keys), widened(reading, keys, about.measures), young(reading),
              *((formula(reading), wide_qt(reading)) if "qtc_bazett" in fields else ()))
    ordered += [Evidence(text) for text in limits if text]
    if (text := partial(reading)) is not None:
        ordered.append(Evidence(text, span_s=(0.0, reading.seconds)))
    return tuple(ordered)


def _sayable(key: str, reading: Reading) -> bool:
    """Whether a statement may be said of these leads at all."""
    readable = [lead for lead in reading.record.leads if lead not in reading.unusable]
    return key not in HIDDEN and unsupported(key, readable) is None
