"""A step as one line for people."""

from __future__ import annotations

from ecglm.answers import percent
from ecglm.inference.monitor.watch import NAMES, Step

#: What is forecast, as short as a line needs it.
_EVENTS = {"af": "AF", "aflutter": "flutter", "any": "AF or flutter"}


def line(step: Step, horizon_s: float, event: str) -> str:
    """Such as ``03:12:30  no AF  quality 0.93  72 bpm  V 2.0 S 0.0/min  AF within 5 min 42 % (31-55 %)  ALARM``."""
    parts = [step.clock]
    if step.rhythm is None:
        parts.append(f"cannot be read: {step.reason}")
        if step.since is not None:
            parts.append(f"arrhythmia since {step.since} until the signal went")
    elif step.since is not None:
        parts.append(f"already in {NAMES[step.rhythm]} since {step.since}")
    else:
        parts.append(NAMES[step.rhythm])
    parts.append(f"quality {step.quality:.2f}")
    if step.rate_bpm is not None:
        parts.append(f"{step.rate_bpm:.0f} bpm")
    if step.ventricular is not None:
        supra = "" if step.supraventricular is None else f" S {step.supraventricular:.1f}"
        parts.append(f"V {step.ventricular:.1f}{supra}/min")
    if step.probability is not None and step.interval is not None:
        low, high = step.interval
        parts.append(f"{_EVENTS[event]} within {horizon_s / 60:g} min {percent(step.probability)} "
                     f"({100 * low:.0f}-{100 * high:.0f} %)")
    if step.alarm:
        parts.append("ALARM")
    parts += [f"[alarm {event}]" for event in step.events if event in ("raised", "cleared")]
    parts += [f"[{note}]" for note in step.notes]
    return "  ".join(parts)
