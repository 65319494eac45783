"""The conditions that can be simulated: rhythm, changes of shape, labels, criterion and its source.

Labels are keys of `ecglm.knowledge.statements`. A condition without a rhythm of its own is shown in sinus rhythm and can
be joined with any rhythm and with other shapes: "atrial_fibrillation+lbbb".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from ecglm.signal.simulate import conduction as qrs
from ecglm.signal.simulate import repolarisation as st
from ecglm.signal.simulate import rhythms as r
from ecglm.signal.simulate import ventricular as v
from ecglm.signal.simulate.heart import Heart
from ecglm.signal.simulate.schedule import Beat, Schedule

Rhythm = Callable[[Heart, float, np.random.Generator], Schedule]
Shape = Callable[[Heart, np.random.Generator], None]

_P2 = "Mason 2007, 10.1161/CIRCULATIONAHA.106.180201"
_P3 = "Surawicz 2009, 10.1161/CIRCULATIONAHA.108.191095"
_P4 = "Rautaharju 2009, 10.1161/CIRCULATIONAHA.108.191096"
_P5 = "Hancock 2009, 10.1161/CIRCULATIONAHA.108.191097"
_P6 = "Wagner 2009, 10.1161/CIRCULATIONAHA.108.191098"
_MI = "Thygesen 2018, 10.1161/CIR.0000000000000617"
_AF = "Hindricks 2021 (ESC), 10.1093/eurheartj/ehaa612"
_SVT = "Brugada 2020 (ESC), 10.1093/eurheartj/ehz467"
_VA = "Zeppenfeld 2022 (ESC), 10.1093/eurheartj/ehac262"
_BRADY = "Kusumoto 2019 (ACC/AHA/HRS), 10.1161/CIR.0000000000000628"
_PACE = "Glikson 2021 (ESC), 10.1093/eurheartj/ehab364"
_CHOU = "Surawicz & Knilans 2008, Chou's Electrocardiography, 6th ed."


@dataclass(frozen=True)
class Condition:
    """One row of the table. rate: range of the (sinus or ventricular) rate a minute where the condition sets it.

    rsa: sinus arrhythmia as a share of RR.
    """

    name: str
    title: str
    criterion: str
    source: str
    labels: tuple[str, ...] = ()
    rhythm: Rhythm | None = None
    shapes: tuple[Shape, ...] = ()
    rate: tuple[float, float] | None = None
    rsa: tuple[float, float] | None = None


def _long_pr(low: float, high: float) -> Shape:
    return partial(qrs.long_pr, low=low, high=high)


_TABLE: tuple[Condition, ...] = (
    # Normal variants and sinus rhythms.
    Condition("normal", "normal ECG", "all measurements within normal limits", _P2, ("sub_class:NORM",)),
    Condition("normal_athlete", "trained heart", "rate under 60, tall QRS, early repolarisation", "Sharma 2017, "
              "10.1016/j.jacc.2017.01.015", ("sub_class:NORM", "form:HVOLT"), shapes=(st.athlete,)),
    Condition("normal_juvenile", "persistent juvenile T waves", "T inverted V1-V3, nothing else", _CHOU, ("sub_class:NORM",),
              shapes=(st.juvenile,)),
    Condition("early_repolarisation", "early repolarisation", "J notch and concave ST elevation of 0.1 mV and more",
              "Macfarlane 2015, 10.1016/j.jacc.2015.05.033", ("sub_class:NORM",), shapes=(st.early_repolarisation,)),
    Condition("sinus_bradycardia", "sinus bradycardia", "sinus rhythm under 60", _P2, ("sub_class:NORM", "rhythm:SBRAD"),
              rate=(40, 57)),
    Condition("sinus_tachycardia", "sinus tachycardia", "sinus rhythm over 100", _P2, ("sub_class:NORM", "rhythm:STACH"),
              rate=(104, 142)),
    Condition("sinus_arrhythmia", "sinus arrhythmia", "PP differs by over 120 ms with breathing", _CHOU,
              ("sub_class:NORM", "rhythm:SARRH"), rate=(61, 82), rsa=(0.10, 0.17)),
    Condition("sinus_pause", "sinus pause", "no P wave for over 2 s", _BRADY, rhythm=r.sinus_pause, rate=(50, 72)),
    # Supraventricular rhythms.
    Condition("ectopic_atrial_rhythm", "ectopic atrial rhythm", "P inverted in II, III and aVF before every QRS", _P2,
              ("rhythm:SVARR",), r.ectopic_atrial, (partial(qrs.short_pr, low=0.110, high=0.135),), (58, 88)),
    Condition("junctional_rhythm", "junctional rhythm", "narrow, 40-60, no P before the QRS", _P2, ("rhythm:SVARR",),
              r.junctional, rate=(41, 59), rsa=(0.002, 0.006)),
    Condition("premature_atrial", "atrial premature complexes", "early P of another shape, narrow QRS, no full pause", _P2,
              ("form:PAC",), r.premature_atrial),
    Condition("atrial_fibrillation", "atrial fibrillation", "irregularly irregular, no P waves", _AF, ("rhythm:AFIB",),
              r.fibrillation, rate=(62, 135)),
    Condition("atrial_fibrillation_onset", "onset of atrial fibrillation", "sinus rhythm, then atrial fibrillation", _AF,
              ("rhythm:AFIB",), r.fibrillation_onset, rate=(61, 85)),
    Condition("atrial_flutter_2", "atrial flutter, 2:1", "saw-tooth at 240-340, ventricular rate half of it", _SVT,
              ("rhythm:AFLT",), partial(r.flutter, ratio=2)),
    Condition("atrial_flutter_3", "atrial flutter, 3:1", "saw-tooth at 240-340, ventricular rate a third of it", _SVT,
              ("rhythm:AFLT",), partial(r.flutter, ratio=3)),
    Condition("atrial_flutter_4", "atrial flutter, 4:1", "saw-tooth at 240-340, ventricular rate a quarter of it", _SVT,
              ("rhythm:AFLT",), partial(r.flutter, ratio=4)),
    Condition("atrial_flutter_variable", "atrial flutter, variable", "saw-tooth at 240-340, RR whole multiples", _SVT,
              ("rhythm:AFLT",), partial(r.flutter, ratio=None)),
    Condition("supraventricular_tachycardia", "supraventricular tachycardia", "regular, narrow, 150-220, no P before QRS",
              _SVT, ("rhythm:SVTAC",), r.nodal_reentry, rate=(152, 215)),
    # Ventricular rhythms.
    Condition("premature_ventricular", "ventricular premature complexes", "early wide QRS without P, compensatory pause",
              _P2, ("form:PVC",), r.premature_ventricular),
    Condition("bigeminy", "ventricular bigeminy", "every other beat is ventricular", _P2, ("form:PVC", "rhythm:BIGU"),
              partial(r.premature_ventricular, every=1), rate=(60, 82)),
    Condition("trigeminy", "ventricular trigeminy", "every third beat is ventricular", _P2, ("form:PVC", "rhythm:TRIGU"),
              partial(r.premature_ventricular, every=2), rate=(60, 85)),
    Condition("r_on_t", "R-on-T ventricular premature complexes", "ventricular beat upon the T wave", _VA, ("form:PVC",),
              partial(r.premature_ventricular, coupling=(0.32, 0.40)), rate=(60, 75)),
    Condition("ventricular_run", "nonsustained ventricular tachycardia", "three or more wide beats over 100 in a row", _VA,
              ("form:PVC",), v.run_of_ventricular_beats),
    Condition("ventricular_tachycardia", "ventricular tachycardia", "wide, regular, 135-200, AV dissociation", _VA, (),
              v.tachycardia),
    Condition("ventricular_fibrillation", "ventricular fibrillation", "no QRS complexes, 3-8 Hz", _VA, (),
              v.ventricular_fibrillation),
    Condition("torsade_de_pointes", "torsade de pointes", "200-250, axis turns around the baseline", _VA, (), v.torsade),
    Condition("idioventricular_rhythm", "accelerated idioventricular rhythm", "wide, 60-100, no P before it", _VA, (),
              v.idioventricular),
    # AV conduction.
    Condition("av_block_1", "first-degree AV block", "PR over 200 ms", _BRADY, ("sub_class:AVB", "form:LPR"),
              shapes=(_long_pr(0.220, 0.320),), rate=(61, 88)),
    Condition("av_block_2_1", "second-degree AV block, type I", "PR grows until a P is not conducted", _BRADY,
              ("sub_class:AVB",), r.wenckebach, (_long_pr(0.190, 0.230),), (62, 92)),
    Condition("av_block_2_2", "second-degree AV block, type II", "constant PR, single P waves not conducted", _BRADY,
              ("sub_class:AVB",), r.mobitz, rate=(62, 95)),
    Condition("av_block_2_to_1", "second-degree AV block, 2:1", "every other P wave conducted", _BRADY,
              ("sub_class:AVB",), r.two_to_one, rate=(72, 105)),
    Condition("av_block_3", "third-degree AV block, narrow escape", "P waves and a slower rhythm independent of one another",
              _BRADY, ("sub_class:AVB",), v.complete_block, rate=(68, 100)),
    Condition("av_block_3_wide", "third-degree AV block, wide escape", "as above, escape under 40 and wide", _BRADY,
              ("sub_class:AVB",), partial(v.complete_block, escape=Beat.ECTOPIC), rate=(68, 100)),
    Condition("fibrillation_av_block_3", "atrial fibrillation with complete AV block", "f waves, slow regular QRS", _BRADY,
              ("rhythm:AFIB", "sub_class:AVB"), v.slow_fibrillation_block),
    Condition("short_pr", "short PR interval", "PR under 120 ms without delta wave", _P3, (), shapes=(qrs.short_pr,)),
    # Ventricular conduction.
    Condition("rbbb", "right bundle branch block", "QRS 120 ms, rsR' V1, wide S in I and V6", _P3, ("sub_class:CRBBB",),
              shapes=(qrs.right_bundle,)),
    Condition("incomplete_rbbb", "incomplete right bundle branch block", "QRS 110-119 ms, rSr' V1", _P3,
              ("sub_class:IRBBB",), shapes=(partial(qrs.right_bundle, complete=False),)),
    Condition("lbbb", "left bundle branch block", "QRS 120 ms, slow R in I and V6 without q, discordant T", _P3,
              ("sub_class:CLBBB",), shapes=(qrs.left_bundle,)),
    Condition("incomplete_lbbb", "incomplete left bundle branch block", "QRS 110-119 ms, no q in I and V6", _P3,
              ("sub_class:ILBBB",), shapes=(partial(qrs.left_bundle, complete=False),)),
    Condition("lafb", "left anterior fascicular block", "axis -45 to -90, qR aVL, rS II III aVF", _P3,
              ("sub_class:LAFB/LPFB",), shapes=(qrs.left_anterior,)),
    Condition("lpfb", "left posterior fascicular block", "axis 90 to 180, rS I aVL, qR III aVF", _P3,
              ("sub_class:LAFB/LPFB",), shapes=(qrs.left_posterior,)),
    Condition("bifascicular_block", "right bundle branch and left anterior fascicular block", "both criteria", _P3,
              ("sub_class:CRBBB", "sub_class:LAFB/LPFB"), shapes=(qrs.right_bundle_left_anterior,)),
    Condition("ivcd", "intraventricular conduction delay", "QRS over 110 ms, neither bundle pattern", _P3,
              ("sub_class:IVCD",), shapes=(qrs.diffuse_delay,)),
    Condition("wpw", "Wolff-Parkinson-White pattern", "PR under 120 ms, delta wave, QRS over 110 ms", _P3,
              ("sub_class:WPW",), shapes=(qrs.preexcitation,)),
    Condition("left_axis", "left axis deviation", "axis -30 to -45", _P3, (), shapes=(partial(qrs.axis, low=-44, high=-32),)),
    Condition("right_axis", "right axis deviation", "axis 90 to 120", _P3, (), shapes=(partial(qrs.axis, low=96, high=118),)),
    # Pacing.
    Condition("paced_atrium", "atrial pacing", "spike before every P, conducted", _PACE, ("rhythm:PACE",), v.paced_atria,
              rate=(60, 82)),
    Condition("paced_ventricle", "ventricular pacing", "spike before every wide QRS", _PACE, ("rhythm:PACE",),
              v.paced_ventricles, rate=(62, 90)),
    Condition("paced_dual", "AV sequential pacing", "spike before every P and every wide QRS", _PACE, ("rhythm:PACE",),
              v.paced_both, rate=(60, 82)),
    # Infarction and ischaemia.
    *(Condition(f"stemi_{wall}", f"acute {wall} infarction with ST elevation",
                f"ST elevation of 0.1 mV and more ({leads})" if wall != "posterior" else "ST depression V1-V3, tall R", _MI,
                (label, "form:STE") if wall != "posterior" else (label, "form:STD"), shapes=(partial(st.elevation, wall=wall),))
      for wall, label, leads in (("anterior", "sub_class:AMI", "V1-V4"), ("inferior", "sub_class:IMI", "II III aVF"),
                                 ("lateral", "sub_class:LMI", "I aVL V5 V6"), ("posterior", "sub_class:PMI", ""))),
    *(Condition(f"old_{wall}_infarct", f"old {wall} infarction", f"Q of 30 ms and 0.1 mV ({leads})" if wall != "posterior"
                else "R of 40 ms in V1-V2", _MI, (label, "form:QWAVE") if wall != "posterior" else (label,),
                shapes=(partial(st.old_infarct, wall=wall),))
      for wall, label, leads in (("anterior", "sub_class:AMI", "V1-V4"), ("inferior", "sub_class:IMI", "II III aVF"),
                                 ("lateral", "sub_class:LMI", "I aVL V5 V6"), ("posterior", "sub_class:PMI", ""))),
    Condition("subendocardial_ischaemia", "subendocardial ischaemia", "ST depression of 0.1 mV and more, aVR up", _P6,
              ("sub_class:ISC", "form:STD"), shapes=(st.subendocardial,)),
    Condition("anterior_ischaemia", "anterior T inversion", "symmetric T inversion V2-V4", _P6,
              ("sub_class:ISCA", "form:INVT"), shapes=(partial(st.inverted_t, wall="anterior"),)),
    Condition("inferior_ischaemia", "inferior T inversion", "T inversion II III aVF", _P6, ("sub_class:ISCI", "form:INVT"),
              shapes=(partial(st.inverted_t, wall="inferior"),)),
    Condition("lateral_ischaemia", "lateral T inversion", "T inversion I aVL V5 V6", _P6, ("sub_class:ISC", "form:INVT"),
              shapes=(partial(st.inverted_t, wall="lateral"),)),
    Condition("nonspecific_t", "nonspecific ST-T changes", "low T waves, slight ST depression", _P4,
              ("sub_class:STTC", "form:NDT", "form:LOWT"), shapes=(st.flat_t,)),
    # Chambers, voltage, placement.
    Condition("lvh", "left ventricular hypertrophy", "S V1 + R V5 or V6 over 3.5 mV", _P5, ("sub_class:LVH", "form:VCLVH"),
              shapes=(qrs.left_hypertrophy,)),
    Condition("rvh", "right ventricular hypertrophy", "axis over 100, R V1 over 0.7 mV", _P5, ("sub_class:RVH",),
              shapes=(qrs.right_hypertrophy,)),
    Condition("lae", "left atrial enlargement", "P 120 ms and more, terminal force V1", _P5, ("sub_class:LAO/LAE",),
              shapes=(qrs.left_atrium,)),
    Condition("rae", "right atrial enlargement", "P over 0.25 mV in II", _P5, ("sub_class:RAO/RAE",),
              shapes=(qrs.right_atrium,)),
    Condition("low_voltage", "low QRS voltage", "QRS under 0.5 mV in all limb leads", _P3, ("form:LVOLT",),
              shapes=(qrs.low_voltage,)),
    Condition("high_voltage", "high QRS voltage", "tall QRS, normal ST-T", _P5, ("form:HVOLT",), shapes=(qrs.high_voltage,)),
    Condition("dextrocardia", "dextrocardia", "P, QRS and T inverted in I, R shrinks from V1 to V6", _CHOU, (),
              shapes=(qrs.mirrored,)),
    *(Condition(f"reversal_{cables.lower().replace('-', '_')}", f"{cables} limb cables exchanged", text, "Kligfield 2007, "
                "10.1161/CIRCULATIONAHA.106.180200", (), shapes=(partial(qrs.swapped, cables=cables),))
      for cables, text in (("LA-RA", "I inverted, aVR and aVL exchanged"), ("RA-LL", "II inverted, aVR and aVF exchanged"),
                           ("LA-LL", "I and II, aVL and aVF exchanged"))),
    # Pericardium, channels, electrolytes, drugs.
    Condition("pericarditis", "acute pericarditis", "ST elevation in most leads, PR depression", _CHOU,
              ("form:STE", "sub_class:STTC"), shapes=(st.pericarditis,)),
    Condition("long_qt", "long QT", "QTc of 480 ms and more", _P4, ("form:LNGQT",), shapes=(st.long_qt,)),
    Condition("short_qt", "short QT", "QTc of 340 ms and less", _VA, (), shapes=(st.short_qt,), rate=(61, 80)),
    Condition("hyperkalaemia", "hyperkalaemia", "tented T, flat P, wide QRS", _CHOU, ("form:TAB",), shapes=(st.hyperkalaemia,)),
    Condition("hypokalaemia", "hypokalaemia", "ST depression, U larger than T", _CHOU, ("form:STD", "form:LOWT"),
              shapes=(st.hypokalaemia,)),
    Condition("hypercalcaemia", "hypercalcaemia", "short QT by a short ST segment", _CHOU, (), shapes=(st.hypercalcaemia,)),
    Condition("hypocalcaemia", "hypocalcaemia", "long QT by a long ST segment", _CHOU, ("form:LNGQT",),
              shapes=(st.hypocalcaemia,)),
    Condition("digitalis", "digitalis effect", "sagging ST depression, short QT", _CHOU, ("form:DIG", "form:STD"),
              shapes=(st.digitalis,)),
    Condition("brugada_1", "Brugada type 1", "coved ST elevation of 0.2 mV and more in V1-V2, T inverted", "Wilde 2002, "
              "10.1161/01.CIR.0000034169.45752.4A", ("form:STE",), shapes=(st.brugada,)),
    Condition("pulmonary_embolism", "acute right heart strain", "S I, Q III, T inverted III and V1-V4, over 100", _CHOU,
              ("rhythm:STACH",), shapes=(st.pulmonary_embolism,)),
    Condition("electrical_alternans", "electrical alternans", "every other QRS smaller", _CHOU, (), shapes=(st.alternans,)),
    Condition("hypothermia", "hypothermia", "J wave, under 60, long QT", _CHOU, ("rhythm:SBRAD",), shapes=(st.hypothermia,)),
)

#: By name, in the order of the table.
CONDITIONS: MappingProxyType[str, Condition] = MappingProxyType({c.name: c for c in _TABLE})
