"""Cohorts of simulated subjects: matched, disjoint, the same every time; windows hold nothing of what they precede."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ecglm.corpus import onsets
from ecglm.corpus.windows.item import CLASSES, HORIZONS, SPLITS, WINDOWS
from ecglm.errors import UsageError
from ecglm.signal.simulate.onset import MIXTURES


def test_cohort_has_its_subjects_once_and_its_mixture():
    everyone = [s for cohort in onsets.COHORTS.values() for split in SPLITS for s in onsets.subjects(split, cohort)]
    assert len({s.key for s in everyone}) == len({s.seed for s in everyone}) == len(everyone)
    for split in SPLITS:
        counts = Counter(s.label for s in onsets.subjects(split))
        assert set(counts) == set(CLASSES)
        assert min(counts.values()) >= 200
    train = onsets.subjects("train")
    for label in ("af", "aflutter"):
        found = Counter(s.mechanism for s in train if s.label == label)
        for mechanism, share in MIXTURES[label].items():
            assert found[mechanism] / 400 == pytest.approx(share, abs=0.08)
    assert {s.mechanism for s in onsets.subjects("test", onsets.UNANNOUNCED)} == {"none"}
    moments = [np.mean([s.moment_s for s in train if s.label == label]) for label in CLASSES]
    assert np.ptp(moments) < 8  # 110 s wide, 400 each


def test_keys_lead_back_to_their_subjects():
    few = onsets.subjects("valid", per_class=3)
    assert few == onsets.subjects("valid", per_class=5)[:9]
    assert all(onsets.subject(s.key) == s for s in few)
    for wrong in ("onsets/test/vt/0001", "onsets/test/af", "other/test/af/0001", "onsets/test/af/x", "onsets/test/af/-1"):
        with pytest.raises(UsageError, match="in no cohort"):
            onsets.subject(wrong)


def test_items_are_the_published_grid_before_the_onset():
    found = onsets.items("test", per_class=2)
    assert len(found) == 6 * len(WINDOWS) * len(HORIZONS)
    for item in found:
        who = onsets.subject(item.subject)
        assert item.start_s >= 0
        assert item.stop_s == pytest.approx(who.moment_s - item.horizon_s)
        assert item.stop_s - item.start_s == pytest.approx(item.window_s)
        assert item.onset_s == who.onset_s
        assert (item.onset_s is None) == (item.label == "sinus") == (item.kind == "control")
    with pytest.raises(UsageError, match="do not fit"):
        onsets.items("test", windows=(900,))


def test_a_window_is_a_cut_of_the_record_made_anew():
    item = next(i for i in onsets.items("test", per_class=1, windows=(30,), horizons=(60,)) if i.label == "af")
    who = onsets.subject(item.record)
    whole = onsets.simulated(who)
    assert whole.record.duration_s == onsets.DURATION_S
    assert whole.truth.onset.onset_s == whole.truth.events[0].start_s == who.onset_s
    assert whole.truth.onset.mechanism == item.mechanism
    window = onsets.window(item)
    start = round(item.start_s * onsets.FS)
    assert window.n_samples == 30 * onsets.FS
    assert np.array_equal(window.signal, whole.record.signal[:, start: start + 3840])
    assert window.leads == onsets.LEADS
