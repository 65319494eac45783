"""What conduction, chambers and placement do to P and QRS: functions that change a `Heart` in place.

Criteria for conduction disturbances: Surawicz et al. 2009 (AHA/ACCF/HRS part III, 10.1161/CIRCULATIONAHA.108.191095);
for hypertrophy: Hancock et al. 2009 (part V, 10.1161/CIRCULATIONAHA.108.191097). Vectors are those of the textbook
loops (Chou's Electrocardiography, 6th ed. 2008), in Frank's axes x left, y down, z back.
"""

from __future__ import annotations

import numpy as np

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.heart import Heart, Ventricle, lognormal, with_axis
from ecglm.signal.simulate.kernels import AT, LEFT, LOCAL, RIGHT, VECTOR, grown, net_vector, table, turned
from ecglm.signal.simulate.support import lead_heights, shape_on
from ecglm.signal.simulate.torso import TWELVE_12_8

Rng = np.random.Generator


def personal(kernels: FloatArray, rng: Rng, spread: float = 0.12, size: float = 1.0) -> FloatArray:
    """A textbook shape as one patient has it."""
    out = grown(kernels, size * lognormal(rng, 0.17))
    height = np.linalg.norm(out[:, VECTOR], axis=1, keepdims=True)
    out[:, VECTOR] += rng.normal(0, spread, (len(out), 3)) * height
    out[:, LOCAL] += rng.normal(0, 0.07, (len(out), 8)) * height
    out[:, AT] += rng.normal(0, 0.012, len(out))
    out[:, LEFT:RIGHT + 1] *= np.exp(rng.normal(0, 0.08, (len(out), 2)))
    return out


def discordant(beat: Ventricle, rng: Rng, st: float = 0.07, t: float = 0.24) -> None:
    """ST segment and T wave that point away from the QRS, as after any abnormal depolarisation (secondary change)."""
    away = -net_vector(beat.qrs) / max(float(np.linalg.norm(net_vector(beat.qrs))), 1e-9)
    size = float(np.linalg.norm(beat.qrs[:, VECTOR], axis=1).max())
    beat.pull_t(0.0, away * t * size * lognormal(rng, 0.2))
    beat.t[:, LOCAL] *= 0.5
    beat.set_st(away * st * size, 0.55 * away * st * size)
    beat.st[:, LEFT] *= 1.3


def left_bundle(heart: Heart, rng: Rng, complete: bool = True) -> None:
    """LBBB: no septal q, slow notched R in I, aVL, V5-V6, QS or rS in V1-V3; 120 ms and more (incomplete: 110 to 119)."""
    beat = heart.usual
    beat.qrs_s = float(rng.uniform(0.134, 0.168) if complete else rng.uniform(0.112, 0.118))
    size = 1.0 if complete else 0.85
    shape = table((0.17, 0.080, 0.22, 0.14, 0.10), (0.36, 0.105, 0.78, 0.25, 0.92), (0.62, 0.110, 0.92, 0.08, 1.12),
                  (0.82, 0.085, 0.30, -0.06, 0.42))
    beat.qrs = with_axis(personal(shape, rng, 0.10, size), float(rng.uniform(-28, 55)), heart.field_83)
    beat.qt_extra_s = 0.5 * (beat.qrs_s - 0.09)
    if complete:
        discordant(beat, rng)
    else:
        beat.t = grown(beat.t, 0.55)


def right_bundle(heart: Heart, rng: Rng, complete: bool = True) -> None:
    """RBBB: rsR' in V1-V2 and a slow S in I and V6, 120 ms and more (incomplete: 110 to 119, small r')."""
    beat = heart.usual
    old, beat.qrs_s = beat.qrs_s, float(rng.uniform(0.126, 0.155) if complete else rng.uniform(0.111, 0.117))
    squeeze = (0.80 * old if complete else 0.90 * old) / beat.qrs_s
    beat.qrs[:, AT:RIGHT + 1] *= squeeze
    beat.qrs[beat.qrs[:, AT] > 0.6 * squeeze, 3:] *= 0.35  # the base no longer stands against the right ventricle
    terminal = table((0.74, 0.090, -0.44, 0.02, -0.60), (0.66, 0.07, -0.18, -0.06, -0.30)) if complete else \
        table((0.84, 0.060, -0.22, -0.06, -0.34))
    beat.qrs = np.vstack([beat.qrs, personal(terminal, rng, 0.13)])
    beat.qt_extra_s = 0.4 * (beat.qrs_s - 0.09)
    if complete:  # T against the terminal force: inverted in V1 to V3
        beat.t[0, VECTOR] += np.array([0.06, 0.0, 0.30]) * float(rng.uniform(0.7, 1.2))
        beat.st[0, VECTOR] += (0.02, 0.0, 0.05)


