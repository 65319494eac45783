"""Long records before an onset: what is drawn is what the truth says, signs appear where a mechanism is and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import UsageError
from ecglm.signal.simulate import Simulated, Truth, simulate_onset
from ecglm.signal.simulate.onset import MECHANISMS, MIXTURES, PARAMETERS
from ecglm.signal.simulate.onset.rhythm import schedule_of
from ecglm.signal.simulate.onset.subject import draw_subject
from ecglm.signal.simulate.schedule import Atrial

ONSET_S, DURATION_S = 1320.0, 1440.0
DOCS = Path(__file__).resolve().parents[2] / "docs" / "simulate.md"


def made(target: str, mechanism: str | None, seed: int = 7, fs: float = 250, **how) -> Simulated:
    return simulate_onset(target, mechanism, seed=seed, fs=fs, noise=False, **how)[0]


@pytest.fixture(scope="module")
def slowed() -> Simulated:
    return made("aflutter", "p_prolongation")


def sinus_beats(truth: Truth, start: float, stop: float) -> np.ndarray:
    """Beats that are usual, as are those before and after them."""
    usual = np.array(truth.symbols) == "N"
    usual[1:-1] &= usual[:-2] & usual[2:]
    return np.flatnonzero(usual & (truth.r_peak > start) & (truth.r_peak < stop) & ~np.isnan(truth.p_on))


def drawn_p(record, truth: Truth, beats: np.ndarray) -> float:
    """Width (s) at a quarter of its height of the mean P wave of lead II, from the signal but for where each QRS begins."""
    row, fs = record.lead("II"), record.fs
    ahead = round(0.26 * fs)
    ends = [round(on * fs) - 1 for on in truth.qrs_on[beats]]
    mean = np.mean([row[end - ahead: end] - row[end - 1] for end in ends], axis=0)
    mean = mean - np.interp(np.arange(len(mean)), [0, len(mean) - 1], [mean[:8].mean(), mean[-1]])
    above = np.flatnonzero(mean > 0.25 * mean.max())
    return float((above[-1] - above[0]) / fs)


def test_p_waves_drawn_last_longer_as_the_truth_says(slowed):
    truth = slowed.truth
    first, last = sinus_beats(truth, 5, 60), sinus_beats(truth, ONSET_S - 50, ONSET_S - 3)
    known = np.median((truth.p_off - truth.p_on)[last]) - np.median((truth.p_off - truth.p_on)[first])
    strength = truth.onset.strength
    assert truth.onset.manners["p_prolongation"] == "progression"
    assert known == pytest.approx(min(PARAMETERS["p_rise_s"].a * strength, 0.060), abs=0.006)
    assert drawn_p(slowed.record, truth, last) - drawn_p(slowed.record, truth, first) == pytest.approx(known, abs=0.015)
    longer = np.median((truth.qrs_on - truth.p_on)[last]) - np.median((truth.qrs_on - truth.p_on)[first])
    assert longer > 0.4 * known
    assert (truth.p_off < truth.qrs_on)[first].all()
    assert (truth.p_off < truth.qrs_on)[last].all()


def test_every_beat_is_drawn_where_the_truth_has_it(slowed):
    for case in (slowed, made("af", "rising_ectopy")):
        row, fs, truth = case.record.lead("II"), case.record.fs, case.truth
        steep = np.abs(np.gradient(row))
        near = np.array([steep[max(0, round((r - 0.05) * fs)): round((r + 0.05) * fs) + 1].max() for r in truth.r_peak[2:-2]])
        gaps = [(a, b) for a, b in zip(truth.qrs_off[2:-2] + 0.06, truth.qrs_on[3:-1] - 0.02, strict=True)
                if b - a > 0.1 and b < ONSET_S]  # flutter waves are steep
        between = np.array([steep[round(a * fs): round(b * fs)].max() for a, b in gaps])
        assert (near > 0.3 * np.median(near)).mean() > 0.99
        assert (between < 0.3 * np.median(near)).mean() > 0.97


def test_premature_beats_become_more_and_earlier():
    truth = made("af", "rising_ectopy", seed=2).truth
    early = truth.atrial_on[np.array(truth.atrial_kind) == "ectopic"]
    last, before = ((early > a) & (early < b) for a, b in ((ONSET_S - 300, ONSET_S - 1), (20, 320)))
    assert last.sum() > 3 * before.sum() + 6
    assert truth.symbols.count("S") >= 0.5 * len(early)
    gap = np.array([t - truth.atrial_on[truth.atrial_on < t - 1e-6].max() for t in early[last]])
    assert np.median(gap) < 0.65 * np.median(np.diff(truth.r_peak[truth.r_peak < ONSET_S]))
    assert gap.min() > 0.25


def test_rate_rises_and_varies_less():
    seeds = range(3, 9)
    change, calmer = [], []
    for seed in seeds:
        truth = made("af", "rr_shortening", seed=seed, fs=50).truth
        rr = np.diff(truth.r_peak, append=np.nan)
        first, last = (sinus_beats(truth, a, b)[:-1] for a, b in ((5, 125), (ONSET_S - 120, ONSET_S - 3)))
        change.append((np.median(rr[last]) / np.median(rr[first]) - 1) / truth.onset.strength)
        calmer.append(np.std(np.diff(rr[last])) / np.std(np.diff(rr[first])))
    assert -0.30 < np.mean(change) < -0.10
    assert np.median(calmer) < 0.75


def beats_of(mechanism: str, seed: int, target: str = "af") -> tuple[np.ndarray, ...]:
    """P times and kinds, P durations at them, of a subject, without drawing anything."""
    _, subject_rng, rhythm_rng, *_ = (np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(6))
    onset_s = None if target == "sinus" else ONSET_S
    subject = draw_subject(DURATION_S, onset_s, mechanism, subject_rng)
    waves = schedule_of(subject, target, onset_s, None, DURATION_S, rhythm_rng).p
    at = np.array([t for t, _ in waves])
    return at, np.array([k is Atrial.ECTOPIC for _, k in waves]), subject.heart.p_s + subject.heart.course.at("p_extra_s", at)


def changes(mechanism: str, seed: int, target: str) -> np.ndarray:
    """From the 10th-last to the 2nd-last minute before the onset: premature beats, P duration (s), PP (share)."""
    at, early, p_s = beats_of(mechanism, seed, target)
    parts = [(at > ONSET_S - a) & (at < ONSET_S - b) for a, b in ((780, 540), (300, 60))]
    pp = np.diff(at, append=np.nan)
    (a, b) = parts
    return np.array([(early & b).sum() - (early & a).sum(), p_s[b].mean() - p_s[a].mean(),
                     np.median(pp[b]) / np.median(pp[a]) - 1])


def z_of_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Difference of mean ranks in its own deviations (Mann-Whitney), per column: extreme subjects do not decide it."""
    n, m = len(a), len(b)
    ranks = np.argsort(np.argsort(np.vstack([a, b]) + 1e-9 * np.arange(n + m)[:, None] % 7e-9, axis=0), axis=0)
    return (ranks[:n].mean(axis=0) - ranks[n:].mean(axis=0)) / np.sqrt((n + m) ** 2 * (n + m + 1) / (12 * n * m))


