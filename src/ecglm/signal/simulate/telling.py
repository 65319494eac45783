"""Where a simulated condition can be seen: the leads of its criterion, and the stretch that holds what happens once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecglm.records.record import Record
from ecglm.signal.simulate.synthesis import Simulated
from ecglm.signal.simulate.truth import Truth

USUAL = ("II", "V1", "V5")
#: Leads that the criteria of `conditions` speak of, where the usual three do not show them.
LEADS: Mapping[str, tuple[str, str, str]] = {
    "normal_juvenile": ("II", "V2", "V5"), "early_repolarisation": ("II", "V3", "V5"),
    **dict.fromkeys(("rbbb", "incomplete_rbbb", "lbbb", "incomplete_lbbb", "rvh", "dextrocardia"), ("I", "V1", "V6")),
    **dict.fromkeys(("lafb", "bifascicular_block"), ("aVL", "II", "V1")),
    "lpfb": ("I", "III", "aVL"), "left_axis": ("I", "II", "aVF"), "right_axis": ("I", "II", "aVF"),
    **dict.fromkeys(("stemi_anterior", "old_anterior_infarct", "anterior_ischaemia"), ("II", "V2", "V3")),
    **dict.fromkeys(("stemi_inferior", "old_inferior_infarct", "inferior_ischaemia"), ("II", "III", "aVL")),
    **dict.fromkeys(("stemi_lateral", "old_lateral_infarct", "lateral_ischaemia"), ("I", "aVL", "V6")),
    **dict.fromkeys(("stemi_posterior", "old_posterior_infarct"), ("V1", "V2", "V6")),
    "subendocardial_ischaemia": ("II", "aVR", "V5"), "lvh": ("aVL", "V1", "V5"), "low_voltage": ("I", "II", "V5"),
    **dict.fromkeys(("reversal_la_ra", "reversal_ra_ll"), ("I", "II", "aVR")), "reversal_la_ll": ("I", "II", "III"),
    "brugada_1": ("V1", "V2", "V5"), "pulmonary_embolism": ("I", "III", "V2"),
}
_BEFORE_S = 2.0  #: shown before what happens
_PAUSE = 1.5  #: an RR interval so many times the median is one


def telling(made: Simulated, seconds: float) -> tuple[Record, tuple[str, ...]]:
    """At most so many seconds of a simulated record, and the leads to look at. A joined condition has the leads of its last part
    that has any."""
    record, truth = made.record, made.truth
    leads = next((LEADS[name] for name in reversed(truth.conditions) if name in LEADS), USUAL)
    begin = min(max(_happens_s(truth) - _BEFORE_S, 0.0), max(record.duration_s - seconds, 0.0))
    return record.crop(begin, min(seconds, record.duration_s - begin)), leads


def _happens_s(truth: Truth) -> float:
    """When something first happens that does not go on all the time: an event, a pause, an odd beat; 0 where nothing does."""
    later = [event.start_s for event in truth.events if event.start_s > 0]
    if later or truth.events:
        return min(later, default=0.0)
    beats = truth.r_peak
    if len(beats) > 2:
        longest = int(np.argmax(np.diff(beats)))
        if np.diff(beats)[longest] > _PAUSE * np.median(np.diff(beats)):
            return float(beats[longest])
    odd = [t for t, symbol in zip(beats, truth.symbols, strict=True) if symbol in "VS"]
    return float(odd[0]) if 0 < len(odd) < len(beats) else 0.0