def left_anterior(heart: Heart, rng: Rng) -> None:
    """LAFB: axis -45 to -90, qR in aVL, rS in II, III, aVF, QRS under 120 ms."""
    beat = heart.usual
    beat.qrs_s = max(beat.qrs_s, float(rng.uniform(0.098, 0.112)))
    shape = table((0.17, 0.075, -0.10, 0.28, -0.22), (0.42, 0.090, 0.72, -0.22, 0.05), (0.60, 0.095, 0.42, -0.80, 0.42),
                  (0.80, 0.080, -0.16, -0.42, 0.34))
    late = beat.qrs[beat.qrs[:, AT] > 0.9]  # a terminal force that a right bundle branch block has put there stays
    beat.qrs = np.vstack([with_axis(personal(shape, rng, 0.08), float(rng.uniform(-72, -52)), heart.field_83), late])


def left_posterior(heart: Heart, rng: Rng) -> None:
    """LPFB: axis 90 to 180, rS in I and aVL, qR in III and aVF, QRS under 120 ms."""
    beat = heart.usual
    beat.qrs_s = max(beat.qrs_s, float(rng.uniform(0.098, 0.112)))
    shape = table((0.17, 0.075, 0.18, -0.26, -0.20), (0.42, 0.090, 0.66, 0.60, 0.10), (0.60, 0.095, -0.30, 0.95, 0.58),
                  (0.80, 0.080, -0.58, 0.45, 0.52))
    shape[1:3, LOCAL.stop - 2: LOCAL.stop] = 0.30  # V5 and V6 lie upon the wall that the dipole leaves
    beat.qrs = with_axis(personal(shape, rng, 0.08), float(rng.uniform(100, 122)), heart.field_83)


def right_bundle_left_anterior(heart: Heart, rng: Rng) -> None:
    """Bifascicular block: LAFB for the first part of the QRS, then the right ventricle late."""
    left_anterior(heart, rng)
    n = len(heart.usual.qrs)
    right_bundle(heart, rng)
    early, late = heart.usual.qrs[:n], heart.usual.qrs[n:]
    late[:, VECTOR] *= (0.7, 0.6, 1.3)
    # The left ventricle decides the axis.
    size, other = (float(np.linalg.norm(net_vector(part)[:2])) for part in (early, late))
    early = grown(early, max(1.1, min(2.4 * other / size, 3.0)))
    heart.usual.qrs = np.vstack([with_axis(early, float(rng.uniform(-75, -52)), heart.field_83, late), late])


def diffuse_delay(heart: Heart, rng: Rng) -> None:
    """Nonspecific intraventricular delay: the usual QRS, 112 to 140 ms long and notched."""
    beat = heart.usual
    beat.qrs_s = float(rng.uniform(0.116, 0.140))
    notches = table((0.45, 0.05, 0.0, 0.0, 0.0), (0.78, 0.07, 0.0, 0.0, 0.0))
    notches[:, VECTOR] = rng.normal(0, 0.22, (2, 3))
    beat.qrs = np.vstack([beat.qrs, notches])
    beat.t = grown(beat.t, 0.6)
    beat.qt_extra_s = 0.4 * (beat.qrs_s - 0.09)


def preexcitation(heart: Heart, rng: Rng) -> None:
    """WPW: PR under 120 ms, a slurred delta wave, QRS over 110 ms, ST-T against the delta wave."""
    beat = heart.usual
    heart.pr_s = float(rng.uniform(0.088, 0.112))
    beat.qrs_s = float(rng.uniform(0.120, 0.146))
    left_sided = rng.random() < 0.5
    delta = (0.22, 0.20, -0.42) if left_sided else (0.48, 0.06, 0.22)
    beat.qrs[:, AT] = 0.30 + 0.68 * beat.qrs[:, AT]
    beat.qrs[:, LEFT:RIGHT + 1] *= 0.74
    beat.qrs[0, 3:] *= 0.1  # the septum is no longer first
    if left_sided:  # R in V1 to V6
        beat.qrs[:, VECTOR] = turned(beat.qrs, 0, -58)[:, VECTOR]
        beat.qrs[3, 3:] *= 0.4
    else:  # the front that comes from the pathway has taken the place of the usual r in V1
        beat.qrs[1, VECTOR] = 0.7 * beat.qrs[1, VECTOR] + 0.5 * np.array(delta)
    beat.qrs = np.vstack([beat.qrs, personal(table((0.33, 0.135, 0.24, *delta)), rng, 0.06)])
    beat.pull_t(1.0, -0.55 * np.array(delta))
    beat.qt_extra_s = 0.02


