"""The study of rhythm spans: seconds, onsets and the earlier rule are counted as they should."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from ecglm.bench.studies import rhythm_spans as study
from ecglm.corpus.rhythms import Rhythms
from ecglm.records.record import Record
from ecglm.records.windows import open_windows
from ecglm.signal.simulate import simulate_one
from ecglm.signal.spans.find import RhythmSpan
from ecglm.signal.spans.model import fold_models


def marked(name: str, edges: tuple[float, ...], classes: tuple[int, ...]) -> Rhythms:
    spans = np.array(list(pairwise(edges)))
    return Rhythms(name, name, Path(name), edges[-1], spans, ("(N",) * len(classes), np.array(classes))


def told(*spans: tuple[float, float, str]) -> list[RhythmSpan]:
    return [RhythmSpan(begin, stop, name, 1.0) for begin, stop, name in spans]


def test_seconds_and_onsets_are_counted() -> None:
    ill, well = marked("ill", (0.0, 100.0, 160.0, 200.0), (0, 1, 2)), marked("well", (0.0, 3600.0), (0,))
    method = study._Method("x")
    method.add(ill, told((0, 104, "sinus"), (104, 180, "af"), (180, 200, "aflutter")))
    method.add(well, told((0, 3000, "sinus"), (3000, 3060, "af"), (3060, 3600, "sinus")))
    np.testing.assert_allclose(method.seconds["ill"], [[100, 0, 0], [4, 56, 0], [0, 20, 20]], atol=0.11)
    assert method.onsets == [("ill", 60.0, 4.0)]
    table = study._scores({"MIT-BIH": [method], "CPSC2021": []}, [ill, well], [], draws=20, seed=0)
    (row,) = table.rows
    assert row[2].startswith(f"{100 * 112 / (60 + 136):.1f} [")  # 2 x 56 of 60 annotated and 76 + 60 told
    assert row[5] == "1.00"
    onsets = study._onsets([method]).rows
    assert [cells[2] for cells in onsets] == ["1", "0", "0"]
    assert onsets[0][4:] == ["1", "4.0"]
    (record, *_) = study._by_record([method, method], [ill, well]).rows
    assert record[:4] == ["ill", "1.0", "1.3", "0.9"]


def test_the_earlier_rule_finds_long_fibrillation_by_half_minutes() -> None:
    parts = [simulate_one(name, fs=250, duration_s=120, leads=("II", "V1"), seed=5).record.signal
             for name in ("normal", "atrial_fibrillation")]
    found = study.half_minutes(open_windows(Record(np.concatenate(parts, axis=1), 250.0, ("II", "V1"))))
    assert all(one.name == "af" and one.stop_s - one.start_s == 30 for one in found)
    assert {one.start_s for one in found} >= {150.0, 180.0}
    assert all(one.start_s >= 120 for one in found)


def test_no_model_was_taught_by_the_person_it_is_asked_about() -> None:
    """Records of one person are asked by one model; together the models cover the records."""
    models = fold_models()
    assert models["201"] is models["202"]
    assert len({id(models[name]) for name in ("201", "203", "221", "222")}) == 4
    assert len(models) == 36