def test_no_sign_without_a_mechanism_and_one_with_each():
    controls = np.array([changes("none", 1000 + seed, "sinus") for seed in range(30)])
    for target in ("af", "aflutter"):
        silent = np.array([changes("none", 2000 + seed, target) for seed in range(30)])
        assert np.abs(z_of_difference(silent, controls)).max() < 3.0
    for column, (mechanism, way) in enumerate((("rising_ectopy", 1), ("p_prolongation", 1), ("rr_shortening", -1))):
        told = np.array([changes(mechanism, 2000 + seed, "af") for seed in range(20)])
        assert way * z_of_difference(told, controls)[column] > 3.0, mechanism


@pytest.mark.parametrize("seed", range(5))
def test_a_control_is_the_same_subject_until_the_trigger(seed):
    control, silent = beats_of("none", seed, "sinus"), beats_of("none", seed, "aflutter")
    until = ONSET_S - 2.5
    for a, b in zip(control, silent, strict=True):
        n = int((control[0] < until).sum())
        assert np.array_equal(a[:n], b[:n])
    told = beats_of("p_prolongation", seed)
    early = told[0] < ONSET_S - PARAMETERS["span_s"].high - 1
    assert len(set(np.round(told[2][early], 6))) == 1


@pytest.mark.parametrize("target", ["af", "aflutter"])
def test_the_onset_is_at_its_time_and_ends_when_asked(target):
    case = made(target, "none", seed=5, duration_s=300, onset_s=150.0, lasts_s=90.0)
    truth, fs = case.truth, case.record.fs
    event = truth.events[0]
    assert (event.start_s, event.stop_s) == (150.0, 240.0)
    assert truth.onset.onset_s == 150.0
    during = (truth.qrs_on > 150.3) & (truth.qrs_on < 240)
    assert np.isnan(truth.p_on[during]).all()
    assert truth.p_off[truth.p_off < 151].max() == pytest.approx(150.0, abs=0.002)
    assert (~np.isnan(truth.p_on[truth.qrs_on > 242])).mean() > 0.9
    assert {"rhythm:AFIB" if target == "af" else "rhythm:AFLT"} < set(truth.labels)

    def atrial_power(start: float, stop: float) -> float:
        """Mean square of V1 between the end of T and the next P or QRS, its level taken off."""
        row = case.record.lead("V1")
        free = [(a, b) for a, b in zip(truth.t_off[:-1] + 0.02, truth.qrs_on[1:] - 0.24, strict=True)
                if start < a and b < stop and b - a > 0.12]
        return float(np.mean([np.var(row[round(a * fs): round(b * fs)]) for a, b in free])) if free else np.nan

    later = atrial_power(152, 239)
    assert np.isnan(later) or later > 5 * atrial_power(5, 148)


