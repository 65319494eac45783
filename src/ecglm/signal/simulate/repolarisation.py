"""What ischaemia, infarction, electrolytes, drugs and channels do to Q, ST, T and U: functions that change a `Heart`.

Infarction: Thygesen et al. 2018, fourth universal definition (10.1161/CIR.0000000000000617). Ischaemia: Wagner et al.
2009 (AHA/ACCF/HRS part VI, 10.1161/CIRCULATIONAHA.108.191098). QT: Rautaharju et al. 2009 (part IV,
10.1161/CIRCULATIONAHA.108.191096). Electrolytes, digitalis, pericarditis: Chou's Electrocardiography, 6th ed. 2008.
Vectors in Frank's axes x left, y down, z back: an injury vector points to the injured wall.
"""

from __future__ import annotations

import numpy as np

from ecglm.signal.simulate.heart import Heart
from ecglm.signal.simulate.kernels import AT, INDEPENDENT, LEFT, RIGHT, VECTOR, grown, local, table
from ecglm.signal.simulate.support import lead_heights

Rng = np.random.Generator

#: Injury vector (mV at a middling infarct) and the force that is lost where the wall is dead.
INJURY: dict[str, tuple[float, float, float]] = {
    "anterior": (0.13, -0.03, -0.25), "inferior": (-0.07, 0.26, 0.06), "lateral": (0.26, -0.13, 0.03),
    "posterior": (0.06, 0.04, 0.23),
}
DEAD: dict[str, tuple[float, float, float]] = {
    "anterior": (-0.32, 0.02, 0.80), "inferior": (0.10, -0.85, 0.10), "lateral": (-0.85, 0.16, -0.05),
    "posterior": (-0.05, -0.05, -0.85),
}


def elevation(heart: Heart, rng: Rng, wall: str) -> None:
    """STEMI: ST elevation of the wall with reciprocal depression, tall T waves, early Q waves in some."""
    beat, size = heart.usual, float(rng.uniform(0.85, 1.7))
    injury = np.array(INJURY[wall]) * (1 + rng.normal(0, 0.08, 3)) * size
    beat.st = table((0.012, 0.016, 0.075, *(0.85 * injury)), (0.100, 0.050, 0.060, *(0.55 * injury)))
    t = injury * float(rng.uniform(0.9, 1.6))
    # Seen from the front a posterior infarct is a mirror image: ST depression with an upright T, tall R (Thygesen 2018).
    beat.pull_t(0.45, 1.1 * t if wall != "posterior" else -0.9 * t)
    beat.t[:, LEFT] *= 1.2
    if rng.random() < 0.4 or wall == "posterior":
        _scar(heart, rng, wall, 0.55)


def old_infarct(heart: Heart, rng: Rng, wall: str) -> None:
    """Old infarction: Q waves of 30 ms and more over the wall, T inverted there in most."""
    _scar(heart, rng, wall, float(rng.uniform(0.85, 1.2)))
    if rng.random() < 0.7:
        heart.usual.pull_t(0.55, -0.75 * np.array(INJURY[wall]))


def _scar(heart: Heart, rng: Rng, wall: str, size: float) -> None:
    """The dead wall no longer opposes the other: the first half of the QRS points away from it."""
    beat = heart.usual
    away = np.array(DEAD[wall]) * size
    late = wall == "posterior"  # the posterior wall is activated last: a broad R in V1-V2 instead of a Q
    if not late:
        beat.qrs[0, VECTOR] = 0.15 * beat.qrs[0, VECTOR] + 0.62 * away
        beat.qrs[0, AT], beat.qrs[0, LEFT:RIGHT + 1] = 0.20, 0.095
        beat.qrs[1, VECTOR] = 0.35 * beat.qrs[1, VECTOR] + 0.45 * away
        beat.qrs[2, VECTOR] += 0.16 * away
    else:
        beat.qrs[1, VECTOR] += 0.35 * away
        beat.qrs[2, VECTOR] = beat.qrs[2, VECTOR] * (0.85, 0.9, 0.0) + 0.42 * away
        beat.qrs[3, VECTOR] *= 0.25
    beat.qrs_s = min(beat.qrs_s + 0.006, 0.114)


def subendocardial(heart: Heart, rng: Rng) -> None:
    """Horizontal or downsloping ST depression in I, II, V4-V6 of 0.1 mV and more, elevation in aVR."""
    beat, size = heart.usual, float(rng.uniform(0.9, 1.7))
    down = np.array([-0.15, -0.11, 0.05]) * size
    beat.st = table((0.025, 0.022, 0.060, *(0.80 * down)), (0.105, 0.055, 0.050, *(0.85 * down)))
    beat.t = grown(beat.t, float(rng.uniform(0.25, 0.7)))


