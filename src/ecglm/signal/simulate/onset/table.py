"""Everything that a simulated onset is drawn from, in one table.

Mechanisms, and what they follow:

- rising_ectopy: atrial premature beats become more frequent and earlier in the last quarter of an hour, with couplets and
  runs: most paroxysms are begun by foci in the pulmonary veins (Haissaguerre 1998, 10.1056/NEJM199809033391003).
- p_prolongation: conduction between the atria slows, P waves last longer, become lower and notched, PR grows with them
  (interatrial block: Bayes de Luna 2012, 10.1016/j.jelectrocard.2012.06.029; P wave indices before fibrillation: Magnani
  2009, 10.1161/CIRCEP.108.806828). That it comes within minutes is an assumption of this model; what is published takes years.
- rr_shortening: the rate rises and its variability falls (adrenergic tone before the onset: Bettoni & Zimmermann 2002,
  10.1161/01.CIR.0000018443.44005.D8). They found RR shorter by 2 % in the mean of all onsets, and other onsets after a slowing;
  here it is the stronger change of those who accelerate.
- none: the onset comes without any sign.

Each is a channel with a course between 0 and 1. Before an onset with a mechanism its channel rises to 1 at the onset; every
other channel, and every channel of a subject without an onset or with one of mechanism "none", is quiet, constant at a height
that such a rise passes through, or rises and falls again. A level says little, therefore; a change says more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from ecglm.schema import ATRIAL_RHYTHMS

Rng = np.random.Generator
Kind = Literal["normal", "lognormal", "uniform", "share"]

#: What may happen, in the order of the classes of a forecast.
TARGETS = ATRIAL_RHYTHMS
#: The channels, and their names where they do not progress.
CHANNELS = MappingProxyType({"rising_ectopy": "frequent_ectopy", "p_prolongation": "long_p", "rr_shortening": "fast_rate"})
MECHANISMS = (*CHANNELS, "none")
#: How often each mechanism precedes an onset: fibrillation is mostly triggered, flutter mostly a matter of slow conduction.
MIXTURES: MappingProxyType[str, MappingProxyType[str, float]] = MappingProxyType({
    "sinus": MappingProxyType({"none": 1.0}),
    "af": MappingProxyType({"rising_ectopy": 0.40, "p_prolongation": 0.14, "rr_shortening": 0.26, "none": 0.20}),
    "aflutter": MappingProxyType({"rising_ectopy": 0.14, "p_prolongation": 0.54, "rr_shortening": 0.12, "none": 0.20}),
})


@dataclass(frozen=True)
class Parameter:
    """One row of the table. kind: "normal" (a mean, b standard deviation), "lognormal" (a median, b deviation of the
    logarithm), "uniform" (a to b) or "share" (a, the same for all). Draws are moved into low to high. What it is a number of
    is in `what`."""

    kind: Kind
    a: float
    b: float
    low: float
    high: float
    unit: str
    what: str

    def draw(self, rng: Rng) -> float:
        """One subject's value."""
        if self.kind == "share":
            return self.a
        if self.kind == "uniform":
            return float(rng.uniform(self.a, self.b))
        raw = float(rng.standard_normal())
        value = self.a + self.b * raw if self.kind == "normal" else self.a * math.exp(self.b * raw)
        return min(max(value, self.low), self.high)

    def spread(self) -> str:
        """Its distribution in words."""
        if self.kind == "lognormal":
            return f"{self.a:g} ×/÷ {math.exp(self.b):.2g}"
        return {"normal": f"{self.a:g} ± {self.b:g}", "uniform": f"{self.a:g} to {self.b:g}", "share": f"{self.a:g}"}[self.kind]


def _row(kind: Kind, a: float, b: float, low: float, high: float, unit: str, what: str) -> Parameter:
    return Parameter(kind, a, b, low, high, unit, what)


#: By name. The first part is the subject, whether anything happens or not; the second what the channels do.
PARAMETERS: MappingProxyType[str, Parameter] = MappingProxyType({
    "rate": _row("normal", 71, 10, 50, 95, "1/min", "sinus rate at rest"),
    "p_s": _row("normal", 0.108, 0.011, 0.084, 0.136, "s", "P wave duration at first"),
    "drift": _row("lognormal", 0.045, 0.35, 0.015, 0.11, "share of rate", "slow change of rate, 1/f below 0.04 Hz (Task Force "
                  "1996, 10.1161/01.CIR.93.5.1043)"),
    "postures": _row("lognormal", 5.0, 0.5, 0.0, 20.0, "1/h", "changes of posture"),
    "posture_rise": _row("uniform", 0.06, 0.20, 0.06, 0.20, "share of rate", "rise of rate with one, falls within minutes"),
    "posture_turn": _row("uniform", 3.0, 12.0, 3.0, 12.0, "degrees", "turn of the axis with one, either way"),
    "bursts": _row("lognormal", 18.0, 0.7, 0.0, 120.0, "1/h", "bursts of noise by movement, 2 to 12 s, beside those of postures"),
    "burst_mv": _row("lognormal", 0.06, 0.6, 0.015, 0.30, "mV", "size of such a burst"),
    "atrial_ectopy": _row("lognormal", 4.0, 1.2, 0.0, 120.0, "1/h", "atrial premature beats that mean nothing (Conen 2012, "
                          "10.1161/CIRCULATIONAHA.112.112300)"),
    "ventricular_ectopy": _row("lognormal", 2.0, 1.5, 0.0, 240.0, "1/h", "ventricular premature beats"),
    "coupling": _row("normal", 0.70, 0.05, 0.58, 0.80, "share of RR", "coupling of atrial premature beats"),
    "ectopy_drift": _row("uniform", 0.25, 0.60, 0.25, 0.60, "log", "slow change of the frequency of premature beats"),
    "held": _row("share", 0.24, 0, 0, 1, "share", "channels without a progression that are constant at some height"),
    "hill": _row("share", 0.12, 0, 0, 1, "share", "channels without a progression that rise and fall again"),
    "hill_s": _row("uniform", 400, 1100, 400, 1100, "s", "duration of such a rise and fall"),
    "span_s": _row("normal", 900, 150, 600, 1200, "s", "how long before the onset a progression begins"),
    "bend": _row("uniform", 1.0, 2.0, 1.0, 2.0, "exponent", "its course: (share of the span)^bend"),
    "strength": _row("lognormal", 1.0, 0.45, 0.25, 2.2, "factor", "of the three effects below, drawn for each channel"),
    "ectopy_peak": _row("share", 6.0, 0, 0, 60, "1/min", "atrial premature beats at the end of a course"),
    "coupling_fall": _row("share", 0.14, 0, 0, 1, "share of RR", "by which they come earlier then (never under 0.42)"),
    "run": _row("share", 0.22, 0, 0, 1, "share", "of them that another one follows then (at most 0.5)"),
    "p_rise_s": _row("share", 0.032, 0, 0, 1, "s", "by which P waves last longer at the end of a course (at most 0.060)"),
    "pr_share": _row("share", 0.7, 0, 0, 1, "share", "of that by which PR grows"),
    "rate_rise": _row("share", 0.20, 0, 0, 1, "log of rate", "rise of the rate at the end of a course"),
    "calm": _row("share", 0.6, 0, 0, 1, "share", "by which variability within a minute falls then (at most 0.85)"),
    "af_rate": _row("normal", 108, 18, 75, 150, "1/min", "ventricular rate in fibrillation"),
    "flutter_rate": _row("uniform", 250, 330, 250, 330, "1/min", "waves of flutter"),
})
