"""Each cause is provoked on a real recording and named, with its leads; the clean recording names none."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.corpus import ptbxl
from ecglm.records import read
from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS, STANDARD_12
from ecglm.records.record import Record
from ecglm.reporting import Report
from ecglm.schema import Measurements
from ecglm.signal import bandpass, lead_quality, measure
from ecglm.signal.reversal import CHEST_SWAPS, LIMB_SWAPS


@pytest.fixture(scope="module")
def clean() -> Record:
    """Twelve leads, 10 s, 1 kHz, mV."""
    return read(get_testdata_file("waveform_ecg.dcm", download=False))


def with_limbs(record: Record, **seen: str) -> Record:
    """The recording with other electrodes at RA, LA or LL; RL sees what LL does but for 5 % of RA."""
    i, ii = record.lead("I").astype(float), record.lead("II").astype(float)
    at = {"RA": -(i + ii) / 3, "LA": (2 * i - ii) / 3, "LL": (2 * ii - i) / 3}
    at["RL"] = at["LL"] + 0.05 * at["RA"]
    ra, la, ll = (at[seen.get(limb, limb)] for limb in ("RA", "LA", "LL"))
    rows = {"I": la - ra, "II": ll - ra, "III": ll - la, "aVR": ra - (la + ll) / 2, "aVL": la - (ra + ll) / 2,
            "aVF": ll - (ra + la) / 2}
    return replace(record, signal=np.stack([rows.get(lead, record.lead(lead)) for lead in record.leads]).astype(np.float32))


def with_chest(record: Record, swap: str) -> Record:
    rows = [*range(6), *(6 + k for k in CHEST_SWAPS[swap])]
    return replace(record, signal=record.signal[rows])


def test_a_clean_recording_names_nothing_and_everything_was_checked(clean):
    found = measure(clean)
    assert found.problems == ()
    assert found.not_checked == {}
    assert found.axis.value is not None


def hum(x, t, _):
    x[7] += 0.15 * np.sin(2 * np.pi * 50 * t)


def hum_60(x, t, _):
    x[7] += 0.15 * np.sin(2 * np.pi * 60 * t)


def drift(x, t, _):
    x[10] += 2 * np.sin(2 * np.pi * 0.2 * t)


def muscle(x, t, rng):
    noise = bandpass(rng.normal(size=len(t)), 1 / t[1], 20, 150)[0]
    x[8] += 0.15 * noise / noise.std()


def clipping(x, *_):
    x[10] = np.minimum(x[10], 0.6)


def flat(x, *_):
    x[6] = 0


def still(x, *_):
    x[6, 3000:5000] = x[6, 3000]


def rail(x, *_):
    x[6] = 5


def open_input(x, t, rng):
    x[6] = 0.5 * np.sin(2 * np.pi * 50 * t + 1) + 0.006 * np.cumsum(rng.normal(size=len(t)))


def chest_gain(x, *_):
    x[8] *= 10


def limb_gain(x, *_):
    x[1] *= 0.5


def inverted(x, *_):
    x[1] *= -1


def microvolts(x, *_):
    x *= 0.02


def gap(x, *_):
    x[2, :4000] = np.nan


@pytest.mark.parametrize(("spoil", "cause", "leads", "severity", "words"), [
    (hum, "mains", ["V2"], "minor", "50-Hz"), (hum_60, "mains", ["V2"], "minor", "60-Hz"),
    (drift, "baseline", ["V5"], "minor", "wander"), (muscle, "emg", ["V3"], "minor", "muscle"),
    (clipping, "saturated", ["V5"], "major", "clipped"), (flat, "flat", ["V1"], "major", "flat"),
    (still, "flat", ["V1"], "minor", "from 3.0 to 5.0 s"), (rail, "disconnected", ["V1"], "major", "rail"),
    (open_input, "disconnected", ["V1"], "major", "no heart beats"), (chest_gain, "gain", ["V3"], "major", "QRS of 1"),
    (limb_gain, "gain", ["II"], "major", "times as high"), (inverted, "mislabelled", ["II"], "major", "upside down"),
    (microvolts, "gain", list(STANDARD_12), "major", "wrong gain"), (gap, "missing", ["III"], "minor", "missing"),
], ids=lambda value: getattr(value, "__name__", None))
def test_each_cause_is_named_with_its_lead_and_no_other_is(clean, spoil, cause, leads, severity, words):
    signal, t = clean.signal.astype(np.float64), np.arange(clean.n_samples) / clean.fs
    spoil(signal, t, np.random.default_rng(0))
    (problem,) = measure(replace(clean, signal=signal.astype(np.float32))).problems
    assert (problem.cause, list(problem.leads), problem.severity) == (cause, leads, severity)
    assert words in problem.text
    assert (problem.span_s is not None) == (spoil is still)


@pytest.mark.parametrize("swap", list(LIMB_SWAPS)[1:])
def test_exchanged_limb_electrodes_are_named_and_the_axis_withheld(clean, swap):
    seen = dict(zip(("RA", "LA", "LL"), LIMB_SWAPS[swap], strict=True))
    found = measure(with_limbs(clean, **seen))
    (problem,) = found.problems
    assert (problem.cause, problem.leads) == ("limb_reversal", LIMB_LEADS)
    assert f"({swap})" in problem.text
    if problem.severity == "major":
        assert found.axis.value is None
        assert swap in found.axis.reason
        assert found.axis_as_trained is not None  # the encoder still sees it
    assert problem.severity == "major" or swap == "LA/LL"


@pytest.mark.parametrize(("swap", "seen"), [
    ("RA/RL", {"RA": "RL"}), ("LA/RL", {"LA": "RL"}), ("arms/legs", {"RA": "RL", "LA": "LL", "LL": "LA"}),
])
def test_a_limb_electrode_on_the_right_leg(clean, swap, seen):
    (problem,) = measure(with_limbs(clean, **seen)).problems
    assert problem.cause == "limb_reversal"
    assert swap in problem.text


@pytest.mark.parametrize("swap", ["V1/V2", "V1/V6", "V2/V5", "V3/V4", "V1…V6 reversed"])
def test_exchanged_chest_electrodes_are_named(clean, swap):
    (problem,) = measure(with_chest(clean, swap)).problems
    assert problem.cause == "chest_swap"
    assert swap in problem.text
    assert set(problem.leads) == {lead for lead, seen in zip(CHEST_LEADS, CHEST_SWAPS[swap], strict=True)
                                  if lead != CHEST_LEADS[seen]}


def test_leads_scaled_one_by_one_are_judged_as_well(clean):
    def scaled(record):
        return replace(record, signal=record.signal / record.signal.std(axis=1, keepdims=True), unit="normalized")

    assert measure(scaled(clean)).problems == ()
    (problem,) = measure(scaled(with_limbs(clean, RA="LA", LA="RA"))).problems
    assert "RA/LA" in problem.text


@pytest.mark.parametrize(("leads", "missed"), [
    (("I", "II"), {"limb leads", "chest leads"}), (LIMB_LEADS, {"limb leads", "chest leads"}), (("V1", "V2", "V5"),
     {"limb leads", "chest leads"}), (("I", "II", "V2", "V3", "V4", "V5"), {"chest leads"}),
])
def test_what_too_few_leads_cannot_show_is_said_to_be_unchecked(clean, leads, missed):
    found = measure(clean.select(leads))
    assert set(found.not_checked) == missed
    assert found.problems == ()


def test_two_limb_and_four_chest_leads_show_an_exchange(clean):
    turned = with_limbs(clean, RA="LA", LA="RA").select(("I", "II", "V2", "V3", "V5", "V6"))
    (problem,) = measure(turned).problems
    assert (problem.cause, problem.leads) == ("limb_reversal", ("I", "II"))


def test_an_unreadable_recording_still_says_why(clean):
    found = measure(replace(clean, signal=np.zeros_like(clean.signal)))
    assert [(p.cause, p.leads) for p in found.problems] == [("flat", STANDARD_12)]
    assert set(found.not_checked) == {"limb leads", "chest leads"}


def test_problems_reach_json_and_reports_and_come_back(clean):
    turned = with_limbs(clean, RA="LA", LA="RA")
    found = measure(turned)
    assert Measurements.of(json.loads(json.dumps(asdict(found)))) == found
    assert found.to_dict()["problems"][0]["cause"] == "limb_reversal"
    report = Report.of(turned, measurements=found)
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert again.measurements is not None
    assert again.measurements.problems == found.problems


def test_real_recordings_false_alarms_and_detection(data_dir, monkeypatch):
    """PTB-XL fold 9, never used for fitting; docs/measure.md has all numbers."""
    monkeypatch.setenv("ECGLM_DATA", str(data_dir))
    data = ptbxl.load()
    records = [data.record(row) for row in data.rows((9,))]
    alarms = [any(p.cause == "limb_reversal" for p in measure(record).problems) for record in records]
    assert sum(alarms) <= 0.02 * len(records)
    hits = [any(p.cause == "limb_reversal" for p in measure(with_limbs(record, LA="LL", LL="LA")).problems)
            for record in records[::4]]
    assert np.mean(hits) >= 0.85  # the hardest exchange


def test_millivolt_sets_name_what_is_known_of_them(data_dir):
    """LUDB scaled every lead on its own; its signal is clean."""
    with open(data_dir / "ludb" / "ludb.csv", newline="", encoding="utf8") as file:
        names = [row["ID"] for row in csv.DictReader(file)][::5]
    found = [measure(read(data_dir / "ludb" / "data" / f"{name}.hea")) for name in names]
    named = [{p.cause for p in one.problems} for one in found]
    assert np.mean(["gain" in causes or "mislabelled" in causes for causes in named]) > 0.9
    for cause in ("flat", "disconnected", "mains", "emg", "saturated", "chest_swap"):
        assert sum(cause in causes for causes in named) <= 1, cause


def test_measure_and_lead_quality_agree(clean):
    assert lead_quality(clean) == measure(clean).quality
