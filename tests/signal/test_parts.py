"""Records as paper has them: each lead for a few seconds, one group after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import ecglm
from ecglm import Record
from ecglm.models.processor import EcgProcessor
from ecglm.signal import unreadable
from ecglm.signal.measured_parts import APART
from ecglm.signal.parts import recorded_parts
from ecglm.signal.simulate import simulate

COLUMNS = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))


def page(record: Record, columns: tuple[tuple[str, ...], ...] = COLUMNS, strips: tuple[str, ...] = ("II",)) -> Record:
    """What a page shows of a record."""
    signal = np.full_like(record.signal, np.nan)
    edges = np.linspace(0, record.n_samples, len(columns) + 1).round().astype(int)
    for leads, first, last in zip(columns, edges[:-1], edges[1:], strict=True):
        for lead in leads:
            row = record.leads.index(lead)
            signal[row, first:last] = record.signal[row, first:last]
    for lead in strips:
        signal[record.leads.index(lead)] = record.lead(lead)
    return replace(record, signal=signal)


@pytest.fixture(scope="module")
def whole() -> Record:
    return simulate("lvh", 1, seed=5)[0].record


def test_columns_and_strips_are_found(whole: Record) -> None:
    parts = recorded_parts(page(whole))
    assert [part.leads for part in parts] == [("II",), ("I", "III"), *COLUMNS[1:]]
    assert [part.strip for part in parts] == [True, False, False, False, False]
    assert [part.start_s for part in parts] == pytest.approx([0, 0, 2.5, 5, 7.5], abs=0.01)
    assert all(not np.isnan(part.of(page(whole)).signal).any() for part in parts)
    two = (COLUMNS[0] + COLUMNS[1], COLUMNS[2] + COLUMNS[3])
    assert [part.leads for part in recorded_parts(page(whole, two, ()))] == list(two)


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
    known, read = ecglm.measure(whole), ecglm.measure(page(whole))
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
    assert unreadable(page(whole)) is None
    assert unreadable(page(replace(whole, signal=np.zeros_like(whole.signal)))) is not None


def test_without_strips_beats_have_their_times(whole: Record) -> None:
    read, known = ecglm.measure(page(whole, strips=())), ecglm.measure(whole)
    assert read.heart_rate.value == pytest.approx(known.heart_rate.value, abs=5)
    found = np.array(read.r_peaks_s)
    assert np.abs(found[:, None] - np.array(known.r_peaks_s)).min(1).max() < 0.05


def test_the_encoder_gets_every_lead(whole: Record) -> None:
    inputs = EcgProcessor()(page(whole))
    assert inputs.mask_L.all()
    assert inputs.sig_WLT.shape[:2] == (1, 12)
    assert 300 <= inputs.sig_WLT.shape[2] <= 315
    assert not np.isnan(inputs.sig_WLT).any()
    beat, known = inputs.beat_WLK[0], EcgProcessor()(whole).beat_WLK[0]
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(beat, known, strict=True)]  # small leads are noisy over two beats
    assert np.median(alike) > 0.8
    missing = page(whole)
    missing.signal[whole.leads.index("V3")] = np.nan
    assert EcgProcessor()(missing).mask_L.tolist() == [lead != "V3" for lead in whole.leads]