def short_pr(heart: Heart, rng: Rng, low: float = 0.095, high: float = 0.113) -> None:
    """A short PR interval without a delta wave."""
    heart.pr_s = float(rng.uniform(low, high))


def long_pr(heart: Heart, rng: Rng, low: float = 0.215, high: float = 0.300) -> None:
    """A long PR interval: first-degree AV block."""
    heart.pr_s = float(rng.uniform(low, high))


def qrs_wave(heart: Heart) -> FloatArray:
    """The usual QRS in the eight independent leads, ``[time, 8]`` (mV)."""
    kernels = heart.usual.qrs
    return shape_on(np.linspace(0, 1, 80), kernels, lead_heights(kernels, heart.field_83))


def left_hypertrophy(heart: Heart, rng: Rng, strain: bool | None = None) -> None:
    """LVH: Sokolow-Lyon (S V1 + R V5 or V6) above 3.5 mV, axis to the left, mostly with strain in V5-V6."""
    beat = heart.usual
    beat.qrs = turned(beat.qrs, float(rng.uniform(-22, 0)), float(rng.uniform(8, 20)))
    wave = qrs_wave(heart)
    sokolow = -wave[:, 2].min() + wave[:, 6:].max()
    gain = max(1.0, float(rng.uniform(3.9, 5.6)) / max(sokolow, 0.5))
    beat.qrs = grown(beat.qrs, gain)
    for lead, height in enumerate(np.ptp(gain * wave, axis=0)):
        if height > 4.8:  # an electrode so near to the heart does not get nearer as the heart grows
            heart.field_83[lead] *= 4.8 / height
            beat.qrs[:, LOCAL.start + lead] *= 4.8 / height
    beat.qrs_s = float(np.clip(beat.qrs_s + rng.uniform(0.004, 0.014), 0.09, 0.116))
    if strain if strain is not None else rng.random() < 0.75:
        beat.pull_t(0.0, np.array([-0.30, -0.06, -0.22]) * float(rng.uniform(0.6, 1.3)))
        down = np.array([-0.09, -0.03, -0.07]) * float(rng.uniform(0.7, 1.3))
        beat.set_st(0.6 * down, down)
        beat.t[:, LEFT] *= 1.25
    if rng.random() < 0.4:
        left_atrium(heart, rng)


def right_hypertrophy(heart: Heart, rng: Rng) -> None:
    """RVH: axis 100 and more, R in V1 of 0.7 mV and more and larger than S, deep S in V5-V6, T inverted V1-V3."""
    beat = heart.usual
    shape = table((0.20, 0.075, 0.10, 0.02, -0.16), (0.42, 0.090, 0.22, 0.52, -0.42), (0.60, 0.090, -0.62, 0.62, -0.72),
                  (0.80, 0.080, -0.40, 0.10, 0.05))
    beat.qrs = with_axis(personal(shape, rng, 0.08), float(rng.uniform(103, 130)), heart.field_83)
    beat.qrs = grown(beat.qrs, max(1.0, float(rng.uniform(0.85, 1.3)) / max(float(qrs_wave(heart)[:, 2].max()), 0.2)))
    beat.pull_t(0.0, np.array([0.20, 0.02, 0.26]) * float(rng.uniform(0.7, 1.2)))
    beat.set_st((0.01, 0.0, 0.035), (0.02, 0.0, 0.07))
    if rng.random() < 0.5:
        right_atrium(heart, rng)


def left_atrium(heart: Heart, rng: Rng) -> None:
    """LAE: P of 120 ms and more, notched in II; terminal force in V1 of 1 mm for 40 ms and more."""
    heart.p_s = float(rng.uniform(0.122, 0.142))
    heart.pr_s = max(heart.pr_s, heart.p_s + 0.03)
    heart.p = personal(table((0.31, 0.140, 0.050, 0.080, -0.055), (0.70, 0.160, 0.100, 0.080, 0.105)), rng, 0.10)
    in_v1 = -float(lead_heights(heart.p, heart.field_83)[1, 2])
    heart.p = grown(heart.p, max(1.0, min(float(rng.uniform(0.12, 0.17)) / max(in_v1, 0.05), 1.6)))