def inverted_t(heart: Heart, rng: Rng, wall: str) -> None:
    """Symmetric T inversion over a wall: ischaemia without ST shift."""
    beat, size = heart.usual, float(rng.uniform(0.9, 1.6))
    toward = {"anterior": (-0.20, 0.0, 0.24), "inferior": (0.02, -0.28, 0.0), "lateral": (-0.28, 0.03, 0.06)}[wall]
    beat.pull_t(0.25, np.array(toward) * size)
    beat.t[:, LEFT] *= 0.9


def flat_t(heart: Heart, rng: Rng) -> None:
    """Nonspecific: low T waves and a slight ST depression."""
    heart.usual.t = grown(heart.usual.t, float(rng.uniform(0.08, 0.35)))
    down = np.array([-0.05, -0.035, 0.02]) * float(rng.uniform(0.3, 1.3))
    heart.usual.st = np.vstack([heart.usual.st, table((0.020, 0.016, 0.070, *(0.7 * down)), (0.105, 0.05, 0.05, *(0.8 * down)))])


def juvenile(heart: Heart, rng: Rng) -> None:
    """Persistent juvenile pattern: T inverted in V1 to V3 of a healthy young person."""
    heart.age = int(rng.integers(18, 32))
    heart.usual.pull_t(1.0, (0.05, 0.05, 0.20))
    height = lead_heights(heart.usual.t, heart.field_83).sum(axis=0)
    down = {lead: -max(height[INDEPENDENT.index(lead)], 0.0) - float(rng.uniform(*depth))
            for lead, depth in (("V1", (0.06, 0.16)), ("V2", (0.10, 0.22)), ("V3", (0.04, 0.14)))}
    heart.usual.t = np.vstack([heart.usual.t, local(down, *heart.usual.t[0, AT:RIGHT + 1])])


def pericarditis(heart: Heart, rng: Rng) -> None:
    """Concave ST elevation in most leads, depression in aVR and V1, PR depression."""
    beat, size = heart.usual, float(rng.uniform(0.85, 1.5))
    up = np.array([0.13, 0.15, -0.05]) * size
    beat.st = table((0.012, 0.014, 0.070, *(0.70 * up)), (0.110, 0.060, 0.060, *(0.60 * up)))
    recovery = table((1.00, 0.26, 0.26, *(-0.26 * up)))  # atrial injury between P and QRS
    heart.p = np.vstack([heart.p, recovery])
    heart.rate = float(rng.uniform(78, 108))


def early_repolarisation(heart: Heart, rng: Rng) -> None:
    """J-point notch and concave ST elevation in V2-V5 and inferior leads, tall T (Macfarlane et al. 2015,
    10.1016/j.jacc.2015.05.033)."""
    beat, size = heart.usual, float(rng.uniform(0.9, 1.5))
    up = np.array([0.09, 0.09, -0.10]) * size
    notch = (0.003, 0.011, 0.012, *(0.9 * up))
    beat.st = table(notch, (0.016, 0.014, 0.060, *(0.70 * up)), (0.110, 0.060, 0.060, *(0.75 * up)))
    beat.t = grown(beat.t, 1.35)
    heart.age, heart.sex = int(rng.integers(18, 45)), "male"


def athlete(heart: Heart, rng: Rng) -> None:
    """Trained heart: slow, marked sinus arrhythmia, tall QRS and T, some early repolarisation."""
    early_repolarisation(heart, rng)
    heart.usual.st = grown(heart.usual.st, 0.6)
    heart.usual.qrs = grown(heart.usual.qrs, float(rng.uniform(1.2, 1.45)))
    heart.rate, heart.rsa = float(rng.uniform(46, 57)), float(rng.uniform(0.05, 0.09))


def brugada(heart: Heart, rng: Rng) -> None:
    """Type 1: coved ST elevation of 0.2 mV and more in V1-V2 that descends into a negative T (Wilde et al. 2002,
    10.1161/01.CIR.0000034169.45752.4A)."""
    beat, size = heart.usual, float(rng.uniform(1.0, 1.5))
    coved = {"V1": 0.34 * size, "V2": 0.40 * size, "V3": 0.12 * size}
    beat.st = np.vstack([beat.st, local(coved, 0.004, 0.018, 0.066)])
    beat.t = np.vstack([beat.t, local({"V1": -0.30 * size, "V2": -0.62 * size, "V3": -0.20 * size}, -0.085, 0.060, 0.040)])
    beat.qrs_s = max(beat.qrs_s, 0.102)


def long_qt(heart: Heart, rng: Rng) -> None:
    """QTc of 490 ms and more; the T wave comes late, broad or notched."""
    heart.qtc_s = float(rng.uniform(0.495, 0.560))
    if rng.random() < 0.5:
        heart.usual.t[:, LEFT] *= 1.5
    else:  # late T after a long, flat ST segment
        heart.usual.t[:, LEFT] *= 0.9
    heart.u = grown(heart.u, 0.2)


