"""Records as paper has them: each lead for a few seconds, one group after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecglm
from ecglm import Record
from ecglm.corpus.onpaper import shown_on
from ecglm.models.processor import EcgProcessor
from ecglm.signal import unreadable
from ecglm.signal.measured_parts import APART
from ecglm.signal.parts import recorded_parts, unrecorded_share
from ecglm.signal.simulate import simulate


@pytest.fixture(scope="module")
def whole() -> Record:
    return simulate("lvh", 1, seed=5)[0].record


def test_columns_and_strips_are_found(whole: Record) -> None:
    columns = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
    parts = recorded_parts(shown_on(whole, "3x4"))
    assert [part.leads for part in parts] == [("II",), ("I", "III"), *columns[1:]]
    assert [part.strip for part in parts] == [True, False, False, False, False]
    assert [part.start_s for part in parts] == pytest.approx([0, 0, 2.5, 5, 7.5], abs=0.01)
    assert all(not np.isnan(part.of(shown_on(whole, "3x4")).signal).any() for part in parts)
    assert [part.leads for part in recorded_parts(shown_on(whole, "6x2"))] == [columns[0] + columns[1], columns[2] + columns[3]]


@pytest.mark.parametrize(("layout", "strips", "share"), [("3x4", None, 11 / 12 * 0.75), ("3x4", (), 0.75), ("6x2", None, 0.5),
                                                         ("3x4+3R", None, 9 / 12 * 0.75), ("12x1", None, 0.0)])
def test_how_much_was_not_recorded(whole: Record, layout: str, strips: tuple[str, ...] | None, share: float) -> None:
    shown = shown_on(whole, layout, strips)
    assert unrecorded_share(shown, recorded_parts(shown)) == pytest.approx(share, abs=1e-3)
    assert EcgProcessor()(shown).unrecorded == pytest.approx(share, abs=1e-3)


def test_gaps_in_a_recording_are_no_parts(whole: Record) -> None:
    assert recorded_parts(whole) == ()
    gap = np.array(whole.signal)
    gap[3, 1000:2000] = np.nan
    gap[:, 4000:4100] = np.nan
    assert recorded_parts(replace(whole, signal=gap)) == ()
    off = np.array(whole.signal)
    off[:6, 2500:] = np.nan  # the limb leads came off, the chest leads go on
    assert recorded_parts(replace(whole, signal=off)) == ()
    assert recorded_parts(replace(whole, signal=np.full_like(whole.signal, np.nan))) == ()


def test_measured_group_by_group(whole: Record) -> None:
    known, read = ecglm.measure(whole), ecglm.measure(shown_on(whole, "3x4"))
    assert read.heart_rate.value == pytest.approx(known.heart_rate.value, abs=1)
    assert read.r_peaks_s == pytest.approx(known.r_peaks_s, abs=0.02)
    for name, within in (("pr", 16), ("qrs", 12), ("qt", 25), ("qtc_bazett", 30), ("axis", 10), ("sokolow_lyon", 0.3),
                         ("cornell", 0.3)):
        assert getattr(read, name).value == pytest.approx(getattr(known, name).value, abs=within), name
    assert list(read.by_lead) == list(whole.leads)
    for lead in ("V1", "V5"):
        assert read.by_lead[lead].r.value == pytest.approx(known.by_lead[lead].r.value, abs=0.2)
    assert min(read.quality.values()) > 0.5
    assert set(read.not_checked.values()) == {APART}
    assert unreadable(shown_on(whole, "3x4")) is None
    assert unreadable(shown_on(replace(whole, signal=np.zeros_like(whole.signal)), "3x4")) is not None


def test_without_strips_beats_have_their_times(whole: Record) -> None:
    read, known = ecglm.measure(shown_on(whole, "3x4", ())), ecglm.measure(whole)
    assert read.heart_rate.value == pytest.approx(known.heart_rate.value, abs=5)
    found = np.array(read.r_peaks_s)
    assert np.abs(found[:, None] - np.array(known.r_peaks_s)).min(1).max() < 0.05


def test_the_encoder_gets_every_lead(whole: Record) -> None:
    inputs = EcgProcessor()(shown_on(whole, "3x4"))
    assert inputs.mask_L.all()
    assert inputs.sig_WLT.shape[:2] == (1, 12)
    assert 300 <= inputs.sig_WLT.shape[2] <= 315
    assert not np.isnan(inputs.sig_WLT).any()
    beat, known = inputs.beat_WLK[0], EcgProcessor()(whole).beat_WLK[0]
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(beat, known, strict=True)]  # small leads are noisy over two beats
    assert np.median(alike) > 0.8
    missing = shown_on(whole, "3x4")
    missing.signal[whole.leads.index("V3")] = np.nan
    assert EcgProcessor()(missing).mask_L.tolist() == [lead != "V3" for lead in whole.leads]


def test_findings_of_a_page_are_near_those_of_the_whole_recording() -> None:
    """Simulated people, of whom the shipped calibration for pages knows nothing; superclasses, in log-odds."""
    elm = ecglm.load().elm
    conditions = ("normal", "left_axis", "trigeminy", "old_posterior_infarct", "pericarditis", "lae", "brugada_1")
    away = dict.fromkeys((True, False), 0.0)
    for seed, condition in enumerate(conditions):
        record = simulate(condition, 1, seed=seed)[0].record
        inputs = elm.processor(shown_on(record, "3x4+1R"))
        known = elm.encode(elm.processor(record)).logits_C
        for aware in away:
            said = elm.encode(inputs if aware else inputs._replace(unrecorded=0.0)).logits_C
            away[aware] += float(np.abs(said - known)[:5].mean())
    assert away[True] < 0.8 * away[False]
