"""What is wrong with which lead, by name: the signs behind the quality, turned into causes.

Levels are shares of a lead's own QRS height unless they say mV. They were set so that clean records name nothing
(docs/measure.md has the rates on real sets); nothing here changes a quality or a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS
from ecglm.records.record import Record
from ecglm.schema import Cause, LeadProblem, Severity
from ecglm.signal.axis import MAX_DISAGREEMENT, frontal_beat, frontal_view, limb_disagreement
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.quality import QUALITY_FS, QUALITY_S, USABLE, Assessment, LeadSigns
from ecglm.signal.reversal import CHEST_SWAPS, Reversal, TypicalBeat

#: Noise above 20 Hz between beats is named from here.
NOISE = 0.07
#: Share of the power above 40 Hz that lies at 50 or 60 Hz in mains hum; muscle noise is broad.
MAINS_SHARE = 0.5
#: Wander below 0.5 Hz (standard deviation) is named from here.
WANDER = 0.4
#: Share of samples at an extreme from which peaks are clipped (a peak at 1 kHz has 0.001).
CLIPPED = 0.01
#: A stretch in which nothing moves is named from this length (s); a lead that stands still for STILL of the time is flat.
STILL_S, STILL = 1.0, 0.8
#: Where beats are in other leads, a lead is not this many times as high as between them: it shows none.
NO_BEATS = 1.5
#: QRS heights (mV) outside are no surface ECG's: the largest leads of hypertrophy reach 6; 0.1 is the height of a P wave.
HEIGHT_MV = (0.1, 8.0)
#: A chest lead this many times as high as both its neighbours was amplified otherwise.
NEIGHBOUR_RATIO = 6.0
#: A constant level (mV) farther out is an amplifier's rail, not a quiet heart.
RAIL_MV = 2.0


def lead_problems(record: Record, judged: Assessment) -> tuple[LeadProblem, ...]:
    """Everything the signs of `assess` name, one problem per cause and severity; the worst first."""
    if judged.signs is None:
        return ()
    signs = judged.signs
    poor = np.array([judged.quality[lead] < USABLE for lead in record.leads])
    found = [*_still(record, signs, poor), *_noise(record, signs, poor), *_wrong_height(record, signs)]
    return tuple(sorted(found, key=lambda problem: problem.severity != "major"))


def reversal_problem(found: Reversal, record: Record) -> LeadProblem:
    """An exchange of electrodes as a problem of leads of this record."""
    severity: Severity = "major" if found.sure else "minor"
    word = "look" if found.sure else "may be"
    if found.where == "limb":
        also = ", or the heart lies on the right (dextrocardia)" if found.mirrored else ""
        limb = tuple(lead for lead in record.leads if lead in LIMB_LEADS)
        return LeadProblem("limb_reversal", limb, severity, f"the limb leads {word} reversed ({found.swap}){also}")
    moved = tuple(lead for lead, seen in zip(CHEST_LEADS, CHEST_SWAPS[found.swap], strict=True) if lead != CHEST_LEADS[seen])
    return LeadProblem("chest_swap", moved, severity, f"the chest leads {word} swapped ({found.swap})")


def limb_gain_problem(beat: TypicalBeat) -> LeadProblem | None:
    """Limb leads whose gains contradict Einthoven's and Goldberger's laws, and which of them where one alone does.

    For beats whose limb leads should share one scale, which these (not beat.scaled) do not."""
    limb = tuple(lead for lead in beat.leads if lead in LIMB_LEADS)
    if beat.scaled or len(limb) < 3 or np.isnan(beat.waves.qrs_on):
        return None
    rows = beat.median_LW[[beat.leads.index(lead) for lead in limb]]
    qrs = slice(round(beat.waves.qrs_on), round(beat.waves.qrs_off) + 1)
    part = rows[:, qrs] - rows[:, qrs][:, :1]
    for k, lead in enumerate(limb):
        others = tuple(name for name in limb if name != lead)
        rest = np.delete(part, k, axis=0)
        if len(others) > 2 and limb_disagreement(rest, others) <= MAX_DISAGREEMENT / 2:
            due = frontal_view(rest, others, lead)
            gain = float(part[k] @ due / max(float(due @ due), 1e-12))
            left = part[k] - gain * due
            fits = bool(left @ left <= 0.02 * (part[k] @ part[k]))
            if not fits or gain < 0:
                what = "is upside down" if fits else "is another lead"
                return LeadProblem("mislabelled", (lead,), "major", f"lead {lead} {what}, by the other limb leads")
            return LeadProblem("gain", (lead,), "major", f"lead {lead} is {gain:.2g} times as high as the other limb leads say")
    if isinstance(frontal_beat(rows, limb, scaled=False), str):
        return LeadProblem("mislabelled", limb, "major", "the limb leads contradict one another (Einthoven's law)")
    return LeadProblem("gain", limb, "major", "the limb leads have different gains (Einthoven's law)")


def _grouped(cause: Cause, record: Record, where: BoolArray, poor: BoolArray, text: str) -> Iterator[LeadProblem]:
    """The leads of one cause: those that are not used because of their quality, then the others."""
    levels: tuple[tuple[Severity, BoolArray], ...] = (("major", where & poor), ("minor", where & ~poor))
    for severity, rows in levels:
        leads = tuple(lead for lead, there in zip(record.leads, rows, strict=True) if there)
        if leads:
            yield LeadProblem(cause, leads, severity, f"{text} in {', '.join(leads)}")


def _still(record: Record, signs: LeadSigns, poor: BoolArray) -> Iterator[LeadProblem]:
    """Flat, railed, clipped and missing leads, and stretches in which a lead stands still."""
    part = record.signal[:, : round(QUALITY_S * record.fs)]
    whole = signs.held >= STILL
    there = signs.gaps < STILL
    level = np.zeros(len(part))
    for row in np.flatnonzero(whole & there):
        level[row] = abs(float(np.nanmedian(part[row])))
    railed = whole & (level > RAIL_MV) & (record.unit == "mV")
    yield from _grouped("missing", record, signs.gaps > 0.05, poor, "missing samples")
    yield from _grouped("flat", record, whole & there & ~railed, poor, "flat line")
    yield from _grouped("disconnected", record, railed & there, poor, "constant level at a rail, electrode off,")
    yield from _grouped("saturated", record, ~whole & (signs.clipped > CLIPPED), poor, "clipped peaks")
    for row in np.flatnonzero(~whole & there & (signs.held * part.shape[1] >= STILL_S * record.fs)):
        span = _longest_still(part[row], record.fs)
        if span is not None:
            yield LeadProblem("flat", (record.leads[row],), "minor", f"flat line in {record.leads[row]} from {span[0]:.1f} "
                              f"to {span[1]:.1f} s", span)


def _longest_still(lead_T: FloatArray, fs: float) -> tuple[float, float] | None:
    """The longest stretch of equal samples of at least STILL_S, in seconds."""
    still = np.abs(np.diff(lead_T)) <= 1e-7 + 1e-6 * float(np.nanmax(np.abs(lead_T)))
    edge = np.flatnonzero(np.diff(np.r_[False, still, False].astype(np.int8)))
    longest = int((edge[1::2] - edge[::2]).argmax()) if len(edge) else 0
    if not len(edge) or edge[2 * longest + 1] - edge[2 * longest] < STILL_S * fs:
        return None
    return round(float(edge[2 * longest] / fs), 3), round(float(edge[2 * longest + 1] / fs), 3)


def _noise(record: Record, signs: LeadSigns, poor: BoolArray) -> Iterator[LeadProblem]:
    """Hum, muscle noise, wander, and leads that show them but no heart beat."""
    live = (signs.held < STILL) & (signs.gaps < STILL) & np.isfinite(signs.noise)
    noisy = live & (signs.noise > NOISE)
    hum, line = np.zeros(len(live), dtype=bool), "mains hum"
    if noisy.any():
        share, hertz = _mains(signs.detail_LT[noisy])
        hum[noisy] = share > MAINS_SHARE
        line = f"{hertz:.0f}-Hz mains hum"
    wander = live & (signs.wander > WANDER)
    beatless = live & poor & (signs.contrast < NO_BEATS)
    lost = beatless & (hum | wander) & bool((live & ~poor).any())
    yield from _grouped("disconnected", record, lost, poor | lost, "no heart beats, electrode off,")
    yield from _grouped("mains", record, hum & ~lost, poor, line)
    yield from _grouped("emg", record, noisy & ~hum & ~lost, poor, "muscle noise")
    yield from _grouped("baseline", record, wander & ~lost, poor, "baseline wander")


def _mains(detail_LT: FloatArray) -> tuple[FloatArray, float]:
    """Share ``[lead]`` of the power above 40 Hz that lies at the mains line, and that line (Hz)."""
    power = np.abs(np.fft.rfft(detail_LT * np.hanning(detail_LT.shape[1]), axis=1)) ** 2
    hz = np.fft.rfftfreq(detail_LT.shape[1], 1 / QUALITY_FS)
    total = power[:, hz > 40].sum(axis=1) + 1e-30
    shares = np.stack([power[:, np.abs(hz - line) < 1].sum(axis=1) / total for line in (50.0, 60.0)])
    best = int(shares.sum(axis=1).argmax())
    return shares[best], (50.0, 60.0)[best]


def _wrong_height(record: Record, signs: LeadSigns) -> Iterator[LeadProblem]:
    """QRS heights that no heart gives, in mV, and chest leads out of all proportion to their neighbours."""
    if record.unit != "mV" or not np.isfinite(signs.height).any():
        return
    live = (signs.held < STILL) & (signs.gaps < STILL) & (signs.contrast > NO_BEATS)
    height = dict(zip(record.leads, np.where(live, signs.height, np.nan), strict=True))
    high = tuple(lead for lead, mv in height.items() if mv > HEIGHT_MV[1])
    if high:
        yield LeadProblem("gain", high, "major", f"QRS of {max(height[lead] for lead in high):.3g} mV in {', '.join(high)}: "
                          "wrong gain")
    seen = [mv for mv in height.values() if mv == mv]
    if len(seen) > 1 and max(seen) < HEIGHT_MV[0]:
        yield LeadProblem("gain", record.leads, "major", f"no QRS higher than {max(seen):.2g} mV: wrong gain")
    chest = [height.get(lead, np.nan) for lead in CHEST_LEADS]
    for k, lead in enumerate(CHEST_LEADS):
        beside = [mv for mv in chest[max(0, k - 1): k] + chest[k + 1: k + 2] if mv == mv]
        if lead not in high and len(beside) == min(2, 1 + (0 < k < 5)) and chest[k] > NEIGHBOUR_RATIO * max(beside):
            yield LeadProblem("gain", (lead,), "major", f"QRS in {lead} {chest[k] / max(beside):.0f} times as high as in the "
                              "leads beside it: wrong gain")
