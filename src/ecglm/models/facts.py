"""What the ECG side knows, as the short text the language model reads beside the soft prompt.

Only numbers and names from fixed tables enter: nothing a file says can steer the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecglm.answers import Finding
from ecglm.knowledge.ranges import axis_side, flag
from ecglm.knowledge.statements import GROUPS
from ecglm.schema import Measurements

#: Statements that need the millivolts which the training signals had lost: predicted as an auxiliary task only.
NEEDS_MILLIVOLTS = frozenset({"form:LVOLT", "form:HVOLT", "form:VCLVH"})
#: Nothing is said from these: they repeat another statement or need millivolts.
HIDDEN = frozenset({"sub_class:NORM", "sub_class:NST"}) | NEEDS_MILLIVOLTS
#: The language model neither reads nor says these: besides the hidden ones, statements too vague to ask about.
UNSPOKEN = HIDDEN | {"form:PRC(S)", "form:TAB", "sub_class:STTC"}
_TITLE = {"super_class": "Superclass", "sub_class": "Diagnosis", "form": "Form", "rhythm": "Rhythm"}
_RANGE_WORD = {"low": " below range", "high": " above range"}


def axis_name(axis_deg: float) -> str:
    """ECG-QA's axis answer for an angle."""
    side = axis_side(axis_deg)
    return "normal heart axis" if side == "normal" else f"{side} axis deviation"


def findings_text(findings: Sequence[Finding], lift: Mapping[str, float]) -> str:
    """Findings by group: what is present, with percentages, in the order of the labels as answers name it, then what is
    possible (the keys of `lift`, likelier than usual by that many log-odds), the most remarkable first."""
    lines = []
    for group in GROUPS:
        shown = {f"{group}:{f.code}": f for f in findings if f.group == group and f"{group}:{f.code}" not in UNSPOKEN}
        sure = [f for f in shown.values() if f.present]
        maybe = [shown[key] for key in sorted(shown.keys() & lift.keys(), key=lambda k: -lift[k]) if not shown[key].present]
        text = ", ".join(f"{f.name} {percent(f.probability)}" for f in sure) or "none"
        if maybe:
            text += "; possible " + ", ".join(f.name for f in maybe)
        lines.append(f"{_TITLE[group]}: {text}.")
    return "\n".join(lines)


def percent(probability: float) -> str:
    """A probability as a whole percentage between 1% and 99%."""
    return f"{min(99, max(1, round(100 * probability)))}%"


def measurements_text(measurements: Measurements, sex: str | None = None, age: int | None = None) -> str:
    """Measured values with unit, and which lie outside the normal range."""
    parts = []
    for label, name, unit in (("Heart rate", "heart_rate", "bpm"), ("RR", "rr", "ms"), ("PR", "pr", "ms"),
                              ("QRS", "qrs", "ms"), ("QT", "qt", "ms"), ("QTc", "qtc_bazett", "ms")):
        value = getattr(measurements, name).value
        if value is None:
            parts.append(f"{label} unknown")
            continue
        parts.append(f"{label} {round(value)} {unit}" + _RANGE_WORD.get(flag(name, value, sex, age) or "", ""))
    axis = measurements.axis.value
    parts.append("axis unknown" if axis is None else f"axis {round(axis)} degrees {axis_name(axis)}")
    text = "; ".join(parts) + "."
    return text + (f"\nMeasured rhythm: {measurements.rhythm}." if measurements.rhythm else "")


def facts_text(findings: Sequence[Finding], lift: Mapping[str, float], measurements: Measurements,
               sex: str | None = None, age: int | None = None) -> str:
    """All facts of one record, about 90 to 150 tokens."""
    return findings_text(findings, lift) + "\n" + measurements_text(measurements, sex, age)
