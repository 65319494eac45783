"""One patient's heart: rate, conduction times and the shape of every wave, drawn from the normal population.

Conditions (`conduction`, `repolarisation`) change what is drawn here. Vectors were chosen so that the mean patient
through Dower's matrix has the normal amplitudes and R progression of Rijnbeek et al. 2014 (normal limits of the
electrocardiogram, 10.1016/j.jelectrocard.2014.07.022) and that paper's dependence of QTc and axis on age and sex.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.kernels import AT, LEFT, LOCAL, RIGHT, VECTOR, grown, net_vector, table, turned
from ecglm.signal.simulate.support import lead_heights
from ecglm.signal.simulate.torso import axis_of_leads, draw_field

#: Mean kernels. P and QRS: centre and width as shares of the wave's duration. T: seconds before (negative) its end.
P = table((0.34, 0.155, 0.058, 0.062, -0.045), (0.64, 0.165, 0.090, 0.045, 0.022))
QRS = table(
    (0.20, 0.080, -0.09, -0.03, -0.24),   # septum: to the right and front
    (0.38, 0.080, 0.46, 0.27, -0.22),     # apex and anterior wall
    (0.52, 0.082, 0.90, 0.46, 0.46),      # free wall of the left ventricle
    (0.70, 0.090, -0.03, -0.10, 0.50),    # base: up and back
)
T = table((-0.085, 0.050, 0.037, 0.235, 0.125, -0.165), (-0.150, 0.055, 0.050, 0.06, 0.03, -0.05))
#: The segment between J point and T wave, seconds after J: a plateau made of two bells, without height when normal.
ST = table((0.020, 0.014, 0.050, 0.0, 0.0, 0.0), (0.085, 0.045, 0.055, 0.012, 0.010, -0.022))
U = table((0.130, 0.035, 0.009, 0.007, -0.007))
#: A healthy T wave is hardly taller in any lead; factors that multiply made one of 1.6 mV.
_TALLEST_T_MV = 1.2
#: Near electrodes (V1-V4) see more than a dipole: multipoles fall with the cube of the distance.
_NEARNESS_8 = np.array([0.4, 0.4, 1.0, 1.3, 1.3, 1.1, 0.8, 0.6])


@dataclass
class Ventricle:
    """A ventricular complex: qrs_s and the tables of QRS (shares of qrs_s), ST (seconds after J), T (before its end).

    qt_extra_s: what its QT has over that of a QRS of usual width.
    """

    qrs_s: float
    qrs: FloatArray
    st: FloatArray
    t: FloatArray
    qt_extra_s: float = 0.0

    def set_st(self, early: ArrayLike, late: ArrayLike) -> None:
        """An ST segment with these vectors (mV) just after J and before the T wave."""
        self.st = ST.copy()
        self.st[:, VECTOR] = np.array([early, late])

    def pull_t(self, keep: float, toward: ArrayLike) -> None:
        """`keep` of the T wave as it is, and `toward` (mV) added to it."""
        share = np.array([0.75, 0.25, *np.zeros(len(self.t))])[: len(self.t)]
        self.t = self.t.copy()
        self.t[:, VECTOR] = keep * self.t[:, VECTOR] + np.outer(share / share.sum(), np.asarray(toward))


@dataclass(frozen=True, eq=False)
class Course:
    """What changes in the course of a long record, at equally spaced times_s ``[time]`` (s).

    breath: phase of respiration (rad). turn_deg: change of the axis with posture. p_extra_s: by how much P waves last
    longer than at first; p_split 0..1: how far their two halves are apart.
    """

    times_s: FloatArray
    breath: FloatArray
    turn_deg: FloatArray
    p_extra_s: FloatArray
    p_split: FloatArray

    def at(self, name: str, times: FloatArray) -> FloatArray:
        """One of the arrays above at other times."""
        return np.asarray(np.interp(times, self.times_s, getattr(self, name)))


@dataclass
class Heart:
    """Everything about one patient that conditions may change; times in seconds, rates per minute, heights in mV."""

    age: int
    sex: Literal["female", "male"]
    field_83: FloatArray
    rate: float
    pr_s: float
    p_s: float
    qtc_s: float                          #: Fridericia
    usual: Ventricle
    p: FloatArray
    u: FloatArray
    rsa: float                            #: respiratory change of RR, share of RR
    lf: float                             #: change of RR at 0.1 Hz
    jitter: float                         #: beat-to-beat change of RR
    breath_hz: float
    breath_phase: float
    breath_gain: float                    #: change of amplitude with respiration, share
    breath_turn_deg: float                #: change of axis with respiration
    ectopic: Ventricle | None = None      #: premature, escape and tachycardia beats
    paced: Ventricle | None = None
    fibrillation_mv: float = 0.07
    alternans: float = 0.0                #: share by which every other QRS is smaller
    swap: str | None = None               #: cables that were swapped (torso.SWAPS)
    chest_gain: FloatArray | None = None  #: of V1 to V6, where it is not 1
    course: Course | None = None          #: what changes while it is recorded, beside the rhythm

    @property
    def qrs_s(self) -> float:
        """Duration of the usual QRS."""
        return self.usual.qrs_s


def draw_heart(rng: np.random.Generator) -> Heart:
    """A healthy adult in sinus rhythm."""
    age = int(bounded(rng, 58, 17, 18, 94))
    male = bool(rng.random() < 0.52)
    field_83 = draw_field(rng)
    size = lognormal(rng, 0.20) * (1.06 if male else 0.94) * (1.12 - 0.0024 * (age - 18))
    qrs = turned(_varied(QRS, rng, 0.16, 0.018), horizontal_deg=9 * rng.standard_normal())
    qrs = np.vstack([grown(qrs, size), _notches(rng, size)])
    axis = bounded(rng, 41 - 0.75 * (age - 20), 33, -29, 89)
    qrs = with_axis(qrs, axis, field_83)
    t_gain = lognormal(rng, 0.30) * (1.15 if male else 0.85) * (1.10 - 0.006 * (age - 18))
    t = grown(turned(_varied(T, rng, 0.12, 0.006), 0.30 * (axis - 40) + bounded(rng, 0, 10, -18, 18),
                     bounded(rng, 0, 14, -24, 24)), t_gain)
    t = grown(t, min(1.0, _TALLEST_T_MV / float(lead_heights(t, field_83).sum(axis=0).max())))
    t[:, LEFT] *= lognormal(rng, 0.12)
    t[:, RIGHT] *= lognormal(rng, 0.10)
    st = grown(_varied(ST, rng, 0.3, 0.004), lognormal(rng, 0.5) * (1.3 if male else 0.7))
    p = grown(turned(_varied(P, rng, 0.16, 0.02), bounded(rng, 0, 12, -20, 20), bounded(rng, 0, 12, -22, 22)),
              lognormal(rng, 0.22))
    # A sinus P wave is upright in II.
    p[:, VECTOR.start + 1] += max(0.0, 0.03 - float(lead_heights(p, field_83)[:, 1].min())) / field_83[1, 1]
    usual = Ventricle(bounded(rng, 0.089 if male else 0.084, 0.0075, 0.070, 0.107), qrs, st, t)
    return Heart(
        age=age, sex="male" if male else "female", field_83=field_83, rate=bounded(rng, 72, 10, 63, 96),
        pr_s=bounded(rng, 0.150 + 0.0003 * (age - 18), 0.018, 0.123, 0.196),
        p_s=bounded(rng, 0.104, 0.009, 0.080, 0.118),
        qtc_s=bounded(rng, 0.402 if male else 0.412, 0.015, 0.365, 0.440), usual=usual, p=p,
        u=grown(U, lognormal(rng, 0.6)), rsa=0.026 * lognormal(rng, 0.6) * math.exp(-0.012 * (age - 40)),
        lf=0.010 * lognormal(rng, 0.5), jitter=0.005 * lognormal(rng, 0.4),
        breath_hz=bounded(rng, 0.25, 0.05, 0.13, 0.42), breath_phase=float(rng.uniform(0, 2 * np.pi)),
        breath_gain=0.035 * lognormal(rng, 0.5), breath_turn_deg=2.5 * lognormal(rng, 0.5),
    )


def bounded(rng: np.random.Generator, mean: float, sd: float, low: float, high: float) -> float:
    """A normal number, moved to the nearer bound where it lies outside."""
    return min(max(mean + sd * rng.standard_normal(), low), high)


def lognormal(rng: np.random.Generator, sd: float) -> float:
    """A log-normal factor around 1."""
    return math.exp(sd * rng.standard_normal())


def with_axis(kernels: FloatArray, axis_deg: float, field_83: FloatArray, beside: FloatArray | None = None) -> FloatArray:
    """Kernels turned in the frontal plane until the net QRS in I and II has this axis through the given lead field.

    beside: kernels of the same QRS that count but are not turned.
    """
    x, y, z = net_vector(kernels)
    beyond_2 = (kernels[:, LEFT] + kernels[:, RIGHT]) @ kernels[:, LOCAL][:, :2]
    if beside is not None:
        beyond_2 = beyond_2 + (beside[:, LEFT] + beside[:, RIGHT]) @ lead_heights(beside, field_83)[:, :2]
    turn = 0.0
    # I and II of the turned vector are these weights times (cos, sin, 1).
    weights_23 = np.stack([field_83[:2, 0] * x + field_83[:2, 1] * y, field_83[:2, 1] * x - field_83[:2, 0] * y,
                           field_83[:2, 2] * z + beyond_2], axis=1).tolist()
    for _ in range(12):  # the lead field distorts angles, so that one turn is not enough
        c, s = math.cos(turn), math.sin(turn)
        i, ii = (a * c + b * s + rest for a, b, rest in weights_23)
        turn += math.radians((axis_deg - axis_of_leads(i, ii) + 180) % 360 - 180)
    return turned(kernels, math.degrees(turn))


def _varied(kernels: FloatArray, rng: np.random.Generator, height: float, shift: float) -> FloatArray:
    """Kernels with vectors, widths and places as they differ between patients, and what single leads see beyond them."""
    out = kernels.copy()
    n = len(out)
    size = np.sqrt(np.square(kernels[:, VECTOR]).sum(axis=1, keepdims=True))
    draws = rng.standard_normal(14 * n)
    out[:, VECTOR] += height * draws[: 3 * n].reshape(n, 3) * size
    out[:, AT] += shift * draws[3 * n: 4 * n]
    out[:, LEFT:RIGHT + 1] *= np.exp(0.10 * draws[4 * n: 6 * n].reshape(n, 2))
    out[:, LOCAL] += 0.11 * draws[6 * n:].reshape(n, 8) * size * _NEARNESS_8
    return out


def _notches(rng: np.random.Generator, size: float) -> FloatArray:
    """Small, steep irregularities within the QRS: activation is not four smooth fronts."""
    n = 3
    out = np.zeros((n, 14))
    out[:, AT] = rng.uniform(0.25, 0.80, n)
    out[:, LEFT] = out[:, RIGHT] = rng.uniform(0.035, 0.06, n)
    out[:, VECTOR] = 0.07 * rng.standard_normal((n, 3)) * size
    out[:, LOCAL] = 0.05 * rng.standard_normal((n, 8)) * size
    return out