def short_qt(heart: Heart, rng: Rng) -> None:
    """QTc of 340 ms and less, hardly an ST segment, tall, narrow T."""
    heart.qtc_s = float(rng.uniform(0.305, 0.335))
    t = heart.usual.t
    t[:, LEFT:RIGHT + 1] *= 0.80
    heart.usual.t, heart.usual.st = grown(t, float(rng.uniform(1.15, 1.5))), grown(heart.usual.st, 0.5)
    heart.rate = min(heart.rate, 80.0)


def hyperkalaemia(heart: Heart, rng: Rng) -> None:
    """Tented T waves on a narrow base, flat P, longer PR and, when severe, a wide QRS."""
    beat, severe = heart.usual, float(rng.random())
    shape = np.abs(np.linalg.norm(beat.t[:, VECTOR], axis=1).sum())
    beat.t = table((-0.072, 0.034, 0.028, *(np.array([0.50, 0.36, -0.46]) * max(0.75, min(shape / 0.42, 1.35)))))
    beat.t[0, VECTOR] *= 1 + rng.normal(0, 0.1, 3)
    beat.st = grown(beat.st, 0.3)
    heart.p = grown(heart.p, 0.75 - 0.5 * severe)
    heart.pr_s = min(heart.pr_s + 0.03 + 0.04 * severe, 0.24)
    beat.qrs_s += 0.006 + 0.034 * severe
    beat.qt_extra_s += 0.3 * (beat.qrs_s - 0.09)
    heart.qtc_s = float(rng.uniform(0.375, 0.405))
    heart.u = grown(heart.u, 0.0)


def hypokalaemia(heart: Heart, rng: Rng) -> None:
    """ST depression, flat T, and a U wave larger than the T wave."""
    beat = heart.usual
    beat.t = grown(beat.t, float(rng.uniform(0.12, 0.35)))
    down = np.array([-0.06, -0.05, 0.03]) * float(rng.uniform(0.8, 1.5))
    beat.st = table((0.030, 0.030, 0.060, *(0.8 * down)), (0.110, 0.055, 0.060, *(0.9 * down)))
    heart.u = table((0.115, 0.048, 0.060, *(np.array([0.12, 0.09, -0.11]) * float(rng.uniform(0.8, 1.5)))))
    heart.rate = min(heart.rate, 78.0)


def digitalis(heart: Heart, rng: Rng) -> None:
    """Sagging ST depression against the QRS, low T, short QT."""
    beat, size = heart.usual, float(rng.uniform(0.9, 1.6))
    down = np.array([-0.11, -0.09, -0.01]) * size
    beat.st = table((0.075, 0.060, 0.048, *down), (0.120, 0.050, 0.035, *(0.45 * down)))
    beat.t = grown(beat.t, float(rng.uniform(0.3, 0.6)))
    heart.qtc_s = float(rng.uniform(0.345, 0.375))
    heart.pr_s = min(heart.pr_s + 0.02, 0.199)


def hypercalcaemia(heart: Heart, rng: Rng) -> None:
    """A short QT at the cost of the ST segment."""
    heart.qtc_s = float(rng.uniform(0.330, 0.350))
    heart.usual.st = grown(heart.usual.st, 0.3)


def hypocalcaemia(heart: Heart, rng: Rng) -> None:
    """A long QT through a long, level ST segment; the T wave itself is of usual width."""
    heart.qtc_s = float(rng.uniform(0.480, 0.530))
    heart.usual.t[:, LEFT] *= 0.8


def pulmonary_embolism(heart: Heart, rng: Rng) -> None:
    """S in I, Q and inverted T in III, T inverted in V1-V4, tachycardia."""
    beat = heart.usual
    beat.qrs = np.vstack([beat.qrs, table((0.84, 0.100, -0.62, 0.04, -0.06), (0.17, 0.090, 0.22, -0.42, 0.0))])
    beat.pull_t(0.4, (-0.04, -0.14, 0.32))
    heart.rate = float(rng.uniform(101, 128))


def alternans(heart: Heart, rng: Rng) -> None:
    """Electrical alternans: every other QRS is smaller."""
    heart.alternans = float(rng.uniform(0.30, 0.50))
    heart.usual.qrs = grown(heart.usual.qrs, 0.75)
    heart.rate = float(rng.uniform(92, 118))


def hypothermia(heart: Heart, rng: Rng) -> None:
    """Osborn's J wave, slow rate, long QT."""
    wave = np.array([0.24, 0.20, -0.14]) * float(rng.uniform(0.9, 1.5))
    heart.usual.st = np.vstack([table((0.012, 0.014, 0.020, *wave)), heart.usual.st])
    heart.rate, heart.qtc_s = float(rng.uniform(38, 54)), float(rng.uniform(0.450, 0.490))