def test_flutter_waves_have_the_frequency_of_the_subject():
    case = made("aflutter", "none", seed=5, duration_s=200, onset_s=100.0, fs=125)
    rr = np.diff(case.truth.r_peak[case.truth.r_peak > 103])
    cycles = np.arange(60 / 331, 60 / 249, 0.0005)
    misfit = [np.abs(rr / c - np.rint(rr / c)).mean() for c in cycles]
    power = np.abs(np.fft.rfft(case.record.lead("V1")[103 * 125:] * np.hanning(97 * 125))) ** 2
    hz = np.fft.rfftfreq(97 * 125, 1 / 125)
    inside = (hz > 249 / 60) & (hz < 331 / 60)
    assert hz[inside][power[inside].argmax()] == pytest.approx(1 / cycles[int(np.argmin(misfit))], rel=0.03)


def test_seeds_leads_rates_and_count():
    how = {"duration_s": 60.0, "onset_s": 30.0, "seed": 11}
    two = simulate_onset("af", None, 2, fs=128, **how)
    again = simulate_onset("af", None, 2, fs=128, leads="V1,II,aVF", **how)
    for a, b in zip(two, again, strict=True):
        assert np.array_equal(a.record.lead("II"), b.record.lead("II"))
        assert a.truth.to_dict() == b.truth.to_dict()
    assert not np.array_equal(two[0].truth.r_peak[:5], two[1].truth.r_peak[:5])
    faster = simulate_onset("af", None, fs=300, **how)[0]
    assert np.array_equal(faster.truth.r_peak, two[0].truth.r_peak)
    assert np.corrcoef(faster.record.lead("II")[::75], two[0].record.lead("II")[::32])[0, 1] > 0.8
    told = two[0].truth.to_dict()["onset"]
    assert told["target"] == "af"
    assert told["mechanism"] in MECHANISMS
    assert set(told["channels"]) == set(MECHANISMS) - {"none"}
    assert len(told["channels"]["rising_ectopy"]["level_by_minute"]) == 2
    names = {event.name for event in simulate_onset("sinus", fs=50, **how)[0].truth.events}
    assert not names & {"atrial fibrillation", "atrial flutter"}
    assert {event.name for event in simulate_onset("af", fs=50, **how)[0].truth.events} & {"atrial fibrillation"}


@pytest.mark.parametrize(("arguments", "said"), [
    (("afib",), "is unknown"), (("af", "p_prolonged"), "did you mean 'p_prolongation'"), (("sinus", "rising_ectopy"), "no onset"),
])
def test_what_cannot_be_made_is_refused(arguments, said):
    with pytest.raises(UsageError, match=said):
        simulate_onset(*arguments)


@pytest.mark.parametrize("how", [{"onset_s": 1439.0}, {"onset_s": float("nan")}, {"lasts_s": 0.0}, {"fs": 1.0}, {"n": 0},
                                 {"seed": -1}, {"leads": "V9"}, {"n": 1000}])
def test_numbers_out_of_range_are_refused(how):
    with pytest.raises(UsageError):
        simulate_onset("af", **how)


def test_mixtures_and_the_table_in_the_documentation():
    assert all(sum(m.values()) == pytest.approx(1) and set(m) <= set(MECHANISMS) for m in MIXTURES.values())
    assert MIXTURES["af"]["none"] == MIXTURES["aflutter"]["none"]
    text = DOCS.read_text(encoding="utf-8")
    for name, row in PARAMETERS.items():
        assert f"| `{name}` | {row.spread()} | {row.unit} | {row.what} |" in text, name
    for mechanism in MECHANISMS:
        shares = " | ".join(f"{MIXTURES[target][mechanism]:.0%}" for target in ("af", "aflutter"))
        assert f"| {mechanism} | {shares} |" in text