def right_atrium(heart: Heart, rng: Rng) -> None:
    """RAE: peaked P above 0.25 mV in II, tall and positive in V1, of normal duration."""
    heart.p = personal(table((0.42, 0.135, 0.040, 0.260, -0.120), (0.66, 0.140, 0.030, 0.085, 0.010)), rng, 0.08)
    in_ii = float((heart.p[:, VECTOR] @ heart.field_83[1]).max())
    heart.p = grown(heart.p, max(1.0, float(rng.uniform(0.28, 0.38)) / max(in_ii, 0.05)))


def low_voltage(heart: Heart, rng: Rng) -> None:
    """QRS under 0.5 mV from peak to nadir in all limb leads, and under 1 mV in the chest leads."""
    wave = qrs_wave(heart) @ TWELVE_12_8.T
    range_12 = wave.max(axis=0) - wave.min(axis=0)
    gain = min(float(rng.uniform(0.32, 0.44)) / float(range_12[:6].max()), 0.90 / float(range_12[6:].max()))
    heart.usual.qrs = grown(heart.usual.qrs, min(gain, 1.0))
    heart.usual.t, heart.usual.st = grown(heart.usual.t, max(gain, 0.35)), grown(heart.usual.st, max(gain, 0.35))
    heart.p = grown(heart.p, 0.75)


def high_voltage(heart: Heart, rng: Rng) -> None:
    """The tall QRS of a young, trained or slim person, everything else normal."""
    heart.usual.qrs = grown(heart.usual.qrs, float(rng.uniform(1.35, 1.65)))


def axis(heart: Heart, rng: Rng, low: float, high: float) -> None:
    """A QRS axis (degrees) between low and high, without another abnormality."""
    heart.usual.qrs = with_axis(heart.usual.qrs, float(rng.uniform(low, high)), heart.field_83)


def mirrored(heart: Heart, rng: Rng) -> None:
    """Dextrocardia: everything from right to left, R waves that shrink from V1 to V6."""
    for kernels in (heart.p, heart.usual.qrs, heart.usual.st, heart.usual.t, heart.u):
        kernels[:, VECTOR.start] *= -1
        kernels[:, LOCAL.start] *= -1
    heart.chest_gain = np.array([1.0, 0.85, 0.62, 0.45, 0.34, 0.26])


def swapped(heart: Heart, rng: Rng, cables: str = "LA-RA") -> None:
    """Two limb cables exchanged."""
    heart.swap = cables


def make_ectopic(heart: Heart, rng: Rng, wide: tuple[float, float] = (0.135, 0.168)) -> Ventricle:
    """A beat from within the ventricles: wide, notched, discordant. Its shape tells the side (RBBB-like from the left)."""
    if rng.random() < 0.5:  # left ventricle: to the right and front
        way = np.array([-0.55, float(rng.choice([-0.8, 0.75])), -0.85])
    else:                   # right ventricle or its outflow tract: to the left and back
        way = np.array([0.70, float(rng.choice([-0.5, 0.95])), 0.75])
    way = way / np.linalg.norm(way) * float(rng.uniform(1.05, 1.6))
    side = rng.normal(0, 0.28, (4, 3))
    shape = table((0.22, 0.10, 0, 0, 0), (0.42, 0.12, 0, 0, 0), (0.62, 0.11, 0, 0, 0), (0.84, 0.08, 0, 0, 0))
    shape[:, VECTOR] = np.outer([0.35, 0.85, 0.62, -0.22], way) + side * np.array([[0.8], [0.6], [0.9], [0.7]])
    beat = Ventricle(float(rng.uniform(*wide)), personal(shape, rng, 0.05), heart.usual.st.copy(), heart.usual.t.copy(), 0.03)
    discordant(beat, rng, 0.10, 0.34)
    beat.t[:, LEFT:RIGHT + 1] *= 1.12
    return beat


def make_paced(heart: Heart, rng: Rng) -> Ventricle:
    """A beat from the apex of the right ventricle: like LBBB, axis up, negative in most chest leads."""
    shape = table((0.20, 0.090, 0.16, -0.28, 0.16), (0.42, 0.115, 0.50, -0.62, 0.85), (0.64, 0.110, 0.52, -0.80, 1.00),
                  (0.84, 0.075, 0.10, -0.30, 0.40))
    qrs = with_axis(personal(shape, rng, 0.08, 1.05), float(rng.uniform(-82, -52)), heart.field_83)
    beat = Ventricle(float(rng.uniform(0.142, 0.172)), qrs, heart.usual.st.copy(), heart.usual.t.copy(), 0.035)
    discordant(beat, rng, 0.08, 0.27)
    return beat
